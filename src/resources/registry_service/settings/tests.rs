use super::*;
use expect_test::expect;
use serde_json::{Value as Json, json};

mod every_setting;
mod serving;

/// The settings of an ordinary registry, with more attributes laid over it.
pub(in super::super) fn settings(more: Json) -> Settings {
    let mut config = json!({
        "distribution": "3.1",
        "http": { "port": 443 },
        "storage": { "filesystem": { "volume": "images" } },
    });
    let (Json::Object(base), Json::Object(more)) = (&mut config, more) else { panic!("an object is wanted") };
    base.extend(more);
    Settings::from_json(config).unwrap()
}

/// The file for people.
pub(super) fn preview(more: Json) -> String {
    settings(more).configuration("x".into()).unwrap().render().preview
}

#[test]
fn the_whole_file_in_canonical_form() {
    let tls = json!({ "certificate": "PEM", "private_key": "PEM" });
    let auth = json!({ "htpasswd": { "users": { "ci": "hunter2" } } });
    expect![[r#"
        version: 0.1
        auth:
          htpasswd:
            path: "/run/secrets/registry-htpasswd"
            realm: "Registry"
        health:
          storagedriver:
            enabled: true
            interval: "10s"
            threshold: 3
        http:
          addr: ":443"
          debug:
            addr: "127.0.0.1:5001"
          draintimeout: "30s"
          headers:
            X-Content-Type-Options:
              - "nosniff"
          relativeurls: true
          secret: "(sensitive)"
          tls:
            certificate: "/run/secrets/registry-tls.crt"
            key: "/run/secrets/registry-tls.key"
        log:
          accesslog:
            disabled: false
          formatter: "text"
          level: "info"
        storage:
          cache:
            blobdescriptor: "inmemory"
          delete:
            enabled: false
          filesystem:
            rootdirectory: "/var/lib/registry"
          maintenance:
            readonly:
              enabled: false
            uploadpurging:
              age: "168h"
              dryrun: false
              enabled: true
              interval: "24h"
          redirect:
            disable: false
    "#]]
    .assert_eq(&preview(json!({ "tls": tls, "auth": auth })));
}

#[test]
fn metrics_open_the_debug_listener() {
    let preview = preview(json!({ "metrics": { "port": 9100 } }));
    let expected = "addr: \"0.0.0.0:9100\"\n    prometheus:\n      enabled: true\n      path: \"/metrics\"\n";
    assert!(preview.contains(expected), "{preview}");
}

#[test]
fn a_header_of_the_users_own_stands() {
    let preview = preview(json!({ "http": { "port": 1, "headers": { "x-content-type-options": [] } } }));
    assert!(preview.contains("headers:\n    x-content-type-options: []\n"), "{preview}");
}

/// A key that no dialect reads would be ignored by the registry without a word.
#[test]
fn every_key_that_is_written_is_one_that_the_dialect_reads() {
    for (dialect, more) in [("2.8", json!({})), ("3.0", json!({})), ("3.1", json!({}))] {
        let settings = Settings { distribution: Some(dialect.to_owned()), ..settings(more) };
        let configuration = settings.configuration("x".into()).unwrap();
        assert_eq!(configuration.unread(settings.dialect()), Vec::<String>::new(), "{dialect}");
    }
}
