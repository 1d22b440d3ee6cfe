//! The leader dies during an apply: another manager carries on, or the next apply does.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually},
};
use std::collections::BTreeSet;

#[test]
fn an_apply_goes_on_through_another_manager_when_the_leader_dies() {
    let managers = ["one", "two", "three"];
    let testbed = Testbed::start(&["--managers", "3"], &managers);
    let hosts = managers.map(|name| format!("\"unix://{}\"", testbed.socket(name).display()));
    let workspace = Workspace::new(
        &testbed,
        &format!(
            r#"
provider "swarm" {{
  hosts = [{}]
}}

resource "swarm_secret" "it" {{
  count   = 60
  name    = "secret-${{count.index}}"
  data_wo = "x"
}}

resource "swarm_node_label" "it" {{
  count = 30
  node  = element(["two", "three"], count.index)
  key   = "label-${{count.index}}"
  value = "true"
}}

resource "registry_service" "it" {{
  provider  = swarm
  name      = "registry"
  image     = "registry:2"
  replicas  = 2
  storage   = {{ filesystem = {{ bind = "/mnt/shared", shared = true }} }}
  publish   = [{{ port = 5000 }}]
  placement = {{ constraints = ["node.hostname!=one"] }}
}}
"#,
            hosts.join(", ")
        ),
    );
    let apply = workspace.spawn(&["apply", "-auto-approve", "-no-color", "-parallelism=4"]);
    eventually("the apply has begun", || {
        let secrets = testbed.docker(&["secret", "ls", "--quiet"]);
        (secrets.lines().count() > 10).then_some(())
    });
    testbed.run("kill", &["one"]);
    let output = apply.wait_with_output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() || said.contains("Error: "),
        "the apply ended without a word on what remains\n{said}"
    );
    if !output.status.success() {
        workspace.apply();
    }
    workspace.plan_is_empty();

    let docker = |args: &[&str]| {
        let mut on_another = vec!["--host".to_owned(), format!("unix://{}", testbed.socket("two").display())];
        on_another.extend(args.iter().map(|arg| (*arg).to_owned()));
        testbed.docker(&on_another.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let secrets = docker(&["secret", "ls", "--format", "{{.Name}}"]);
    let ours = secrets.lines().filter(|name| name.starts_with("secret-")).collect::<BTreeSet<_>>();
    assert_eq!(ours.len(), 60, "{secrets}");
    // Of what belongs to the registry there is one generation and no more.
    assert_eq!(secrets.lines().count(), 61, "{secrets}");
    assert_eq!(docker(&["service", "ls", "--format", "{{.Name}}"]), "registry");
    for node in ["two", "three"] {
        let labels = docker(&["node", "inspect", node, "--format", "{{len .Spec.Labels}}"]);
        assert_eq!(labels, "15", "{node}");
    }
    workspace.destroy();
}
