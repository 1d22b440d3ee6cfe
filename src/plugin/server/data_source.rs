//! Data sources: what is only read.

use std::sync::Arc;

use super::{Provider, Result, codec, convert, pb, refusing, source};
use crate::terraform::{AnySource, Diagnostics, Object, Read};
use pb::{read_data_source, validate_data_resource_config};

const KIND: &str = "data source";

refusing! {
    validate_data_resource_config "ValidateDataResourceConfig" about type_name;
    read_data_source "ReadDataSource" about type_name;
}

pub(super) async fn validate<P: Provider>(
    provider: Arc<P>,
    request: validate_data_resource_config::Request,
) -> Result<validate_data_resource_config::Response> {
    let source = source(provider.data_sources(), KIND, &request.type_name)?;
    let diagnostics = convert::diagnostics(source.validate(decode(source, request.config.as_ref())?));
    Ok(validate_data_resource_config::Response { diagnostics })
}

pub(super) async fn read<P: Provider>(
    provider: Arc<P>,
    request: read_data_source::Request,
) -> Result<read_data_source::Response> {
    let source = source(provider.data_sources(), KIND, &request.type_name)?;
    let read = source.read(decode(source, request.config.as_ref())?).await;
    let (state, diagnostics) = answer(source, read);
    Ok(read_data_source::Response {
        state,
        diagnostics: convert::diagnostics(diagnostics),
        ..Default::default()
    })
}

/// The configuration; an absent one is an empty one.
pub(super) fn decode(source: &dyn AnySource, sent: Option<&pb::DynamicValue>) -> Result<Object> {
    Ok(codec::decode(sent, &source.schema().object_type())?.unwrap_or_default())
}

/// What was read, and what is to be said of it.
pub(super) fn answer(source: &dyn AnySource, read: Read) -> (Option<pb::DynamicValue>, Diagnostics) {
    let (state, bugs) = codec::encode(read.state.as_ref(), &source.schema().object_type());
    (Some(state), read.diagnostics.into_iter().chain(bugs).collect())
}
