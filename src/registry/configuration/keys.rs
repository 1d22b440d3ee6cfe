//! Every key that Distribution reads, per dialect: from `configuration.go` of 2.8.2, 3.0.0 and 3.1.1, and from the
//! parameters of the drivers, which the configuration package does not know.
//!
//! The registry ignores unknown keys without a word; with this table a typo can be told.

use super::tree::Node;
use crate::registry::Dialect;

/// What kind of value a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Number,
    /// Text in Go's syntax; a bare number would be nanoseconds.
    Duration,
    Text,
    /// Text that no preview shows.
    Secret,
    Texts,
    /// A map of header names to lists of texts.
    Headers,
    /// Whatever one likes: log fields, options of middleware.
    Free,
    /// The same, and no preview shows it.
    FreeSecret,
    /// A map that may be empty, such as `storage.inmemory`.
    Map,
}
use Kind::{Bool, Duration, Free, FreeSecret, Headers, Map, Number, Secret, Text, Texts};

/// Which dialects know a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    All,
    /// 2.8 alone.
    V2,
    /// 3.0 alone.
    V30,
    /// 3.0 and later.
    V3,
    /// 3.1 and later.
    V31,
    /// None, although it is written down as a setting: what is secret there stays veiled.
    Nobody,
}
use In::{All, Nobody, V2, V3, V30, V31};

impl In {
    fn has(self, dialect: Dialect) -> bool {
        match self {
            All => true,
            Nobody => false,
            V2 => dialect == Dialect::V2_8,
            V30 => dialect == Dialect::V3_0,
            V3 => dialect >= Dialect::V3_0,
            V31 => dialect >= Dialect::V3_1,
        }
    }
}

/// `[]` stands for the items of a list.
const KEYS: &[(&str, Kind, In)] = &[
    ("version", Text, All),
    ("log.level", Text, All),
    ("log.formatter", Text, All),
    ("log.fields", Free, All),
    ("log.reportcaller", Bool, V3),
    ("log.accesslog.disabled", Bool, All),
    ("log.hooks.[].disabled", Bool, All),
    ("log.hooks.[].type", Text, All),
    ("log.hooks.[].levels", Texts, All),
    ("log.hooks.[].options.smtp.addr", Text, All),
    ("log.hooks.[].options.smtp.username", Text, All),
    ("log.hooks.[].options.smtp.password", Secret, All),
    ("log.hooks.[].options.smtp.insecure", Bool, All),
    ("log.hooks.[].options.from", Text, All),
    ("log.hooks.[].options.to", Texts, All),
    ("loglevel", Text, All),
    ("http.addr", Text, All),
    ("http.net", Text, All),
    ("http.host", Text, All),
    ("http.prefix", Text, All),
    ("http.secret", Secret, All),
    ("http.relativeurls", Bool, All),
    ("http.draintimeout", Duration, All),
    ("http.tls.certificate", Text, All),
    ("http.tls.key", Text, All),
    ("http.tls.clientcas", Texts, All),
    ("http.tls.clientauth", Text, V3),
    ("http.tls.minimumtls", Text, All),
    ("http.tls.ciphersuites", Texts, All),
    ("http.tls.letsencrypt.cachefile", Text, All),
    ("http.tls.letsencrypt.email", Text, All),
    ("http.tls.letsencrypt.hosts", Texts, All),
    ("http.tls.letsencrypt.directoryurl", Text, V3),
    ("http.headers", Headers, All),
    ("http.http2.disabled", Bool, All),
    ("http.h2c.enabled", Bool, V3),
    ("http.debug.addr", Text, All),
    ("http.debug.prometheus.enabled", Bool, All),
    ("http.debug.prometheus.path", Text, All),
    ("storage.delete.enabled", Bool, All),
    ("storage.redirect.disable", Bool, All),
    ("storage.cache.blobdescriptor", Text, All),
    ("storage.cache.layerinfo", Text, All),
    ("storage.cache.blobdescriptorsize", Number, V3),
    ("storage.maintenance.uploadpurging.enabled", Bool, All),
    ("storage.maintenance.uploadpurging.age", Duration, All),
    ("storage.maintenance.uploadpurging.interval", Duration, All),
    ("storage.maintenance.uploadpurging.dryrun", Bool, All),
    ("storage.maintenance.readonly.enabled", Bool, All),
    ("storage.tag.concurrencylimit", Number, V3),
    ("storage.filesystem.rootdirectory", Text, All),
    ("storage.filesystem.maxthreads", Number, All),
    ("storage.inmemory", Map, All),
    ("storage.s3.bucket", Text, All),
    ("storage.s3.region", Text, All),
    ("storage.s3.accesskey", Secret, All),
    ("storage.s3.secretkey", Secret, All),
    ("storage.s3.sessiontoken", Secret, Nobody),
    ("storage.s3.regionendpoint", Text, All),
    ("storage.s3.forcepathstyle", Bool, V3),
    ("storage.s3.accelerate", Bool, V3),
    ("storage.s3.usedualstack", Bool, V3),
    ("storage.s3.usefipsendpoint", Bool, V31),
    ("storage.s3.rootdirectory", Text, All),
    ("storage.s3.encrypt", Bool, All),
    ("storage.s3.keyid", Text, All),
    ("storage.s3.secure", Bool, All),
    ("storage.s3.skipverify", Bool, All),
    ("storage.s3.v4auth", Bool, All),
    ("storage.s3.chunksize", Number, All),
    ("storage.s3.multipartcopychunksize", Number, All),
    ("storage.s3.multipartcopymaxconcurrency", Number, All),
    ("storage.s3.multipartcopythresholdsize", Number, All),
    ("storage.s3.storageclass", Text, All),
    ("storage.s3.objectacl", Text, All),
    ("storage.s3.useragent", Text, All),
    ("storage.s3.loglevel", Text, V3),
    ("storage.azure.accountname", Text, All),
    ("storage.azure.accountkey", Secret, All),
    ("storage.azure.container", Text, All),
    ("storage.azure.realm", Text, All),
    ("storage.azure.credentials.type", Text, V3),
    ("storage.azure.credentials.clientid", Text, V3),
    ("storage.azure.credentials.tenantid", Text, V3),
    ("storage.azure.credentials.secret", Secret, V3),
    ("storage.azure.connectionstring", Secret, V3),
    ("storage.azure.serviceurl", Text, V3),
    ("storage.azure.rootdirectory", Text, V3),
    ("storage.azure.max_retries", Number, V3),
    ("storage.azure.retry_delay", Duration, V3),
    ("storage.azure.skipverify", Bool, V3),
    ("storage.gcs.bucket", Text, All),
    ("storage.gcs.keyfile", Text, All),
    ("storage.gcs.credentials", FreeSecret, All),
    ("storage.gcs.rootdirectory", Text, All),
    ("storage.gcs.chunksize", Number, All),
    ("storage.gcs.maxconcurrency", Number, All),
    ("storage.gcs.useragent", Text, V3),
    ("storage.swift.username", Text, V2),
    ("storage.swift.password", Secret, V2),
    ("storage.swift.authurl", Text, V2),
    ("storage.swift.container", Text, V2),
    ("storage.swift.region", Text, V2),
    ("storage.swift.tenant", Text, V2),
    ("storage.swift.tenantid", Text, V2),
    ("storage.swift.domain", Text, V2),
    ("storage.swift.domainid", Text, V2),
    ("storage.swift.tenantdomain", Text, V2),
    ("storage.swift.tenantdomainid", Text, V2),
    ("storage.swift.trustid", Text, V2),
    ("storage.swift.authversion", Number, V2),
    ("storage.swift.endpointtype", Text, V2),
    ("storage.swift.insecureskipverify", Bool, V2),
    ("storage.swift.chunksize", Number, V2),
    ("storage.swift.prefix", Text, V2),
    ("storage.swift.secretkey", Secret, V2),
    ("storage.swift.accesskey", Text, V2),
    ("storage.swift.tempurlcontainerkey", Bool, V2),
    ("storage.swift.tempurlmethods", Texts, V2),
    ("storage.oss.accesskeyid", Secret, V2),
    ("storage.oss.accesskeysecret", Secret, V2),
    ("storage.oss.region", Text, V2),
    ("storage.oss.bucket", Text, V2),
    ("storage.oss.endpoint", Text, V2),
    ("storage.oss.internal", Bool, V2),
    ("storage.oss.encrypt", Bool, V2),
    ("storage.oss.secure", Bool, V2),
    ("storage.oss.chunksize", Number, V2),
    ("storage.oss.rootdirectory", Text, V2),
    ("auth.none", Map, All),
    ("auth.silly.realm", Text, All),
    ("auth.silly.service", Text, All),
    ("auth.htpasswd.realm", Text, All),
    ("auth.htpasswd.path", Text, All),
    ("auth.token.realm", Text, All),
    ("auth.token.service", Text, All),
    ("auth.token.issuer", Text, All),
    ("auth.token.rootcertbundle", Text, All),
    ("auth.token.autoredirect", Bool, All),
    ("auth.token.autoredirectpath", Text, V3),
    ("auth.token.jwks", Text, V3),
    ("auth.token.signingalgorithms", Texts, V3),
    ("middleware.registry.[].name", Text, All),
    ("middleware.registry.[].disabled", Bool, All),
    ("middleware.registry.[].options", Free, All),
    ("middleware.repository.[].name", Text, All),
    ("middleware.repository.[].disabled", Bool, All),
    ("middleware.repository.[].options", Free, All),
    ("middleware.storage.[].name", Text, All),
    ("middleware.storage.[].disabled", Bool, All),
    ("middleware.storage.[].options", Free, All),
    ("reporting.bugsnag.apikey", Secret, V2),
    ("reporting.bugsnag.releasestage", Text, V2),
    ("reporting.bugsnag.endpoint", Text, V2),
    ("reporting.newrelic.licensekey", Secret, V2),
    ("reporting.newrelic.name", Text, V2),
    ("reporting.newrelic.verbose", Bool, V2),
    ("notifications.events.includereferences", Bool, All),
    ("notifications.endpoints.[].name", Text, All),
    ("notifications.endpoints.[].disabled", Bool, All),
    ("notifications.endpoints.[].url", Text, All),
    ("notifications.endpoints.[].headers", FreeSecret, All),
    ("notifications.endpoints.[].timeout", Duration, All),
    ("notifications.endpoints.[].threshold", Number, All),
    ("notifications.endpoints.[].backoff", Duration, All),
    ("notifications.endpoints.[].ignoredmediatypes", Texts, All),
    ("notifications.endpoints.[].ignore.mediatypes", Texts, All),
    ("notifications.endpoints.[].ignore.actions", Texts, All),
    ("redis.addr", Text, V2),
    ("redis.pool.maxidle", Number, V2),
    ("redis.pool.maxactive", Number, V2),
    ("redis.pool.idletimeout", Duration, V2),
    ("redis.password", Secret, All),
    ("redis.db", Number, All),
    ("redis.dialtimeout", Duration, All),
    ("redis.readtimeout", Duration, All),
    ("redis.writetimeout", Duration, All),
    ("redis.addrs", Texts, V3),
    ("redis.clientname", Text, V3),
    ("redis.protocol", Number, V3),
    ("redis.username", Text, V3),
    ("redis.sentinelusername", Text, V3),
    ("redis.sentinelpassword", Secret, V3),
    ("redis.maxretries", Number, V3),
    ("redis.minretrybackoff", Duration, V3),
    ("redis.maxretrybackoff", Duration, V3),
    ("redis.contexttimeoutenabled", Bool, V3),
    ("redis.poolfifo", Bool, V3),
    ("redis.poolsize", Number, V3),
    ("redis.pooltimeout", Duration, V3),
    ("redis.minidleconns", Number, V3),
    ("redis.maxidleconns", Number, V3),
    ("redis.maxactiveconns", Number, V3),
    ("redis.connmaxidletime", Duration, V3),
    ("redis.connmaxlifetime", Duration, V3),
    ("redis.maxredirects", Number, V3),
    ("redis.readonly", Bool, V3),
    ("redis.routebylatency", Bool, V3),
    ("redis.routerandomly", Bool, V3),
    ("redis.mastername", Text, V3),
    ("redis.disableidentity", Bool, V3),
    ("redis.identitysuffix", Text, V3),
    ("redis.unstableresp3", Bool, V3),
    ("redis.tls.certificate", Text, V3),
    ("redis.tls.key", Text, V3),
    ("redis.tls.clientcas", Texts, V30),
    ("redis.tls.rootcas", Texts, V31),
    ("health.file.[].file", Text, All),
    ("health.file.[].interval", Duration, All),
    ("health.file.[].threshold", Number, All),
    ("health.http.[].uri", Text, All),
    ("health.http.[].headers", FreeSecret, All),
    ("health.http.[].statuscode", Number, All),
    ("health.http.[].timeout", Duration, All),
    ("health.http.[].interval", Duration, All),
    ("health.http.[].threshold", Number, All),
    ("health.tcp.[].addr", Text, All),
    ("health.tcp.[].timeout", Duration, All),
    ("health.tcp.[].interval", Duration, All),
    ("health.tcp.[].threshold", Number, All),
    ("health.storagedriver.enabled", Bool, All),
    ("health.storagedriver.interval", Duration, All),
    ("health.storagedriver.threshold", Number, All),
    ("proxy.remoteurl", Text, All),
    ("proxy.username", Text, All),
    ("proxy.password", Secret, All),
    ("proxy.exec.command", Text, V3),
    ("proxy.exec.lifetime", Duration, V3),
    ("proxy.ttl", Duration, V3),
    ("proxy.cachewritetimeout", Duration, V31),
    ("catalog.maxentries", Number, All),
    ("tags.maxtags", Number, V31),
    ("compatibility.schema1.signingkeyfile", Text, V2),
    ("compatibility.schema1.enabled", Bool, V2),
    ("validation.enabled", Bool, All),
    ("validation.disabled", Bool, All),
    ("validation.manifests.urls.allow", Texts, All),
    ("validation.manifests.urls.deny", Texts, All),
    ("validation.manifests.indexes.platforms", Text, V3),
    ("validation.manifests.indexes.platformlist.[].architecture", Text, V3),
    ("validation.manifests.indexes.platformlist.[].os", Text, V3),
    ("policy.repository.classes", Texts, All),
];

/// What a place in the file is, in one dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A key with a value.
    Value(Kind),
    /// A key with further keys below it.
    Section,
    /// A list whose items have keys.
    List,
    /// Nothing that this dialect reads.
    Unknown {
        /// Dialects that do read it, in words.
        elsewhere: Option<&'static str>,
        /// The key of the same section that it looks like.
        similar: Option<&'static str>,
    },
}

/// Looks a path up; items of lists are `[]`.
pub(super) fn find(path: &[&str], dialect: Dialect) -> Place {
    let path = &s3_by_its_short_name(path);
    let mut below =
        KEYS.iter().filter(|(key, _, known)| known.has(dialect) && starts_with(key, path)).peekable();
    match below.peek() {
        Some((key, kind, _)) if segments(key) == path.len() => Place::Value(*kind),
        Some((key, _, _)) if key.split('.').nth(path.len()) == Some("[]") => Place::List,
        Some(_) => Place::Section,
        None => Place::Unknown { elsewhere: elsewhere(path), similar: similar(path, dialect) },
    }
}

/// The dotted paths at and beneath a path that a dialect does not read. What is in a map in which anything may stand, is
/// read.
pub(super) fn unread(path: &[&str], node: &Node, dialect: Dialect) -> Vec<String> {
    let is_value = |length| matches!(find(&path[..length], dialect), Place::Value(_));
    match (find(path, dialect), node) {
        _ if (1..=path.len()).any(is_value) => vec![],
        (Place::List, Node::List(items)) => {
            let item = [path, &["[]"]].concat();
            items.iter().flat_map(|node| unread(&item, node, dialect)).collect()
        }
        (Place::Section, Node::Map(map)) => {
            map.iter().flat_map(|(key, node)| unread(&[path, &[key]].concat(), node, dialect)).collect()
        }
        _ => vec![path.join(".")],
    }
}

/// Whether a key holds secret values in any dialect; items of lists are `[]`.
pub(super) fn is_secret(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let path = s3_by_its_short_name(&path);
    KEYS.iter().any(|(key, kind, _)| {
        matches!(kind, Secret | FreeSecret) && segments(key) == path.len() && starts_with(key, &path)
    })
}

/// The driver has two names and one set of parameters.
fn s3_by_its_short_name<'p>(path: &[&'p str]) -> Vec<&'p str> {
    let mut path = path.to_vec();
    if path.starts_with(&["storage", "s3aws"]) {
        path[1] = "s3";
    }
    path
}

fn segments(key: &str) -> usize {
    key.split('.').count()
}

fn starts_with(key: &str, path: &[&str]) -> bool {
    let mut segments = key.split('.');
    path.iter().all(|part| segments.next() == Some(part))
}

/// Which other dialects read a key that this one doesn't.
fn elsewhere(path: &[&str]) -> Option<&'static str> {
    let (_, _, known) = KEYS.iter().find(|(key, _, _)| starts_with(key, path))?;
    match known {
        All | Nobody => None,
        V2 => Some("2.8 only"),
        V30 => Some("3.0 only"),
        V3 => Some("3.0 and later"),
        V31 => Some("3.1 and later"),
    }
}

/// The key of the same section that is nearest to the last part of the path, if any is near.
fn similar(path: &[&str], dialect: Dialect) -> Option<&'static str> {
    let (last, section) = path.split_last()?;
    let near = |candidate: &str| {
        let distance = strsim::osa_distance(&last.to_ascii_lowercase().replace(['_', '-'], ""), candidate);
        // A third of the word may be wrong, but not so much that any short word is like any other.
        (distance <= (candidate.len() / 3).clamp(1, 3)).then_some(distance)
    };
    KEYS.iter()
        .filter(|(key, _, known)| known.has(dialect) && starts_with(key, section))
        .filter_map(|(key, _, _)| key.split('.').nth(section.len()))
        .filter_map(|candidate| Some((near(candidate)?, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether a key of `storage` names a driver; all but the common settings do.
pub(super) fn is_storage_driver(name: &str) -> bool {
    !["delete", "redirect", "cache", "maintenance", "tag"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(path: &str, dialect: Dialect) -> Place {
        find(&path.split('.').collect::<Vec<_>>(), dialect)
    }

    #[test]
    fn keys_are_told_apart_by_dialect() {
        assert_eq!(lookup("redis.addr", Dialect::V2_8), Place::Value(Text));
        let unknown = lookup("redis.addr", Dialect::V3_1);
        assert_eq!(unknown, Place::Unknown { elsewhere: Some("2.8 only"), similar: Some("addrs") });
        assert_eq!(lookup("redis.tls.clientcas", Dialect::V3_0), Place::Value(Texts));
        assert!(matches!(lookup("redis.tls.clientcas", Dialect::V3_1), Place::Unknown { .. }));
        assert_eq!(lookup("storage.s3aws.bucket", Dialect::V2_8), Place::Value(Text));
        assert_eq!(lookup("health", Dialect::V2_8), Place::Section);
        assert_eq!(lookup("health.tcp", Dialect::V2_8), Place::List);
        assert_eq!(lookup("health.tcp.[].addr", Dialect::V2_8), Place::Value(Text));
    }

    #[test]
    fn what_nobody_reads_is_no_key_and_stays_secret() {
        for dialect in Dialect::ALL {
            assert!(matches!(
                lookup("storage.s3.sessiontoken", dialect),
                Place::Unknown { elsewhere: None, .. }
            ));
        }
        assert!(is_secret(&["storage", "s3aws", "sessiontoken"].map(str::to_owned)));
    }

    #[test]
    fn typos_get_a_guess_and_strangers_none() {
        let similar = |path| match lookup(path, Dialect::V3_1) {
            Place::Unknown { similar, .. } => similar,
            place => panic!("{path} is {place:?}"),
        };
        assert_eq!(similar("health.storagedriverr"), Some("storagedriver"));
        assert_eq!(similar("http.drain_timeout"), Some("draintimeout"));
        assert_eq!(similar("Storage"), Some("storage"));
        assert_eq!(similar("http.banana"), None);
    }

    #[test]
    fn no_key_is_listed_twice_and_none_is_below_another() {
        for (at, (key, _, _)) in KEYS.iter().enumerate() {
            for (other, _, _) in &KEYS[at + 1..] {
                let key: Vec<_> = key.split('.').collect();
                assert!(!starts_with(other, &key), "{key:?} {other}");
            }
        }
    }
}
