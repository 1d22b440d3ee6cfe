//! Ephemeral resources: what is read for the length of a run and stored nowhere.

use std::sync::Arc;

use super::data_source::{answer, decode};
use super::{Provider, Result, convert, pb, refusing, source};
use pb::{
    close_ephemeral_resource, open_ephemeral_resource, renew_ephemeral_resource,
    validate_ephemeral_resource_config,
};

const KIND: &str = "ephemeral resource type";

refusing! {
    validate_ephemeral_resource_config "ValidateEphemeralResourceConfig" about type_name;
    open_ephemeral_resource "OpenEphemeralResource" about type_name;
    renew_ephemeral_resource "RenewEphemeralResource" about type_name;
    close_ephemeral_resource "CloseEphemeralResource" about type_name;
}

pub(super) async fn validate<P: Provider>(
    provider: Arc<P>,
    request: validate_ephemeral_resource_config::Request,
) -> Result<validate_ephemeral_resource_config::Response> {
    let source = source(provider.ephemeral_resources(), KIND, &request.type_name)?;
    let diagnostics = convert::diagnostics(source.validate(decode(source, request.config.as_ref())?));
    Ok(validate_ephemeral_resource_config::Response { diagnostics })
}

/// What is opened is a value like any other: it neither ends nor is given back.
pub(super) async fn open<P: Provider>(
    provider: Arc<P>,
    request: open_ephemeral_resource::Request,
) -> Result<open_ephemeral_resource::Response> {
    let source = source(provider.ephemeral_resources(), KIND, &request.type_name)?;
    let read = source.read(decode(source, request.config.as_ref())?).await;
    let (result, diagnostics) = answer(source, read);
    Ok(open_ephemeral_resource::Response {
        result,
        diagnostics: convert::diagnostics(diagnostics),
        ..Default::default()
    })
}

pub(super) async fn renew<P: Provider>(
    provider: Arc<P>,
    request: renew_ephemeral_resource::Request,
) -> Result<renew_ephemeral_resource::Response> {
    source(provider.ephemeral_resources(), KIND, &request.type_name)?;
    Ok(renew_ephemeral_resource::Response::default())
}

pub(super) async fn close<P: Provider>(
    provider: Arc<P>,
    request: close_ephemeral_resource::Request,
) -> Result<close_ephemeral_resource::Response> {
    source(provider.ephemeral_resources(), KIND, &request.type_name)?;
    Ok(close_ephemeral_resource::Response::default())
}
