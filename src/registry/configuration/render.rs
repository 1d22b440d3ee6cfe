//! From the typed configuration to the bytes of the file.

use super::{
    Auth, Cache, Configuration, DEBUG_PORT, Driver, Log, Storage, StorageHealth, Tls, Urls, extra,
    tree::{self, Map, Node, Reader, map},
};
use crate::registry::{Dialect, Finding, Secret, duration};
use std::time::Duration;

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
