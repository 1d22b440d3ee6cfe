//! What the registry is beside a store of images: a cache of another, a reader of Redis, a teller of events.

use super::{look::Look, scheduling, storage};
use crate::{
    registry::{
        Finding,
        checks::{self, Cache, Given, Redis},
    },
    resources::service::list,
    terraform::{Config, Duration, Value},
};

/// C14, which needs no configuration file.
pub(super) fn always(config: &Config) -> Vec<Finding> {
    let mut texts = vec![];
    if let Value::Map(env) = config.get("env") {
        let known = env.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        texts.extend(known.map(|(name, value)| (format!("env[\"{name}\"]"), value)));
    }
    texts.extend(Look(config).text("hostname").map(|hostname| ("hostname".to_owned(), hostname)));
    for (at, source) in Look(config).texts("mounts", "source").into_iter().enumerate() {
        texts.extend(source.map(|source| (format!("mounts[{at}].source"), source)));
    }
    checks::templates(texts)
}

/// C1 to C6, C16 and C17.
pub(super) fn rendered(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    let mut findings = vec![];
    if look.is_set("proxy") == Some(true) {
        findings.extend(checks::cache(&cache(look)));
    }
    if look.is_set("cache.redis") == Some(true) {
        findings.extend(checks::redis(&redis(look)));
    }
    findings.extend(notifications(look));
    findings.extend(checks::cloudfront(look.is_set("middleware.cloudfront"), look.is_set("storage.s3")));
    findings
}

/// Whether a cache removes what is old; none where that is not known.
pub(super) fn expires(look: Look<'_>) -> Option<bool> {
    let ttl = match look.0.get("proxy.ttl") {
        Value::Null => Given::Unset,
        _ => look.0.known::<Duration>("proxy.ttl").map_or(Given::Unknown, |ttl| Given::Is(ttl.to_std())),
    };
    checks::expires(ttl, look.dialect())
}

fn cache(look: Look<'_>) -> Cache<'_> {
    let most = look.number("placement.max_replicas_per_node");
    Cache {
        remote_url: look.given("proxy.remote_url"),
        has_username: look.is_set("proxy.username"),
        has_auth: look.is_set("auth"),
        expires: expires(look),
        deletes: look.flag("storage.delete", false),
        replicas: look.replicas(),
        store: storage::store(look),
        max_per_node: most.and_then(|most| u64::try_from(most).ok()),
        order: scheduling::order(look),
    }
}

fn redis(look: Look<'_>) -> Redis<'_> {
    let addresses = list(look.0.get("cache.redis.addresses"));
    let known: Vec<&str> = addresses.iter().filter_map(Value::as_str).collect();
    Redis {
        dialect: look.dialect(),
        addresses: if known.len() == addresses.len() { Given::Is(known) } else { Given::Unknown },
        has_tls: look.is_set("cache.redis.tls"),
        has_certificate: look.is_set("cache.redis.tls.certificate"),
        has_key: look.any_set("cache.redis.tls", ["private_key", "private_key_wo", "private_key_secret"]),
        has_networks: match look.0.get("networks") {
            Value::Null => Some(false),
            Value::List(networks) => Some(!networks.is_empty()),
            _ => None,
        },
    }
}

/// C16. At a level above info nothing is logged of headers.
fn notifications(look: Look<'_>) -> Vec<Finding> {
    let is_logged = match look.given("log.level") {
        Given::Unset => true,
        Given::Is(level) => matches!(level, "info" | "debug"),
        Given::Unknown => false,
    };
    let (Value::Map(endpoints), true) = (look.0.get("notifications"), is_logged) else { return vec![] };
    let mut findings = vec![];
    for (name, endpoint) in endpoints {
        for spelling in ["headers", "headers_wo"] {
            if let Value::Map(headers) = endpoint.get(spelling) {
                let path = format!("notifications[\"{name}\"].{spelling}");
                let names = headers.keys().map(String::as_str);
                findings.extend(checks::notification_headers(&path, names));
            }
        }
    }
    findings
}
