//! The reusable module: its own tests, as its users run them.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, root},
};
use std::fs;

#[test]
fn the_module_s_tests_pass() {
    let workspace = Workspace::new(Testbed::shared(), "");
    let module = root().join("examples/modules/registry");
    fs::create_dir(workspace.path().join("tests")).unwrap();
    for folder in ["", "tests"] {
        for file in fs::read_dir(module.join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            if file.is_file() {
                let to = workspace.path().join(folder).join(file.file_name().unwrap());
                fs::copy(&file, to).unwrap();
            }
        }
    }
    let said = workspace.run(&["test", "-no-color"]);
    assert!(said.contains("0 failed") && !said.contains("0 passed"), "{said}");
}
