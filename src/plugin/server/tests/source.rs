//! Data sources and ephemeral resources.

use super::*;

fn source_type(sources: &[Box<dyn AnySource>]) -> Type {
    sources[0].schema().object_type()
}

/// A configuration of the data source, of what it is given; the rest is null.
fn notes(attributes: &[(&str, Value)]) -> Option<pb::DynamicValue> {
    let given = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let (value, bugs) =
        codec::encode(Some(&Object(given.collect())), &source_type(Sample::default().data_sources()));
    assert_eq!(bugs, []);
    Some(value)
}

async fn read(client: &mut Client, attributes: &[(&str, Value)]) -> (Option<Object>, Vec<pb::Diagnostic>) {
    let request = pb::read_data_source::Request {
        type_name: NOTES.into(),
        config: notes(attributes),
        ..Default::default()
    };
    let answer = client.read_data_source(request).await.expect("an answer").into_inner();
    let r#type = source_type(Sample::default().data_sources());
    (codec::decode(answer.state.as_ref(), &r#type).expect("of the type"), answer.diagnostics)
}

#[tokio::test]
async fn configuration_is_validated() {
    let (mut client, _, _serving) = host::start().await;
    for (attributes, wanted) in [
        (vec![], vec![]),
        (vec![("prefix", Value::UNKNOWN), ("limit", Value::UNKNOWN)], vec![]),
        (vec![("prefix", "A".into())], vec!["prefix"]),
        (vec![("limit", Value::Number(Number::from(0_i64)))], vec!["limit"]),
    ] {
        let request = pb::validate_data_resource_config::Request {
            type_name: NOTES.into(),
            config: notes(&attributes),
        };
        let answer = client.validate_data_resource_config(request).await.expect("an answer").into_inner();
        let paths: Vec<_> = answer.diagnostics.into_iter().map(|found| found.attribute).collect();
        let wanted: Vec<_> = wanted.into_iter().map(|path: &str| Some(convert::path(&path.into()))).collect();
        assert_eq!(paths, wanted);
    }
}

#[tokio::test]
async fn what_is_read_has_the_configuration_its_defaults_and_what_is_computed() {
    let (mut client, _, _serving) = host::start().await;
    let (state, said) = read(&mut client, &[("limit", Value::Number(Number::from(1_i64)))]).await;
    assert_eq!(summaries(&said), ["It is dark"]);
    assert_eq!(said[0].severity(), pb::diagnostic::Severity::Warning);
    let state = state.expect("a state");
    assert_eq!(state.get("prefix"), &Value::from(""));
    assert_eq!(state.get("names"), &Value::List(vec!["shopping".into()]));
    let (state, _) = read(&mut client, &[("prefix", "tra".into())]).await;
    assert_eq!(state.expect("a state").get("names"), &Value::List(vec!["travel".into()]));
}

#[tokio::test]
async fn what_fails_panics_or_forgets_is_told() {
    let (mut client, _, _serving) = host::start().await;
    for (prefix, wanted) in
        [("none", "No such note"), ("panic", "The provider has a bug"), ("forget", "The provider has a bug")]
    {
        let (state, said) = read(&mut client, &[("prefix", prefix.into())]).await;
        assert_eq!(summaries(&said), ["It is dark", wanted]);
        // Nothing is left out: it is null.
        assert!(state.is_none_or(|state| state.get("names").is_null()));
    }
}

#[tokio::test]
async fn ephemeral_resources_are_opened_and_need_no_care() {
    let (mut client, _, _serving) = host::start().await;
    let r#type = source_type(Sample::default().ephemeral_resources());
    let given = Object([("colour".to_owned(), "black".into()), ("recipe".to_owned(), Value::Null)].into());
    let config = Some(codec::encode(Some(&given), &r#type).0);
    let request =
        pb::validate_ephemeral_resource_config::Request { type_name: INK.into(), config: config.clone() };
    let valid = client.validate_ephemeral_resource_config(request).await.expect("an answer").into_inner();
    assert_eq!(valid.diagnostics, []);
    let request =
        pb::open_ephemeral_resource::Request { type_name: INK.into(), config, ..Default::default() };
    let opened = client.open_ephemeral_resource(request).await.expect("an answer").into_inner();
    assert_eq!((opened.diagnostics, opened.renew_at, opened.private), (vec![], None, None));
    let result = codec::decode(opened.result.as_ref(), &r#type).expect("of the type").expect("a result");
    assert_eq!(
        (result.get("colour"), result.get("recipe")),
        (&Value::from("black"), &Value::from("oak galls and black"))
    );
    let request = pb::renew_ephemeral_resource::Request { type_name: INK.into(), ..Default::default() };
    let renewed = client.renew_ephemeral_resource(request).await.expect("an answer").into_inner();
    assert_eq!((renewed.diagnostics, renewed.renew_at), (vec![], None));
    let request = pb::close_ephemeral_resource::Request { type_name: INK.into(), ..Default::default() };
    let closed = client.close_ephemeral_resource(request).await.expect("an answer").into_inner();
    assert_eq!(closed.diagnostics, []);
}
