//! What is in the registry's configuration file, and how it is written.
//!
//! The whole file is rendered, rather than single values given as `REGISTRY_…` variables: those are visible to
//! everybody who may inspect the service, some of them are ignored or crash the registry, and which ones differs
//! between releases (distribution issues 1736, 4486, 4621).

mod extra;
mod keys;
mod render;
mod tree;

pub use extra::{ExtraConfig, NotAConfiguration};
pub use render::Rendered;

use super::Secret;
use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

/// Where the files that the provider owns are mounted in the container. Distribution knows no others, so these stay
/// the same when the secrets behind them are rotated.
pub mod paths {
    /// The configuration file. Both official images take the path as an argument of `serve`.
    pub const CONFIGURATION: &str = "/run/secrets/registry.yml";
    /// `http.tls.certificate`
    pub const CERTIFICATE: &str = "/run/secrets/registry-tls.crt";
    /// `http.tls.key`
    pub const PRIVATE_KEY: &str = "/run/secrets/registry-tls.key";
    /// `http.tls.clientcas`
    pub const CLIENT_CA: &str = "/run/secrets/registry-client-ca.pem";
    /// `auth.htpasswd.path`
    pub const HTPASSWD: &str = "/run/secrets/registry-htpasswd";
    /// `storage.filesystem.rootdirectory` where nothing else is said; the images declare a volume there.
    pub const ROOT_DIRECTORY: &str = "/var/lib/registry";
}

/// The port of the debug listener where `metrics` names no other.
pub const DEBUG_PORT: u16 = 5001;

/// The container's arguments: both official images and upstream's own take them, whatever their default path is.
pub fn arguments() -> [&'static str; 2] {
    ["serve", paths::CONFIGURATION]
}

/// Everything that the configuration file says.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The main listener.
    pub http: Http,
    /// Encryption of the main listener; plain HTTP without.
    pub tls: Option<Tls>,
    /// Who may come in; everybody without.
    pub auth: Option<Auth>,
    /// Where images are kept.
    pub storage: Storage,
    /// How blob descriptors are kept at hand.
    pub cache: Cache,
    /// What the registry checks about itself.
    pub health: Health,
    /// What it writes to its output.
    pub log: Log,
    /// Prometheus metrics; none without.
    pub metrics: Option<Metrics>,
    /// What is laid over the rest, in this order.
    pub extra: Vec<ExtraConfig>,
}

/// `http`
#[derive(Clone, Debug)]
pub struct Http {
    /// `http.addr` is `:PORT` on all interfaces.
    pub port: u16,
    /// `http.secret`, which signs the state of uploads and must be equal in all replicas.
    pub secret: Secret,
    /// How generated locations begin.
    pub urls: Urls,
    /// `http.prefix`
    pub prefix: Option<String>,
    /// `http.headers`; `X-Content-Type-Options: nosniff` is there unless this map has the name.
    pub headers: BTreeMap<String, Vec<String>>,
    /// `!http.http2.disabled`
    pub http2: bool,
    /// `http.draintimeout`: how long running requests may take after the registry is told to stop.
    pub drain_timeout: Duration,
}

/// How the `Location` of an upload begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Urls {
    /// `http.relativeurls`: without a host, which survives proxies, aliases and loopback alike.
    Relative,
    /// As the request came in, by its `Host` and `X-Forwarded-*` headers.
    Request,
    /// `http.host`: always this scheme and host.
    Fixed(String),
}

/// `http.tls`
#[derive(Clone, Debug)]
pub struct Tls {
    /// `http.tls.certificate`, a path in the container.
    pub certificate: String,
    /// `http.tls.key`, a path in the container.
    pub key: String,
    /// `http.tls.clientcas`, paths in the container; clients need no certificate where this is empty.
    pub client_cas: Vec<String>,
    /// `http.tls.minimumtls`, such as `tls1.2`.
    pub minimum: Option<String>,
    /// `http.tls.ciphersuites`
    pub cipher_suites: Vec<String>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: paths::CERTIFICATE.to_owned(),
            key: paths::PRIVATE_KEY.to_owned(),
            client_cas: Vec::new(),
            minimum: None,
            cipher_suites: Vec::new(),
        }
    }
}

/// `auth`
#[derive(Clone, Debug)]
pub enum Auth {
    /// `auth.htpasswd`: a file of users with bcrypt hashes.
    Htpasswd {
        /// `auth.htpasswd.realm`
        realm: String,
        /// `auth.htpasswd.path`, a path in the container.
        path: String,
    },
}

/// `storage`
#[derive(Clone, Debug)]
pub struct Storage {
    /// The driver; none where [`ExtraConfig`] has it.
    pub driver: Option<Driver>,
    /// `storage.delete.enabled`
    pub delete: bool,
    /// `!storage.redirect.disable`
    pub redirect: bool,
    /// `storage.maintenance.uploadpurging`
    pub upload_purging: UploadPurging,
    /// `storage.maintenance.readonly.enabled`
    pub read_only: bool,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            driver: None,
            delete: false,
            redirect: true,
            upload_purging: UploadPurging::default(),
            read_only: false,
        }
    }
}

/// The storage drivers.
#[derive(Clone, Debug)]
pub enum Driver {
    /// `storage.filesystem`
    Filesystem {
        /// `rootdirectory`, usually [`paths::ROOT_DIRECTORY`].
        root_directory: String,
        /// `maxthreads`
        max_threads: Option<u32>,
    },
    /// `storage.inmemory`, for tests: everything is gone with the task.
    InMemory,
}

/// `storage.maintenance.uploadpurging`. Always written with all four keys: with fewer, the registry panics.
#[derive(Clone, Debug)]
pub struct UploadPurging {
    /// `enabled`
    pub enabled: bool,
    /// `age` from which an upload counts as abandoned.
    pub age: Duration,
    /// `interval` between two purges.
    pub interval: Duration,
    /// `dryrun`
    pub dry_run: bool,
}

impl Default for UploadPurging {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self { enabled: true, age: hours(168), interval: hours(24), dry_run: false }
    }
}

/// `storage.cache`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// `blobdescriptor: inmemory`
    InMemory {
        /// `blobdescriptorsize`, the number of entries; Distribution 2.8 has no bound and is not told one.
        size: Option<u32>,
    },
    /// None.
    None,
}

impl Default for Cache {
    fn default() -> Self {
        Self::InMemory { size: None }
    }
}

/// `health.storagedriver`; none written where it is `None`.
#[derive(Clone, Debug)]
pub struct Health {
    /// `health.storagedriver`: as soon as it fails `threshold` times in a row, every answer is 503.
    pub storage: Option<StorageHealth>,
}

impl Default for Health {
    fn default() -> Self {
        Self { storage: Some(StorageHealth::default()) }
    }
}

/// `health.storagedriver`
#[derive(Clone, Debug)]
pub struct StorageHealth {
    /// `interval` between two checks.
    pub interval: Duration,
    /// `threshold` of failures in a row.
    pub threshold: u32,
}

impl Default for StorageHealth {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), threshold: 3 }
    }
}

/// `log`
#[derive(Clone, Debug)]
pub struct Log {
    /// `log.level`
    pub level: LogLevel,
    /// `log.formatter`
    pub format: LogFormat,
    /// `log.fields`, added to every line.
    pub fields: BTreeMap<String, String>,
    /// `!log.accesslog.disabled`
    pub access_log: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: LogLevel::Info, format: LogFormat::Text, fields: BTreeMap::new(), access_log: true }
    }
}

/// `log.level`; the registry refuses to start with any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `error`
    Error,
    /// `warn`
    Warn,
    /// `info`
    Info,
    /// `debug`
    Debug,
}

/// `log.formatter`; the registry refuses to start with any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `text`
    Text,
    /// `json`
    Json,
    /// `logstash`
    Logstash,
}

/// A word that is none of an option's choices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {choices}")]
pub struct NoSuchChoice {
    /// What was given.
    pub given: String,
    /// What there is, as a list in words.
    pub choices: String,
}

fn choose<T: Copy>(given: &str, choices: &[(&str, T)]) -> Result<T, NoSuchChoice> {
    choices.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| NoSuchChoice {
        given: given.to_owned(),
        choices: choices.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", "),
    })
}

impl LogLevel {
    const CHOICES: [(&'static str, Self); 4] =
        [("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug)];
}

impl LogFormat {
    const CHOICES: [(&'static str, Self); 3] =
        [("text", Self::Text), ("json", Self::Json), ("logstash", Self::Logstash)];
}

impl FromStr for LogLevel {
    type Err = NoSuchChoice;
    fn from_str(text: &str) -> Result<Self, NoSuchChoice> {
        choose(text, &Self::CHOICES)
    }
}

impl FromStr for LogFormat {
    type Err = NoSuchChoice;
    fn from_str(text: &str) -> Result<Self, NoSuchChoice> {
        choose(text, &Self::CHOICES)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::CHOICES.iter().find(|(_, level)| level == self).map_or("", |(word, _)| word))
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::CHOICES.iter().find(|(_, format)| format == self).map_or("", |(word, _)| word))
    }
}

/// `http.debug` with `prometheus`
#[derive(Clone, Debug)]
pub struct Metrics {
    /// The debug listener's port, on all interfaces. It has no authentication and tells a lot: never publish it.
    pub port: u16,
    /// `http.debug.prometheus.path`
    pub path: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { port: DEBUG_PORT, path: "/metrics".to_owned() }
    }
}

#[cfg(test)]
mod tests;
