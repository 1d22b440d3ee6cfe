//! What needs no engine: the binary by itself, validation, the schema, and a plan whose provider is not known yet.

use crate::terraform::Workspace;
use std::{
    path::Path,
    process::{Command, Output},
};

fn binary(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"))
        .args(args)
        .env_remove("TF_PLUGIN_MAGIC_COOKIE")
        .output()
        .unwrap()
}

fn terraform() -> std::path::PathBuf {
    std::env::var_os("SWARM_TERRAFORM").map_or_else(|| "terraform".into(), Into::into)
}

#[test]
fn the_binary_explains_itself() {
    let output = binary(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "stdout is for the handshake");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Terraform") && said.contains("localhub/swarm"), "{said}");
    let help = binary(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("dev_overrides"));
    let version = binary(&["--version"]);
    assert!(String::from_utf8_lossy(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
    assert!(!binary(&["--nonsense"]).status.success());
}

#[test]
fn validation_and_schema_need_no_engine() {
    let workspace = Workspace::without_engine(
        &terraform(),
        "resource \"swarm_secret\" \"it\" {\n  name = \"a\"\n  data_wo = \"x\"\n}\n",
    );
    workspace.run(&["validate", "-no-color"]);
    let schema: serde_json::Value =
        serde_json::from_str(&workspace.run(&["providers", "schema", "-json"])).unwrap();
    let schemas = &schema["provider_schemas"]["registry.terraform.io/localhub/swarm"]["resource_schemas"];
    for name in ["swarm_node_label", "swarm_secret", "registry_service", "swarm_registry_service"] {
        assert!(schemas[name].is_object(), "{name}");
    }
}

/// Plans in that workspace with a provider whose configuration is known after the apply only.
pub fn a_provider_that_is_not_known_yet(workspace: &Workspace) {
    workspace.write(
        r#"
resource "terraform_data" "host" {
  input = "unix:///nowhere.sock"
}

provider "swarm" {
  host = terraform_data.host.output
}

resource "swarm_secret" "it" {
  name = "a"
  data = "x"
}

resource "registry_service" "it" {
  provider = swarm
  name     = "a"
  image    = "registry:2"
  storage  = { filesystem = { volume = "a" } }
}
"#,
    );
    let plan = workspace.plan();
    assert_eq!(plan.changes().len(), 3, "{}", plan.text);
}

#[test]
fn a_provider_that_is_not_known_yet_can_be_planned_with() {
    a_provider_that_is_not_known_yet(&Workspace::without_engine(&terraform(), ""));
}

#[test]
fn a_folder_without_a_terraform_is_told_how_to_get_one() {
    let missing = std::panic::catch_unwind(|| {
        Workspace::without_engine(Path::new("/nonexistent/terraform"), "").try_run(&["version"]);
    });
    let message = missing.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.contains("acceptance-tests/run"), "{message}");
}
