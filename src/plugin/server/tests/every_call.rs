//! What holds for each call of the protocol: it is answered, in words, even after a panic.

use super::super::super::lifecycle::Serving;
use super::super::super::socket::Socket;
use super::*;

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
