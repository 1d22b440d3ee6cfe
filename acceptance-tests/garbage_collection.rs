//! Garbage is collected from registries in use: no push that was acknowledged is lost, and what is deleted is gone.

mod cached;
mod clients;
mod failures;

use crate::{
    actions,
    registry_service::free_port,
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
};
use clients::{Pushers, garbage, is_whole, push, status};
use std::fs;

const QUICK: &str =
    "update = { monitor = \"10ms\", delay = \"0s\" }\n  rollback = { monitor = \"10ms\", delay = \"0s\" }";

fn spec(testbed: &Testbed, service: &str) -> String {
    testbed.docker(&["service", "inspect", service, "--format", "{{json .Spec}}"])
}

fn version(testbed: &Testbed, service: &str) -> String {
    testbed.docker(&["service", "inspect", service, "--format", "{{.Version.Index}}"])
}

/// No job and no secret of a collection is left.
fn nothing_is_left(testbed: &Testbed, service: &str) {
    for kind in ["service", "secret"] {
        let left = testbed.docker(&[
            kind,
            "ls",
            "--format",
            "{{.Name}}",
            "--filter",
            &format!("name={service}-garbage"),
        ]);
        assert_eq!(left, "", "{kind}");
    }
}

/// A registry with one replica on a volume of `hubworker01`.
struct Hub {
    name: String,
    port: u16,
    address: String,
}

impl Hub {
    fn new(testbed: &Testbed, prefix: &str) -> Self {
        let port = free_port();
        Hub { name: unique(prefix), port, address: format!("{}:{port}", testbed.address("hubworker01")) }
    }

    fn hcl(&self, more: &str) -> String {
        let Hub { name, port, .. } = self;
        format!(
            r#"
resource "registry_service" "it" {{
  provider  = swarm
  name      = "{name}"
  image     = "registry:2"
  replicas  = 1
  publish   = [{{ port = {port}, mode = "host" }}]
  placement = {{ constraints = ["node.hostname==hubworker01"] }}
  storage   = {{ filesystem = {{ volume = "{name}" }}, delete = true }}
  wait_for  = {{ url = "http://{}/v2/" }}
  {QUICK}
}}
{more}
"#,
            self.address
        )
    }
}

fn collection(more: &str) -> String {
    format!(
        "resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = registry_service.it.name\n  {more}\n}}\n"
    )
}

#[test]
fn one_replica_on_a_volume_is_collected_while_clients_push() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "collected");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let kept = push(&hub.address, "kept:latest");
    let gone = garbage(&hub.address, "deleted");
    let before = spec(testbed, &hub.name);

    let pushers = Pushers::start(std::slice::from_ref(&hub.address));
    pushers.go_on(3);
    workspace.write(&hub.hcl(&collection("triggers = { run = 1 }")));
    workspace.apply();
    pushers.go_on(3);
    let (pushed, refused) = pushers.end();
    assert!(refused > 0, "no push met the read-only registry");
    workspace.plan_is_empty();
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);

    let state = workspace.state("swarm_registry_garbage_collection.it");
    assert!(state["bytes_freed"].as_i64().unwrap() >= 200_000, "{state}");
    assert!(state["blobs_deleted"].as_i64().unwrap() >= 3, "{state}");
    assert!(state["finished_at"].as_str().unwrap().contains('T'), "{state}");
    assert_eq!(status("HEAD", &gone), "404");
    is_whole(&hub.address, "kept", &kept);
    for (repository, manifest) in pushed {
        is_whole(&hub.address, &repository, &manifest);
    }

    // Another trigger runs it again, and then there is nothing to delete.
    workspace.write(&hub.hcl(&collection("triggers = { run = 2 }")));
    workspace.apply_and_settle();
    let again = workspace.state("swarm_registry_garbage_collection.it");
    assert_eq!(again["blobs_deleted"], 0, "{again}");
    assert_ne!(again["finished_at"], state["finished_at"]);
    // Another limit of time does not.
    let version_before = version(testbed, &hub.name);
    workspace.write(&hub.hcl(&collection("triggers = { run = 2 }\n  timeouts = { update = \"30m\" }")));
    workspace.apply_and_settle();
    assert_eq!(version(testbed, &hub.name), version_before);
}

#[test]
fn two_replicas_on_shared_storage_are_collected_while_clients_push() {
    let testbed = Testbed::shared();
    let (name, port) = (unique("shared"), free_port());
    fs::create_dir(testbed.file("shared").join(&name)).unwrap();
    let hcl = format!(
        r#"
resource "registry_service" "it" {{
  provider  = swarm
  name      = "{name}"
  image     = "registry:2"
  replicas  = 2
  publish   = [{{ port = {port}, mode = "host" }}]
  placement = {{ constraints = ["node.role==worker"], max_replicas_per_node = 1 }}
  storage   = {{ filesystem = {{ bind = "/mnt/shared/{name}", shared = true }}, delete = true }}
  {QUICK}
}}
action "swarm_registry_garbage_collection" "it" {{
  config {{
    service = "{name}"
  }}
}}
"#
    );
    let (_folder, workspace) = actions::workspace(testbed, &hcl);
    workspace.apply_and_settle();
    let registries: Vec<String> = ["hubworker01", "hubworker02"]
        .iter()
        .map(|host| format!("{}:{port}", testbed.address(host)))
        .collect();
    registries.iter().for_each(|registry| {
        eventually("an answer", || (status("GET", &format!("http://{registry}/v2/")) == "200").then_some(()));
    });
    let kept = push(&registries[0], "kept:latest");
    let gone = garbage(&registries[1], "deleted");
    let before = spec(testbed, &name);

    let pushers = Pushers::start(&registries);
    pushers.go_on(3);
    let said = actions::invoke(&workspace, "swarm_registry_garbage_collection.it");
    pushers.go_on(3);
    let (pushed, refused) = pushers.end();
    assert!(refused > 0, "no push met the read-only registry");
    for told in
        ["2 of 2 tasks are read-only", "it is proven that the registry does not write", "deleted", "writable"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    workspace.plan_is_empty();
    assert_eq!(spec(testbed, &name), before, "the service is what it was");
    nothing_is_left(testbed, &name);
    let layer = gone.rsplit(':').next().unwrap();
    let file = format!("docker/registry/v2/blobs/sha256/{}/{layer}", &layer[..2]);
    assert!(!testbed.file("shared").join(&name).join(file).exists());
    for registry in &registries {
        is_whole(registry, "kept", &kept);
        for (repository, manifest) in &pushed {
            is_whole(registry, repository, manifest);
        }
    }
    workspace.destroy();
    fs::remove_dir_all(testbed.file("shared").join(&name)).unwrap();
}

#[test]
fn a_dry_run_changes_nothing_and_what_would_do_harm_is_refused_before() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "dry");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let gone = garbage(&hub.address, "deleted");
    let before = version(testbed, &hub.name);
    workspace.write(&hub.hcl(&collection("dry_run = true")));
    workspace.apply_and_settle();
    let state = workspace.state("swarm_registry_garbage_collection.it");
    assert!(state["bytes_freed"].as_i64().unwrap() >= 200_000 && state["blobs_deleted"] == 3, "{state}");
    assert_eq!(status("HEAD", &gone), "200");

    // Distribution 2.8 would take the images of an index.
    workspace.write(&hub.hcl(&collection("delete_untagged = true")));
    let said = workspace.apply_fails();
    assert!(said.contains("multi-platform index") && said.contains("Nothing was changed"), "{said}");
    assert_eq!(version(testbed, &hub.name), before, "the service was never touched");
    nothing_is_left(testbed, &hub.name);

    // With nothing mounted, any update would lose all images.
    let name = unique("unmounted");
    testbed.docker(&[
        "service",
        "create",
        "--detach",
        "--quiet",
        "--no-resolve-image",
        "--name",
        &name,
        "registry:2",
    ]);
    let before = version(testbed, &name);
    let hcl =
        format!("resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = \"{name}\"\n}}\n");
    let said = Workspace::new(testbed, &hcl).apply_fails();
    assert!(said.contains("othing is mounted at /var/lib/registry"), "{said}");
    assert_eq!(version(testbed, &name), before, "the service was never touched");
    nothing_is_left(testbed, &name);
    testbed.docker(&["service", "rm", &name]);

    // Another registry on the same volume would go on writing.
    let mount = format!("type=volume,source={},target=/elsewhere", hub.name);
    let other = ["service", "create", "--detach", "--quiet", "--no-resolve-image", "--replicas", "0"];
    testbed.docker(&[&other[..], &["--name", &name, "--mount", &mount, "registry:2"]].concat());
    workspace.write(&hub.hcl(&collection("triggers = { again = 1 }")));
    let said = workspace.apply_fails();
    assert!(said.contains(&format!("Service `{name}` has the same volume or folder")), "{said}");
    testbed.docker(&["service", "rm", &name]);

    let said = Workspace::new(testbed, &hcl).apply_fails();
    assert!(said.contains("Neither an ID nor a name of a service"), "{said}");
}

#[test]
fn a_registry_behind_tls_and_passwords_is_proven_to_be_read_only_too() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "private");
    let made = rcgen::generate_simple_self_signed(vec!["hub.private.test".to_owned()]).unwrap();
    let more = format!(
        "tls = {{\n    certificate = <<-PEM\n{}PEM\n    private_key = <<-PEM\n{}PEM\n  }}\n  auth = {{ htpasswd = {{ users = {{ ci = \"hunter2\" }} }} }}\n  user = \"0:0\"\n  http = {{ prefix = \"/hub/\" }}",
        made.cert.pem(),
        made.signing_key.serialize_pem()
    );
    let url = format!("  wait_for  = {{ url = \"http://{}/v2/\" }}", hub.address);
    let hcl = |collection: &str| hub.hcl(collection).replace(&url, &more);
    let workspace = Workspace::new(testbed, &hcl(""));
    workspace.apply_and_settle();
    workspace.write(&hcl(&collection("")));
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_registry_garbage_collection.it")["blobs_deleted"], 0);
    nothing_is_left(testbed, &hub.name);
}
