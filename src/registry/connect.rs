//! The way to a registry: its address, a connection to it, and TLS over that.

use super::probe::ProbeError;
use http::Uri;
use rustls::{CertificateError, ClientConfig, Error, InvalidMessage, pki_types::ServerName};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Where a registry is, as a URL says it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The URL, its path `/` if it has none.
    pub url: Uri,
    /// The host's name, or its address without brackets.
    pub host: String,
    /// The port, that of the scheme if none is written.
    pub port: u16,
    /// Whether it is asked over TLS.
    pub is_https: bool,
}

impl Place {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`ProbeError::Url`]. Credentials in it are not repeated.
    pub(super) fn parse(url: &str) -> Result<Self, ProbeError> {
        let refuse = |reason: &str| ProbeError::Url { url: url.to_owned(), reason: reason.to_owned() };
        let parsed: Uri = url.parse().map_err(|_| match url.contains('@') {
            true => with_credentials(),
            false => refuse("it is not a URL"),
        })?;
        if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(with_credentials());
        }
        let is_https = match parsed.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(refuse("it must begin with https:// or http://")),
        };
        let authority = parsed.authority().ok_or_else(|| refuse("it names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(refuse("it names no host"));
        }
        let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Ok(Self { host, port, is_https, url: parsed })
    }

    /// What to connect to: host and port.
    pub(super) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn with_credentials() -> ProbeError {
    ProbeError::Url {
        url: "(a URL with credentials)".to_owned(),
        reason: "credentials don't belong into it".to_owned(),
    }
}

/// A connection to `HOST:PORT`.
///
/// # Errors
/// [`ProbeError::Resolve`], [`ProbeError::Refused`] or [`ProbeError::Connection`].
pub(super) async fn tcp(address: &str) -> Result<TcpStream, ProbeError> {
    let resolved = tokio::net::lookup_host(address).await;
    let resolved: Vec<_> =
        resolved.map_err(|source| ProbeError::Resolve { host: address.to_owned(), source })?.collect();
    TcpStream::connect(resolved.as_slice()).await.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => ProbeError::Refused(address.to_owned()),
        _ => ProbeError::Connection { address: address.to_owned(), source },
    })
}

/// TLS over a connection, with the host that the URL names.
///
/// # Errors
/// [`ProbeError::Certificate`], [`ProbeError::NotTls`], [`ProbeError::Tls`] or [`ProbeError::Connection`].
pub(super) async fn handshake<S>(
    place: &Place,
    config: &Arc<ClientConfig>,
    stream: S,
) -> Result<TlsStream<S>, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host = || place.host.clone();
    let name = ServerName::try_from(host()).map_err(|_| ProbeError::Url {
        url: place.url.to_string(),
        reason: "its host is neither a name nor an address".to_owned(),
    })?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(reason)) => {
                ProbeError::Certificate { host: host(), reason: certificate_reason(reason) }
            }
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                ProbeError::NotTls(place.url.to_string())
            }
            Some(other) => ProbeError::Tls { host: host(), reason: other.to_string() },
            None => ProbeError::Connection { address: place.address(), source: error },
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
            "it is signed by an authority that is not trusted (is its certificate given as ca?)".to_owned()
        }
        other => other.to_string(),
    }
}
