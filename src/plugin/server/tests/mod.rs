//! The protocol as Terraform speaks it, with a provider that has one of everything. One file per topic.

mod action;
mod every_call;
mod function;
mod identity;
mod list_resource;
mod provider;
mod resource;
mod side_by_side;
mod source;

use std::collections::BTreeMap;

use tonic::transport::Channel;

use super::super::host;
use super::super::sample::{ADDRESS, FOLD, INK, NOTE, NOTES, SHRED, Sample};
use super::*;
use crate::terraform::{Number, Object, Refinement, Type, Value};
use pb::provider_client::ProviderClient;

type Client = ProviderClient<Channel>;

fn note_type() -> Type {
    Sample::default().resources()[0].schema().object_type()
}

/// A note with these attributes; the others are null.
fn note(attributes: &[(&str, Value)]) -> Object {
    let Type::Object(types) = note_type() else { panic!("an object") };
    let mut object: BTreeMap<String, Value> = types.keys().map(|name| (name.clone(), Value::Null)).collect();
    object.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Object(object)
}

fn sent(object: &Object) -> Option<pb::DynamicValue> {
    let (value, bugs) = codec::encode(Some(object), &note_type());
    assert_eq!(bugs, []);
    Some(value)
}

fn null() -> Option<pb::DynamicValue> {
    Some(codec::encode(None, &note_type()).0)
}

fn received(value: Option<&pb::DynamicValue>) -> Option<Object> {
    codec::decode(value, &note_type()).expect("a value of the type")
}

/// The identity of the note of that name.
fn identity_of(name: Value) -> Option<pb::ResourceIdentityData> {
    let r#type = Type::Object([("name".to_owned(), Type::String)].into());
    let (data, bugs) = codec::encode(Some(&Object([("name".to_owned(), name)].into())), &r#type);
    assert_eq!(bugs, []);
    Some(pb::ResourceIdentityData { identity_data: Some(data) })
}

fn raw(json: &str) -> Option<pb::RawState> {
    Some(pb::RawState { json: json.to_owned().into(), ..Default::default() })
}

fn summaries(diagnostics: &[pb::Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect()
}

async fn plan(
    client: &mut Client,
    prior: Option<&Object>,
    config: &Object,
) -> pb::plan_resource_change::Response {
    let request = pb::plan_resource_change::Request {
        type_name: NOTE.into(),
        prior_state: prior.map_or_else(null, sent),
        proposed_new_state: sent(config),
        config: sent(config),
        prior_private: "{\"kept\":1}".into(),
        ..Default::default()
    };
    client.plan_resource_change(request).await.expect("an answer").into_inner()
}

async fn create(client: &mut Client, config: &Object) -> pb::apply_resource_change::Response {
    let planned = plan(client, None, config).await;
    assert_eq!(summaries(&planned.diagnostics), [""; 0]);
    let request = pb::apply_resource_change::Request {
        type_name: NOTE.into(),
        prior_state: null(),
        planned_state: planned.planned_state,
        config: sent(config),
        planned_private: planned.planned_private,
        ..Default::default()
    };
    client.apply_resource_change(request).await.expect("an answer").into_inner()
}

async fn schema_is_served(client: &mut Client) {
    client.get_provider_schema(pb::get_provider_schema::Request {}).await.expect("the server lives");
}
