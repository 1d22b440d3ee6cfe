//! What real Engines cannot be made to do at the right moment: a manager and a host on scripted ones.

use super::*;
use crate::docker::scripted::{Answer, Scripted, ok, refuse};
use crate::terraform::Private;
use serde_json::{Value, json};

/// A manager of swarm `c` that has node `n` in this state, and refuses to change it.
fn manager(state: &'static str) -> Scripted {
    let node = |id: &str, role: &str, state: &str| {
        json!({
            "ID": id, "Spec": {"Role": role, "Availability": "active"}, "Status": {"State": state},
            "Description": {"Hostname": id},
            "ManagerStatus": (role == "manager").then(|| json!({"Reachability": "reachable", "Addr": "10.0.0.1:2377"})),
        })
    };
    Scripted::new(move |asked| match asked.what.as_str() {
        "GET /info" => ok(json!({"Swarm": {
            "NodeID": "m", "LocalNodeState": "active", "ControlAvailable": true, "Cluster": {"ID": "c"},
        }})),
        "GET /swarm" => ok(json!({"ID": "c", "JoinTokens": {"Worker": "w", "Manager": "m"}})),
        "GET /nodes" => ok(json!([node("m", "manager", "ready"), node("n", "worker", state)])),
        "GET /nodes/n" => ok(node("n", "worker", state)),
        "POST /nodes/n/update" => refuse(400, "no"),
        _ => Answer::Json(200, Value::Null),
    })
}

/// A host that says this of its swarm, and cannot join one.
fn host(swarm: Value) -> Scripted {
    Scripted::new(move |asked| match asked.what.as_str() {
        "GET /info" => ok(json!({ "Swarm": swarm })),
        "POST /swarm/join" => refuse(400, "no"),
        _ => Answer::Json(200, Value::Null),
    })
}

fn context(manager: &Scripted) -> Context<Docker> {
    Context { client: manager.docker.clone(), private: Private::default(), warnings: vec![] }
}

fn planned(host: &Scripted) -> SwarmNode {
    let mut planned = SwarmNode::imported(&Node::default(), "", None);
    planned.engine = Some(Connection::to(host.docker.host()));
    planned.node = None;
    planned.role = "worker".to_owned().into();
    planned.availability = "pause".to_owned().into();
    for computed in [&mut planned.id, &mut planned.hostname, &mut planned.address] {
        *computed = Computed::default();
    }
    planned
}

#[tokio::test]
async fn a_node_that_was_in_is_in_the_state_only_once_it_is_as_wanted() {
    let manager = manager("ready");
    let host = host(json!({"NodeID": "n", "LocalNodeState": "active"}));
    let mut adopted = planned(&host);
    let error = adopted.create(&mut context(&manager)).await.unwrap_err();
    assert_eq!(manager.count("POST /nodes/n/update"), 1, "{error:?}");
    let known = [&adopted.id, &adopted.cluster, &adopted.hostname, &adopted.address].map(Computed::known);
    assert_eq!(known, [None; 4], "Terraform would take it out");
}

#[tokio::test]
async fn a_host_that_is_another_node_by_now_stays_what_it_is() {
    let manager = manager("down");
    let host = host(json!({"NodeID": "z", "LocalNodeState": "active"}));
    let mut gone = planned(&host);
    gone.id = "n".to_owned().into();
    gone.delete(&mut context(&manager)).await.unwrap();
    assert_eq!((host.count("POST /swarm/leave"), manager.count("DELETE /nodes/n")), (0, 1));
}

#[tokio::test]
async fn what_a_host_was_is_forgotten_before_it_joins_again() {
    let manager = manager("down");
    let host = host(json!({"LocalNodeState": "inactive"}));
    let mut prior = planned(&host);
    prior.id = "n".to_owned().into();
    prior.joined = false.into();
    planned(&host).update(&prior, &mut context(&manager)).await.unwrap_err();
    assert_eq!((host.count("POST /swarm/join"), manager.count("DELETE /nodes/n")), (1, 1));
}

#[tokio::test]
async fn a_name_instead_of_a_host_is_that_of_the_same_node() {
    let manager = manager("ready");
    let mut prior = planned(&host(json!({})));
    prior.id = "n".to_owned().into();
    for (name, refused) in [("m", "`node` names `m`"), ("nobody", "There is no node `nobody`")] {
        let mut named = SwarmNode::imported(&Node::default(), name, None);
        let error = named.update(&prior, &mut context(&manager)).await.unwrap_err();
        assert!(error.detail.contains(refused), "{error:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_said_later_is_that_of_the_host() {
    let manager = manager("ready");
    let host = host(json!({"NodeID": "n", "LocalNodeState": "active", "NodeAddr": "10.0.0.1"}));
    let mut prior = planned(&host);
    prior.id = "n".to_owned().into();
    for (address, is_refused) in [
        ("10.0.0.9", true),
        ("10.0.0.9:2377", true),
        ("10.0.0.1", false),
        ("10.0.0.1:2377", false),
        ("eth0", false),
    ] {
        let said = || SwarmNode { advertise_addr: Some(address.to_owned()), ..planned(&host) };
        for error in [
            said().update(&prior, &mut context(&manager)).await.unwrap_err(),
            said().create(&mut context(&manager)).await.unwrap_err(),
        ] {
            assert_eq!(error.detail.contains("joined with 10.0.0.1"), is_refused, "{address}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_host_that_cannot_talk_to_its_swarm_is_told_with_its_own_words() {
    let error = json!({"LocalNodeState": "error", "Error": "certificates have expired"});
    let error = planned(&host(error)).create(&mut context(&manager("ready"))).await.unwrap_err();
    assert!(error.detail.contains("`error`: certificates have expired"), "{error:?}");
}
