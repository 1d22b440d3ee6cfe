//! Every option of `swarm_service`: set, planned empty, changed in place, planned empty, cleared, planned empty.
//!
//! The samples stand in a table by the path of the attribute. The schema says which paths there are: one without a sample
//! fails, so that no new option is forgotten.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use swarm::{
    docker::ApiVersion,
    resources::{SINCE, Since, SwarmService},
    terraform::{Attribute, Kind, Model},
};

/// Two values of one attribute, and where they are found in the Engine's specification.
pub struct Sample {
    /// The path in the schema.
    pub path: &'static str,
    /// The attribute of the resource, with `VALUE` in the place of the value.
    pub hcl: &'static str,
    /// The two values.
    pub values: [&'static str; 2],
    /// Where in `Spec` they are: a JSON pointer; empty where they are nowhere.
    at: &'static str,
    /// What is there then, as JSON.
    there: [&'static str; 2],
}

const fn sample(
    path: &'static str,
    hcl: &'static str,
    values: [&'static str; 2],
    at: &'static str,
    there: [&'static str; 2],
) -> Sample {
    Sample { path, hcl, values, at, there }
}

const CONTAINER: &str = "/TaskTemplate/ContainerSpec";

/// `CONTAINER` is left out of pointers that begin with `*`.
#[rustfmt::skip]
pub const SAMPLES: &[Sample] = &[
    sample("image", "image = VALUE", [r#""busybox:1""#, r#""busybox:latest""#], "*/Image", [r#""busybox:1""#, r#""busybox:latest""#]),
    sample("replicas", "replicas = VALUE", ["0", "1"], "/Mode/Replicated/Replicas", ["0", "1"]),
    sample("job.max_concurrent", "job = { max_concurrent = VALUE, total_completions = 0 }", ["2", "3"], "/Mode/ReplicatedJob/MaxConcurrent", ["2", "3"]),
    sample("job.total_completions", "job = { total_completions = VALUE }", ["2", "3"], "/Mode/ReplicatedJob/TotalCompletions", ["2", "3"]),
    sample("labels", "labels = VALUE", [r#"{ a = "1" }"#, r#"{ b = "2" }"#], "/Labels", [r#"{"a":"1"}"#, r#"{"b":"2"}"#]),
    sample("container_labels", "container_labels = VALUE", [r#"{ a = "1" }"#, r#"{ b = "2" }"#], "*/Labels", [r#"{"a":"1"}"#, r#"{"b":"2"}"#]),
    sample("command", "command = VALUE", [r#"["sleep"]"#, r#"["sh", "-c"]"#], "*/Command", [r#"["sleep"]"#, r#"["sh","-c"]"#]),
    sample("args", "args = VALUE", [r#"["1"]"#, r#"["2", ""]"#], "*/Args", [r#"["1"]"#, r#"["2",""]"#]),
    sample("env", "env = VALUE", [r#"{ A = "1" }"#, r#"{ A = "x=y", B = "" }"#], "*/Env", [r#"["A=1"]"#, r#"["A=x=y","B="]"#]),
    sample("hostname", "hostname = VALUE", [r#""{{.Node.Hostname}}""#, r#""b""#], "*/Hostname", [r#""{{.Node.Hostname}}""#, r#""b""#]),
    sample("dir", "dir = VALUE", [r#""/a""#, r#""/b""#], "*/Dir", [r#""/a""#, r#""/b""#]),
    sample("user", "user = VALUE", [r#""1""#, r#""2:3""#], "*/User", [r#""1""#, r#""2:3""#]),
    sample("groups", "groups = VALUE", [r#"["1"]"#, r#"["2", "audio"]"#], "*/Groups", [r#"["1"]"#, r#"["2","audio"]"#]),
    sample("tty", "tty = VALUE", ["true", "false"], "*/TTY", ["true", "null"]),
    sample("stdin", "stdin = VALUE", ["true", "false"], "*/OpenStdin", ["true", "null"]),
    sample("read_only", "read_only = VALUE", ["true", "false"], "*/ReadOnly", ["true", "null"]),
    sample("init", "init = VALUE", ["true", "false"], "*/Init", ["true", "false"]),
    sample("isolation", "isolation = VALUE", [r#""process""#, r#""hyperv""#], "*/Isolation", [r#""process""#, r#""hyperv""#]),
    sample("hosts", "hosts = VALUE", [r#"{ a = ["10.0.0.1"] }"#, r#"{ a = ["10.0.0.1", "10.0.0.2"] }"#], "*/Hosts", [r#"["10.0.0.1 a"]"#, r#"["10.0.0.1 a","10.0.0.2 a"]"#]),
    sample("dns.nameservers", "dns = { nameservers = VALUE }", [r#"["1.1.1.1"]"#, r#"["9.9.9.9", "1.1.1.1"]"#], "*/DNSConfig/Nameservers", [r#"["1.1.1.1"]"#, r#"["9.9.9.9","1.1.1.1"]"#]),
    sample("dns.search", "dns = { search = VALUE }", [r#"["a.b"]"#, r#"["c.d"]"#], "*/DNSConfig/Search", [r#"["a.b"]"#, r#"["c.d"]"#]),
    sample("dns.options", "dns = { options = VALUE }", [r#"["ndots:2"]"#, r#"["ndots:3"]"#], "*/DNSConfig/Options", [r#"["ndots:2"]"#, r#"["ndots:3"]"#]),
    sample("stop_signal", "stop_signal = VALUE", [r#""SIGINT""#, r#""SIGQUIT""#], "*/StopSignal", [r#""SIGINT""#, r#""SIGQUIT""#]),
    sample("stop_grace_period", "stop_grace_period = VALUE", [r#""3s""#, r#""0s""#], "*/StopGracePeriod", ["3000000000", "0"]),
    sample("healthcheck.command", "healthcheck = { command = VALUE }", [r#"["NONE"]"#, r#"["CMD", "true"]"#], "*/Healthcheck/Test", [r#"["NONE"]"#, r#"["CMD","true"]"#]),
    sample("healthcheck.interval", "healthcheck = { interval = VALUE }", [r#""1s""#, r#""2s""#], "*/Healthcheck/Interval", ["1000000000", "2000000000"]),
    sample("healthcheck.timeout", "healthcheck = { timeout = VALUE }", [r#""1s""#, r#""2s""#], "*/Healthcheck/Timeout", ["1000000000", "2000000000"]),
    sample("healthcheck.retries", "healthcheck = { retries = VALUE }", ["1", "2"], "*/Healthcheck/Retries", ["1", "2"]),
    sample("healthcheck.start_period", "healthcheck = { start_period = VALUE }", [r#""1s""#, r#""2s""#], "*/Healthcheck/StartPeriod", ["1000000000", "2000000000"]),
    sample("healthcheck.start_interval", "healthcheck = { start_interval = VALUE }", [r#""1s""#, r#""2s""#], "*/Healthcheck/StartInterval", ["1000000000", "2000000000"]),
    sample("sysctls", "sysctls = VALUE", [r#"{ "net.core.somaxconn" = "100" }"#, r#"{ "net.core.somaxconn" = "200" }"#], "*/Sysctls", [r#"{"net.core.somaxconn":"100"}"#, r#"{"net.core.somaxconn":"200"}"#]),
    sample("cap_add", "cap_add = VALUE", [r#"["net_admin"]"#, r#"["CAP_NET_ADMIN", "SYS_TIME"]"#], "*/CapabilityAdd", [r#"["CAP_NET_ADMIN"]"#, r#"["CAP_NET_ADMIN","CAP_SYS_TIME"]"#]),
    sample("cap_drop", "cap_drop = VALUE", [r#"["ALL"]"#, r#"["MKNOD"]"#], "*/CapabilityDrop", [r#"["ALL"]"#, r#"["CAP_MKNOD"]"#]),
    sample("ulimits.soft", "ulimits = { nofile = { soft = VALUE, hard = 9 } }", ["1", "2"], "*/Ulimits/0/Soft", ["1", "2"]),
    sample("ulimits.hard", "ulimits = { nproc = { soft = 1, hard = VALUE } }", ["-1", "2"], "*/Ulimits/0/Hard", ["-1", "2"]),
    sample("privileges.credential_spec.config", "privileges = { credential_spec = { config = VALUE } }", [r#""CONFIG-a""#, r#""CONFIG-b""#], "*/Configs/0/ConfigName", [r#""CONFIG-a""#, r#""CONFIG-b""#]),
    sample("privileges.credential_spec.file", "privileges = { credential_spec = { file = VALUE } }", [r#""a.json""#, r#""b.json""#], "*/Privileges/CredentialSpec/File", [r#""a.json""#, r#""b.json""#]),
    sample("privileges.credential_spec.registry", "privileges = { credential_spec = { registry = VALUE } }", [r#""a""#, r#""b""#], "*/Privileges/CredentialSpec/Registry", [r#""a""#, r#""b""#]),
    sample("privileges.selinux.disable", "privileges = { selinux = { disable = VALUE } }", ["true", "false"], "*/Privileges/SELinuxContext/Disable", ["true", "false"]),
    sample("privileges.selinux.user", "privileges = { selinux = { user = VALUE } }", [r#""a""#, r#""b""#], "*/Privileges/SELinuxContext/User", [r#""a""#, r#""b""#]),
    sample("privileges.selinux.role", "privileges = { selinux = { role = VALUE } }", [r#""a""#, r#""b""#], "*/Privileges/SELinuxContext/Role", [r#""a""#, r#""b""#]),
    sample("privileges.selinux.type", "privileges = { selinux = { type = VALUE } }", [r#""a""#, r#""b""#], "*/Privileges/SELinuxContext/Type", [r#""a""#, r#""b""#]),
    sample("privileges.selinux.level", "privileges = { selinux = { level = VALUE } }", [r#""a""#, r#""b""#], "*/Privileges/SELinuxContext/Level", [r#""a""#, r#""b""#]),
    sample("privileges.seccomp.mode", "privileges = { seccomp = { mode = VALUE } }", [r#""unconfined""#, r#""default""#], "*/Privileges/Seccomp/Mode", [r#""unconfined""#, r#""default""#]),
    sample("privileges.seccomp.profile", r#"privileges = { seccomp = { mode = "custom", profile = VALUE } }"#, [r#""{}""#, r#""{ }""#], "*/Privileges/Seccomp/Profile", [r#""e30=""#, r#""eyB9""#]),
    sample("privileges.apparmor", "privileges = { apparmor = VALUE }", [r#""disabled""#, r#""default""#], "*/Privileges/AppArmor/Mode", [r#""disabled""#, r#""default""#]),
    sample("privileges.no_new_privileges", "privileges = { no_new_privileges = VALUE }", ["true", "false"], "*/Privileges/NoNewPrivileges", ["true", "null"]),
    sample("oom_score_adj", "oom_score_adj = VALUE", ["100", "-100"], "*/OomScoreAdj", ["100", "-100"]),
    sample("secrets.source", "secrets = [{ source = VALUE }]", [r#""SECRET-a""#, r#""SECRET-b""#], "*/Secrets/0/SecretName", [r#""SECRET-a""#, r#""SECRET-b""#]),
    sample("secrets.target", r#"secrets = [{ source = "SECRET-a", target = VALUE }]"#, [r#""a""#, r#""/b""#], "*/Secrets/0/File/Name", [r#""a""#, r#""/b""#]),
    sample("secrets.uid", r#"secrets = [{ source = "SECRET-a", uid = VALUE }]"#, [r#""1""#, r#""2""#], "*/Secrets/0/File/UID", [r#""1""#, r#""2""#]),
    sample("secrets.gid", r#"secrets = [{ source = "SECRET-a", gid = VALUE }]"#, [r#""1""#, r#""2""#], "*/Secrets/0/File/GID", [r#""1""#, r#""2""#]),
    sample("secrets.mode", r#"secrets = [{ source = "SECRET-a", mode = VALUE }]"#, [r#""0400""#, r#""0440""#], "*/Secrets/0/File/Mode", ["256", "288"]),
    sample("configs.source", "configs = [{ source = VALUE }]", [r#""CONFIG-a""#, r#""CONFIG-b""#], "*/Configs/0/ConfigName", [r#""CONFIG-a""#, r#""CONFIG-b""#]),
    sample("configs.target", r#"configs = [{ source = "CONFIG-a", target = VALUE }]"#, [r#""/a""#, r#""/b""#], "*/Configs/0/File/Name", [r#""/a""#, r#""/b""#]),
    sample("configs.uid", r#"configs = [{ source = "CONFIG-a", uid = VALUE }]"#, [r#""1""#, r#""2""#], "*/Configs/0/File/UID", [r#""1""#, r#""2""#]),
    sample("configs.gid", r#"configs = [{ source = "CONFIG-a", gid = VALUE }]"#, [r#""1""#, r#""2""#], "*/Configs/0/File/GID", [r#""1""#, r#""2""#]),
    sample("configs.mode", r#"configs = [{ source = "CONFIG-a", mode = VALUE }]"#, [r#""0400""#, r#""0440""#], "*/Configs/0/File/Mode", ["256", "288"]),
    sample("mounts.type", r#"mounts = [{ type = VALUE, source = "/tmp", target = "/a" }]"#, [r#""bind""#, r#""npipe""#], "*/Mounts/0/Type", [r#""bind""#, r#""npipe""#]),
    sample("mounts.source", r#"mounts = [{ source = VALUE, target = "/a" }]"#, [r#""a""#, r#""b""#], "*/Mounts/0/Source", [r#""a""#, r#""b""#]),
    sample("mounts.target", "mounts = [{ target = VALUE }]", [r#""/a""#, r#""/b""#], "*/Mounts/0/Target", [r#""/a""#, r#""/b""#]),
    sample("mounts.read_only", r#"mounts = [{ target = "/a", read_only = VALUE }]"#, ["true", "false"], "*/Mounts/0/ReadOnly", ["true", "null"]),
    sample("mounts.volume.no_copy", r#"mounts = [{ target = "/a", volume = { labels = { x = "1" }, no_copy = VALUE } }]"#, ["true", "false"], "*/Mounts/0/VolumeOptions/NoCopy", ["true", "null"]),
    sample("mounts.volume.subpath", r#"mounts = [{ source = "v", target = "/a", volume = { labels = { x = "1" }, subpath = VALUE } }]"#, [r#""a""#, r#""b""#], "*/Mounts/0/VolumeOptions/Subpath", [r#""a""#, r#""b""#]),
    sample("mounts.volume.labels", r#"mounts = [{ target = "/a", volume = { driver = "local", labels = VALUE } }]"#, [r#"{ a = "1" }"#, r#"{ b = "2" }"#], "*/Mounts/0/VolumeOptions/Labels", [r#"{"a":"1"}"#, r#"{"b":"2"}"#]),
    sample("mounts.volume.driver", r#"mounts = [{ target = "/a", volume = { labels = { x = "1" }, driver = VALUE } }]"#, [r#""local""#, r#""nfs""#], "*/Mounts/0/VolumeOptions/DriverConfig/Name", [r#""local""#, r#""nfs""#]),
    sample("mounts.volume.driver_options", r#"mounts = [{ target = "/a", volume = { labels = { x = "1" }, driver_options = VALUE } }]"#, [r#"{ o = "a" }"#, r#"{ o = "b" }"#], "*/Mounts/0/VolumeOptions/DriverConfig/Options", [r#"{"o":"a"}"#, r#"{"o":"b"}"#]),
    sample("mounts.bind_propagation", r#"mounts = [{ type = "bind", source = "/tmp", target = "/a", bind_propagation = VALUE }]"#, [r#""rslave""#, r#""shared""#], "*/Mounts/0/BindOptions/Propagation", [r#""rslave""#, r#""shared""#]),
    sample("mounts.bind_non_recursive", r#"mounts = [{ type = "bind", source = "/tmp", target = "/a", bind_non_recursive = VALUE }]"#, ["true", "false"], "*/Mounts/0/BindOptions/NonRecursive", ["true", "null"]),
    sample("mounts.tmpfs_size", r#"mounts = [{ type = "tmpfs", target = "/a", tmpfs_size = VALUE }]"#, [r#""1MiB""#, r#""2m""#], "*/Mounts/0/TmpfsOptions/SizeBytes", ["1048576", "2097152"]),
    sample("mounts.tmpfs_mode", r#"mounts = [{ type = "tmpfs", target = "/a", tmpfs_mode = VALUE }]"#, [r#""1777""#, r#""0700""#], "*/Mounts/0/TmpfsOptions/Mode", ["1023", "448"]),
    sample("mounts.tmpfs_options", r#"mounts = [{ type = "tmpfs", target = "/a", tmpfs_options = VALUE }]"#, [r#"["noexec"]"#, r#"["noexec", "uid=1"]"#], "*/Mounts/0/TmpfsOptions/Options", [r#"[["noexec"]]"#, r#"[["noexec"],["uid","1"]]"#]),
    sample("networks.network", "networks = [{ network = VALUE }]", [r#""NETWORK-a""#, r#""NETWORK-b""#], "", ["", ""]),
    sample("networks.aliases", r#"networks = [{ network = "NETWORK-a", aliases = VALUE }]"#, [r#"["a"]"#, r#"["b", "c"]"#], "/TaskTemplate/Networks/0/Aliases", [r#"["a"]"#, r#"["b","c"]"#]),
    sample("networks.driver_options", r#"networks = [{ network = "NETWORK-a", driver_options = VALUE }]"#, [r#"{ a = "1" }"#, r#"{ b = "2" }"#], "/TaskTemplate/Networks/0/DriverOpts", [r#"{"a":"1"}"#, r#"{"b":"2"}"#]),
    sample("publish.port", "publish = [{ port = VALUE, target = 1 }]", ["29001", "29002"], "/EndpointSpec/Ports/0/PublishedPort", ["29001", "29002"]),
    sample("publish.target", "publish = [{ port = 29003, target = VALUE }]", ["1", "2"], "/EndpointSpec/Ports/0/TargetPort", ["1", "2"]),
    sample("publish.protocol", "publish = [{ port = 29004, protocol = VALUE }]", [r#""udp""#, r#""sctp""#], "/EndpointSpec/Ports/0/Protocol", [r#""udp""#, r#""sctp""#]),
    sample("publish.mode", "publish = [{ port = 29005, mode = VALUE }]", [r#""host""#, r#""ingress""#], "/EndpointSpec/Ports/0/PublishMode", [r#""host""#, r#""ingress""#]),
    sample("endpoint_mode", "endpoint_mode = VALUE", [r#""dnsrr""#, r#""vip""#], "/EndpointSpec/Mode", [r#""dnsrr""#, r#""vip""#]),
    sample("placement.constraints", "placement = { constraints = VALUE }", [r#"["node.role==manager"]"#, r#"["node.role!=worker", "node.labels.a==b"]"#], "/TaskTemplate/Placement/Constraints", [r#"["node.role==manager"]"#, r#"["node.labels.a==b","node.role!=worker"]"#]),
    sample("placement.spread", "placement = { spread = VALUE }", [r#"["node.labels.a"]"#, r#"["node.labels.b", "node.labels.a"]"#], "/TaskTemplate/Placement/Preferences/0/Spread/SpreadDescriptor", [r#""node.labels.a""#, r#""node.labels.b""#]),
    sample("placement.max_replicas_per_node", "placement = { max_replicas_per_node = VALUE }", ["1", "2"], "/TaskTemplate/Placement/MaxReplicas", ["1", "2"]),
    sample("placement.platforms.os", "placement = { platforms = [{ os = VALUE }] }", [r#""linux""#, r#""windows""#], "/TaskTemplate/Placement/Platforms/0/OS", [r#""linux""#, r#""windows""#]),
    sample("placement.platforms.architecture", r#"placement = { platforms = [{ os = "linux", architecture = VALUE }] }"#, [r#""amd64""#, r#""arm64""#], "/TaskTemplate/Placement/Platforms/0/Architecture", [r#""amd64""#, r#""arm64""#]),
    sample("resources.limits.cpus", "resources = { limits = { cpus = VALUE } }", ["0.5", "1"], "/TaskTemplate/Resources/Limits/NanoCPUs", ["500000000", "1000000000"]),
    sample("resources.limits.memory", "resources = { limits = { memory = VALUE } }", [r#""8MiB""#, r#""16MiB""#], "/TaskTemplate/Resources/Limits/MemoryBytes", ["8388608", "16777216"]),
    sample("resources.limits.pids", "resources = { limits = { pids = VALUE } }", ["10", "20"], "/TaskTemplate/Resources/Limits/Pids", ["10", "20"]),
    sample("resources.reservations.cpus", "resources = { reservations = { cpus = VALUE } }", ["0.1", "0.2"], "/TaskTemplate/Resources/Reservations/NanoCPUs", ["100000000", "200000000"]),
    sample("resources.reservations.memory", "resources = { reservations = { memory = VALUE } }", [r#""8MiB""#, r#""16MiB""#], "/TaskTemplate/Resources/Reservations/MemoryBytes", ["8388608", "16777216"]),
    sample("resources.reservations.generic_resources.discrete", "resources = { reservations = { generic_resources = { discrete = VALUE } } }", ["{ SSD = 1 }", "{ SSD = 2 }"], "/TaskTemplate/Resources/Reservations/GenericResources/0/DiscreteResourceSpec/Value", ["1", "2"]),
    sample("resources.reservations.generic_resources.named", "resources = { reservations = { generic_resources = { named = VALUE } } }", [r#"{ GPU = ["a"] }"#, r#"{ GPU = ["b"] }"#], "/TaskTemplate/Resources/Reservations/GenericResources/0/NamedResourceSpec/Value", [r#""a""#, r#""b""#]),
    sample("resources.memory_swap", r#"resources = { limits = { memory = "8MiB" }, memory_swap = VALUE }"#, [r#""8MiB""#, r#""unlimited""#], "/TaskTemplate/Resources/SwapBytes", ["8388608", "-1"]),
    sample("resources.memory_swappiness", "resources = { memory_swappiness = VALUE }", ["0", "50"], "/TaskTemplate/Resources/MemorySwappiness", ["0", "50"]),
    sample("restart.condition", "restart = { condition = VALUE }", [r#""none""#, r#""on-failure""#], "/TaskTemplate/RestartPolicy/Condition", [r#""none""#, r#""on-failure""#]),
    sample("restart.delay", "restart = { delay = VALUE }", [r#""1s""#, r#""0s""#], "/TaskTemplate/RestartPolicy/Delay", ["1000000000", "0"]),
    sample("restart.max_attempts", "restart = { max_attempts = VALUE }", ["1", "2"], "/TaskTemplate/RestartPolicy/MaxAttempts", ["1", "2"]),
    sample("restart.window", "restart = { window = VALUE }", [r#""1s""#, r#""1m""#], "/TaskTemplate/RestartPolicy/Window", ["1000000000", "60000000000"]),
    sample("update.order", "update = { order = VALUE }", [r#""start-first""#, r#""stop-first""#], "/UpdateConfig/Order", [r#""start-first""#, r#""stop-first""#]),
    sample("update.parallelism", "update = { parallelism = VALUE }", ["0", "2"], "/UpdateConfig/Parallelism", ["0", "2"]),
    sample("update.delay", "update = { delay = VALUE }", [r#""1s""#, r#""2s""#], "/UpdateConfig/Delay", ["1000000000", "2000000000"]),
    sample("update.monitor", "update = { monitor = VALUE }", [r#""1s""#, r#""1ms""#], "/UpdateConfig/Monitor", ["1000000000", "1000000"]),
    sample("update.failure_action", "update = { failure_action = VALUE }", [r#""rollback""#, r#""continue""#], "/UpdateConfig/FailureAction", [r#""rollback""#, r#""continue""#]),
    sample("update.max_failure_ratio", "update = { max_failure_ratio = VALUE }", ["0.1", "0.25"], "/UpdateConfig/MaxFailureRatio", ["0.1", "0.25"]),
    sample("rollback.order", "rollback = { order = VALUE }", [r#""start-first""#, r#""stop-first""#], "/RollbackConfig/Order", [r#""start-first""#, r#""stop-first""#]),
    sample("rollback.parallelism", "rollback = { parallelism = VALUE }", ["0", "2"], "/RollbackConfig/Parallelism", ["0", "2"]),
    sample("rollback.delay", "rollback = { delay = VALUE }", [r#""1s""#, r#""2s""#], "/RollbackConfig/Delay", ["1000000000", "2000000000"]),
    sample("rollback.monitor", "rollback = { monitor = VALUE }", [r#""1s""#, r#""1ms""#], "/RollbackConfig/Monitor", ["1000000000", "1000000"]),
    sample("rollback.failure_action", "rollback = { failure_action = VALUE }", [r#""continue""#, r#""pause""#], "/RollbackConfig/FailureAction", [r#""continue""#, r#""pause""#]),
    sample("rollback.max_failure_ratio", "rollback = { max_failure_ratio = VALUE }", ["0.1", "0.25"], "/RollbackConfig/MaxFailureRatio", ["0.1", "0.25"]),
    sample("logging.driver", "logging = { driver = VALUE }", [r#""json-file""#, r#""local""#], "/TaskTemplate/LogDriver/Name", [r#""json-file""#, r#""local""#]),
    sample("logging.options", r#"logging = { driver = "local", options = VALUE }"#, [r#"{ max-size = "1m" }"#, r#"{ max-size = "2m" }"#], "/TaskTemplate/LogDriver/Options", [r#"{"max-size":"1m"}"#, r#"{"max-size":"2m"}"#]),
    sample("force_update", "force_update = VALUE", [r#""a""#, r#""b""#], "", ["", ""]),
    sample("registry_auth.username", r#"registry_auth = { username = VALUE, password = "p" }"#, [r#""a""#, r#""b""#], "", ["", ""]),
    sample("registry_auth.password", r#"registry_auth = { username = "u", password = VALUE }"#, [r#""a""#, r#""b""#], "", ["", ""]),
    sample("registry_auth.password_wo_version", r#"registry_auth = { username = "u", password_wo = "p", password_wo_version = VALUE }"#, ["2", "3"], "", ["", ""]),
    sample("registry_auth.server", r#"registry_auth = { username = "u", password = "p", server = VALUE }"#, [r#""a""#, r#""b""#], "", ["", ""]),
    sample("wait_for.replicas", "wait_for = { replicas = VALUE }", ["false", "true"], "", ["", ""]),
    sample("timeouts.create", "timeouts = { create = VALUE }", [r#""1m""#, r#""2m""#], "", ["", ""]),
    sample("timeouts.update", "timeouts = { update = VALUE }", [r#""1m""#, r#""2m""#], "", ["", ""]),
    sample("timeouts.delete", "timeouts = { delete = VALUE }", [r#""1m""#, r#""2m""#], "", ["", ""]),
];

/// What replaces the service, which has tests of its own; and what is in no plan.
const OTHERS: [&str; 3] = ["name", "mode", "registry_auth.password_wo"];

/// All paths that a configuration can set, with whether the attribute and all above it can be left out.
fn settable() -> BTreeMap<String, bool> {
    fn walk(members: &[(&'static str, Attribute)], above: &str, found: &mut BTreeMap<String, bool>) {
        for (name, attribute) in members.iter().filter(|(_, own)| own.required || own.optional) {
            let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
            match &attribute.kind {
                Kind::Nested(_, members) => walk(members, &path, found),
                Kind::Plain(_) => drop(found.insert(path, attribute.optional)),
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&SwarmService::attributes(), "", &mut found);
    found
}

#[test]
fn every_path_of_the_schema_has_a_sample() {
    let settable: BTreeSet<String> = settable().into_keys().collect();
    let sampled: BTreeSet<String> =
        SAMPLES.iter().map(|sample| sample.path).chain(OTHERS).map(str::to_owned).collect();
    let missing: Vec<_> = settable.difference(&sampled).collect();
    assert!(missing.is_empty(), "add a sample of each of these to the table: {missing:?}");
    let unknown: Vec<_> = sampled.difference(&settable).collect();
    assert!(unknown.is_empty(), "the schema does not have these any more: {unknown:?}");
}

/// The entry of the provider's table that is about the attribute, or about an object that it is in.
pub fn needs(sample: &Sample) -> Option<&'static Since> {
    let is_about = |since: &&Since| {
        let rest = sample.path.strip_prefix(since.path);
        since.word.is_none() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    SINCE.iter().find(is_about)
}

/// Whether the second value is what is meant without one.
pub fn goes_back_to_the_default(sample: &Sample) -> bool {
    let own = sample.hcl.split(' ').next().unwrap_or_default();
    matches!(sample.values[1], "false" | r#""vip""#)
        && !["init", "privileges", "mounts", "replicas"].contains(&own)
        || matches!(
            sample.path,
            "update.order" | "rollback.order" | "rollback.failure_action" | "wait_for.replicas"
        )
}

fn name(prefix: &str, sample: &Sample) -> String {
    // A name has a limit: the end of a path tells more than its beginning.
    let path = sample.path.replace(['.', '_'], "-");
    format!("{prefix}-{}", &path[path.len().saturating_sub(40)..].trim_start_matches('-'))
}

/// Names of objects that are there, in what the table says.
pub fn named(prefix: &str, text: &str) -> String {
    ["SECRET", "CONFIG", "NETWORK"]
        .iter()
        .fold(text.to_owned(), |text, kind| text.replace(kind, &format!("{prefix}-{kind}")))
}

/// Makes the secrets, configs and networks that samples name.
pub fn make_what_samples_name(testbed: &Testbed, prefix: &str) {
    for letter in ["a", "b"] {
        let name = |kind: &str| format!("{prefix}-{kind}-{letter}");
        testbed.docker(&["secret", "create", &name("SECRET"), "/etc/hostname"]);
        testbed.docker(&["config", "create", &name("CONFIG"), "/etc/hostname"]);
        testbed.docker(&["network", "create", "--driver", "overlay", &name("NETWORK")]);
    }
}

/// Removes them again. A test that fails may leave services behind that use them; the testbed goes down with them.
pub fn remove_what_samples_name(testbed: &Testbed, prefix: &str) {
    for letter in ["a", "b"] {
        for kind in ["secret", "config", "network"] {
            testbed.try_docker(&[kind, "rm", &format!("{prefix}-{}-{letter}", kind.to_uppercase())]);
        }
    }
}

/// The arguments of a service whose attribute has its value, or not.
pub fn arguments(prefix: &str, sample: &Sample, stage: Stage) -> String {
    let mut arguments = BTreeMap::from([
        ("name", format!("name = \"{}\"", name(prefix, sample))),
        ("image", "image = \"busybox:1\"".to_owned()),
        ("replicas", "replicas = 0".to_owned()),
        ("command", "command = [\"sleep\", \"600\"]".to_owned()),
    ]);
    if sample.path.starts_with("job.") {
        arguments.insert("replicas", "mode = \"replicated-job\"".to_owned());
        arguments.insert("wait_for", "wait_for = { replicas = false }".to_owned());
    }
    let own = sample.hcl.split(' ').next().unwrap_or_default();
    match stage {
        Stage::Value(index) => {
            drop(arguments.insert(own, named(prefix, &sample.hcl.replace("VALUE", sample.values[index]))))
        }
        Stage::Cleared if own == "image" => {}
        Stage::Cleared => drop(arguments.remove(own)),
    }
    let lines: Vec<String> = arguments.into_values().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// The matrix on one Engine.
struct Matrix<'a> {
    testbed: &'a Testbed,
    prefix: String,
    spoken: ApiVersion,
}

/// Which value the attributes have.
#[derive(Clone, Copy, PartialEq)]
pub enum Stage {
    Value(usize),
    Cleared,
}

impl<'a> Matrix<'a> {
    fn new(testbed: &'a Testbed) -> Self {
        let newest = testbed.docker(&["version", "--format", "{{.Server.APIVersion}}"]);
        let spoken = newest.parse::<ApiVersion>().unwrap().min(ApiVersion::NEWEST);
        let matrix = Matrix { testbed, prefix: unique("matrix"), spoken };
        make_what_samples_name(testbed, &matrix.prefix);
        matrix
    }

    fn is_too_old_for(&self, sample: &Sample) -> bool {
        needs(sample).is_some_and(|since| since.version > self.spoken)
    }

    fn name(&self, sample: &Sample) -> String {
        name(&self.prefix, sample)
    }

    fn named(&self, text: &str) -> String {
        named(&self.prefix, text)
    }

    /// A service whose attribute has its value, or not.
    fn hcl(&self, sample: &Sample, stage: Stage) -> String {
        let resource = sample.path.replace('.', "__");
        let arguments = arguments(&self.prefix, sample, stage);
        format!("resource \"swarm_service\" \"{resource}\" {{\n{arguments}\n}}\n")
    }

    fn config(&self, samples: &[&Sample], stage: Stage) -> String {
        samples.iter().map(|sample| self.hcl(sample, stage)).collect()
    }

    /// What the Engine has of an attribute.
    fn there(&self, sample: &Sample) -> Value {
        let spec =
            self.testbed.docker(&["service", "inspect", &self.name(sample), "--format", "{{json .Spec}}"]);
        let spec: Value = serde_json::from_str(&spec).unwrap();
        let at = sample.at.replace('*', CONTAINER);
        let mut there = spec.pointer(&at).cloned().unwrap_or_default();
        if let Some(list) = there.as_array_mut()
            && sample.path == "placement.constraints"
        {
            list.sort_by_key(|item| item.to_string());
        }
        there
    }

    fn runs(&self) {
        let (newer, samples): (Vec<_>, Vec<_>) =
            SAMPLES.iter().partition(|sample| self.is_too_old_for(sample));
        self.refuses(&newer);
        let workspace = Workspace::new(self.testbed, &self.config(&samples, Stage::Value(0)));
        workspace.apply_and_settle();
        self.has(&samples, 0);
        workspace.write(&self.config(&samples, Stage::Value(1)));
        self.changes_each(&workspace, &samples, Stage::Value(1));
        workspace.apply_and_settle();
        self.has(&samples, 1);
        workspace.write(&self.config(&samples, Stage::Cleared));
        self.changes_each(&workspace, &samples, Stage::Cleared);
        workspace.apply_and_settle();
        self.has_none(&samples);
    }

    /// The plan updates each service, in place, because of its attribute and nothing else.
    fn changes_each(&self, workspace: &Workspace, samples: &[&Sample], stage: Stage) {
        let plan = workspace.plan();
        let found: BTreeMap<String, String> = plan.changes().into_iter().collect();
        for sample in samples {
            let address = format!("swarm_service.{}", sample.path.replace('.', "__"));
            let own = sample.hcl.split(' ').next().unwrap_or_default();
            if stage == Stage::Cleared && goes_back_to_the_default(sample) {
                assert_eq!(found.get(&address), None, "{}", sample.path);
                continue;
            }
            assert_eq!(
                found.get(&address).map(String::as_str),
                Some("update"),
                "{}: {}",
                sample.path,
                plan.text
            );
            assert_eq!(plan.differing(&address), [own], "{}", sample.path);
        }
    }

    fn has(&self, samples: &[&Sample], index: usize) {
        for sample in samples.iter().filter(|sample| !sample.at.is_empty()) {
            let wanted: Value = serde_json::from_str(&self.named(sample.there[index])).unwrap();
            let mut found = self.there(sample);
            // Some Engines say no, where others say nothing.
            if found == Value::Bool(false) && wanted.is_null() {
                found = Value::Null;
            }
            assert_eq!(found, wanted, "{}", sample.path);
        }
    }

    /// Neither value is there any more, but for those that are left to others, or are what is meant without one.
    fn has_none(&self, samples: &[&Sample]) {
        for sample in samples
            .iter()
            .filter(|sample| !sample.at.is_empty() && !matches!(sample.path, "image" | "replicas"))
        {
            let found = self.there(sample);
            let first: Value = serde_json::from_str(&self.named(sample.there[0])).unwrap();
            assert_ne!(found, first, "{}", sample.path);
            let is_default =
                matches!(sample.there[1], "null" | "false" | r#""vip""# | r#""stop-first""# | r#""pause""#);
            let second: Value = serde_json::from_str(&self.named(sample.there[1])).unwrap();
            assert!(is_default || found != second, "{}: {found}", sample.path);
        }
    }

    /// What the Engine is too old for is refused at plan, each at its place, with the least version that has it.
    fn refuses(&self, newer: &[&Sample]) {
        if newer.is_empty() {
            return;
        }
        let said = Workspace::new(self.testbed, &self.config(newer, Stage::Value(0))).plan_fails();
        for sample in newer {
            let Since { path, version, .. } = needs(sample).unwrap();
            let leaf = path.split('.').next_back().unwrap();
            let tells = |part: &str| {
                part.contains(&sample.path.replace('.', "__"))
                    && part.contains(leaf)
                    && part.contains(&version.to_string())
            };
            assert!(said.split("Error:").any(tells), "{} needs {version}: {said}", sample.path);
        }
    }
}

impl Drop for Matrix<'_> {
    fn drop(&mut self) {
        remove_what_samples_name(self.testbed, &self.prefix);
    }
}

#[test]
fn every_option_on_engine_20_10() {
    Matrix::new(Testbed::shared()).runs();
}

#[test]
fn every_option_on_engine_28_5() {
    let testbed = Testbed::start(&["--engine", "28.5"], &["hubmgr"]);
    Matrix::new(&testbed).runs();
}
