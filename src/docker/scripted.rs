//! An Engine that says what a test wants, over a real Unix socket: for what real ones cannot be made to say.

use super::Docker;
use super::endpoint::{Endpoint, Settings};
use super::pace::Patience;
use super::shared::lock;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Method and path, without the version and the query.
    pub what: String,
    /// The prefix of the path, such as `/v1.41`, empty where there is none.
    pub version: String,
    pub query: String,
    pub body: Value,
}

/// What is answered.
pub(crate) enum Answer {
    Json(u16, Value),
    /// The connection is closed without an answer.
    HangUp,
}

pub(crate) fn ok(body: Value) -> Answer {
    Answer::Json(200, body)
}

pub(crate) fn refuse(status: u16, message: &str) -> Answer {
    Answer::Json(status, json!({ "message": message }))
}

type Script = dyn Fn(&Asked) -> Answer + Send + Sync;

/// The Engine, and a client that talks to it.
pub(crate) struct Scripted {
    pub docker: Docker,
    asked: Arc<Mutex<Vec<Asked>>>,
    _folder: tempfile::TempDir,
}

impl Scripted {
    /// Starts an Engine of API 1.41 that answers as `script` says.
    pub(crate) fn new(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::of_version("1.41", "1.12", script)
    }

    pub(crate) fn of_version(
        newest: &'static str,
        oldest: &'static str,
        script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let with_version = move |asked: &Asked| match asked.what.as_str() {
            "GET /version" => ok(json!({ "ApiVersion": newest, "MinAPIVersion": oldest })),
            _ => script(asked),
        };
        let (script, log): (Arc<Script>, _) = (Arc::new(with_version), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { docker: client(&[&format!("unix://{}", path.display())]), asked, _folder: folder }
    }

    /// The requests that came, but for the one for the version.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).iter().filter(|asked| asked.what != "GET /version").cloned().collect()
    }

    /// How many requests of this method and path came.
    pub(crate) fn count(&self, what: &str) -> usize {
        lock(&self.asked).iter().filter(|asked| asked.what == what).count()
    }
}

/// A client of the Engines at these addresses, with little patience.
pub(crate) fn client(hosts: &[&str]) -> Docker {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let settings = Settings { hosts, ..Settings::default() };
    let endpoint = Endpoint::resolve(&settings, &|_| None, None).unwrap();
    let patience = Patience { first_contact: Duration::from_millis(300), ..Patience::default() };
    Docker::with_patience(&endpoint, patience).unwrap()
}

async fn serve(stream: UnixStream, script: Arc<Script>, log: Arc<Mutex<Vec<Asked>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream).await {
        lock(&log).push(asked.clone());
        let Answer::Json(status, body) = script(&asked) else { return };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

async fn read(stream: &mut BufReader<UnixStream>) -> Option<Asked> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = head.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (version, path) = match path.strip_prefix("/v1.") {
        Some(rest) => {
            let at = rest.find('/')? + "/v1.".len();
            (path[..at].to_owned(), &path[at..])
        }
        None => (String::new(), path),
    };
    Some(Asked {
        what: format!("{method} {path}"),
        version,
        query: query.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

mod tests {
    use super::super::error::{Error, Found, NotManager};
    use super::super::{ApiVersion, BlobKind, NodeState};
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    #[tokio::test]
    async fn every_path_bears_the_agreed_version_bollards_too() {
        let engine = Scripted::of_version("1.54", "1.44", |_| ok(json!([])));
        engine.docker.secrets().await.unwrap();
        engine.docker.nodes().await.unwrap();
        assert_eq!(engine.docker.api_version().await, Ok(ApiVersion::NEWEST));
        let versions: Vec<_> = engine.asked().into_iter().map(|asked| asked.version).collect();
        assert_eq!(versions, ["/v1.52", "/v1.52"]);
        assert_eq!(engine.count("GET /version"), 1);
    }

    #[tokio::test]
    async fn an_engine_that_is_too_old_is_refused_before_anything_is_asked() {
        let engine = Scripted::of_version("1.40", "1.12", |_| ok(json!([])));
        let error = engine.docker.secrets().await.unwrap_err();
        assert!(matches!(error, Error::NoCommonVersion { .. }), "{error}");
        assert!(engine.asked().is_empty());
    }

    #[tokio::test]
    async fn a_word_of_a_newer_engine_does_no_harm() {
        let node = json!({"ID": "n", "Spec": {"Role": "owner"}, "Status": {"State": "asleep"}, "New": {}});
        let engine = Scripted::new(move |_| ok(json!([node])));
        let nodes = engine.docker.nodes().await.unwrap();
        assert_eq!(nodes[0].status.state, NodeState::Other("asleep".into()));
    }

    #[tokio::test]
    async fn many_reads_become_one_list_and_a_write_ends_it() {
        let engine = Scripted::new(|asked| match asked.what.as_str() {
            "GET /secrets" => ok(json!([{"ID": "s", "Spec": {"Name": "n", "Labels": null}}])),
            _ => Answer::Json(204, Value::Null),
        });
        join_all((0..300).map(|_| engine.docker.blob(BlobKind::Secret, "s")))
            .await
            .into_iter()
            .for_each(|read| drop(read.unwrap()));
        assert_eq!(engine.docker.blob(BlobKind::Secret, "other").await.found(), Ok(None));
        assert_eq!(engine.count("GET /secrets"), 1);
        engine.docker.remove_blob(BlobKind::Secret, "s").await.unwrap();
        engine.docker.secrets().await.unwrap();
        assert_eq!(engine.count("GET /secrets"), 2);
    }

    #[tokio::test]
    async fn a_lost_answer_of_a_read_is_asked_for_again() {
        let calls = AtomicU32::new(0);
        let engine = Scripted::new(move |_| match calls.fetch_add(1, SeqCst) {
            0 => Answer::HangUp,
            1 => refuse(503, "Manager is being prepared or has trouble connecting to the cluster."),
            _ => ok(json!([])),
        });
        assert!(engine.docker.services().await.unwrap().is_empty());
        assert_eq!(engine.count("GET /services"), 3);
    }

    #[tokio::test]
    async fn a_permanent_refusal_is_not_asked_for_again() {
        let engine =
            Scripted::new(|_| refuse(503, "Worker nodes can't be used to view or modify cluster state."));
        let error = engine.docker.nodes().await.unwrap_err();
        assert!(matches!(error, Error::NotManager { reason: NotManager::Worker { .. }, .. }), "{error}");
        assert_eq!(engine.count("GET /nodes"), 1);
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_told_with_its_source() {
        let settings = Settings { hosts: vec!["unix:///nonexistent/socket".into()], ..Settings::default() };
        let endpoint = Endpoint::resolve(&settings, &|_| None, None).unwrap();
        let patience = Patience { first_contact: Duration::ZERO, ..Patience::default() };
        let docker = Docker::with_patience(&endpoint, patience).unwrap();
        let error = docker.nodes().await.unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot reach the Docker Engine at unix:///nonexistent/socket (from the provider's `host`): the socket \
             does not exist. Is the Docker Engine running there?"
        );
    }

    #[tokio::test]
    async fn a_stop_ends_what_waits() {
        let engine = Scripted::new(|_| refuse(503, "Manager is being prepared or has trouble connecting."));
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            engine.docker.stop();
        };
        let (read, ()) = tokio::join!(engine.docker.nodes(), stopping);
        assert_eq!(read, Err(Error::Stopped));
        assert_eq!(engine.docker.secrets().await, Err(Error::Stopped));
    }

    /// What futures of resources are made of has to be able to move between threads.
    #[tokio::test]
    async fn calls_can_be_spawned() {
        let engine = Scripted::new(|_| ok(json!([])));
        let docker = engine.docker.clone();
        let found = tokio::spawn(async move { docker.find_service("x").await.found() }).await.unwrap();
        assert_eq!(found, Ok(None));
    }

    #[tokio::test]
    async fn hundreds_of_reads_fail_together_where_nothing_answers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _silent = UnixListener::bind(&path).unwrap();
        let settings = Settings { hosts: vec![format!("unix://{}", path.display())], ..Settings::default() };
        let endpoint = Endpoint::resolve(&settings, &|_| None, None).unwrap();
        let patience = Patience { first_call: Duration::from_millis(200), ..Patience::default() };
        let docker = Docker::with_patience(&endpoint, patience).unwrap();
        let started = std::time::Instant::now();
        let reads = join_all((0..300).map(|_| docker.inspect_node("n"))).await;
        assert!(reads.iter().all(|read| matches!(read, Err(Error::Timeout { .. }))));
        let error = docker.secrets().await.unwrap_err().to_string();
        assert!(error.contains("does not answer GET /version"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_login_by_ssh_that_hangs_is_told_in_the_words_of_ssh() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("ssh://root@{}", silent.local_addr().unwrap());
        // One of several, so that it takes five seconds only.
        let hosts = vec![host, "unix:///nonexistent".to_owned()];
        let settings = Settings { hosts, ..Settings::default() };
        let endpoint = Endpoint::resolve(&settings, &|_| None, None).unwrap();
        let patience = Patience {
            first_call: Duration::from_millis(200),
            attempts: Duration::from_secs(1),
            ..Patience::default()
        };
        let docker = Docker::with_patience(&endpoint, patience).unwrap();
        let error = docker.info().await.unwrap_err().to_string();
        assert!(error.contains("ssh cannot connect to the host"), "{error}");
    }
}
