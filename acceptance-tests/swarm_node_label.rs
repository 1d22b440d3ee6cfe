//! `swarm_node_label`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};

fn label(node: &str, key: &str, value: &str) -> String {
    format!(
        "resource \"swarm_node_label\" \"it\" {{\n  node = \"{node}\"\n  key = \"{key}\"\n  value = \"{value}\"\n}}\n"
    )
}

fn labels(testbed: &Testbed, node: &str) -> serde_json::Value {
    serde_json::from_str(&testbed.docker(&["node", "inspect", node, "--format", "{{json .Spec.Labels}}"]))
        .unwrap()
}

#[test]
fn a_label_is_made_changed_imported_and_removed() {
    let testbed = Testbed::shared();
    let key = unique("life");
    let workspace = Workspace::new(testbed, &label("hubworker01", &key, "true"));
    workspace.apply_and_settle();
    assert_eq!(labels(testbed, "hubworker01")[&key], "true");

    workspace.write(&label("hubworker01", &key, ""));
    assert_eq!(workspace.plan().changes(), [("swarm_node_label.it".to_owned(), "update".to_owned())]);
    workspace.apply_and_settle();
    assert_eq!(labels(testbed, "hubworker01")[&key], "");

    workspace.write(&label("hubworker02", &key, "x"));
    assert_eq!(workspace.plan().changes(), [("swarm_node_label.it".to_owned(), "delete+create".to_owned())]);
    workspace.apply_and_settle();
    assert_eq!(labels(testbed, "hubworker01")[&key], serde_json::Value::Null);
    assert_eq!(labels(testbed, "hubworker02")[&key], "x");

    let id = format!("hubworker02/{key}");
    workspace.run(&["state", "rm", "swarm_node_label.it"]);
    workspace.run(&["import", "swarm_node_label.it", &id]);
    workspace.plan_is_empty();
    workspace.run(&["state", "rm", "swarm_node_label.it"]);
    let import = format!("import {{\n  to = swarm_node_label.it\n  id = \"{id}\"\n}}\n");
    workspace.write(&format!("{}{import}", label("hubworker02", &key, "x")));
    workspace.apply_and_settle();

    workspace.destroy();
    assert_eq!(labels(testbed, "hubworker02")[&key], serde_json::Value::Null);
}

#[test]
fn a_node_is_also_named_by_its_id() {
    let testbed = Testbed::shared();
    let id = testbed.docker(&["node", "inspect", "hubworker01", "--format", "{{.ID}}"]);
    let workspace = Workspace::new(testbed, &label(&id, &unique("by-id"), "true"));
    workspace.apply_and_settle();
}

#[test]
fn other_labels_are_left_alone() {
    let testbed = Testbed::shared();
    let (key, foreign) = (unique("own"), unique("foreign"));
    testbed.docker(&["node", "update", "--label-add", &format!("{foreign}=theirs"), "hubworker01"]);
    let workspace = Workspace::new(testbed, &label("hubworker01", &key, "ours"));
    workspace.apply_and_settle();
    workspace.destroy();
    assert_eq!(labels(testbed, "hubworker01")[&foreign], "theirs");
    testbed.docker(&["node", "update", "--label-rm", &foreign, "hubworker01"]);
}

#[test]
fn a_label_of_somebody_else_is_not_taken() {
    let testbed = Testbed::shared();
    let key = unique("taken");
    testbed.docker(&["node", "update", "--label-add", &format!("{key}=theirs"), "hubworker01"]);
    let workspace = Workspace::new(testbed, &label("hubworker01", &key, "ours"));
    let said = workspace.apply_fails();
    assert!(said.contains("already has this label") && said.contains("terraform import"), "{said}");
    assert_eq!(labels(testbed, "hubworker01")[&key], "theirs");
    testbed.docker(&["node", "update", "--label-rm", &key, "hubworker01"]);
}

#[test]
fn an_unknown_node_is_named_with_those_that_there_are() {
    let workspace = Workspace::new(Testbed::shared(), &label("nosuchnode", &unique("nowhere"), "x"));
    let said = workspace.apply_fails();
    for word in ["nosuchnode", "hubmgr", "hubworker01", "hubworker02"] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn what_is_no_label_is_refused_at_plan() {
    let workspace = Workspace::new(Testbed::shared(), &label("", "two words", "x"));
    let said = workspace.plan_fails();
    assert!(said.contains("`node`") && said.contains("`key`"), "{said}");
    let said = {
        workspace.write("");
        let output = workspace.try_run(&["import", "swarm_node_label.it", "hubworker01"]);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(!said.is_empty());
}

#[test]
fn a_node_that_rejoined_gets_its_label_again() {
    let testbed = Testbed::start(&[], &["mgr", "wrk"]);
    let workspace = Workspace::new(&testbed, &label("wrk", "registry", "true"));
    workspace.apply_and_settle();
    let token = testbed.docker(&["swarm", "join-token", "--quiet", "worker"]);
    let old = testbed.docker(&["node", "inspect", "wrk", "--format", "{{.ID}}"]);
    let on_worker = |args: &[&str]| {
        let output = std::process::Command::new("docker")
            .env("DOCKER_HOST", format!("unix://{}", testbed.socket("wrk").display()))
            .args(args)
            .output()
            .unwrap();
        crate::testbed::succeeded("docker on the worker", &output)
    };
    on_worker(&["swarm", "leave"]);
    on_worker(&["swarm", "join", "--token", &token, &format!("{}:2377", testbed.address("mgr"))]);
    // The node's record of its former life stays, as down once its last heartbeat is old enough, beside the new one of
    // the same hostname. Until then nobody can tell which of the two is meant.
    let early = workspace.try_run(&["plan", "-no-color"]);
    if !early.status.success() {
        let said = String::from_utf8_lossy(&early.stderr).into_owned();
        assert!(said.contains("ambiguous") && said.contains(&old), "{said}");
    }
    crate::testbed::eventually("the old record is down", || {
        (testbed.docker(&["node", "inspect", &old, "--format", "{{.Status.State}}"]) == "down").then_some(())
    });
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_node_label.it".to_owned(), "create".to_owned())], "{}", plan.text);
    workspace.apply_and_settle();
    let id = workspace.state("swarm_node_label.it")["node_id"].as_str().unwrap().to_owned();
    assert_ne!(id, old);
    assert_eq!(labels(&testbed, &id)["registry"], "true");
}
