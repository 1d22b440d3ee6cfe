//! The identity beside a state.

use super::*;

#[tokio::test]
async fn schema_is_of_the_resource_s_own_attributes() {
    let (mut client, _, _serving) = host::start().await;
    let request = pb::get_resource_identity_schemas::Request {};
    let answer = client.get_resource_identity_schemas(request).await.expect("an answer").into_inner();
    assert_eq!(answer.identity_schemas.keys().collect::<Vec<_>>(), [NOTE]);
    let schema = &answer.identity_schemas[NOTE];
    let [name] = &schema.identity_attributes[..] else { panic!("one attribute") };
    assert_eq!((schema.version, name.name.as_str(), &name.r#type[..]), (0, "name", &b"\"string\""[..]));
    assert!(name.required_for_import && !name.optional_for_import);
    assert!(name.description.starts_with("What the note is called."), "{}", name.description);
}

#[tokio::test]
async fn identity_accompanies_the_state_from_plan_to_end() {
    let (mut client, _, _serving) = host::start().await;
    let config = note(&[("name", "a".into())]);
    assert_eq!(plan(&mut client, None, &config).await.planned_identity, identity_of("a".into()));
    let unknown = note(&[("name", Value::UNKNOWN)]);
    assert_eq!(plan(&mut client, None, &unknown).await.planned_identity, identity_of(Value::UNKNOWN));
    let created = create(&mut client, &config).await;
    assert_eq!(created.new_identity, identity_of("a".into()));

    // An old state comes without one.
    let read = pb::read_resource::Request {
        type_name: NOTE.into(),
        current_state: created.new_state.clone(),
        ..Default::default()
    };
    let read = client.read_resource(read).await.expect("an answer").into_inner();
    assert_eq!(read.new_identity, identity_of("a".into()));

    let state = received(created.new_state.as_ref()).expect("a state");
    // What is to be replaced by something unknown is still what it is.
    let replaced = plan(&mut client, Some(&state), &unknown).await;
    assert_eq!(replaced.planned_identity, identity_of("a".into()));
    let destroy = pb::plan_resource_change::Request {
        type_name: NOTE.into(),
        prior_state: created.new_state.clone(),
        proposed_new_state: null(),
        config: null(),
        ..Default::default()
    };
    let destroy = client.plan_resource_change(destroy).await.expect("an answer").into_inner();
    assert_eq!(destroy.planned_identity, identity_of("a".into()));
    let gone = pb::apply_resource_change::Request {
        type_name: NOTE.into(),
        prior_state: created.new_state,
        planned_state: null(),
        config: null(),
        ..Default::default()
    };
    let gone = client.apply_resource_change(gone).await.expect("an answer").into_inner();
    assert_eq!(gone.new_identity, None);
}

#[tokio::test]
async fn half_made_and_moved_objects_have_one() {
    let (mut client, _, _serving) = host::start().await;
    let torn = create(&mut client, &note(&[("name", "fail".into())])).await;
    assert_eq!(torn.new_identity, identity_of("fail".into()));
    let mut moving = pb::move_resource_state::Request {
        source_provider_address: format!("registry.terraform.io/{ADDRESS}"),
        source_type_name: "other_note".into(),
        source_state: raw(r#"{"id":"note-1","name":"a"}"#),
        target_type_name: NOTE.into(),
        ..Default::default()
    };
    let moved = client.move_resource_state(moving.clone()).await.expect("an answer").into_inner();
    assert_eq!(moved.target_identity, identity_of("a".into()));
    // What lacks a part of it gets it at the refresh that follows.
    moving.source_state = raw(r#"{"id":"note-1"}"#);
    let moved = client.move_resource_state(moving).await.expect("an answer").into_inner();
    assert_eq!((moved.target_identity, moved.diagnostics), (None, vec![]));
}

#[tokio::test]
async fn import_by_identity_is_import_by_its_values() {
    let (mut client, _, _serving) = host::start().await;
    let mut import = async |identity| {
        let request =
            pb::import_resource_state::Request { type_name: NOTE.into(), identity, ..Default::default() };
        client.import_resource_state(request).await.expect("an answer").into_inner()
    };
    let imported = import(identity_of("note-a".into())).await;
    let [found] = &imported.imported_resources[..] else {
        panic!("one resource: {:?}", imported.diagnostics)
    };
    assert_eq!(received(found.state.as_ref()).expect("a state").get("id"), &Value::from("note-a"));
    assert_eq!(found.identity, identity_of("a".into()));
    for (identity, summary) in [
        (identity_of("nothing".into()), "Cannot import sample_note `nothing`"),
        (identity_of(Value::Null), "Cannot import sample_note"),
        (identity_of(Value::UNKNOWN), "Cannot import sample_note"),
        (Some(pb::ResourceIdentityData::default()), "Cannot import sample_note"),
    ] {
        let refused = import(identity).await;
        assert_eq!(summaries(&refused.diagnostics), [summary]);
        assert_eq!(refused.imported_resources, []);
    }
}

#[tokio::test]
async fn stored_identities_are_brought_to_today() {
    let (mut client, _, _serving) = host::start().await;
    let mut upgrade = async |version, json: &str| {
        let request = pb::upgrade_resource_identity::Request {
            type_name: NOTE.into(),
            version,
            raw_identity: raw(json),
        };
        client.upgrade_resource_identity(request).await.expect("an answer").into_inner()
    };
    assert_eq!(upgrade(0, r#"{"name":"a"}"#).await.upgraded_identity, identity_of("a".into()));
    for (version, json) in [(0, ""), (0, "{"), (0, r#"{"name":["a"]}"#), (7, r#"{"name":"a"}"#)] {
        let refused = upgrade(version, json).await;
        assert_eq!((refused.upgraded_identity, refused.diagnostics.len()), (None, 1), "{json}");
    }
}
