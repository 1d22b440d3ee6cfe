//! Two values of every attribute of `storage`, `cache`, `middleware` and `proxy`.

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use swarm::{
    resources::RegistrySettings,
    terraform::{Attribute, Kind, Model},
};

/// Two values of one attribute.
pub struct Sample {
    /// The path in the schema.
    pub path: &'static str,
    /// The two values, as JSON.
    pub values: [&'static str; 2],
    /// The oldest dialect that reads it; of what 3 has no more, the only one.
    pub dialect: &'static str,
    /// What must be set beside it, as JSON, where it is more than the rest of its object. What has the same can be set
    /// together.
    pub with: &'static str,
}

const fn sample(path: &'static str, values: [&'static str; 2]) -> Sample {
    Sample { path, values, dialect: "2.8", with: "{}" }
}

const fn of_3(path: &'static str, values: [&'static str; 2]) -> Sample {
    Sample { path, values, dialect: "3.0", with: "{}" }
}

const fn of_31(path: &'static str, values: [&'static str; 2]) -> Sample {
    Sample { path, values, dialect: "3.1", with: "{}" }
}

impl Sample {
    /// The same, beside something else of the whole configuration.
    const fn with(self, with: &'static str) -> Self {
        Sample { with, ..self }
    }
}

/// What an object needs before any attribute in it can be set, by the beginning of the attribute's path.
const BASES: &[(&str, &str)] = &[
    ("storage.filesystem.volume", r#"{"storage":{"filesystem":{}}}"#),
    ("storage.filesystem.bind", r#"{"storage":{"filesystem":{}}}"#),
    ("storage.filesystem.cluster_volume", r#"{"storage":{"filesystem":{}}}"#),
    ("storage.filesystem.nfs", r#"{"storage":{"filesystem":{"nfs":{"server":"nas","path":"/hub"}}}}"#),
    ("storage.filesystem.tmpfs", r#"{"storage":{"filesystem":{"tmpfs":{}}}}"#),
    (
        "storage.s3",
        r#"{"storage":{"s3":{"bucket":"hub","region":"r","region_endpoint":"http://127.0.0.1:1"}}}"#,
    ),
    (
        "storage.azure.client_secret",
        r#"{"storage":{"azure":{"account_name":"hub","container":"c","client_secret":{"client_id":"i","tenant_id":"t","secret":"s"}}}}"#,
    ),
    ("storage.azure", r#"{"storage":{"azure":{"account_name":"hub","container":"c","account_key":"a2V5"}}}"#),
    ("storage.gcs", r#"{"storage":{"gcs":{"bucket":"hub","key_json":"{\"type\":\"service_account\"}"}}}"#),
    (
        "storage.swift",
        r#"{"storage":{"swift":{"username":"u","password":"p","auth_url":"http://127.0.0.1:1/v3","container":"c","domain":"d"}}}"#,
    ),
    (
        "storage.oss",
        r#"{"storage":{"oss":{"bucket":"hub","region":"oss-cn-beijing","access_key_id":"a","access_key_secret":"s"}}}"#,
    ),
    ("storage.in_memory", r#"{"storage":{"filesystem":{"volume":"images"}}}"#),
    ("storage.upload_purging", r#"{"storage":{"filesystem":{"volume":"images"},"upload_purging":{}}}"#),
    ("storage", r#"{"storage":{"filesystem":{"volume":"images"}}}"#),
    (
        "cache.redis.tls",
        r#"{"cache":{"redis":{"addresses":["127.0.0.1:1"],"tls":{"certificate":"PEM","private_key":"KEY"}}}}"#,
    ),
    ("cache.redis", r#"{"cache":{"redis":{"addresses":["127.0.0.1:1"]}}}"#),
    ("cache.in_memory", r#"{"cache":{"in_memory":{}}}"#),
    ("cache.none", r#"{"cache":{"in_memory":{}}}"#),
    (
        "middleware.cloudfront",
        r#"{"storage":{"s3":{"bucket":"hub","region":"r","region_endpoint":"http://127.0.0.1:1"}},
            "middleware":{"cloudfront":{"base_url":"https://d1.cloudfront.net/","key_pair_id":"K","private_key":"RSA"}}}"#,
    ),
    ("middleware.redirect", r#"{"middleware":{"redirect":{"base_url":"https://layers.example.com"}}}"#),
    ("middleware.rewrite", r#"{"middleware":{"rewrite":{}}}"#),
    ("proxy.exec", r#"{"proxy":{"remote_url":"UPSTREAM","exec":{"command":"/bin/helper"}}}"#),
    ("proxy", r#"{"proxy":{"remote_url":"UPSTREAM"}}"#),
];

const VERSIONS: [&str; 2] = ["2", "3"];
const SWITCHES: [&str; 2] = ["true", "false"];
const NAMES: [&str; 2] = [r#""a""#, r#""b""#];
const TIMES: [&str; 2] = [r#""7s""#, r#""8s""#];
const NUMBERS: [&str; 2] = ["41", "42"];
const SIZES: [&str; 2] = [r#""6MiB""#, r#""7MiB""#];
const SECRETS: [&str; 2] = [r#""SECRET-a""#, r#""SECRET-b""#];

#[rustfmt::skip]
pub const SAMPLES: &[Sample] = &[
    sample("storage.delete", SWITCHES),
    sample("storage.redirect", ["false", "true"]),
    sample("storage.read_only", SWITCHES),
    of_3("storage.tag_lookup_concurrency", ["0", "9"]),
    sample("storage.upload_purging.enabled", ["false", "true"]),
    sample("storage.upload_purging.age", [r#""1h""#, r#""2h""#]),
    sample("storage.upload_purging.interval", [r#""1h""#, r#""2h""#]),
    sample("storage.upload_purging.dry_run", SWITCHES),

    sample("storage.filesystem.volume", NAMES),
    sample("storage.filesystem.bind", [r#""/mnt/a""#, r#""/mnt/b""#]),
    sample("storage.filesystem.nfs.server", [r#""nas""#, r#""10.0.0.9""#]),
    sample("storage.filesystem.nfs.path", [r#""/a""#, r#""/b""#]),
    sample("storage.filesystem.nfs.options", ["[]", r#"["nfsvers=4.1", "soft"]"#]),
    sample("storage.filesystem.cluster_volume", [r#""a""#, r#""group:b""#]),
    sample("storage.filesystem.tmpfs.size", SIZES),
    sample("storage.filesystem.root_directory", [r#""/a""#, r#""/b/c""#]),
    sample("storage.filesystem.max_threads", ["25", "100"]),
    sample("storage.filesystem.shared", SWITCHES),

    sample("storage.s3.bucket", NAMES),
    sample("storage.s3.region", NAMES),
    sample("storage.s3.region_endpoint", [r#""127.0.0.1:1""#, r#""http://localhost:2""#]),
    of_3("storage.s3.force_path_style", ["false", "true"]),
    sample("storage.s3.root_directory", [r#""/a""#, r#""b/c""#]),
    sample("storage.s3.access_key", NAMES).with(r#"{"storage":{"s3":{"secret_key":"s"}}}"#),
    sample("storage.s3.secret_key", NAMES).with(r#"{"storage":{"s3":{"access_key":"s"}}}"#),
    sample("storage.s3.credentials_wo_version", VERSIONS).with(r#"{"storage":{"s3":{"access_key_wo":"a","secret_key_wo":"s"}}}"#),
    sample("storage.s3.credentials_secret", SECRETS),
    sample("storage.s3.encrypt", SWITCHES),
    sample("storage.s3.kms_key_id", NAMES).with(r#"{"storage":{"s3":{"encrypt":true}}}"#),
    sample("storage.s3.secure", ["false", "true"]),
    sample("storage.s3.skip_verify", SWITCHES),
    sample("storage.s3.v4_auth", ["false", "true"]),
    sample("storage.s3.chunk_size", SIZES),
    sample("storage.s3.multipart_copy_chunk_size", SIZES),
    sample("storage.s3.multipart_copy_max_concurrency", NUMBERS),
    sample("storage.s3.multipart_copy_threshold_size", SIZES),
    sample("storage.s3.storage_class", [r#""NONE""#, r#""REDUCED_REDUNDANCY""#]),
    sample("storage.s3.object_acl", [r#""public-read""#, r#""bucket-owner-full-control""#]),
    sample("storage.s3.user_agent", NAMES),
    of_3("storage.s3.accelerate", SWITCHES),
    of_3("storage.s3.use_dual_stack", SWITCHES),
    of_31("storage.s3.use_fips_endpoint", SWITCHES),
    of_3("storage.s3.log_level", [r#""debug""#, r#""off""#]),

    sample("storage.azure.account_name", NAMES),
    sample("storage.azure.container", NAMES),
    sample("storage.azure.account_key", [r#""a2V5""#, r#""a2V6""#]),
    sample("storage.azure.account_key_wo_version", VERSIONS).with(r#"{"storage":{"azure":{"account_key":null,"account_key_wo":"a2V5"}}}"#),
    of_3("storage.azure.client_secret.client_id", NAMES),
    of_3("storage.azure.client_secret.tenant_id", NAMES),
    of_3("storage.azure.client_secret.secret", NAMES),
    of_3("storage.azure.client_secret.secret_wo_version", VERSIONS).with(r#"{"storage":{"azure":{"client_secret":{"secret":null,"secret_wo":"s"}}}}"#),
    of_3("storage.azure.default_credentials", ["true", "true"]).with(r#"{"storage":{"azure":{"account_key":null}}}"#),
    sample("storage.azure.realm", NAMES),
    of_3("storage.azure.service_url", [r#""https://a.b""#, r#""http://azurite:10000""#]),
    of_3("storage.azure.root_directory", NAMES),
    of_3("storage.azure.max_retries", ["-1", "9"]),
    of_3("storage.azure.retry_delay", TIMES),
    of_3("storage.azure.skip_verify", SWITCHES),

    sample("storage.gcs.bucket", NAMES),
    sample("storage.gcs.key_json", [r#""{\"type\":\"a\"}""#, r#""{\"type\":\"b\"}""#]),
    sample("storage.gcs.key_json_wo_version", VERSIONS).with(r#"{"storage":{"gcs":{"key_json":null,"key_json_wo":"{\"type\":\"a\"}"}}}"#),
    sample("storage.gcs.key_json_secret", SECRETS).with(r#"{"storage":{"gcs":{"key_json":null}}}"#),
    sample("storage.gcs.root_directory", NAMES),
    sample("storage.gcs.chunk_size", [r#""256KiB""#, r#""512KiB""#]),
    sample("storage.gcs.max_concurrency", NUMBERS),
    of_3("storage.gcs.user_agent", NAMES),

    sample("storage.swift.username", NAMES),
    sample("storage.swift.password", NAMES),
    sample("storage.swift.password_wo_version", VERSIONS).with(r#"{"storage":{"swift":{"password":null,"password_wo":"s"}}}"#),
    sample("storage.swift.auth_url", [r#""http://127.0.0.1:2/v3""#, r#""http://127.0.0.1:3/v3""#]),
    sample("storage.swift.auth_version", ["2", "3"]),
    sample("storage.swift.container", NAMES),
    sample("storage.swift.prefix", NAMES),
    sample("storage.swift.region", NAMES),
    sample("storage.swift.tenant", NAMES),
    sample("storage.swift.tenant_id", NAMES),
    sample("storage.swift.domain", NAMES),
    sample("storage.swift.domain_id", NAMES),
    sample("storage.swift.tenant_domain", NAMES),
    sample("storage.swift.tenant_domain_id", NAMES),
    sample("storage.swift.trust_id", NAMES),
    sample("storage.swift.endpoint_type", [r#""internal""#, r#""admin""#]),
    sample("storage.swift.insecure_skip_verify", SWITCHES),
    sample("storage.swift.chunk_size", SIZES),
    sample("storage.swift.secret_key", NAMES),
    sample("storage.swift.secret_key_wo_version", VERSIONS).with(r#"{"storage":{"swift":{"secret_key_wo":"s"}}}"#),
    sample("storage.swift.access_key", NAMES),
    sample("storage.swift.temp_url_container_key", SWITCHES),
    sample("storage.swift.temp_url_methods", [r#"["GET"]"#, r#"["GET", "HEAD"]"#]),

    sample("storage.oss.bucket", NAMES),
    sample("storage.oss.region", NAMES),
    sample("storage.oss.access_key_id", NAMES),
    sample("storage.oss.access_key_secret", NAMES),
    sample("storage.oss.credentials_wo_version", VERSIONS).with(r#"{"storage":{"oss":{"access_key_id":null,"access_key_secret":null,"access_key_id_wo":"a","access_key_secret_wo":"s"}}}"#),
    sample("storage.oss.endpoint", NAMES),
    sample("storage.oss.internal", SWITCHES),
    sample("storage.oss.encrypt", SWITCHES),
    sample("storage.oss.secure", ["false", "true"]),
    sample("storage.oss.chunk_size", SIZES),
    sample("storage.oss.root_directory", NAMES),

    sample("storage.in_memory", ["{}", "{}"]).with(r#"{"storage":{"filesystem":null}}"#),

    sample("cache.none", ["{}", "{}"]).with(r#"{"cache":{"in_memory":null}}"#),
    of_3("cache.in_memory.size", ["0", "9"]),
    sample("cache.redis.addresses", [r#"["127.0.0.1:2"]"#, r#"["localhost:1"]"#]),
    of_3("cache.redis.username", NAMES),
    sample("cache.redis.password", NAMES),
    sample("cache.redis.password_wo_version", VERSIONS).with(r#"{"cache":{"redis":{"password_wo":"s"}}}"#),
    sample("cache.redis.db", ["0", "1"]),
    of_3("cache.redis.master_name", NAMES),
    of_3("cache.redis.sentinel_username", NAMES),
    of_3("cache.redis.sentinel_password", NAMES),
    of_3("cache.redis.sentinel_password_wo_version", VERSIONS).with(r#"{"cache":{"redis":{"sentinel_password_wo":"s"}}}"#),
    sample("cache.redis.dial_timeout", TIMES),
    sample("cache.redis.read_timeout", TIMES),
    sample("cache.redis.write_timeout", TIMES),
    sample("cache.redis.pool_size", NUMBERS),
    sample("cache.redis.max_idle", NUMBERS),
    sample("cache.redis.idle_timeout", TIMES),
    of_3("cache.redis.min_idle", NUMBERS),
    of_3("cache.redis.max_active", NUMBERS),
    of_3("cache.redis.max_lifetime", TIMES),
    of_3("cache.redis.pool_timeout", TIMES),
    of_3("cache.redis.pool_fifo", SWITCHES),
    of_3("cache.redis.max_retries", ["-1", "3"]),
    of_3("cache.redis.min_retry_backoff", TIMES),
    of_3("cache.redis.max_retry_backoff", TIMES),
    of_3("cache.redis.max_redirects", NUMBERS),
    of_3("cache.redis.read_only", SWITCHES),
    of_3("cache.redis.route_by_latency", SWITCHES),
    of_3("cache.redis.route_randomly", SWITCHES),
    of_3("cache.redis.context_timeout_enabled", SWITCHES),
    of_3("cache.redis.client_name", NAMES),
    of_3("cache.redis.protocol", ["2", "3"]),
    of_3("cache.redis.disable_identity", SWITCHES),
    of_3("cache.redis.identity_suffix", NAMES),
    of_3("cache.redis.unstable_resp3", SWITCHES),
    of_31("cache.redis.tls.ca", NAMES),
    of_3("cache.redis.tls.certificate", NAMES),
    of_3("cache.redis.tls.private_key", NAMES),
    of_3("cache.redis.tls.private_key_wo_version", VERSIONS).with(r#"{"cache":{"redis":{"tls":{"private_key":null,"private_key_wo":"s"}}}}"#),
    of_3("cache.redis.tls.private_key_secret", SECRETS).with(r#"{"cache":{"redis":{"tls":{"private_key":null}}}}"#),

    sample("middleware.cloudfront.base_url", [r#""https://a.b""#, r#""c.d""#]),
    sample("middleware.cloudfront.key_pair_id", NAMES),
    sample("middleware.cloudfront.private_key", [r#""RSA""#, r#""RSA\n""#]),
    sample("middleware.cloudfront.private_key_wo_version", VERSIONS).with(r#"{"middleware":{"cloudfront":{"private_key":null,"private_key_wo":"RSA"}}}"#),
    sample("middleware.cloudfront.private_key_secret", SECRETS).with(r#"{"middleware":{"cloudfront":{"private_key":null}}}"#),
    sample("middleware.cloudfront.duration", TIMES),
    sample("middleware.cloudfront.ip_filtered_by", [r#""awsregion""#, r#""none""#]).with(r#"{"middleware":{"cloudfront":{"aws_regions":["a"],"ip_ranges_url":"http://127.0.0.1:1/"}}}"#),
    sample("middleware.cloudfront.aws_regions", [r#"["a"]"#, r#"["a", "b"]"#]),
    of_3("middleware.cloudfront.update_frequency", TIMES),
    sample("middleware.cloudfront.ip_ranges_url", [r#""http://a.b/c""#, r#""http://a.b/d""#]),
    sample("middleware.redirect.base_url", [r#""https://a.b""#, r#""http://c.d""#]),
    of_3("middleware.rewrite.scheme", [r#""http""#, r#""https""#]),
    of_3("middleware.rewrite.host", NAMES),
    of_3("middleware.rewrite.trim_path_prefix", NAMES),

    sample("proxy.remote_url", [r#""UPSTREAM""#, r#""UPSTREAM/""#]),
    sample("proxy.username", NAMES).with(r#"{"proxy":{"password":"p"}}"#),
    sample("proxy.password", NAMES).with(r#"{"proxy":{"username":"u"}}"#),
    sample("proxy.password_wo_version", VERSIONS).with(r#"{"proxy":{"username":"u","password_wo":"p"}}"#),
    of_3("proxy.exec.command", NAMES),
    of_3("proxy.exec.lifetime", TIMES),
    of_3("proxy.ttl", [r#""2h""#, r#""1h""#]),
    of_31("proxy.cache_write_timeout", TIMES),
];

/// What is set together with its version, and what stores nothing.
const OTHERS: [&str; 14] = [
    "storage.s3.access_key_wo",
    "storage.s3.secret_key_wo",
    "storage.azure.account_key_wo",
    "storage.azure.client_secret.secret_wo",
    "storage.gcs.key_json_wo",
    "storage.swift.password_wo",
    "storage.swift.secret_key_wo",
    "storage.oss.access_key_id_wo",
    "storage.oss.access_key_secret_wo",
    "cache.redis.password_wo",
    "cache.redis.sentinel_password_wo",
    "cache.redis.tls.private_key_wo",
    "middleware.cloudfront.private_key_wo",
    "proxy.password_wo",
];

impl Sample {
    /// A whole configuration with the attribute's value, or with none of its own.
    pub fn config(&self, value: Option<usize>) -> Json {
        let mut config = self.base();
        if let Some(index) = value {
            self.set(&mut config, index);
        }
        config
    }

    /// Sets the attribute in a configuration.
    pub fn set(&self, config: &mut Json, index: usize) {
        let mut here = config;
        for step in self.path.split('.') {
            here = here.as_object_mut().unwrap().entry(step).or_insert(json!({}));
        }
        *here = serde_json::from_str(self.values[index]).unwrap();
    }

    /// What has the same can be set together with it.
    pub fn group(&self) -> (&'static str, &'static str, bool) {
        let (start, _) = BASES.iter().find(|(start, _)| self.path.starts_with(start)).unwrap();
        (start, self.with, self.dialect == "2.8")
    }

    /// What the attribute needs around it.
    pub fn base(&self) -> Json {
        let mut config = self.bare();
        merge(&mut config, serde_json::from_str(self.with).unwrap());
        config
    }

    /// What it needs around it in any case.
    pub fn bare(&self) -> Json {
        let (_, base) = BASES.iter().find(|(start, _)| self.path.starts_with(start)).unwrap();
        let mut config: Json = serde_json::from_str(base).unwrap();
        if config.get("storage").is_none() {
            merge(&mut config, json!({ "storage": { "filesystem": { "volume": "images" } } }));
        }
        config
    }

    /// The dialects that read the attribute.
    pub fn dialects(&self) -> Vec<&'static str> {
        let is_gone = self.path.starts_with("storage.swift") || self.path.starts_with("storage.oss");
        let known = ["2.8", "3.0", "3.1"].into_iter().filter(|dialect| *dialect >= self.dialect);
        known.filter(|dialect| !is_gone || *dialect == "2.8").collect()
    }
}

/// Lays attributes over others, objects in objects; null takes one away.
pub fn merge(base: &mut Json, over: Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                if value.is_null() {
                    base.remove(&key);
                } else {
                    merge(base.entry(key).or_insert(json!({})), value);
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// All paths of the sections that a configuration can set.
fn settable() -> Vec<String> {
    fn walk(members: &[(&'static str, Attribute)], above: &str, found: &mut Vec<String>) {
        for (name, attribute) in members.iter().filter(|(_, own)| own.required || own.optional) {
            let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
            match &attribute.kind {
                Kind::Nested(_, members) if !members.is_empty() => walk(members, &path, found),
                _ => found.push(path),
            }
        }
    }
    let sections = ["storage", "cache", "middleware", "proxy"];
    let mut attributes = RegistrySettings::attributes();
    attributes.retain(|(name, _)| sections.contains(name));
    let mut found = vec![];
    walk(&attributes, "", &mut found);
    found
}

#[test]
fn every_path_of_the_schema_has_a_sample() {
    let sampled: BTreeMap<&str, ()> =
        SAMPLES.iter().map(|sample| sample.path).chain(OTHERS).map(|path| (path, ())).collect();
    let settable = settable();
    let missing: Vec<_> = settable.iter().filter(|path| !sampled.contains_key(path.as_str())).collect();
    assert!(missing.is_empty(), "add a sample of each of these to the table: {missing:?}");
    let unknown: Vec<_> =
        sampled.keys().filter(|path| !settable.iter().any(|known| known == *path)).collect();
    assert!(unknown.is_empty(), "the schema does not have these any more: {unknown:?}");
}
