//! A host as Terraform is one, for the tests of this layer: it connects to a served provider over its socket.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use super::lifecycle::Serving;
use super::proto::tfplugin6::provider_client::ProviderClient;
use super::sample::{Desk, Sample};
use super::socket::Socket;

/// Serves the sample provider without TLS, and connects to it.
pub(super) async fn start() -> (ProviderClient<Channel>, Desk, Serving) {
    let provider = Sample::default();
    let desk = provider.desk.clone();
    let socket = Socket::listen(None).expect("listens");
    let path = socket.path();
    let serving = Serving::start(provider, socket, None);
    let channel = connect(path, None).await.expect("connects");
    (
        ProviderClient::new(channel).max_decoding_message_size(1 << 30).max_encoding_message_size(1 << 30),
        desk,
        serving,
    )
}

/// Connects to a socket.
pub(super) async fn connect(
    socket: PathBuf,
    tls: Option<TlsConnector>,
) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_static("http://localhost").connect_with_connector(Connector { socket, tls }).await
}

#[derive(Clone)]
struct Connector {
    socket: PathBuf,
    tls: Option<TlsConnector>,
}

/// Any connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Duplex>>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Connector { socket, tls } = self.clone();
        Box::pin(async move {
            let stream = UnixStream::connect(socket).await?;
            let stream: Box<dyn Duplex> = match tls {
                None => Box::new(stream),
                Some(tls) => {
                    let localhost = ServerName::try_from("localhost").expect("a name");
                    Box::new(tls.connect(localhost, stream).await?)
                }
            };
            Ok(TokioIo::new(stream))
        })
    }
}

/// A certificate of the kind that Terraform makes for itself: P-521, self-signed, a CA.
pub(super) struct Certificate {
    pub(super) pem: String,
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificate {
    pub(super) fn make() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).expect("a key");
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        parameters.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let der = certificate.der().clone();
        let text = base64::engine::general_purpose::STANDARD.encode(&der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        Certificate { pem, der, key: key.serialize_der() }
    }

    /// This certificate, with the key of another one.
    pub(super) fn with_key_of(&self, other: &Certificate) -> Self {
        Certificate { pem: self.pem.clone(), der: self.der.clone(), key: other.key.clone() }
    }
}

/// A TLS client that trusts exactly `server`, and shows `own` if it has one.
pub(super) fn tls_client(
    server: CertificateDer<'static>,
    own: Option<&Certificate>,
    version: &'static rustls::SupportedProtocolVersion,
) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(server).expect("a certificate");
    let crypto = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            // Put together by hand, since the usual way would notice a key that is not the certificate's.
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.key.clone()));
            let key = crypto.key_provider.load_private_key(key).expect("a key");
            let certified = rustls::sign::CertifiedKey::new(vec![own.der.clone()], key);
            builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}
