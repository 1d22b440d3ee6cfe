//! Six hundred resources in one state: how often the Engine is asked, counted at its socket.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

/// What went through the socket.
#[derive(Default)]
struct Seen {
    /// How often each `METHOD /path` was asked, the version and the query left out.
    requests: BTreeMap<String, usize>,
    /// How many updates of each node are in flight.
    in_flight: BTreeMap<String, usize>,
    /// The nodes that had two updates in flight.
    overlapping: Vec<String>,
    /// When node updates were sent, to see how they were gathered.
    sent: Vec<Instant>,
}

/// A socket before the Engine's that counts.
struct Counter {
    path: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

impl Counter {
    fn before(engine: PathBuf, folder: &Path) -> Self {
        let path = folder.join("counted.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let counted = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let engine = UnixStream::connect(&engine).unwrap();
                let seen = Arc::clone(&counted);
                thread::spawn(move || forward(client, engine, &seen));
            }
        });
        Counter { path, seen }
    }

    /// What was asked since the last call.
    fn take(&self) -> Seen {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// Passes one connection on, whose requests follow one another.
fn forward(mut client: UnixStream, mut engine: UnixStream, seen: &Arc<Mutex<Seen>>) {
    let (mut from_engine, mut to_client) = (engine.try_clone().unwrap(), client.try_clone().unwrap());
    let updating: Arc<Mutex<Option<String>>> = Arc::default();
    let (answering, answers) = (Arc::clone(&updating), Arc::clone(seen));
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = from_engine.read(&mut buffer) {
            if let Some(node) = answering.lock().unwrap().take() {
                *answers.lock().unwrap().in_flight.entry(node).or_default() -= 1;
            }
            if to_client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _closed = to_client.shutdown(std::net::Shutdown::Both);
    });
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        if let Some(request) = request_line(&buffer[..length]) {
            let mut seen = seen.lock().unwrap();
            if let Some(node) =
                request.strip_prefix("POST /nodes/").and_then(|rest| rest.strip_suffix("/update"))
            {
                seen.sent.push(Instant::now());
                let flying = seen.in_flight.entry(node.to_owned()).or_default();
                *flying += 1;
                if *flying > 1 {
                    seen.overlapping.push(node.to_owned());
                }
                *updating.lock().unwrap() = Some(node.to_owned());
            }
            *seen.requests.entry(request).or_default() += 1;
        }
        if engine.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _closed = engine.shutdown(std::net::Shutdown::Both);
}

/// `METHOD /path` of a request that begins here.
fn request_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (method, rest) = line.split_once(' ')?;
    let (target, protocol) = rest.split_once(' ')?;
    if !protocol.starts_with("HTTP/1") {
        return None;
    }
    let path = target.split('?').next()?;
    let path = match path.strip_prefix("/v") {
        Some(rest) => &rest[rest.find('/')?..],
        None => path,
    };
    Some(format!("{method} {path}"))
}

fn of<'a>(seen: &'a Seen, part: &str) -> Vec<(&'a String, &'a usize)> {
    seen.requests.iter().filter(|(request, _)| request.contains(part)).collect()
}

#[test]
fn six_hundred_resources_ask_little() {
    let testbed = Testbed::shared();
    let (prefix, key) = (unique("many"), unique("many"));
    let hcl = |value: &str| {
        format!(
            r#"
resource "swarm_secret" "it" {{
  count   = 300
  name    = "{prefix}-${{count.index}}"
  data_wo = "x"
}}

resource "swarm_node_label" "it" {{
  count = 300
  node  = element(["hubmgr", "hubworker01", "hubworker02"], count.index)
  key   = "{key}-${{count.index}}"
  value = "{value}"
}}
"#
        )
    };
    let mut workspace = Workspace::new(testbed, &hcl("a"));
    let counter = Counter::before(testbed.socket("hubmgr"), workspace.path());
    workspace.set("DOCKER_HOST", &format!("unix://{}", counter.path.display()));

    workspace.run(&["apply", "-auto-approve", "-no-color", "-parallelism=100"]);
    let made = counter.take();
    assert_eq!(made.overlapping, Vec::<String>::new(), "two updates of one node in flight");
    let updates: usize = of(&made, "/update").iter().map(|(_, count)| **count).sum();
    let after = |sent: &Instant| sent.duration_since(made.sent[0]).as_millis();
    assert!(
        updates <= 15,
        "300 labels on 3 nodes took {updates} node updates with -parallelism=100, after {:?} ms",
        made.sent.iter().map(after).collect::<Vec<_>>()
    );

    workspace.run(&["plan", "-detailed-exitcode", "-no-color"]);
    let refreshed = counter.take();
    for list in ["GET /secrets", "GET /nodes"] {
        assert_eq!(refreshed.requests.get(list), Some(&1), "{:?}", refreshed.requests);
    }
    assert!(
        of(&refreshed, "GET /secrets/").is_empty() && of(&refreshed, "GET /nodes/").is_empty(),
        "{:?}",
        refreshed.requests
    );

    workspace.write(&hcl("b"));
    workspace.run(&["apply", "-auto-approve", "-no-color"]);
    let changed = counter.take();
    assert_eq!(changed.overlapping, Vec::<String>::new());
    let updates: usize = of(&changed, "/update").iter().map(|(_, count)| **count).sum();
    assert!(updates <= 110, "300 labels on 3 nodes took {updates} node updates with Terraform's default");
}
