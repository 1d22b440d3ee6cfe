//! T8 and T10: how the registry is to serve TLS. What a version of Distribution does not know is told with the rest of that.

use super::Replicas;
use crate::registry::Finding;

/// T10: how client certificates are asked for, without authorities to check them by. That 2.8 does not know
/// `tls.client_auth` is told with what else it does not know.
pub fn client_auth(is_set: Option<bool>, has_client_ca: Option<bool>) -> Option<Finding> {
    (is_set? && !has_client_ca?).then(|| {
        let message = "client_auth has no effect without client_ca: no certificate would be asked for, and everybody let \
                       in. Set client_ca, or leave it out.";
        Finding::error("T10", "tls.client_auth", message)
    })
}

/// What the rule on Let's Encrypt looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct LetsEncrypt {
    /// How many tasks there are.
    pub replicas: Option<Replicas>,
    /// Whether port 443 is among those that are published; `None` where not all of them are known.
    pub publishes_443: Option<bool>,
}

/// T8: certificates from Let's Encrypt.
pub fn lets_encrypt(own: &LetsEncrypt) -> Vec<Finding> {
    let mut findings = Vec::new();
    if own.replicas.is_some_and(Replicas::are_many) {
        findings.push(Finding::error(
            "T8",
            "tls.lets_encrypt",
            "Let's Encrypt proves the name by a connection to one replica, and each has orders of its own: with several, \
             most fail, until its limits are reached. Use one replica, or give the certificate.",
        ));
    }
    if own.publishes_443 == Some(false) {
        let message = "Let's Encrypt connects to port 443 of the name (TLS-ALPN-01), which is not published. Publish port 443, \
                       unless something in front of the swarm passes such connections on as they are.";
        findings.push(Finding::warning("T8", "publish", message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn t8_lets_encrypt_where_it_cannot_work() {
        let good = LetsEncrypt { replicas: Some(Replicas::Count(1)), publishes_443: Some(true) };
        assert_eq!(lets_encrypt(&good), []);
        assert_eq!(lets_encrypt(&LetsEncrypt::default()), []);
        for bad in [
            LetsEncrypt { replicas: Some(Replicas::Count(2)), ..good },
            LetsEncrypt { replicas: Some(Replicas::Global), ..good },
            LetsEncrypt { publishes_443: Some(false), ..good },
        ] {
            assert_eq!(codes(&lets_encrypt(&bad)), ["T8"], "{bad:?}");
        }
    }

    #[test]
    fn t10_client_certificates_that_nobody_checks() {
        assert_eq!(client_auth(Some(true), Some(false)).map(|finding| finding.code), Some("T10"));
        assert_eq!(client_auth(Some(true), Some(true)), None);
        assert_eq!(client_auth(Some(false), Some(false)), None);
        assert_eq!(client_auth(Some(true), None), None);
    }
}
