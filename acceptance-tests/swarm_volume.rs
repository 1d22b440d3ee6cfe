//! `swarm_volume`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use serde_json::{Value, json};
use std::process::{Command, Output};

fn volume(name: &str, body: &str) -> String {
    format!("resource \"swarm_volume\" \"it\" {{\n  name = \"{name}\"\n{body}\n}}\n")
}

fn on(testbed: &Testbed, host: &str, args: &[&str]) -> Output {
    let host = format!("unix://{}", testbed.socket(host).display());
    Command::new("docker").args(["--host", &host]).args(args).output().unwrap()
}

fn inspect(testbed: &Testbed, name: &str) -> Value {
    serde_json::from_str(&testbed.docker(&["volume", "inspect", name, "--format", "{{json .}}"])).unwrap()
}

const TMPFS: &str = "driver_options = { type = \"tmpfs\", device = \"tmpfs\" }";

#[test]
fn a_volume_outlives_its_resource_and_is_taken_over_again() {
    let testbed = Testbed::shared();
    let name = unique("kept");
    let workspace = Workspace::new(testbed, &volume(&name, "labels = { a = \"1\" }"));
    workspace.apply_and_settle();
    let made = inspect(testbed, &name);
    assert_eq!(workspace.state("swarm_volume.it")["mountpoint"], made["Mountpoint"]);
    assert!(workspace.destroy().contains("is kept"));
    assert_eq!(inspect(testbed, &name), made);

    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name), made);
    // Another label needs another volume, so first the old one has to be given up.
    workspace.write(&volume(&name, "labels = { a = \"2\" }"));
    let said = workspace.apply_fails();
    assert!(said.contains("another `labels`"), "{said}");
    testbed.docker(&["volume", "rm", &name]);
    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name)["Labels"], json!({"a": "2"}));

    workspace.write(&volume(&name, "labels = { a = \"2\" }\nkeep_on_destroy = false"));
    assert_eq!(workspace.plan().differing("swarm_volume.it"), ["keep_on_destroy"]);
    workspace.apply_and_settle();
    workspace.destroy();
    assert!(!testbed.try_docker(&["volume", "inspect", &name]).status.success());
}

#[test]
fn options_are_replaced_and_drift_shows() {
    let testbed = Testbed::shared();
    let name = unique("options");
    let workspace = Workspace::new(testbed, &volume(&name, "keep_on_destroy = false"));
    workspace.apply_and_settle();
    workspace.write(&volume(&name, &format!("keep_on_destroy = false\n{TMPFS}")));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_volume.it".to_owned(), "delete+create".to_owned())]);
    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name)["Options"], json!({"type": "tmpfs", "device": "tmpfs"}));

    // Somebody makes it anew, without options.
    testbed.docker(&["volume", "rm", &name]);
    testbed.docker(&["volume", "create", &name]);
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_volume.it".to_owned(), "delete+create".to_owned())]);
    assert!(plan.differing("swarm_volume.it").contains(&"driver_options".to_owned()));
    workspace.apply_and_settle();
    testbed.docker(&["volume", "rm", &name]);
    assert_eq!(workspace.plan().changes(), [("swarm_volume.it".to_owned(), "create".to_owned())]);
}

#[test]
fn a_volume_with_other_options_is_never_taken_over() {
    let testbed = Testbed::shared();
    let name = unique("other");
    testbed.docker(&["volume", "create", &name]);
    let workspace = Workspace::new(testbed, &volume(&name, TMPFS));
    let said = workspace.apply_fails();
    assert!(said.contains("another `driver_options`") && said.contains("say nothing"), "{said}");
    assert_eq!(workspace.state("swarm_volume.it"), Value::Null);
    testbed.docker(&["volume", "rm", &name]);
}

#[test]
fn a_volume_in_use_is_waited_for_and_then_told() {
    let testbed = Testbed::shared();
    let name = unique("used");
    let body = |limit: &str| {
        volume(&name, &format!("keep_on_destroy = false\ntimeouts = {{ delete = \"{limit}\" }}"))
    };
    let workspace = Workspace::new(testbed, &body("2s"));
    workspace.apply_and_settle();
    let container =
        testbed.docker(&["run", "--detach", "--volume", &format!("{name}:/v"), "busybox:1", "sleep", "600"]);
    let said = crate::terraform::fails(&workspace.try_run(&["destroy", "-auto-approve", "-no-color"]));
    assert!(said.contains(&container) && said.contains("docker ps"), "{said}");
    workspace.write(&body("1m"));
    workspace.apply_and_settle();
    let destroy = workspace.spawn(&["destroy", "-auto-approve", "-no-color"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    testbed.docker(&["rm", "--force", &container]);
    crate::testbed::succeeded("terraform destroy", &destroy.wait_with_output().unwrap());
}

#[test]
fn a_volume_is_made_on_the_host_that_is_named() {
    let testbed = Testbed::shared();
    let name = unique("there");
    let host = |host: &str| format!("unix://{}", testbed.socket(host).display());
    let body =
        |on: &str| volume(&name, &format!("keep_on_destroy = false\nengine = {{ host = \"{}\" }}", host(on)));
    let workspace = Workspace::new(testbed, &body("hubworker01"));
    workspace.apply_and_settle();
    assert!(on(testbed, "hubworker01", &["volume", "inspect", &name]).status.success());
    assert!(!testbed.try_docker(&["volume", "inspect", &name]).status.success());
    // Nothing is copied to another host, so the same resource cannot be there.
    workspace.write(&body("hubworker02"));
    let said = workspace.apply_fails();
    assert!(said.contains("-replace=ADDRESS"), "{said}");
    workspace.write(&body("hubworker01"));
    workspace.plan_is_empty();

    let imported = Workspace::new(testbed, &body("hubworker01"));
    imported.run(&["import", "swarm_volume.it", &format!("{}/{name}", host("hubworker01"))]);
    assert_eq!(imported.plan().differing("swarm_volume.it"), ["keep_on_destroy"]);
    imported.run(&["state", "rm", "swarm_volume.it"]);
}

#[test]
fn generated_configuration_plans_empty() {
    let testbed = Testbed::shared();
    let name = unique("imported");
    testbed.docker(&[
        "volume",
        "create",
        "--label",
        "a=1",
        "--opt",
        "type=tmpfs",
        "--opt",
        "device=tmpfs",
        &name,
    ]);
    let workspace =
        Workspace::new(testbed, &format!("import {{\n  to = swarm_volume.it\n  id = \"{name}\"\n}}\n"));
    workspace.run(&["plan", "-generate-config-out=generated.tf", "-no-color"]);
    workspace.apply_and_settle();
    testbed.docker(&["volume", "rm", &name]);
    workspace.run(&["state", "rm", "swarm_volume.it"]);
}

/// This kernel has no CSI driver: what the swarm was asked for is read back.
#[test]
fn a_cluster_volume_is_as_it_was_asked_for_and_changes_its_availability_in_place() {
    let testbed = Testbed::start(&["--engine", "28.5"], &["csi"]);
    let name = unique("cluster");
    let body = |availability: &str| {
        volume(
            &name,
            &format!(
                r#"
  driver         = "csi-example"
  driver_options = {{ pool = "ssd" }}
  labels         = {{ a = "1" }}

  cluster = {{
    group        = "fast"
    scope        = "multi"
    sharing      = "onewriter"
    mount        = {{ fs_type = "ext4", flags = ["noatime"] }}
    topology     = {{ required = [{{ zone = "a" }}], preferred = [{{ zone = "a", rack = "1" }}] }}
    capacity     = {{ required = "1GiB", limit = "2048MiB" }}
    availability = "{availability}"
  }}
"#
            ),
        )
    };
    let workspace = Workspace::new(&testbed, &body("active"));
    workspace.apply_and_settle();
    let spec = &inspect(&testbed, &name)["ClusterVolume"]["Spec"];
    assert_eq!(spec["AccessMode"]["MountVolume"], json!({"FsType": "ext4", "MountFlags": ["noatime"]}));
    assert_eq!(spec["CapacityRange"], json!({"RequiredBytes": 1 << 30, "LimitBytes": 2_i64 << 30}));
    assert_eq!(spec["AccessibilityRequirements"]["Requisite"], json!([{"Segments": {"zone": "a"}}]));

    workspace.write(&body("pause"));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_volume.it".to_owned(), "update".to_owned())]);
    assert_eq!(plan.differing("swarm_volume.it"), ["cluster"]);
    workspace.apply_and_settle();
    assert_eq!(inspect(&testbed, &name)["ClusterVolume"]["Spec"]["Availability"], "pause");

    let imported =
        Workspace::new(&testbed, &format!("import {{\n  to = swarm_volume.it\n  id = \"{name}\"\n}}\n"));
    imported.run(&["plan", "-generate-config-out=generated.tf", "-no-color"]);
    imported.apply_and_settle();

    workspace.write(&volume(&name, "driver = \"csi-example\"\ncluster = {}"));
    assert_eq!(workspace.plan().changes(), [("swarm_volume.it".to_owned(), "delete+create".to_owned())]);
    // No driver will ever remove it, and Docker waits for one.
    workspace.write(&body("pause").replace(
        "labels         =",
        "keep_on_destroy = false\n  timeouts = { delete = \"3s\" }\n  labels =",
    ));
    workspace.apply_and_settle();
    let said = crate::terraform::fails(&workspace.try_run(&["destroy", "-auto-approve", "-no-color"]));
    assert!(said.contains("CSI driver `csi-example`") && said.contains("--force"), "{said}");
    testbed.docker(&["volume", "rm", "--force", &name]);
    workspace.destroy();
}

#[test]
fn what_cannot_be_a_volume_is_refused_at_plan() {
    let testbed = Testbed::shared();
    for (body, words) in [
        ("cluster = {}", "without its driver"),
        ("driver = \"csi\"\ncluster = {}", "needs Engine API 1.42"),
        ("driver = \"csi\"\ncluster = { scope = \"some\" }", "one of `single`, `multi`"),
        ("driver = \"csi\"\ncluster = { capacity = { limit = \"1GB\" } }", "1024"),
    ] {
        let said = Workspace::new(testbed, &volume(&unique("bad"), body)).plan_fails();
        assert!(said.contains(words), "{body}: {said}");
    }
    let said = Workspace::new(testbed, &volume("-bad", "")).plan_fails();
    assert!(said.contains("`name`"), "{said}");
}

#[test]
fn a_data_source_finds_a_volume_on_its_host() {
    let testbed = Testbed::shared();
    let name = unique("found");
    assert!(on(testbed, "hubworker02", &["volume", "create", "--label", "a=1", &name]).status.success());
    let host = format!("unix://{}", testbed.socket("hubworker02").display());
    let hcl = |more: &str| format!("data \"swarm_volume\" \"it\" {{\n  name = \"{name}\"\n{more}\n}}\n");
    let workspace = Workspace::new(testbed, &hcl(&format!("engine = {{ host = \"{host}\" }}")));
    workspace.apply_and_settle();
    assert_eq!(workspace.state("data.swarm_volume.it")["labels"], json!({"a": "1"}));
    let said = Workspace::new(testbed, &hcl("")).plan_fails();
    assert!(said.contains(&format!("There is no volume `{name}`")), "{said}");
    drop(workspace);
    assert!(on(testbed, "hubworker02", &["volume", "rm", &name]).status.success());
}
