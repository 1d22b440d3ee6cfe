//! What belongs to no resource type: the schema, functions, what is ephemeral or write-only, actions, errors, and a state
//! that another Terraform has left.

use super::{
    client::{Client, Column, Way},
    kinds::KINDS,
    notes::{Notes, Stopped},
};
use crate::{
    functions,
    secrecy::plan_file,
    started_by_hand,
    terraform::{Workspace, fails},
    testbed::{Testbed, root, unique},
};
use serde_json::{Value, json};
use std::fs;

type Step = fn(&Client, &Testbed);

/// What is tried, and how.
pub const BESIDES: &[(&str, Step)] = &[
    ("the schema", the_schema),
    ("functions", |client, testbed| functions::are_called_from_outputs(&client.workspace(testbed, ""))),
    ("a provider that is not known yet", |client, testbed| {
        started_by_hand::a_provider_that_is_not_known_yet(&client.workspace(testbed, ""));
    }),
    ("an error is told at its place", an_error_is_told_at_its_place),
    ("a configuration in JSON", a_configuration_in_json),
    ("ephemeral resources", ephemeral_resources),
    ("write-only data", write_only_data),
    ("write-only data is refused", write_only_data_is_refused),
    ("actions", actions),
    ("a state of Terraform 1.8 goes on", a_state_of_the_oldest_goes_on),
    ("it is reached in that way", |client, testbed| {
        client.workspace(testbed, "").run(&["providers", "schema", "-json"]);
        client.got_there_that_way();
    }),
];

/// Tries them all, but for what is known already.
pub fn are_tried(client: &Client, testbed: &Testbed, notes: &Notes) {
    for (name, step) in BESIDES {
        let rows = [(*name).to_owned()];
        if !notes.have(&rows) {
            match notes.step(&rows, name, || step(client, testbed)) {
                Ok(()) | Err(Stopped) => {}
            }
        }
    }
}

/// All that there is an example of is offered, from the version on that knows of it.
fn the_schema(client: &Client, testbed: &Testbed) {
    let version = client.column.version;
    let schema: Value =
        serde_json::from_str(&client.workspace(testbed, "").run(&["providers", "schema", "-json"])).unwrap();
    let provider = &schema["provider_schemas"]["registry.terraform.io/localhub/swarm"];
    for (folder, key, since) in [
        ("resources", "resource_schemas", (1, 8)),
        ("data-sources", "data_source_schemas", (1, 8)),
        ("functions", "functions", (1, 8)),
        ("ephemeral-resources", "ephemeral_resource_schemas", (1, 10)),
        ("list-resources", "resource_identity_schemas", (1, 12)),
        ("list-resources", "list_resource_schemas", (1, 14)),
        ("actions", "action_schemas", (1, 14)),
    ] {
        for entry in fs::read_dir(root().join("examples").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert_eq!(provider[key][&name].is_object(), version >= since, "{key}: {name}");
        }
    }
    let data = &provider["resource_schemas"]["swarm_secret"]["block"]["attributes"]["data_wo"];
    assert_eq!(data["write_only"].as_bool().unwrap_or_default(), version >= (1, 11), "{data}");
}

fn an_error_is_told_at_its_place(client: &Client, testbed: &Testbed) {
    let hcl = "resource \"swarm_network\" \"it\" {\n  name = \"x\"\n  ipam = {\n    config = [{ subnet = \"nonsense\" }]\n  }\n}\n";
    let said = client.workspace(testbed, hcl).plan_fails();
    assert!(said.contains("with swarm_network.it, on main.tf line"), "{said}");
    assert!(said.contains("`ipam.config[0].subnet`"), "{said}");
}

/// What is in JSON means what it means in HCL: a volume is on the host that is named.
fn a_configuration_in_json(client: &Client, testbed: &Testbed) {
    let name = unique("json");
    let host = format!("unix://{}", testbed.socket("hubworker01").display());
    let volume = json!({ "name": name, "keep_on_destroy": false, "engine": { "host": host } });
    let workspace = client.workspace(testbed, "");
    let json = json!({ "resource": { "swarm_volume": { "it": volume } } });
    fs::write(workspace.path().join("it.tf.json"), json.to_string()).unwrap();
    workspace.apply_and_settle();
    let is_on = |host: &str| testbed.try_docker_on(host, &["volume", "inspect", &name]).status.success();
    assert!(is_on("hubworker01") && !is_on("hubmgr"), "it is on the wrong host");
    workspace.destroy();
    assert!(!is_on("hubworker01"));
}

/// A token is given to whoever asks, and is the one of the swarm.
fn ephemeral_resources(client: &Client, testbed: &Testbed) {
    let hcl = r#"
variable "token" {
  type      = string
  sensitive = true
}

ephemeral "swarm_join_token" "it" {
  role = "manager"
  lifecycle {
    postcondition {
      condition     = self.token == var.token
      error_message = "It is another token."
    }
  }
}
"#;
    let mut workspace = client.workspace(testbed, hcl);
    let token = testbed.docker(&["swarm", "join-token", "--quiet", "manager"]);
    workspace.set("TF_VAR_token", &token);
    workspace.apply();
    let left = fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap_or_default();
    assert!(!left.contains(&token));
    workspace.set("TF_VAR_token", "another");
    let said = workspace.plan_fails();
    assert!(said.contains("It is another token") && !said.contains(&token), "{said}");
}

fn write_only(version: u8) -> String {
    format!(
        "variable \"it\" {{\n  type = string\n  ephemeral = true\n}}\n\nresource \"swarm_secret\" \"it\" {{\n  name = \"{}\"\n  data_wo = var.it\n  data_wo_version = {version}\n}}\n",
        unique("write-only")
    )
}

/// It reaches the swarm, again when its version says so, and is kept in neither plan nor state.
fn write_only_data(client: &Client, testbed: &Testbed) {
    let value = unique("Geheim.Nis");
    let hcl = write_only(1);
    let mut workspace = client.workspace(testbed, &hcl);
    workspace.set("TF_VAR_it", &value);
    let id = |workspace: &Workspace| workspace.state("swarm_secret.it")["id"].clone();
    let is_kept_nowhere = |workspace: &Workspace| {
        workspace.plan();
        let state = fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap_or_default();
        assert!(!plan_file(workspace).contains(&value) && !state.contains(&value));
    };
    is_kept_nowhere(&workspace);
    workspace.apply_and_settle();
    is_kept_nowhere(&workspace);
    let first = id(&workspace);
    workspace.write(&hcl.replace("data_wo_version = 1", "data_wo_version = 2"));
    let plan = workspace.plan();
    assert_eq!(plan.differing("swarm_secret.it"), ["data_wo_version", "id"], "{}", plan.text);
    workspace.apply_and_settle();
    assert_ne!(id(&workspace), first, "it was not sent again");
    workspace.destroy();
}

/// What this Terraform cannot keep out of its state is refused, in words.
fn write_only_data_is_refused(client: &Client, testbed: &Testbed) {
    let value = unique("Geheim.Nis");
    let hcl = write_only(1).replace("ephemeral = true", "sensitive = true");
    let mut workspace = client.workspace(testbed, &hcl);
    workspace.set("TF_VAR_it", &value);
    let output = workspace.try_run(&["plan", "-no-color", "-input=false"]);
    let said = fails(&output);
    assert!(said.contains("Terraform 1.11") && said.contains("data_wo") && !said.contains(&value), "{said}");
}

/// An action does what it says, and one can watch.
fn actions(client: &Client, testbed: &Testbed) {
    let hcl = "action \"swarm_cluster_rotate\" \"it\" {\n  config {\n    worker_token = true\n  }\n}\n";
    let workspace = client.workspace(testbed, hcl);
    let token = || testbed.docker(&["swarm", "join-token", "--quiet", "worker"]);
    let before = token();
    let said = crate::actions::invoke(&workspace, "swarm_cluster_rotate.it");
    let after = token();
    assert_ne!(before, after, "{said}");
    assert!(!said.contains(&after), "{said}");
}

/// What the oldest Terraform has applied is planned empty, and lived on with.
fn a_state_of_the_oldest_goes_on(client: &Client, testbed: &Testbed) {
    let oldest = Client::new(Column { version: (1, 8), way: Way::Tls }, testbed);
    let name = unique("goes-on");
    let hcl = |body: usize| -> String {
        KINDS.iter().map(|kind| kind.block("it", body).replace("NAME", &name)).collect()
    };
    let first = oldest.workspace(testbed, &hcl(0));
    first.apply_and_settle();
    let second = client.workspace(testbed, &hcl(0));
    fs::rename(first.path().join("terraform.tfstate"), second.path().join("terraform.tfstate")).unwrap();
    second.plan_is_empty();
    second.apply_and_settle();
    second.write(&hcl(1));
    second.apply_and_settle();
    second.destroy();
}
