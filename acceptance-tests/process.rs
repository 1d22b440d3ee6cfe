//! The binary as a process, without Terraform: how it starts, what does not end it, and what does.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// A started plugin, which is killed when a test fails.
struct Plugin {
    process: Child,
    socket: PathBuf,
}

impl Plugin {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"))
            .env(COOKIE.0, COOKIE.1)
            .env("TMPDIR", folder)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env_remove("PLUGIN_CLIENT_CERT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let fields: Vec<_> = line.trim_end().split('|').collect();
        let ["1", "6", "unix", socket, "grpc", ""] = fields[..] else { panic!("{line}") };
        Plugin { process, socket: socket.into() }
    }

    fn signal(&self, signal: &str) {
        let sent =
            Command::new("kill").args([signal, &self.process.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    fn lives(&mut self) -> bool {
        self.process.try_wait().expect("a status").is_none()
    }

    /// Waits for the end, which must be a clean one.
    fn ends_within(&mut self, limit: Duration) {
        let began = Instant::now();
        while self.lives() {
            assert!(began.elapsed() < limit, "it goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(self.process.wait().expect("a status").success());
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn signals_do_not_end_it_and_the_end_of_the_host_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plugin = Plugin::start(folder.path());
    assert!(plugin.socket.starts_with(folder.path()));
    let host = UnixStream::connect(&plugin.socket).expect("connects");
    plugin.signal("-INT");
    plugin.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(plugin.lives(), "Terraform may still wait for what it does");
    drop(host);
    plugin.ends_within(Duration::from_secs(10));
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0, "nothing stays behind");
}

#[test]
fn certificate_that_is_none_is_said_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"))
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_CLIENT_CERT", "no certificate at all!")
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("[ERROR] ") && said.contains("PLUGIN_CLIENT_CERT"), "{said}");
}

#[test]
fn debug_mode_serves_until_interrupted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut process = Command::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"))
        .arg("--debug")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let out = BufReader::new(process.stdout.take().expect("a pipe"));
    let line =
        out.lines().map(|line| line.expect("text")).find(|line| line.starts_with("export ")).expect("a line");
    assert!(line.starts_with("export TF_REATTACH_PROVIDERS='{\"localhub/swarm\":"), "{line}");
    let mut plugin = Plugin { process, socket: PathBuf::new() };
    assert!(plugin.lives());
    plugin.signal("-INT");
    plugin.ends_within(Duration::from_secs(5));
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0, "nothing stays behind");
}
