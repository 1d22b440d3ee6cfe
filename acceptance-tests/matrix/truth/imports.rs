//! Reading what nobody can change in what is there: an import of the object, into a state that knows nothing of it, has to
//! find it as the configuration has it.

use super::{
    batch::Batch,
    case::{Case, Expected, Stage},
    said::{self, Change},
};
use crate::matrix::table::Cell;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What is nowhere but in Terraform, or in what the Engine gives to nobody, so that no import can know it, by type.
const UNTOLD: &[(&str, &[&str])] = &[
    ("swarm_volume", &["keep_on_destroy"]),
    ("swarm_service", &["wait_for"]),
    // The settings are in a secret; of that an import knows no more than that something is mounted.
    (
        "registry_service",
        &[
            "args",
            "config_preview",
            "config_secret",
            "distribution",
            "http",
            "mounts",
            "secrets",
            "storage",
            "wait_for",
        ],
    ),
    // An image does not tell where it was copied from.
    ("swarm_registry_image", &["source"]),
];

impl Batch<'_> {
    /// Imports what is there with the second values, and plans, which must find nothing to do.
    pub(super) fn imports(&mut self) {
        let ids = self.ids();
        while self.imported().next().is_some() {
            self.elsewhere.write(&self.imported().map(|case| with_import(case, &ids)).collect::<String>());
            match said::plan(&self.elsewhere) {
                Ok(planned) => {
                    for case in self.imported() {
                        let cell = found(case, planned.changes.get(&case.address()));
                        self.record(case, "behind", &cell);
                    }
                    return;
                }
                Err(errors) => self.errors("behind", &errors),
            }
        }
    }

    fn imported(&self) -> impl Iterator<Item = &Case> {
        self.cases().filter(|case| case.behind == Expected::Imported)
    }

    /// What each is imported by, by its address.
    fn ids(&self) -> BTreeMap<String, String> {
        let state: Json = serde_json::from_str(&self.workspace.run(&["show", "-json"])).unwrap();
        let resources = state["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        let id = |resource: &Json| {
            let value = |name: &str| resource["values"][name].as_str().unwrap_or_default().to_owned();
            let id = match resource["type"].as_str().unwrap_or_default() {
                "swarm_node_label" => format!("{}/{}", value("node"), value("key")),
                "swarm_registry_image" => value("id"),
                _ => value("name"),
            };
            (resource["address"].as_str().unwrap_or_default().to_owned(), id)
        };
        resources.iter().map(id).collect()
    }
}

fn with_import(case: &Case, ids: &BTreeMap<String, String>) -> String {
    let address = case.address();
    let id = ids.get(&address).map_or("", String::as_str);
    format!("import {{\n  to = {address}\n  id = \"{id}\"\n}}\n{}", case.hcl(case.after(Stage::Second)))
}

/// What the plan of an import has found.
fn found(case: &Case, change: Option<&Change>) -> Cell {
    let Some(change) = change else { return Cell::Green };
    let untold = UNTOLD.iter().find(|(r#type, _)| *r#type == case.r#type).map_or(&[][..], |(_, paths)| paths);
    let is_untold =
        |path: &String| untold.contains(&path.split('.').next().unwrap_or_default()) && !case.is_own(path);
    if change.action == "update" && change.differing.iter().all(is_untold) {
        Cell::Green
    } else {
        Cell::Red(format!("an import does not find it as it is: {change:?}"))
    }
}
