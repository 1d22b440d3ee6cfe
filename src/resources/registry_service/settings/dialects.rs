//! Which attribute only some of Distribution's dialects can carry out. The others would ignore its key without a word.

use crate::{
    registry::{Dialect, Finding},
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
    ("storage.tag_lookup_concurrency", In::V3, "C10"),
    ("storage.s3.force_path_style", In::V3, "C10"),
    ("storage.s3.accelerate", In::V3, "C10"),
    ("storage.s3.use_dual_stack", In::V3, "C10"),
    ("storage.s3.use_fips_endpoint", In::V31, "C10"),
    ("storage.s3.log_level", In::V3, "C10"),
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
];

/// What is set although the dialect would ignore it.
pub fn findings(config: &Config, dialect: Dialect) -> Vec<Finding> {
    let is_lost = |(path, read_by, _): &&(&str, In, &str)| {
        !read_by.has(dialect) && !matches!(config.get(path), Value::Null | Value::Unknown(_))
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
