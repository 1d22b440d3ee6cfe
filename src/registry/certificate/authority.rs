//! Certificates of authorities, as clients are given them to trust.

use super::{Finding, SOON, ago, read_certificates, seconds, span};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::time::SystemTime;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Characters of a line of PEM.
const WIDTH: usize = 64;

/// The certificates of a PEM text in one spelling: without what stands around them, lines of 64 characters, no line
/// break at the end.
///
/// # Errors
/// There are none, one of them cannot be read, or there is a private key among them. Nothing of the text is in the words.
pub fn bundle(text: &str) -> Result<String, String> {
    let mut lines = vec![];
    for (at, der) in read_certificates(text)?.iter().enumerate() {
        if X509Certificate::from_der(der).is_err() {
            return Err(format!("Certificate {} of the text is not a valid X.509 certificate.", at + 1));
        }
        let encoded = STANDARD.encode(der);
        lines.push("-----BEGIN CERTIFICATE-----".to_owned());
        // Base64 is ASCII, so that no character is cut.
        lines.extend(encoded.as_bytes().chunks(WIDTH).map(|line| String::from_utf8_lossy(line).into_owned()));
        lines.push("-----END CERTIFICATE-----".to_owned());
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "There is a private key among the certificates. Clients need none, and everybody could read it."
                .to_owned(),
        );
    }
    Ok(lines.join("\n"))
}

/// T3 for authorities: clients refuse what one has signed that has expired. `attribute` is where findings point to.
pub fn inspect(text: &str, attribute: &str, now: SystemTime) -> Vec<Finding> {
    let now = seconds(now);
    let mut findings = vec![];
    for der in read_certificates(text).unwrap_or_default() {
        let Ok((_, authority)) = X509Certificate::from_der(&der) else { continue };
        let left = authority.validity().not_after.timestamp().saturating_sub(now);
        let ends = if left < 0 {
            format!("expired {}: clients refuse what it has signed", ago(left.unsigned_abs()))
        } else if left.unsigned_abs() < SOON.as_secs() {
            format!("expires in {}", span(left.unsigned_abs()))
        } else {
            continue;
        };
        let message = format!("The authority's certificate ({}) {ends}.", authority.subject());
        findings.push(Finding::warning("T3", attribute, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn certificate() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["hub.docker.local".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_bundle_is_the_certificates_and_nothing_else() {
        let (one, other) = (certificate().0, certificate().0);
        let spelt = format!("# of the hub\r\n{}\n\n{other}\n", one.replace('\n', "\r\n"));
        let bundle = super::bundle(&spelt).unwrap();
        assert_eq!(bundle, super::bundle(&bundle).unwrap());
        assert_eq!(bundle, super::bundle(&format!("{one}{other}")).unwrap());
        assert_ne!(bundle, super::bundle(&format!("{other}{one}")).unwrap());
        assert!(bundle.ends_with("-----END CERTIFICATE-----") && !bundle.contains("of the hub"));
    }

    #[test]
    fn what_is_no_bundle_is_told_without_a_word_of_it() {
        let (certificate, key) = certificate();
        let broken = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
        for (text, word) in [
            ("", "no certificate"),
            ("secret", "no certificate"),
            (broken, "not a valid X.509"),
            (&key, "private key"),
            (&format!("{certificate}{key}"), "private key"),
            (&format!("{key}{certificate}"), "private key"),
        ] {
            let said = bundle(text).unwrap_err();
            assert!(said.contains(word) && !said.contains("ecret"), "{said}");
        }
    }

    #[test]
    fn t3_an_authority_that_ends() {
        let certificate = certificate().0;
        assert_eq!(inspect(&certificate, "ca", SystemTime::now()), []);
        let late = SystemTime::now() + Duration::from_secs(5000 * 365 * 24 * 3600);
        let found = inspect(&certificate, "ca", late);
        assert!(
            found.len() == 1 && found[0].code == "T3" && found[0].message.contains("expired"),
            "{found:?}"
        );
    }
}
