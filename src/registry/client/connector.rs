//! How the connections of a client are made: to the registry, to where it sends its clients, and through a proxy.

use crate::registry::{
    connect::{self, Place},
    probe::ProbeError,
};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::{
        legacy::connect::{Connected, Connection, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use rustls::ClientConfig;
use std::{
    future::Future,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

/// How long a connection and its TLS may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes connections. The address that replaces the registry's own holds for the registry alone.
#[derive(Clone)]
pub(super) struct Connector {
    registry: Arc<Place>,
    connect_to: Option<Arc<str>>,
    tls: Arc<ClientConfig>,
    proxies: Arc<Matcher>,
}

impl Connector {
    pub(super) fn new(
        registry: Place,
        connect_to: Option<&str>,
        tls: Arc<ClientConfig>,
        proxies: Matcher,
    ) -> Self {
        Self {
            registry: Arc::new(registry),
            connect_to: connect_to.map(Arc::from),
            tls,
            proxies: Arc::new(proxies),
        }
    }

    /// What a proxy wants to see of a plain request that is handed to it.
    pub(super) fn proxy_authorization(&self, uri: &Uri) -> Option<http::HeaderValue> {
        let place = Place::parse(&uri.to_string()).ok()?;
        if place.is_https {
            return None;
        }
        let proxy = self.proxy(&place)?;
        let mut value = proxy.basic_auth()?.clone();
        value.set_sensitive(true);
        Some(value)
    }

    /// The proxy on the way, as the environment has it. An address that was given, and this machine, have none.
    fn proxy(&self, place: &Place) -> Option<hyper_util::client::proxy::matcher::Intercept> {
        let is_here = place.host.eq_ignore_ascii_case("localhost")
            || place.host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let is_given = self.connect_to.is_some() && self.is_registry(place);
        if is_here || is_given { None } else { self.proxies.intercept(&place.url) }
    }

    fn is_registry(&self, place: &Place) -> bool {
        place.host == self.registry.host && place.port == self.registry.port
    }

    async fn connect(self, uri: Uri) -> Result<Stream, ProbeError> {
        let place = Place::parse(&uri.to_string())?;
        let proxy = self.proxy(&place);
        let tcp = match &proxy {
            Some(proxy) if place.is_https => tunnel(proxy, &place).await?,
            Some(proxy) => connect::tcp(&proxy_address(proxy.uri())?).await?,
            None => {
                let own = self.connect_to.as_deref().filter(|_| self.is_registry(&place));
                connect::tcp(&own.map_or_else(|| place.address(), str::to_owned)).await?
            }
        };
        // A request is written in one go, and its answer is waited for: there is nothing to gather.
        drop(tcp.set_nodelay(true));
        if !place.is_https {
            return Ok(Stream { io: Io::Plain(TokioIo::new(tcp)), to_a_proxy: proxy.is_some() });
        }
        let secure = connect::handshake(&place, &self.tls, tcp).await?;
        Ok(Stream { io: Io::Secure(Box::new(TokioIo::new(secure))), to_a_proxy: false })
    }
}

fn proxy_address(uri: &Uri) -> Result<String, ProbeError> {
    if uri.scheme_str() != Some("http") {
        return Err(ProbeError::Url {
            url: "(the proxy of the environment)".to_owned(),
            reason: "only a proxy of the kind `http` is supported".to_owned(),
        });
    }
    Ok(Place::parse(&format!("http://{}", uri.authority().map_or("", |it| it.as_str())))?.address())
}

async fn tunnel(
    proxy: &hyper_util::client::proxy::matcher::Intercept,
    place: &Place,
) -> Result<TcpStream, ProbeError> {
    let address = proxy_address(proxy.uri())?;
    let mut tunnel = Tunnel::new(proxy.uri().clone(), ToProxy(address.clone()));
    if let Some(authorization) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(authorization.clone());
    }
    let refused = |error: &dyn std::fmt::Display| ProbeError::Connection {
        address: place.address(),
        source: io::Error::other(format!("the proxy {address} makes no tunnel: {error}")),
    };
    let uri = Uri::builder().scheme("https").authority(place.address()).path_and_query("/").build();
    let uri = uri.map_err(|error| refused(&error))?;
    tunnel.call(uri).await.map(TokioIo::into_inner).map_err(|error| refused(&error))
}

/// Connects to one address, whatever is asked for.
#[derive(Clone)]
struct ToProxy(String);

type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Service<Uri> for ToProxy {
    type Response = TokioIo<TcpStream>;
    type Error = ProbeError;
    type Future = Pending<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let address = self.0.clone();
        Box::pin(async move { connect::tcp(&address).await.map(TokioIo::new) })
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Unreached;
    type Future = Pending<Stream, Unreached>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreached>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let timed_out = ProbeError::TimedOut { url: uri.to_string(), after: PATIENCE };
            let connected = tokio::time::timeout(PATIENCE, connector.connect(uri)).await;
            connected.unwrap_or(Err(timed_out)).map_err(|error| Unreached(Arc::new(error)))
        })
    }
}

/// Why there is no connection, found again in hyper's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreached(pub Arc<ProbeError>);

/// A connection, with TLS or without.
pub(super) struct Stream {
    io: Io,
    to_a_proxy: bool,
}

enum Io {
    Plain(TokioIo<TcpStream>),
    Secure(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        // A plain request to a proxy names the whole address.
        Connected::new().proxy(self.to_a_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_read(context, buffer),
            Io::Secure(io) => Pin::new(io).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write(context, buffer),
            Io::Secure(io) => Pin::new(io).poll_write(context, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_flush(context),
            Io::Secure(io) => Pin::new(io).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(context),
            Io::Secure(io) => Pin::new(io).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(io) => io.is_write_vectored(),
            Io::Secure(io) => io.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write_vectored(context, buffers),
            Io::Secure(io) => Pin::new(io).poll_write_vectored(context, buffers),
        }
    }
}
