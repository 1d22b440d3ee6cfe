//! The registry's own settings, in Distribution's words: what becomes its configuration file.

use crate::resources::service::one_of;
use crate::terraform::{Config, Duration, Model, Sensitive, WriteOnly};
use std::collections::BTreeMap;

/// How the registry serves (`http` of its configuration).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Http {
    /// Port on which the registry listens in its container: 443 with `tls`, else 5000.
    #[tf(derived, check = port)]
    pub port: i64,

    /// What the registry calls itself in the addresses that it gives out. `relative`: nothing, which survives every
    /// proxy and alias. `request`: what the client called it. `fixed`: the resource's `url`.
    #[tf(default = "relative", check = urls)]
    pub urls: String,

    /// Path under which everything is served, such as `/hub/`. Docker's clients know no prefix: it is for proxies.
    #[tf(check = prefix)]
    pub prefix: Option<String>,

    /// More headers of each answer, by name.
    #[tf(default = BTreeMap::new())]
    pub headers: BTreeMap<String, Vec<String>>,

    /// How long a stopping registry goes on with the uploads in flight, such as `"30s"`.
    #[tf(default = Duration::from_secs(30))]
    pub drain_timeout: Duration,
}

/// The certificate with which the registry serves (`http.tls`). One of `certificate` and `certificate_secret`, and
/// one of `private_key`, `private_key_wo` and `private_key_secret`.
#[derive(Clone, Debug, Model)]
pub struct Tls {
    /// The certificate and its chain as PEM text, the registry's own certificate first.
    pub certificate: Option<String>,

    /// ID or name of a secret with the certificate.
    pub certificate_secret: Option<String>,

    /// The private key as PEM text. It is kept in the state: better use `private_key_wo`.
    pub private_key: Option<Sensitive<String>>,

    /// The private key as PEM text, kept in neither plan nor state.
    pub private_key_wo: WriteOnly<String>,

    /// Raise it to send `private_key_wo` again.
    pub private_key_wo_version: Option<i64>,

    /// ID or name of a secret with the private key.
    pub private_key_secret: Option<String>,

    /// Certificates as PEM text, by one of which a client's certificate must be signed.
    pub client_ca: Option<String>,

    /// The oldest version of TLS that is spoken: `tls1.2` or `tls1.3`; also `tls1.0` and `tls1.1` in Distribution 2.8.
    pub minimum: Option<String>,
}

/// Who may use the registry (`auth`).
#[derive(Clone, Debug, Model)]
pub struct Auth {
    /// Users with passwords.
    pub htpasswd: Option<Htpasswd>,
}

/// Users with passwords (`auth.htpasswd`). One of `users`, `users_wo`, `file` and `file_secret`.
#[derive(Clone, Debug, Model)]
pub struct Htpasswd {
    /// What a client shows when it asks for the password.
    #[tf(default = "Registry")]
    pub realm: String,

    /// Passwords by user. They are kept in the state: better use `users_wo`.
    pub users: Option<Sensitive<BTreeMap<String, String>>>,

    /// Passwords by user, kept in neither plan nor state.
    pub users_wo: WriteOnly<BTreeMap<String, String>>,

    /// Raise it to send `users_wo` again.
    pub users_wo_version: Option<i64>,

    /// Lines of `user:hash`, hashed with bcrypt (`htpasswd -B`): Distribution knows no other hash.
    pub file: Option<Sensitive<String>>,

    /// ID or name of a secret with such lines.
    pub file_secret: Option<String>,
}

/// Where the images are (`storage`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Storage {
    /// In files.
    pub filesystem: Option<Filesystem>,

    /// Whether images may be deleted (`storage.delete.enabled`).
    #[tf(default = false)]
    pub delete: bool,
}

/// Images in files (`storage.filesystem`). One of `volume` and `bind`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Filesystem {
    /// Name of a volume. Each node has its own of that name.
    pub volume: Option<String>,

    /// Folder of the node. It must exist there.
    #[tf(check = absolute)]
    pub bind: Option<String>,

    /// Folder in the container.
    #[tf(default = "/var/lib/registry", check = absolute)]
    pub root_directory: String,

    /// Whether the volume or folder is the same storage on every node, as with NFS. Only then can more than one
    /// replica use it.
    #[tf(default = false)]
    pub shared: bool,
}

/// What the registry logs (`log`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Log {
    /// `error`, `warn`, `info` or `debug`.
    #[tf(default = "info", check = level)]
    pub level: String,

    /// `text`, `json` or `logstash`.
    #[tf(default = "text", check = format)]
    pub format: String,

    /// Whether each request is logged.
    #[tf(default = true)]
    pub access_log: bool,

    /// Fields that each line bears.
    #[tf(default = BTreeMap::new())]
    pub fields: BTreeMap<String, String>,
}

/// When the registry calls itself unhealthy (`health`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Health {
    /// Whether the storage is checked (`health.storagedriver`).
    #[tf(default = true)]
    pub storage: bool,

    /// Pause between two checks of the storage, such as `"10s"`.
    #[tf(default = Duration::from_secs(10))]
    pub interval: Duration,

    /// How many failures in a row count.
    #[tf(default = 3)]
    pub threshold: i64,
}

/// Metrics for Prometheus (`http.debug.prometheus`). They are never published, since the same port shows secrets.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Metrics {
    /// Port in the container.
    #[tf(default = 5001, check = port)]
    pub port: i64,

    /// Path of the metrics.
    #[tf(default = "/metrics", check = absolute)]
    pub path: String,
}

/// What an apply waits for.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct WaitFor {
    /// Whether it waits until the tasks run.
    #[tf(default = true)]
    pub replicas: bool,

    /// An address that must answer, such as `https://hub.example.com/v2/`.
    #[tf(check = web_address)]
    pub url: Option<String>,

    /// The statuses that count as an answer.
    #[tf(default = vec![200, 401])]
    pub statuses: Vec<i64>,

    /// Certificates as PEM text, by one of which the registry's must be signed. Without it those of the system.
    pub ca: Option<String>,

    /// `host:port` to connect to instead of what `url` names, where that name does not resolve here.
    pub connect_to: Option<String>,

    /// Whether the certificate is not verified.
    #[tf(default = false)]
    pub insecure: bool,
}

impl Default for WaitFor {
    fn default() -> Self {
        WaitFor {
            replicas: true,
            url: None,
            statuses: vec![200, 401],
            ca: None,
            connect_to: None,
            insecure: false,
        }
    }
}

/// The attributes that only a configuration file can carry out.
pub const SETTINGS: [&str; 7] = ["http", "tls", "auth", "log", "health", "metrics", "extra_config"];

/// Whether the provider renders the configuration file. Without `storage` it does not, and the image's own is in
/// charge, as in a service that was made by hand.
pub fn is_rendered(config: &Config) -> bool {
    config.is_set("storage")
}

fn port(port: &i64) -> Result<(), String> {
    if (1..=65535).contains(port) { Ok(()) } else { Err("a port is a number from 1 to 65535".to_owned()) }
}

fn urls(urls: &str) -> Result<(), String> {
    one_of(urls, &["relative", "request", "fixed"])
}

fn prefix(prefix: &str) -> Result<(), String> {
    if prefix.starts_with('/') && prefix.ends_with('/') {
        Ok(())
    } else {
        Err("a prefix begins and ends with a slash".to_owned())
    }
}

fn level(level: &str) -> Result<(), String> {
    one_of(level, &["error", "warn", "info", "debug"])
}

fn format(format: &str) -> Result<(), String> {
    one_of(format, &["text", "json", "logstash"])
}

fn absolute(path: &str) -> Result<(), String> {
    if path.starts_with('/') && path.len() > 1 {
        Ok(())
    } else {
        Err("a path is absolute, and not the root".to_owned())
    }
}

/// Distribution ignores an address without a scheme without a word (checks T13 and C3).
pub fn web_address(url: &str) -> Result<(), String> {
    match url.parse::<http::Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => Ok(()),
        _ => Err("an address begins with `http://` or `https://` and a host".to_owned()),
    }
}
