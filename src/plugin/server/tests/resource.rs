//! The life of a managed resource.

use super::*;

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
