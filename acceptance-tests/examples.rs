//! Every example is applied, planned empty and destroyed.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, root},
};
use std::fs;

#[test]
fn every_resource_s_example_applies() {
    // The examples' names are fixed, so they have a swarm of their own.
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folders = fs::read_dir(root().join("examples/resources")).unwrap();
    let mut applied = 0;
    for folder in folders.map(|entry| entry.unwrap().path()) {
        let hcl = fs::read_to_string(folder.join("resource.tf")).unwrap();
        let workspace = Workspace::new(&testbed, &hcl);
        workspace.apply_and_settle();
        workspace.destroy();
        applied += 1;
    }
    assert!(applied >= 3);
}

#[test]
fn the_provider_s_example_is_valid() {
    let hcl = fs::read_to_string(root().join("examples/provider/provider.tf")).unwrap();
    let own =
        hcl.split_once("provider \"swarm\"").map(|(_, rest)| format!("provider \"swarm\"{rest}")).unwrap();
    let workspace = Workspace::new(Testbed::shared(), &own);
    workspace.run(&["validate", "-no-color"]);
}
