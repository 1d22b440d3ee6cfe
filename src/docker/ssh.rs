//! Engines behind `ssh://`: sessions of `docker system dial-stdio`, all over one connection to the host.
//!
//! Each session alone would be a connection of its own, and a server refuses those above `MaxStartups` (10 by
//! default) while they log in. So one connection is made first, which also gives one place for a failed login to
//! be told, and the sessions are multiplexed over it (OpenSSH's `ControlMaster`). Their number stays below
//! `MaxSessions`, which is 10 by default too. The connection goes into the background and ends by itself when no
//! session was open for a while, so nothing is left behind even where this process is killed.

use super::endpoint::SshAddress;
use super::explain::Cause;
use std::{
    future::Future,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    pin::Pin,
    process::Stdio,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// Open sessions at a time, below OpenSSH's default `MaxSessions` of 10.
const SESSIONS: usize = 8;
/// How long the connection may take to come about, the login included.
const LOGIN: Duration = Duration::from_secs(45);
/// Bytes of a session's error text that are kept.
const STDERR: u64 = 4096;

/// A host that is reached by ssh.
pub(super) struct Ssh {
    address: SshAddress,
    options: Vec<String>,
    master: Mutex<Option<Master>>,
    sessions: Arc<Semaphore>,
}

impl Ssh {
    pub(super) fn new(address: SshAddress, options: Vec<String>) -> Self {
        Self { address, options, master: Mutex::default(), sessions: Arc::new(Semaphore::new(SESSIONS)) }
    }

    /// Opens a session, and the connection to the host before it where there is none.
    pub(super) async fn open(&self) -> Result<Session, Cause> {
        let permit = Arc::clone(&self.sessions)
            .acquire_owned()
            .await
            .map_err(|error| Cause::new(error.to_string(), None, false))?;
        let socket = self.connection().await?;
        let mut command = self.ssh(&socket);
        command.args(["-o", "ControlMaster=no", "-T", "--", &self.address.host, "docker"]);
        if let Some(path) = &self.address.socket {
            command.arg(format!("--host=unix://{path}"));
        }
        command.args(["system", "dial-stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
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
        if let Some(master) = master.as_ref().filter(|master| master.socket.exists()) {
            return Ok(master.socket.clone());
        }
        let folder = private_folder().map_err(|error| {
            Cause::new(format!("no folder for the ssh connection can be made: {error}"), None, false)
        })?;
        let new = Master { socket: folder.join("s"), folder, host: self.address.host.clone() };
        let mut command = self.ssh(&new.socket);
        command.args(["-o", "ControlMaster=yes", "-o", "ControlPersist=30"]);
        command.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15"]);
        command.args(["-N", "-f", "-T", "--", &self.address.host]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let started = command.spawn().map_err(|error| cannot_start(&error))?;
        let ended = tokio::time::timeout(LOGIN, started.wait_with_output()).await;
        let output = ended
            .map_err(|_| Cause::new("ssh did not log in within 45 s", None, true))?
            .map_err(|error| cannot_start(&error))?;
        if !output.status.success() {
            return Err(SessionEnded(String::from_utf8_lossy(&output.stderr).into_owned()).explain());
        }
        let socket = new.socket.clone();
        *master = Some(new);
        Ok(socket)
    }

    /// The options of the user come first, for with ssh the first that is said stands.
    fn ssh(&self, socket: &Path) -> Command {
        let mut command = Command::new("ssh");
        command.args(&self.options);
        command.arg("-o").arg(format!("ControlPath={}", socket.display()));
        if let Some(user) = &self.address.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.address.port {
            command.args(["-p", &port.to_string()]);
        }
        command
    }
}

/// The connection in the background that the sessions share. It is closed when this is dropped.
struct Master {
    folder: PathBuf,
    socket: PathBuf,
    host: String,
}

impl Drop for Master {
    fn drop(&mut self) {
        // Waiting for this short-lived command would block; the connection ends by itself where it fails.
        let asked = std::process::Command::new("ssh")
            .arg("-o")
            .arg(format!("ControlPath={}", self.socket.display()))
            .args(["-O", "exit", "--", &self.host])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if let Err(error) = asked {
            tracing::debug!(%error, "closing the ssh connection");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "removing the folder of the ssh connection");
        }
    }
}

/// A folder that only this user can enter, with a path short enough for a Unix socket (about 100 bytes).
fn private_folder() -> io::Result<PathBuf> {
    let unique = std::process::id().to_string() + "-" + &super::pace::random().to_string();
    let base = std::env::temp_dir();
    let base = if base.as_os_str().len() > 40 { PathBuf::from("/tmp") } else { base };
    let folder = base.join(format!("tf-swarm-{unique}"));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
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

impl SessionEnded {
    pub(super) fn explain(&self) -> Cause {
        let last = self.0.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let line =
            last.unwrap_or("it ended without a word").trim_start_matches("ssh: ").trim_end_matches('.');
        let has = |part: &str| self.0.to_lowercase().contains(part);
        let (hint, passing) = if has("host key verification failed") {
            (Some("Add the host's key to known_hosts, for example by logging in once by hand"), false)
        } else if has("permission denied (") {
            (
                Some(
                    "Give ssh a key that the host accepts, in an agent or with `-i` and the file in the ssh options",
                ),
                false,
            )
        } else if has("could not resolve") {
            (Some("Check the name of the host"), false)
        } else if has("docker: command not found") || has("docker: not found") {
            (Some("Install the docker command line on that host"), false)
        } else if has("no such file") && has("dial unix") {
            (Some("Check the path of the socket and that the Docker Engine runs there"), true)
        } else if has("permission denied") {
            (Some("Let that user use Docker there, as a member of the group `docker` for example"), false)
        } else {
            (None, has("refused") || has("timed out") || has("closed"))
        };
        Cause::new(format!("ssh: {line}"), hint, passing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_ssh_is_told_with_what_to_do() {
        let text = "Warning: Permanently added 'h'.\nu@h: Permission denied (publickey).\n";
        let cause = SessionEnded(text.into()).explain();
        assert_eq!(cause.text, "ssh: u@h: Permission denied (publickey)");
        assert!(cause.hint.unwrap().contains("key"), "{cause:?}");
        let cause = SessionEnded("bash: line 1: docker: command not found".into()).explain();
        assert!(cause.hint.unwrap().contains("Install the docker"), "{cause:?}");
        assert_eq!(SessionEnded(String::new()).explain().text, "ssh: it ended without a word");
    }
}
