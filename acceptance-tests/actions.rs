//! Actions, as Terraform 1.14 invokes them: by `-invoke`, and when a resource changes.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
    versions,
};
use tempfile::TempDir;

/// The first Terraform that knows of actions, in a folder that must outlive the workspace.
pub fn workspace(testbed: &Testbed, hcl: &str) -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.14", folder.path());
    let workspace = Workspace::with_terraform(testbed, &terraform, hcl);
    (folder, workspace)
}

/// Invokes an action, which must succeed, and answers what Terraform showed.
pub fn invoke(workspace: &Workspace, action: &str) -> String {
    workspace.run(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-input=false",
        &format!("-invoke=action.{action}"),
    ])
}

fn containers(testbed: &Testbed, service: &str) -> Vec<String> {
    let format = ["--filter", "desired-state=running", "--format", "{{.ID}}"];
    let tasks = testbed.docker(&[&["service", "ps", service][..], &format].concat());
    let mut tasks: Vec<String> = tasks.lines().map(str::to_owned).collect();
    tasks.sort();
    tasks
}

#[test]
fn a_service_is_redeployed_and_its_plan_stays_empty() {
    let testbed = Testbed::shared();
    let name = unique("redeployed");
    let hcl = |input: u8| {
        format!(
            r#"
resource "swarm_service" "it" {{
  name     = "{name}"
  image    = "busybox:1"
  command  = ["sleep", "1000"]
  replicas = 2
  update   = {{ monitor = "10ms" }}
  stop_grace_period = "0s"
}}
action "swarm_service_redeploy" "it" {{
  config {{
    service = swarm_service.it.name
  }}
}}
resource "terraform_data" "content" {{
  input = {input}
  lifecycle {{
    action_trigger {{
      events  = [after_update]
      actions = [action.swarm_service_redeploy.it]
    }}
  }}
}}
"#
        )
    };
    let (_folder, workspace) = workspace(testbed, &hcl(1));
    workspace.apply_and_settle();
    let first = containers(testbed, &name);

    let said = invoke(&workspace, "swarm_service_redeploy.it");
    let second = containers(testbed, &name);
    assert!(second.len() == 2 && second.iter().all(|task| !first.contains(task)), "{first:?} {second:?}");
    assert!(said.contains("2 of 2 tasks are new and run"), "{said}");
    workspace.plan_is_empty();

    workspace.write(&hcl(2));
    let said = workspace.apply_and_settle();
    let third = containers(testbed, &name);
    assert!(third.iter().all(|task| !second.contains(task)), "{said}");

    workspace.write(&hcl(2).replace("service = swarm_service.it.name", "service = \"nosuch\""));
    let output = workspace.try_run(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-invoke=action.swarm_service_redeploy.it",
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("There is no service `nosuch`"), "{said}");
}

#[test]
fn tokens_and_the_authority_are_made_anew() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let hcl = r#"
resource "swarm_cluster" "it" {}
action "swarm_cluster_rotate" "worker" {
  config {
    worker_token = true
  }
}
action "swarm_cluster_rotate" "ca" {
  config {
    ca = true
  }
}
action "swarm_cluster_rotate" "key" {
  config {
    unlock_key = true
  }
}
"#;
    let (_folder, workspace) = workspace(&testbed, hcl);
    let id = testbed.docker(&["info", "--format", "{{.Swarm.Cluster.ID}}"]);
    workspace.run(&["import", "swarm_cluster.it", &id]);
    workspace.plan_is_empty();
    let token = |role: &str| testbed.docker(&["swarm", "join-token", "--quiet", role]);
    let before = (token("worker"), token("manager"));
    let said = invoke(&workspace, "swarm_cluster_rotate.worker");
    assert!(said.contains("the token of workers is new") && !said.contains("SWMTKN"), "{said}");
    assert_ne!(token("worker"), before.0);
    assert_eq!(token("manager"), before.1);
    workspace.plan_is_empty();

    let root = testbed.docker(&["swarm", "ca"]);
    let said = invoke(&workspace, "swarm_cluster_rotate.ca");
    assert!(said.contains("2 of 2 nodes have a certificate of the new authority"), "{said}");
    assert_ne!(testbed.docker(&["swarm", "ca"]), root);
    workspace.plan_is_empty();

    let output = workspace.try_run(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-invoke=action.swarm_cluster_rotate.key",
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("There is no unlock key"), "{said}");
    workspace.run(&["state", "rm", "swarm_cluster.it"]);
}
