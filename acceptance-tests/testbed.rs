//! A swarm of real hosts on this machine: each a network namespace with a real Docker Engine.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A running testbed.
pub struct Testbed {
    dir: PathBuf,
    manager: String,
}

/// The command that makes and breaks hosts.
fn command() -> Command {
    Command::new(root().join("acceptance-tests/testbed/testbed"))
}

/// The folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Distribution's program, the one in the image `registry:2` of every host.
pub fn registry() -> PathBuf {
    succeeded("testbed registry", &command().arg("registry").output().unwrap()).trim().into()
}

/// A name that no other test has, beginning with `prefix`.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Testbed {
    /// The swarm that all tests share which do no harm to its hosts: `hubmgr`, `hubworker01`, `hubworker02`. It goes
    /// down when the tests have ended.
    pub fn shared() -> &'static Testbed {
        static SHARED: OnceLock<Testbed> = OnceLock::new();
        SHARED.get_or_init(|| Testbed::start(&[], &["hubmgr", "hubworker01", "hubworker02"]))
    }

    /// A swarm of its own, for a test that does harm. It goes down when the value is dropped.
    pub fn start(options: &[&str], hosts: &[&str]) -> Testbed {
        let bed = Testbed { dir: std::env::temp_dir().join(unique("testbed")), manager: hosts[0].to_owned() };
        // Whatever happens to this process, its testbeds go down with it.
        let owner = std::process::id().to_string();
        let mut up = command();
        up.arg("up").arg(&bed.dir).args(["--owner", &owner]).args(options).args(hosts);
        succeeded(
            "testbed up (it needs root, and `acceptance-tests/run` brings what it needs)",
            &up.output().unwrap(),
        );
        bed
    }

    /// Runs `testbed VERB DIR ARGS…`: stop, start, kill, pause, resume, cut, heal.
    pub fn run(&self, verb: &str, args: &[&str]) -> String {
        succeeded(
            &format!("testbed {verb}"),
            &command().arg(verb).arg(&self.dir).args(args).output().unwrap(),
        )
    }

    /// The socket of a host's Engine.
    pub fn socket(&self, host: &str) -> PathBuf {
        self.dir.join(format!("{host}.sock"))
    }

    /// A file of the testbed's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The manager's address for `DOCKER_HOST`.
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.socket(&self.manager).display())
    }

    /// The IP address of a host.
    pub fn address(&self, host: &str) -> String {
        let file = self.dir.join("hosts").join(host).join("address");
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// The network namespace of a host.
    pub fn network(&self, host: &str) -> PathBuf {
        let process = std::fs::read_to_string(self.dir.join("hosts").join(host).join("process")).unwrap();
        Path::new("/proc").join(process.split_whitespace().next().unwrap()).join("ns/net")
    }

    /// What `docker ARGS…` prints on the manager; it must succeed.
    pub fn docker(&self, args: &[&str]) -> String {
        succeeded(&format!("docker {}", args.join(" ")), &self.try_docker(args)).trim().to_owned()
    }

    /// What `docker ARGS…` prints on a host; it must succeed.
    pub fn docker_on(&self, host: &str, args: &[&str]) -> String {
        let what = format!("docker {} on {host}", args.join(" "));
        succeeded(&what, &self.try_docker_on(host, args)).trim().to_owned()
    }

    /// `docker ARGS…` on a host, whether it succeeds or not.
    pub fn try_docker_on(&self, host: &str, args: &[&str]) -> Output {
        let socket = format!("unix://{}", self.socket(host).display());
        Command::new("docker").env("DOCKER_HOST", socket).args(args).output().unwrap()
    }

    /// `docker ARGS…` on the manager, whether it succeeds or not. The command reads an object and writes it back: where another
    /// test has changed it in between, as the labels of a node, it is run again.
    pub fn try_docker(&self, args: &[&str]) -> Output {
        let run =
            || Command::new("docker").env("DOCKER_HOST", self.docker_host()).args(args).output().unwrap();
        let outdated = |output: &Output| String::from_utf8_lossy(&output.stderr).contains("out of sequence");
        let mut output = run();
        for _ in 0..20 {
            if output.status.success() || !outdated(&output) {
                break;
            }
            output = run();
        }
        output
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        succeeded("testbed down", &command().arg("down").arg(&self.dir).output().unwrap());
    }
}

/// The standard output of what must have succeeded.
pub fn succeeded(what: &str, output: &Output) -> String {
    assert!(
        output.status.success(),
        "{what} failed\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asks again until there is an answer, for at most half a minute.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(std::time::Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
