use super::*;
use crate::resources::registry_service::settings::tests::settings;
use serde_json::{Value as Json, json};

fn tls(version: i64, key: Option<&str>) -> Settings {
    settings(
        json!({ "tls": { "certificate": "PEM", "private_key_wo": key, "private_key_wo_version": version } }),
    )
}

fn s3(more: Json) -> Settings {
    let mut s3 = json!({ "bucket": "hub", "region": "eu-west-1" });
    s3.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings(json!({ "storage": { "s3": s3 } }))
}

/// The private state after an apply of those settings, and its key.
fn after(settings: &Settings) -> (Private, DigestKey) {
    let mut private = Private::default();
    let key = DigestKey::of(&mut private);
    let mut kept = Kept::default();
    let object = |name: &str| Object { id: format!("id-{name}"), name: name.to_owned() };
    kept.insert(Role::Config, object("config"), None, &key);
    for file in settings.files() {
        kept.insert(file.role, object(file.role.target()), file.content.told(), &key);
    }
    kept.keep(&mut private);
    (private, key)
}

fn is_sent(private: &Private, state: &Settings, now: &Settings, role: Role, key: &DigestKey) -> bool {
    let file = now.files().into_iter().find(|file| file.role == role).unwrap();
    Before::of(private, Some(state)).sent(&file, key).is_some()
}

#[test]
fn what_an_update_that_failed_has_made_is_not_what_the_state_tells_of() {
    let (first, second) = (tls(1, Some("one")), tls(2, Some("two")));
    // The state still has version 1, and the key of version 2 was made last.
    let (private, key) = after(&second);
    assert!(!is_sent(&private, &first, &first, Role::Key, &key), "the first key is sent again");
    assert!(is_sent(&private, &first, &second, Role::Key, &key));
    // Neither is a key that is known itself one that was told by a version.
    let (private, key) = after(&settings(json!({ "tls": { "certificate": "PEM", "private_key": "two" } })));
    assert!(!is_sent(&private, &first, &first, Role::Key, &key));
}

#[test]
fn credentials_and_users_are_told_apart_by_all_that_makes_them() {
    let keys = |access_key: &str| {
        s3(json!({ "access_key": access_key, "secret_key_wo": "x", "credentials_wo_version": 1 }))
    };
    let (private, key) = after(&keys("b"));
    assert!(!is_sent(&private, &keys("a"), &keys("a"), Role::AwsCredentials, &key));
    assert!(is_sent(&private, &keys("a"), &keys("b"), Role::AwsCredentials, &key));
    let told = private.get::<Json>(PRIVATE).unwrap().to_string();
    assert!(!told.contains("access") && !told.contains("\"b\""), "nothing of a key is written: {told}");
    let users =
        |cost: u8| settings(json!({ "auth": { "htpasswd": { "users_wo": { "a": "b" }, "cost": cost } } }));
    let (private, key) = after(&users(9));
    assert!(!is_sent(&private, &users(8), &users(8), Role::Htpasswd, &key));
}

#[test]
fn what_an_older_release_kept_is_compared_with_the_state() {
    let mut private = Private::default();
    let key = DigestKey::of(&mut private);
    private.set(PRIVATE, json!({ "key": { "id": "k", "name": "hub-tls-key-1" } }));
    assert!(is_sent(&private, &tls(1, None), &tls(1, None), Role::Key, &key));
    assert!(!is_sent(&private, &tls(1, None), &tls(2, None), Role::Key, &key));
}

#[test]
fn write_only_keys_that_come_or_go_without_a_version_show() {
    let keys = json!({ "access_key_wo": "a", "secret_key_wo": "s" });
    let (by_role, with_keys) = (s3(json!({})), s3(keys.clone()));
    let (private, _) = after(&by_role);
    assert!(!has_other_files(&private, &by_role));
    assert!(has_other_files(&private, &with_keys));
    let (private, _) = after(&with_keys);
    assert!(!has_other_files(&private, &with_keys));
    assert!(has_other_files(&private, &by_role));
}

#[test]
fn keys_that_an_ephemeral_value_leaves_out_later_stay_while_their_version_does() {
    let first = s3(json!({ "access_key_wo": "a", "secret_key_wo": "s", "credentials_wo_version": 1 }));
    let later = s3(json!({ "credentials_wo_version": 1 }));
    let (private, key) = after(&first);
    assert!(!has_other_files(&private, &later));
    assert!(is_sent(&private, &first, &later, Role::AwsCredentials, &key));
    let gcs = |key: Json| {
        settings(
            json!({ "storage": { "gcs": { "bucket": "hub", "key_json_wo": key, "key_json_wo_version": 1 } } }),
        )
    };
    let (private, _) = after(&gcs(json!("{\"type\":\"x\"}")));
    assert!(!has_other_files(&private, &gcs(Json::Null)));
}

#[test]
fn a_version_that_counts_nothing_is_refused_where_the_value_belongs() {
    let file = s3(json!({ "credentials_wo_version": 1 })).files().pop().unwrap();
    assert!(!has_value(&file.content));
    assert_eq!(missing(&file).path.to_string(), "storage.s3.secret_key_wo");
    let file = tls(1, None).files().pop().unwrap();
    assert!(!has_value(&file.content));
    assert_eq!(missing(&file).path.to_string(), "tls.private_key_wo");
}

#[test]
fn a_key_that_changes_under_its_version_is_told_by_its_name() {
    let (_, key) = after(&tls(1, Some("one")));
    let file = |value: Option<&str>| tls(1, value).files().pop().unwrap();
    let sent = Object { id: "k".to_owned(), name: key.generation(&Role::Key.of("hub"), b"one") };
    assert!(!is_another(&file(Some("one")), "hub", &sent, &key));
    assert!(is_another(&file(Some("two")), "hub", &sent, &key));
    assert!(!is_another(&file(None), "hub", &sent, &key), "what is kept stays");
    let refused = not_sent(&file(Some("two")), "tls.certificate");
    assert_eq!(refused.path.to_string(), "tls.private_key_wo_version");
}
