//! Mutual TLS as go-plugin makes it: each side brings a certificate made for this one process, and each side
//! accepts exactly the other's.
//!
//! Terraform's certificate is a self-signed CA certificate with a P-521 key. That rules out the usual ways:
//! webpki refuses a CA certificate as a client, and ring cannot verify P-521 (a client then sends no
//! certificate at all). So the certificate is compared byte for byte, and aws-lc-rs verifies the signature
//! that proves the client has its key.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// `PLUGIN_CLIENT_CERT` holds something, but not a certificate in PEM.
    #[error("the certificate that Terraform passed in PLUGIN_CLIENT_CERT is not PEM: {0}")]
    ClientCertificate(#[from] base64::DecodeError),
    /// No certificate of our own could be made.
    #[error("could not make a certificate for this process: {0}")]
    OwnCertificate(#[from] rcgen::Error),
    /// The TLS library refuses what it was given.
    #[error("could not set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}

/// Our side of mutual TLS.
pub(super) struct Server {
    /// Takes connections of the one client.
    pub(super) acceptor: TlsAcceptor,
    /// What the client is to expect, in DER.
    pub(super) certificate: CertificateDer<'static>,
}

impl Server {
    /// Makes a key and a certificate, and pins the client's.
    pub(super) fn for_client(certificate_pem: &str) -> Result<Self, TlsError> {
        let client = CertificateDer::from(decode_pem(certificate_pem)?);
        let (certificate, key) = own_certificate()?;
        let crypto = Arc::new(aws_lc_rs::default_provider());
        let pinned = Arc::new(PinnedClient { client, crypto: crypto.clone() });
        let mut config = ServerConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(pinned)
            .with_single_cert(vec![certificate.clone()], key)?;
        // Hosts since Terraform 1.12 refuse a server that does not choose a protocol.
        config.alpn_protocols = vec![b"h2".to_vec()];
        // One connection lasts as long as the process does; nothing is ever resumed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Server { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }
}

/// The bytes of the first certificate in a PEM text.
fn decode_pem(pem: &str) -> Result<Vec<u8>, base64::DecodeError> {
    let lines = pem.lines().map(str::trim).skip_while(|line| line.starts_with("-----"));
    STANDARD.decode(lines.take_while(|line| !line.starts_with("-----")).collect::<String>())
}

/// A fresh P-256 key, the fastest to make that every host accepts, and its certificate for `localhost`, the
/// name that hosts expect whatever the address is.
fn own_certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::new(["localhost".to_owned()])?;
    parameters.distinguished_name.push(DnType::CommonName, "localhost");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = parameters.self_signed(&key)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((certificate.der().clone(), key))
}

/// Accepts the one certificate, from whoever can sign with its key.
#[derive(Debug)]
struct PinnedClient {
    client: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.client {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::host::{Certificate, connect, tls_client};
    use super::super::lifecycle::Serving;
    use super::super::proto::tfplugin6::get_provider_schema;
    use super::super::proto::tfplugin6::provider_client::ProviderClient;
    use super::super::sample::Sample;
    use super::super::socket::Socket;
    use super::*;
    use rustls::version::{TLS12, TLS13};

    async fn reaches(socket: &std::path::Path, client: tokio_rustls::TlsConnector) -> bool {
        let Ok(channel) = connect(socket.to_owned(), Some(client)).await else { return false };
        ProviderClient::new(channel).get_provider_schema(get_provider_schema::Request {}).await.is_ok()
    }

    #[tokio::test]
    async fn only_the_host_that_started_us_gets_in() {
        let (host, other) = (Certificate::make(), Certificate::make());
        let stolen = host.with_key_of(&other);
        let tls = Server::for_client(&host.pem).expect("TLS");
        let socket = Socket::listen(None).expect("listens");
        let path = socket.path();
        let serving = Serving::start(Sample::default(), socket, Some(tls.acceptor));
        for version in [&TLS12, &TLS13] {
            let client = |own| tls_client(tls.certificate.clone(), own, version);
            assert!(reaches(&path, client(Some(&host))).await, "the host itself, {version:?}");
            assert!(!reaches(&path, client(Some(&other))).await, "another certificate, {version:?}");
            assert!(!reaches(&path, client(Some(&stolen))).await, "a stolen one, {version:?}");
            assert!(!reaches(&path, client(None)).await, "no certificate, {version:?}");
        }
        // Clients that say nothing, or no TLS, do not keep others out.
        let _silent = tokio::net::UnixStream::connect(&path).await.expect("connects");
        if let Ok(channel) = connect(path.clone(), None).await {
            let answer =
                ProviderClient::new(channel).get_provider_schema(get_provider_schema::Request {}).await;
            answer.expect_err("no TLS, no answer");
        }
        assert!(reaches(&path, tls_client(tls.certificate.clone(), Some(&host), &TLS13)).await);
        drop(serving);
    }

    #[test]
    fn own_certificate_is_read_by_others() {
        let (certificate, _) = own_certificate().expect("a certificate");
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).expect("X.509");
        assert!(parsed.validity().is_valid());
        let names = parsed.subject_alternative_name().expect("readable").expect("there");
        assert_eq!(names.value.general_names, [x509_parser::prelude::GeneralName::DNSName("localhost")]);
    }

    #[test]
    fn pem_is_read_with_any_line_ends() {
        let host = Certificate::make();
        let wanted = decode_pem(&host.pem).expect("PEM");
        assert_eq!(decode_pem(&host.pem.replace('\n', "\r\n")).expect("PEM"), wanted);
        assert_eq!(decode_pem(&format!("{}{}", host.pem, Certificate::make().pem)).expect("PEM"), wanted);
        assert!(Server::for_client("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----").is_err());
    }
}
