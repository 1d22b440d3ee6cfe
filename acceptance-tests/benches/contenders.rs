//! Those that are compared: Terraform, each time in a folder of its own with a provider of its own.
//!
//! - `swarm`: this provider.
//! - `nothing`: one that does nothing, on the same plugin layer and with the same schemas (`nothing.rs`). What it takes is
//!   what Terraform and the protocol take.
//! - `terraform_data`: Terraform alone, for which no provider is started.

use crate::{
    objects::{Made, name},
    testbed::{Testbed, root, succeeded},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long between two looks at the memory of a process.
const LOOK: Duration = Duration::from_millis(2);

/// Where all of them are, with the settings by which Terraform finds the providers.
pub struct Field {
    folder: TempDir,
    docker_host: String,
}

/// A folder in which Terraform works.
pub struct Contender {
    pub name: String,
    folder: PathBuf,
    /// The program whose memory is looked at.
    program: Option<&'static str>,
    settings: PathBuf,
    docker_host: String,
}

impl Field {
    /// Makes it for a swarm, and builds what is missing.
    pub fn on(testbed: &Testbed) -> Self {
        let own = Path::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"));
        let folder = tempfile::Builder::new().prefix("swarm-bench-").tempdir().expect("a folder");
        let overrides = [("swarm", folder_of(own)), ("nothing", built_nothing(own))]
            .map(|(name, folder)| format!("    \"localhub/{name}\" = \"{}\"\n", folder.display()));
        let settings =
            format!("provider_installation {{\n  dev_overrides {{\n{}  }}\n}}\n", overrides.concat());
        fs::write(folder.path().join("terraform.rc"), settings).expect("written");
        Field { folder, docker_host: testbed.docker_host() }
    }

    fn contender(&self, name: &str, program: Option<&'static str>) -> Contender {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        Contender {
            name: name.to_owned(),
            folder,
            program,
            settings: self.folder.path().join("terraform.rc"),
            docker_host: self.docker_host.clone(),
        }
    }

    /// This provider.
    pub fn swarm(&self) -> Contender {
        self.contender("swarm", Some("terraform-provider-swarm"))
    }

    /// The one that does nothing.
    pub fn nothing(&self) -> Contender {
        self.contender("nothing", Some("terraform-provider-nothing"))
    }

    /// Terraform alone.
    pub fn terraform_data(&self) -> Contender {
        self.contender("terraform_data", None)
    }
}

fn folder_of(program: &Path) -> PathBuf {
    program.parent().expect("it is in a folder").to_owned()
}

/// The folder of the provider that does nothing.
fn built_nothing(own: &Path) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--example", "nothing"]).current_dir(root());
    assert!(cargo.status().expect("cargo can be run").success());
    let program = own.with_file_name("examples/nothing");
    let folder = program.with_file_name("nothing-provider");
    fs::create_dir_all(&folder).expect("a folder");
    fs::copy(program, folder.join("terraform-provider-nothing")).expect("the program");
    folder
}

impl Contender {
    /// Replaces the configuration.
    pub fn write(&self, hcl: &str) {
        fs::write(self.folder.join("main.tf"), hcl).expect("written");
    }

    /// A command on the folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command.args(arguments).args(["-no-color", "-input=false"]).current_dir(&self.folder);
        command.env("TF_CLI_CONFIG_FILE", &self.settings).env("CHECKPOINT_DISABLE", "1");
        command.env("DOCKER_HOST", &self.docker_host).stdin(Stdio::null());
        command
    }

    /// Runs Terraform, which must succeed.
    pub fn run(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().expect("Terraform runs");
        succeeded(&format!("terraform {} of {}", arguments.join(" "), self.name), &output);
    }

    /// Prepares the folder for a resource of Terraform's own.
    pub fn init(&self) {
        self.run(&["init"]);
    }

    /// How many seconds an apply takes, which makes all that is configured.
    pub fn apply(&self, more: &[&str]) -> f64 {
        let began = Instant::now();
        self.run(&[&["apply", "-auto-approve"], more].concat());
        began.elapsed().as_secs_f64()
    }

    /// How many seconds a refresh with a plan takes, which must find nothing to do.
    pub fn plan(&self) -> f64 {
        let began = Instant::now();
        planned(self.planning());
        began.elapsed().as_secs_f64()
    }

    fn planning(&self) -> Child {
        let mut command = self.command(&["plan", "-detailed-exitcode"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("Terraform runs")
    }

    /// The most memory that the provider had while a plan ran, in MiB, as the kernel counts it.
    pub fn peak(&self) -> Option<f64> {
        let program = self.program?;
        let plan = self.planning();
        let terraform = plan.id();
        let waiting = thread::spawn(move || planned(plan));
        let mut most: f64 = 0.0;
        while !waiting.is_finished() {
            most = children(terraform, program).fold(most, f64::max);
            thread::sleep(LOOK);
        }
        waiting.join().expect("the plan is empty");
        Some(most)
    }

    /// The state.
    pub fn state(&self) -> Value {
        let text = fs::read_to_string(self.folder.join("terraform.tfstate")).expect("a state");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Replaces the state.
    pub fn write_state(&self, state: &Value) {
        fs::write(self.folder.join("terraform.tfstate"), state.to_string()).expect("written");
    }

    /// Lets go of all that there is, without destroying it.
    pub fn forget(&self) {
        fs::remove_file(self.folder.join("terraform.tfstate")).expect("a state");
    }
}

/// Waits for a plan, which must find nothing to do.
fn planned(plan: Child) {
    let Output { status, stdout, stderr } = plan.wait_with_output().expect("it ends");
    let said = [stdout, stderr].concat();
    assert_eq!(status.code(), Some(0), "not empty: {}", String::from_utf8_lossy(&said));
}

/// How much memory, in MiB, each provider of that name has had at most that this Terraform has started.
fn children(terraform: u32, program: &'static str) -> impl Iterator<Item = f64> {
    let processes = fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    processes.filter_map(move |process| {
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        (field("PPid:")?.trim().parse() == Ok(terraform)).then_some(())?;
        let line = fs::read_to_string(process.path().join("cmdline")).ok()?;
        line.contains(program).then_some(())?;
        let peak: f64 = field("VmHWM:")?.trim().trim_end_matches(" kB").parse().ok()?;
        Some(peak / 1024.0)
    })
}

/// A state of as many objects as were made, from one that has the first of them alone.
pub fn multiplied(state: &Value, made: &[Made]) -> Value {
    let mut state = state.clone();
    let first = state["resources"][0]["instances"][0].to_string();
    let instances = made.iter().enumerate().map(|(number, each)| {
        let text = first
            .replace(&name(0), &name(number))
            .replace(&made[0].id, &each.id)
            .replace(&format!("\"{}\"", made[0].host), &format!("\"{}\"", each.host));
        let mut instance: Value = serde_json::from_str(&text).expect("JSON");
        instance["index_key"] = number.into();
        instance
    });
    state["resources"][0]["instances"] = instances.collect();
    state
}

/// The state of another provider with the same schemas.
pub fn of_provider(state: &Value, own: &str, other: &str) -> Value {
    let text = state.to_string().replace(&format!("localhub/{own}"), &format!("localhub/{other}"));
    serde_json::from_str(&text).expect("JSON")
}
