//! Data sources, of which the provider has none yet.

use std::sync::Arc;

use super::{Provider, Result, pb, refusing, unknown};
use pb::{read_data_source, validate_data_resource_config};

const KIND: &str = "data source";

refusing! {
    validate_data_resource_config "ValidateDataResourceConfig" about type_name;
    read_data_source "ReadDataSource" about type_name;
}

pub(super) async fn validate<P: Provider>(
    _: Arc<P>,
    request: validate_data_resource_config::Request,
) -> Result<validate_data_resource_config::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn read<P: Provider>(
    _: Arc<P>,
    request: read_data_source::Request,
) -> Result<read_data_source::Response> {
    Err(unknown(KIND, &request.type_name))
}
