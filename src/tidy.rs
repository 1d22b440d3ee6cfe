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
        for (line, used) in uses(&fs::read_to_string(&file).unwrap()) {
            assert!(
                used == layer || allowed.contains(&used) || !LAYERS.iter().any(|(name, _)| *name == used),
                "{}:{line}: `{layer}` may not use `{used}`",
                path.display(),
            );
        }
    }
}

/// The names that follow `crate::` or, in the binary, `swarm::`, those of a group in braces among them; each with its line.
fn uses(text: &str) -> Vec<(usize, &str)> {
    let roots = ["crate::", "swarm::"].into_iter().flat_map(|root| text.match_indices(root));
    let members = roots.flat_map(|(at, root)| {
        let start = at + root.len();
        let members = members(&text[start..]).into_iter();
        members.map(move |(offset, member)| (start + offset, member))
    });
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    members.map(|(at, member)| (line(at), first_name(member))).collect()
}

/// What stands at the beginning of a text, and where: one path, or each of a group in braces.
fn members(text: &str) -> Vec<(usize, &str)> {
    let Some(group) = text.strip_prefix('{') else { return vec![(0, text)] };
    let (mut found, mut start, mut depth) = (vec![], 0, 0_usize);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let member = group[start..at].trim_start();
                found.push((1 + at - member.len(), member));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    // The last comma of a long group has nothing behind it.
    found.retain(|(_, member)| !member.is_empty());
    found
}

fn first_name(path: &str) -> &str {
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[test]
fn a_group_is_read_as_what_is_in_it() {
    let names = |text: &'static str| uses(text).into_iter().map(|(_, used)| used).collect::<Vec<_>>();
    assert_eq!(names("use crate::docker::Docker;"), ["docker"]);
    assert_eq!(names("let a = crate::a::b(crate::c::D);"), ["a", "c"]);
    assert_eq!(
        names("use crate::{docker, terraform::{Model, Plan}, registry::*};"),
        ["docker", "terraform", "registry"]
    );
    let long = "//! It.\n\nuse swarm::{\n    docker::{\n        Docker,\n    },\n    terraform::Model,\n};\nuse std::fs;\n";
    assert_eq!(uses(long), [(4, "docker"), (7, "terraform")]);
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
