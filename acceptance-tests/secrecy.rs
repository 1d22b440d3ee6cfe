//! A secret's value is found in no place but the swarm.

use crate::{
    registry_service::Registry,
    terraform::Workspace,
    testbed::{Testbed, succeeded, unique},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

/// What must not be found: the value, its base64, and its plain hashes in hex and in base64.
pub fn traces(value: &str) -> Vec<(String, String)> {
    let mut traces =
        vec![("the value".to_owned(), value.to_owned()), ("its base64".to_owned(), STANDARD.encode(value))];
    for program in ["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum"] {
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
        let hex = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let hex = hex.split_whitespace().next().unwrap().to_owned();
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        traces.push((format!("its {program} in base64"), STANDARD.encode(bytes)));
        traces.push((format!("its {program}"), hex));
    }
    traces
}

/// What lies in the private states that are in a text, which may be a state or all of a plan file: Terraform writes them as
/// base64, in which nothing is found that is a part of it.
pub fn private_of(text: &str) -> String {
    let values = text
        .split("\"private\":")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let decoded = values.filter_map(|value| STANDARD.decode(value).ok());
    decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned() + "\n").collect()
}

/// Every member of a plan file, which is a zip archive, and what lies in the private states that are in it.
pub fn plan_file(workspace: &Workspace) -> String {
    let output = Command::new("unzip").arg("-p").arg(workspace.path().join("plan.bin")).output().unwrap();
    let members = succeeded("unzip", &output);
    let private = private_of(&members);
    members + &private
}

/// A file with a state, and what lies in the private states that are in it.
fn state_file(workspace: &Workspace, name: &str) -> String {
    let text = fs::read_to_string(workspace.path().join(name)).unwrap();
    let private = private_of(&text);
    assert!(private.contains('{'), "there is no private state in {name}");
    text + &private
}

/// The values that must not be found, by the variable that each comes through.
const VALUES: [&str; 11] =
    ["secret", "user", "signs", "header", "extra", "redis", "access", "store", "mail", "health", "pull"];

/// A secret, and a service and a registry without tasks: the registry reaches neither its store nor its Redis.
const OTHERS: &str = r#"
resource "swarm_secret" "it" {
  name            = "NAME"
  generations     = true
  data_wo         = var.secret
  data_wo_version = VERSION
}

resource "swarm_service" "it" {
  name          = "NAME-service"
  image         = "busybox:1"
  replicas      = 0
  registry_auth = { username = "ci", password_wo = var.pull, password_wo_version = VERSION }
}

resource "registry_service" "stored" {
  provider = swarm
  name     = "NAME-stored"
  image    = "registry:2"
  replicas = 0
  wait_for = { replicas = false }
  storage = { s3 = {
    bucket                 = "images"
    region                 = "us-east-1"
    region_endpoint        = "http://127.0.0.1:9"
    access_key_wo          = var.access
    secret_key_wo          = var.store
    credentials_wo_version = VERSION
  } }
  cache = { redis = {
    addresses           = ["127.0.0.1:9"]
    password_wo         = var.redis
    password_wo_version = VERSION
  } }
  log = { mail_hooks = [{
    levels = ["error"]
    from   = "hub@example.com"
    to     = ["ops@example.com"]
    smtp   = { address = "127.0.0.1:9", password_wo = var.mail, password_wo_version = VERSION }
  }] }
  health = { http = [{
    uri                = "http://127.0.0.1:9/"
    headers_wo         = { Authorization = [var.health] }
    headers_wo_version = VERSION
  }] }
}
"#;

/// They and a registry that runs, with that version of all write-only attributes.
fn hcl(registry: &Registry, name: &str, version: u8) -> String {
    let running = registry.hcl(
        &r#"
  auth          = { htpasswd = { users_wo = { ci = var.user }, users_wo_version = VERSION } }
  http          = { secret_wo = var.signs, secret_wo_version = VERSION }
  notifications = { ci = {
    url                = "http://127.0.0.1:9/hook"
    headers_wo         = { Authorization = [var.header] }
    headers_wo_version = VERSION
  } }
  extra_config_wo         = "log: {fields: {mark: ${var.extra}}}"
  extra_config_wo_version = VERSION
  secrets                 = [{ source = swarm_secret.it.id, target = "it" }]
"#
        .replace("VERSION", &version.to_string()),
    );
    let variables = VALUES
        .map(|name| format!("variable \"{name}\" {{\n  type      = string\n  ephemeral = true\n}}\n\n"))
        .concat();
    let others = OTHERS.replace("NAME", name).replace("VERSION", &version.to_string());
    variables + &others + "\n" + &running
}

/// What the swarm tells of these services and of all secrets and configs.
fn told_by_the_swarm(testbed: &Testbed, services: &[&str]) -> [(&'static str, String); 2] {
    let all = testbed.docker(&["secret", "ls", "--quiet"]);
    let mut args = vec!["secret", "inspect"];
    args.extend(all.split_whitespace());
    // Other tests' secrets may go away in the meantime.
    let secrets = String::from_utf8_lossy(&testbed.try_docker(&args).stdout).into_owned();
    let services = testbed.docker(&[&["service", "inspect"], services].concat());
    [("services", services), ("secrets", secrets)]
}

#[test]
fn write_only_data_is_found_nowhere() {
    let testbed = Testbed::shared();
    let (registry, name) = (Registry::new("secrecy"), unique("secrecy"));
    // The values come through variables of the environment, so that the configuration itself is not what is found.
    let mut workspace = Workspace::new(testbed, &hcl(&registry, &name, 1));
    let values = VALUES.map(|name| (name, unique(&format!("Geheim.{name}"))));
    values.iter().for_each(|(name, value)| workspace.set(&format!("TF_VAR_{name}"), value));
    workspace.set("TF_LOG_PROVIDER", "TRACE");
    let log = workspace.path().join("log");
    workspace.set("TF_LOG_PATH", &log.display().to_string());
    let mut places = vec![];
    for version in 1..=2 {
        workspace.write(&hcl(&registry, &name, version));
        let plan = workspace.plan();
        assert_eq!(plan.changes().len(), 4, "{}", plan.text);
        let file = plan_file(&workspace);
        assert_eq!(
            private_of(&file).is_empty(),
            version == 1,
            "the plan of a change has private states in it"
        );
        places.push(("plan", file));
        places.push(("what is said of the plan", plan.text + &plan.json.to_string()));
        places.push(("what is said of the apply", workspace.run(&["apply", "-no-color", "plan.bin"])));
        places.push(("state", state_file(&workspace, "terraform.tfstate")));
        let [service, stored] = ["service", "stored"].map(|what| format!("{name}-{what}"));
        places.extend(told_by_the_swarm(testbed, &[&registry.name, &service, &stored]));
    }
    workspace.plan_is_empty();
    places.push(("state before", state_file(&workspace, "terraform.tfstate.backup")));
    let lines = fs::read_to_string(&log).unwrap();
    assert!(lines.contains("provider.terraform-provider-swarm"), "the log has the provider's lines");
    places.push(("log", lines));
    for (place, text) in &places {
        assert!(!text.is_empty(), "{place}");
        for (whose, value) in &values {
            for (what, trace) in traces(value) {
                assert!(!text.contains(&trace), "{what} of {whose} is in the {place}");
            }
        }
    }
}

#[test]
fn what_lies_in_a_private_state_is_seen() {
    let instance =
        |private: &str| format!("{{\"attributes\": {{}}, \"private\": \"{}\"}}", STANDARD.encode(private));
    let state =
        format!("{{\"instances\": [{}, {}]}}", instance("{\"a\": \"Geheim\"}"), instance("{\"b\":1}"));
    assert!(!state.contains("Geheim"));
    assert_eq!(private_of(&state), "{\"a\": \"Geheim\"}\n{\"b\":1}\n");
    assert_eq!(private_of("{\"private\": true, \"other\": \"\"}"), "");
}

#[test]
fn an_error_does_not_show_what_it_is_about() {
    let value = unique("Geheim");
    let mut workspace = Workspace::new(
        Testbed::shared(),
        &format!(
            "variable \"it\" {{\n  sensitive = true\n}}\n\nresource \"swarm_secret\" \"it\" {{\n  name = \"{}\"\n  data_base64_wo = var.it\n}}\n",
            unique("shown")
        ),
    );
    workspace.set("TF_VAR_it", &value);
    let said = workspace.plan_fails();
    assert!(said.contains("base64") && !said.contains(&value), "{said}");
}
