//! The life of resources: made, changed, replaced, taken away behind Terraform's back, read, found, imported, renamed, and
//! destroyed. After each step nothing is left to do.

use super::{
    client::{Client, Column, Way},
    kinds::{KINDS, Kind},
    notes::{Notes, Stopped},
};
use crate::{
    matrix::table::Table,
    queries,
    terraform::{Change, Workspace},
    testbed::{Testbed, unique},
};
use serde_json::Value;
use std::fs;

/// The steps, in their order.
const STEPS: &[&str] = &[
    "create",
    "update",
    "replace",
    "disappear",
    "data source",
    "identity",
    "query",
    "import",
    "import by the command",
    "import by identity",
    "move",
    "destroy",
];

/// What is looked for when all of them are done.
const END: &str = "nothing is left";

/// The steps and their end.
pub fn steps() -> impl Iterator<Item = &'static str> {
    STEPS.iter().copied().chain([END])
}

/// The hosts of the swarm that the story is told on.
const HOSTS: [&str; 2] = ["hubmgr", "hubworker01"];

/// The keys of a node's labels, one a line.
const LABELS: &str = "{{range $key, $_ := .Spec.Labels}}{{println $key}}{{end}}";

/// One workspace with a resource of each of these kinds.
pub struct Story<'a> {
    pub client: &'a Client,
    pub testbed: &'a Testbed,
    pub kinds: &'a [&'a Kind],
    pub notes: &'a Notes<'a>,
    name: String,
}

impl<'a> Story<'a> {
    pub fn new(
        client: &'a Client,
        testbed: &'a Testbed,
        kinds: &'a [&'a Kind],
        notes: &'a Notes<'a>,
    ) -> Self {
        // Its end is of use: else the name of the first story would be in that of the tenth.
        Story { client, testbed, kinds, notes, name: unique("story") + "-end" }
    }

    /// The rows of a step.
    fn rows(&self, step: &str) -> Vec<String> {
        self.kinds.iter().map(|kind| format!("{}: {step}", kind.r#type)).collect()
    }

    fn step(&self, step: &str, body: impl FnOnce()) -> Result<(), Stopped> {
        assert!(STEPS.contains(&step), "{step}");
        self.notes.step(&self.rows(step), step, body)
    }

    /// What all kinds have to say, with the names of this story.
    fn each(&self, text: impl Fn(&Kind) -> String) -> String {
        let text: String = self.kinds.iter().map(|kind| text(kind)).collect();
        text.replace("NAME", &self.name)
    }

    fn hcl(&self, body: usize) -> String {
        self.each(|kind| kind.block("it", body))
    }

    /// The change of that action to every resource.
    fn all(&self, action: impl Fn(&Kind) -> &'static str) -> Vec<Change> {
        let mut all: Vec<Change> =
            self.kinds.iter().map(|kind| (kind.address(), action(kind).to_owned())).collect();
        all.sort();
        all
    }

    /// Plans, and sees to it that this and nothing else would be done.
    #[track_caller]
    fn plans(&self, workspace: &Workspace, action: impl Fn(&Kind) -> &'static str) -> crate::terraform::Plan {
        let plan = workspace.plan();
        let mut changes = plan.changes();
        changes.sort();
        assert_eq!(changes, self.all(action), "{}", plan.text);
        plan
    }

    /// Whether each object is in the swarm.
    #[track_caller]
    fn is_there(&self, wanted: bool) {
        for kind in self.kinds {
            let output = self.docker(kind.inspect);
            let there = output.status.success() && !String::from_utf8_lossy(&output.stdout).trim().is_empty();
            assert_eq!(there, wanted, "{}: {}", kind.r#type, String::from_utf8_lossy(&output.stdout));
        }
    }

    fn docker(&self, args: &[&str]) -> std::process::Output {
        let args: Vec<String> = args.iter().map(|arg| arg.replace("NAME", &self.name)).collect();
        self.testbed.try_docker(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Tells it all, unless it is known already.
    pub fn is_told(&self) {
        let rows: Vec<String> = steps().flat_map(|step| self.rows(step)).collect();
        if self.notes.have(&rows) {
            return;
        }
        let told = || {
            // The workspaces go with it, and destroy what they still have, also where the story was stopped.
            let told = self.tell();
            assert_eq!(self.left(), [""; 0]);
            assert!(told.is_ok(), "the story was stopped before there was all that could be left");
        };
        match self.notes.step(&self.rows(END), END, told) {
            Ok(()) | Err(Stopped) => {}
        }
    }

    /// What the swarm and its hosts still have that bears the name of this story.
    fn left(&self) -> Vec<String> {
        let named = |of: &str| (of.to_owned(), self.testbed.docker(&[of, "ls", "--format", "{{.Name}}"]));
        let of_swarm = ["service", "secret", "config", "network"].map(named);
        let of_hosts = HOSTS.map(|host| {
            let volumes = self.testbed.docker_on(host, &["volume", "ls", "--format", "{{.Name}}"]);
            let labels = self.testbed.docker(&["node", "inspect", "--format", LABELS, host]);
            [(format!("volume of {host}"), volumes), (format!("label of {host}"), labels)]
        });
        let bears = |(what, list): (String, String)| -> Vec<String> {
            let names = list.lines().filter(|name| name.contains(&self.name));
            names.map(|name| format!("{what}: {name}")).collect()
        };
        of_swarm.into_iter().chain(of_hosts.into_iter().flatten()).flat_map(bears).collect()
    }

    fn tell(&self) -> Result<(), Stopped> {
        let workspace = self.client.workspace(self.testbed, &self.hcl(0));
        self.step("create", || {
            self.plans(&workspace, |_| "create");
            workspace.apply_and_settle();
            self.is_there(true);
        })?;
        self.step("update", || {
            workspace.write(&self.hcl(1));
            let plan = self.plans(&workspace, |kind| kind.action);
            for kind in self.kinds {
                assert_eq!(plan.differing(&kind.address()), kind.changed, "{}", plan.text);
            }
            workspace.apply_and_settle();
        })?;
        self.step("replace", || {
            let options: Vec<String> =
                self.kinds.iter().map(|kind| format!("-replace={}", kind.address())).collect();
            let mut args = vec!["apply", "-auto-approve", "-no-color"];
            args.extend(options.iter().map(String::as_str));
            let said = workspace.run(&args);
            let count = self.kinds.len();
            assert!(said.contains(&format!("{count} added, 0 changed, {count} destroyed")), "{said}");
            workspace.apply_and_settle();
            self.is_there(true);
        })?;
        self.step("disappear", || {
            for kind in self.kinds {
                let output = self.docker(kind.remove);
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            self.plans(&workspace, |_| "create");
            workspace.apply_and_settle();
            self.is_there(true);
        })?;
        self.step("data source", || {
            workspace.write(&format!("{}{}", self.hcl(1), self.each(Kind::reader)));
            workspace.apply_and_settle();
            let outputs: Value = serde_json::from_str(&workspace.run(&["output", "-json"])).unwrap();
            for kind in self.kinds {
                assert_eq!(outputs[kind.r#type]["value"], true, "{outputs}");
            }
            workspace.write(&self.hcl(1));
            workspace.apply_and_settle();
        })?;
        self.step("identity", || {
            for (r#type, identity) in queries::identities(&workspace) {
                let kind = self.kinds.iter().find(|kind| kind.r#type == r#type).unwrap();
                let wanted = kind.identity().to_string().replace("NAME", &self.name);
                assert_eq!(identity.to_string(), wanted);
            }
        })?;
        self.step("query", || self.is_found())?;
        self.imports()?;
        self.step("move", || {
            let moved = |kind: &Kind| {
                let r#type = kind.r#type;
                let moved = format!("moved {{\n  from = {type}.it\n  to   = {type}.renamed\n}}\n");
                kind.block("renamed", 1) + &moved
            };
            workspace.write(&self.each(moved));
            let plan = workspace.plan();
            assert_eq!(plan.changes(), [], "{}", plan.text);
            assert_eq!(plan.text.matches("has moved to").count(), self.kinds.len(), "{}", plan.text);
            workspace.apply_and_settle();
        })?;
        self.step("destroy", || {
            workspace.destroy();
            self.is_there(false);
        })
    }

    /// Asks `terraform query` for all objects of each type; those of this story are among them.
    fn is_found(&self) {
        let lists = |kind: &Kind| format!("list \"{}\" \"all\" {{\n  provider = swarm\n}}\n", kind.r#type);
        let workspace = self.client.workspace(self.testbed, "");
        fs::write(workspace.path().join("all.tfquery.hcl"), self.each(lists)).unwrap();
        let said = workspace.run(&["query", "-no-color"]);
        for kind in self.kinds {
            let list = format!("list.{}.all", kind.r#type);
            let found = said.lines().any(|line| line.starts_with(&list) && line.contains(&self.name));
            assert!(found, "{list}: {said}");
        }
    }

    /// Imports into another workspace, in which Terraform writes the configuration, and forgets again.
    fn imports(&self) -> Result<(), Stopped> {
        let workspace = self.client.workspace(self.testbed, "");
        let forget = || {
            for kind in self.kinds {
                workspace.run(&["state", "rm", &kind.address()]);
            }
        };
        let blocks = |what: &dyn Fn(&Kind) -> String| {
            self.each(|kind| format!("import {{\n  to = {}\n  {}\n}}\n", kind.address(), what(kind)))
        };
        let done = format!("{} imported, 0 added, 0 changed, 0 destroyed", self.kinds.len());
        self.step("import", || {
            // The provider is named as long as there is no resource block to name it.
            let by_id = |kind: &Kind| format!("id = \"{}\"", kind.id);
            workspace.write(&blocks(&|kind| by_id(kind) + "\n  provider = swarm"));
            let plan =
                workspace.run(&["plan", "-generate-config-out=generated.tf", "-no-color", "-input=false"]);
            let only = format!("{} to import, 0 to add, 0 to change, 0 to destroy", self.kinds.len());
            assert!(plan.contains(&only), "{plan}");
            workspace.write(&blocks(&by_id));
            let said = workspace.apply_and_settle();
            assert!(said.contains(&done), "{said}");
            forget();
        })?;
        self.step("import by the command", || {
            workspace.write("");
            for kind in self.kinds {
                let id = kind.id.replace("NAME", &self.name);
                workspace.run(&["import", "-no-color", "-input=false", &kind.address(), &id]);
            }
            workspace.apply_and_settle();
            forget();
        })?;
        self.step("import by identity", || {
            workspace.write(&blocks(&|kind| format!("identity = {}", kind.identity())));
            let said = workspace.apply_and_settle();
            assert!(said.contains(&done), "{said}");
            forget();
        })
    }
}

#[test]
fn what_is_left_is_seen_and_a_story_that_is_stopped_is_not_green() {
    let (testbed, folder) = (Testbed::shared(), tempfile::tempdir().unwrap());
    let column = Column { version: (1, 8), way: Way::Tls };
    let (client, table) = (Client::new(column, testbed), Table::open_in(folder.path(), "left", ""));
    let notes = Notes::new(&table, column);
    let config = KINDS.iter().find(|kind| kind.r#type == "swarm_config").unwrap();
    let kinds = [&Kind { bodies: ["data = \"it has no name\""; 2], ..*config }];
    let story = Story::new(&client, testbed, &kinds, &notes);
    let name = story.name.as_str();
    testbed.docker(&["node", "update", "--label-add", name, "hubworker01"]);
    testbed.docker_on("hubworker01", &["volume", "create", name]);
    assert_eq!(
        story.left(),
        [format!("volume of hubworker01: {name}"), format!("label of hubworker01: {name}")]
    );
    testbed.docker(&["node", "update", "--label-rm", name, "hubworker01"]);
    testbed.docker_on("hubworker01", &["volume", "rm", name]);
    story.is_told();
    let red = table.red();
    assert_eq!(red.len(), 2, "{red:?}");
    assert!(red[0].starts_with("swarm_config: create, 1.8"), "{red:?}");
    assert!(red[1].starts_with("swarm_config: nothing is left, 1.8: the story was stopped"), "{red:?}");
}
