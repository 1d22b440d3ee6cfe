//! T7 to T10: how the registry is to serve TLS.

use super::{Given, Replicas};
use crate::registry::{Dialect, Finding};

/// T7 and its like: what can be given in several spellings is given in exactly one.
///
/// Each spelling comes with whether it is set, if that is certain.
pub fn exactly_one(path: &str, what: &str, spellings: &[(&str, Option<bool>)]) -> Option<Finding> {
    let set = spellings.iter().filter(|(_, set)| *set == Some(true)).count();
    let is_open = spellings.iter().any(|(_, set)| set.is_none());
    if set == 1 || (set == 0 && is_open) {
        return None;
    }
    let names: Vec<&str> = spellings.iter().map(|(name, _)| *name).collect();
    let names = match names.as_slice() {
        [one] => (*one).to_owned(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
        [] => return None,
    };
    let how = if set == 0 { "None is." } else { "More than one is." };
    Some(Finding::error("T7", path, format!("The {what} is given by exactly one of {names}. {how}")))
}

/// The cipher suites that all dialects know.
const CIPHERS: &[&str] = &[
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// Those that went with 2.8.
const CIPHERS_OF_2: &[&str] = &[
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
];

/// T9: the oldest version of TLS, and the cipher suites.
pub fn versions_and_ciphers(dialect: Dialect, minimum: Option<&str>, ciphers: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let versions: &[&str] = match dialect.is_3() {
        true => &["tls1.2", "tls1.3"],
        false => &["tls1.0", "tls1.1", "tls1.2", "tls1.3"],
    };
    if let Some(minimum) = minimum.filter(|minimum| !versions.contains(minimum)) {
        let message = format!(
            "Distribution {dialect} does not start with {minimum:?}. It knows {}; tls1.2 is the default.",
            versions.join(", ")
        );
        findings.push(Finding::error("T9", "tls.minimum", message));
    }
    for (at, cipher) in ciphers.iter().enumerate() {
        let path = format!("tls.cipher_suites[{at}]");
        if CIPHERS.contains(&cipher.as_str()) {
            continue;
        }
        let message = match (CIPHERS_OF_2.contains(&cipher.as_str()), dialect.is_3()) {
            (true, false) => continue,
            (true, true) => format!(
                "{cipher} was removed in Distribution 3 as broken: the registry would not start. Leave it out."
            ),
            (false, _) => {
                let nearest = CIPHERS
                    .iter()
                    .min_by_key(|known| strsim::levenshtein(known, cipher))
                    .map_or(String::new(), |known| format!(" Did you mean {known}?"));
                format!(
                    "Distribution knows no cipher suite {cipher:?}: the registry would not start.{nearest}"
                )
            }
        };
        findings.push(Finding::error("T9", path, message));
    }
    findings
}

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
    /// Which Distribution.
    pub dialect: Option<Dialect>,
    /// Whether a certificate is given too.
    pub has_certificate: Option<bool>,
    /// How many tasks there are.
    pub replicas: Option<Replicas>,
    /// How many names there are.
    pub hosts: Given<usize>,
    /// The ports that are published; `None` where not all of them are known.
    pub publishes_443: Option<bool>,
}

/// T8: certificates from Let's Encrypt.
pub fn lets_encrypt(own: &LetsEncrypt) -> Vec<Finding> {
    let path = "tls.lets_encrypt";
    let mut findings = Vec::new();
    let mut refuse = |path: &str, message: &str| findings.push(Finding::error("T8", path, message));
    if own.has_certificate == Some(true) {
        refuse(
            path,
            "With a certificate of your own there is nothing to get from Let's Encrypt: the registry would not start \
             (\"cannot specify both\"). Leave one of them out.",
        );
    }
    if own.dialect == Some(Dialect::V2_8) {
        refuse(
            path,
            "Distribution 2.8 speaks the first version of the ACME protocol, which Let's Encrypt has switched off. Use an \
             image of Distribution 3, or give the certificate.",
        );
    }
    if own.replicas.is_some_and(Replicas::are_many) {
        refuse(
            path,
            "Let's Encrypt proves the name by a connection to one replica, and each has orders of its own: with several, \
             most fail, until its limits are reached. Use one replica, or give the certificate.",
        );
    }
    if matches!(own.hosts, Given::Unset | Given::Is(0)) {
        refuse(
            "tls.lets_encrypt.hosts",
            "Without names the registry would order a certificate for whatever name anybody calls it by. Name its hosts.",
        );
    }
    if own.publishes_443 == Some(false) {
        refuse(
            "publish",
            "Let's Encrypt connects to port 443 of the name (TLS-ALPN-01), which is not published. Publish port 443.",
        );
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
    fn t7_one_thing_one_spelling() {
        let check = |certificate, secret| {
            let spellings = [("certificate", certificate), ("certificate_secret", secret)];
            exactly_one("tls", "certificate", &spellings).map(|finding| finding.code)
        };
        assert_eq!(check(Some(true), Some(false)), None);
        assert_eq!(check(Some(true), Some(true)), Some("T7"));
        assert_eq!(check(Some(false), Some(false)), Some("T7"));
        assert_eq!(check(Some(false), None), None);
        let said = exactly_one("tls", "key", &[("a", Some(false)), ("b", Some(false)), ("c", Some(false))]);
        assert!(said.unwrap().message.contains("a, b and c"));
    }

    #[test]
    fn t8_lets_encrypt_where_it_cannot_work() {
        let good = LetsEncrypt {
            dialect: Some(Dialect::V3_1),
            has_certificate: Some(false),
            replicas: Some(Replicas::Count(1)),
            hosts: Given::Is(1),
            publishes_443: Some(true),
        };
        assert_eq!(lets_encrypt(&good), []);
        assert_eq!(lets_encrypt(&LetsEncrypt::default()), []);
        for bad in [
            LetsEncrypt { dialect: Some(Dialect::V2_8), ..good },
            LetsEncrypt { has_certificate: Some(true), ..good },
            LetsEncrypt { replicas: Some(Replicas::Count(2)), ..good },
            LetsEncrypt { replicas: Some(Replicas::Global), ..good },
            LetsEncrypt { hosts: Given::Unset, ..good },
            LetsEncrypt { hosts: Given::Is(0), ..good },
            LetsEncrypt { publishes_443: Some(false), ..good },
        ] {
            assert_eq!(codes(&lets_encrypt(&bad)), ["T8"], "{bad:?}");
        }
    }

    #[test]
    fn t9_versions_and_ciphers_that_the_dialect_does_not_know() {
        let check = |dialect, minimum, ciphers: &[&str]| {
            let ciphers: Vec<String> = ciphers.iter().map(|cipher| (*cipher).to_owned()).collect();
            codes(&versions_and_ciphers(dialect, minimum, &ciphers))
        };
        for dialect in Dialect::ALL {
            assert_eq!(check(dialect, Some("tls1.3"), &["TLS_AES_128_GCM_SHA256"]), [""; 0]);
            assert_eq!(check(dialect, Some("1.2"), &[]), ["T9"]);
            assert_eq!(check(dialect, None, &["TLS_AES_128_GCM"]), ["T9"]);
        }
        assert_eq!(check(Dialect::V2_8, Some("tls1.0"), &["TLS_RSA_WITH_RC4_128_SHA"]), [""; 0]);
        assert_eq!(check(Dialect::V3_0, Some("tls1.0"), &["TLS_RSA_WITH_RC4_128_SHA"]), ["T9", "T9"]);
        let typo = versions_and_ciphers(Dialect::V3_1, None, &["TLS_AES_128_GCM_SHA265".to_owned()]);
        assert!(typo[0].message.ends_with("Did you mean TLS_AES_128_GCM_SHA256?"), "{typo:?}");
        assert_eq!(typo[0].path, "tls.cipher_suites[0]");
    }

    #[test]
    fn t10_client_certificates_that_nobody_checks() {
        assert_eq!(client_auth(Some(true), Some(false)).map(|finding| finding.code), Some("T10"));
        assert_eq!(client_auth(Some(true), Some(true)), None);
        assert_eq!(client_auth(Some(false), Some(false)), None);
        assert_eq!(client_auth(Some(true), None), None);
    }
}
