use super::super::tests::settings;
use crate::{registry::Secret, resources::RegistrySettings};
use expect_test::expect;
use serde_json::{Value as Json, json};

fn with(dialect: &str, cache: Json) -> RegistrySettings {
    settings(json!({ "distribution": dialect, "cache": cache }))
}

/// The sections `redis` and `storage.cache` as they are written in a dialect.
fn preview(dialect: &str, cache: Json) -> String {
    let preview = with(dialect, cache).configuration("x".into()).unwrap().render().preview;
    let redis = preview.find("redis:").unwrap_or(preview.find("storage:").unwrap());
    preview[redis..preview.find("  delete:").unwrap()].to_owned()
}

#[test]
fn redis_is_told_in_each_dialect_s_words() {
    let redis =
        json!({ "redis": { "addresses": ["redis:6379"], "password": "hunter2", "db": 1, "pool_size": 9 } });
    expect![[r#"
        redis:
          addr: "redis:6379"
          db: 1
          dialtimeout: "5s"
          password: "(sensitive)"
          pool:
            maxactive: 9
            maxidle: 16
          readtimeout: "3s"
          writetimeout: "3s"
        storage:
          cache:
            blobdescriptor: "redis"
    "#]]
    .assert_eq(&preview("2.8", redis.clone()));
    expect![[r#"
        redis:
          addrs:
            - "redis:6379"
          db: 1
          dialtimeout: "5s"
          password: "(sensitive)"
          poolsize: 9
          readtimeout: "3s"
          writetimeout: "3s"
        storage:
          cache:
            blobdescriptor: "redis"
    "#]]
    .assert_eq(&preview("3.1", redis));
}

#[test]
fn tls_without_an_authority_trusts_what_the_image_trusts() {
    let redis = |tls: Json| json!({ "redis": { "addresses": ["redis:6380"], "tls": tls } });
    let written = preview("3.1", redis(json!({})));
    assert!(written.contains("rootcas:\n      - \"/etc/ssl/certs/ca-certificates.crt\""), "{written}");
    let written = preview("3.1", redis(json!({ "ca": "PEM" })));
    assert!(written.contains("rootcas:\n      - \"/run/secrets/registry-redis-ca.pem\""), "{written}");
    let pair = json!({ "certificate": "PEM", "private_key": "PEM" });
    let written = preview("3.0", redis(pair.clone()));
    assert!(
        !written.contains("cas:") && written.contains("key: \"/run/secrets/registry-redis.key\""),
        "{written}"
    );
    let files = with("3.1", redis(pair)).files();
    assert_eq!(
        files.iter().map(|file| file.role.target()).collect::<Vec<_>>(),
        ["registry-redis.crt", "registry-redis.key"]
    );
}

#[test]
fn no_cache_is_no_key_and_a_size_is_the_memory_s() {
    assert!(!preview("3.1", json!({ "none": {} })).contains("cache"));
    let sized = preview("3.1", json!({ "in_memory": { "size": 0 } }));
    assert!(sized.contains("blobdescriptor: \"inmemory\"\n    blobdescriptorsize: 0"), "{sized}");
}

#[test]
fn every_key_of_the_cache_is_one_that_the_dialect_reads() {
    let common = json!({
        "addresses": ["a:1"], "password": "p", "db": 1, "dial_timeout": "1s", "read_timeout": "1s", "write_timeout": "1s",
        "pool_size": 1, "max_idle": 1, "idle_timeout": "1s",
    });
    let mut of_3 = json!({
        "username": "u", "master_name": "m", "sentinel_username": "s", "sentinel_password": "p", "min_idle": 1,
        "max_active": 1, "max_lifetime": "1s", "pool_timeout": "1s", "pool_fifo": true, "max_retries": -1,
        "min_retry_backoff": "1s", "max_retry_backoff": "1s", "max_redirects": 1, "read_only": true,
        "route_by_latency": true, "route_randomly": true, "context_timeout_enabled": true, "client_name": "c",
        "protocol": 3, "disable_identity": true, "identity_suffix": "i", "unstable_resp3": true,
        "tls": { "ca": "PEM", "certificate": "PEM", "private_key": "PEM" },
    });
    of_3.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
    for (dialect, redis) in [("2.8", &common), ("3.0", &of_3), ("3.1", &of_3)] {
        let settings = with(dialect, json!({ "redis": redis }));
        let configuration = settings.configuration(Secret::from("x")).unwrap();
        assert_eq!(configuration.unread(settings.dialect()), Vec::<String>::new(), "{dialect}");
    }
}
