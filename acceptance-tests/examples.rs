//! Every example is applied, planned empty and destroyed.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, root, succeeded},
    versions,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_resource_s_example_applies() {
    // The examples' names are fixed, so they have a swarm of their own.
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folders = fs::read_dir(root().join("examples/resources")).unwrap();
    let mut applied = 0;
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|folder| !is_of_bare_hosts(folder)) {
        let hcl = fs::read_to_string(folder.join("resource.tf")).unwrap();
        let workspace = Workspace::new(&testbed, &hcl);
        if hcl.contains("shop.tar") {
            save_shop(&testbed, &workspace.path().join("shop.tar"));
        }
        workspace.apply_and_settle();
        workspace.destroy();
        applied += 1;
    }
    assert!(applied >= 3);
}

/// Saves an image that serves for ever, as whoever follows an example would save one that was built.
fn save_shop(testbed: &Testbed, path: &Path) {
    let container = testbed.docker(&["create", "busybox:1"]);
    testbed.docker(&["commit", "--change", r#"CMD ["httpd", "-f", "-p", "8080"]"#, &container, "shop:1.4"]);
    testbed.docker(&["rm", &container]);
    testbed.docker(&["save", "--output", &path.display().to_string(), "shop:1.4"]);
}

/// Folders of one kind of examples, such as `functions`.
fn folders(kind: &str) -> Vec<PathBuf> {
    let Ok(folders) = fs::read_dir(root().join("examples").join(kind)) else { return vec![] };
    folders.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_example_is_valid() {
    let brought = tempfile::tempdir().unwrap();
    // The first that knows of identities: newer ones let more pass.
    let terraform = versions::terraform("1.12", brought.path());
    let mut checked = 0;
    let mut is_valid = |files: &[PathBuf]| {
        let hcl: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let output =
            Workspace::without_engine(&terraform, &hcl.join("\n")).try_run(&["validate", "-no-color"]);
        succeeded(&format!("terraform validate of {files:?}"), &output);
        checked += 1;
    };
    for folder in folders("resources") {
        if !folder.join("import.sh").exists() {
            is_valid(&[folder.join("resource.tf")]);
            continue;
        }
        for import in ["import-by-identity.tf", "import-by-string-id.tf"] {
            is_valid(&[folder.join("resource.tf"), folder.join(import)]);
        }
    }
    // The first that knows of actions.
    let terraform_1_14 = versions::terraform("1.14", brought.path());
    for folder in folders("actions") {
        let hcl = fs::read_to_string(folder.join("action.tf")).unwrap();
        let workspace = Workspace::without_engine(&terraform_1_14, &hcl);
        succeeded(
            &format!("terraform validate of {folder:?}"),
            &workspace.try_run(&["validate", "-no-color"]),
        );
    }
    for (kind, file) in [
        ("data-sources", "data-source.tf"),
        ("ephemeral-resources", "ephemeral-resource.tf"),
        ("functions", "function.tf"),
    ] {
        folders(kind).iter().for_each(|folder| is_valid(&[folder.join(file)]));
    }
    assert!(checked >= 8);
}

#[test]
fn every_list_s_example_is_asked() {
    let brought = tempfile::tempdir().unwrap();
    let terraform = versions::terraform("1.15", brought.path());
    let workspace = Workspace::with_terraform(Testbed::shared(), &terraform, "");
    for folder in folders("list-resources") {
        let example = folder.join("list-resource.tfquery.hcl");
        fs::copy(&example, workspace.path().join("example.tfquery.hcl")).unwrap();
        succeeded(&format!("{example:?}"), &workspace.try_run(&["query", "-no-color"]));
    }
}

/// The examples that make a swarm themselves.
fn is_of_bare_hosts(folder: &Path) -> bool {
    ["swarm_cluster", "swarm_node"].iter().any(|name| folder.ends_with(name))
}

#[test]
fn the_examples_that_make_a_swarm_apply() {
    let testbed = Testbed::start(&["--no-swarm", "--ssh"], &["hubmgr", "hubworker01", "hubworker02"]);
    for name in ["swarm_cluster", "swarm_node"] {
        let folder = root().join("examples/resources").join(name);
        let hcl = fs::read_to_string(folder.join("resource.tf")).unwrap();
        let mut workspace = Workspace::new(&testbed, &hcl);
        let path = format!("{}:{}", testbed.file("ssh/bin").display(), std::env::var("PATH").unwrap());
        workspace.set("PATH", &path);
        workspace.apply_and_settle();
        workspace.destroy();
    }
}

#[test]
fn the_provider_s_example_is_valid() {
    let hcl = fs::read_to_string(root().join("examples/provider/provider.tf")).unwrap();
    let own =
        hcl.split_once("provider \"swarm\"").map(|(_, rest)| format!("provider \"swarm\"{rest}")).unwrap();
    let workspace = Workspace::new(Testbed::shared(), &own);
    workspace.run(&["validate", "-no-color"]);
}
