use super::super::error::{Kind, NotManager};
use super::super::scripted::{Answer, Scripted, client, ok, refuse};
use super::super::{BlobKind, NewBlob};
use super::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

const NOWHERE: &str = "unix:///nonexistent/socket";
const WORKER: &str =
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.";

fn info(state: &str, manages: bool) -> Answer {
    ok(json!({"Swarm": {"LocalNodeState": state, "ControlAvailable": manages}}))
}

/// A manager with one service of this name.
fn manager(version: &'static str, service: &'static str) -> Scripted {
    Scripted::of_version(version, "1.12", move |asked| match asked.what.as_str() {
        "GET /info" => info("active", true),
        "GET /services" => ok(json!([{"ID": service, "Spec": {"Name": service}}])),
        _ => ok(json!([])),
    })
}

fn worker() -> Scripted {
    Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => info("active", false),
        _ => refuse(503, WORKER),
    })
}

async fn service_of(docker: &Docker) -> Result<String> {
    docker.services_now().await.map(|services| services[0].id.clone())
}

#[tokio::test]
async fn the_first_manager_is_asked_and_remembered_with_its_own_version() {
    let (no_manager, first, second) = (worker(), manager("1.44", "first"), manager("1.41", "second"));
    let hosts = [NOWHERE, no_manager.docker.host(), first.docker.host(), second.docker.host()];
    let docker = client(&hosts);
    assert_eq!(service_of(&docker).await, Ok("first".into()));
    assert_eq!(service_of(&docker).await, Ok("first".into()));
    assert_eq!(docker.api_version().await, Ok(ApiVersion(1, 44)));
    assert_eq!((first.count("GET /info"), no_manager.count("GET /services")), (1, 0));
    assert!(first.asked().iter().all(|asked| asked.version == "/v1.44"));
    docker.require_manager().await.unwrap();
}

#[tokio::test]
async fn a_read_under_way_is_made_again_on_the_next_manager_which_speaks_another_version() {
    let dead = AtomicBool::new(false);
    let first = Scripted::of_version("1.44", "1.12", move |asked| match asked.what.as_str() {
        "GET /info" if !dead.load(SeqCst) => info("active", true),
        _ => {
            dead.store(true, SeqCst);
            Answer::HangUp
        }
    });
    let second = manager("1.41", "second");
    let docker = client(&[first.docker.host(), second.docker.host()]);
    assert_eq!(service_of(&docker).await, Ok("second".into()));
    assert_eq!(second.asked().last().unwrap().version, "/v1.41");
    assert_eq!(docker.api_version().await, Ok(ApiVersion(1, 41)));
    service_of(&docker).await.unwrap();
    assert_eq!(first.count("GET /services"), 1, "the one that works is remembered");
}

#[tokio::test]
async fn a_manager_that_was_demoted_is_left() {
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let first = Scripted::new(move |asked| match asked.what.as_str() {
        "GET /info" => info("active", count.load(SeqCst) == 0),
        _ => match count.fetch_add(1, SeqCst) {
            0 => ok(json!([{"ID": "first", "Spec": {}}])),
            _ => refuse(503, WORKER),
        },
    });
    let second = manager("1.41", "second");
    let docker = client(&[first.docker.host(), second.docker.host()]);
    assert_eq!(service_of(&docker).await, Ok("first".into()));
    assert_eq!(service_of(&docker).await, Ok("second".into()));
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_on_the_next_manager() {
    let first = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => ok(
            json!({"SystemTime": "2026-01-01T00:00:00Z", "Swarm": {"LocalNodeState": "active", "ControlAvailable": true}}),
        ),
        _ => Answer::HangUp,
    });
    let second = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => info("active", true),
        "GET /secrets" => ok(
            json!([{"ID": "made", "CreatedAt": "2026-01-01T00:00:01Z", "Spec": {"Name": "s", "Labels": {}}}]),
        ),
        _ => refuse(409, "rpc error: code = AlreadyExists desc = secret s already exists"),
    });
    let docker = client(&[first.docker.host(), second.docker.host()]);
    docker.info().await.unwrap();
    let labels = BTreeMap::new();
    let new = NewBlob { name: "s", labels: &labels, data: b"x", driver: None, templating: None };
    assert_eq!(docker.create_blob(BlobKind::Secret, &new).await, Ok("made".into()));
    assert_eq!((first.count("POST /secrets/create"), second.count("POST /secrets/create")), (1, 1));
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_not_sent_to_another_manager_by_itself() {
    let first = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => info("active", true),
        _ => Answer::HangUp,
    });
    let second = manager("1.41", "second");
    let docker = client(&[first.docker.host(), second.docker.host()]);
    let write = Request::post("/swarm/update").about(Kind::Node, "n");
    let error = docker.call(Repeat::Write, &write).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { unsent: false, .. }), "{error}");
    assert_eq!(second.count("POST /swarm/update"), 0);
    assert_eq!(service_of(&docker).await, Ok("second".into()), "but what comes next is");
}

#[tokio::test]
async fn where_none_can_be_used_each_is_named_with_its_reason() {
    let no_swarm = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => info("inactive", false),
        _ => refuse(503, "This node is not a swarm manager. Use \"docker swarm init\""),
    });
    let no_manager = worker();
    let docker = client(&[NOWHERE, no_swarm.docker.host(), no_manager.docker.host()]);
    for error in [service_of(&docker).await.unwrap_err(), docker.require_manager().await.unwrap_err()] {
        let text = error.to_string();
        let Error::NoneOf { failures, .. } = error else { panic!("{text}") };
        assert!(
            matches!(&failures[2].1, Error::NotManager { reason: NotManager::Worker { .. }, .. }),
            "{text}"
        );
        assert!(text.contains("- unix:///nonexistent/socket: the socket does not exist"), "{text}");
        assert!(text.contains("docker swarm init") && text.contains("it is a worker"), "{text}");
    }
    let info = docker.info().await.unwrap();
    assert_eq!(info.swarm.local_node_state, "inactive", "the first that answers says what it is");
}

/// A node whose part in the swarm has failed, as with a full disk, answers like one that is in none.
#[tokio::test]
async fn an_engine_whose_part_in_the_swarm_has_failed_says_why() {
    let failed = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => ok(json!({"Swarm": {"LocalNodeState": "error", "Error": "no space left on device"}})),
        _ => refuse(503, "This node is not a swarm manager. Use \"docker swarm init\""),
    });
    let error = failed.docker.require_manager().await.unwrap_err();
    assert!(error.to_string().contains("no space left on device") && !error.is_no_swarm(), "{error}");
}

#[tokio::test]
async fn a_node_that_is_just_promoted_is_a_manager() {
    let promoted = AtomicBool::new(false);
    let node = Scripted::new(move |asked| match asked.what.as_str() {
        "GET /info" => {
            promoted.store(true, SeqCst);
            info("active", true)
        }
        _ if promoted.load(SeqCst) => ok(json!([])),
        _ => refuse(503, WORKER),
    });
    node.docker.require_manager().await.unwrap();
}

/// To say all that it is, an Engine starts other programs.
#[tokio::test]
async fn only_who_refuses_is_asked_what_it_is_and_a_worker_names_the_managers() {
    let manager = manager("1.41", "s");
    manager.docker.require_manager().await.unwrap();
    assert_eq!((manager.count("GET /nodes"), manager.count("GET /info")), (1, 0));
    let worker = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => ok(json!({"Swarm": {
            "LocalNodeState": "active", "RemoteManagers": [{"NodeID": "m", "Addr": "10.0.0.1:2377"}],
        }})),
        _ => refuse(503, WORKER),
    });
    let error = worker.docker.require_manager().await.unwrap_err();
    assert!(error.to_string().contains("10.0.0.1:2377"), "{error}");
}

#[tokio::test]
async fn a_swarm_that_is_made_meanwhile_is_found() {
    let made = Arc::new(AtomicBool::new(false));
    let is_made = Arc::clone(&made);
    let first = Scripted::new(move |asked| match asked.what.as_str() {
        "GET /info" if is_made.load(SeqCst) => info("active", true),
        "GET /info" => info("inactive", false),
        "POST /swarm/init" => {
            is_made.store(true, SeqCst);
            ok(Value::Null)
        }
        _ => ok(json!([{"ID": "first", "Spec": {}}])),
    });
    let second = Scripted::new(|_| info("inactive", false));
    let docker = client(&[first.docker.host(), second.docker.host()]);
    docker.call(Repeat::Write, &Request::post("/swarm/init")).await.unwrap();
    assert_eq!(service_of(&docker).await, Ok("first".into()));
    docker.require_manager().await.unwrap();
}

#[tokio::test]
async fn hundreds_of_reads_fail_together_where_all_are_gone() {
    let docker = client(&[NOWHERE, "tcp://127.0.0.1:1"]);
    let started = Instant::now();
    let reads = (0..300).map(|_| docker.inspect_node("n"));
    let reads = futures_util::future::join_all(reads).await;
    assert!(reads.iter().all(|read| matches!(read, Err(Error::NoneOf { .. }))), "{:?}", reads[0]);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn events_follow_to_the_next_manager() {
    let first = manager("1.41", "first");
    let second = Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => info("active", true),
        "GET /events" => ok(json!({"Type": "service", "Action": "update", "Actor": {"ID": "s"}})),
        _ => ok(json!([])),
    });
    let docker = client(&[first.docker.host(), second.docker.host()]);
    let engine = docker.engine().await.unwrap().engine;
    let gone = Error::Unreachable {
        host: String::new(),
        origin: String::new(),
        cause: String::new(),
        hint: None,
        unsent: true,
        passing: true,
    };
    assert!(docker.0.engines.moves_on(&engine, &gone));
    let mut events = docker.events();
    let heard = tokio::time::timeout(Duration::from_secs(5), events.recv()).await.unwrap().unwrap();
    assert_eq!(heard.service.as_deref(), Some("s"));
    assert_eq!(first.count("GET /events"), 0);
}
