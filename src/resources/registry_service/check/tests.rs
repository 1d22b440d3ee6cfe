//! That the rules are asked: each of these configurations is refused or warned of where it stands, and the nearest good one is
//! not. What the rules themselves say is tested beside them.

use super::*;
use crate::terraform::{Object, Value};
use serde_json::json;

fn config(config: serde_json::Value) -> Config {
    Config(Object::from_value(Value::from(config)).unwrap())
}

/// What is said of a configuration of which no part is missing but the name and what is under test.
fn said(more: serde_json::Value) -> Vec<String> {
    let mut all = json!({
        "storage": { "filesystem": { "volume": "hub" } },
        "placement": { "constraints": ["node.hostname==hubworker01"] },
        "auth": { "htpasswd": { "users_wo": { "ci": "a long password" } } },
        "url": "https://hub.example.com",
        "behind_tls_proxy": true,
        "replicas": 1,
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut said: Vec<String> = offline(&config(all)).iter().map(in_short).collect();
    said.sort();
    said.dedup();
    said
}

/// Whether it is an error, by which rule, and where.
fn in_short(found: &Diagnostic) -> String {
    let code = found.summary.rsplit(['(', ')']).nth(1).unwrap_or_default();
    format!("{} {code} {}", if found.is_error() { "E" } else { "W" }, found.path)
}

#[test]
fn a_registry_as_it_should_be_is_not_talked_about() {
    assert_eq!(said(json!({})), [""; 0]);
}

#[test]
fn each_rule_is_asked_and_speaks_where_the_attribute_is() {
    let s3 = |more: serde_json::Value| {
        let mut own = json!({ "bucket": "hub", "region": "eu-west-1" });
        own.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "storage": { "s3": own } })
    };
    let filesystem = |own: serde_json::Value| json!({ "storage": { "filesystem": own } });
    let tls = json!({ "certificate_secret": "crt", "private_key_secret": "key" });
    let with = |own: &serde_json::Value, name: &str, value: serde_json::Value| {
        let mut own = own.clone();
        own[name] = value;
        own
    };
    let cache = json!({ "remote_url": "https://registry-1.docker.io" });
    let deletes = json!({ "filesystem": { "volume": "cache" }, "delete": true });
    for (more, expected) in [
        (json!({ "replicas": 3 }), "E S1 storage.filesystem.volume"),
        (json!({ "storage": { "in_memory": {} }, "replicas": 3 }), "E S2 storage.in_memory"),
        (filesystem(json!({})), "W S3 storage.filesystem"),
        (json!({ "placement": {} }), "W S4 storage.filesystem.volume"),
        (filesystem(json!({ "volume": "a", "bind": "/b" })), "E S6 storage.filesystem"),
        (s3(json!({ "region": null })), "E S8 storage.s3.region"),
        (s3(json!({ "region": "Ireland" })), "E S8 storage.s3.region"),
        (s3(json!({ "access_key": "x" })), "E S9 storage.s3.access_key"),
        (
            with(&s3(json!({ "storage_class": "STANDARD_IA" })), "image", json!("registry:2.8.3")),
            "E S10 storage.s3.storage_class",
        ),
        (
            json!({ "storage": { "s3": { "bucket": "hub", "region_endpoint": "https://minio:9000" }, "redirect": true } }),
            "W S11 storage.redirect",
        ),
        (s3(json!({ "region_endpoint": "http://s3.example.com" })), "W S12 storage.s3.region_endpoint"),
        (s3(json!({ "kms_key_id": "k" })), "W S15 storage.s3.kms_key_id"),
        (json!({ "mounts": [{ "source": "v", "target": "/var/lib" }] }), "E S18 mounts[0].target"),
        (
            json!({ "tls": { "certificate": "x", "certificate_secret": "y", "private_key_secret": "z" } }),
            "E T7 tls",
        ),
        (
            json!({ "tls": { "lets_encrypt": { "hosts": ["a"], "volume": "acme" } }, "publish": [{ "port": 80 }] }),
            "W T8 publish",
        ),
        (json!({ "tls": with(&tls, "client_auth", json!("request-client-cert")) }), "E T10 tls.client_auth"),
        (json!({ "behind_tls_proxy": false, "url": "http://hub.example.com" }), "W T11 auth"),
        (json!({ "auth": null, "publish": [{ "port": 5000 }] }), "W T12 auth"),
        (json!({ "url": "https://hub.example.com/path" }), "W T14 url"),
        (json!({ "behind_tls_proxy": false }), "W T15 url"),
        (json!({ "secrets": [{ "source": "s", "target": "registry.yml" }] }), "E T18 secrets[0].target"),
        (json!({ "http": { "secret": "short" } }), "W T19 http.secret"),
        (json!({ "auth": { "htpasswd": { "file": "ci:plain" } } }), "E A1 auth.htpasswd.file"),
        (json!({ "auth": { "htpasswd": { "users": { "a:b": "p" } } } }), "E A3 auth.htpasswd.users"),
        (json!({ "auth": { "htpasswd": { "users": {} } } }), "W A7 auth.htpasswd.users"),
        (json!({ "auth": { "silly": { "realm": "r", "service": "s" } } }), "W A7 auth.silly"),
        (
            json!({ "update": { "order": "start-first" }, "publish": [{ "port": 443, "mode": "host" }] }),
            "W P2 update.order",
        ),
        (json!({ "publish": [{ "port": 443, "target": 80 }] }), "E P5 publish[0].target"),
        (json!({ "mode": "global", "replicas": 2 }), "E P12 replicas"),
        (json!({ "stop_grace_period": "10s" }), "E P13 stop_grace_period"),
        (json!({ "update": { "failure_action": "continue" } }), "W P15 update.failure_action"),
        (json!({ "resources": { "limits": { "memory": "64MiB" } } }), "W P16 resources.limits.memory"),
        (
            json!({ "resources": { "limits": { "cpus": 1 }, "reservations": { "cpus": 2 } } }),
            "E P16 resources.reservations.cpus",
        ),
        (
            json!({ "placement": { "constraints": ["node.id==x"], "spread": ["node.labels.zone"] } }),
            "W P17 placement.spread",
        ),
        (json!({ "image": "hub.example.com/registry:3.1.1" }), "E P20 image"),
        (json!({ "image": "registry", "distribution": "3.1" }), "W P21 image"),
        (json!({ "image": "registry:3.0.0" }), "W P24 image"),
        (
            json!({ "proxy": cache, "storage": { "s3": { "bucket": "b", "region": "eu-west-1" }, "delete": true }, "replicas": 2 }),
            "E C1 proxy",
        ),
        (json!({ "proxy": cache }), "W C2 storage.delete"),
        (
            json!({ "proxy": { "remote_url": "https://a.example/team" }, "storage": deletes }),
            "W C3 proxy.remote_url",
        ),
        (
            json!({ "proxy": with(&cache, "username", json!("bot")), "auth": null, "storage": deletes }),
            "W C4 proxy.username",
        ),
        (
            json!({ "cache": { "redis": { "addresses": ["a.b:1", "c.d:1"] } }, "image": "registry:2.8.3" }),
            "E C5 cache.redis.addresses",
        ),
        (json!({ "cache": { "redis": { "addresses": ["redis:6379"] } } }), "W C6 networks"),
        (json!({ "hostname": "{{ host }}" }), "E C14 hostname"),
        (json!({ "env": { "A": "{{ b }}" } }), "E C14 env[\"A\"]"),
        (
            json!({ "http": { "headers": { "Access-Control-Allow-Origin": ["https://a", "https://b"] } } }),
            "W C15 http.headers",
        ),
        (
            json!({ "notifications": { "ci": { "url": "http://ci", "headers_wo": { "Authorization": ["x"] } } } }),
            "W C16 notifications[\"ci\"].headers_wo",
        ),
        (
            json!({ "middleware": { "cloudfront": { "private_key_secret": "k" } } }),
            "W C17 middleware.cloudfront",
        ),
        (
            json!({ "storage": { "filesystem": { "volume": "v" }, "read_only": true } }),
            "W C18 storage.read_only",
        ),
    ] {
        let said = said(more.clone());
        assert!(said.iter().any(|said| said == expected), "{more}: {expected} is not among {said:?}");
    }
}

#[test]
fn the_nearest_good_configurations_pass() {
    let s3 =
        json!({ "s3": { "bucket": "b", "region": "eu-west-1", "access_key": "a", "secret_key_wo": "s" } });
    let cache = json!({ "remote_url": "https://registry-1.docker.io", "username": "bot" });
    let volume = json!({ "filesystem": { "volume": "cache" }, "delete": true });
    let keeps_all = json!({ "remote_url": "https://registry-1.docker.io", "ttl": "0s" });
    for good in [
        json!({ "replicas": 3, "storage": s3 }),
        json!({ "replicas": 3, "storage": { "filesystem": { "nfs": { "server": "s", "path": "/p" }, "shared": true } } }),
        // Each node has a cache of its own.
        json!({ "proxy": cache, "mode": "global", "replicas": null, "storage": volume, "update": { "order": "stop-first" } }),
        // What never removes anything keeps no schedule that replicas could overwrite.
        json!({ "proxy": keeps_all, "replicas": 2, "storage": s3, "update": { "order": "start-first" } }),
        json!({ "cache": { "redis": { "addresses": ["redis:6379"] } }, "networks": [{ "network": "hub" }] }),
        json!({ "storage": { "s3": { "bucket": "b", "region_endpoint": "http://minio:9000" } } }),
        json!({ "storage": { "filesystem": {} }, "mounts": [{ "source": "v", "target": "/var/lib/registry" }] }),
        json!({ "hostname": "{{.Node.Hostname}}", "env": { "A": "{{\"{{\"}}" } }),
        json!({ "notifications": { "ci": { "url": "http://ci", "headers": { "Authorization": ["x"] } } }, "log": { "level": "warn" } }),
    ] {
        assert_eq!(said(good.clone()), [""; 0], "{good}");
    }
}

#[test]
fn a_certificate_that_only_a_proxy_sees_names_whom_it_likes() {
    let own = rcgen::generate_simple_self_signed(vec!["registry.internal".to_owned()]).unwrap();
    let tls = json!({ "certificate": own.cert.pem(), "private_key": own.signing_key.serialize_pem() });
    let with = |is_behind: bool| {
        said(json!({ "url": "https://hub.example.com", "tls": tls, "behind_tls_proxy": is_behind }))
    };
    assert_eq!(with(false), ["E T4 tls.certificate", "W T6 tls.certificate"]);
    assert_eq!(with(true), [""; 0]);
}

#[test]
fn what_is_not_known_yet_is_not_judged() {
    for name in [
        "storage",
        "auth",
        "tls",
        "url",
        "image",
        "replicas",
        "placement",
        "publish",
        "update",
        "http",
        "proxy",
        "cache",
        "middleware",
        "notifications",
        "networks",
        "mounts",
        "env",
        "resources",
        "behind_tls_proxy",
    ] {
        let mut all = config(json!({ "name": "hub", "storage": { "filesystem": { "volume": "hub" } } }));
        all.0.0.insert(name.to_owned(), Value::UNKNOWN);
        let errors: Vec<String> =
            offline(&all).iter().filter(|found| found.is_error()).map(in_short).collect();
        assert_eq!(errors, [""; 0], "{name}");
    }
}

#[test]
fn what_changes_in_a_registry_that_is_there_is_told() {
    let at = |more: serde_json::Value| config(more);
    let said = |before: &Config, after: &Config| -> Vec<String> {
        before::findings(before, after).iter().map(|found| format!("{} {}", found.code, found.path)).collect()
    };
    let volume = at(json!({ "image": "registry:2.8.3", "storage": { "filesystem": { "volume": "hub" } } }));
    let bucket = at(json!({ "image": "registry:3.1.1", "storage": { "s3": { "bucket": "hub" } } }));
    assert_eq!(said(&volume, &bucket), ["S17 storage.s3", "P23 image"]);
    assert_eq!(said(&volume, &volume), [""; 0]);
    let bare = |image: &str| at(json!({ "image": image }));
    assert_eq!(said(&bare("registry:2"), &bare("registry:3")), ["P23 image"]);
    assert_eq!(said(&bare("registry"), &bare("registry:3")), [""; 0], "it is not known what it was");
}

#[test]
fn t16_files_that_swarm_would_not_take_are_told_at_plan() {
    let settings = |pem: String| {
        let tls = json!({ "certificate": pem, "private_key_secret": "key" });
        Settings::from_json(
            json!({ "distribution": "3.1", "http": { "port": 443 }, "storage": {}, "tls": tls }),
        )
        .unwrap()
    };
    assert_eq!(secrets::sizes(&settings("x".repeat(511_999))), []);
    let found = secrets::sizes(&settings("x".repeat(512_000)));
    assert_eq!((found[0].code, found[0].path.as_str()), ("T16", "tls.certificate"));
}
