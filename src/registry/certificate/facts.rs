//! What a certificate says of itself.

use super::Names;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// For whom it was made, such as `CN=hub.example.com`.
    pub subject: String,
    /// Who made it.
    pub issuer: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// From when on it is valid, in RFC 3339's form.
    pub not_before: String,
    /// Until when it is valid.
    pub not_after: String,
    /// The SHA-256 of the whole, in hexadecimal digits.
    pub fingerprint: String,
}

impl Facts {
    /// Reads a certificate in DER; none where it is broken.
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let Names { dns, addresses } = Names::of(&certificate);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
        Some(Facts {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: dns.into_iter().chain(addresses.iter().map(ToString::to_string)).collect(),
            not_before: moment(validity.not_before)?,
            not_after: moment(validity.not_after)?,
            fingerprint: digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

fn moment(time: ASN1Time) -> Option<String> {
    time.to_datetime().format(&Rfc3339).ok()
}
