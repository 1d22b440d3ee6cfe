//! The container of a task, as the Engine API has it.

use super::object::engine_object;
use super::spec::{Driver, Labels};
use serde_json::Value;

engine_object! {
    /// The container of each task (`ContainerSpec`).
    ContainerSpec {
        /// The image: `repo:tag`, `repo@digest` or `repo:tag@digest`.
        image: String,
        /// Labels of the container.
        labels: Labels,
        /// Instead of the image's entry point.
        command: Vec<String>,
        /// Instead of the image's command.
        args: Vec<String>,
        /// Host name, with templates such as `{{.Node.Hostname}}`.
        hostname: String,
        /// `NAME=value`. Another order restarts the tasks.
        env: Vec<String>,
        /// Working directory.
        dir: String,
        /// User, with an optional group.
        user: String,
        /// More groups.
        groups: Vec<String>,
        /// Security options.
        privileges: Privileges,
        /// Whether there is a terminal.
        #[serde(rename = "TTY")]
        tty: bool,
        /// Whether standard input is open.
        open_stdin: bool,
        /// Whether the root file system is read-only.
        read_only: bool,
        /// Mounts.
        mounts: Vec<Mount>,
        /// The signal that stops the container.
        stop_signal: String,
        /// Nanoseconds before it is killed; absent means 10 s, zero at once.
        stop_grace_period: i64,
        /// How its health is checked. Engines write exactly `Healthcheck`.
        healthcheck: Healthcheck,
        /// Lines for `/etc/hosts`: `ADDRESS NAME [ALIAS…]`.
        hosts: Vec<String>,
        /// Name servers.
        #[serde(rename = "DNSConfig")]
        dns_config: DnsConfig,
        /// Secrets.
        secrets: Vec<SecretReference>,
        /// Configs.
        configs: Vec<ConfigReference>,
        /// `default`, and on Windows `process` or `hyperv`.
        isolation: String,
        /// Whether an init process forwards signals.
        init: bool,
        /// Kernel parameters.
        sysctls: Labels,
        /// Capabilities, such as `CAP_NET_ADMIN`.
        capability_add: Vec<String>,
        /// Capabilities that are taken away.
        capability_drop: Vec<String>,
        /// Limits of the kernel.
        ulimits: Vec<Ulimit>,
        /// −1000 to 1000, since API 1.46.
        oom_score_adj: i64,
    }
    /// How health is checked.
    Healthcheck {
        /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", "…"]`; absent or empty inherits the image's.
        test: Vec<String>,
        /// Nanoseconds between checks.
        interval: i64,
        /// Nanoseconds for one check.
        timeout: i64,
        /// Failures in a row that mean unhealthy.
        retries: i64,
        /// Nanoseconds in which failures do not count.
        start_period: i64,
        /// Nanoseconds between checks in the start period, since API 1.44.
        start_interval: i64,
    }
    /// Name servers.
    DnsConfig {
        /// Addresses.
        nameservers: Vec<String>,
        /// Domains that are searched.
        search: Vec<String>,
        /// Options, such as `ndots:3`.
        options: Vec<String>,
    }
    /// A secret that is mounted. ID and name both have to be given, and to match.
    SecretReference {
        /// Where it is mounted.
        file: FileTarget,
        /// Identifier.
        #[serde(rename = "SecretID")]
        secret_id: String,
        /// Name.
        secret_name: String,
    }
    /// A config that is mounted. ID and name both have to be given, and to match.
    ConfigReference {
        /// Where it is mounted.
        file: FileTarget,
        /// That it is used as a credential specification, instead of a file.
        runtime: Value,
        /// Identifier.
        #[serde(rename = "ConfigID")]
        config_id: String,
        /// Name.
        config_name: String,
    }
    /// Where a secret or config is mounted. User, group and mode have to be given: absent means mode 000.
    FileTarget {
        /// The file: below `/run/secrets` for a secret, below `/` for a config, unless it is absolute.
        name: String,
        /// Owner, as a number in text.
        #[serde(rename = "UID")]
        uid: String,
        /// Group, as a number in text.
        #[serde(rename = "GID")]
        gid: String,
        /// Permissions; 0o444 is the `docker` command's default.
        mode: u32,
    }
    /// A limit of the kernel.
    Ulimit {
        /// For example `nofile`.
        name: String,
        /// Where the limit starts to matter.
        soft: i64,
        /// How far it may be raised.
        hard: i64,
    }
    /// Security options.
    Privileges {
        /// For Windows, kept as it is.
        credential_spec: Value,
        /// SELinux labels, kept as they are.
        #[serde(rename = "SELinuxContext")]
        selinux_context: Value,
        /// Seccomp, since API 1.44.
        seccomp: Seccomp,
        /// AppArmor, since API 1.44.
        app_armor: AppArmor,
        /// Whether new privileges are prevented, since API 1.44.
        no_new_privileges: bool,
    }
    /// Seccomp.
    Seccomp {
        /// `default`, `unconfined` or `custom`.
        mode: String,
        /// The custom profile, in base64.
        profile: String,
    }
    /// AppArmor.
    AppArmor {
        /// `default` or `disabled`.
        mode: String,
    }
    /// A mount.
    Mount {
        /// `bind`, `volume`, `tmpfs`, `image`, `npipe` or `cluster`.
        #[serde(rename = "Type")]
        kind: String,
        /// A path, or the name of a volume; absent makes an anonymous volume.
        source: String,
        /// The path in the container.
        target: String,
        /// Whether it is read-only.
        read_only: bool,
        /// `default`, `consistent`, `cached` or `delegated`.
        consistency: String,
        /// For a bind mount.
        bind_options: BindOptions,
        /// For a volume.
        volume_options: VolumeOptions,
        /// For a tmpfs.
        tmpfs_options: TmpfsOptions,
        /// For an image, kept as they are.
        image_options: Value,
        /// For a cluster volume, kept as they are.
        cluster_options: Value,
    }
    /// Options of a bind mount.
    BindOptions {
        /// For example `rprivate`.
        propagation: String,
        /// Whether mounts below are left out.
        non_recursive: bool,
        /// Whether a missing source is made, since API 1.42.
        create_mountpoint: bool,
        /// Whether mounts below stay writable, since API 1.44.
        read_only_non_recursive: bool,
        /// Whether it fails where mounts below cannot be read-only, since API 1.44.
        read_only_force_recursive: bool,
    }
    /// Options of a volume.
    VolumeOptions {
        /// Whether the image's files are not copied into a new volume.
        no_copy: bool,
        /// Labels of a new volume.
        labels: Labels,
        /// The driver of a new volume, made on each node as tasks come there.
        driver_config: Driver,
        /// A folder in the volume, since API 1.45.
        subpath: String,
    }
    /// Options of a tmpfs.
    TmpfsOptions {
        /// Size in bytes.
        size_bytes: i64,
        /// Permissions.
        mode: u32,
        /// Options of the mount, since API 1.46.
        options: Vec<Vec<String>>,
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::ServiceSpec;
    use serde_json::json;

    /// A specification as an Engine answers it, with what a newer one might add on every level.
    #[test]
    fn what_is_read_and_written_back_loses_nothing() {
        let read = json!({
            "Name": "web", "Labels": {}, "New": 1,
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "registry:2", "TTY": true, "Isolation": "default", "New": [2],
                    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 500_000_000, "New": 3},
                    "DNSConfig": {}, "Secrets": [{"File": {"Name": "a", "UID": "0", "GID": "0", "Mode": 292}, "SecretID": "i", "SecretName": "n"}],
                    "Mounts": [{"Type": "volume", "Target": "/v", "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"o": "x"}}}}],
                },
                "Resources": {"Limits": {"NanoCPUs": 1, "Pids": 3}, "Reservations": {"GenericResources": [{"DiscreteResourceSpec": {"Kind": "GPU", "Value": 2}}]}},
                "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]},
                "ForceUpdate": 0, "Runtime": "container",
            },
            "Mode": {"Global": {}},
            "UpdateConfig": {"Parallelism": 1, "MaxFailureRatio": 0.1, "FailureAction": "rollback"},
            "EndpointSpec": {"Mode": "vip", "Ports": [{"Protocol": "tcp", "TargetPort": 443, "PublishMode": "host"}]},
        });
        let spec: ServiceSpec = serde_json::from_value(read.clone()).unwrap();
        assert!(spec.task_template.as_ref().unwrap().container_spec.as_ref().unwrap().healthcheck.is_some());
        assert_eq!(serde_json::to_value(&spec).unwrap(), read);
    }

    /// Every field of ours has the name that the Engine gives it: none may land among the unknown.
    #[test]
    fn no_known_field_is_misspelt() {
        let read = json!({
            "Image": "i", "Labels": {}, "Command": [], "Args": [], "Hostname": "h", "Env": [], "Dir": "d", "User": "u",
            "Groups": [], "Privileges": {"CredentialSpec": {}, "SELinuxContext": {}, "Seccomp": {}, "AppArmor": {}, "NoNewPrivileges": true},
            "TTY": true, "OpenStdin": true, "ReadOnly": true, "Mounts": [], "StopSignal": "s", "StopGracePeriod": 1,
            "Healthcheck": {"Test": [], "Interval": 1, "Timeout": 1, "Retries": 1, "StartPeriod": 1, "StartInterval": 1},
            "Hosts": [], "DNSConfig": {"Nameservers": [], "Search": [], "Options": []}, "Secrets": [], "Configs": [], "Isolation": "default",
            "Init": true, "Sysctls": {}, "CapabilityAdd": [], "CapabilityDrop": [], "Ulimits": [{"Name": "n", "Soft": 1, "Hard": 1}], "OomScoreAdj": 1,
        });
        let spec: super::ContainerSpec = serde_json::from_value(read).unwrap();
        assert!(spec.extra.is_empty(), "{:?}", spec.extra);
        assert!(spec.privileges.unwrap().extra.is_empty());
        assert!(spec.healthcheck.unwrap().extra.is_empty() && spec.dns_config.unwrap().extra.is_empty());
    }
}
