//! Actions: validated, planned, and invoked with a stream of what they report.

use std::sync::atomic::Ordering;

use super::*;
use pb::invoke_action::event::Type as Event;
use tonic::Streaming;

fn config(notes: Value, waits: bool) -> Option<pb::DynamicValue> {
    let config = Object([("notes".to_owned(), notes), ("waits".to_owned(), Value::Bool(waits))].into());
    let r#type = Sample::default().actions()[0].schema().object_type();
    let (value, bugs) = codec::encode(Some(&config), &r#type);
    assert_eq!(bugs, []);
    Some(value)
}

fn number(notes: i64) -> Value {
    Value::Number(notes.into())
}

async fn invoke(client: &mut Client, notes: i64, waits: bool) -> Streaming<pb::invoke_action::Event> {
    let request = pb::invoke_action::Request {
        action_type: SHRED.into(),
        config: config(number(notes), waits),
        ..Default::default()
    };
    client.invoke_action(request).await.expect("opens").into_inner()
}

async fn next(events: &mut Streaming<pb::invoke_action::Event>) -> Option<Event> {
    events.message().await.expect("open").map(|event| event.r#type.expect("an event is something"))
}

/// All that an invocation reports, and how it ends.
async fn to_the_end(mut events: Streaming<pb::invoke_action::Event>) -> (Vec<String>, Vec<pb::Diagnostic>) {
    let mut reports = vec![];
    loop {
        match next(&mut events).await.expect("an end that says so") {
            Event::Progress(progress) => reports.push(progress.message),
            Event::Completed(completed) => {
                assert!(next(&mut events).await.is_none(), "nothing follows the end");
                return (reports, completed.diagnostics);
            }
        }
    }
}

#[tokio::test]
async fn schema_of_an_action_is_served() {
    let (mut client, _, _serving) = host::start().await;
    let schema = client.get_provider_schema(pb::get_provider_schema::Request {}).await.expect("an answer");
    let schema = schema.into_inner().action_schemas.remove(SHRED).expect("the action").schema;
    let attributes = schema.expect("a schema").block.expect("a block").attributes;
    let names: Vec<_> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["notes", "waits"]);
    let metadata = client.get_metadata(pb::get_metadata::Request {}).await.expect("an answer").into_inner();
    assert_eq!(metadata.actions, [pb::get_metadata::ActionMetadata { type_name: SHRED.into() }]);
}

#[tokio::test]
async fn configuration_is_validated_and_planned() {
    let (mut client, _, _serving) = host::start().await;
    for (notes, invalid, planned) in [
        (number(1), vec![], vec![]),
        (number(0), vec!["Nothing to shred"], vec![]),
        (number(8), vec![], vec!["The basket is full"]),
        (Value::UNKNOWN, vec![], vec![]),
    ] {
        let request = pb::validate_action_config::Request {
            type_name: SHRED.into(),
            config: config(notes.clone(), false),
        };
        let said = client.validate_action_config(request).await.expect("an answer").into_inner().diagnostics;
        assert_eq!(summaries(&said), invalid);
        let request = pb::plan_action::Request {
            action_type: SHRED.into(),
            config: config(notes, false),
            ..Default::default()
        };
        let said = client.plan_action(request).await.expect("an answer").into_inner();
        assert_eq!((summaries(&said.diagnostics), said.deferred), (planned, None));
    }
}

#[tokio::test]
async fn it_reports_and_says_how_it_ended() {
    let (mut client, _, _serving) = host::start().await;
    let (reports, said) = to_the_end(invoke(&mut client, 2, false).await).await;
    assert_eq!((reports, said), (vec!["note 1".to_owned(), "note 2".to_owned()], vec![]));
    let (reports, said) = to_the_end(invoke(&mut client, 13, false).await).await;
    assert_eq!((reports.len(), summaries(&said)), (13, vec!["It jammed"]));
    assert_eq!(said[0].attribute, Some(convert::path(&"notes".into())));
    let (reports, said) = to_the_end(invoke(&mut client, 99, false).await).await;
    assert_eq!(reports.len(), 99);
    assert!(said[0].detail.contains("It panicked: sparks"), "{said:?}");
}

#[tokio::test]
async fn what_is_reported_comes_before_the_end_and_a_stop_ends_it() {
    let (mut client, desk, _serving) = host::start().await;
    let mut events = invoke(&mut client, 2, true).await;
    assert!(matches!(next(&mut events).await, Some(Event::Progress(report)) if report.message == "note 1"));
    assert_eq!(desk.ended.load(Ordering::SeqCst), 0, "it still runs");
    client.stop_provider(pb::stop_provider::Request {}).await.expect("an answer");
    let (reports, said) = to_the_end(events).await;
    assert_eq!((reports, summaries(&said)), (vec![], vec!["Stopped"]));
    assert_eq!(desk.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn it_goes_on_when_nobody_listens() {
    let (mut client, desk, _serving) = host::start().await;
    let mut events = invoke(&mut client, 2, true).await;
    assert!(next(&mut events).await.is_some());
    drop(events);
    schema_is_served(&mut client).await;
    desk.stopped.cancel();
    while desk.ended.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}
