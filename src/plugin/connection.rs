//! Connections from the socket to the server, and how many there are.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

/// How long a client may take for its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait after a failed accept, which out of file descriptors would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Counts what is alive: connections, or calls. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Live(Arc<watch::Sender<usize>>);

/// One living thing in a [`Live`]; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct One(Arc<watch::Sender<usize>>);

impl Default for Live {
    fn default() -> Self {
        Live(Arc::new(watch::Sender::new(0)))
    }
}

impl Live {
    /// Counts one more.
    pub(super) fn one(&self) -> One {
        self.0.send_modify(|count| *count += 1);
        One(self.0.clone())
    }

    /// Waits until there are some.
    pub(super) async fn some(&self) {
        // An error would mean that the sender is gone, which `self` holds.
        self.0.subscribe().wait_for(|count| *count > 0).await.ok();
    }

    /// Waits until there are none.
    pub(super) async fn none(&self) {
        self.0.subscribe().wait_for(|count| *count == 0).await.ok();
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// A connection of a client that has proven who it is, if that is asked of it.
pub(super) struct Connection {
    stream: Pin<Box<dyn Duplex>>,
    _counted: One,
}

/// Accepts connections for as long as the result is read. With `tls` each handshake runs in a task of its own,
/// so that a client that says nothing cannot keep others out.
pub(super) fn accept(
    listener: UnixListener,
    tls: Option<TlsAcceptor>,
    live: Live,
) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "could not accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
                () = sender.closed() => return,
            };
            tokio::spawn(hand_over(stream, tls.clone(), live.clone(), sender.clone()));
        }
    });
    ReceiverStream::new(receiver)
}

async fn hand_over(
    stream: UnixStream,
    tls: Option<TlsAcceptor>,
    live: Live,
    server: mpsc::Sender<io::Result<Connection>>,
) {
    let stream: Pin<Box<dyn Duplex>> = match tls {
        None => Box::pin(stream),
        Some(acceptor) => match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Box::pin(stream),
            Ok(Err(error)) => return tracing::warn!(%error, "refused a client in its TLS handshake"),
            Err(_) => return tracing::warn!("a client did not finish its TLS handshake"),
        },
    };
    // The server is gone when this fails, and the connection with it.
    server.send(Ok(Connection { stream, _counted: live.one() })).await.ok();
}

impl Connected for Connection {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}
