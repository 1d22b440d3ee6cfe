//! Terraform under observation: what it said, and whether a secret was in what it said or left behind.

use crate::{secrecy::traces, terraform::Workspace};
use std::{
    fs::{self, File},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// What all secrets of the matrix are made of. It has to be in the Engine, and in no other place.
pub const MARK: &str = "Geheim-Wort.4711";

/// How long a command may take. None of the faults takes longer than the provider's own limits.
const LIMIT: Duration = Duration::from_secs(240);

/// What came of a command.
pub struct Said {
    pub status: Option<ExitStatus>,
    pub text: String,
}

impl Said {
    pub fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    pub fn succeeded(&self) -> bool {
        self.code() == Some(0)
    }

    /// Without frames and line breaks.
    pub fn in_one_line(&self) -> String {
        self.text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The errors, each in one line.
    pub fn errors(&self) -> Vec<String> {
        self.in_one_line().split("Error: ").skip(1).map(str::to_owned).collect()
    }
}

/// Prepares a workspace to be observed.
pub fn observe(workspace: &mut Workspace) {
    workspace.set("TF_VAR_mark", MARK);
    workspace.set("TF_LOG", "TRACE");
    let log = log(workspace).display().to_string();
    workspace.set("TF_LOG_PATH", &log);
}

fn log(workspace: &Workspace) -> PathBuf {
    workspace.path().join("trace.log")
}

/// Runs Terraform, and tells its process when it has started.
///
/// # Errors
/// It did not end in time, or a secret is where none may be.
pub fn run(workspace: &Workspace, args: &[&str], started: impl FnOnce(u32)) -> Result<Said, String> {
    let (out, err) = (workspace.path().join("stdout"), workspace.path().join("stderr"));
    let mut command = workspace.command(args);
    command.stdout(Stdio::from(File::create(&out).unwrap())).stderr(File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    started(child.id());
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let text = fs::read_to_string(&out).unwrap() + &fs::read_to_string(&err).unwrap();
    let said = Said { status, text };
    if said.status.is_none() {
        return Err(format!("`terraform {}` did not end: {}", args[0], said.in_one_line()));
    }
    let mut places = vec![("what Terraform said".to_owned(), said.text.clone())];
    for file in ["terraform.tfstate", "terraform.tfstate.backup", "trace.log"] {
        let bytes = fs::read(workspace.path().join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        places.push((format!("what the provider keeps in {file}"), crate::secrecy::private_of(&text)));
        places.push((file.to_owned(), text));
    }
    if workspace.path().join("plan.bin").exists() {
        places.push(("plan".to_owned(), crate::secrecy::plan_file(workspace)));
        fs::remove_file(workspace.path().join("plan.bin")).unwrap();
    }
    fs::remove_file(log(workspace)).unwrap_or_default();
    for (place, text) in places {
        shows_no_secret(&place, &text)?;
    }
    Ok(said)
}

/// Says so where a trace of the secret is found.
pub fn shows_no_secret(place: &str, text: &str) -> Result<(), String> {
    static TRACES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let traces = TRACES.get_or_init(|| traces(MARK));
    match traces.iter().find(|(_, trace)| text.contains(trace)) {
        Some((what, _)) => Err(format!("{what} is in {place}")),
        None => Ok(()),
    }
}
