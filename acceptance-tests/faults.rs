//! A dead engine, a worker instead of a manager, a lost quorum, an interrupt: nothing is lost, and it is said in words.

use crate::{
    registry_service::Registry,
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded, unique},
};
use std::{process::Command, time::Duration};

fn secret(name: &str) -> String {
    format!("resource \"swarm_secret\" \"it\" {{\n  name = \"{name}\"\n  data_wo = \"x\"\n}}\n")
}

#[test]
fn a_stopped_engine_is_an_error_and_the_state_keeps_everything() {
    let testbed = Testbed::start(&[], &["alone"]);
    let workspace = Workspace::new(&testbed, &secret("kept"));
    workspace.apply_and_settle();
    let before = workspace.state("swarm_secret.it");
    testbed.run("stop", &["alone"]);
    let said = workspace.plan_fails();
    assert!(
        said.contains("cannot reach the Docker Engine") || said.contains("Cannot reach the Docker Engine"),
        "{said}"
    );
    assert!(said.contains("alone.sock") && said.contains("DOCKER_HOST"), "{said}");
    assert_eq!(workspace.state("swarm_secret.it"), before);
    testbed.run("start", &["alone"]);
    eventually("the swarm is there again", || {
        testbed.try_docker(&["node", "ls"]).status.success().then_some(())
    });
    workspace.plan_is_empty();
}

#[test]
fn a_worker_says_where_the_managers_are() {
    let testbed = Testbed::shared();
    let mut workspace = Workspace::new(testbed, &secret(&unique("worker")));
    workspace.set("DOCKER_HOST", &format!("unix://{}", testbed.socket("hubworker01").display()));
    let said = workspace.apply_fails();
    assert!(
        said.contains("worker") && said.contains(&format!("{}:2377", testbed.address("hubmgr"))),
        "{said}"
    );
}

#[test]
fn a_host_that_is_not_there_is_named() {
    let testbed = Testbed::shared();
    let mut workspace = Workspace::new(testbed, &secret(&unique("nobody")));
    workspace.set("DOCKER_HOST", "tcp://127.0.0.1:1");
    let said = workspace.apply_fails();
    assert!(said.contains("127.0.0.1:1") && said.contains("refused"), "{said}");
    workspace.set("DOCKER_HOST", "nonsense://x");
    let said = workspace.apply_fails();
    assert!(said.contains("DOCKER_HOST") && said.contains("nonsense"), "{said}");
}

#[test]
fn an_engine_without_a_swarm_says_so() {
    let testbed = Testbed::start(&["--no-swarm"], &["bare"]);
    let said = Workspace::new(&testbed, &secret("nowhere")).apply_fails();
    assert!(said.contains("docker swarm init"), "{said}");
}

#[test]
fn a_lost_quorum_says_so() {
    let testbed = Testbed::start(&["--managers", "2"], &["one", "two"]);
    let workspace = Workspace::new(&testbed, &secret("quorum"));
    workspace.apply_and_settle();
    testbed.run("kill", &["two"]);
    // The leader notices when it has missed enough heartbeats. It goes on answering reads out of its memory.
    eventually("the other manager is missed", || {
        let nodes = testbed.try_docker(&["node", "ls", "--format", "{{.ManagerStatus}}"]);
        let text = String::from_utf8_lossy(&nodes.stdout).into_owned();
        (!nodes.status.success() || text.contains("Unreachable")).then_some(())
    });
    let said = workspace.plan_fails();
    assert!(said.contains("no leader") && said.contains("managers"), "{said}");
    assert_ne!(workspace.state("swarm_secret.it"), serde_json::Value::Null);
    testbed.run("start", &["two"]);
    eventually("the swarm has a leader again", || {
        testbed.try_docker(&["node", "ls"]).status.success().then_some(())
    });
    workspace.apply_and_settle();
}

/// Interrupts Terraform as Ctrl-C does, and answers what it said.
pub fn interrupted(workspace: &Workspace, running: impl Fn() -> bool) -> String {
    let child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    eventually("the rollout has begun", || running().then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    succeeded("kill", &Command::new("kill").args(["-INT", &child.id().to_string()]).output().unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn an_interrupted_rollout_is_carried_on_by_the_next_apply() {
    let testbed = Testbed::shared();
    let registry = Registry::new("interrupted");
    // A health check that cannot succeed before a while: there is time to interrupt.
    let slow =
        "healthcheck = { command = [\"CMD-SHELL\", \"sleep 4\"], interval = \"1s\", timeout = \"9s\" }";
    let workspace = Workspace::new(testbed, &registry.hcl(slow));
    let exists = || testbed.try_docker(&["service", "inspect", &registry.name]).status.success();
    let said = interrupted(&workspace, exists);
    assert!(said.contains("stopped"), "{said}");
    // The service exists but never converged: it is tainted, and replaced without a clash of names.
    let plan = workspace.plan();
    assert_eq!(
        plan.changes(),
        [("registry_service.it".to_owned(), "delete+create".to_owned())],
        "{}",
        plan.text
    );
    workspace.apply_and_settle();

    workspace.write(&registry.hcl(&format!("{slow}\nenv = {{ CHANGED = \"1\" }}")));
    let changed = || testbed.docker(&["service", "inspect", &registry.name]).contains("CHANGED=1");
    interrupted(&workspace, changed);
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("registry_service.it".to_owned(), "update".to_owned())], "{}", plan.text);
    workspace.apply_and_settle();
}

#[test]
fn a_panic_in_an_rpc_is_a_diagnostic_and_keeps_the_state() {
    let testbed = Testbed::shared();
    let name = unique("panic");
    let mut workspace = Workspace::new(testbed, &secret(&name));
    workspace.apply_and_settle();
    let before = workspace.state("swarm_secret.it");
    for rpc in [
        "GetProviderSchema",
        "ValidateProviderConfig",
        "ConfigureProvider",
        "ValidateResourceConfig",
        "UpgradeResourceState",
        "ReadResource",
        "PlanResourceChange",
    ] {
        workspace.set("SWARM_PLANT_PANIC", rpc);
        let said = workspace.plan_fails();
        assert!(said.contains("has a bug") && said.contains(rpc), "{rpc}: {said}");
    }
    workspace.set("SWARM_PLANT_PANIC", "ApplyResourceChange");
    workspace.write(&secret(&name).replace("data_wo", "data_wo_version = 2\n  data_wo"));
    let said = workspace.apply_fails();
    assert!(said.contains("has a bug") && said.contains("ApplyResourceChange"), "{said}");
    workspace.set("SWARM_PLANT_PANIC", "ImportResourceState");
    let output = workspace.try_run(&["import", "-no-color", "swarm_secret.other", &name]);
    assert!(!output.status.success());
    workspace.set("SWARM_PLANT_PANIC", "");
    assert_eq!(workspace.state("swarm_secret.it"), before);
    workspace.apply_and_settle();
}
