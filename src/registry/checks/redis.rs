//! C5 and C6: the shared cache of descriptions of blobs.

use super::Given;
use crate::registry::{Dialect, Finding};

/// `cache.redis` as it is set up.
#[derive(Clone, Debug, Default)]
pub struct Redis<'a> {
    /// Which Distribution.
    pub dialect: Option<Dialect>,
    /// `addresses`, of which all are known.
    pub addresses: Given<Vec<&'a str>>,
    /// Whether `tls` is set.
    pub has_tls: Option<bool>,
    /// Whether `tls.certificate` is set.
    pub has_certificate: Option<bool>,
    /// Whether `tls.private_key` is set, in whatever spelling.
    pub has_key: Option<bool>,
    /// Whether `networks` names any.
    pub has_networks: Option<bool>,
}

/// Applies C5 and C6. That there is an address is part of its type, and that 2.8 knows neither users nor sentinels nor TLS of Redis is told with what else
/// it does not know.
pub fn redis(redis: &Redis<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = "cache.redis.addresses";
    let addresses = redis.addresses.value();
    if addresses.is_some_and(|addresses| addresses.len() > 1) && redis.dialect == Some(Dialect::V2_8) {
        let message = "Distribution 2.8 knows one address only: no cluster, no sentinels. Use one, or an image of \
                       Distribution 3.";
        findings.push(Finding::error("C5", path, message));
    }
    if let (Some(certificate), Some(key)) = (redis.has_certificate, redis.has_key)
        && certificate != key
    {
        let (there, missing) =
            if certificate { ("certificate", "private_key") } else { ("private_key", "certificate") };
        let message = format!(
            "{there} is of no use without {missing}: the registry would not start. Set both, or neither."
        );
        findings.push(Finding::error("C5", format!("cache.redis.tls.{there}"), message));
    }
    if redis.dialect == Some(Dialect::V3_0)
        && (redis.has_tls, redis.has_certificate) == (Some(true), Some(false))
    {
        let message = "Distribution 3.0 speaks TLS to Redis only with a certificate of its own; without one it would send \
                       everything, the password too, in clear. Set certificate and private_key, or use an image of 3.1.";
        findings.push(Finding::error("C5", "cache.redis.tls", message));
    }
    for address in addresses.into_iter().flatten().filter(|_| redis.has_networks == Some(false)) {
        let host = address.rsplit_once(':').map_or(*address, |(host, _)| host);
        if is_service(host) {
            let message = format!(
                "{host} looks like the name of a service, which is known only in a network that both services join, and \
                 this one joins none. Add that network to networks; without the cache the registry works, but slowly."
            );
            findings.push(Finding::warning("C6", "networks", message));
            break;
        }
    }
    findings
}

/// Whether a host is a bare name, as Swarm resolves them within a network.
fn is_service(host: &str) -> bool {
    !host.is_empty() && host != "localhost" && !host.contains(['.', ':', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Redis<'static> {
        Redis {
            dialect: Some(Dialect::V3_1),
            addresses: Given::Is(vec!["redis:6379"]),
            has_tls: Some(false),
            has_certificate: Some(false),
            has_key: Some(false),
            has_networks: Some(true),
        }
    }

    fn codes(case: &Redis<'_>) -> Vec<(bool, &'static str)> {
        redis(case).iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    #[test]
    fn c5_redis_that_cannot_be_called() {
        assert_eq!(codes(&good()), []);
        assert_eq!(codes(&Redis::default()), []);
        let cluster = Redis { addresses: Given::Is(vec!["a:1", "b:1"]), ..good() };
        assert_eq!(codes(&cluster), []);
        assert_eq!(codes(&Redis { dialect: Some(Dialect::V2_8), ..cluster }), [(true, "C5")]);
        let half = Redis { has_certificate: Some(true), ..good() };
        assert_eq!(codes(&half), [(true, "C5")]);
        assert_eq!(codes(&Redis { has_key: Some(true), ..half }), []);
        let clear = Redis { has_tls: Some(true), dialect: Some(Dialect::V3_0), ..good() };
        assert_eq!(codes(&clear), [(true, "C5")]);
        assert_eq!(codes(&Redis { dialect: Some(Dialect::V3_1), ..clear }), []);
    }

    #[test]
    fn c6_redis_in_no_network_of_the_registry() {
        let alone = Redis { has_networks: Some(false), ..good() };
        assert_eq!(codes(&alone), [(false, "C6")]);
        for host in ["redis.example.com:6379", "10.0.0.5:6379", "[fd00::1]:6379", "localhost:6379"] {
            assert_eq!(codes(&Redis { addresses: Given::Is(vec![host]), ..alone.clone() }), [], "{host}");
        }
        assert_eq!(codes(&Redis { has_networks: None, ..good() }), []);
    }
}
