//! What somebody does by hand is shown by the next plan as itself and nothing else, and healed by the next apply.

use crate::{
    registry_service::{Registry, free_port},
    terraform::Workspace,
    testbed::{Testbed, unique},
};

/// Changes something by hand, expects the plan to show just that, heals it, and expects an empty plan.
#[track_caller]
fn heals(workspace: &Workspace, address: &str, action: &str, attributes: &[&str]) {
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [(address.to_owned(), action.to_owned())], "{}", plan.text);
    if action == "update" {
        assert_eq!(plan.differing(address), attributes, "{}", plan.text);
    }
    workspace.apply_and_settle();
}

#[test]
fn labels_and_secrets() {
    let testbed = Testbed::shared();
    let (key, name, foreign) = (unique("drift"), unique("drift-secret"), unique("drift-foreign"));
    let workspace = Workspace::new(
        testbed,
        &format!(
            r#"
resource "swarm_node_label" "it" {{
  node  = "hubworker01"
  key   = "{key}"
  value = "true"
}}

resource "swarm_secret" "it" {{
  name    = "{name}"
  data_wo = "x"
}}
"#
        ),
    );
    workspace.apply_and_settle();

    testbed.docker(&["node", "update", "--label-add", &format!("{key}=false"), "hubworker01"]);
    heals(&workspace, "swarm_node_label.it", "update", &["value"]);

    testbed.docker(&["node", "update", "--label-rm", &key, "hubworker01"]);
    heals(&workspace, "swarm_node_label.it", "create", &[]);

    testbed.docker(&["node", "update", "--label-add", &format!("{foreign}=x"), "hubworker01"]);
    workspace.plan_is_empty();
    testbed.docker(&["node", "update", "--label-rm", &foreign, "hubworker01"]);

    testbed.docker(&["secret", "rm", &name]);
    heals(&workspace, "swarm_secret.it", "create", &[]);
}

#[test]
fn services() {
    let testbed = Testbed::shared();
    let registry = Registry::new("drift-registry");
    let (address, name) = ("registry_service.it", registry.name.as_str());
    let workspace = Workspace::new(testbed, &registry.hcl(""));
    workspace.apply_and_settle();
    let by_hand = |args: &[&str]| {
        let mut all = vec!["service", "update", "--quiet", "--detach", "--no-resolve-image"];
        all.extend(args);
        all.push(name);
        testbed.docker(&all);
    };

    by_hand(&["--replicas", "2"]);
    heals(&workspace, address, "update", &["replicas"]);

    by_hand(&["--image", "registry:2.8.2"]);
    heals(&workspace, address, "update", &["image"]);

    by_hand(&["--env-add", "BY_HAND=1"]);
    heals(&workspace, address, "update", &["env"]);

    by_hand(&["--constraint-add", "node.role==worker"]);
    heals(&workspace, address, "update", &["placement"]);

    let (old, new) = (registry.port.to_string(), free_port());
    by_hand(&[
        "--publish-rm",
        &format!("{old}/tcp"),
        "--publish-add",
        &format!("mode=host,published={new},target=5000"),
    ]);
    heals(&workspace, address, "update", &["publish"]);

    // What the user does not mention is not the user's.
    by_hand(&["--label-add", "somebody=else"]);
    workspace.plan_is_empty();

    // The configuration file is the provider's: taken away, it is put back.
    let config = workspace.state(address)["config_secret"].as_str().unwrap().to_owned();
    by_hand(&["--secret-rm", &config]);
    heals(&workspace, address, "update", &["config_secret"]);

    testbed.docker(&["service", "rm", name]);
    heals(&workspace, address, "create", &[]);
}
