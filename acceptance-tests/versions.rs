//! The quick start's example on the oldest and the newest Terraform that are supported.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, root, succeeded},
};
use std::{fs, path::PathBuf, process::Command};

/// A Terraform of that version, brought if this machine has none.
pub fn terraform(version: &str, folder: &std::path::Path) -> PathBuf {
    let path = folder.join(format!("terraform-{version}"));
    let output = Command::new(root().join("acceptance-tests/testbed/testbed"))
        .args(["terraform", version])
        .arg(&path)
        .output()
        .unwrap();
    succeeded("testbed terraform", &output);
    path
}

/// The example's configuration with certificates of its own.
fn example(workspace: &Workspace) {
    let from = root().join("examples/registry");
    for file in fs::read_dir(&from).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "tf") {
            let module = root().join("examples/modules/registry").display().to_string();
            let hcl = fs::read_to_string(&file).unwrap().replace("../modules/registry", &module);
            fs::write(workspace.path().join(file.file_name().unwrap()), hcl).unwrap();
        }
    }
    let certificates = workspace.path().join("certificates");
    fs::create_dir(&certificates).unwrap();
    let (crt, key) = (certificates.join("localhub.crt"), certificates.join("localhub.key"));
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "90",
        ])
        .args(["-subj", "/CN=hub.docker.local", "-addext", "subjectAltName=DNS:hub.docker.local", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&crt)
        .output()
        .unwrap();
    succeeded("openssl", &output);
    fs::copy(&crt, certificates.join("ca.crt")).unwrap();
}

fn runs_the_example(version: &str, write_only: bool) {
    let testbed = Testbed::start(&["--no-swarm"], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let terraform = terraform(version, folder.path());
    let mut workspace = Workspace::with_terraform(&testbed, &terraform, "");
    fs::remove_file(workspace.path().join("main.tf")).unwrap();
    example(&workspace);
    let host = |name: &str, role: &str| {
        let engine = format!("unix://{}", testbed.socket(name).display());
        serde_json::json!({ "engine": engine, "address": testbed.address(name), "role": role })
    };
    let hosts = serde_json::json!({ "hubmgr": host("hubmgr", "manager"), "hubworker01": host("hubworker01", "worker") });
    workspace.set("TF_VAR_hosts", &hosts.to_string());
    workspace.set("TF_VAR_certificates", "certificates");
    workspace.set("TF_VAR_node_address", &testbed.address("hubworker01"));
    // The module has to be installed.
    workspace.run(&["get"]);
    if !write_only {
        // What this Terraform cannot keep out of its state is refused, in words.
        workspace.set("TF_VAR_write_only", "true");
        let said = workspace.plan_fails();
        assert!(said.contains("Terraform 1.11") && said.contains("data_wo"), "{said}");
    }
    workspace.set("TF_VAR_write_only", if write_only { "true" } else { "false" });
    workspace.apply_and_settle();
    workspace.destroy();
}

#[test]
fn terraform_1_8_runs_the_example_with_plain_data() {
    runs_the_example("1.8", false);
}

#[test]
fn terraform_1_15_runs_the_example() {
    runs_the_example("1.15", true);
}
