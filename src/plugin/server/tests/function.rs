//! Functions: their signature, their answers and their errors.

use super::*;

/// Folds a sheet: its text, how often, the ribbon.
async fn fold(client: &mut Client, arguments: &[Value]) -> pb::call_function::Response {
    let types = [Type::String, Type::Number, Type::String, Type::String];
    let encode = |(value, r#type)| codec::encode_value(value, r#type).expect("fits");
    let arguments = arguments.iter().zip(&types).map(encode).collect();
    let request = pb::call_function::Request { name: FOLD.into(), arguments };
    client.call_function(request).await.expect("an answer").into_inner()
}

fn times(count: i64) -> Value {
    Value::Number(Number::from(count))
}

#[tokio::test]
async fn signature_is_that_of_the_struct() {
    let (mut client, _, _serving) = host::start().await;
    let mut answer =
        client.get_functions(pb::get_functions::Request {}).await.expect("an answer").into_inner();
    let fold = answer.functions.remove(FOLD).expect("the function");
    assert_eq!(fold.summary, "Folds a sheet.");
    assert_eq!(fold.description, "Folds a sheet.\n\nNobody folds one more than seven times.");
    let parameters: Vec<_> = fold
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), &parameter.r#type[..], parameter.allow_null_value))
        .collect();
    assert_eq!(
        parameters,
        [
            ("text", &b"\"string\""[..], false),
            ("times", &b"\"number\""[..], false),
            ("ribbon", &b"\"string\""[..], true),
        ]
    );
    assert!(fold.parameters.iter().all(|parameter| !parameter.allow_unknown_values));
    assert_eq!(
        fold.r#return.expect("a type").r#type,
        r#"["object",{"label":"string","layers":"number"}]"#.as_bytes()
    );
}

#[tokio::test]
async fn answer_is_of_the_type_told() {
    let (mut client, _, _serving) = host::start().await;
    let r#type = Sample::default().functions()[0].answer().value_type();
    for (ribbon, label) in [(Value::Null, Value::Null), ("red".into(), "a (red)".into())] {
        let answer = fold(&mut client, &["a".into(), times(3), ribbon]).await;
        assert_eq!(answer.error, None);
        let folded = codec::decode(answer.result.as_ref(), &r#type).expect("fits").expect("an object");
        assert_eq!((folded.get("layers"), folded.get("label")), (&times(8), &label));
    }
}

#[tokio::test]
async fn errors_name_their_argument() {
    let (mut client, _, _serving) = host::start().await;
    for (arguments, argument, text) in [
        (vec!["a".into(), times(8), Value::Null], Some(1), "Seven times is all"),
        (
            vec!["a".into(), Value::Number("0.5".parse().expect("a number")), Value::Null],
            Some(1),
            "whole number",
        ),
        (vec![Value::Null, times(1), Value::Null], Some(0), "a string is wanted"),
        (vec!["a".into()], None, "takes 3, but 1 came"),
    ] {
        let answer = fold(&mut client, &arguments).await;
        let error = answer.error.expect("an error");
        assert_eq!((error.function_argument, answer.result), (argument, None), "{}", error.text);
        // Terraform puts a full stop behind it.
        assert!(error.text.contains(text) && !error.text.ends_with('.'), "{}", error.text);
    }
}

#[tokio::test]
async fn what_is_not_known_or_malformed_is_an_error_as_well() {
    let (mut client, _, _serving) = host::start().await;
    let unknown = fold(&mut client, &[Value::UNKNOWN, times(1), Value::Null]).await;
    assert_eq!(unknown.error.expect("an error").function_argument, Some(0));
    let broken = pb::DynamicValue { msgpack: vec![0x81].into(), ..Default::default() };
    let request = pb::call_function::Request { name: FOLD.into(), arguments: vec![broken; 3] };
    let broken = client.call_function(request).await.expect("an answer").into_inner();
    assert_eq!(broken.error.expect("an error").function_argument, Some(0));
}
