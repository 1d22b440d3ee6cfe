//! Terraform in a folder of its own, with this build of the provider.

use crate::testbed::{Testbed, succeeded};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

/// A folder with a configuration, its state, and the Terraform that works on them.
///
/// What its state still has when it is dropped is destroyed.
pub struct Workspace {
    dir: TempDir,
    terraform: PathBuf,
    env: BTreeMap<String, String>,
    destroy: bool,
}

/// One planned change: its address and its actions, such as `update`.
pub type Change = (String, String);

/// What a plan would do.
pub struct Plan {
    /// The plan as `terraform show -json` has it.
    pub json: Value,
    /// What Terraform printed.
    pub text: String,
}

impl Workspace {
    /// A folder with `hcl` beside the provider's requirement, on that swarm.
    pub fn new(testbed: &Testbed, hcl: &str) -> Self {
        let terraform = std::env::var_os("SWARM_TERRAFORM").map_or_else(|| "terraform".into(), PathBuf::from);
        Self::with_terraform(testbed, &terraform, hcl)
    }

    /// The same with another Terraform.
    pub fn with_terraform(testbed: &Testbed, terraform: &Path, hcl: &str) -> Self {
        let mut workspace = Self::without_engine(terraform, hcl);
        workspace.env.insert("DOCKER_HOST".to_owned(), testbed.docker_host());
        workspace.destroy = true;
        workspace
    }

    /// The same, with no Engine that could be reached by accident.
    pub fn without_engine(terraform: &Path, hcl: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("swarm-acceptance-").tempdir().unwrap();
        let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-swarm")).parent().unwrap();
        fs::write(
            dir.path().join("terraform.rc"),
            format!(
                "provider_installation {{\n  dev_overrides {{ \"localhub/swarm\" = \"{}\" }}\n  direct {{}}\n}}\n",
                provider.display()
            ),
        )
        .unwrap();
        let env = BTreeMap::from([
            ("TF_CLI_CONFIG_FILE".to_owned(), dir.path().join("terraform.rc").display().to_string()),
            ("DOCKER_HOST".to_owned(), format!("unix://{}", dir.path().join("no-engine.sock").display())),
            ("TF_IN_AUTOMATION".to_owned(), "1".to_owned()),
            ("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()),
        ]);
        let workspace = Workspace { dir, terraform: terraform.to_owned(), env, destroy: false };
        workspace.write(hcl);
        workspace
    }

    /// Replaces the configuration.
    pub fn write(&self, hcl: &str) {
        let required =
            "terraform {\n  required_providers {\n    swarm = { source = \"localhub/swarm\" }\n  }\n}\n";
        fs::write(self.dir.path().join("main.tf"), format!("{required}\n{hcl}")).unwrap();
    }

    /// Sets an environment variable of every later command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command on the folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.terraform);
        command.current_dir(self.dir.path()).args(args).envs(&self.env).stdin(Stdio::null());
        command
    }

    /// Runs Terraform, whether it succeeds or not.
    pub fn try_run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap_or_else(|error| {
            panic!(
                "{} cannot be run: {error}. `acceptance-tests/run` brings one where there is none",
                self.terraform.display()
            )
        })
    }

    /// Runs Terraform, which must succeed.
    pub fn run(&self, args: &[&str]) -> String {
        succeeded(&format!("terraform {}", args.join(" ")), &self.try_run(args))
    }

    /// Starts Terraform, for a test that interrupts it.
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Applies; it must succeed.
    pub fn apply(&self) -> String {
        self.run(&["apply", "-auto-approve", "-no-color"])
    }

    /// Applies, which must fail, and answers what Terraform said, in one line.
    pub fn apply_fails(&self) -> String {
        fails(&self.try_run(&["apply", "-auto-approve", "-no-color"]))
    }

    /// Plans, which must fail, and answers what Terraform said, in one line.
    pub fn plan_fails(&self) -> String {
        fails(&self.try_run(&["plan", "-no-color", "-input=false"]))
    }

    /// Destroys, which must fail, and answers what Terraform said, in one line.
    pub fn destroy_fails(&self) -> String {
        fails(&self.try_run(&["destroy", "-auto-approve", "-no-color"]))
    }

    /// Plans.
    pub fn plan(&self) -> Plan {
        let text = self.run(&["plan", "-out=plan.bin", "-no-color", "-input=false"]);
        let json = self.run(&["show", "-json", "plan.bin"]);
        Plan { json: serde_json::from_str(&json).unwrap(), text }
    }

    /// Plans, which must find nothing to do.
    #[track_caller]
    pub fn plan_is_empty(&self) {
        let output = self.try_run(&["plan", "-detailed-exitcode", "-no-color", "-input=false"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "the plan is not empty\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Applies, plans nothing with and without a refresh, and answers what apply printed.
    #[track_caller]
    pub fn apply_and_settle(&self) -> String {
        let text = self.apply();
        self.plan_is_empty();
        // The exit code of a refresh-only plan says nothing: Terraform compares the paths of sensitive attributes in an
        // order that it takes from a hash map.
        self.run(&["plan", "-refresh-only", "-out=refresh.bin", "-no-color", "-input=false"]);
        let refresh: Value = serde_json::from_str(&self.run(&["show", "-json", "refresh.bin"])).unwrap();
        assert_eq!(refresh.get("resource_drift"), None, "refreshing changes the state");
        text
    }

    /// The attributes of a resource in the state.
    pub fn state(&self, address: &str) -> Value {
        let json: Value = serde_json::from_str(&self.run(&["show", "-json"])).unwrap();
        let resources = json["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        resources
            .into_iter()
            .find(|resource| resource["address"] == address)
            .map_or(Value::Null, |resource| resource["values"].clone())
    }

    /// Destroys; it must succeed.
    pub fn destroy(&self) -> String {
        self.run(&["destroy", "-auto-approve", "-no-color"])
    }
}

impl Plan {
    /// What would be changed, by address; what stays is left out.
    pub fn changes(&self) -> Vec<Change> {
        let changes = self.json["resource_changes"].as_array().cloned().unwrap_or_default();
        changes
            .iter()
            .map(|change| {
                let actions = change["change"]["actions"].as_array().cloned().unwrap_or_default();
                let actions: Vec<&str> = actions.iter().filter_map(Value::as_str).collect();
                (change["address"].as_str().unwrap_or_default().to_owned(), actions.join("+"))
            })
            .filter(|(_, actions)| actions != "no-op" && actions != "read")
            .collect()
    }

    /// The attributes of a resource that would differ afterwards, computed ones that become unknown included.
    pub fn differing(&self, address: &str) -> Vec<String> {
        let changes = self.json["resource_changes"].as_array().cloned().unwrap_or_default();
        let Some(change) = changes.iter().find(|change| change["address"] == address) else { return vec![] };
        let change = &change["change"];
        let empty = serde_json::Map::new();
        let before = change["before"].as_object().unwrap_or(&empty);
        let after = change["after"].as_object().unwrap_or(&empty);
        let unknown = change["after_unknown"].as_object().unwrap_or(&empty);
        let mut names: Vec<String> = before
            .keys()
            .chain(after.keys())
            .chain(unknown.keys())
            .filter(|name| {
                before.get(*name) != after.get(*name) || unknown.get(*name) == Some(&Value::Bool(true))
            })
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// The same of what is in objects too, and in lists of objects by their numbers: the dotted paths of values that would
    /// differ. A list whose length would differ does so as a whole.
    pub fn differing_paths(&self, address: &str) -> Vec<String> {
        fn walk(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
            if let (Value::Array(before), Value::Array(after)) = (before, after)
                && before.len() == after.len()
                && before.iter().chain(after).all(Value::is_object)
            {
                for (number, (before, after)) in before.iter().zip(after).enumerate() {
                    walk(before, after, &format!("{path}.{number}"), found);
                }
                return;
            }
            let names: std::collections::BTreeSet<&String> = [before, after]
                .iter()
                .filter_map(|value| value.as_object())
                .flat_map(serde_json::Map::keys)
                .collect();
            if names.is_empty() {
                if before != after {
                    found.push(path.to_owned());
                }
                return;
            }
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&before[name.as_str()], &after[name.as_str()], &path, found);
            }
        }
        let changes = self.json["resource_changes"].as_array().cloned().unwrap_or_default();
        let mut found = vec![];
        if let Some(change) = changes.iter().find(|change| change["address"] == address) {
            walk(&change["change"]["before"], &change["change"]["after"], "", &mut found);
        }
        found
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.destroy && self.dir.path().join("terraform.tfstate").exists() {
            let output = self.try_run(&["destroy", "-auto-approve", "-no-color"]);
            if !output.status.success() && !std::thread::panicking() {
                panic!("the test left something behind\n{}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

/// What Terraform said when it failed, without its frames and line breaks.
#[track_caller]
pub fn fails(output: &Output) -> String {
    assert!(!output.status.success(), "it succeeded\n{}", String::from_utf8_lossy(&output.stdout));
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
