//! Resource identity, which no resource of this provider has: states and imports go by ID.

use std::sync::Arc;

use super::{Diagnostic, Provider, Result, pb, refusing};
use pb::{get_resource_identity_schemas, upgrade_resource_identity};

refusing! {
    get_resource_identity_schemas "GetResourceIdentitySchemas";
    upgrade_resource_identity "UpgradeResourceIdentity" about type_name;
}

/// Terraform asks this right after the schema, and takes an empty answer for "no identities".
pub(super) async fn schemas<P: Provider>(
    _: Arc<P>,
    _: get_resource_identity_schemas::Request,
) -> Result<get_resource_identity_schemas::Response> {
    Ok(get_resource_identity_schemas::Response::default())
}

pub(super) async fn upgrade<P: Provider>(
    _: Arc<P>,
    request: upgrade_resource_identity::Request,
) -> Result<upgrade_resource_identity::Response> {
    Err(Diagnostic::error(
        format!("{} has no identity", request.type_name),
        "The state holds a resource identity, which this version of the provider does not know. A newer version has \
         written it: use that version.",
    ))
}
