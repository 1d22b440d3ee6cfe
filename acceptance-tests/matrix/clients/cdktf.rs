//! CDK for Terraform: classes are generated from the schema, a program in TypeScript uses them, and what that writes is
//! applied.
//!
//! Its generator leaves the prefix of the provider out of names, so that `registry_service` and `swarm_registry_service` are
//! one class, that of the latter; and its own index of everything has both, so that each class is imported by itself.

use super::{files, packages};
use crate::{
    matrix::starts::Starts,
    terraform::Workspace,
    testbed::{Testbed, root, succeeded, unique},
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

const PACKAGES: &[&str] =
    &["cdktf-cli@0.21.0", "cdktf@0.21.0", "constructs@10.4.2", "typescript@5.4.5", "@types/node@18.19.101"];

/// A project of CDK for Terraform, which finds the provider in a mirror beside it.
fn project(folder: &Path) -> Starts {
    let starts = Starts::new();
    let mirror = folder.join("mirror/registry.terraform.io/localhub/swarm/0.1.0/linux_amd64");
    fs::create_dir_all(&mirror).unwrap();
    symlink(starts.program(), mirror.join("terraform-provider-swarm")).unwrap();
    let settings = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        folder.join("mirror").display()
    );
    fs::write(folder.join("terraform.rc"), settings).unwrap();
    for file in fs::read_dir(files().join("cdktf")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    symlink(packages("node", PACKAGES).join("node_modules"), folder.join("node_modules")).unwrap();
    starts
}

fn node(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new("node")
        .args(args)
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", folder.join("terraform.rc"))
        .env("CHECKPOINT_DISABLE", "1")
        .env("HOME", folder)
        .env("CI", "1")
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

/// Every type has a folder of its own.
fn each_type_has_a_class(generated: &Path) {
    for (kind, prefix) in [("resources", ""), ("data-sources", "data-swarm-")] {
        for entry in fs::read_dir(root().join("examples").join(kind)).unwrap() {
            let r#type = entry.unwrap().file_name().into_string().unwrap();
            let name = r#type.strip_prefix("swarm_").unwrap_or(&r#type).replace('_', "-");
            let class = generated.join(format!("{prefix}{name}")).join("index.ts");
            assert!(class.exists(), "{}", class.display());
        }
    }
}

#[test]
#[ignore = "it brings half a gigabyte of packages: acceptance-tests/run --matrix"]
fn what_cdk_for_terraform_generates_compiles_and_what_that_writes_is_applied() {
    let testbed = Testbed::shared();
    let folder = tempfile::tempdir().unwrap();
    let starts = project(folder.path());
    let output = node(folder.path(), &["node_modules/cdktf-cli/bundle/bin/cdktf", "get"], &[]);
    succeeded("cdktf get", &output);
    assert!(!starts.noted().is_empty(), "the provider was not asked for its schema");
    each_type_has_a_class(&folder.path().join(".gen/providers/swarm"));
    succeeded("tsc", &node(folder.path(), &["node_modules/typescript/bin/tsc"], &[]));

    let name = unique("cdktf");
    let worker = format!("unix://{}", testbed.socket("hubworker01").display());
    let env = [("NAME", name.as_str()), ("WORKER", worker.as_str())];
    succeeded("node main.js", &node(folder.path(), &["--preserve-symlinks", "main.js"], &env));
    let written = fs::read(folder.path().join("cdktf.out/stacks/it/cdk.tf.json")).unwrap();
    let mut stack: Value = serde_json::from_slice(&written).unwrap();
    // The workspace has a state of its own, which needs no `terraform init`.
    stack["terraform"].as_object_mut().unwrap().remove("backend");

    let workspace = Workspace::new(testbed, "");
    fs::remove_file(workspace.path().join("main.tf")).unwrap();
    fs::write(workspace.path().join("cdk.tf.json"), stack.to_string()).unwrap();
    workspace.apply_and_settle();
    let volume = testbed.try_docker_on("hubworker01", &["volume", "inspect", &name]);
    succeeded("the volume is on the host that the program names", &volume);
    workspace.destroy();
}
