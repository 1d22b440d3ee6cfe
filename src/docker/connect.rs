//! One connection to an Engine: a Unix socket, TCP, TLS or a session of ssh.

use super::endpoint::{Address, Endpoint, EndpointError};
use super::explain::{Cause, explain_io, explain_tls};
use super::proxy::Proxy;
use super::ssh::Ssh;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// How long a connection may take to come about, but for ssh, which has its own limit.
const CONNECT: Duration = Duration::from_secs(10);
/// The same where there is another Engine to try.
const CONNECT_TO_ONE_OF_SEVERAL: Duration = Duration::from_secs(3);

/// What bytes go through.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// An open connection, as the pool of hyper wants it.
pub(super) struct Wire {
    io: TokioIo<Box<dyn Io>>,
    /// Whether it ends at a proxy that wants to be told the whole address with each request.
    forwarded: bool,
}

impl Wire {
    fn new(io: impl Io + 'static) -> Self {
        Self { io: TokioIo::new(Box::new(io)), forwarded: false }
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.forwarded)
    }
}

impl hyper::rt::Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// A way to one Engine.
enum Route {
    Unix(std::path::PathBuf),
    Tcp(Place),
    Tls { place: Place, name: ServerName<'static>, tls: TlsConnector },
    Ssh(Box<Ssh>),
}

/// A port of a host, and the proxy on the way there.
struct Place {
    host: String,
    port: u16,
    proxy: Option<Proxy>,
}

/// Opens connections to one Engine for the pool.
#[derive(Clone)]
pub(super) struct Connector {
    route: Arc<Route>,
    limit: Duration,
}

impl Connector {
    /// Prepares the way to one of the addresses without any I/O but for reading the system's certificates.
    pub(super) fn new(endpoint: &Endpoint, index: usize) -> Result<Self, EndpointError> {
        let unusable = |problem: String| EndpointError::new(&endpoint.origin, problem);
        let place = |host: String, port, tls| {
            let proxy = endpoint
                .proxies
                .to(&host, port, tls)
                .map_err(|problem| EndpointError::new("the environment", problem))?;
            Ok(Place { host, port, proxy })
        };
        let is_one_of_several = endpoint.addresses.len() > 1;
        let route = match endpoint.addresses[index].clone() {
            Address::Unix(path) => Route::Unix(path),
            Address::Ssh(address) => Route::Ssh(Box::new(
                Ssh::new(address, endpoint.ssh.clone(), is_one_of_several).map_err(unusable)?,
            )),
            Address::Tcp { host, port, tls: false } => Route::Tcp(place(host, port, false)?),
            Address::Tcp { host, port, tls: true } => {
                let tls = endpoint.tls.client(endpoint.skip_tls_verify).map_err(unusable)?;
                let name = ServerName::try_from(host.clone())
                    .map_err(|_| unusable(format!("`{host}` is no name that a certificate can have")))?;
                let place = place(host, port, true)?;
                Route::Tls { place, name, tls: TlsConnector::from(Arc::new(tls)) }
            }
        };
        let limit = if is_one_of_several { CONNECT_TO_ONE_OF_SEVERAL } else { CONNECT };
        Ok(Self { route: Arc::new(route), limit })
    }

    /// Host and port as they are in the address of a request.
    pub(super) fn authority(&self) -> String {
        match &*self.route {
            Route::Tcp(place) => place.authority(),
            _ => "docker".to_owned(),
        }
    }

    /// What goes with each request, for a proxy that passes them on one by one.
    pub(super) fn proxy_authorization(&self) -> Option<http::HeaderValue> {
        match &*self.route {
            Route::Tcp(place) => place.proxy.as_ref()?.authorization(),
            _ => None,
        }
    }

    /// How long the first connection may take on its own, where it has a limit of its own, and words for what failed.
    pub(super) fn longest_login(&self) -> Duration {
        match &*self.route {
            Route::Ssh(ssh) => ssh.longest_login(),
            _ => Duration::ZERO,
        }
    }

    async fn connect(&self) -> Result<Wire, Cause> {
        match &*self.route {
            Route::Unix(path) => {
                let opened = within(self.limit, UnixStream::connect(path)).await;
                Ok(Wire::new(opened.map_err(|error| explain_io(&error, true))?))
            }
            Route::Tcp(place) => {
                Ok(Wire { forwarded: place.proxy.is_some(), ..Wire::new(place.connect(self.limit).await?) })
            }
            Route::Tls { place, name, tls } => {
                let mut stream = place.connect(self.limit).await?;
                if let Some(proxy) = &place.proxy {
                    let authority = place.authority();
                    let tunnel = proxy.tunnel(&mut stream, &authority);
                    tokio::time::timeout(self.limit, tunnel)
                        .await
                        .unwrap_or_else(|_| Err(proxy.cause("it opens no tunnel in time", None, true)))?;
                }
                let opened = within(self.limit, tls.connect(name.clone(), stream)).await;
                Ok(Wire::new(opened.map_err(|error| explain_tls(&error))?))
            }
            Route::Ssh(ssh) => Ok(Wire::new(ssh.open().await?)),
        }
    }
}

impl Place {
    fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Connects to the host, or to the proxy.
    async fn connect(&self, limit: Duration) -> Result<TcpStream, Cause> {
        let (host, port) = match &self.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&self.host, self.port),
        };
        let opened = within(limit, TcpStream::connect((host.as_str(), port))).await;
        let stream = opened.map_err(|error| match (&self.proxy, explain_io(&error, false)) {
            (Some(proxy), cause) => proxy.cause(
                &cause.text,
                Some("Check HTTP_PROXY and HTTPS_PROXY, or leave the host out with NO_PROXY"),
                cause.passing,
            ),
            (None, cause) => cause,
        })?;
        // Requests are small, and a wait for more bytes only delays them; a socket that cannot do without works too.
        stream.set_nodelay(true).ok();
        Ok(stream)
    }
}

async fn within<T>(limit: Duration, open: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(limit, open).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// No connection came about: what hyper hands through from [`Connector`].
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.text)]
pub(super) struct ConnectError(pub(super) Cause);

impl tower_service::Service<http::Uri> for Connector {
    type Response = Wire;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map_err(ConnectError) })
    }
}
