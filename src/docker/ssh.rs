//! Engines behind `ssh://`: sessions of `docker system dial-stdio`, all over one connection to the host.
//!
//! Each session alone would be a connection of its own, and a server refuses those above `MaxStartups` (10 by
//! default) while they log in. So one connection is made first, which also gives one place for a failed login to
//! be told, and the sessions are multiplexed over it (OpenSSH's `ControlMaster`). Their number stays below
//! `MaxSessions`, which is 10 by default too. The connection goes into the background and ends by itself when no
//! session was open for a while, so nothing is left behind even where this process is killed.

use super::endpoint::SshAddress;
use super::explain::Cause;
use super::ssh_files::{Files, SshSettings};
use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    process::Stdio,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// Open sessions at a time, below OpenSSH's default `MaxSessions` of 10.
const SESSIONS: usize = 8;
/// How long the connection may take to come about, and the login with it.
const PATIENCE: Patience = Patience { connect: 15, login: Duration::from_secs(45) };
/// The same where there is another host to try.
const WITH_OTHERS: Patience = Patience { connect: 5, login: Duration::from_secs(15) };
/// Bytes of a session's error text that are kept.
const STDERR: u64 = 4096;

/// How long a login may take.
#[derive(Clone, Copy)]
struct Patience {
    /// In seconds.
    connect: u64,
    login: Duration,
}

/// A host that is reached by ssh.
pub(super) struct Ssh {
    address: SshAddress,
    settings: SshSettings,
    patience: Patience,
    master: Mutex<Option<Master>>,
    sessions: Arc<Semaphore>,
}

impl Ssh {
    pub(super) fn new(
        address: SshAddress,
        settings: SshSettings,
        is_one_of_several: bool,
    ) -> Result<Self, String> {
        if let Some(key) = &settings.host_key {
            super::check_host_key(key).map_err(|problem| format!("the key of the host: {problem}"))?;
        }
        if settings.jump_host.as_ref().is_some_and(|jump| jump.starts_with('-') || jump.is_empty()) {
            return Err("the jump host must be of the form [user@]host[:port]".to_owned());
        }
        let patience = if is_one_of_several { WITH_OTHERS } else { PATIENCE };
        let sessions = Arc::new(Semaphore::new(SESSIONS));
        Ok(Self { address, settings, patience, master: Mutex::default(), sessions })
    }

    /// How long it may take until it is known whether the login succeeds. Behind a jump host a failed one is made twice.
    pub(super) fn longest_login(&self) -> Duration {
        self.patience.login * if self.settings.jump_host.is_some() { 2 } else { 1 }
    }

    /// Opens a session, and the connection to the host before it where there is none.
    pub(super) async fn open(&self) -> Result<Session, Cause> {
        let permit = Arc::clone(&self.sessions)
            .acquire_owned()
            .await
            .map_err(|error| Cause::new(error.to_string(), None, false))?;
        let mut command = command(&self.connection().await?);
        command.args(self.settings.options.iter().flatten());
        command.args(["-o", "ControlMaster=no", "-o", "BatchMode=yes", "-T"]);
        self.add_destination(&mut command);
        command.arg("docker");
        if let Some(path) = &self.address.socket {
            command.arg(format!("--host=unix://{path}"));
        }
        command.args(["system", "dial-stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Session {
                stdin,
                stdout,
                heard: false,
                stderr: tokio::spawn(text_of(stderr)),
                _child: child,
                _permit: permit,
            }),
            _ => Err(Cause::new("ssh gave no pipes", None, false)),
        }
    }

    /// The socket of the connection, which is made at first use and after it was lost.
    async fn connection(&self) -> Result<PathBuf, Cause> {
        let mut master = self.master.lock().await;
        if let Some(master) = master.as_ref() {
            let socket = master.files.socket();
            if UnixStream::connect(&socket).await.is_ok() {
                return Ok(socket);
            }
        }
        if let Some(file) = self.settings.private_key_file.as_ref().filter(|file| !file.starts_with("~"))
            && let Err(error) = std::fs::File::open(file)
        {
            let text = format!("the private key {} cannot be read: {error}", file.display());
            return Err(Cause::new(text, Some("Check `private_key_file`"), false));
        }
        let files = Files::new(&self.settings).map_err(|error| {
            Cause::new(format!("no folder for the ssh connection can be made: {error}"), None, false)
        })?;
        let new = Master { files, host: self.address.host.clone() };
        let socket = new.files.socket();
        let mut login = self.login(&new.files, &socket);
        login.args(["-o", "ControlMaster=yes", "-o", "ControlPersist=30"]).args(["-N", "-f"]);
        self.add_destination(&mut login);
        if let Err(ended) = self.run(login).await? {
            return Err(self.why(ended, &new.files).await.explain());
        }
        new.files.logged_in();
        *master = Some(new);
        Ok(socket)
    }

    /// A command that logs in.
    fn login(&self, files: &Files, socket: &Path) -> Command {
        let mut command = command(socket);
        command.args(files.arguments(&self.settings)).envs(files.environment());
        let timeout = format!("ConnectTimeout={}", self.patience.connect);
        command.args(["-o", &timeout, "-o", "ServerAliveInterval=15", "-T"]).stdin(Stdio::null());
        command
    }

    fn add_destination(&self, command: &mut Command) {
        if let Some(user) = &self.address.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.address.port {
            command.args(["-p", &port.to_string()]);
        }
        command.args(["--", &self.address.host]);
    }

    /// Runs a login to its end.
    async fn run(&self, mut login: Command) -> Result<Result<(), SessionEnded>, Cause> {
        let started = login.stdout(Stdio::null()).spawn().map_err(|error| cannot_start(&error))?;
        let limit = self.patience.login;
        let ended = tokio::time::timeout(limit, started.wait_with_output()).await;
        let output = ended
            .map_err(|_| Cause::new(format!("ssh did not log in within {} s", limit.as_secs()), None, true))?
            .map_err(|error| cannot_start(&error))?;
        let said = || SessionEnded(String::from_utf8_lossy(&output.stderr).into_owned());
        Ok(if output.status.success() { Ok(()) } else { Err(said()) })
    }

    /// Why a login failed. The ssh to a jump host says nothing for a connection that is to stay in the background, so it
    /// is asked once more in the foreground.
    async fn why(&self, ended: SessionEnded, files: &Files) -> SessionEnded {
        if self.settings.jump_host.is_none() {
            return ended;
        }
        let mut again = self.login(files, Path::new("none"));
        self.add_destination(&mut again);
        again.arg("true");
        match self.run(again).await {
            Ok(Err(more)) => more,
            _ => ended,
        }
    }
}

/// An ssh that uses this control socket. It has a process group of its own, since Ctrl-C in a terminal is for Terraform:
/// what is under way may need the connection to finish.
fn command(socket: &Path) -> Command {
    let mut command = Command::new("ssh");
    command.arg("-o").arg(format!("ControlPath={}", socket.display()));
    command.stderr(Stdio::piped()).kill_on_drop(true).process_group(0);
    command
}

/// The connection in the background that the sessions share. It is closed when this is dropped.
struct Master {
    files: Files,
    host: String,
}

impl Drop for Master {
    fn drop(&mut self) {
        // Waiting for this short-lived command would block; the connection ends by itself where it fails.
        let asked = std::process::Command::new("ssh")
            .arg("-o")
            .arg(format!("ControlPath={}", self.files.socket().display()))
            .args(["-O", "exit", "--", &self.host])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if let Err(error) = asked {
            tracing::debug!(%error, "closing the ssh connection");
        }
    }
}

fn cannot_start(error: &io::Error) -> Cause {
    let hint = (error.kind() == io::ErrorKind::NotFound).then_some("Install the OpenSSH client");
    Cause::new(format!("`ssh` cannot be started: {error}"), hint, false)
}

async fn text_of(stderr: ChildStderr) -> String {
    let mut bytes = Vec::new();
    let mut limited = stderr.take(STDERR);
    if let Err(error) = limited.read_to_end(&mut bytes).await {
        tracing::debug!(%error, "reading the error text of ssh");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One session: bytes to and from the Engine's socket.
pub(super) struct Session {
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// Whether any byte has come.
    heard: bool,
    stderr: JoinHandle<String>,
    /// Killed when the session is dropped.
    _child: Child,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Session {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.heard = true;
        } else if !self.heard {
            // It ended without a word of the Engine: then the reason is in the text of ssh or docker.
            let text = ready!(Pin::new(&mut self.stderr).poll(context)).unwrap_or_default();
            self.heard = true;
            return Poll::Ready(Err(io::Error::other(SessionEnded(text))));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Session {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(context)
    }
}

/// ssh ended before the Engine said anything; what it wrote to its error output.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct SessionEnded(pub(super) String);

/// A part of what ssh says in lower case, the step that failed then, what to do, and whether it may pass by itself.
/// The first line with such a part tells most.
const STEPS: &[(&str, &str, Option<&str>, bool)] = &[
    ("could not resolve", "ssh cannot find the host", Some("Check the name of the host"), false),
    ("has changed and you have requested", UNTRUSTED, OTHER_KEY, false),
    ("host key is known for", UNTRUSTED, NO_KEY, false),
    ("host key verification failed", UNTRUSTED, NO_KEY, false),
    ("no matching host key type", UNTRUSTED, OTHER_KEY, false),
    ("load key", "ssh cannot use the private key", Some("Check the private key and its passphrase"), false),
    ("identity file", "ssh cannot use the private key", Some("Check the path of the private key"), false),
    ("permission denied (", "ssh cannot log in", GIVE_KEY, false),
    ("too many authentication failures", "ssh cannot log in", GIVE_KEY, false),
    ("stdio forwarding failed", "the jump host cannot connect to the host", REACH, true),
    ("open failed: connect failed", "the jump host cannot connect to the host", REACH, true),
    ("connect to host", "ssh cannot connect to the host", REACH, true),
    ("banner exchange", "ssh cannot connect to the host", REACH, true),
    ("kex_exchange_identification", "ssh cannot connect to the host", None, true),
    ("connection closed by", "ssh cannot connect to the host", None, true),
    ("connection reset by", "ssh cannot connect to the host", None, true),
    (
        "session open refused",
        "the host opens no more sessions",
        Some("Raise `MaxSessions` of its sshd"),
        true,
    ),
    ("docker: command not found", NO_DOCKER, INSTALL, false),
    ("docker: not found", NO_DOCKER, INSTALL, false),
    ("docker: no such file", NO_DOCKER, INSTALL, false),
    (
        "is not a docker command",
        NO_DOCKER,
        Some("Its docker command line is too old: 18.09 is the first"),
        false,
    ),
    ("connect: no such file or directory", NO_ENGINE, SOCKET, true),
    ("connect: connection refused", NO_ENGINE, SOCKET, true),
    ("cannot connect to the docker daemon", NO_ENGINE, SOCKET, true),
    ("permission denied", NO_ENGINE, GROUP, false),
    ("refused", "ssh ended", None, true),
    ("timed out", "ssh ended", None, true),
    ("closed", "ssh ended", None, true),
];
const UNTRUSTED: &str = "ssh does not trust the host";
const NO_KEY: Option<&str> = Some(
    "Give its key as `host_key`, or put it into the known_hosts file, for example by logging in once by hand",
);
const OTHER_KEY: Option<&str> = Some(
    "Make sure that it is the right host. If it is, `host_key` or the known_hosts file has an old key of it",
);
const GIVE_KEY: Option<&str> = Some(
    "Give ssh a key that the host accepts: `private_key` or `private_key_file` under `ssh`, with its `passphrase` if it \
     has one, or an agent; and check the user",
);
const REACH: Option<&str> = Some("Check the address and the port, the firewall, and that sshd runs there");
const NO_DOCKER: &str = "ssh is logged in, but there is no fitting docker command on the host";
const INSTALL: Option<&str> = Some("Install the docker command line on that host");
const NO_ENGINE: &str = "ssh is logged in, but docker there cannot reach its Engine's socket";
const SOCKET: Option<&str> = Some("Check the path of the socket and that the Docker Engine runs there");
const GROUP: Option<&str> =
    Some("Let that user use Docker there, as a member of the group `docker` for example");

impl SessionEnded {
    /// The step that failed, in ssh's own words, and what to do.
    pub(super) fn explain(&self) -> Cause {
        let lines: Vec<_> = self.0.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let telling = lines.iter().find_map(|line| {
            let lower = line.to_lowercase();
            STEPS.iter().find(|(part, ..)| lower.contains(part)).map(|step| (*line, step))
        });
        let plain = |line: &str| line.trim_start_matches("ssh: ").trim_end_matches('.').to_owned();
        let Some((line, (_, step, hint, passing))) = telling else {
            let last = lines.last().map_or_else(|| "it ended without a word".to_owned(), |line| plain(line));
            return Cause::new(format!("ssh: {last}"), None, false);
        };
        let mut text = format!("{step}: {}", plain(line));
        let shown = self.0.split_whitespace().find(|word| word.starts_with("SHA256:"));
        if let Some(fingerprint) = shown.filter(|_| *step == UNTRUSTED) {
            text.push_str(&format!(" (it shows the key {})", fingerprint.trim_end_matches('.')));
        }
        Cause::new(text, *hint, *passing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(text: &str) -> (String, String) {
        let cause = SessionEnded(text.into()).explain();
        (cause.text, cause.hint.unwrap_or_default().to_owned())
    }

    #[test]
    fn the_step_that_failed_is_told_with_what_to_do() {
        let (text, hint) = explain("Warning: Permanently added 'h'.\nu@h: Permission denied (publickey).\n");
        assert_eq!(text, "ssh cannot log in: u@h: Permission denied (publickey)");
        assert!(hint.contains("private_key"), "{hint}");
        let (text, hint) = explain("bash: line 1: docker: command not found");
        assert!(text.starts_with(NO_DOCKER) && hint.contains("Install the docker"), "{text} {hint}");
        let (text, _) = explain(
            "ssh: Could not resolve hostname h: Name or service not known\nkex_exchange_identification: \
             Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n",
        );
        assert_eq!(text, "ssh cannot find the host: Could not resolve hostname h: Name or service not known");
        let (text, _) = explain("ssh: connect to host h port 22: Connection refused\r\n");
        assert_eq!(text, "ssh cannot connect to the host: connect to host h port 22: Connection refused");
        let (text, hint) =
            explain("error during connect: dial unix /var/run/docker.sock: connect: permission denied");
        assert!(text.starts_with(NO_ENGINE) && hint.contains("group"), "{text} {hint}");
        assert_eq!(explain("").0, "ssh: it ended without a word");
    }

    #[test]
    fn another_host_key_is_told_with_what_the_host_shows() {
        let (text, hint) = explain(
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nThe fingerprint for the ED25519 key sent by the \
             remote host is\nSHA256:abc.\nHost key for h has changed and you have requested strict checking.\n\
             Host key verification failed.\n",
        );
        assert_eq!(
            text,
            "ssh does not trust the host: Host key for h has changed and you have requested strict checking (it shows \
             the key SHA256:abc)"
        );
        assert!(hint.contains("host_key"), "{hint}");
    }
}
