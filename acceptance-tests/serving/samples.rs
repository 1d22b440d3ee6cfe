//! Two values of every attribute of how a registry serves.

use serde_json::Value as Json;
use std::{collections::BTreeSet, sync::LazyLock};
use swarm::{
    resources::RegistrySettings,
    terraform::{Attribute, Kind, Model},
};

/// Two values of one attribute.
pub struct Sample {
    /// The path in the schema, without the places of lists and maps.
    pub path: &'static str,
    /// The attributes of the resource as JSON, with `VALUE` in the place of the value.
    config: &'static str,
    /// The two values.
    pub values: [&'static str; 2],
    /// The dialects that read it.
    pub dialects: &'static [&'static str],
}

const ALL: &[&str] = &["2.8", "3.0", "3.1"];
const OF_2: &[&str] = &["2.8"];
const OF_3: &[&str] = &["3.0", "3.1"];
const OF_31: &[&str] = &["3.1"];

const fn sample(path: &'static str, config: &'static str, values: [&'static str; 2]) -> Sample {
    Sample { path, config, values, dialects: ALL }
}

impl Sample {
    const fn of(self, dialects: &'static [&'static str]) -> Self {
        Sample { dialects, ..self }
    }
}

const VERSIONS: [&str; 2] = ["2", "3"];
const SWITCHES: [&str; 2] = ["true", "false"];
const NAMES: [&str; 2] = [r#""a""#, r#""b""#];
const TIMES: [&str; 2] = [r#""7s""#, r#""8s""#];
const NUMBERS: [&str; 2] = ["41", "42"];
const LISTS: [&str; 2] = [r#"["a"]"#, r#"["b", "a"]"#];
const MAPS: [&str; 2] = [r#"{ "A": "1" }"#, r#"{ "A": "2", "B": "" }"#];
const HEADERS: [&str; 2] = [r#"{ "A": ["1"] }"#, r#"{ "A": ["2", "3"], "B": ["4"] }"#];
const ADDRESSES: [&str; 2] = [r#""http://a.example.com""#, r#""https://b.example.com:1/c""#];
const SECRETS: [&str; 2] = [r#""SECRET-a""#, r#""SECRET-b""#];
/// Two certificates of one key.
const CERTIFICATES: [&str; 2] = [r#""CERT-a""#, r#""CERT-b""#];
/// One key in two spellings.
const KEYS: [&str; 2] = [r#""KEY-a""#, r#""KEY-b""#];

#[rustfmt::skip]
pub const SAMPLES: &[Sample] = &[
    sample("http.port", r#"{ "http": { "port": VALUE } }"#, ["5100", "5200"]),
    sample("http.secret", r#"{ "http": { "secret": VALUE } }"#, [r#""sixteen-letters-a""#, r#""sixteen-letters-b""#]),
    sample("http.secret_wo_version", r#"{ "http": { "secret_wo": "sixteen-letters-a", "secret_wo_version": VALUE } }"#, VERSIONS),
    sample("http.urls", r#"{ "url": "http://hub.example.com", "http": { "urls": VALUE } }"#, [r#""request""#, r#""fixed""#]),
    sample("http.prefix", r#"{ "http": { "prefix": VALUE } }"#, [r#""/a/""#, r#""/b/c/""#]),
    sample("http.headers", r#"{ "http": { "headers": VALUE } }"#, HEADERS),
    sample("http.http2", r#"{ "http": { "http2": VALUE } }"#, ["false", "true"]),
    sample("http.h2c", r#"{ "http": { "h2c": VALUE } }"#, SWITCHES).of(OF_3),
    sample("http.drain_timeout", r#"{ "http": { "drain_timeout": VALUE } }"#, TIMES),

    sample("tls.certificate", r#"{ "tls": { "certificate": VALUE, "private_key": "KEY-a" } }"#, CERTIFICATES),
    sample("tls.certificate_secret", r#"{ "tls": { "certificate_secret": VALUE, "private_key": "KEY-a" } }"#, SECRETS),
    sample("tls.private_key", r#"{ "tls": { "certificate": "CERT-a", "private_key": VALUE } }"#, KEYS),
    sample("tls.private_key_wo_version", r#"{ "tls": { "certificate": "CERT-a", "private_key_wo": "KEY-a", "private_key_wo_version": VALUE } }"#, VERSIONS),
    sample("tls.private_key_secret", r#"{ "tls": { "certificate": "CERT-a", "private_key_secret": VALUE } }"#, SECRETS),
    sample("tls.client_ca", r#"{ "tls": { "certificate": "CERT-a", "private_key": "KEY-a", "client_ca": VALUE } }"#, CERTIFICATES),
    sample("tls.client_ca_secret", r#"{ "tls": { "certificate": "CERT-a", "private_key": "KEY-a", "client_ca_secret": VALUE } }"#, SECRETS),
    sample("tls.client_auth", r#"{ "tls": { "certificate": "CERT-a", "private_key": "KEY-a", "client_ca": "CERT-a", "client_auth": VALUE } }"#, [r#""request-client-cert""#, r#""verify-client-cert-if-given""#]).of(OF_3),
    sample("tls.minimum", r#"{ "tls": { "certificate": "CERT-a", "private_key": "KEY-a", "minimum": VALUE } }"#, [r#""tls1.3""#, r#""tls1.2""#]),
    sample("tls.cipher_suites", r#"{ "tls": { "certificate": "CERT-a", "private_key": "KEY-a", "cipher_suites": VALUE } }"#, [r#"["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]"#, r#"["TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"]"#]),
    sample("tls.lets_encrypt.email", r#"{ "tls": { "lets_encrypt": { "volume": "acme", "hosts": ["a.example.com"], "email": VALUE } } }"#, [r#""a@example.com""#, r#""b@example.com""#]).of(OF_3),
    sample("tls.lets_encrypt.hosts", r#"{ "tls": { "lets_encrypt": { "volume": "acme", "hosts": VALUE } } }"#, [r#"["a.example.com"]"#, r#"["a.example.com", "b.example.com"]"#]).of(OF_3),
    sample("tls.lets_encrypt.directory_url", r#"{ "tls": { "lets_encrypt": { "volume": "acme", "hosts": ["a.example.com"], "directory_url": VALUE } } }"#, ADDRESSES).of(OF_3),
    sample("tls.lets_encrypt.volume", r#"{ "tls": { "lets_encrypt": { "hosts": ["a.example.com"], "volume": VALUE } } }"#, NAMES).of(OF_3),
    sample("tls.lets_encrypt.bind", r#"{ "tls": { "lets_encrypt": { "hosts": ["a.example.com"], "bind": VALUE } } }"#, [r#""/mnt/a""#, r#""/mnt/b""#]).of(OF_3),

    sample("auth.htpasswd.realm", r#"{ "auth": { "htpasswd": { "users": { "a": "b" }, "realm": VALUE } } }"#, NAMES),
    sample("auth.htpasswd.users", r#"{ "auth": { "htpasswd": { "cost": 4, "users": VALUE } } }"#, [r#"{ "a": "b" }"#, r#"{ "a": "c", "d": "e" }"#]),
    sample("auth.htpasswd.users_wo_version", r#"{ "auth": { "htpasswd": { "cost": 4, "users_wo": { "a": "b" }, "users_wo_version": VALUE } } }"#, VERSIONS),
    sample("auth.htpasswd.cost", r#"{ "auth": { "htpasswd": { "users_wo": { "a": "b" }, "cost": VALUE } } }"#, ["4", "5"]),
    sample("auth.htpasswd.file", r#"{ "auth": { "htpasswd": { "file": VALUE } } }"#, [r#""a:$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234\n""#, r#""b:$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234\n""#]),
    sample("auth.htpasswd.file_secret", r#"{ "auth": { "htpasswd": { "file_secret": VALUE } } }"#, SECRETS),
    sample("auth.token.realm", r#"{ "auth": { "token": { "service": "b", "issuer": "c", "root_certificates": "CERT-a", "realm": VALUE } } }"#, ADDRESSES),
    sample("auth.token.service", r#"{ "auth": { "token": { "realm": "http://a", "issuer": "c", "root_certificates": "CERT-a", "service": VALUE } } }"#, NAMES),
    sample("auth.token.issuer", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "root_certificates": "CERT-a", "issuer": VALUE } } }"#, NAMES),
    sample("auth.token.root_certificates", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "root_certificates": VALUE } } }"#, CERTIFICATES),
    sample("auth.token.root_certificates_secret", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "root_certificates_secret": VALUE } } }"#, SECRETS),
    sample("auth.token.jwks", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "jwks": VALUE } } }"#, [r#""{\"keys\":[]}""#, r#""{\"keys\":[{}]}""#]).of(OF_3),
    sample("auth.token.jwks_secret", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "jwks_secret": VALUE } } }"#, SECRETS).of(OF_3),
    sample("auth.token.signing_algorithms", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "root_certificates": "CERT-a", "signing_algorithms": VALUE } } }"#, [r#"["ES256"]"#, r#"["EdDSA", "RS256"]"#]).of(OF_3),
    sample("auth.token.auto_redirect", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "root_certificates": "CERT-a", "auto_redirect": VALUE } } }"#, SWITCHES),
    sample("auth.token.auto_redirect_path", r#"{ "auth": { "token": { "realm": "http://a", "service": "b", "issuer": "c", "root_certificates": "CERT-a", "auto_redirect": true, "auto_redirect_path": VALUE } } }"#, [r#""/a""#, r#""/b""#]).of(OF_3),
    sample("auth.silly.realm", r#"{ "auth": { "silly": { "service": "b", "realm": VALUE } } }"#, NAMES),
    sample("auth.silly.service", r#"{ "auth": { "silly": { "realm": "a", "service": VALUE } } }"#, NAMES),

    sample("log.level", r#"{ "log": { "level": VALUE } }"#, [r#""error""#, r#""debug""#]),
    sample("log.format", r#"{ "log": { "format": VALUE } }"#, [r#""json""#, r#""logstash""#]),
    sample("log.access_log", r#"{ "log": { "access_log": VALUE } }"#, ["false", "true"]),
    sample("log.fields", r#"{ "log": { "fields": VALUE } }"#, MAPS),
    sample("log.report_caller", r#"{ "log": { "report_caller": VALUE } }"#, SWITCHES).of(OF_3),
    sample("log.mail_hooks.levels", r#"{ "log": { "mail_hooks": [{ "from": "a", "to": ["b"], "smtp": { "address": "m:1" }, "levels": VALUE }] } }"#, [r#"["panic"]"#, r#"["panic", "fatal"]"#]),
    sample("log.mail_hooks.from", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "to": ["b"], "smtp": { "address": "m:1" }, "from": VALUE }] } }"#, NAMES),
    sample("log.mail_hooks.to", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "from": "a", "smtp": { "address": "m:1" }, "to": VALUE }] } }"#, LISTS),
    sample("log.mail_hooks.disabled", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "from": "a", "to": ["b"], "smtp": { "address": "m:1" }, "disabled": VALUE }] } }"#, SWITCHES),
    sample("log.mail_hooks.smtp.address", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "from": "a", "to": ["b"], "smtp": { "address": VALUE } }] } }"#, [r#""m:1""#, r#""m:2""#]),
    sample("log.mail_hooks.smtp.username", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "from": "a", "to": ["b"], "smtp": { "address": "m:1", "username": VALUE } }] } }"#, NAMES),
    sample("log.mail_hooks.smtp.password", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "from": "a", "to": ["b"], "smtp": { "address": "m:1", "password": VALUE } }] } }"#, NAMES),
    sample("log.mail_hooks.smtp.password_wo_version", r#"{ "log": { "mail_hooks": [{ "levels": ["panic"], "from": "a", "to": ["b"], "smtp": { "address": "m:1", "password_wo": "a", "password_wo_version": VALUE } }] } }"#, VERSIONS),

    sample("health.storage.enabled", r#"{ "health": { "storage": { "enabled": VALUE } } }"#, ["false", "true"]),
    sample("health.storage.interval", r#"{ "health": { "storage": { "interval": VALUE } } }"#, TIMES),
    sample("health.storage.threshold", r#"{ "health": { "storage": { "threshold": VALUE } } }"#, NUMBERS),
    sample("health.files.file", r#"{ "health": { "files": [{ "file": VALUE }] } }"#, [r#""/a""#, r#""/b""#]),
    sample("health.files.interval", r#"{ "health": { "files": [{ "file": "/a", "interval": VALUE }] } }"#, TIMES),
    sample("health.http.uri", r#"{ "health": { "http": [{ "uri": VALUE }] } }"#, ADDRESSES),
    sample("health.http.status_code", r#"{ "health": { "http": [{ "uri": "http://a", "status_code": VALUE }] } }"#, ["204", "301"]),
    sample("health.http.headers", r#"{ "health": { "http": [{ "uri": "http://a", "headers": VALUE }] } }"#, HEADERS),
    sample("health.http.headers_wo_version", r#"{ "health": { "http": [{ "uri": "http://a", "headers_wo": { "A": ["1"] }, "headers_wo_version": VALUE }] } }"#, VERSIONS),
    sample("health.http.timeout", r#"{ "health": { "http": [{ "uri": "http://a", "timeout": VALUE }] } }"#, TIMES),
    sample("health.http.interval", r#"{ "health": { "http": [{ "uri": "http://a", "interval": VALUE }] } }"#, TIMES),
    sample("health.http.threshold", r#"{ "health": { "http": [{ "uri": "http://a", "threshold": VALUE }] } }"#, NUMBERS),
    sample("health.tcp.address", r#"{ "health": { "tcp": [{ "address": VALUE }] } }"#, [r#""a:1""#, r#""b:2""#]),
    sample("health.tcp.timeout", r#"{ "health": { "tcp": [{ "address": "a:1", "timeout": VALUE }] } }"#, TIMES),
    sample("health.tcp.interval", r#"{ "health": { "tcp": [{ "address": "a:1", "interval": VALUE }] } }"#, TIMES),
    sample("health.tcp.threshold", r#"{ "health": { "tcp": [{ "address": "a:1", "threshold": VALUE }] } }"#, NUMBERS),

    sample("metrics.port", r#"{ "metrics": { "port": VALUE } }"#, ["5300", "5400"]),
    sample("metrics.path", r#"{ "metrics": { "path": VALUE } }"#, [r#""/a""#, r#""/b""#]),

    sample("tracing.exporter", r#"{ "tracing": { "exporter": VALUE } }"#, [r#""console""#, r#""otlp""#]).of(OF_3),
    sample("tracing.endpoint", r#"{ "tracing": { "endpoint": VALUE } }"#, ADDRESSES).of(OF_3),
    sample("tracing.protocol", r#"{ "tracing": { "protocol": VALUE } }"#, [r#""grpc""#, r#""http/protobuf""#]).of(OF_3),
    sample("tracing.service_name", r#"{ "tracing": { "service_name": VALUE } }"#, NAMES).of(OF_31),

    sample("notifications.url", r#"{ "notifications": { "it": { "url": VALUE } } }"#, ADDRESSES),
    sample("notifications.headers", r#"{ "notifications": { "it": { "url": "http://a", "headers": VALUE } } }"#, HEADERS),
    sample("notifications.headers_wo_version", r#"{ "notifications": { "it": { "url": "http://a", "headers_wo": { "A": ["1"] }, "headers_wo_version": VALUE } } }"#, VERSIONS),
    sample("notifications.timeout", r#"{ "notifications": { "it": { "url": "http://a", "timeout": VALUE } } }"#, TIMES),
    sample("notifications.threshold", r#"{ "notifications": { "it": { "url": "http://a", "threshold": VALUE } } }"#, NUMBERS),
    sample("notifications.backoff", r#"{ "notifications": { "it": { "url": "http://a", "backoff": VALUE } } }"#, TIMES),
    sample("notifications.ignore_media_types", r#"{ "notifications": { "it": { "url": "http://a", "ignore_media_types": VALUE } } }"#, LISTS),
    sample("notifications.ignore_actions", r#"{ "notifications": { "it": { "url": "http://a", "ignore_actions": VALUE } } }"#, [r#"["pull"]"#, r#"["push", "delete", "mount"]"#]),
    sample("notifications.disabled", r#"{ "notifications": { "it": { "url": "http://a", "disabled": VALUE } } }"#, SWITCHES),
    sample("notification_references", r#"{ "notification_references": VALUE }"#, SWITCHES),

    sample("validation.enabled", r#"{ "validation": { "enabled": VALUE } }"#, ["false", "true"]),
    sample("validation.allow_urls", r#"{ "validation": { "allow_urls": VALUE } }"#, [r#"["^https://a/"]"#, r#"["^https://(a|b)/", "c"]"#]),
    sample("validation.deny_urls", r#"{ "validation": { "deny_urls": VALUE } }"#, [r#"["^https://a/"]"#, r#"["^https://(a|b)/", "c"]"#]),
    sample("validation.indexes.require", r#"{ "validation": { "indexes": { "require": VALUE } } }"#, [r#""none""#, r#""all""#]).of(OF_3),
    sample("validation.indexes.platforms", r#"{ "validation": { "indexes": { "require": "list", "platforms": VALUE } } }"#, [r#"["linux/amd64"]"#, r#"["linux/amd64", "linux/arm64"]"#]).of(OF_3),
    sample("policy.repository_classes", r#"{ "policy": { "repository_classes": VALUE } }"#, [r#"["image"]"#, r#"["image", "plugin"]"#]),
    sample("limits.catalog_page", r#"{ "limits": { "catalog_page": VALUE } }"#, NUMBERS),
    sample("limits.tags_page", r#"{ "limits": { "tags_page": VALUE } }"#, NUMBERS).of(OF_31),

    sample("compatibility.schema1.enabled", r#"{ "compatibility": { "schema1": { "enabled": VALUE } } }"#, SWITCHES).of(OF_2),
    sample("compatibility.schema1.signing_key", r#"{ "compatibility": { "schema1": { "signing_key": VALUE } } }"#, [r#""SCHEMA1-a""#, r#""SCHEMA1-b""#]).of(OF_2),
    sample("compatibility.schema1.signing_key_wo_version", r#"{ "compatibility": { "schema1": { "signing_key_wo": "SCHEMA1-a", "signing_key_wo_version": VALUE } } }"#, VERSIONS).of(OF_2),
    sample("compatibility.schema1.signing_key_secret", r#"{ "compatibility": { "schema1": { "signing_key_secret": VALUE } } }"#, SECRETS).of(OF_2),
    sample("reporting.bugsnag.api_key", r#"{ "reporting": { "bugsnag": { "endpoint": "http://127.0.0.1:1", "api_key": VALUE } } }"#, NAMES).of(OF_2),
    sample("reporting.bugsnag.api_key_wo_version", r#"{ "reporting": { "bugsnag": { "endpoint": "http://127.0.0.1:1", "api_key_wo": "a", "api_key_wo_version": VALUE } } }"#, VERSIONS).of(OF_2),
    sample("reporting.bugsnag.release_stage", r#"{ "reporting": { "bugsnag": { "api_key": "a", "endpoint": "http://127.0.0.1:1", "release_stage": VALUE } } }"#, NAMES).of(OF_2),
    sample("reporting.bugsnag.endpoint", r#"{ "reporting": { "bugsnag": { "api_key": "a", "endpoint": VALUE } } }"#, [r#""http://127.0.0.1:1""#, r#""http://127.0.0.1:2""#]).of(OF_2),
    sample("reporting.new_relic.license_key", r#"{ "reporting": { "new_relic": { "license_key": VALUE } } }"#, NAMES).of(OF_2),
    sample("reporting.new_relic.license_key_wo_version", r#"{ "reporting": { "new_relic": { "license_key_wo": "a", "license_key_wo_version": VALUE } } }"#, VERSIONS).of(OF_2),
    sample("reporting.new_relic.name", r#"{ "reporting": { "new_relic": { "license_key": "a", "name": VALUE } } }"#, NAMES).of(OF_2),
    sample("reporting.new_relic.verbose", r#"{ "reporting": { "new_relic": { "license_key": "a", "verbose": VALUE } } }"#, SWITCHES).of(OF_2),

    sample("trusted_ca", r#"{ "trusted_ca": VALUE }"#, CERTIFICATES),
    sample("trusted_ca_secret", r#"{ "trusted_ca_secret": VALUE }"#, SECRETS),
    sample("behind_tls_proxy", r#"{ "behind_tls_proxy": VALUE }"#, SWITCHES),
    sample("extra_config", r#"{ "extra_config": VALUE }"#, [r#""log: { fields: { a: b } }""#, r#""log: { fields: { a: c } }""#]),
    sample("extra_config_wo_version", r#"{ "extra_config_wo": "log: { fields: { a: b } }", "extra_config_wo_version": VALUE }"#, VERSIONS),
];

/// What is set together with its version, and stores nothing.
const OTHERS: [&str; 10] = [
    "http.secret_wo",
    "tls.private_key_wo",
    "auth.htpasswd.users_wo",
    "log.mail_hooks.smtp.password_wo",
    "health.http.headers_wo",
    "notifications.headers_wo",
    "compatibility.schema1.signing_key_wo",
    "reporting.bugsnag.api_key_wo",
    "reporting.new_relic.license_key_wo",
    "extra_config_wo",
];

/// What has samples elsewhere, or is no setting of the registry.
const ELSEWHERE: [&str; 6] = ["distribution", "url", "storage", "cache", "middleware", "proxy"];

/// Two certificates of one key, and the key.
struct Pair {
    certificates: [String; 2],
    key: String,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificates = ["hub.docker.local", "hub.example.com"].map(|host| {
        let params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.self_signed(&key).unwrap().pem()
    });
    Pair { certificates, key: key.serialize_pem() }
});

/// What words such as `CERT-a` stand for.
pub fn material(word: &str) -> String {
    let Pair { certificates, key } = &*PAIR;
    match word {
        "CERT-a" => certificates[0].clone(),
        "CERT-b" => certificates[1].clone(),
        "KEY-a" | "SCHEMA1-a" => key.clone(),
        _ => format!("The same key\n{key}"),
    }
}

impl Sample {
    /// The attributes with one of the values.
    pub fn config(&self, index: usize) -> Json {
        let mut text = self.config.replace("VALUE", self.values[index]);
        for word in ["CERT-a", "CERT-b", "KEY-a", "KEY-b", "SCHEMA1-a", "SCHEMA1-b"] {
            let quoted = Json::from(material(word)).to_string();
            text = text.replace(&format!("\"{word}\""), &quoted);
        }
        serde_json::from_str(&text).unwrap()
    }

    /// Where a plan shows that it differs: the first of a list, and a map in the endpoint `it`.
    pub fn differs_at(&self) -> String {
        let list = ["health.files", "health.http", "health.tcp", "log.mail_hooks"]
            .into_iter()
            .find_map(|list| Some((list, self.path.strip_prefix(&format!("{list}."))?)));
        match list {
            Some((list, rest)) => format!("{list}.0.{rest}"),
            None => self.path.replace("notifications.", "notifications.it."),
        }
    }
}

#[test]
fn every_path_of_the_schema_has_a_sample() {
    fn walk(members: &[(&'static str, Attribute)], above: &str, found: &mut BTreeSet<String>) {
        for (name, attribute) in members.iter().filter(|(_, own)| own.required || own.optional) {
            let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
            match &attribute.kind {
                Kind::Nested(_, members) => walk(members, &path, found),
                Kind::Plain(_) => drop(found.insert(path)),
            }
        }
    }
    let mut settable = BTreeSet::new();
    walk(&RegistrySettings::attributes(), "", &mut settable);
    settable.retain(|path| !ELSEWHERE.contains(&path.split('.').next().unwrap()));
    let sampled: BTreeSet<String> =
        SAMPLES.iter().map(|sample| sample.path).chain(OTHERS).map(str::to_owned).collect();
    let missing: Vec<_> = settable.difference(&sampled).collect();
    assert!(missing.is_empty(), "add a sample of each of these to the table: {missing:?}");
    let unknown: Vec<_> = sampled.difference(&settable).collect();
    assert!(unknown.is_empty(), "the schema does not have these any more: {unknown:?}");
}
