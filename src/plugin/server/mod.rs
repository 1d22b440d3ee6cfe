//! The provider's own service: every call of the protocol, decoded, passed on to the provider, and encoded.
//!
//! One file per topic, one function per call. A function takes the provider and the request and returns the
//! response, or a diagnostic where it cannot go on; [`call`] puts around each of them what all have in common.

mod action;
mod call;
mod data_source;
mod ephemeral;
mod function;
mod identity;
mod list_resource;
mod plant;
mod provider;
mod resource;
mod state_store;

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use self::call::{Call, Events, Frame, refusing};
use super::codec;
use super::connection::Live;
use super::convert;
use super::proto::tfplugin6 as pb;
use super::proto::tfplugin6::provider_server::{Provider as Protocol, ProviderServer};
use crate::terraform::{AnyResource, AnySource, Diagnostic, Provider, Result};

/// The largest message in bytes, as the official Go servers have it. The default of 4 MiB is less than what a
/// large state can be.
const LARGEST_MESSAGE: usize = 256 << 20;

/// A provider as a gRPC service.
pub(super) struct Service<P> {
    provider: Arc<P>,
    frame: Frame,
}

impl<P: Provider> Service<P> {
    /// Serves `provider`; `calls` counts the calls that run.
    pub(super) fn new(provider: P, calls: Live) -> Self {
        Service { provider: Arc::new(provider), frame: Frame::new(calls) }
    }

    /// Asks the provider to end its waits.
    pub(super) fn stopper(&self) -> Arc<dyn Fn() + Send + Sync> {
        let provider = self.provider.clone();
        Arc::new(move || provider.stop())
    }

    /// The gRPC service.
    pub(super) fn into_server(self) -> ProviderServer<Self> {
        ProviderServer::new(self)
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE)
    }
}

/// The resource type of that name.
fn resource<'a, P: Provider>(provider: &'a P, type_name: &str) -> Result<&'a dyn AnyResource> {
    provider.resource(type_name).ok_or_else(|| unknown("resource type", type_name))
}

/// The data source or ephemeral resource type of that name.
fn source<'a>(sources: &'a [Box<dyn AnySource>], kind: &str, type_name: &str) -> Result<&'a dyn AnySource> {
    let named = sources.iter().find(|source| source.type_name() == type_name);
    named.map(|source| &**source).ok_or_else(|| unknown(kind, type_name))
}

/// What the provider does not have. Terraform asks for it only when its idea of the provider is of another version.
fn unknown(kind: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is no {kind} {name:?}"),
        format!(
            "This version of the provider has no {kind} of that name. It may be in another version: compare the \
             version in `terraform version` with the provider's documentation."
        ),
    )
}

macro_rules! protocol {
    (
        single { $($method:ident ( $message:ident ) => $function:path,)* }
        stream { $($streaming:ident ( $stream:ident :: $event:ident as $events:ident ) => $produce:path,)* }
    ) => {
        #[tonic::async_trait]
        impl<P: Provider> Protocol for Service<P> {
            $(
                async fn $method(
                    &self,
                    request: Request<pb::$message::Request>,
                ) -> Result<Response<pb::$message::Response>, Status> {
                    self.frame.answer(&self.provider, request.into_inner(), $function).await.map(Response::new)
                }
            )*
            $(
                type $events = Events<pb::$stream::$event>;

                async fn $streaming(
                    &self,
                    request: Request<pb::$stream::Request>,
                ) -> Result<Response<Self::$events>, Status> {
                    let answer = self.frame.answer(&self.provider, request.into_inner(), $produce).await?;
                    Ok(Response::new(call::events(answer)))
                }
            )*

            type InvokeActionStream = Events<pb::invoke_action::Event>;

            async fn invoke_action(
                &self,
                request: Request<pb::invoke_action::Request>,
            ) -> Result<Response<Self::InvokeActionStream>, Status> {
                Ok(Response::new(action::invoke(&self.frame, &self.provider, request.into_inner())))
            }

            async fn write_state_bytes(
                &self,
                request: Request<Streaming<pb::write_state_bytes::RequestChunk>>,
            ) -> Result<Response<pb::write_state_bytes::Response>, Status> {
                let written = state_store::receive(request.into_inner()).await?;
                self.frame.answer(&self.provider, written, state_store::write).await.map(Response::new)
            }
        }
    };
}

protocol! {
    single {
        get_metadata(get_metadata) => provider::metadata,
        get_provider_schema(get_provider_schema) => provider::schema,
        validate_provider_config(validate_provider_config) => provider::validate,
        configure_provider(configure_provider) => provider::configure,
        stop_provider(stop_provider) => provider::stop,
        validate_resource_config(validate_resource_config) => resource::validate,
        upgrade_resource_state(upgrade_resource_state) => resource::upgrade,
        read_resource(read_resource) => resource::read,
        plan_resource_change(plan_resource_change) => resource::plan,
        apply_resource_change(apply_resource_change) => resource::apply,
        import_resource_state(import_resource_state) => resource::import,
        move_resource_state(move_resource_state) => resource::r#move,
        generate_resource_config(generate_resource_config) => resource::generate,
        get_resource_identity_schemas(get_resource_identity_schemas) => identity::schemas,
        upgrade_resource_identity(upgrade_resource_identity) => identity::upgrade,
        validate_data_resource_config(validate_data_resource_config) => data_source::validate,
        read_data_source(read_data_source) => data_source::read,
        validate_ephemeral_resource_config(validate_ephemeral_resource_config) => ephemeral::validate,
        open_ephemeral_resource(open_ephemeral_resource) => ephemeral::open,
        renew_ephemeral_resource(renew_ephemeral_resource) => ephemeral::renew,
        close_ephemeral_resource(close_ephemeral_resource) => ephemeral::close,
        get_functions(get_functions) => function::functions,
        call_function(call_function) => function::call,
        validate_list_resource_config(validate_list_resource_config) => list_resource::validate,
        plan_action(plan_action) => action::plan,
        validate_action_config(validate_action_config) => action::validate,
        validate_state_store_config(validate_state_store) => state_store::validate,
        configure_state_store(configure_state_store) => state_store::configure,
        lock_state(lock_state) => state_store::lock,
        unlock_state(unlock_state) => state_store::unlock,
        get_states(get_states) => state_store::list,
        delete_state(delete_state) => state_store::delete,
    }
    stream {
        list_resource(list_resource::Event as ListResourceStream) => list_resource::list,
        read_state_bytes(read_state_bytes::Response as ReadStateBytesStream) => state_store::read,
    }
}

#[cfg(test)]
mod tests;
