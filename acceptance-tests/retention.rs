//! `swarm_registry_retention`: tags go by a rule, those that a plan showed and no others.

use crate::{
    client::{Access, Image},
    registry_service::Registry,
    terraform::Workspace,
    testbed::{Testbed, succeeded},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, process::Command};

/// A registry of its own, which allows deleting, and the folder in which images are made for it.
struct Hub {
    registry: Registry,
    access: Access,
    folder: tempfile::TempDir,
}

impl Hub {
    fn new(prefix: &str) -> Self {
        let registry = Registry::new(prefix);
        let address = format!("{}:{}", Testbed::shared().address("hubworker01"), registry.port);
        let access = Access { registry: address, certificates: None, credentials: None, network: None };
        Hub { registry, access, folder: tempfile::tempdir().unwrap() }
    }

    /// The registry, and a rule beside it where there is one.
    fn hcl(&self, rule: &str) -> String {
        let storage = "storage = { filesystem = { volume = \"VOLUME\" }, delete = true }";
        let mut hcl = self.registry.with(storage, "");
        if !rule.is_empty() {
            hcl.push_str(&format!(
                "\nresource \"swarm_registry_retention\" \"it\" {{\n  registry = {{ url = \"http://{}\" }}\n  \
                 repositories = [\"team/*\"]\n  {rule}\n  depends_on = [registry_service.it]\n}}\n",
                self.access.registry
            ));
        }
        hcl
    }

    /// Pushes an image that was built on a day of January, under several names.
    fn push(&self, day: u32, names: &[&str]) {
        let folder = self.folder.path().join(format!("{day}"));
        let image = Image::built(folder, &format!("2026-01-{day:02}T10:00:00Z"), &[20_000]);
        names.iter().for_each(|name| image.push(&self.access, name).unwrap());
    }

    /// The tags of a repository.
    fn tags(&self, repository: &str) -> BTreeSet<String> {
        let url = format!("http://{}/v2/{repository}/tags/list", self.access.registry);
        let answer = Command::new("curl").args(["--silent", "--noproxy", "*", &url]).output().unwrap();
        let answer: Value = serde_json::from_str(&succeeded("curl", &answer)).unwrap();
        answer["tags"].as_array().into_iter().flatten().map(|tag| tag.as_str().unwrap().to_owned()).collect()
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const RULE: &str = "keep_last = 2\n  keep_matching = [\"^v\"]";

#[test]
fn tags_go_by_a_rule_after_a_plan_has_shown_them() {
    let hub = Hub::new("retention");
    let workspace = Workspace::new(Testbed::shared(), &hub.hcl(""));
    workspace.apply_and_settle();
    // The oldest image has a second name that is kept, and an undated one is kept as well.
    hub.push(1, &["team/app:1", "team/app:v1"]);
    for day in 2..=5 {
        hub.push(day, &[&format!("team/app:{day}"), &format!("other/app:{day}")]);
    }
    Image::random(hub.folder.path().join("undated"), &[100]).push(&hub.access, "team/app:undated").unwrap();

    // Dry run first.
    workspace.write(&hub.hcl(&format!("{RULE}\n  dry_run = true")));
    workspace.apply_and_settle();
    let expired = workspace.state("swarm_registry_retention.it")["expired"].clone();
    assert_eq!(expired, json!(["team/app:1", "team/app:2", "team/app:3"]));
    assert_eq!(hub.tags("team/app").len(), 7);

    workspace.write(&hub.hcl(RULE));
    let plan = workspace.plan();
    assert!(
        plan.text.contains("team/app:1") && plan.text.contains("3 tags will be deleted"),
        "{}",
        plan.text
    );
    assert!(!plan.text.contains("other/app"), "{}", plan.text);
    workspace.apply_and_settle();
    assert_eq!(hub.tags("team/app"), set(&["4", "5", "undated", "v1"]));
    assert_eq!(hub.tags("other/app"), set(&["2", "3", "4", "5"]));
    hub.access.pull("team/app:v1", &hub.folder.path().join("pulled")).unwrap();

    // A newer image pushes an older one out: the plan says which, and the apply does that.
    hub.push(6, &["team/app:6"]);
    let plan = workspace.plan();
    assert_eq!(plan.differing("swarm_registry_retention.it"), ["expired"]);
    assert!(plan.text.contains("- \"team/app:4\""), "{}", plan.text);
    workspace.apply_and_settle();
    assert_eq!(hub.tags("team/app"), set(&["5", "6", "undated", "v1"]));
    workspace.destroy();
}

#[test]
fn a_registry_that_deletes_nothing_says_what_to_do() {
    let hub = Hub::new("undeletable");
    let hcl = |rule| hub.hcl(rule).replace("delete = true", "delete = false");
    let workspace = Workspace::new(Testbed::shared(), &hcl(""));
    workspace.apply_and_settle();
    hub.push(1, &["team/app:1"]);
    workspace.write(&hcl("keep_last = 0"));
    let said = workspace.apply_fails();
    assert!(said.contains("405") && said.contains("delete = true"), "{said}");
    assert_eq!(hub.tags("team/app"), set(&["1"]), "the tag leads to its image again");
    workspace.write(&hcl(""));
    workspace.apply();
    workspace.destroy();
}

#[test]
fn a_rule_that_deletes_nothing_is_refused() {
    let hub = Hub::new("toothless");
    let said = Workspace::new(Testbed::shared(), &hub.hcl("keep_matching = [\"x\"]")).plan_fails();
    assert!(said.contains("keep_last") && said.contains("older_than"), "{said}");
}
