//! The real registry reads what `swarm::registry` renders: files are given to Distribution's own binary, on loopback.
//!
//! The binary is the one of the testbed's image, or one named by `DISTRIBUTION_BINARY`, and speaks the dialect named by
//! `DISTRIBUTION_DIALECT`, else 2.8.

use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};
use swarm::{
    registry::{
        Trust, certificate, htpasswd,
        probe::{Expectation, Probe},
    },
    resources::RegistrySettings,
};
use tokio_util::sync::CancellationToken;

use crate::testbed;

const PATIENCE: Duration = Duration::from_secs(20);

/// Distribution's program.
fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        std::env::var_os("DISTRIBUTION_BINARY").map_or_else(testbed::registry, PathBuf::from)
    });
    &BINARY
}

pub fn dialect() -> String {
    std::env::var("DISTRIBUTION_DIALECT").unwrap_or_else(|_| "2.8".to_owned())
}

/// A port that nothing listens on, and that no other test is given: below those that connections take for themselves.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(24000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Lays attributes over others, objects in objects.
fn merge(base: &mut Json, over: Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Json::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// A running registry, killed when dropped.
pub struct Registry {
    process: Child,
    folder: tempfile::TempDir,
    pub port: u16,
    debug_port: u16,
}

impl Registry {
    /// Starts with the attributes of an ordinary registry and `more`, on loopback and free ports. What the provider would
    /// mount beneath `/run/secrets` are `files`, by their names.
    pub fn start(more: Json, files: &[(&str, &str)]) -> Self {
        Self::start_in(json!({ "filesystem": {} }), more, files)
    }

    /// The same with another storage. Files are in a folder of the test's own, unless it says where.
    pub fn start_in(mut storage: Json, more: Json, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, debug_port) = (free_port(), free_port());
        if let Some(filesystem) = storage.get_mut("filesystem").and_then(Json::as_object_mut) {
            let images = folder.path().join("images").display().to_string();
            filesystem.entry("root_directory").or_insert(images.into());
        }
        let mut config = json!({
            "distribution": dialect(),
            "http": {
                "port": port,
                "headers": { "X-Test": ["a: b", "#c"] },
                "drain_timeout": "2500ms",
            },
            "storage": storage,
            "log": { "fields": { "yes": "no" } },
            "metrics": { "port": debug_port },
        });
        merge(&mut config, more);
        let settings = RegistrySettings::from_json(config).unwrap();
        let secret = "\u{e4} \"quoted\" {{ template }} @at #hash \u{1f511}";
        let rendered = settings.configuration(secret.into()).unwrap().render();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        // The container has a network and files of its own; here, listeners belong on loopback.
        let text = rendered
            .yaml
            .expose()
            .replace("/run/secrets/", &format!("{}/", folder.path().display()))
            .replace("addr: \"0.0.0.0:", "addr: \"127.0.0.1:")
            .replace("addr: \":", "addr: \"127.0.0.1:");
        let file = folder.path().join("registry.yml");
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(binary())
            .arg("serve")
            .arg(&file)
            // The variables of this machine are nothing to a container; with this one, 2.8 panics over a bucket.
            .env_remove("AWS_CA_BUNDLE")
            .envs(settings.environment())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process, folder, port, debug_port }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub async fn serves(&self, scheme: &str, trust: Trust<'_>, has_auth: bool) {
        let address = format!("127.0.0.1:{}", self.port);
        let url = format!("{scheme}://hub.docker.local:{}", self.port);
        let probe = Probe::new(&url, trust, Some(&address)).unwrap();
        let expected = Expectation { has_auth, ..Expectation::default() };
        let served = probe.wait_until_serves(&expected, PATIENCE, &CancellationToken::new()).await;
        if let Err(error) = served {
            panic!("{error}\n{}", self.log());
        }
    }

    /// The whole answer to a GET in plain HTTP.
    fn get(&self, port: u16, path: &str, headers: &str) -> String {
        self.try_get(port, path, headers).unwrap()
    }

    fn try_get(&self, port: u16, path: &str, headers: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n{headers}\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The answer to a request in the clear, as soon as there is one, or the process has ended.
    pub fn answers(&mut self) -> String {
        for _ in 0..400 {
            match self.try_get(self.port, "/", "") {
                Ok(answer) if !answer.is_empty() => return answer,
                _ => {}
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                return format!("it ended: {status}\n");
            }
            std::thread::sleep(PATIENCE / 400);
        }
        "nobody answers\n".to_owned()
    }

    /// Waits for the process to end by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        for _ in 0..100 {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(PATIENCE / 100);
        }
        panic!("the registry still runs\n{}", self.log());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

#[tokio::test]
async fn everything_that_is_rendered_by_default_is_understood() {
    let mut registry = Registry::start(json!({}), &[]);
    registry.serves("http", Trust::System, false).await;
    let answer = registry.get(registry.port, "/v2/", "");
    for header in ["X-Content-Type-Options: nosniff", "X-Test: a: b", "X-Test: #c"] {
        assert!(answer.contains(header), "{answer}");
    }
    assert!(registry.get(registry.debug_port, "/debug/health", "").starts_with("HTTP/1.1 200"));
    assert!(registry.get(registry.debug_port, "/metrics", "").contains("go_goroutines"));

    let pid = registry.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(registry.exit_code(), Some(0), "{}", registry.log());
}

#[tokio::test]
async fn tls_and_users_work_as_made() {
    let made = rcgen::generate_simple_self_signed(vec!["hub.docker.local".to_owned()]).unwrap();
    let (ca, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let users = BTreeMap::from([("ci".to_owned(), "pass word:\u{e4}".into())]);
    let users = htpasswd::make(&users, b"key", htpasswd::DEFAULT_COST).unwrap();
    let registry = Registry::start(
        json!({
            "auth": { "htpasswd": { "realm": "a \"realm\"", "file": "users" } },
            "tls": { "certificate": "PEM", "private_key": "PEM", "minimum": "tls1.2" },
        }),
        &[("registry-tls.crt", &ca), ("registry-tls.key", &key), ("registry-htpasswd", users.expose())],
    );
    registry.serves("https", Trust::Authorities(&ca), true).await;
}

#[tokio::test]
async fn a_made_user_logs_in_and_nobody_else() {
    let users = BTreeMap::from([("ci".to_owned(), "hunter2".into())]);
    let users = htpasswd::make(&users, b"key", 4).unwrap();
    let registry = Registry::start(
        json!({ "auth": { "htpasswd": { "file": "users" } } }),
        &[("registry-htpasswd", users.expose())],
    );
    registry.serves("http", Trust::System, true).await;
    // ci:hunter2 and ci:hunter3
    for (credentials, status) in [("Y2k6aHVudGVyMg==", "200"), ("Y2k6aHVudGVyMw==", "401")] {
        let answer = registry.get(registry.port, "/v2/", &format!("Authorization: Basic {credentials}\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[test]
fn what_t1_refuses_would_not_have_started() {
    let pair = || rcgen::generate_simple_self_signed(vec!["hub.docker.local".to_owned()]).unwrap();
    let (certificate, key) = (pair().cert.pem(), pair().signing_key.serialize_pem());
    let material = certificate::Material {
        certificate: &certificate,
        key: Some(certificate::PrivateKey(&key)),
        ..certificate::Material::default()
    };
    let codes: Vec<_> = certificate::inspect(material, std::time::SystemTime::now())
        .into_iter()
        .filter(swarm::registry::Finding::is_error)
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, ["T1"]);
    let mut registry = Registry::start(
        json!({ "tls": { "certificate": "PEM", "private_key": "PEM" } }),
        &[("registry-tls.crt", &certificate), ("registry-tls.key", &key)],
    );
    assert_eq!(registry.exit_code(), Some(1));
    assert!(registry.log().contains("private key does not match public key"), "{}", registry.log());
}
