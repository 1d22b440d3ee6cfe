//! The way to a registry: its address, a connection to it, and TLS over that.

use super::probe::ProbeError;
use futures_util::{StreamExt, stream::FuturesUnordered};
use http::Uri;
use rustls::{CertificateError, ClientConfig, Error, InvalidMessage, pki_types::ServerName};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long an address of several may keep silent until the next one is tried, too.
const NEXT: Duration = Duration::from_millis(300);

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
    first_of(&resolved).await.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => ProbeError::Refused(address.to_owned()),
        _ => ProbeError::Connection { address: address.to_owned(), source },
    })
}

/// The first connection that comes about. An address that keeps silent, such as that of a node that is switched off behind a
/// name of many, does not keep the others waiting: the next is tried beside it.
async fn first_of(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut others = addresses.iter();
    let mut under_way = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        under_way.extend(others.next().map(|address| TcpStream::connect(*address)));
        let pause = if others.len() > 0 { NEXT } else { Duration::MAX };
        match tokio::time::timeout(pause, under_way.next()).await {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(error))) => failure = error,
            Ok(None) => return Err(failure),
            Err(_) => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::net::{TcpListener, TcpSocket};

    /// An address that answers nothing, like that of a node that is switched off: a listener that has enough.
    async fn silent() -> (SocketAddr, Vec<TcpStream>, TcpListener) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut taken = vec![];
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            taken.push(stream.unwrap());
        }
        (address, taken, listener)
    }

    #[tokio::test]
    async fn an_address_that_keeps_silent_does_not_keep_the_others_waiting() {
        let (silent, _taken, _listener) = silent().await;
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = open.local_addr().map(|address| (address, open)).unwrap();
        let started = std::time::Instant::now();
        let stream = first_of(&[silent, closed, silent, open.0]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open.0);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        let error = first_of(&[closed, closed]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    proptest! {
        #[test]
        fn what_is_connected_to_is_what_the_url_says(
            host in "[a-z][a-z0-9-]{0,5}(\\.[a-z]{1,3})?|[0-9]{1,2}(\\.[0-9]{1,2}){3}|\\[[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}\\]",
            port in 1..=u16::MAX,
            is_https: bool,
            path in "(/[a-z]{1,3}){0,2}",
        ) {
            let scheme = if is_https { "https" } else { "http" };
            let place = Place::parse(&format!("{scheme}://{host}:{port}{path}")).unwrap();
            prop_assert_eq!(place.address(), format!("{host}:{port}"));
            prop_assert_eq!(place.is_https, is_https);
        }
    }
}
