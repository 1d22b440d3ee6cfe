//! Lists, by which `terraform query` finds what is there.

use super::*;

async fn list(
    client: &mut Client,
    config: Object,
    with_state: bool,
    limit: i64,
) -> Vec<pb::list_resource::Event> {
    let request = pb::list_resource::Request {
        type_name: NOTE.into(),
        config: Some(codec::encode(Some(&config), &filter()).0),
        include_resource_object: with_state,
        limit,
    };
    let mut events = client.list_resource(request).await.expect("opens").into_inner();
    let mut found = vec![];
    while let Some(event) = events.message().await.expect("open") {
        found.push(event);
    }
    found
}

/// A note has a name and no labels: that is what it can be found by.
fn filter() -> Type {
    Type::Object([("name".to_owned(), Type::String)].into())
}

fn names(events: &[pb::list_resource::Event]) -> Vec<&str> {
    events.iter().map(|event| event.display_name.as_str()).collect()
}

#[tokio::test]
async fn filter_is_of_what_the_resource_has() {
    let (mut client, _, _serving) = host::start().await;
    let schema = client.get_provider_schema(pb::get_provider_schema::Request {}).await.expect("an answer");
    let block = schema.into_inner().list_resource_schemas.remove(NOTE).expect("a list").block;
    let attributes = block.expect("a block").attributes;
    let names: Vec<_> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["name"]);
    for config in [Object::default(), Object([("name".to_owned(), "a".into())].into())] {
        let request = pb::validate_list_resource_config::Request {
            type_name: NOTE.into(),
            config: Some(codec::encode(Some(&config), &filter()).0),
            ..Default::default()
        };
        let valid = client.validate_list_resource_config(request).await.expect("an answer").into_inner();
        assert_eq!(valid.diagnostics, []);
    }
}

#[tokio::test]
async fn each_object_is_an_event_with_its_identity() {
    let (mut client, _, _serving) = host::start().await;
    let all = list(&mut client, Object::default(), false, 100).await;
    assert_eq!(names(&all), ["shopping", "travel"]);
    for event in all {
        assert_eq!(event.identity, identity_of(event.display_name.as_str().into()));
        assert_eq!((event.resource_object, event.diagnostic), (None, vec![]));
    }
    let filtered = list(&mut client, Object([("name".to_owned(), "tra".into())].into()), true, 0).await;
    assert_eq!(names(&filtered), ["travel"]);
    let state = received(filtered[0].resource_object.as_ref()).expect("a state");
    assert_eq!((state.get("id"), state.get("secret_wo")), (&Value::from("note-travel"), &Value::Null));
    assert_eq!(names(&list(&mut client, Object::default(), false, 1).await), ["shopping"]);
}

#[tokio::test]
async fn what_is_wrong_is_an_event() {
    let (mut client, _, _serving) = host::start().await;
    let request = pb::list_resource::Request {
        type_name: NOTE.into(),
        config: Some(pb::DynamicValue { msgpack: vec![0x81].into(), ..Default::default() }),
        ..Default::default()
    };
    let mut events = client.list_resource(request).await.expect("opens").into_inner();
    let event = events.message().await.expect("open").expect("an event");
    assert_eq!(summaries(&event.diagnostic), ["A value does not fit the schema"]);
    assert!(events.message().await.expect("a clean end").is_none());
}
