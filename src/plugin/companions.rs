//! The services that go-plugin expects beside the provider: one ends the process, the others are there so
//! that the host has nothing to complain of.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use super::proto::go_plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use super::proto::go_plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use super::proto::go_plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use super::proto::go_plugin::{ConnInfo, Empty, StdioData};
use super::proto::health::health_check_response::ServingStatus;
use super::proto::health::health_server::{Health, HealthServer};
use super::proto::health::{HealthCheckRequest, HealthCheckResponse};

/// The name under which go-plugin asks for the health of the whole plugin.
const PLUGIN: &str = "plugin";

/// All of them. `end` ends the server; open streams end with it, so that they do not hold it up.
#[derive(Clone)]
pub(super) struct Companions {
    end: CancellationToken,
}

impl Companions {
    /// The services as routes, to which the provider's own is added.
    pub(super) fn routes(end: CancellationToken) -> Routes {
        let companions = Companions { end };
        Routes::new(GrpcControllerServer::new(companions.clone()))
            .add_service(GrpcStdioServer::new(companions.clone()))
            .add_service(GrpcBrokerServer::new(companions.clone()))
            .add_service(HealthServer::new(companions))
    }
}

type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream that is open until `end` and says nothing.
fn silence<T: Send + 'static>(end: impl Future<Output = ()> + Send + 'static) -> Items<T> {
    Box::pin(stream::once(end).filter_map(|()| async { None }))
}

#[tonic::async_trait]
impl GrpcController for Companions {
    /// The end of the server is graceful, so this answer still goes out before it.
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.end.cancel();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Companions {
    type StreamStdioStream = Items<StdioData>;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(silence(self.end.clone().cancelled_owned())))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Companions {
    type StartStreamStream = Items<ConnInfo>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let (end, mut offers) = (self.end.clone(), request.into_inner());
        Ok(Response::new(silence(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = async { while let Ok(Some(_)) = offers.message().await {} } => {}
            }
        })))
    }
}

#[tonic::async_trait]
impl Health for Companions {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match request.into_inner().service.as_str() {
            "" | PLUGIN => Ok(Response::new(status(ServingStatus::Serving))),
            other => Err(Status::not_found(format!("there is no service {other:?} here"))),
        }
    }

    type WatchStream = Items<HealthCheckResponse>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let now = match request.into_inner().service.as_str() {
            "" | PLUGIN => ServingStatus::Serving,
            _ => ServingStatus::ServiceUnknown,
        };
        let then = silence(self.end.clone().cancelled_owned());
        Ok(Response::new(Box::pin(stream::once(async move { Ok(status(now)) }).chain(then))))
    }
}

fn status(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
