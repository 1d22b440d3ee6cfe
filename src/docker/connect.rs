//! One connection to an Engine: a Unix socket, TCP, TLS or a session of ssh.

use super::endpoint::{Address, Endpoint, EndpointError};
use super::explain::{Cause, explain_io, explain_tls};
use super::ssh::Ssh;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// How long a connection may take to come about, but for ssh, which has its own limit.
const CONNECT: Duration = Duration::from_secs(10);

/// What bytes go through.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// An open connection, as the pool of hyper wants it.
pub(super) struct Wire(TokioIo<Box<dyn Io>>);

impl Wire {
    fn new(io: impl Io + 'static) -> Self {
        Self(TokioIo::new(Box::new(io)))
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A way to one Engine.
enum Route {
    Unix(std::path::PathBuf),
    Tcp { host: String, port: u16 },
    Tls { host: String, port: u16, name: ServerName<'static>, tls: TlsConnector },
    Ssh(Ssh),
}

/// Opens connections for the pool, to the first Engine of the endpoint that lets itself be connected to.
#[derive(Clone)]
pub(super) struct Connector {
    routes: Arc<[(String, Route)]>,
    /// Index of the route that worked last.
    current: Arc<AtomicUsize>,
}

impl Connector {
    /// Prepares the routes without any I/O but for reading the system's certificates.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let unusable = |problem: String| EndpointError::new(&endpoint.origin, problem);
        let mut routes = Vec::new();
        for (address, name) in endpoint.addresses.iter().zip(&endpoint.names) {
            let route = match address.clone() {
                Address::Unix(path) => Route::Unix(path),
                Address::Ssh(address) => Route::Ssh(Ssh::new(address, endpoint.ssh_options.clone())),
                Address::Tcp { host, port, tls: false } => Route::Tcp { host, port },
                Address::Tcp { host, port, tls: true } => {
                    let tls = endpoint.tls.client(endpoint.skip_tls_verify).map_err(unusable)?;
                    let name = ServerName::try_from(host.clone())
                        .map_err(|_| unusable(format!("`{host}` is no name that a certificate can have")))?;
                    Route::Tls { host, port, name, tls: TlsConnector::from(Arc::new(tls)) }
                }
            };
            routes.push((name.clone(), route));
        }
        Ok(Self { routes: routes.into(), current: Arc::default() })
    }

    async fn connect(&self) -> Result<Wire, ConnectError> {
        let first = self.current.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for offset in 0..self.routes.len() {
            let at = (first + offset) % self.routes.len();
            let (name, route) = &self.routes[at];
            match route.open().await {
                Ok(wire) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(wire);
                }
                Err(cause) => failures.push((name.as_str(), cause)),
            }
        }
        Err(ConnectError(Cause::all(failures)))
    }
}

impl Route {
    async fn open(&self) -> Result<Wire, Cause> {
        match self {
            Self::Unix(path) => {
                let opened = within(CONNECT, UnixStream::connect(path)).await;
                Ok(Wire::new(opened.map_err(|error| explain_io(&error, true))?))
            }
            Self::Tcp { host, port } => Ok(Wire::new(tcp(host, *port).await?)),
            Self::Tls { host, port, name, tls } => {
                let stream = tcp(host, *port).await?;
                let opened = within(CONNECT, tls.connect(name.clone(), stream)).await;
                Ok(Wire::new(opened.map_err(|error| explain_tls(&error))?))
            }
            Self::Ssh(ssh) => Ok(Wire::new(ssh.open().await?)),
        }
    }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, Cause> {
    let stream =
        within(CONNECT, TcpStream::connect((host, port))).await.map_err(|error| explain_io(&error, false))?;
    // Requests are small, and a wait for more bytes only delays them; a socket that cannot do without works as well.
    stream.set_nodelay(true).ok();
    Ok(stream)
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
        Box::pin(async move { connector.connect().await })
    }
}
