//! `swarm_nodes`: the nodes of the swarm, all or some.

use super::swarm_node::NodeFacts;
use crate::docker::{Docker, Node};
use crate::resources::Doing;
use crate::terraform::{Computed, Context, Model, Result, Source};
use std::collections::BTreeMap;

/// The nodes of the swarm, in the order of their host names. The filters are those of `docker node ls`; a node must pass all
/// that are set.
#[derive(Debug, Model)]
pub struct SwarmNodesData {
    /// Beginnings of IDs, one of which a node must have.
    ids: Option<Vec<String>>,

    /// Beginnings of host names, one of which a node must have.
    names: Option<Vec<String>>,

    /// Labels of the Engine, all of which a node must have: `KEY`, or `KEY=VALUE`.
    engine_labels: Option<Vec<String>>,

    /// Labels of the node, all of which it must have: `KEY`, or `KEY=VALUE`.
    node_labels: Option<Vec<String>>,

    /// `worker` or `manager`.
    #[tf(check = role)]
    role: Option<String>,

    /// `accepted` or `pending`. A swarm of today accepts every host that joins, so none is pending.
    #[tf(check = membership)]
    membership: Option<String>,

    /// The nodes.
    nodes: Computed<Vec<NodeFacts>>,
}

impl Source for SwarmNodesData {
    const TYPE: &'static str = "swarm_nodes";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let what = || "list the nodes".to_owned();
        context.client.require_manager().await.doing(what)?;
        let nodes = context.client.nodes().await.doing(what)?;
        let mut found: Vec<NodeFacts> =
            nodes.iter().filter(|node| self.admits(node)).map(NodeFacts::from).collect();
        found.sort_by(|a, b| (&a.hostname, &a.id).cmp(&(&b.hostname, &b.id)));
        self.nodes = found.into();
        Ok(())
    }
}

impl SwarmNodesData {
    fn admits(&self, node: &Node) -> bool {
        let begins = |beginnings: &Option<Vec<String>>, text: &str| {
            beginnings
                .as_ref()
                .is_none_or(|all| all.iter().any(|beginning| text.starts_with(beginning.as_str())))
        };
        begins(&self.ids, &node.id)
            && begins(&self.names, node.hostname())
            && has_all(&node.description.engine.labels, self.engine_labels.as_ref())
            && has_all(&node.spec.labels, self.node_labels.as_ref())
            && self.role.as_ref().is_none_or(|role| role == node.spec.role.as_str())
            && self.membership.as_ref().is_none_or(|membership| membership == "accepted")
    }
}

fn has_all(labels: &BTreeMap<String, String>, wanted: Option<&Vec<String>>) -> bool {
    wanted.into_iter().flatten().all(|wanted| match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|own| own == value),
        None => labels.contains_key(wanted),
    })
}

fn role(word: &str) -> Result<(), String> {
    match word {
        "worker" | "manager" => Ok(()),
        _ => Err("allowed are `worker`, `manager`".to_owned()),
    }
}

fn membership(word: &str) -> Result<(), String> {
    match word {
        "accepted" | "pending" => Ok(()),
        _ => Err("allowed are `accepted`, `pending`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_must_pass_all_filters() {
        let node: Node = serde_json::from_value(serde_json::json!({
            "ID": "abc", "Description": {"Hostname": "hub1", "Engine": {"Labels": {"ssd": ""}}},
            "Spec": {"Role": "worker", "Labels": {"zone": "a"}},
        }))
        .unwrap();
        let any = || SwarmNodesData {
            ids: None,
            names: None,
            engine_labels: None,
            node_labels: None,
            role: None,
            membership: None,
            nodes: Computed::default(),
        };
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        assert!(any().admits(&node));
        assert!(SwarmNodesData { names: words(&["x", "hub"]), ids: words(&["ab"]), ..any() }.admits(&node));
        assert!(!SwarmNodesData { names: words(&["ub"]), ..any() }.admits(&node), "a beginning is wanted");
        assert!(SwarmNodesData { engine_labels: words(&["ssd"]), ..any() }.admits(&node));
        assert!(SwarmNodesData { node_labels: words(&["zone=a"]), ..any() }.admits(&node));
        assert!(!SwarmNodesData { node_labels: words(&["zone=a", "zone=b"]), ..any() }.admits(&node));
        assert!(!SwarmNodesData { role: Some("manager".into()), ..any() }.admits(&node));
        assert!(!SwarmNodesData { membership: Some("pending".into()), ..any() }.admits(&node));
    }
}
