//! Whatever goes wrong with a collection, the registry is writable afterwards, or the plan shows that it is not.

use super::{Hub, clients::push, collection, nothing_is_left, spec};
use crate::{
    terraform::Workspace,
    testbed::{Testbed, succeeded},
};
use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

/// The folder of the registry's volume on its node.
fn volume(testbed: &Testbed, hub: &Hub) -> PathBuf {
    let volumes = testbed.file("hosts/hubworker01/disk/var/lib/docker/volumes");
    volumes.join(&hub.name).join("_data/docker/registry/v2")
}

#[test]
fn a_collection_that_fails_leaves_a_writable_registry() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "failing");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let manifest = push(&hub.address, "broken:latest");
    let before = spec(testbed, &hub.name);
    // A manifest that cannot be read: nobody knows what it needs, so nothing may be deleted.
    let hex = manifest.trim_start_matches("sha256:");
    let file = volume(testbed, &hub).join(format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
    fs::write(file, "no manifest").unwrap();
    workspace.write(&hub.hcl(&collection("")));
    let said = workspace.apply_fails();
    assert!(
        said.contains("garbage-collect ended with status 1") && said.contains("failed to mark"),
        "{said}"
    );
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    assert!(workspace.state("swarm_registry_garbage_collection.it").is_null(), "it was not done");
    push(&hub.address, "other:latest");
}

/// Begins a collection, and waits until the service is read-only.
fn begin(testbed: &Testbed, hub: &Hub, workspace: &Workspace) -> std::process::Child {
    workspace.write(&hub.hcl(&collection("")));
    let mut child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    while !spec(testbed, &hub.name).contains("READONLY") {
        if child.try_wait().unwrap().is_some() {
            panic!("it ended: {:?}", child.wait_with_output().unwrap());
        }
        thread::sleep(Duration::from_millis(100));
    }
    child
}

#[test]
fn an_interrupted_collection_leaves_a_writable_registry() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "interrupted");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let before = spec(testbed, &hub.name);
    let child = begin(testbed, &hub, &workspace);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    // It was not done, so the next apply does it.
    assert_eq!(
        workspace.plan().changes(),
        [("swarm_registry_garbage_collection.it".into(), "create".into())]
    );
    workspace.apply_and_settle();
}

#[test]
fn what_a_killed_collection_leaves_shows_in_the_plan_and_the_next_one_heals_it() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "killed");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let before = spec(testbed, &hub.name);
    let mut child = begin(testbed, &hub, &workspace);
    // The provider is a child of Terraform, or of what runs Terraform: all of them die at once.
    kill_tree(child.id());
    child.wait().unwrap();
    assert!(spec(testbed, &hub.name).contains("READONLY"));

    let lock = workspace.path().join(".terraform.tfstate.lock.info");
    let _unlocked = fs::remove_file(lock);
    workspace.write(&hub.hcl(""));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("registry_service.it".into(), "update".into())]);
    assert!(plan.text.contains("swarm_registry_garbage_collection"), "it says why: {}", plan.text);

    let hcl = format!(
        "resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = \"{}\"\n}}\n",
        hub.name
    );
    let next = Workspace::new(testbed, &hcl);
    next.apply_and_settle();
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    workspace.plan_is_empty();
}

/// Kills a process and all that it has started.
fn kill_tree(id: u32) {
    let children = Command::new("pgrep").args(["-P", &id.to_string()]).output().unwrap();
    let children = String::from_utf8_lossy(&children.stdout).into_owned();
    assert!(Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
    children.lines().for_each(|child| kill_tree(child.parse().unwrap()));
}

#[test]
fn two_collections_at_once_wait_for_each_other() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "both");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let before = spec(testbed, &hub.name);
    let child = begin(testbed, &hub, &workspace);
    let hcl = format!(
        "resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = \"{}\"\n}}\n",
        hub.name
    );
    Workspace::new(testbed, &hcl).apply_and_settle();
    succeeded("the first collection", &child.wait_with_output().unwrap());
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    workspace.plan_is_empty();
}

/// A registry whose collection never ends: what a manifest says never comes, since its file is a pipe.
fn endless(testbed: &Testbed, prefix: &str, more: &str) -> (Hub, Workspace, String) {
    let hub = Hub::new(testbed, prefix);
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let manifest = push(&hub.address, "endless:latest");
    let hex = manifest.trim_start_matches("sha256:");
    let file = volume(testbed, &hub).join(format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
    let before = spec(testbed, &hub.name);
    workspace.write(&hub.hcl(&collection(more)));
    (hub, workspace, before)
}

/// Waits until the job of a collection looks for what is used.
fn is_collecting(testbed: &Testbed, hub: &Hub) {
    let job = format!("{}-garbage-collection", hub.name);
    loop {
        let log = testbed.try_docker(&["service", "logs", "--raw", &job]);
        if String::from_utf8_lossy(&log.stdout).contains("::repository endless") {
            return;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_collection_that_takes_too_long_is_ended() {
    let testbed = Testbed::shared();
    let (hub, workspace, before) = endless(testbed, "too-long", "timeouts = { create = \"45s\" }");
    let said = workspace.apply_fails();
    assert!(said.contains("It was not done within 45 s"), "{said}");
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
}

#[test]
fn a_collection_ends_when_somebody_lets_the_registry_write() {
    let testbed = Testbed::shared();
    let (hub, workspace, before) = endless(testbed, "changed", "");
    let child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    is_collecting(testbed, &hub);
    let variable = "REGISTRY_STORAGE_MAINTENANCE_READONLY";
    testbed.docker(&["service", "update", "--quiet", "--detach", "--env-rm", variable, &hub.name]);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("Somebody has changed the service"), "{said}");
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
}

#[test]
fn a_job_that_a_killed_collection_has_left_is_ended_before_the_registry_writes() {
    let testbed = Testbed::shared();
    let (hub, workspace, before) = endless(testbed, "left", "");
    let mut child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    is_collecting(testbed, &hub);
    kill_tree(child.id());
    child.wait().unwrap();
    let _unlocked = fs::remove_file(workspace.path().join(".terraform.tfstate.lock.info"));
    workspace.write(&hub.hcl(""));
    assert_eq!(workspace.plan().changes(), [("registry_service.it".into(), "update".into())]);
    workspace.apply_and_settle();
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
}

#[test]
fn a_collection_waits_for_the_job_of_another_and_for_no_stranger() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "waits");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let id = testbed.docker(&["service", "inspect", &hub.name, "--format", "{{.ID}}"]);
    let job = |labels: &[&str]| {
        let name = format!("{}-garbage-collection", hub.name);
        let create = ["service", "create", "--detach", "--quiet", "--no-resolve-image", "--name", &name];
        let what = ["--mode", "replicated-job", "--restart-condition", "none", "busybox:1", "sleep", "5"];
        testbed.docker(&[&create[..], labels, &what].concat())
    };
    let stranger = job(&[]);
    workspace.write(&hub.hcl(&collection("")));
    let said = workspace.apply_fails();
    assert!(said.contains("a service of that name which is something else"), "{said}");
    testbed.docker(&["service", "rm", &stranger]);

    // One that was cut off: its job ends some time, and nobody removes it.
    let left = job(&["--label", &format!("io.localhub.swarm.garbage-collection-of={id}")]);
    workspace.apply_and_settle();
    assert!(!testbed.try_docker(&["service", "inspect", &left]).status.success());
    nothing_is_left(testbed, &hub.name);
}
