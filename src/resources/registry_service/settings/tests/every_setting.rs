//! All settings but those of where the images are: each set, in each dialect that has it.

use super::*;
use crate::terraform::{Attribute, Kind, Nesting};
use std::collections::BTreeSet;

/// The settings that are told elsewhere: of storage and what is near it, and those without a key.
const ELSEWHERE: [&str; 6] = ["distribution", "url", "storage", "cache", "proxy", "middleware"];

/// All that can be set at once, in a dialect.
pub(super) fn full(dialect: &str) -> Json {
    let headers = json!({ "Authorization": ["Bearer hunter2"] });
    let mut all = json!({
        "distribution": dialect,
        "url": "https://hub.example.com",
        "http": {
            "port": 5000, "secret": "hunter2", "secret_wo_version": 1, "urls": "fixed", "prefix": "/hub/",
            "headers": { "X-A": ["b"] }, "http2": false, "drain_timeout": "1s",
        },
        "tls": {
            "certificate": "PEM", "private_key_wo": "hunter2", "private_key_wo_version": 1, "client_ca": "PEM",
            "minimum": "tls1.3", "cipher_suites": ["TLS_AES_128_GCM_SHA256"],
        },
        "auth": { "token": {
            "realm": "https://auth.example.com", "service": "hub", "issuer": "auth", "root_certificates": "PEM",
            "auto_redirect": true,
        } },
        "log": {
            "level": "warn", "format": "json", "access_log": false, "fields": { "a": "b" },
            "mail_hooks": [{
                "levels": ["panic"], "from": "hub@example.com", "to": ["ops@example.com"], "disabled": true,
                "smtp": {
                    "address": "mail.example.com:25", "username": "hub", "password_wo": "hunter2",
                    "password_wo_version": 1,
                },
            }],
        },
        "health": {
            "storage": { "enabled": true, "interval": "1s", "threshold": 1 },
            "files": [{ "file": "/drain", "interval": "1s" }],
            "http": [{
                "uri": "http://x", "status_code": 204, "headers_wo": headers, "headers_wo_version": 1,
                "timeout": "1s", "interval": "1s", "threshold": 1,
            }],
            "tcp": [{ "address": "redis:6379", "timeout": "1s", "interval": "1s", "threshold": 1 }],
        },
        "metrics": { "port": 5001, "path": "/metrics" },
        "notifications": { "ci": {
            "url": "http://ci", "headers_wo": headers, "headers_wo_version": 1, "timeout": "1s", "threshold": 1,
            "backoff": "1s", "ignore_media_types": ["a/b"], "ignore_actions": ["pull"], "disabled": true,
        } },
        "notification_references": true,
        "validation": { "enabled": true, "allow_urls": ["^https://"], "deny_urls": ["evil"] },
        "policy": { "repository_classes": ["image"] },
        "limits": { "catalog_page": 10 },
        "trusted_ca": "PEM",
        "behind_tls_proxy": true,
        "extra_config": "log: { fields: { c: d } }",
        "extra_config_wo": "log: { fields: { e: f } }",
        "extra_config_wo_version": 1,
    });
    let more = match dialect {
        "2.8" => json!({
            "compatibility": { "schema1": {
                "enabled": true, "signing_key_wo": "hunter2", "signing_key_wo_version": 1,
            } },
            "reporting": {
                "bugsnag": {
                    "api_key_wo": "hunter2", "api_key_wo_version": 1, "release_stage": "test",
                    "endpoint": "http://bugs",
                },
                "new_relic": {
                    "license_key_wo": "hunter2", "license_key_wo_version": 1, "name": "hub", "verbose": true,
                },
            },
        }),
        _ => json!({
            "http": { "h2c": true },
            "tls": { "client_auth": "request-client-cert" },
            "auth": { "token": {
                "jwks": "{\"keys\":[]}", "signing_algorithms": ["ES256"], "auto_redirect_path": "/token",
            } },
            "log": { "report_caller": true },
            "tracing": { "exporter": "console", "endpoint": "http://collector:4318", "protocol": "grpc" },
            "validation": { "indexes": { "require": "list", "platforms": ["linux/amd64"] } },
        }),
    };
    lay(&mut all, more);
    if dialect == "3.1" {
        lay(&mut all, json!({ "tracing": { "service_name": "hub" }, "limits": { "tags_page": 10 } }));
    }
    all
}

/// What excludes something in [`full`].
fn others() -> Vec<Json> {
    let headers = json!({ "A": ["hunter2"] });
    vec![
        json!({ "http": { "port": 1, "secret_wo": "hunter2" } }),
        json!({ "tls": {
            "certificate_secret": "a", "private_key_secret": "b", "client_ca_secret": "c",
        } }),
        json!({ "tls": { "certificate": "PEM", "private_key": "hunter2" } }),
        json!({ "tls": { "lets_encrypt": {
            "email": "ops@example.com", "hosts": ["hub.example.com"], "directory_url": "https://acme.example.com",
            "volume": "certificates",
        } } }),
        json!({ "tls": { "lets_encrypt": { "hosts": ["hub.example.com"], "bind": "/certificates" } } }),
        json!({ "auth": { "htpasswd": { "realm": "a", "users": { "a": "hunter2" }, "cost": 4 } } }),
        json!({ "auth": { "htpasswd": { "users_wo": { "a": "hunter2" }, "users_wo_version": 1 } } }),
        json!({ "auth": { "htpasswd": { "file": "a:$2y$04$" } } }),
        json!({ "auth": { "htpasswd": { "file_secret": "a" } } }),
        json!({ "auth": { "silly": { "realm": "a", "service": "b" } } }),
        json!({ "auth": { "token": {
            "realm": "https://a", "service": "b", "issuer": "c", "root_certificates_secret": "d",
            "jwks_secret": "e",
        } } }),
        json!({ "log": { "mail_hooks": [{
            "levels": ["panic"], "from": "a", "to": ["b"], "smtp": { "address": "c:1", "password": "hunter2" },
        }] } }),
        json!({ "health": { "http": [{ "uri": "http://x", "headers": headers }] } }),
        json!({ "notifications": { "a": { "url": "http://x", "headers": headers } } }),
        json!({ "trusted_ca_secret": "a" }),
        json!({ "distribution": "2.8", "compatibility": { "schema1": { "signing_key": "hunter2" } } }),
        json!({ "distribution": "2.8", "compatibility": { "schema1": { "signing_key_secret": "a" } } }),
        json!({ "distribution": "2.8", "reporting": {
            "bugsnag": { "api_key": "hunter2" }, "new_relic": { "license_key": "hunter2" },
        } }),
    ]
}

fn all_of_them() -> Vec<Json> {
    ["2.8", "3.0", "3.1"].map(full).into_iter().chain(others()).collect()
}

/// Lays attributes over others, objects in objects.
fn lay(base: &mut Json, over: Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                lay(base.entry(key).or_insert(Json::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// The paths that a configuration can set, those in lists and maps without their places.
fn settable(members: &[(&'static str, Attribute)], above: &str, found: &mut BTreeSet<String>) {
    for (name, attribute) in members {
        let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
        match &attribute.kind {
            Kind::Nested(_, members) => settable(members, &path, found),
            Kind::Plain(_) => drop(found.insert(path)),
        }
    }
}

/// The paths that are set.
fn set(members: &[(&'static str, Attribute)], object: &Json, above: &str, found: &mut BTreeSet<String>) {
    for (name, attribute) in members {
        let Some(value) = object.get(name) else { continue };
        let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
        match (&attribute.kind, value) {
            (Kind::Nested(Nesting::Single, members), object) => set(members, object, &path, found),
            (Kind::Nested(_, members), Json::Array(items)) => {
                items.iter().for_each(|item| set(members, item, &path, found));
            }
            (Kind::Nested(_, members), Json::Object(items)) => {
                items.values().for_each(|item| set(members, item, &path, found));
            }
            _ => drop(found.insert(path)),
        }
    }
}

#[test]
fn every_setting_is_among_those_that_are_tried() {
    let members = Settings::attributes();
    let (mut settable_paths, mut set_paths) = (BTreeSet::new(), BTreeSet::new());
    settable(&members, "", &mut settable_paths);
    for config in all_of_them() {
        set(&members, &config, "", &mut set_paths);
    }
    settable_paths.retain(|path| !ELSEWHERE.contains(&path.split('.').next().unwrap()));
    let missing: Vec<_> = settable_paths.difference(&set_paths).collect();
    assert!(missing.is_empty(), "try these too: {missing:?}");
}

#[test]
fn what_is_tried_is_right_and_of_its_dialect() {
    for mut config in all_of_them() {
        lay(&mut config, json!({ "storage": { "filesystem": { "volume": "images" } } }));
        let dialect = config["distribution"].as_str().unwrap_or("3.1").parse().unwrap();
        let object = Object::from_value(config.clone().into()).unwrap();
        let schema = crate::terraform::Schema { version: 0, docs: "", attributes: Settings::attributes() };
        assert_eq!(schema.validate(&object), [], "{config}");
        let object = Config(object);
        assert_eq!(dialects::findings(&object, dialect), [], "{config}");
        assert_eq!(spellings::check(&object), [], "{config}");
    }
}

/// A key that the dialect does not read would be ignored by the registry without a word.
#[test]
fn every_key_of_every_setting_is_one_that_the_dialect_reads() {
    for config in all_of_them() {
        let settings = settings(config.clone());
        let configuration = settings.configuration("x".into()).unwrap();
        assert_eq!(configuration.unread(settings.dialect()), Vec::<String>::new(), "{config}");
        let rendered = configuration.render();
        assert!(!rendered.preview.contains("hunter2"), "{}", rendered.preview);
    }
}

/// Each setting that a dialect lacks is refused, rather than lost.
#[test]
fn what_another_dialect_lacks_is_refused() {
    let codes = |config: &str, dialect: Dialect| -> BTreeSet<String> {
        let object = Config(Object::from_value(full(config).into()).unwrap());
        dialects::findings(&object, dialect).into_iter().map(|finding| finding.path).collect()
    };
    expect![[r#"
        {
            "auth.token.auto_redirect_path",
            "auth.token.jwks",
            "auth.token.signing_algorithms",
            "http.h2c",
            "limits.tags_page",
            "log.report_caller",
            "tls.client_auth",
            "tracing",
            "tracing.service_name",
            "validation.indexes",
        }
    "#]]
    .assert_debug_eq(&codes("3.1", Dialect::V2_8));
    expect![[r#"
        {
            "limits.tags_page",
            "tracing.service_name",
        }
    "#]]
    .assert_debug_eq(&codes("3.1", Dialect::V3_0));
    expect![[r#"
        {
            "compatibility",
            "reporting",
        }
    "#]]
    .assert_debug_eq(&codes("2.8", Dialect::V3_1));
}
