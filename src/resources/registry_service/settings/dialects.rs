//! Which attribute only some of Distribution's dialects can carry out. The others would ignore its key without a word.

use super::tls::{OLD_CIPHER_SUITES, OLD_VERSIONS};
use crate::{
    registry::{Dialect, Finding},
    resources::service::list,
    terraform::{Config, Value},
};

/// The dialects that read an attribute's key.
#[derive(Clone, Copy, PartialEq)]
enum In {
    /// 2.8 alone.
    V2,
    /// 3.0 and later.
    V3,
    /// 3.1 and later.
    V31,
}

impl In {
    fn has(self, dialect: Dialect) -> bool {
        match self {
            In::V2 => dialect == Dialect::V2_8,
            In::V3 => dialect.is_3(),
            In::V31 => dialect >= Dialect::V3_1,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            In::V2 => "2.8, and was removed in 3.0",
            In::V3 => "3.0 and later",
            In::V31 => "3.1 and later",
        }
    }
}

/// What is not in this table, every dialect reads. The code is that of the rule in the documentation of the checks.
const READ_BY: &[(&str, In, &str)] = &[
    ("http.h2c", In::V3, "C10"),
    ("tls.client_auth", In::V3, "T10"),
    ("auth.token.jwks", In::V3, "A6"),
    ("auth.token.jwks_secret", In::V3, "A6"),
    ("auth.token.signing_algorithms", In::V3, "A6"),
    ("auth.token.auto_redirect_path", In::V3, "A6"),
    ("log.report_caller", In::V3, "C10"),
    ("tracing", In::V3, "C10"),
    ("tracing.service_name", In::V31, "C10"),
    ("validation.indexes", In::V3, "C10"),
    ("limits.tags_page", In::V31, "C10"),
    ("compatibility", In::V2, "S7"),
    ("reporting", In::V2, "S7"),
    ("storage.tag_lookup_concurrency", In::V3, "C10"),
    ("storage.s3.force_path_style", In::V3, "C10"),
    ("storage.s3.accelerate", In::V3, "C10"),
    ("storage.s3.use_dual_stack", In::V3, "C10"),
    ("storage.s3.use_fips_endpoint", In::V31, "C10"),
    ("storage.s3.log_level", In::V3, "C10"),
    ("storage.azure.client_secret", In::V3, "S14"),
    ("storage.azure.default_credentials", In::V3, "S14"),
    ("storage.azure.service_url", In::V3, "C10"),
    ("storage.azure.root_directory", In::V3, "C10"),
    ("storage.azure.max_retries", In::V3, "C10"),
    ("storage.azure.retry_delay", In::V3, "C10"),
    ("storage.azure.skip_verify", In::V3, "C10"),
    ("storage.gcs.user_agent", In::V3, "C10"),
    ("storage.swift", In::V2, "S7"),
    ("storage.oss", In::V2, "S7"),
    ("cache.in_memory.size", In::V3, "C10"),
    ("cache.redis.username", In::V3, "C5"),
    ("cache.redis.master_name", In::V3, "C5"),
    ("cache.redis.sentinel_username", In::V3, "C5"),
    ("cache.redis.sentinel_password", In::V3, "C5"),
    ("cache.redis.sentinel_password_wo", In::V3, "C5"),
    ("cache.redis.min_idle", In::V3, "C5"),
    ("cache.redis.max_active", In::V3, "C5"),
    ("cache.redis.max_lifetime", In::V3, "C5"),
    ("cache.redis.pool_timeout", In::V3, "C5"),
    ("cache.redis.pool_fifo", In::V3, "C5"),
    ("cache.redis.max_retries", In::V3, "C5"),
    ("cache.redis.min_retry_backoff", In::V3, "C5"),
    ("cache.redis.max_retry_backoff", In::V3, "C5"),
    ("cache.redis.max_redirects", In::V3, "C5"),
    ("cache.redis.read_only", In::V3, "C5"),
    ("cache.redis.route_by_latency", In::V3, "C5"),
    ("cache.redis.route_randomly", In::V3, "C5"),
    ("cache.redis.context_timeout_enabled", In::V3, "C5"),
    ("cache.redis.client_name", In::V3, "C5"),
    ("cache.redis.protocol", In::V3, "C5"),
    ("cache.redis.disable_identity", In::V3, "C5"),
    ("cache.redis.identity_suffix", In::V3, "C5"),
    ("cache.redis.unstable_resp3", In::V3, "C5"),
    ("cache.redis.tls", In::V3, "C5"),
    ("cache.redis.tls.ca", In::V31, "C5"),
    ("middleware.rewrite", In::V3, "C10"),
    ("middleware.cloudfront.update_frequency", In::V3, "C10"),
    ("proxy.exec", In::V3, "C3"),
    ("proxy.ttl", In::V3, "C3"),
    ("proxy.cache_write_timeout", In::V31, "C3"),
];

/// Words that only some dialects know, although all read the attribute: the registry would not start.
const WORDS: &[(&str, &[&str], In, &str)] =
    &[("tls.minimum", &OLD_VERSIONS, In::V2, "T9"), ("tls.cipher_suites", &OLD_CIPHER_SUITES, In::V2, "T9")];

/// What is set although the dialect would ignore it, or refuse to start with it.
pub fn findings(config: &Config, dialect: Dialect) -> Vec<Finding> {
    let mut found = ignored(config, dialect);
    found.extend(unknown_words(config, dialect));
    if dialect == Dialect::V2_8 && config.is_set("tls.lets_encrypt") {
        let message = "Distribution 2.8 speaks a protocol with Let's Encrypt that was shut down; use an image of \
                       Distribution 3, or give the certificate.";
        found.push(Finding::error("T8", "tls.lets_encrypt", message));
    }
    found
}

fn unknown_words(config: &Config, dialect: Dialect) -> Vec<Finding> {
    let finding = |(path, words, read_by, code): &(&str, &[&str], In, &'static str)| {
        let value = config.get(path);
        let is_said = |word: &&&str| {
            value.as_str() == Some(**word) || list(value).iter().any(|item| item.as_str() == Some(**word))
        };
        let word = words.iter().find(is_said).filter(|_| !read_by.has(dialect))?;
        let message = format!(
            "Only Distribution {} knows `{word}`; {dialect} would not start with it. Leave it out, or use an image of such a \
             version.",
            read_by.in_words()
        );
        Some(Finding::error(code, *path, message))
    };
    WORDS.iter().filter_map(finding).collect()
}

/// Whether an attribute is set to what it is without being set.
fn says_nothing(path: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        // Without it, Distribution decides by the endpoint.
        Value::Bool(flag) => !flag && path != "storage.s3.force_path_style",
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

fn ignored(config: &Config, dialect: Dialect) -> Vec<Finding> {
    let is_lost = |(path, read_by, _): &&(&str, In, &str)| {
        let value = config.get(path);
        !read_by.has(dialect) && !says_nothing(path, value) && !matches!(value, Value::Unknown(_))
    };
    let finding = |(path, read_by, code): &(&str, In, &'static str)| {
        let message = format!(
            "Only Distribution {} has this setting; {dialect} would ignore it without a word. Leave it out, or use \
             an image of such a version.",
            read_by.in_words()
        );
        Finding::error(code, *path, message)
    };
    READ_BY.iter().filter(is_lost).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Object;
    use serde_json::json;

    fn codes(config: serde_json::Value, dialect: Dialect) -> Vec<String> {
        let config = Config(Object::from_value(config.into()).unwrap());
        let found = findings(&config, dialect).into_iter();
        found.map(|finding| format!("{} {}", finding.code, finding.path)).collect()
    }

    #[test]
    fn t9_words_of_another_dialect() {
        let old = json!({ "tls": { "minimum": "tls1.1", "cipher_suites": ["TLS_RSA_WITH_RC4_128_SHA"] } });
        assert!(codes(old.clone(), Dialect::V2_8).is_empty());
        assert_eq!(codes(old, Dialect::V3_0), ["T9 tls.minimum", "T9 tls.cipher_suites"]);
        let new = json!({ "tls": { "minimum": "tls1.3", "cipher_suites": ["TLS_AES_128_GCM_SHA256"] } });
        assert!(Dialect::ALL.into_iter().all(|dialect| codes(new.clone(), dialect).is_empty()));
    }

    #[test]
    fn what_is_so_anyway_is_no_matter_of_dialects() {
        let nothing = json!({
            "http": { "h2c": false },
            "log": { "report_caller": false },
            "auth": { "token": { "signing_algorithms": [] } },
        });
        assert!(Dialect::ALL.into_iter().all(|dialect| codes(nothing.clone(), dialect).is_empty()));
        let something =
            json!({ "storage": { "s3": { "force_path_style": false } }, "http": { "h2c": true } });
        let found = codes(something, Dialect::V2_8);
        assert_eq!(found, ["C10 http.h2c", "C10 storage.s3.force_path_style"]);
    }

    #[test]
    fn t8_the_protocol_of_before() {
        let config = json!({ "tls": { "lets_encrypt": { "hosts": ["hub.example.com"] } } });
        assert_eq!(codes(config.clone(), Dialect::V2_8), ["T8 tls.lets_encrypt"]);
        assert!(codes(config, Dialect::V3_0).is_empty());
    }
}
