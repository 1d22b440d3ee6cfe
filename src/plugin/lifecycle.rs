//! Serving a provider, and when that ends.
//!
//! Terraform ends a plugin by a call, and kills it two seconds later. It also can die itself, without a word:
//! then its connection closes, and a plugin that stayed would stay forever. Ctrl-C reaches both processes, but
//! is Terraform's to handle: it asks the provider to hurry and still waits for what is under way, so this
//! process goes on until Terraform is done with it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::companions::Companions;
use super::connection::{self, Live};
use super::handshake::{self, Environment};
use super::server::Service;
use super::socket::{Folder, Socket};
use super::tls::{self, TlsError};
use crate::terraform::Provider;

/// How long a host may take to connect. It gives up itself after a minute.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the last connection may be gone before we take the host for dead.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long calls may go on that no one waits for any more, after they were asked to stop: long enough to leave
/// the remote side in a known state.
const WIND_DOWN: Duration = Duration::from_secs(10);
/// How long streams may take to close after the host has said goodbye. It kills us after two seconds.
const FAREWELL: Duration = Duration::from_secs(1);
/// HTTP/2 windows, in bytes: a large state then takes few round trips, at no cost for small ones.
const WINDOW: u32 = 1 << 20;

/// Why serving did not start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The cookie is missing: a person has started the binary.
    #[error("this is a Terraform provider, which Terraform starts; see --help")]
    NotStartedByTerraform,
    /// No socket could be made.
    #[error("could not listen on a Unix socket in the temporary folder: {0}")]
    Socket(#[source] io::Error),
    /// The signals that must not end the process could not be caught.
    #[error("could not set up signal handling: {0}")]
    Signals(#[source] io::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The handshake line could not be written.
    #[error("could not write the handshake line to standard output: {0}")]
    Handshake(#[source] io::Error),
    /// The server failed after it had started.
    #[error("the gRPC server failed: {0}")]
    Server(#[from] tonic::transport::Error),
}

/// Serves `provider` to the Terraform process that has started this one, until that is done with it.
///
/// Standard output must not have been written to: the handshake line goes there.
///
/// # Errors
///
/// [`ServeError::NotStartedByTerraform`] when a person has started the process, and the others as they say.
pub async fn serve<P: Provider>(provider: P) -> Result<(), ServeError> {
    let environment = Environment::of_process();
    if !environment.started_by_terraform {
        return Err(ServeError::NotStartedByTerraform);
    }
    let signals = Signals::catch().map_err(ServeError::Signals)?;
    let tls = environment.client_certificate.as_deref().map(tls::Server::for_client).transpose()?;
    let (acceptor, certificate) = tls.map(|tls| (tls.acceptor, tls.certificate)).unzip();
    let socket = Socket::listen(environment.socket_folder.as_deref()).map_err(ServeError::Socket)?;
    let path = socket.path();
    let serving = Serving::start(provider, socket, acceptor);
    handshake::announce(io::stdout().lock(), &environment, &path, certificate.as_deref())
        .map_err(ServeError::Handshake)?;
    serving.until_the_host_is_done(signals).await
}

/// The signals that end a process by default.
pub(super) struct Signals {
    pub(super) interrupt: Signal,
    pub(super) terminate: Signal,
}

impl Signals {
    /// From here on, none of them ends the process by itself.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }
}

/// A server that runs.
pub(super) struct Serving {
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    end: CancellationToken,
    connections: Live,
    calls: Live,
    stop: Arc<dyn Fn() + Send + Sync>,
    _folder: Folder,
}

impl Serving {
    /// Starts to serve on `socket`; with `tls`, only to the client that it knows.
    pub(super) fn start<P: Provider>(provider: P, socket: Socket, tls: Option<TlsAcceptor>) -> Self {
        Serving::start_with(provider, socket, tls, |_| {})
    }

    /// The same, with a last hand on the service.
    pub(super) fn start_with<P: Provider>(
        provider: P,
        socket: Socket,
        tls: Option<TlsAcceptor>,
        prepare: impl FnOnce(&mut Service<P>),
    ) -> Self {
        let (end, connections, calls) = (CancellationToken::new(), Live::default(), Live::default());
        let (listener, folder) = socket.into_parts();
        let mut service = Service::new(provider, calls.clone());
        prepare(&mut service);
        let stop = service.stopper();
        let routes = Companions::routes(end.clone()).add_service(service.into_server());
        let incoming = connection::accept(listener, tls, connections.clone());
        let server = tonic::transport::Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, end.clone().cancelled_owned());
        Serving { server: tokio::spawn(server), end, connections, calls, stop, _folder: folder }
    }

    /// Serves until the host says goodbye or is gone.
    async fn until_the_host_is_done(self, mut signals: Signals) -> Result<(), ServeError> {
        let mut gone = pin!(host_is_gone(self.connections.clone()));
        loop {
            tokio::select! {
                () = self.end.cancelled() => break,
                () = &mut gone => {
                    tracing::warn!("the host is gone, so this provider ends too");
                    break self.wind_down().await;
                }
                // Terraform got it as well, or waits for us: its state is safe only if we go on.
                Some(()) = signals.interrupt.recv() => {}
                Some(()) = signals.terminate.recv() => (self.stop)(),
            }
        }
        self.close().await
    }

    /// Serves until a person ends it, for a debugger.
    pub(super) async fn until_interrupted(self, mut signals: Signals) -> Result<(), ServeError> {
        tokio::select! {
            () = self.end.cancelled() => {}
            Some(()) = signals.interrupt.recv() => {}
            Some(()) = signals.terminate.recv() => {}
        }
        tokio::select! {
            () = self.wind_down() => {}
            Some(()) = signals.interrupt.recv() => {}
            Some(()) = signals.terminate.recv() => {}
        }
        self.close().await
    }

    /// Asks what is under way to stop, and gives it some time to.
    async fn wind_down(&self) {
        (self.stop)();
        if timeout(WIND_DOWN, self.calls.none()).await.is_err() {
            tracing::warn!("calls did not stop in time and are cut off");
        }
    }

    /// Ends the server. Calls that still run then are told to stop, and cut off: who says goodbye to them does
    /// not wait for their answer.
    async fn close(self) -> Result<(), ServeError> {
        self.end.cancel();
        (self.stop)();
        match timeout(FAREWELL, self.server).await {
            Ok(Ok(result)) => Ok(result?),
            // Cut off, as announced; or the task panicked, which the hook has reported.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

/// Returns when no host is connected any more, or has never been.
async fn host_is_gone(connections: Live) {
    if timeout(CONNECT_TIMEOUT, connections.some()).await.is_err() {
        return;
    }
    loop {
        connections.none().await;
        if timeout(RECONNECT_TIMEOUT, connections.some()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::host;
    use super::super::proto::go_plugin::grpc_broker_client::GrpcBrokerClient;
    use super::super::proto::go_plugin::grpc_controller_client::GrpcControllerClient;
    use super::super::proto::go_plugin::grpc_stdio_client::GrpcStdioClient;
    use super::super::proto::go_plugin::{ConnInfo, Empty};
    use super::super::proto::health::health_client::HealthClient;
    use super::super::proto::health::{HealthCheckRequest, health_check_response::ServingStatus};
    use super::super::proto::tfplugin6::get_provider_schema;
    use super::super::proto::tfplugin6::provider_client::ProviderClient;
    use super::super::sample::Sample;
    use super::*;
    use tokio::time::Instant;

    /// Signals of which the test's own process has no other use.
    fn signals() -> Signals {
        let user_defined = |kind| signal(kind).expect("a signal");
        Signals {
            interrupt: user_defined(SignalKind::user_defined1()),
            terminate: user_defined(SignalKind::user_defined2()),
        }
    }

    fn sample() -> (Serving, std::path::PathBuf) {
        let socket = Socket::listen(None).expect("listens");
        let path = socket.path();
        (Serving::start(Sample::default(), socket, None), path)
    }

    #[tokio::test]
    async fn goodbye_is_answered_and_ends_it_in_spite_of_open_streams() {
        let (serving, path) = sample();
        let done = tokio::spawn(serving.until_the_host_is_done(signals()));
        let channel = host::connect(path.clone(), None).await.expect("connects");
        let mut stdio =
            GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.expect("opens").into_inner();
        let offers = tokio_stream::pending::<ConnInfo>();
        let broker = GrpcBrokerClient::new(channel.clone()).start_stream(offers).await.expect("opens");
        let began = Instant::now();
        GrpcControllerClient::new(channel.clone()).shutdown(Empty {}).await.expect("an answer");
        assert!(stdio.message().await.expect("a clean end").is_none());
        drop((broker, channel));
        done.await.expect("no panic").expect("a clean end");
        assert!(began.elapsed() < FAREWELL, "{:?}", began.elapsed());
        assert!(!path.exists() && !path.parent().expect("a folder").exists());
    }

    #[tokio::test]
    async fn host_that_disappears_ends_it() {
        let (serving, path) = sample();
        let done = tokio::spawn(serving.until_the_host_is_done(signals()));
        let channel = host::connect(path.clone(), None).await.expect("connects");
        let mut client = ProviderClient::new(channel);
        client.get_provider_schema(get_provider_schema::Request {}).await.expect("a schema");
        drop(client);
        timeout(Duration::from_secs(10), done)
            .await
            .expect("in time")
            .expect("no panic")
            .expect("a clean end");
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn health_is_told() {
        let (serving, path) = sample();
        let channel = host::connect(path, None).await.expect("connects");
        let mut health = HealthClient::new(channel);
        let asked = |service: &str| HealthCheckRequest { service: service.to_owned() };
        let status = health.check(asked("plugin")).await.expect("an answer").into_inner().status();
        assert_eq!(status, ServingStatus::Serving);
        assert_eq!(health.check(asked("other")).await.expect_err("unknown").code(), tonic::Code::NotFound);
        let mut watch = health.watch(asked("plugin")).await.expect("opens").into_inner();
        let first = watch.message().await.expect("open").expect("a status");
        assert_eq!(first.status(), ServingStatus::Serving);
        serving.end.cancel();
        assert!(watch.message().await.expect("a clean end").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_never_comes_is_gone() {
        let began = tokio::time::Instant::now();
        host_is_gone(Live::default()).await;
        assert_eq!(began.elapsed(), CONNECT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_may_reconnect_but_not_stay_away() {
        let connections = Live::default();
        let gone = tokio::spawn(host_is_gone(connections.clone()));
        let first = connections.one();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        drop(first);
        tokio::time::sleep(RECONNECT_TIMEOUT / 2).await;
        let second = connections.one();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(!gone.is_finished());
        drop(second);
        tokio::time::sleep(RECONNECT_TIMEOUT + Duration::from_millis(1)).await;
        assert!(gone.is_finished());
    }
}
