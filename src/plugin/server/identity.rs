//! Resource identity: the part of a state that tells an object from all others, beside the state.
//!
//! It follows from the state alone, so a state that was stored without one gets it at the next refresh.

use std::sync::Arc;

use super::{Diagnostic, Provider, Result, codec, convert, pb, refusing, resource};
use crate::terraform::{AnyResource, Object, Type, Value};
use pb::resource_identity_schema::IdentityAttribute;
use pb::{get_resource_identity_schemas, upgrade_resource_identity};

refusing! {
    get_resource_identity_schemas "GetResourceIdentitySchemas";
    upgrade_resource_identity "UpgradeResourceIdentity" about type_name;
}

/// The version of every identity: none has been changed yet.
const VERSION: i64 = 0;

/// Terraform asks this right after the schema.
pub(super) async fn schemas<P: Provider>(
    provider: Arc<P>,
    _: get_resource_identity_schemas::Request,
) -> Result<get_resource_identity_schemas::Response> {
    let resources = provider.resources().iter().filter(|resource| !resource.identity().is_empty());
    Ok(get_resource_identity_schemas::Response {
        identity_schemas: resources
            .map(|resource| (resource.type_name().to_owned(), schema(&**resource)))
            .collect(),
        ..Default::default()
    })
}

fn schema(resource: &dyn AnyResource) -> pb::ResourceIdentitySchema {
    let attribute = |name: &&str| {
        let attribute = resource.schema().attribute(name)?;
        Some(IdentityAttribute {
            name: (*name).to_owned(),
            r#type: convert::r#type(&attribute.kind.value_type()).into(),
            required_for_import: true,
            optional_for_import: false,
            description: attribute.docs.to_owned(),
        })
    };
    pb::ResourceIdentitySchema {
        version: VERSION,
        identity_attributes: resource.identity().iter().filter_map(attribute).collect(),
    }
}

/// Terraform asks this only of an identity that is older than today's.
pub(super) async fn upgrade<P: Provider>(
    provider: Arc<P>,
    request: upgrade_resource_identity::Request,
) -> Result<upgrade_resource_identity::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    if request.version != VERSION {
        return Err(Diagnostic::error(
            format!("The identity of a {} is of another version", request.type_name),
            "The state holds a resource identity that this version of the provider does not know. A newer version has \
             written it: use that version.",
        ));
    }
    let stored = request.raw_identity.map(|raw| raw.json).unwrap_or_default();
    let identity = codec::decode_state(&stored, &object_type(resource))?;
    Ok(upgrade_resource_identity::Response {
        upgraded_identity: identity.as_ref().and_then(|identity| encode(resource, identity)),
        ..Default::default()
    })
}

/// The identity of an object in a state. There is none while a part of it is missing.
pub(super) fn of(resource: &dyn AnyResource, state: Option<&Object>) -> Option<pb::ResourceIdentityData> {
    encode(resource, &resource.identity_of(state?))
}

/// The identity in a plan: what it was, where the plan does not know it wholly, since it never changes; unknown in
/// parts while there is no object.
pub(super) fn planned(
    resource: &dyn AnyResource,
    planned: Option<&Object>,
    prior: Option<&Object>,
) -> Option<pb::ResourceIdentityData> {
    let planned = planned.map(|state| resource.identity_of(state));
    match (planned, prior) {
        (Some(planned), _) if Value::from(planned.clone()).is_wholly_known() => encode(resource, &planned),
        (_, Some(prior)) => of(resource, Some(prior)),
        (planned, None) => encode(resource, &planned?),
    }
}

pub(super) fn encode(resource: &dyn AnyResource, identity: &Object) -> Option<pb::ResourceIdentityData> {
    if identity.0.is_empty() || identity.0.values().any(Value::is_null) {
        return None;
    }
    let (data, bugs) = codec::encode(Some(identity), &object_type(resource));
    bugs.is_empty().then_some(pb::ResourceIdentityData { identity_data: Some(data) })
}

/// The ID to import by that an identity amounts to: its values, joined.
pub(super) fn import_id(resource: &dyn AnyResource, sent: &pb::ResourceIdentityData) -> Result<String> {
    let identity = codec::decode(sent.identity_data.as_ref(), &object_type(resource))?.unwrap_or_default();
    let words: Option<Vec<String>> =
        resource.identity().iter().map(|name| word(identity.get(name))).collect();
    words.map(|words| words.join("/")).ok_or_else(|| {
        let names: Vec<String> = resource.identity().iter().map(|name| format!("`{name}`")).collect();
        Diagnostic::error(
            format!("Cannot import {}", resource.type_name()),
            format!("Its identity is all of {}, each of them known.", names.join(" and ")),
        )
    })
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn object_type(resource: &dyn AnyResource) -> Type {
    let own = |name: &&str| Some(((*name).to_owned(), resource.schema().attribute(name)?.kind.value_type()));
    Type::Object(resource.identity().iter().filter_map(own).collect())
}
