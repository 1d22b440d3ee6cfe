//! A state of the provider kreuzwerker/docker is taken over by `moved` blocks, and nothing is left to do.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, root, unique},
};
use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

/// The same configuration, in this provider's terms.
const HCL: &str = r#"
resource "swarm_secret" "it" {
  name        = "NAME"
  data_base64 = base64encode("secret")
  labels      = { team = "web" }
}

resource "swarm_config" "base64" {
  name        = "NAME"
  data_base64 = base64encode("config")
}

resource "swarm_config" "raw" {
  name   = "NAME-raw"
  data   = "raw"
  labels = { a = "1" }
}

resource "swarm_network" "it" {
  name       = "NAME"
  attachable = true
  labels     = { a = "1" }
  options    = { "com.docker.network.driver.mtu" = "1400" }
  ipam       = { config = [{ subnet = "10.206.0.0/24" }] }
}

resource "swarm_volume" "it" {
  name           = "NAME"
  driver_options = { type = "tmpfs", device = "tmpfs" }
  labels         = { a = "1" }
}

moved {
  from = docker_secret.it
  to   = swarm_secret.it
}
moved {
  from = docker_config.base64
  to   = swarm_config.base64
}
moved {
  from = docker_config.raw
  to   = swarm_config.raw
}
moved {
  from = docker_network.it
  to   = swarm_network.it
}
moved {
  from = docker_volume.it
  to   = swarm_volume.it
}
"#;

/// Terraform wants the provider of whatever is in the state, but asks it nothing about what a `moved` block gives to
/// another: this one stands in for it.
pub fn stand_in_for_kreuzwerker(workspace: &Workspace) {
    let folder = workspace.path().join("kreuzwerker");
    fs::create_dir(&folder).unwrap();
    symlink(
        Path::new(env!("CARGO_BIN_EXE_terraform-provider-swarm")),
        folder.join("terraform-provider-docker"),
    )
    .unwrap();
    let settings = workspace.path().join("terraform.rc");
    let text = fs::read_to_string(&settings).unwrap();
    let more = format!("dev_overrides {{\n \"kreuzwerker/docker\" = \"{}\"\n", folder.display());
    fs::write(settings, text.replace("dev_overrides {", &more)).unwrap();
}

/// `docker KIND create ARGS… NAME -` with this content.
fn create(testbed: &Testbed, args: &[&str], content: &str) -> String {
    let mut docker = Command::new("docker")
        .env("DOCKER_HOST", testbed.docker_host())
        .args(args)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    docker.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    let output = docker.wait_with_output().unwrap();
    crate::testbed::succeeded("docker", &output).trim().to_owned()
}

#[test]
fn a_state_of_kreuzwerker_s_provider_is_taken_over_and_plans_empty() {
    let testbed = Testbed::shared();
    let name = unique("moved");
    let raw = format!("{name}-raw");
    let secret = create(testbed, &["secret", "create", "--label", "team=web", &name], "secret");
    let config = create(testbed, &["config", "create", &name], "config");
    let raw = create(testbed, &["config", "create", "--label", "a=1", &raw], "raw");
    let network = testbed.docker(&[
        "network",
        "create",
        "--driver",
        "overlay",
        "--attachable",
        "--label",
        "a=1",
        "--subnet",
        "10.206.0.0/24",
        "--opt",
        "com.docker.network.driver.mtu=1400",
        &name,
    ]);
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
    let workspace = Workspace::new(testbed, &HCL.replace("NAME", &name));
    stand_in_for_kreuzwerker(&workspace);
    let state = fs::read_to_string(root().join("acceptance-tests/moved/kreuzwerker.json")).unwrap();
    let state = [
        ("SECRET_ID", &secret),
        ("CONFIG_ID", &config),
        ("RAW_ID", &raw),
        ("NETWORK_ID", &network),
        ("NAME", &name),
    ]
    .iter()
    .fold(state, |state, (word, value)| state.replace(word, value));
    fs::write(workspace.path().join("terraform.tfstate"), state).unwrap();

    let plan = workspace.plan();
    assert_eq!(plan.changes(), [], "{}", plan.text);
    assert_eq!(plan.text.matches("has moved to").count(), 5, "{}", plan.text);
    workspace.apply_and_settle();
    for (address, id) in [
        ("swarm_secret.it", &secret),
        ("swarm_config.base64", &config),
        ("swarm_config.raw", &raw),
        ("swarm_network.it", &network),
        ("swarm_volume.it", &name),
    ] {
        assert_eq!(workspace.state(address)["id"], **id);
    }
    workspace.destroy();
    testbed.docker(&["volume", "rm", &name]);
}
