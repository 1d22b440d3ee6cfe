//! The life of a managed resource.
//!
//! Terraform takes what an answer does not mention for gone, so whatever cannot be done here is answered with what
//! Terraform sent: an error must not cost the state.

use std::sync::Arc;

use super::{Call, Diagnostic, Provider, Result, codec, convert, identity, pb, plant, refusing, resource};
use crate::terraform::{AnyResource, Apply, Attribute, Kind, MoveSource, Nesting, Object, Private, Value};
use pb::{
    apply_resource_change, generate_resource_config, import_resource_state, move_resource_state,
    plan_resource_change, read_resource, upgrade_resource_state, validate_resource_config,
};

type Json = serde_json::Map<String, serde_json::Value>;

refusing! {
    validate_resource_config "ValidateResourceConfig" about type_name;
    upgrade_resource_state "UpgradeResourceState" about type_name;
    plan_resource_change "PlanResourceChange" about type_name;
    import_resource_state "ImportResourceState" about type_name;
    move_resource_state "MoveResourceState" about target_type_name;
    generate_resource_config "GenerateResourceConfig" about type_name;
}

pub(super) async fn validate<P: Provider>(
    provider: Arc<P>,
    request: validate_resource_config::Request,
) -> Result<validate_resource_config::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let config = decode(resource, request.config.as_ref())?.unwrap_or_default();
    // Hosts that do not know of the capability do not know of write-only attributes either.
    let write_only = request.client_capabilities.is_some_and(|client| client.write_only_attributes_allowed);
    let diagnostics = convert::diagnostics(resource.validate(config, write_only));
    Ok(validate_resource_config::Response { diagnostics })
}

/// Terraform asks this of every object before anything else, also when the version is today's.
pub(super) async fn upgrade<P: Provider>(
    provider: Arc<P>,
    request: upgrade_resource_state::Request,
) -> Result<upgrade_resource_state::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let schema = resource.schema();
    let stored = stored(request.raw_state.as_ref())?;
    let state = if request.version == schema.version {
        // Straight from the text, so that numbers keep all their digits.
        codec::decode_state(stored, &schema.object_type())?
    } else {
        of_today(resource, resource.upgrade(request.version, attributes(stored)?)?)?
    };
    let state = state.map(|state| schema.completed(without_write_only(&schema.attributes, state)));
    let (state, bugs) = encode(resource, state.as_ref());
    Ok(upgrade_resource_state::Response {
        upgraded_state: Some(state),
        diagnostics: convert::diagnostics(bugs),
    })
}

pub(super) async fn read<P: Provider>(
    provider: Arc<P>,
    request: read_resource::Request,
) -> Result<read_resource::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let Some(state) = decode(resource, request.current_state.as_ref())? else {
        return Ok(read_resource::Response { private: request.private, ..Default::default() });
    };
    let unread = plant::Unread::of(&request.type_name, &state);
    let mut read = resource.read(state, Private::from_bytes(&request.private)?).await;
    unread.put_back(&mut read.state);
    let (state, bugs) = encode(resource, read.state.as_ref());
    Ok(read_resource::Response {
        new_state: Some(state),
        new_identity: identity::of(resource, read.state.as_ref()),
        private: read.private.to_bytes().into(),
        diagnostics: convert::diagnostics(read.diagnostics.into_iter().chain(bugs)),
        ..Default::default()
    })
}

impl Call for read_resource::Request {
    const NAME: &'static str = "ReadResource";
    type Answer = read_resource::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        read_resource::Response {
            new_state: self.current_state,
            private: self.private,
            new_identity: self.current_identity,
            diagnostics: vec![convert::diagnostic(reason)],
            ..Default::default()
        }
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        &answer.diagnostics
    }
}

pub(super) async fn plan<P: Provider>(
    provider: Arc<P>,
    request: plan_resource_change::Request,
) -> Result<plan_resource_change::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let config = decode(resource, request.config.as_ref())?;
    let prior = decode(resource, request.prior_state.as_ref())?;
    let planned = resource.plan(config, prior.clone(), Private::from_bytes(&request.prior_private)?).await;
    let (state, bugs) = encode(resource, planned.state.as_ref());
    Ok(plan_resource_change::Response {
        planned_state: Some(state),
        planned_identity: identity::planned(resource, planned.state.as_ref(), prior.as_ref()),
        requires_replace: planned.replace.iter().map(convert::path).collect(),
        planned_private: request.prior_private,
        diagnostics: convert::diagnostics(planned.diagnostics.into_iter().chain(bugs)),
        ..Default::default()
    })
}

pub(super) async fn apply<P: Provider>(
    provider: Arc<P>,
    request: apply_resource_change::Request,
) -> Result<apply_resource_change::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let applied = resource
        .apply(Apply {
            prior: decode(resource, request.prior_state.as_ref())?,
            planned: decode(resource, request.planned_state.as_ref())?,
            config: decode(resource, request.config.as_ref())?,
            private: Private::from_bytes(&request.planned_private)?,
        })
        .await;
    let (state, bugs) = encode(resource, applied.state.as_ref());
    Ok(apply_resource_change::Response {
        new_state: Some(state),
        new_identity: identity::of(resource, applied.state.as_ref()),
        private: applied.private.to_bytes().into(),
        diagnostics: convert::diagnostics(applied.diagnostics.into_iter().chain(bugs)),
        ..Default::default()
    })
}

impl Call for apply_resource_change::Request {
    const NAME: &'static str = "ApplyResourceChange";
    type Answer = apply_resource_change::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    /// The state from before: after a refusal that is what exists.
    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        apply_resource_change::Response {
            new_state: self.prior_state,
            private: self.planned_private,
            new_identity: self.planned_identity,
            diagnostics: vec![convert::diagnostic(reason)],
            ..Default::default()
        }
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        &answer.diagnostics
    }
}

pub(super) async fn import<P: Provider>(
    provider: Arc<P>,
    request: import_resource_state::Request,
) -> Result<import_resource_state::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let id = match &request.identity {
        Some(identity) if request.id.is_empty() => identity::import_id(resource, identity)?,
        _ => request.id,
    };
    if id.is_empty() {
        return Err(Diagnostic::error(
            format!("Cannot import {}", request.type_name),
            "The ID is empty. The documentation of the resource says what it looks like.",
        ));
    }
    let imported = resource.import(&id).await;
    let mut diagnostics = convert::diagnostics(imported.diagnostics);
    let mut imported_resources = vec![];
    if let Some(state) = imported.state {
        // What was asked for is what was found, also where the rest of it comes with the first refresh only.
        let identity = identity::of(resource, Some(&state)).or(request.identity);
        let (state, bugs) = encode_state(resource, state);
        diagnostics.extend(convert::diagnostics(bugs));
        imported_resources.push(import_resource_state::ImportedResource {
            type_name: request.type_name,
            state: Some(state),
            private: imported.private.to_bytes().into(),
            identity,
        });
    }
    Ok(import_resource_state::Response { imported_resources, diagnostics, ..Default::default() })
}

/// A `moved` block from another type, perhaps of another provider. The provider is not configured.
pub(super) async fn r#move<P: Provider>(
    provider: Arc<P>,
    request: move_resource_state::Request,
) -> Result<move_resource_state::Response> {
    let resource = resource(&*provider, &request.target_type_name)?;
    let (moved, private) = resource.move_from(MoveSource {
        provider: request.source_provider_address,
        type_name: request.source_type_name,
        version: request.source_schema_version,
        attributes: attributes(stored(request.source_state.as_ref())?)?,
        private: request.source_private.to_vec(),
    })?;
    let state = of_today(resource, moved)?;
    let schema = resource.schema();
    let state = state.map(|state| schema.completed(without_write_only(&schema.attributes, state)));
    let (encoded, bugs) = encode(resource, state.as_ref());
    Ok(move_resource_state::Response {
        target_state: Some(encoded),
        target_private: private.into(),
        target_identity: identity::of(resource, state.as_ref()),
        diagnostics: convert::diagnostics(bugs),
    })
}

/// What a configuration of an imported object would say: all of the state that a configuration may set.
pub(super) async fn generate<P: Provider>(
    provider: Arc<P>,
    request: generate_resource_config::Request,
) -> Result<generate_resource_config::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    let state = decode(resource, request.state.as_ref())?;
    let settable = |attribute: &Attribute| attribute.required || attribute.optional;
    let config = state.map(|state| only(settable, &resource.schema().attributes, state));
    let (config, bugs) = encode(resource, config.as_ref());
    Ok(generate_resource_config::Response { config: Some(config), diagnostics: convert::diagnostics(bugs) })
}

fn decode(resource: &dyn AnyResource, sent: Option<&pb::DynamicValue>) -> Result<Option<Object>> {
    Ok(codec::decode(sent, &resource.schema().object_type())?)
}

fn encode(resource: &dyn AnyResource, object: Option<&Object>) -> (pb::DynamicValue, Vec<Diagnostic>) {
    codec::encode(object, &resource.schema().object_type())
}

/// The state of an object that was found, for Terraform to keep.
pub(super) fn encode_state(resource: &dyn AnyResource, state: Object) -> (pb::DynamicValue, Vec<Diagnostic>) {
    encode(resource, Some(&without_write_only(&resource.schema().attributes, state)))
}

/// The bytes of a stored state.
fn stored(raw: Option<&pb::RawState>) -> Result<&[u8]> {
    match raw {
        Some(raw) if !raw.json.is_empty() => Ok(&raw.json),
        _ => Err(Diagnostic::error(
            "The stored state cannot be read",
            "It is not in JSON: Terraform before 0.12 wrote such states, which this provider has never been in. The \
             state file is damaged, or is that of something else.",
        )),
    }
}

/// The attributes of a stored state whose schema is not known here.
fn attributes(stored: &[u8]) -> Result<Json> {
    // The parser's own message is not passed on, since it may quote what it has found.
    serde_json::from_slice(stored).map_err(|_| {
        Diagnostic::error(
            "The stored state cannot be read",
            "It is not a JSON object, so the state file is damaged.",
        )
    })
}

/// Attributes in today's shape, as an object.
fn of_today(resource: &dyn AnyResource, attributes: Json) -> Result<Option<Object>> {
    let json = serde_json::Value::Object(attributes).to_string();
    Ok(codec::decode_state(json.as_bytes(), &resource.schema().object_type())?)
}

/// An older version may have stored what is write-only today, which Terraform refuses to see in a state.
fn without_write_only(attributes: &[(&'static str, Attribute)], state: Object) -> Object {
    only(|attribute| !attribute.write_only, attributes, state)
}

/// The object with null for every attribute that is not to be kept, at any depth.
fn only(
    keep: impl Fn(&Attribute) -> bool + Copy,
    attributes: &[(&'static str, Attribute)],
    mut object: Object,
) -> Object {
    for (name, attribute) in attributes {
        let Some(value) = object.0.get_mut(*name) else { continue };
        if !keep(attribute) {
            *value = Value::Null;
        } else if let Kind::Nested(nesting, members) = &attribute.kind {
            let inner = |value: Value| match value {
                Value::Map(members_of) => Value::Map(only(keep, members, Object(members_of)).0),
                other => other,
            };
            *value = match (nesting, std::mem::take(value)) {
                (Nesting::Single, value) => inner(value),
                (_, Value::List(items)) => Value::List(items.into_iter().map(inner).collect()),
                (_, Value::Map(items)) => {
                    Value::Map(items.into_iter().map(|(key, value)| (key, inner(value))).collect())
                }
                (_, other) => other,
            };
        }
    }
    object
}
