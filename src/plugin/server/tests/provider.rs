//! What there is, and the provider block.

use super::*;

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
    assert_eq!(schema.list_resource_schemas.keys().collect::<Vec<_>>(), [NOTE]);
    assert_eq!(schema.data_source_schemas.keys().collect::<Vec<_>>(), [NOTES]);
    assert_eq!(schema.ephemeral_resource_schemas.keys().collect::<Vec<_>>(), [INK]);
    assert_eq!(schema.functions.keys().collect::<Vec<_>>(), [FOLD]);
    assert!(schema.provider.expect("a provider").block.is_some());
    let capabilities = schema.server_capabilities.expect("capabilities");
    assert!(capabilities.get_provider_schema_optional && capabilities.move_resource_state);
    // OpenTofu asks for functions once more.
    let functions =
        client.get_functions(pb::get_functions::Request {}).await.expect("an answer").into_inner();
    assert_eq!(functions.functions, schema.functions);
}

#[tokio::test]
async fn metadata_names_what_there_is() {
    use pb::get_metadata as have;
    let (mut client, _, _serving) = host::start().await;
    let metadata = client.get_metadata(have::Request {}).await.expect("an answer").into_inner();
    assert_eq!(metadata.resources, [have::ResourceMetadata { type_name: NOTE.into() }]);
    assert_eq!(metadata.list_resources, [have::ListResourceMetadata { type_name: NOTE.into() }]);
    assert_eq!(metadata.data_sources, [have::DataSourceMetadata { type_name: NOTES.into() }]);
    assert_eq!(metadata.ephemeral_resources, [have::EphemeralMetadata { type_name: INK.into() }]);
    assert_eq!(metadata.functions, [have::FunctionMetadata { name: FOLD.into() }]);
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
