//! Ephemeral resources, of which the provider has none yet.

use std::sync::Arc;

use super::{Provider, Result, pb, refusing, unknown};
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
    _: Arc<P>,
    request: validate_ephemeral_resource_config::Request,
) -> Result<validate_ephemeral_resource_config::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn open<P: Provider>(
    _: Arc<P>,
    request: open_ephemeral_resource::Request,
) -> Result<open_ephemeral_resource::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn renew<P: Provider>(
    _: Arc<P>,
    request: renew_ephemeral_resource::Request,
) -> Result<renew_ephemeral_resource::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn close<P: Provider>(
    _: Arc<P>,
    request: close_ephemeral_resource::Request,
) -> Result<close_ephemeral_resource::Response> {
    Err(unknown(KIND, &request.type_name))
}
