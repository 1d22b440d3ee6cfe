//! That a plan made while something is unknown says nothing that the plan within the apply takes back.

use super::super::RegistryService;
use crate::terraform::{AnyResource, ClientSlot, Managed, Object, Private, Value};
use serde_json::{Value as Json, json};

/// Stands in a configuration for what only an apply will know.
const LATER: &str = "(later)";

/// What is planned for a registry that is to be created.
async fn planned(config: Value) -> Object {
    let config = Object::from_value(config).unwrap();
    let managed = Managed::<RegistryService>::new("x", &ClientSlot::default());
    let planned = managed.plan(Some(config), None, Private::default()).await;
    assert_eq!(planned.diagnostics, []);
    planned.state.unwrap()
}

/// What is planned at a path of a new registry.
async fn at(path: &str, config: Json) -> Value {
    let planned = Value::from(planned(later(config, None)).await);
    let step = |value: &Value, step: &str| match value {
        Value::List(items) => items[step.parse::<usize>().unwrap()].clone(),
        value => value.get(step).clone(),
    };
    path.split('.').fold(planned, |value, name| if value.is_unknown() { value } else { step(&value, name) })
}

/// The configuration with a value in place of what comes later, or with nothing known there.
fn later(config: Json, known: Option<&Json>) -> Value {
    match config {
        Json::String(text) if text == LATER => known.cloned().map_or(Value::UNKNOWN, Value::from),
        Json::Array(items) => Value::List(items.into_iter().map(|item| later(item, known)).collect()),
        Json::Object(items) => {
            Value::Map(items.into_iter().map(|(name, item)| (name, later(item, known))).collect())
        }
        json => json.into(),
    }
}

/// Where a plan takes back what the one before has said.
fn taken_back(before: &Value, after: &Value, path: &str) -> Vec<String> {
    match (before, after) {
        (Value::Unknown(_), _) => vec![],
        (Value::Map(before), Value::Map(after)) if before.keys().eq(after.keys()) => {
            let members = before.iter().zip(after.values());
            members
                .flat_map(|((name, before), after)| taken_back(before, after, &format!("{path}.{name}")))
                .collect()
        }
        (Value::List(before), Value::List(after)) if before.len() == after.len() => {
            let items = before.iter().zip(after).enumerate();
            items
                .flat_map(|(at, (before, after))| taken_back(before, after, &format!("{path}.{at}")))
                .collect()
        }
        _ if before == after => vec![],
        _ => vec![path.to_owned()],
    }
}

fn rendered(more: Json) -> Json {
    let mut config =
        json!({ "name": "hub", "image": "registry:3.1.1", "storage": { "filesystem": { "volume": "hub" } } });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

fn bare(more: Json) -> Json {
    let mut config = rendered(more);
    config.as_object_mut().unwrap().remove("storage");
    config
}

#[tokio::test]
async fn what_a_plan_says_the_plan_within_the_apply_does_not_take_back() {
    let port = json!([{ "port": 443 }]);
    let cache = |more: Json| {
        let mut proxy = json!({ "remote_url": "https://registry.example.com" });
        proxy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        proxy
    };
    let check = json!({ "command": ["CMD", "true"] });
    let tls = json!({ "certificate_secret": "crt", "private_key_secret": "key" });
    for (config, known) in [
        (rendered(json!({ "metrics": { "port": LATER } })), json!(9100)),
        (rendered(json!({ "metrics": LATER })), Json::Null),
        (rendered(json!({ "metrics": LATER })), json!({ "port": 9100 })),
        (rendered(json!({ "healthcheck": LATER })), Json::Null),
        (rendered(json!({ "healthcheck": LATER })), check.clone()),
        (rendered(json!({ "healthcheck": LATER, "update": { "monitor": "1m" } })), Json::Null),
        (rendered(json!({ "tls": LATER, "publish": port })), Json::Null),
        (rendered(json!({ "tls": LATER, "publish": port })), tls),
        (rendered(json!({ "http": { "port": LATER }, "publish": port })), json!(8443)),
        (rendered(json!({ "http": { "drain_timeout": LATER } })), json!("1m")),
        (rendered(json!({ "publish": [{ "port": 443, "mode": LATER }] })), json!("host")),
        (rendered(json!({ "publish": LATER })), json!([{ "port": 443, "mode": "host" }])),
        (rendered(json!({ "proxy": LATER })), cache(json!({}))),
        (rendered(json!({ "proxy": cache(json!({ "ttl": LATER })) })), json!("0s")),
        (
            rendered(json!({ "proxy": cache(json!({ "ttl": "0s" })), "image": LATER })),
            json!("registry:3.1.1"),
        ),
        (rendered(json!({ "proxy": cache(json!({})), "storage": LATER })), json!({ "in_memory": {} })),
        (rendered(json!({ "proxy": cache(json!({})), "storage": { "in_memory": LATER } })), json!({})),
        (rendered(json!({ "proxy": cache(json!({})), "storage": LATER })), json!({ "filesystem": {} })),
        (rendered(json!({ "image": LATER })), json!("registry:2.8.3")),
        (bare(json!({ "env": { "REGISTRY_HTTP_ADDR": LATER }, "publish": port })), json!(":443")),
        (bare(json!({ "env": LATER, "publish": port })), json!({ "REGISTRY_HTTP_ADDR": ":443" })),
        (bare(json!({ "env": LATER, "publish": port })), Json::Null),
    ] {
        let before = planned(later(config.clone(), None)).await;
        let after = planned(later(config.clone(), Some(&known))).await;
        assert_eq!(taken_back(&before.into(), &after.into(), ""), [""; 0], "{config} with {known}");
    }
}

#[tokio::test]
async fn a_port_of_metrics_that_is_not_known_leaves_only_the_check_open() {
    let config = rendered(json!({ "metrics": { "port": LATER } }));
    assert_eq!(at("healthcheck", config.clone()).await, Value::UNKNOWN);
    for monitor in ["update.monitor", "rollback.monitor"] {
        assert_eq!(at(monitor, config.clone()).await, Value::from("30s"));
    }
}

#[tokio::test]
async fn a_port_leads_to_where_the_environment_lets_the_registry_listen() {
    let target =
        |env: Json| at("publish.0.target", bare(json!({ "env": env, "publish": [{ "port": 443 }] })));
    assert_eq!(target(json!({})).await, json!(5000).into());
    assert_eq!(target(Json::Null).await, json!(5000).into());
    assert_eq!(target(json!({ "REGISTRY_HTTP_ADDR": "0.0.0.0:443" })).await, json!(443).into());
    assert_eq!(target(json!({ "OTHER": LATER })).await, json!(5000).into());
    assert_eq!(target(json!({ "REGISTRY_HTTP_ADDR": LATER })).await, Value::UNKNOWN);
    assert_eq!(target(json!(LATER)).await, Value::UNKNOWN);
}

#[tokio::test]
async fn what_is_not_known_of_a_port_leaves_the_order_of_updates_known() {
    let order =
        |port: Json| at("update.order", rendered(json!({ "http": { "port": LATER }, "publish": [port] })));
    assert_eq!(order(json!({ "port": 443 })).await, Value::from("start-first"));
    assert_eq!(order(json!({ "port": 443, "mode": "host" })).await, Value::from("stop-first"));
    assert_eq!(order(json!({ "port": 443, "mode": LATER })).await, Value::UNKNOWN);
    assert_eq!(order(json!(LATER)).await, Value::UNKNOWN);
}

#[tokio::test]
async fn c1_a_cache_that_keeps_its_schedule_where_the_next_task_finds_it_makes_room_for_that() {
    let order = async |storage: Json, more: Json| {
        let mut config = rendered(
            json!({ "storage": storage, "proxy": { "remote_url": "https://registry.example.com" } }),
        );
        config["proxy"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(at("rollback.order", config.clone()).await, at("update.order", config.clone()).await);
        at("update.order", config).await
    };
    let bucket = json!({ "s3": { "bucket": "hub", "region": "eu-west-1" } });
    let stores =
        [json!({ "filesystem": { "volume": "hub" } }), bucket, json!({ "gcs": { "bucket": "hub" } })];
    for store in stores {
        assert_eq!(order(store.clone(), json!({})).await, Value::from("stop-first"), "{store}");
        assert_eq!(order(store.clone(), json!({ "ttl": "1h" })).await, Value::from("stop-first"), "{store}");
        assert_eq!(order(store.clone(), json!({ "ttl": "0s" })).await, Value::from("start-first"), "{store}");
        assert_eq!(order(store.clone(), json!({ "ttl": LATER })).await, Value::UNKNOWN, "{store}");
    }
    assert_eq!(order(json!({ "in_memory": {} }), json!({})).await, Value::from("start-first"));
    assert_eq!(order(json!({ "in_memory": LATER }), json!({})).await, Value::UNKNOWN);
}
