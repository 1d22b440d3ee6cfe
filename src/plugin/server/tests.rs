use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::transport::Channel;

use super::super::host;
use super::super::lifecycle::Serving;
use super::super::sample::{ADDRESS, NOTE, Sample};
use super::super::socket::Socket;
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

#[tokio::test]
async fn schema_says_what_there_is() {
    let (mut client, _, _serving) = host::start().await;
    let schema = client
        .get_provider_schema(pb::get_provider_schema::Request {})
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(schema.resource_schemas.keys().collect::<Vec<_>>(), [NOTE]);
    assert_eq!(schema.resource_schemas[NOTE].version, 1);
    assert!(schema.provider.expect("a provider").block.is_some());
    let capabilities = schema.server_capabilities.expect("capabilities");
    assert!(capabilities.get_provider_schema_optional && capabilities.move_resource_state);
    let metadata = client.get_metadata(pb::get_metadata::Request {}).await.expect("an answer").into_inner();
    assert_eq!(metadata.resources, [pb::get_metadata::ResourceMetadata { type_name: NOTE.into() }]);
    let functions =
        client.get_functions(pb::get_functions::Request {}).await.expect("an answer").into_inner();
    assert!(functions.functions.is_empty());
    let identities =
        client.get_resource_identity_schemas(pb::get_resource_identity_schemas::Request {}).await;
    assert!(identities.expect("an answer").into_inner().identity_schemas.is_empty());
}

#[tokio::test]
async fn note_lives_and_dies() {
    let (mut client, _, _serving) = host::start().await;
    let weight = Value::Number("0.1".parse().expect("a number"));
    let config = note(&[("name", "a".into()), ("weight", weight.clone()), ("secret_wo", "hush".into())]);

    let planned = received(plan(&mut client, None, &config).await.planned_state.as_ref()).expect("a plan");
    assert_eq!((planned.get("id"), planned.get("secret_wo")), (&Value::UNKNOWN, &Value::Null));
    let created = create(&mut client, &config).await;
    assert_eq!(summaries(&created.diagnostics), [""; 0]);
    let state = received(created.new_state.as_ref()).expect("a state");
    assert_eq!((state.get("id"), state.get("weight")), (&Value::from("note-0"), &weight));
    assert_eq!(state.get("secret_wo"), &Value::Null);
    assert_eq!(&created.private[..], br#"{"number":0}"#, "what an earlier object left is not the next one's");

    let read = pb::read_resource::Request {
        type_name: NOTE.into(),
        current_state: created.new_state.clone(),
        private: created.private.clone(),
        ..Default::default()
    };
    let read = client.read_resource(read).await.expect("an answer").into_inner();
    assert_eq!(
        (received(read.new_state.as_ref()), read.private),
        (Some(state.clone()), created.private.clone())
    );

    let unchanged = plan(&mut client, Some(&state), &config).await;
    assert_eq!(received(unchanged.planned_state.as_ref()), Some(state.clone()));
    let renamed = note(&[("name", "b".into())]);
    let replaced = plan(&mut client, Some(&state), &renamed).await;
    assert_eq!(replaced.requires_replace, [convert::path(&"name".into())]);
    assert_eq!(&replaced.planned_private[..], b"{\"kept\":1}");

    let destroy = pb::apply_resource_change::Request {
        type_name: NOTE.into(),
        prior_state: created.new_state,
        planned_state: null(),
        config: null(),
        planned_private: created.private,
        ..Default::default()
    };
    let destroyed = client.apply_resource_change(destroy).await.expect("an answer").into_inner();
    assert_eq!((received(destroyed.new_state.as_ref()), destroyed.diagnostics), (None, vec![]));
}

#[tokio::test]
async fn what_is_gone_is_null() {
    let (mut client, _, _serving) = host::start().await;
    let state = note(&[("id", "note-7".into()), ("name", "gone".into())]);
    let read = pb::read_resource::Request {
        type_name: NOTE.into(),
        current_state: sent(&state),
        ..Default::default()
    };
    let read = client.read_resource(read).await.expect("an answer").into_inner();
    assert_eq!((received(read.new_state.as_ref()), read.diagnostics), (None, vec![]));
}

#[tokio::test]
async fn half_made_objects_are_kept() {
    let (mut client, _, _serving) = host::start().await;
    for (name, summary) in [("fail", "The note tore"), ("panic", "The provider has a bug")] {
        let made = create(&mut client, &note(&[("name", name.into())])).await;
        assert_eq!(summaries(&made.diagnostics), [summary]);
        let state = received(made.new_state.as_ref()).expect("a state");
        assert!(state.get("id").as_str().is_some_and(|id| id.starts_with("note-")), "{state:?}");
        assert!(!made.private.is_empty());
    }
}

#[tokio::test]
async fn stop_ends_waits_but_not_the_server() {
    let (mut client, desk, _serving) = host::start().await;
    let mut waiting = client.clone();
    let created = tokio::spawn(async move { create(&mut waiting, &note(&[("name", "wait".into())])).await });
    while desk.waiting.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = client.stop_provider(pb::stop_provider::Request {}).await.expect("an answer").into_inner();
    assert_eq!(stopped.error, "");
    let created = created.await.expect("no panic");
    assert_eq!(summaries(&created.diagnostics), ["Stopped"]);
    assert!(received(created.new_state.as_ref()).is_some());
    schema_is_served(&mut client).await;
}

async fn schema_is_served(client: &mut Client) {
    client.get_provider_schema(pb::get_provider_schema::Request {}).await.expect("the server lives");
}

#[tokio::test]
async fn work_goes_on_when_its_caller_is_gone() {
    let (mut client, desk, _serving) = host::start().await;
    let mut waiting = client.clone();
    let call = tokio::spawn(async move { create(&mut waiting, &note(&[("name", "wait".into())])).await });
    while desk.waiting.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    call.abort();
    schema_is_served(&mut client).await;
    assert_eq!(desk.ended.load(Ordering::SeqCst), 0, "it still waits");
    desk.stopped.cancel();
    tokio::time::timeout(Duration::from_secs(5), async {
        while desk.ended.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it was carried to its end");
}

#[tokio::test]
async fn validation_tolerates_unknowns_and_refuses_write_only_for_old_hosts() {
    let (mut client, _, _serving) = host::start().await;
    let refined = Refinement { not_null: true, prefix: Some("pre-".into()), ..Refinement::default() };
    let config = note(&[("name", Value::Unknown(Some(Box::new(refined)))), ("secret_wo", "hush".into())]);
    let mut validate = pb::validate_resource_config::Request {
        type_name: NOTE.into(),
        config: sent(&config),
        client_capabilities: Some(pb::ClientCapabilities {
            write_only_attributes_allowed: true,
            ..Default::default()
        }),
    };
    let valid = client.validate_resource_config(validate.clone()).await.expect("an answer").into_inner();
    assert_eq!(valid.diagnostics, []);
    validate.client_capabilities = None;
    let old = client.validate_resource_config(validate).await.expect("an answer").into_inner();
    assert_eq!(old.diagnostics.len(), 1);
    assert_eq!(old.diagnostics[0].attribute, Some(convert::path(&"secret_wo".into())));
}

#[tokio::test]
async fn provider_block_is_validated_and_configured_again_and_again() {
    let (mut client, _, _serving) = host::start().await;
    let r#type = Sample::default().schema().object_type();
    let config =
        |lines: Value| Some(codec::encode(Some(&Object([("lines".into(), lines)].into())), &r#type).0);
    for (config, wanted) in [
        (config(Value::Number(Number::from(0_i64))), vec!["Too few lines"]),
        (config(Value::UNKNOWN), vec![]),
        (config(Value::Null), vec![]),
        (None, vec![]),
    ] {
        let request = pb::validate_provider_config::Request { config: config.clone() };
        let valid = client.validate_provider_config(request).await.expect("an answer").into_inner();
        assert_eq!(summaries(&valid.diagnostics), wanted);
        let request = pb::configure_provider::Request {
            terraform_version: "1.11.4".into(),
            config,
            ..Default::default()
        };
        let configured = client.configure_provider(request).await.expect("an answer").into_inner();
        assert_eq!(configured.diagnostics, []);
    }
}

#[tokio::test]
async fn stored_states_are_brought_to_today() {
    let (mut client, _, _serving) = host::start().await;
    let mut upgrade = async |version, json: &str| {
        let request =
            pb::upgrade_resource_state::Request { type_name: NOTE.into(), version, raw_state: raw(json) };
        client.upgrade_resource_state(request).await.expect("an answer").into_inner()
    };
    let today = upgrade(
        1,
        r#"{ "id": "note-1", "name": "a", "weight": 0.12345678901234567890123, "secret_wo": "x" }"#,
    )
    .await;
    let state = received(today.upgraded_state.as_ref()).expect("a state");
    assert_eq!(state.get("weight"), &Value::Number("0.12345678901234567890123".parse().expect("a number")));
    assert_eq!((state.get("text"), state.get("secret_wo")), (&Value::Null, &Value::Null));
    let old = upgrade(0, r#"{"id":"note-1","title":"a","gone":{"x":[1]}}"#).await;
    assert_eq!(received(old.upgraded_state.as_ref()).expect("a state").get("name"), &Value::from("a"));
    for (version, json) in
        [(1, "{"), (0, "{"), (0, "[]"), (1, ""), (1, r#"{"name":["a"]}"#), (0, r#"{"title":["a"]}"#)]
    {
        let refused = upgrade(version, json).await;
        assert_eq!(refused.diagnostics.len(), 1, "{json}");
        assert_eq!(refused.upgraded_state, None, "{json}");
    }
}

#[tokio::test]
async fn notes_are_imported_moved_and_written_down() {
    let (mut client, _, _serving) = host::start().await;
    let mut import = async |id: &str| {
        let request = pb::import_resource_state::Request {
            type_name: NOTE.into(),
            id: id.into(),
            ..Default::default()
        };
        client.import_resource_state(request).await.expect("an answer").into_inner()
    };
    let imported = import("note-a").await;
    let [found] = &imported.imported_resources[..] else {
        panic!("one resource: {:?}", imported.diagnostics)
    };
    assert_eq!(found.type_name, NOTE);
    assert_eq!(received(found.state.as_ref()).expect("a state").get("name"), &Value::from("a"));
    for id in ["nothing", ""] {
        let refused = import(id).await;
        assert_eq!((refused.imported_resources.len(), refused.diagnostics.len()), (0, 1), "{id}");
    }

    let mut moving = pb::move_resource_state::Request {
        source_provider_address: format!("registry.terraform.io/{ADDRESS}"),
        source_type_name: "other_note".into(),
        source_state: raw(r#"{"id":"note-1","name":"a","other":true}"#),
        target_type_name: NOTE.into(),
        ..Default::default()
    };
    let moved = client.move_resource_state(moving.clone()).await.expect("an answer").into_inner();
    assert_eq!(received(moved.target_state.as_ref()).expect("a state").get("id"), &Value::from("note-1"));
    moving.source_type_name = "unheard_of".into();
    let refused = client.move_resource_state(moving).await.expect("an answer").into_inner();
    assert_eq!((refused.target_state, refused.diagnostics.len()), (None, 1));

    let state = note(&[("id", "note-1".into()), ("name", "a".into())]);
    let request = pb::generate_resource_config::Request { type_name: NOTE.into(), state: sent(&state) };
    let generated = client.generate_resource_config(request).await.expect("an answer").into_inner();
    let config = received(generated.config.as_ref()).expect("a configuration");
    assert_eq!((config.get("id"), config.get("name")), (&Value::Null, &Value::from("a")));
}

#[tokio::test]
async fn malformed_values_cost_neither_server_nor_state() {
    let (mut client, _, _serving) = host::start().await;
    let deep = vec![0x91; 1 << 20];
    for bytes in
        [&b"\xc1\xff"[..], b"\x81", b"\xdf\xff\xff\xff\xff", b"\xd4\x00\x00", b"\x93\x01\x02\x03", &deep]
    {
        let broken = Some(pb::DynamicValue { msgpack: bytes.to_vec().into(), ..Default::default() });
        let good = sent(&note(&[("id", "note-1".into()), ("name", "a".into())]));
        let request = pb::apply_resource_change::Request {
            type_name: NOTE.into(),
            prior_state: good.clone(),
            planned_state: broken.clone(),
            config: broken.clone(),
            planned_private: "{}".into(),
            ..Default::default()
        };
        let applied = client.apply_resource_change(request).await.expect("an answer").into_inner();
        assert_eq!((applied.new_state, &applied.private[..]), (good, &b"{}"[..]));
        assert_eq!(summaries(&applied.diagnostics), ["A value does not fit the schema"]);
        let request = pb::read_resource::Request {
            type_name: NOTE.into(),
            current_state: broken.clone(),
            private: "not JSON".into(),
            ..Default::default()
        };
        let read = client.read_resource(request).await.expect("an answer").into_inner();
        assert_eq!(
            (read.new_state, &read.private[..], read.diagnostics.len()),
            (broken, &b"not JSON"[..], 1)
        );
    }
    schema_is_served(&mut client).await;
}

#[tokio::test]
async fn sixty_four_calls_run_at_once() {
    let (mut client, desk, _serving) = host::start().await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { create(&mut client, &note(&[("name", "wait".into())])).await })
        })
        .collect();
    tokio::time::timeout(Duration::from_secs(10), async {
        while desk.waiting.load(Ordering::SeqCst) < 64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("all of them wait at the same time");
    client.stop_provider(pb::stop_provider::Request {}).await.expect("an answer");
    let mut ids = std::collections::BTreeSet::new();
    for call in calls {
        let state = received(call.await.expect("no panic").new_state.as_ref()).expect("a state");
        ids.insert(state.get("id").as_str().expect("an id").to_owned());
    }
    assert_eq!(ids.len(), 64);
}

#[tokio::test]
async fn large_states_pass_both_ways() {
    let (mut client, _, _serving) = host::start().await;
    let text = "ä".repeat(8 << 20);
    let state = note(&[("id", "note-1".into()), ("name", "a".into()), ("text", text.as_str().into())]);
    let read = pb::read_resource::Request {
        type_name: NOTE.into(),
        current_state: sent(&state),
        ..Default::default()
    };
    let read = client.read_resource(read).await.expect("an answer").into_inner();
    assert!(received(read.new_state.as_ref()) == Some(state));
}

/// Calls every call there is with `$client`, for a type that is not there and with nothing in it, and passes its name
/// and its diagnostics' texts to `$check`.
macro_rules! every_call {
    ($client:expr, $check:expr) => {{
        every_call! { $client, $check,
            get_metadata "GetMetadata", get_provider_schema "GetProviderSchema",
            validate_provider_config "ValidateProviderConfig", configure_provider "ConfigureProvider",
            validate_resource_config "ValidateResourceConfig", upgrade_resource_state "UpgradeResourceState",
            read_resource "ReadResource", plan_resource_change "PlanResourceChange",
            apply_resource_change "ApplyResourceChange", import_resource_state "ImportResourceState",
            move_resource_state "MoveResourceState", generate_resource_config "GenerateResourceConfig",
            get_resource_identity_schemas "GetResourceIdentitySchemas",
            upgrade_resource_identity "UpgradeResourceIdentity",
            validate_data_resource_config "ValidateDataResourceConfig", read_data_source "ReadDataSource",
            validate_ephemeral_resource_config "ValidateEphemeralResourceConfig",
            open_ephemeral_resource "OpenEphemeralResource", renew_ephemeral_resource "RenewEphemeralResource",
            close_ephemeral_resource "CloseEphemeralResource", get_functions "GetFunctions",
            validate_list_resource_config "ValidateListResourceConfig", plan_action "PlanAction",
            validate_action_config "ValidateActionConfig", configure_state_store "ConfigureStateStore",
            lock_state "LockState", unlock_state "UnlockState", get_states "GetStates", delete_state "DeleteState"
        }
        let client = $client;
        let answer = client.validate_state_store_config(pb::validate_state_store::Request::default()).await;
        $check("ValidateStateStoreConfig", texts(&answer.expect("an answer").into_inner().diagnostics));
        let answer = client.stop_provider(pb::stop_provider::Request {}).await.expect("an answer").into_inner();
        $check("StopProvider", vec![answer.error]);
        let answer = client.call_function(pb::call_function::Request::default()).await.expect("an answer").into_inner();
        $check("CallFunction", answer.error.into_iter().map(|error| error.text).collect());
        let chunks = tokio_stream::iter(vec![pb::write_state_bytes::RequestChunk::default(); 3]);
        let answer = client.write_state_bytes(chunks).await.expect("an answer").into_inner();
        $check("WriteStateBytes", texts(&answer.diagnostics));
        let mut found = client.list_resource(pb::list_resource::Request::default()).await.expect("opens").into_inner();
        let event = found.message().await.expect("open").expect("an event");
        $check("ListResource", texts(&event.diagnostic));
        assert!(found.message().await.expect("a clean end").is_none());
        let mut read = client.read_state_bytes(pb::read_state_bytes::Request::default()).await.expect("opens").into_inner();
        let chunk = read.message().await.expect("open").expect("a chunk");
        $check("ReadStateBytes", texts(&chunk.diagnostics));
        let mut invoked = client.invoke_action(pb::invoke_action::Request::default()).await.expect("opens").into_inner();
        let Some(pb::invoke_action::event::Type::Completed(completed)) =
            invoked.message().await.expect("open").expect("an event").r#type
        else {
            panic!("an action that cannot run is completed with an error")
        };
        $check("InvokeAction", texts(&completed.diagnostics));
        assert!(invoked.message().await.expect("a clean end").is_none());
    }};
    ($client:expr, $check:expr, $($method:ident $name:literal),*) => {$(
        let answer = $client.$method(pb::$method::Request::default()).await.expect("an answer").into_inner();
        $check($name, texts(&answer.diagnostics));
    )*};
}

fn texts(diagnostics: &[pb::Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail)).collect()
}

/// Calls that need nothing that an empty request lacks.
const FULFILLED: [&str; 6] = [
    "GetMetadata",
    "GetProviderSchema",
    "ValidateProviderConfig",
    "GetResourceIdentitySchemas",
    "GetFunctions",
    "StopProvider",
];

#[tokio::test]
async fn every_call_is_answered_in_words() {
    let (mut client, _, _serving) = host::start().await;
    let mut count = 0;
    every_call!(&mut client, |name: &str, texts: Vec<String>| {
        count += 1;
        match FULFILLED.contains(&name) {
            true => assert!(texts.concat().is_empty(), "{name}: {texts:?}"),
            false => assert!(texts.len() == 1 && !texts[0].is_empty(), "{name}: {texts:?}"),
        }
    });
    assert_eq!(count, 36, "calls of the protocol");
}

#[tokio::test]
async fn every_call_survives_a_panic() {
    let mut names = vec![];
    let (mut client, _, _serving) = host::start().await;
    every_call!(&mut client, |name: &str, _: Vec<String>| names.push(name.to_owned()));
    for planted in names {
        let (mut client, _serving) = start_with_panic_in(&planted).await;
        every_call!(&mut client, |name: &str, texts: Vec<String>| {
            let told = texts.iter().any(|text| text.contains(&format!("It panicked in {planted}: planted")));
            assert_eq!(told, name == planted, "{name} with a panic in {planted}: {texts:?}");
        });
    }
}

async fn start_with_panic_in(call: &str) -> (Client, Serving) {
    let socket = Socket::listen(None).expect("listens");
    let path = socket.path();
    let serving = Serving::start_with(Sample::default(), socket, None, |service| service.frame.plant(call));
    (ProviderClient::new(host::connect(path, None).await.expect("connects")), serving)
}

#[tokio::test]
async fn panics_keep_the_state() {
    let state = sent(&note(&[("id", "note-1".into()), ("name", "a".into())]));
    let (mut client, _serving) = start_with_panic_in("ApplyResourceChange").await;
    let request = pb::apply_resource_change::Request {
        type_name: NOTE.into(),
        prior_state: state.clone(),
        planned_private: "{}".into(),
        ..Default::default()
    };
    let applied = client.apply_resource_change(request).await.expect("an answer").into_inner();
    assert_eq!((applied.new_state, &applied.private[..]), (state.clone(), &b"{}"[..]));
    let (mut client, _serving) = start_with_panic_in("ReadResource").await;
    let request = pb::read_resource::Request {
        type_name: NOTE.into(),
        current_state: state.clone(),
        private: "{}".into(),
        ..Default::default()
    };
    let read = client.read_resource(request).await.expect("an answer").into_inner();
    assert_eq!((read.new_state, &read.private[..]), (state, &b"{}"[..]));
}
