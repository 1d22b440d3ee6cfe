//! Whether clients will accept a certificate, and whether the registry can start with it.

mod facts;

pub use facts::Facts;
pub mod authority;

use super::{Finding, Severity};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, UnixTime,
    pem::{self, PemObject},
};
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// From here on a certificate's end is worth a warning.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);
const DAY: u64 = 24 * 3600;

/// What is known about a registry's certificate when it is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Material<'a> {
    /// PEM: the server's certificate first, then the chain up to, or with, the root.
    pub certificate: &'a str,
    /// The private key as PEM, if it is known here.
    pub key: Option<PrivateKey<'a>>,
    /// The name or address by which clients call the registry; a port behind it doesn't matter.
    pub host: Option<&'a str>,
    /// PEM of the authorities that clients trust, if they are known here.
    pub ca: Option<&'a str>,
}

/// PEM of a private key, which `Debug` does not show.
#[derive(Clone, Copy)]
pub struct PrivateKey<'a>(pub &'a str);

impl std::fmt::Debug for PrivateKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// Checks a certificate as rules T1 to T6 have it, at the time `now`:
///
/// | code | |
/// | --- | --- |
/// | T1 | certificate and key can be read, the key is not encrypted, and they belong together |
/// | T2 | the server's certificate comes first |
/// | T3 | it is valid now, and for another 14 days |
/// | T4 | it names the host |
/// | T5 | it has names at all, and is meant for servers |
/// | T6 | clients can build a chain to an authority that they trust |
///
/// Findings point to `tls.certificate` or `tls.private_key`. Nothing of the key is in any message.
pub fn inspect(material: Material<'_>, now: SystemTime) -> Vec<Finding> {
    let ders = match read_certificates(material.certificate) {
        Ok(ders) => ders,
        Err(message) => return vec![Finding::error("T1", CERTIFICATE, message)],
    };
    let mut chain = Vec::with_capacity(ders.len());
    for (at, der) in ders.iter().enumerate() {
        match X509Certificate::from_der(der) {
            Ok((_, certificate)) => chain.push(certificate),
            Err(_) => {
                let message = format!("Certificate {} of the file is not a valid X.509 certificate.", at + 1);
                return vec![Finding::error("T1", CERTIFICATE, message)];
            }
        }
    }
    let mut findings = Vec::new();
    let is_in_order = match material.key {
        Some(PrivateKey(key)) => inspect_key(&ders, key, &mut findings),
        None => inspect_order(&chain, &mut findings),
    };
    // What follows is about the server's certificate, and would be about another one.
    if let (true, Some(leaf)) = (is_in_order, chain.first()) {
        inspect_validity(&chain, now, &mut findings);
        inspect_names(leaf, material.host, &mut findings);
        inspect_usage(leaf, &mut findings);
        match material.ca {
            Some(ca) => inspect_trust(&ders, ca, &chain, now, &mut findings),
            None => inspect_chain(&chain, material.host, &mut findings),
        }
    }
    findings
}

const CERTIFICATE: &str = "tls.certificate";
const KEY: &str = "tls.private_key";

fn read_certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(match text.contains("PRIVATE KEY-----") {
            true => "There is no certificate in it, but a private key: are the two swapped?".to_owned(),
            false => {
                "There is no certificate in it; PEM is needed, beginning with -----BEGIN CERTIFICATE-----."
                    .to_owned()
            }
        }),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err("The certificate is not valid PEM.".to_owned()),
    }
}

/// T1 and T2 with a key at hand. Whether the first certificate is the key's.
fn inspect_key(chain: &[CertificateDer<'static>], text: &str, findings: &mut Vec<Finding>) -> bool {
    let mut refuse = |message: &str| {
        findings.push(Finding::error("T1", KEY, message));
        // The certificate can still be looked at for itself.
        true
    };
    if text.contains("ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return refuse(
            "The private key is encrypted, and the registry has nobody to ask for its password: it would not start. \
             Decrypt it, for example with openssl pkey.",
        );
    }
    let key = match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) => key,
        Err(pem::Error::NoItemsFound) if text.contains("BEGIN CERTIFICATE-----") => {
            return refuse("There is no private key in it, but a certificate: are the two swapped?");
        }
        Err(_) => {
            return refuse(
                "The private key is not valid PEM; it should begin with -----BEGIN PRIVATE KEY----- or alike.",
            );
        }
    };
    let Ok(key) = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key) else {
        return refuse(
            "The private key is broken or of a kind that servers don't use (RSA from 2048 bits, ECDSA or Ed25519).",
        );
    };
    let belongs_to = |certificate: &CertificateDer<'static>| {
        rustls::sign::CertifiedKey::new(vec![certificate.clone()], Arc::clone(&key)).keys_match().is_ok()
    };
    match chain.iter().position(belongs_to) {
        Some(0) => true,
        Some(at) => {
            findings.push(Finding::error(
                "T2",
                CERTIFICATE,
                format!(
                    "The private key belongs to certificate {} of the file. Put the server's certificate first, then \
                     its issuer: the registry would not start.",
                    at + 1
                ),
            ));
            false
        }
        None => {
            findings.push(Finding::error(
                "T1",
                KEY,
                "The private key does not belong to the certificate: the registry would not start (\"private key does \
                 not match public key\").",
            ));
            true
        }
    }
}

/// T2 without a key: an authority before a server is the wrong way round.
fn inspect_order(chain: &[X509Certificate<'_>], findings: &mut Vec<Finding>) -> bool {
    let is_wrong = chain.first().is_some_and(|first| first.is_ca()) && chain.iter().any(|one| !one.is_ca());
    if is_wrong {
        let message = "The file begins with an authority's certificate. Put the server's certificate first, then its \
                       issuer: the registry would not start.";
        findings.push(Finding::error("T2", CERTIFICATE, message));
    }
    !is_wrong
}

/// T3. An expired certificate does not keep the registry from starting, but every client refuses it.
fn inspect_validity(chain: &[X509Certificate<'_>], now: SystemTime, findings: &mut Vec<Finding>) {
    let now = seconds(now);
    for (at, certificate) in chain.iter().enumerate() {
        let whose = match at {
            0 => "The certificate".to_owned(),
            _ => format!("Certificate {} of the chain ({})", at + 1, certificate.subject()),
        };
        let start = certificate.validity().not_before.timestamp();
        let end = certificate.validity().not_after.timestamp();
        let left = end.saturating_sub(now);
        let (severity, message) = if left < 0 {
            // Clients may know a newer certificate of the same authority; not so of the server itself.
            let severity = if at == 0 { Severity::Error } else { Severity::Warning };
            (severity, format!("{whose} expired {}; clients refuse it.", ago(left.unsigned_abs())))
        } else if start > now {
            let message = format!(
                "{whose} is valid only {} from now; until then clients refuse it.",
                span(start.abs_diff(now))
            );
            (Severity::Warning, message)
        } else if left.unsigned_abs() < SOON.as_secs() {
            (Severity::Warning, format!("{whose} expires in {}.", span(left.unsigned_abs())))
        } else {
            continue;
        };
        findings.push(Finding { severity, code: "T3", path: CERTIFICATE.to_owned(), message });
    }
}

fn seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn ago(seconds: u64) -> String {
    format!("{} ago", span(seconds))
}

fn span(seconds: u64) -> String {
    match seconds / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// The names and addresses that a certificate is for.
#[derive(Debug, Default)]
struct Names {
    dns: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut names = Self::default();
        if let Ok(Some(extension)) = certificate.subject_alternative_name() {
            for name in &extension.value.general_names {
                match name {
                    GeneralName::DNSName(name) => names.dns.push(name.to_ascii_lowercase()),
                    GeneralName::IPAddress(bytes) => names.addresses.extend(address(bytes)),
                    _ => {}
                }
            }
        }
        names
    }

    fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.addresses.is_empty()
    }

    fn has(&self, host: &str) -> bool {
        match host.parse::<IpAddr>() {
            Ok(address) => self.addresses.contains(&address),
            Err(_) => self.dns.iter().any(|pattern| covers(pattern, host)),
        }
    }

    fn in_words(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        let all: Vec<_> = self.dns.iter().cloned().chain(addresses).collect();
        match all.as_slice() {
            [some @ .., _] if all.len() > 6 => format!("{} and {} more", some[..5].join(", "), all.len() - 5),
            all => all.join(", "),
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// A wildcard stands for one whole label, the first (RFC 6125), as Go and rustls have it.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == host,
    }
}

/// The host without its port, brackets and final dot, in lower case.
fn bare_host(host: &str) -> String {
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        // More than one colon is an address of version 6 without brackets.
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or(host),
        None => host,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// T4, and the first half of T5: clients read the alternative names alone.
fn inspect_names(leaf: &X509Certificate<'_>, host: Option<&str>, findings: &mut Vec<Finding>) {
    let names = Names::of(leaf);
    if names.is_empty() {
        let message = "The certificate has no subject alternative names. Go clients, and Docker is one, ignore the common \
                       name and refuse it.";
        findings.push(Finding::warning("T5", CERTIFICATE, message));
    }
    let Some(host) = host.map(bare_host) else { return };
    if !names.has(&host) {
        let whose = match names.is_empty() {
            true => "names no host at all".to_owned(),
            false => format!("is for {}", names.in_words()),
        };
        let message = format!("The certificate {whose}, not for {host}: every client would refuse it.");
        findings.push(Finding::error("T4", CERTIFICATE, message));
    }
}

/// The other half of T5.
fn inspect_usage(leaf: &X509Certificate<'_>, findings: &mut Vec<Finding>) {
    if let Ok(Some(usage)) = leaf.extended_key_usage()
        && !usage.value.server_auth
        && !usage.value.any
    {
        let message = "The certificate is not meant for servers (its extended key usage lacks serverAuth); clients refuse it.";
        findings.push(Finding::warning("T5", CERTIFICATE, message));
    }
}

/// T6 where nothing is known of what clients trust.
fn inspect_chain(chain: &[X509Certificate<'_>], host: Option<&str>, findings: &mut Vec<Finding>) {
    let is_self_signed = |one: &X509Certificate<'_>| one.issuer().as_raw() == one.subject().as_raw();
    let broken = chain.windows(2).position(|pair| pair[0].issuer().as_raw() != pair[1].subject().as_raw());
    let host = host.unwrap_or("HOST");
    let whose = match (broken, chain) {
        (Some(at), _) => {
            let message = format!(
                "Certificate {} of the file is not issued by the one after it; clients may fail to build the chain.",
                at + 1
            );
            return findings.push(Finding::warning("T6", CERTIFICATE, message));
        }
        (None, [only]) if is_self_signed(only) => "The certificate is self-signed".to_owned(),
        (None, [.., last]) if is_self_signed(last) => {
            format!("The chain ends in its own authority ({})", last.subject())
        }
        (None, [only]) if !is_self_signed(only) => {
            format!("The certificate comes without its issuer ({})", only.issuer())
        }
        _ => return,
    };
    let message = format!(
        "{whose}. Unless a public authority stands behind it, every node and client needs the authority's certificate in \
         /etc/docker/certs.d/{host}/ca.crt."
    );
    findings.push(Finding::warning("T6", CERTIFICATE, message));
}

/// T6 where it is known what clients trust: the chain is built as they would build it.
fn inspect_trust(
    chain: &[CertificateDer<'static>],
    ca: &str,
    parsed: &[X509Certificate<'_>],
    now: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let mut roots = rustls::RootCertStore::empty();
    match read_certificates(ca) {
        Ok(certificates) => drop(roots.add_parsable_certificates(certificates)),
        Err(_) => {
            return findings.push(Finding::error(
                "T6",
                "",
                "The authority's certificate (CA) is not valid PEM.",
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let ([leaf, intermediates @ ..], Ok(verifier)) = (chain, verifier) else {
        return findings.push(Finding::error(
            "T6",
            "",
            "The authority's certificate (CA) can't be used as one.",
        ));
    };
    // Names are T4's matter: ask for one that the certificate has.
    let names = parsed.first().map(Names::of).unwrap_or_default();
    let name = names
        .dns
        .first()
        .map(|name| name.replace("*.", "any."))
        .and_then(|name| ServerName::try_from(name).ok());
    let name = name.or_else(|| names.addresses.first().map(|address| ServerName::from(*address)));
    let (Some(name), now) =
        (name, UnixTime::since_unix_epoch(Duration::from_secs(seconds(now).unsigned_abs())))
    else {
        return;
    };
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::{CertificateError, Error};
    match verifier.verify_server_cert(leaf, intermediates, &name, &[], now) {
        Ok(_) => {}
        // Dates and usage are T3's and T5's matter.
        Err(Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
            | CertificateError::InvalidPurpose
            | CertificateError::InvalidPurposeContext { .. },
        )) => {}
        Err(error) => findings.push(Finding::error(
            "T6",
            CERTIFICATE,
            format!("Clients that trust the given authority (CA) would refuse the certificate: {error}."),
        )),
    }
}

#[cfg(test)]
mod tests;
