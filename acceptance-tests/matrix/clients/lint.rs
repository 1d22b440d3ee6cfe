//! `soup lint`, by which tofusoup has a provider validate configurations of every kind of thing.

use super::python;
use crate::matrix::starts::{Starts, WITH_TLS};
use serde_json::{Value, json};
use std::{fs, process::Output};

/// A configuration: what kind of thing it is of, and what is set in it.
type Case = (&'static str, &'static str, Value);

/// A valid configuration of each thing that needs no object: in a suite, the attributes of an object cannot be null.
fn flat() -> Vec<Case> {
    vec![
        ("resource", "swarm_cluster", json!({ "subnet_size": 24 })),
        ("resource", "swarm_node", json!({ "node": "hubworker01", "availability": "drain" })),
        ("resource", "swarm_node_label", json!({ "node": "a", "key": "b", "value": "" })),
        ("resource", "swarm_secret", json!({ "name": "a", "data": "x", "labels": { "a": "1" } })),
        ("resource", "swarm_config", json!({ "name": "a", "data": "x", "labels": { "a": "1" } })),
        ("resource", "swarm_network", json!({ "name": "a", "attachable": true })),
        ("resource", "swarm_volume", json!({ "name": "images", "keep_on_destroy": false })),
        ("resource", "swarm_service", json!({ "name": "a", "image": "busybox:1", "args": ["1", "2"] })),
        ("resource", "registry_service", json!({ "name": "a", "image": "registry:2" })),
        ("resource", "swarm_registry_service", json!({ "name": "a", "image": "registry:3" })),
        ("resource", "swarm_registry_garbage_collection", json!({ "service": "a" })),
        ("data-source", "swarm_cluster", json!({})),
        ("data-source", "swarm_config", json!({ "name": "a" })),
        ("data-source", "swarm_network", json!({ "id": "a" })),
        ("data-source", "swarm_node", json!({ "node": "a" })),
        ("data-source", "swarm_nodes", json!({ "role": "worker", "node_labels": ["a=1"] })),
        ("data-source", "swarm_secret", json!({ "name": "a" })),
        ("data-source", "swarm_service", json!({ "name": "a" })),
        ("data-source", "swarm_volume", json!({ "name": "a" })),
        ("ephemeral", "swarm_join_token", json!({ "role": "manager" })),
        ("ephemeral", "swarm_unlock_key", json!({})),
        ("list", "registry_service", json!({ "name": "a" })),
        ("list", "swarm_registry_service", json!({})),
        ("list", "swarm_cluster", json!({})),
        ("list", "swarm_config", json!({ "labels": { "a": "1" } })),
        ("list", "swarm_network", json!({})),
        ("list", "swarm_node", json!({})),
        ("list", "swarm_node_label", json!({})),
        ("list", "swarm_registry_image", json!({})),
        ("list", "swarm_registry_trust", json!({})),
        ("list", "swarm_secret", json!({ "name": "a" })),
        ("list", "swarm_service", json!({})),
        ("list", "swarm_volume", json!({})),
        ("action", "swarm_cluster_rotate", json!({ "worker_token": true })),
        ("action", "swarm_registry_garbage_collection", json!({ "service": "a", "dry_run": true })),
        ("action", "swarm_service_redeploy", json!({ "service": "a", "timeout": "20m" })),
    ]
}

/// A value in TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let parts: Vec<String> =
                object.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        other => other.to_string(),
    }
}

fn lint(cases: &[Case]) -> Output {
    let starts = Starts::new();
    let suite = starts.folder().join("suite.toml");
    let header =
        "version = 1\n[provider]\nsource = \"registry.terraform.io/localhub/swarm\"\nversion = \"0.1.0\"\n";
    let case = |(kind, name, config): &Case| {
        format!("[[case]]\nkind = \"{kind}\"\ntype_name = \"{name}\"\nconfig = {}\n", toml(config))
    };
    fs::write(&suite, format!("{header}{}", cases.iter().map(case).collect::<String>())).unwrap();
    let output = python()
        .args(["-m", "tofusoup.cli", "lint", "--lane", "direct", "--json"])
        .arg(&suite)
        .arg("--provider")
        .arg(starts.program())
        .output()
        .unwrap();
    starts.were_all(WITH_TLS);
    output
}

#[test]
fn lint_finds_nothing_in_what_is_valid() {
    let cases = flat();
    let output = lint(&cases);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(found["direct"]["cases"].as_array().unwrap().len(), cases.len());
}

#[test]
fn lint_finds_what_is_wrong() {
    for (case, error) in [
        (("resource", "swarm_service", json!({ "name": "a", "image": "b", "mode": "c" })), "mode"),
        (("resource", "swarm_config", json!({ "name": "a", "data": "b", "data_base64": "Yg==" })), "data"),
        // The host does not say that it keeps what is write-only out of its state.
        (("resource", "swarm_secret", json!({ "name": "a", "data_wo": "x" })), "need Terraform 1.11"),
        (("data-source", "swarm_secret", json!({})), "name"),
        (("ephemeral", "swarm_join_token", json!({ "role": "boss" })), "role"),
        (("action", "swarm_service_redeploy", json!({ "service": "a", "timeout": "soon" })), "timeout"),
    ] {
        let name = case.1;
        let output = lint(&[case]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{name}");
        assert!(said.contains("error diagnostic") && said.contains(error), "{name}: {said}");
    }
}
