//! One connection, one request, one answer.

use super::{Answer, Probe, ProbeError};
use bytes::Bytes;
use http::{HeaderName, Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// More than any answer to `/v2/` has.
const BODY_LIMIT: usize = 16 * 1024;

/// Whom to believe that the server is who it says.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// The authorities that this machine trusts.
    System,
    /// These authorities alone, as PEM.
    Authorities(&'a str),
    /// Anybody: the connection is encrypted, with whomever.
    Anybody,
}

pub(super) fn tls(trust: Trust<'_>) -> Result<Arc<ClientConfig>, ProbeError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let refuse = |reason: &str| ProbeError::Authority(reason.to_owned());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ProbeError::Authority(error.to_string()))?;
    let config = match trust {
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
        Trust::System => builder.with_root_certificates(system_roots()).with_no_client_auth(),
        Trust::Authorities(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|_| refuse("it is not valid PEM"))?;
                roots.add(certificate).map_err(|_| refuse("it is not a valid certificate"))?;
            }
            if roots.is_empty() {
                return Err(refuse("there is no certificate in it"));
            }
            let verifier = Pinned::new(roots, pem, Arc::clone(&provider))
                .map_err(|error| ProbeError::Authority(error.to_string()))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}

/// Verifies as usual, but also takes a certificate that is itself one of the trusted ones.
///
/// A self-signed certificate made by `openssl req -x509` calls itself an authority, which webpki refuses in a server's
/// certificate. Docker, which is written in Go, takes it where it is trusted, and so does this.
#[derive(Debug)]
struct Pinned {
    usual: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl Pinned {
    fn new(
        roots: RootCertStore,
        pem: &str,
        provider: Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { usual, trusted: CertificateDer::pem_slice_iter(pem.as_bytes()).flatten().collect() })
    }

    /// What is left to check of a certificate that is trusted as it stands: its name and its dates.
    fn check_alone(
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        rustls::client::verify_server_name(&rustls::server::ParsedCertificate::try_from(certificate)?, name)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now > parsed.validity().not_after.timestamp() {
            return Err(Error::InvalidCertificate(CertificateError::Expired));
        }
        if now < parsed.validity().not_before.timestamp() {
            return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
        }
        Ok(ServerCertVerified::assertion())
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.trusted.iter().any(|trusted| trusted.as_ref() == certificate.as_ref()) {
            return Self::check_alone(certificate, name, now);
        }
        self.usual.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Some of a system's authorities may be unreadable; the rest still count, and an empty store refuses everybody.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

pub(super) async fn ask(probe: &Probe) -> Result<Answer, ProbeError> {
    let stream = connect(probe).await?;
    match &probe.tls {
        None => exchange(probe, stream).await,
        Some(config) => exchange(probe, handshake(probe, config, stream).await?).await,
    }
}

async fn connect(probe: &Probe) -> Result<TcpStream, ProbeError> {
    let bracketed = if probe.host.contains(':') { format!("[{}]", probe.host) } else { probe.host.clone() };
    let address = probe.connect_to.clone().unwrap_or_else(|| format!("{bracketed}:{}", probe.port));
    let resolved = tokio::net::lookup_host(&address).await;
    let resolved: Vec<_> =
        resolved.map_err(|source| ProbeError::Resolve { host: address.clone(), source })?.collect();
    TcpStream::connect(resolved.as_slice()).await.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => ProbeError::Refused(address),
        _ => ProbeError::Connection { address, source },
    })
}

async fn handshake(
    probe: &Probe,
    config: &Arc<ClientConfig>,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ProbeError> {
    let host = || probe.host.clone();
    let name = ServerName::try_from(host()).map_err(|_| ProbeError::Url {
        url: probe.url.to_string(),
        reason: "its host is neither a name nor an address".to_owned(),
    })?;
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
    connector.connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(reason)) => {
                ProbeError::Certificate { host: host(), reason: certificate_reason(reason) }
            }
            Some(Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
                ProbeError::NotTls(probe.url.to_string())
            }
            Some(other) => ProbeError::Tls { host: host(), reason: other.to_string() },
            None => {
                ProbeError::Connection { address: format!("{}:{}", probe.host, probe.port), source: error }
            }
        }
    })
}

fn certificate_reason(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it is for another host ({error})")
        }
        CertificateError::UnknownIssuer => {
            "it is signed by an authority that is not trusted; is its certificate given as ca?".to_owned()
        }
        other => other.to_string(),
    }
}

async fn exchange<S>(probe: &Probe, stream: S) -> Result<Answer, ProbeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let url = probe.url.to_string();
    let broken = |error: hyper::Error| ProbeError::Http { url: url.clone(), reason: error.to_string() };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(broken)?;
    let authority = probe.url.authority().map_or("", |authority| authority.as_str());
    let path = probe.url.path_and_query().map_or("/v2/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("terraform-provider-swarm/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| ProbeError::Http { url: url.clone(), reason: error.to_string() })?;

    // The connection is driven here and not in a task of its own, so that nothing outlives a deadline.
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let header = |name: HeaderName| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (status, challenge) = (response.status().as_u16(), header(header::WWW_AUTHENTICATE));
        let api_version = header(HeaderName::from_static("docker-distribution-api-version"));
        // A body that is cut or too long doesn't change what the status says.
        let body = Limited::new(response.into_body(), BODY_LIMIT).collect().await;
        let body =
            body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
        Ok(Answer { url: url.clone(), status, api_version, challenge, body })
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may end before the answer has been read to its end.
        _ = connection => answer.await,
    }
}

/// Takes any certificate, but checks that the server has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
