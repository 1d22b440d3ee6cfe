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

/// Every member of a plan file, which is a zip archive.
pub fn plan_file(workspace: &Workspace) -> String {
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n[sys.stdout.buffer.write(z.read(n)) for n in z.namelist()]";
    let output =
        Command::new("python3").args(["-c", script]).arg(workspace.path().join("plan.bin")).output().unwrap();
    succeeded("python3", &output)
}

#[test]
fn write_only_data_is_found_nowhere() {
    let testbed = Testbed::shared();
    let registry = Registry::new("secrecy");
    let [secret, password] = [unique("Geheim.Nis"), unique("Pass.Wort")];
    let name = unique("secrecy");
    // The values come through variables of the environment, so that the configuration itself is not what is found.
    let mut workspace = Workspace::new(
        testbed,
        &format!(
            r#"
variable "secret" {{
  type      = string
  ephemeral = true
}}

variable "password" {{
  type      = string
  ephemeral = true
}}

resource "swarm_secret" "it" {{
  name        = "{name}"
  generations = true
  data_wo     = var.secret
}}

{}
"#,
            registry.hcl(
                r#"
  auth = {
    htpasswd = {
      users_wo         = { ci = var.password }
      users_wo_version = 1
    }
  }
  secrets = [{ source = swarm_secret.it.id, target = "it" }]
"#
            )
        ),
    );
    workspace.set("TF_VAR_secret", &secret);
    workspace.set("TF_VAR_password", &password);
    workspace.set("TF_LOG_PROVIDER", "TRACE");
    let log = workspace.path().join("log");
    workspace.set("TF_LOG_PATH", &log.display().to_string());
    workspace.plan();
    let plan_before = plan_file(&workspace);
    workspace.run(&["apply", "-no-color", "plan.bin"]);
    workspace.plan_is_empty();

    let places = [
        ("state", fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap()),
        ("plan", plan_before),
        ("log", fs::read_to_string(&log).unwrap()),
        ("service", testbed.docker(&["service", "inspect", &registry.name])),
        ("secrets", {
            let all = testbed.docker(&["secret", "ls", "--quiet"]);
            let mut args = vec!["secret", "inspect"];
            args.extend(all.split_whitespace());
            // Other tests' secrets may go away in the meantime.
            String::from_utf8_lossy(&testbed.try_docker(&args).stdout).into_owned()
        }),
    ];
    assert!(places[2].1.contains("provider.terraform-provider-swarm"), "the log has the provider's lines");
    for (place, text) in &places {
        assert!(!text.is_empty(), "{place}");
        for value in [&secret, &password] {
            for (what, trace) in traces(value) {
                assert!(!text.contains(&trace), "{what} is in the {place}");
            }
        }
    }
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
