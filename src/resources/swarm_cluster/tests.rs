//! What real Engines cannot be made to do at the right moment: a host on a scripted one.

use super::*;
use crate::docker::scripted::{Answer, Scripted, ok, refuse};
use crate::terraform::Private;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

fn context(engine: &Scripted) -> Context<Docker> {
    Context { client: engine.docker.clone(), private: Private::default(), warnings: vec![] }
}

/// What is planned, with a label to write.
fn planned() -> SwarmCluster {
    let mut planned = SwarmCluster::imported(&Cluster::default());
    planned.labels = Some(BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    for computed in [&mut planned.id, &mut planned.created_at, &mut planned.root_ca_certificate] {
        *computed = Computed::default();
    }
    planned
}

/// A host in a swarm or in none, of which no change of settings is accepted.
fn stubborn(in_a_swarm: bool) -> Scripted {
    let is_in = AtomicBool::new(in_a_swarm);
    Scripted::new(move |asked| match asked.what.as_str() {
        "GET /info" if is_in.load(SeqCst) => ok(
            json!({"Swarm": {"LocalNodeState": "active", "ControlAvailable": true, "Cluster": {"ID": "c"}}}),
        ),
        "GET /info" => ok(json!({"Swarm": {"LocalNodeState": "inactive"}})),
        "POST /swarm/init" => {
            is_in.store(true, SeqCst);
            ok(json!("n"))
        }
        "GET /swarm" => ok(json!({"ID": "c", "CreatedAt": "2026-01-01T00:00:00Z", "Spec": {}})),
        "POST /swarm/update" => refuse(400, "no"),
        _ => Answer::Json(200, Value::Null),
    })
}

#[tokio::test]
async fn a_swarm_that_was_there_is_in_the_state_only_once_it_is_as_wanted() {
    let mut adopted = planned();
    adopted.create(&mut context(&stubborn(true))).await.unwrap_err();
    let known = [&adopted.id, &adopted.created_at, &adopted.root_ca_certificate].map(Computed::known);
    assert_eq!(known, [None; 3], "Terraform would destroy it");

    let mut made = planned();
    made.create(&mut context(&stubborn(false))).await.unwrap_err();
    assert_eq!(made.id.known().map(String::as_str), Some("c"), "what was made is not forgotten");
}

/// A manager of a swarm at 10.0.0.1 some node of which gets no certificate of a new authority.
fn rotating() -> Scripted {
    Scripted::new(|asked| match asked.what.as_str() {
        "GET /info" => ok(json!({"Swarm": {
            "LocalNodeState": "active", "ControlAvailable": true, "NodeAddr": "10.0.0.1", "Cluster": {"ID": "c"},
        }})),
        "GET /swarm" => ok(
            json!({"ID": "c", "Spec": {}, "RootRotationInProgress": true, "TLSInfo": {"TrustRoot": "pem"}}),
        ),
        _ => Answer::Json(200, Value::Null),
    })
}

#[tokio::test]
async fn an_authority_that_is_being_made_anew_is_not_made_anew_again() {
    let (mut prior, mut cluster) = (planned(), planned());
    prior.id = "c".to_owned().into();
    cluster.id = "c".to_owned().into();
    cluster.rotate_ca = Some("1".to_owned());
    let engine = rotating();
    let limit = Duration::from_nanos(200_000_000);
    cluster.change(&prior, &limit, &mut context(&engine)).await.unwrap_err();
    assert_eq!(engine.count("POST /swarm/update"), 1);
    assert!(cluster.root_ca_certificate.known().is_some(), "else the trigger is not in the state");
}

#[tokio::test]
async fn an_address_that_is_said_later_is_that_of_the_host() {
    let (mut prior, mut cluster) = (planned(), planned());
    prior.id = "c".to_owned().into();
    cluster.id = "c".to_owned().into();
    cluster.advertise_addr = Some("10.0.0.9".to_owned());
    let limit = Duration::from_nanos(200_000_000);
    let error = cluster.change(&prior, &limit, &mut context(&rotating())).await.unwrap_err();
    assert!(error.detail.contains("was made with 10.0.0.1"), "{error:?}");
}

#[tokio::test]
async fn a_swarm_that_cannot_tell_its_nodes_is_not_left() {
    for swarm in [
        json!({"LocalNodeState": "active", "ControlAvailable": true, "Cluster": null}),
        json!({"LocalNodeState": "locked"}),
    ] {
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "GET /info" => ok(json!({ "Swarm": swarm })),
            _ => Answer::Json(200, Value::Null),
        });
        let mut cluster = planned();
        cluster.id = "c".to_owned().into();
        let error = cluster.delete(&mut context(&engine)).await.unwrap_err();
        assert!(error.detail.contains("docker swarm leave --force"), "{error:?}");
        assert_eq!(engine.count("POST /swarm/leave"), 0);
    }
}
