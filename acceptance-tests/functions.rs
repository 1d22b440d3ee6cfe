//! Functions, as HCL calls them: no Engine is there, and none is asked.

use crate::{terraform::Workspace, testbed::succeeded, versions};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const OUTPUTS: &str = r#"
variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

output "image" {
  value = provider::swarm::image_reference("hub.docker.local:5000/team/app:1.4")
}

output "default" {
  value = provider::swarm::image_reference("registry").canonical
}

output "auth" {
  value     = jsondecode(provider::swarm::registry_auth("ci", var.password, "hub.docker.local"))
  sensitive = true
}

output "users" {
  value     = provider::swarm::htpasswd({ ci = var.password, deploy = var.password }, "hub.docker.local")
  sensitive = true
}
"#;

/// Calls each function in that workspace.
pub fn are_called_from_outputs(workspace: &Workspace) {
    workspace.write(OUTPUTS);
    workspace.run(&["validate", "-no-color"]);
    let applied = workspace.apply();
    assert!(!applied.contains("hunter2") && !applied.contains("Y2k6aHVudGVyMg"), "{applied}");
    workspace.plan_is_empty();
    let outputs: Value = serde_json::from_str(&workspace.run(&["output", "-json"])).unwrap();
    assert_eq!(
        outputs["image"]["value"],
        json!({
            "domain": "hub.docker.local:5000",
            "path": "team/app",
            "name": "hub.docker.local:5000/team/app",
            "tag": "1.4",
            "digest": null,
            "canonical": "hub.docker.local:5000/team/app:1.4",
        })
    );
    assert_eq!(outputs["default"]["value"], "docker.io/library/registry:latest");
    assert_eq!(
        outputs["auth"]["value"],
        json!({ "auths": { "hub.docker.local": { "auth": "Y2k6aHVudGVyMg==" } } })
    );
    let users = workspace.path().join("users");
    fs::write(&users, outputs["users"]["value"].as_str().unwrap()).unwrap();
    for user in ["ci", "deploy"] {
        let verify = |password: &str| {
            Command::new("htpasswd").arg("-vb").arg(&users).args([user, password]).output().unwrap()
        };
        succeeded("htpasswd -v", &verify("hunter2"));
        assert!(!verify("hunter3").status.success());
    }
}

#[test]
fn functions_are_called_from_outputs() {
    are_called_from_outputs(&Workspace::without_engine(Path::new("terraform"), ""));
}

#[test]
fn terraform_1_8_knows_functions_and_nothing_newer_is_in_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.8", folder.path());
    are_called_from_outputs(&Workspace::without_engine(&terraform, ""));
    let workspace = Workspace::without_engine(&terraform, "");
    let schema: Value = serde_json::from_str(&workspace.run(&["providers", "schema", "-json"])).unwrap();
    let functions = &schema["provider_schemas"]["registry.terraform.io/localhub/swarm"]["functions"];
    assert!(functions["image_reference"]["description"].is_string(), "{functions}");
}

#[test]
fn what_is_wrong_with_an_argument_is_told_at_the_argument() {
    for (call, argument, why) in [
        ("image_reference(\"https://hub.docker.local/app\")", "text", "has no scheme"),
        ("image_reference(\"Team/App\")", "text", "upper case"),
        ("image_reference(null)", "text", "must not be null"),
        ("htpasswd({ \"a:b\" = \"x\" }, \"hub\")", "users", "can't be a user name"),
        ("htpasswd({ ci = \"\" }, \"hub\")", "users", "is empty"),
        ("htpasswd({ ci = \"x\" }, \"\")", "salt", "belongs to this file only"),
        ("registry_auth(\"a:b\", \"x\", \"hub.docker.local\")", "username", "without a colon"),
        ("registry_auth(\"ci\", \"x\", \"https://hub.docker.local\")", "server", "without `https://`"),
    ] {
        let output = format!("output \"it\" {{\n  value = provider::swarm::{call}\n}}\n");
        let said = Workspace::without_engine(Path::new("terraform"), &output).plan_fails();
        assert!(said.contains(&format!("Invalid value for \"{argument}\" parameter")), "{call}: {said}");
        assert!(said.contains(why) && !said.contains(".."), "{call}: {said}");
    }
}
