//! What would lose images, stand open or never start, as far as the configuration alone tells.
//!
//! The rules are the registry layer's; here the configuration is put before them, of which parts may be unknown.

use super::settings::{Role, Settings, dialects, is_rendered, spellings};
use crate::{
    registry::{
        Finding, Secret, Severity,
        certificate::{self, Material, PrivateKey},
        checks::{self, Access, FailureAction, Port, PublishMode, Replicas, StorageUse, Updates},
        configuration::DEBUG_PORT,
        derive, htpasswd,
    },
    resources::{
        failure::sentence,
        service::{self, list},
    },
    terraform::{Config, Diagnostic, Diagnostics, Duration, Number, Plan, Value},
};
use std::{collections::BTreeMap, time::SystemTime};

/// What a configuration says by itself.
pub(super) fn offline(config: &Config) -> Diagnostics {
    let mut found = exclusions(config);
    found.extend(service::offline(config));
    if is_rendered(config) {
        let findings =
            [storage(config), updates(config), ports(config), access(config), tls(config), htpasswd(config)];
        found.extend(findings.iter().flatten().map(diagnostic));
        found.extend(exactly_one(config));
        found.extend(spellings::check(config));
    } else {
        found.extend(no_storage(config));
    }
    found.extend(targets(config));
    found
}

/// What the rendered file and the environment beside it say together.
pub(super) fn rendered(plan: &Plan) -> Diagnostics {
    let Some(settings) = Settings::planned(plan) else { return vec![] };
    let Ok(configuration) = settings.configuration(Secret::from("x")) else { return vec![] };
    let mut findings = configuration.inspect(settings.dialect());
    findings.extend(dialects::findings(&plan.config, settings.dialect()));
    let env: BTreeMap<String, String> = plan.known("env").unwrap_or_default();
    findings.extend(checks::environment(env.keys().map(String::as_str), &configuration.rendered_paths()));
    findings.iter().map(diagnostic).collect()
}

fn exclusions(config: &Config) -> Diagnostics {
    let mut found = vec![];
    if !is_rendered(config) {
        for name in Settings::of_the_file().filter(|name| config.is_set(name)) {
            let detail = format!(
                "Without `storage` the provider writes no configuration file, and `{name}` would have no effect. Set \
                 `storage`, or configure the registry by `env`."
            );
            found.push(Diagnostic::error(format!("`{name}` needs `storage`"), detail).at(name));
        }
    } else if config.is_set("args") {
        let detail = "With `storage` the arguments are those that serve the rendered configuration.";
        found.push(Diagnostic::error("`args` excludes `storage`", detail).at("args"));
    }
    if config.known::<String>("mode").as_deref() == Some("global") {
        for path in ["replicas", "placement.max_replicas_per_node"] {
            if config.is_set(path) && config.known::<i64>(path) != Some(0) {
                let detail = "A global service has one task on each node that `placement` allows.";
                found.push(
                    Diagnostic::error(format!("`{path}` excludes a global service (P12)"), detail).at(path),
                );
            }
        }
    }
    found
}

/// S3, where the image's own configuration is in charge.
fn no_storage(config: &Config) -> Option<Diagnostic> {
    let mounts = config.get("mounts");
    if mounts.is_unknown() {
        return None;
    }
    let holds_images = |mount: &Value| {
        mount.get("target").as_str().is_none_or(|target| "/var/lib/registry".starts_with(target))
    };
    if list(mounts).iter().any(holds_images) {
        return None;
    }
    let detail = "Docker gives each task an anonymous volume there and deletes it with the task: the next update or restart \
                  of the service loses all images. Set `storage`, or mount a volume.";
    Some(Diagnostic::warning("Nothing is mounted on /var/lib/registry (S3)", detail).at("storage"))
}

fn storage(config: &Config) -> Vec<Finding> {
    if !config.is_known("storage") {
        return vec![];
    }
    let text = |path: &str| config.known::<String>(path);
    let (volume, bind) = (text("storage.filesystem.volume"), text("storage.filesystem.bind"));
    let root = text("storage.filesystem.root_directory");
    let has = |name: &str| config.is_set(&format!("storage.filesystem.{name}"));
    let filesystem = config.is_set("storage.filesystem").then(|| checks::Filesystem {
        mount: match (&volume, &bind) {
            (Some(volume), _) => checks::Mount::Volume(volume),
            (None, Some(folder)) => checks::Mount::Bind(folder),
            (None, None) if has("nfs") || has("cluster_volume") => {
                checks::Mount::SharedVolume("of the cluster")
            }
            (None, None) if has("tmpfs") => checks::Mount::Tmpfs,
            (None, None) => checks::Mount::Nothing,
        },
        root_directory: root.as_deref(),
        shared: config.known("storage.filesystem.shared"),
    });
    let mut findings = checks::storage(&StorageUse {
        replicas: replicas(config),
        in_memory: config.is_set("storage.in_memory"),
        filesystem,
        has_constraint: !list(config.get("placement.constraints")).is_empty()
            || !config.is_known("placement"),
        is_cache: config.is_set("proxy"),
    });
    let places = ["volume", "bind", "nfs", "cluster_volume", "tmpfs"];
    if places.iter().filter(|name| has(name)).count() > 1 {
        let message = "Only one of volume, bind, nfs, cluster_volume and tmpfs can hold the images.";
        findings.push(Finding::error("S6", "storage.filesystem", message));
    }
    findings
}

fn replicas(config: &Config) -> Option<Replicas> {
    if config.known::<String>("mode").as_deref() == Some("global") {
        return Some(Replicas::Global);
    }
    config.known::<i64>("replicas").and_then(|replicas| u64::try_from(replicas).ok()).map(Replicas::Count)
}

fn updates(config: &Config) -> Vec<Finding> {
    let time = |path: &str| config.known::<Duration>(path).map(|time| time.to_std());
    let whole = |path: &str| config.known::<i64>(path).and_then(|number| u64::try_from(number).ok());
    let check = derive::health_check(DEBUG_PORT);
    checks::updates(&Updates {
        replicas: replicas(config),
        order: match config.known::<String>("update.order").as_deref() {
            Some("start-first") => Some(derive::Order::StartFirst),
            Some("stop-first") => Some(derive::Order::StopFirst),
            _ => None,
        },
        parallelism: whole("update.parallelism"),
        monitor: time("update.monitor"),
        failure_action: match config.known::<String>("update.failure_action").as_deref() {
            Some("continue") => Some(FailureAction::Continue),
            Some("pause") => Some(FailureAction::Pause),
            Some("rollback") => Some(FailureAction::Rollback),
            _ => None,
        },
        has_host_port: list(config.get("publish"))
            .iter()
            .any(|port| port.get("mode").as_str() == Some("host")),
        max_per_node: whole("placement.max_replicas_per_node"),
        stop_grace: time("stop_grace_period"),
        drain_timeout: match config.get("http.drain_timeout") {
            Value::Null => Some(std::time::Duration::from_secs(30)),
            _ => time("http.drain_timeout"),
        },
        // A check of the user's own is the user's to weigh.
        health_check: config.get("healthcheck").is_null().then_some(&check),
    })
}

fn ports(config: &Config) -> Vec<Finding> {
    let number = |value: &Value| match value {
        Value::Number(number) => number.to_i64().and_then(|port| u16::try_from(port).ok()),
        _ => None,
    };
    let list = list(config.get("publish"));
    let ports: Vec<Port<'_>> = list
        .iter()
        .map(|port| Port {
            published: number(port.get("port")),
            target: number(port.get("target")),
            protocol: port.get("protocol").as_str().unwrap_or("tcp"),
            mode: match port.get("mode").as_str() {
                Some("host") => PublishMode::Host,
                _ => PublishMode::Ingress,
            },
        })
        .collect();
    let port = |path: &str| config.known::<i64>(path).and_then(|port| u16::try_from(port).ok());
    let main = port("http.port").unwrap_or(if config.is_set("tls") { 443 } else { 5000 });
    let debug = port("metrics.port").unwrap_or(DEBUG_PORT);
    let is_dnsrr = config.known::<String>("endpoint_mode").as_deref() == Some("dnsrr");
    checks::ports(&ports, main, debug, config.is_set("metrics"), is_dnsrr)
}

fn access(config: &Config) -> Vec<Finding> {
    let url = config.known::<String>("url");
    let published = list(config.get("publish")).first().map(|port| port.get("port").clone());
    checks::access(&Access {
        url: url.as_deref(),
        has_tls: config.is_set("tls"),
        behind_tls_proxy: config.known("behind_tls_proxy").unwrap_or(!config.is_known("behind_tls_proxy")),
        has_auth: config.is_set("auth"),
        has_passwords: config.is_set("auth.htpasswd"),
        deletes: config.known("storage.delete").unwrap_or(false),
        published: match published {
            Some(Value::Number(port)) => Number::to_i64(&port).and_then(|port| u16::try_from(port).ok()),
            _ => None,
        },
    })
}

fn tls(config: &Config) -> Vec<Finding> {
    let Some(certificate) = config.known::<String>("tls.certificate") else { return vec![] };
    let key =
        config.known::<String>("tls.private_key").or_else(|| config.known::<String>("tls.private_key_wo"));
    let host = config
        .known::<String>("url")
        .and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned));
    let material = Material {
        certificate: &certificate,
        key: key.as_deref().map(PrivateKey),
        host: host.as_deref(),
        ca: None,
    };
    certificate::inspect(material, SystemTime::now())
}

fn htpasswd(config: &Config) -> Vec<Finding> {
    let mut findings = match config.known::<String>("auth.htpasswd.file") {
        Some(file) => htpasswd::inspect(file.as_bytes(), "auth.htpasswd.file"),
        None => vec![],
    };
    for path in ["auth.htpasswd.users", "auth.htpasswd.users_wo"] {
        let users = config.known::<BTreeMap<String, String>>(path).unwrap_or_default();
        for (user, password) in users {
            if let Err(error) = htpasswd::check_user(&user, &Secret::from(password)) {
                findings.push(Finding::error("A3", path, sentence(&error.to_string())));
            }
        }
    }
    findings
}

/// T7 and its like: what can be given in several ways is given in one.
const IN_ONE_WAY: &[(&str, &str, &[&str])] = &[
    ("tls", "certificate", &["certificate", "certificate_secret", "lets_encrypt"]),
    ("tls", "private key", &["private_key", "private_key_wo", "private_key_secret", "lets_encrypt"]),
    ("auth.htpasswd", "users", &["users", "users_wo", "file", "file_secret"]),
    ("storage.azure", "proof", &["account_key", "account_key_wo", "client_secret", "default_credentials"]),
    ("storage.azure.client_secret", "secret", &["secret", "secret_wo"]),
    ("storage.swift", "password", &["password", "password_wo"]),
    ("storage.oss", "ID of the key", &["access_key_id", "access_key_id_wo"]),
    ("storage.oss", "secret of the key", &["access_key_secret", "access_key_secret_wo"]),
    ("cache", "cache", &["in_memory", "redis", "none"]),
    ("middleware.cloudfront", "private key", &["private_key", "private_key_wo", "private_key_secret"]),
];

/// The same, of what may be left out.
const IN_ONE_WAY_OR_NONE: &[(&str, &str, &[&str])] = &[
    ("storage.s3", "access key", &["access_key", "access_key_wo", "credentials_secret"]),
    ("storage.s3", "secret key", &["secret_key", "secret_key_wo", "credentials_secret"]),
    ("storage.gcs", "key", &["key_json", "key_json_wo", "key_json_secret"]),
    ("storage.swift", "signing secret", &["secret_key", "secret_key_wo"]),
    ("cache.redis", "password", &["password", "password_wo"]),
    ("cache.redis", "sentinels' password", &["sentinel_password", "sentinel_password_wo"]),
    ("cache.redis.tls", "private key", &["private_key", "private_key_wo", "private_key_secret"]),
    ("proxy", "password", &["password", "password_wo"]),
];

fn exactly_one(config: &Config) -> Diagnostics {
    let mut found = vec![];
    let obligatory = IN_ONE_WAY.iter().map(|choice| (choice, 1..=1, "Exactly"));
    let free = IN_ONE_WAY_OR_NONE.iter().map(|choice| (choice, 0..=1, "At most"));
    for ((path, what, names), allowed, how_many) in obligatory.chain(free) {
        if !config.is_set(path) || config.get(path).is_unknown() {
            continue;
        }
        let count = names.iter().filter(|name| config.is_set(&format!("{path}.{name}"))).count();
        if !allowed.contains(&count) {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let detail = format!("{how_many} one of {} has the {what}.", names.join(", "));
            found.push(Diagnostic::error(format!("Not one {what} (T7)"), detail).at(*path));
        }
    }
    found
}

/// T18: two files of one name, or one of the provider's.
fn targets(config: &Config) -> Diagnostics {
    let mut found = vec![];
    for path in ["secrets", "configs"] {
        let mut seen: Vec<&str> = vec![];
        for (index, reference) in list(config.get(path)).iter().enumerate() {
            let Some(target) = reference.get("target").as_str() else { continue };
            let at = format!("{path}[{index}].target");
            let is_own = path == "secrets" && is_rendered(config) && Role::is_target(target);
            if is_own || seen.contains(&target) {
                let whose = if is_own { "by this resource itself" } else { "twice" };
                let detail = format!("`{target}` is mounted {whose}. Choose another name.");
                found.push(Diagnostic::error("Two files of one name (T18)", detail).at(at.as_str()));
            }
            seen.push(target);
        }
    }
    found
}

/// A finding of the registry's rules as a diagnostic.
pub(super) fn diagnostic(finding: &Finding) -> Diagnostic {
    let summary = format!("{} ({})", summary(&finding.path), finding.code);
    let diagnostic = match finding.severity {
        Severity::Error => Diagnostic::error(summary, finding.message.clone()),
        Severity::Warning => Diagnostic::warning(summary, finding.message.clone()),
    };
    diagnostic.at(finding.path.as_str())
}

fn summary(path: &str) -> String {
    if path.is_empty() { "Doubtful registry".to_owned() } else { format!("Doubtful `{path}`") }
}
