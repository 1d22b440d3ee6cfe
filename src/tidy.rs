//! Conventions that the compiler cannot check.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Which layer may use which. Read it as the architecture; a folder that is not in it fails the test.
const LAYERS: &[(&str, &[&str])] = &[
    ("terraform", &[]),
    ("docker", &[]),
    ("registry", &[]),
    ("plugin", &["terraform"]),
    ("resources", &["terraform", "docker", "registry"]),
    ("data_sources", &["terraform", "docker", "registry", "resources"]),
    ("ephemeral", &["terraform", "docker", "registry", "resources"]),
    ("functions", &["terraform", "docker", "registry"]),
    ("actions", &["terraform", "docker", "registry", "resources"]),
    ("provider", &["terraform", "docker", "resources", "data_sources", "ephemeral", "functions", "actions"]),
    ("main", &["plugin", "provider"]),
];

/// What belongs to no layer: the map itself, the tests of conventions, the derive, the documentation's generator.
const OUTSIDE: &[&str] = &["lib", "tidy", "docs", "derive", "fuzz"];

#[test]
fn layers_only_use_the_layers_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).unwrap();
        let layer = path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if OUTSIDE.contains(&layer) {
            continue;
        }
        let (_, allowed) = LAYERS
            .iter()
            .find(|(name, _)| *name == layer)
            .unwrap_or_else(|| panic!("`{layer}` is in no layer: give it a place in the architecture"));
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            for used in uses(line) {
                assert!(
                    used == layer || allowed.contains(&used) || !LAYERS.iter().any(|(name, _)| *name == used),
                    "{}:{}: `{layer}` may not use `{used}`",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

/// The names that follow `crate::` or, in the binary, `swarm::`.
fn uses(line: &str) -> impl Iterator<Item = &str> {
    ["crate::", "swarm::"].into_iter().flat_map(move |root| {
        line.split(root)
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
    })
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
