//! What is in the registry's configuration file, and how it is written.
//!
//! The whole file is rendered, rather than single values given as `REGISTRY_…` variables: those are visible to
//! everybody who may inspect the service, some of them are ignored or crash the registry, and which ones differs
//! between releases (distribution issues 1736, 4486, 4621).

mod extra;
mod keys;
mod tree;

pub use extra::{ExtraConfig, NotAConfiguration};

use super::{Dialect, Finding, Secret, duration};
use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};
use tree::{Map, Node, Reader, map};

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

/// A rendered configuration file.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The file for the registry. Equal configurations have equal bytes.
    pub yaml: Secret,
    /// The same for people, with `(sensitive)` in place of each secret.
    pub preview: String,
}

impl Configuration {
    /// Writes the file. It always succeeds; whether it makes sense is what [`Configuration::inspect`] says.
    pub fn render(&self, dialect: Dialect) -> Rendered {
        let tree = self.merged(dialect);
        let document = |reader| format!("version: 0.1\n{}", tree::write(&tree, reader));
        Rendered { yaml: document(Reader::Registry).into(), preview: document(Reader::Person) }
    }

    /// Checks what only the whole file shows: unknown, overridden and owned keys of the extra configuration, values of
    /// the wrong kind, and that there is exactly one storage driver and at most one kind of authentication
    /// (C9 to C12, S6, A5).
    pub fn inspect(&self, dialect: Dialect) -> Vec<Finding> {
        let typed = self.typed(dialect);
        let mut findings: Vec<_> =
            self.extra.iter().flat_map(|extra| extra.inspect(&typed, dialect)).collect();
        findings.extend(extra::inspect_choices(&self.merged(dialect), dialect));
        findings
    }

    /// The port of the debug listener, on which the container's health is asked.
    pub fn debug_port(&self) -> u16 {
        self.metrics.as_ref().map_or(DEBUG_PORT, |metrics| metrics.port)
    }

    /// The dotted paths of all values in the file, such as `http.debug.addr`.
    pub fn rendered_paths(&self, dialect: Dialect) -> Vec<String> {
        let tree = Node::Map(self.merged(dialect));
        let mut leaves = Vec::new();
        tree::leaves(&tree, &mut Vec::new(), &mut leaves);
        leaves.iter().map(|(path, _)| path.join(".")).collect()
    }

    fn merged(&self, dialect: Dialect) -> Map {
        let mut tree = self.typed(dialect);
        for extra in &self.extra {
            tree::merge(&mut tree, extra.tree());
        }
        tree
    }

    /// The part of the file that typed attributes say.
    fn typed(&self, dialect: Dialect) -> Map {
        let mut tree = map([
            ("http", self.http().into()),
            ("log", self.log.tree().into()),
            ("storage", self.storage.tree(self.cache, dialect).into()),
        ]);
        if let Some(Auth::Htpasswd { realm, path }) = &self.auth {
            let htpasswd = map([("realm", realm.as_str().into()), ("path", path.as_str().into())]);
            tree.insert("auth".to_owned(), map([("htpasswd", htpasswd.into())]).into());
        }
        if let Some(StorageHealth { interval, threshold }) = &self.health.storage {
            let check = map([
                ("enabled", true.into()),
                ("interval", time(*interval)),
                ("threshold", u64::from(*threshold).into()),
            ]);
            tree.insert("health".to_owned(), map([("storagedriver", check.into())]).into());
        }
        tree
    }

    fn http(&self) -> Map {
        let http = &self.http;
        let mut headers: Map =
            http.headers.iter().map(|(name, values)| (name.clone(), values.as_slice().into())).collect();
        let has_nosniff = headers.keys().any(|name| name.eq_ignore_ascii_case("X-Content-Type-Options"));
        if !has_nosniff {
            headers.insert("X-Content-Type-Options".to_owned(), ["nosniff"].into());
        }
        let mut tree = map([
            ("addr", Node::Text(format!(":{}", http.port))),
            ("secret", Node::Secret(http.secret.clone())),
            ("draintimeout", time(http.drain_timeout)),
            ("headers", headers.into()),
            ("debug", self.debug().into()),
        ]);
        match &http.urls {
            Urls::Relative => tree.extend(map([("relativeurls", true.into())])),
            Urls::Fixed(host) => tree.extend(map([("host", host.as_str().into())])),
            Urls::Request => {}
        }
        if let Some(prefix) = &http.prefix {
            tree.insert("prefix".to_owned(), prefix.as_str().into());
        }
        if !http.http2 {
            tree.insert("http2".to_owned(), map([("disabled", true.into())]).into());
        }
        if let Some(tls) = &self.tls {
            tree.insert("tls".to_owned(), tls.tree().into());
        }
        tree
    }

    /// The debug listener answers the health check. It has no authentication and shows profiles and settings, so it
    /// listens on loopback alone unless metrics are to be read from outside.
    fn debug(&self) -> Map {
        let Some(metrics) = &self.metrics else {
            return map([("addr", Node::Text(format!("127.0.0.1:{DEBUG_PORT}")))]);
        };
        let prometheus = map([("enabled", true.into()), ("path", metrics.path.as_str().into())]);
        map([("addr", Node::Text(format!("0.0.0.0:{}", metrics.port))), ("prometheus", prometheus.into())])
    }
}

impl Tls {
    fn tree(&self) -> Map {
        let mut tree =
            map([("certificate", self.certificate.as_str().into()), ("key", self.key.as_str().into())]);
        if !self.client_cas.is_empty() {
            tree.insert("clientcas".to_owned(), self.client_cas.as_slice().into());
        }
        if let Some(minimum) = &self.minimum {
            tree.insert("minimumtls".to_owned(), minimum.as_str().into());
        }
        if !self.cipher_suites.is_empty() {
            tree.insert("ciphersuites".to_owned(), self.cipher_suites.as_slice().into());
        }
        tree
    }
}

impl Storage {
    fn tree(&self, cache: Cache, dialect: Dialect) -> Map {
        let purging = map([
            ("enabled", self.upload_purging.enabled.into()),
            ("age", time(self.upload_purging.age)),
            ("interval", time(self.upload_purging.interval)),
            ("dryrun", self.upload_purging.dry_run.into()),
        ]);
        let read_only = map([("enabled", self.read_only.into())]);
        let mut tree = map([
            ("delete", map([("enabled", self.delete.into())]).into()),
            ("redirect", map([("disable", (!self.redirect).into())]).into()),
            ("maintenance", map([("uploadpurging", purging.into()), ("readonly", read_only.into())]).into()),
        ]);
        if let Cache::InMemory { size } = cache {
            let mut cache = map([("blobdescriptor", "inmemory".into())]);
            if let Some(size) = size.filter(|_| dialect.is_3()) {
                cache.insert("blobdescriptorsize".to_owned(), u64::from(size).into());
            }
            tree.insert("cache".to_owned(), cache.into());
        }
        match &self.driver {
            Some(Driver::Filesystem { root_directory, max_threads }) => {
                let mut driver = map([("rootdirectory", root_directory.as_str().into())]);
                if let Some(max) = max_threads {
                    driver.insert("maxthreads".to_owned(), u64::from(*max).into());
                }
                tree.insert("filesystem".to_owned(), driver.into());
            }
            Some(Driver::InMemory) => tree.extend(map([("inmemory", Map::new().into())])),
            None => {}
        }
        tree
    }
}

impl Log {
    fn tree(&self) -> Map {
        let mut tree = map([
            ("level", Node::Text(self.level.to_string())),
            ("formatter", Node::Text(self.format.to_string())),
            ("accesslog", map([("disabled", (!self.access_log).into())]).into()),
        ]);
        if !self.fields.is_empty() {
            let fields: Map =
                self.fields.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            tree.insert("fields".to_owned(), fields.into());
        }
        tree
    }
}

fn time(duration: Duration) -> Node {
    Node::Text(duration::format(duration))
}

#[cfg(test)]
mod tests;
