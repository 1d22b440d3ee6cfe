//! Nodes of the swarm.
//!
//! Reason for types of our own: an update replaces the whole specification of a node, so whatever a model does not
//! know would be lost; and one new word in an enum of bollard's makes the whole list unreadable.

use super::Docker;
use super::call::{Request, segment};
use super::error::{Error, Kind, Result};
use super::object::{Extra, ObjectVersion, engine_words, null_as_default};
use super::shared::Wanted;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

engine_words! {
    /// What a node is in its swarm.
    Role { /// It runs tasks.
        Worker = "worker", /// It also manages the swarm.
        Manager = "manager", }
    /// Whether a node takes tasks.
    Availability { /// It takes tasks.
        Active = "active", /// It keeps its tasks and takes no new ones.
        Pause = "pause", /// Its tasks are moved elsewhere.
        Drain = "drain", }
    /// Whether a node answers its managers.
    NodeState { /// Not known yet.
        Unknown = "unknown", /// It does not answer.
        Down = "down", /// It answers.
        Ready = "ready", /// It has lost its managers.
        Disconnected = "disconnected", }
}

/// A node. The identifier changes when a machine leaves and joins again; the host name stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Node {
    /// Identifier, 25 characters.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version index.
    pub version: ObjectVersion,
    /// When the node joined, in RFC 3339.
    pub created_at: String,
    /// When it was changed last, in RFC 3339.
    pub updated_at: String,
    /// What managers decide about it.
    pub spec: NodeSpec,
    /// What it says about itself.
    pub description: NodeDescription,
    /// Whether it answers.
    pub status: NodeStatus,
    /// Its part among the managers, if it is one.
    pub manager_status: Option<ManagerStatus>,
    /// Fields that this provider does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What managers decide about a node. An update replaces all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeSpec {
    /// Labels, which placement constraints refer to as `node.labels.KEY`.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// What the node is. Mandatory in an update.
    pub role: Role,
    /// Whether it takes tasks. Mandatory in an update.
    pub availability: Availability,
    /// Fields that this provider does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a node says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeDescription {
    /// Host name, not unique.
    pub hostname: String,
    /// Architecture and operating system.
    pub platform: super::Platform,
    /// Resources of the machine.
    pub resources: super::Resource,
    /// Its Engine.
    pub engine: NodeEngine,
    /// The authority that it trusts and has its certificate from.
    #[serde(rename = "TLSInfo")]
    pub tls_info: super::TlsInfo,
    /// Fields that this provider does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The Engine of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeEngine {
    /// Version, as free text.
    pub engine_version: String,
    /// Labels from the Engine's configuration, which placement constraints refer to as `engine.labels.KEY`.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// Fields that this provider does not know, its plugins among them.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Whether a node answers its managers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeStatus {
    /// The state.
    pub state: NodeState,
    /// More about the state, in the Engine's words.
    pub message: String,
    /// The node's address.
    pub addr: String,
}

/// A node's part among the managers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ManagerStatus {
    /// Whether it is the leader.
    pub leader: bool,
    /// `reachable`, `unreachable` or `unknown`.
    pub reachability: String,
    /// Address and port of the swarm's own protocol.
    pub addr: String,
}

impl Node {
    /// The host name.
    pub fn hostname(&self) -> &str {
        &self.description.hostname
    }

    /// The IP address by which the swarm knows it. Of a manager that has become the leader Engines tell `0.0.0.0`, where it
    /// listens; what the managers call it is right then.
    pub fn address(&self) -> &str {
        let own = self.status.addr.as_str();
        let called = self.manager_status.as_ref().and_then(|manager| manager.addr.rsplit_once(':'));
        match called {
            Some((called, _)) if matches!(own, "0.0.0.0" | "::" | "") => called.trim_matches(['[', ']']),
            _ => own,
        }
    }

    /// Whether the scheduler can place tasks on it.
    pub fn takes_tasks(&self) -> bool {
        self.status.state == NodeState::Ready && self.spec.availability == Availability::Active
    }

    fn line(&self) -> String {
        let Self { id, spec, status, .. } = self;
        format!("{id} ({}, {}, {})", self.hostname(), spec.role, status.state)
    }
}

/// The node with exactly this ID or host name, out of a list.
///
/// Where several nodes have the host name, and just one of them is not down, it is that one: a machine that left
/// and joined again is there twice, and its former self stays down.
///
/// # Errors
/// [`Error::NotFound`] (see [`list_of_nodes`] for what is there), and [`Error::Ambiguous`] with the candidates.
pub fn find_node<'a>(nodes: &'a [Node], id_or_hostname: &str) -> Result<&'a Node> {
    if let Some(node) = nodes.iter().find(|node| node.id == id_or_hostname) {
        return Ok(node);
    }
    let named: Vec<_> = nodes.iter().filter(|node| node.hostname() == id_or_hostname).collect();
    let up: Vec<_> = named.iter().filter(|node| node.status.state != NodeState::Down).collect();
    match (named.as_slice(), up.as_slice()) {
        ([node], _) => Ok(node),
        (_, [node]) => Ok(node),
        ([], _) => Err(Error::NotFound { kind: Kind::Node, name: id_or_hostname.to_owned() }),
        _ => Err(Error::Ambiguous {
            kind: Kind::Node,
            name: id_or_hostname.to_owned(),
            candidates: named.iter().map(|node| node.line()).collect(),
        }),
    }
}

/// Where hosts join: the addresses of the managers that can be reached.
pub fn manager_addresses(nodes: &[Node]) -> Vec<String> {
    let managers = nodes.iter().filter_map(|node| Some((node, node.manager_status.as_ref()?)));
    let reachable = managers.filter(|(_, own)| own.reachability == "reachable" && !own.addr.is_empty());
    reachable
        .map(|(node, own)| match own.addr.strip_prefix("0.0.0.0:") {
            // Some Engines tell of a manager where it listens.
            Some(port) => format!("{}:{port}", node.status.addr),
            None => own.addr.clone(),
        })
        .collect()
}

/// The nodes that are there, for a person who misses one: ID, host name, role and state of each.
pub fn list_of_nodes(nodes: &[Node]) -> String {
    nodes.iter().map(Node::line).collect::<Vec<_>>().join(", ")
}

impl Docker {
    /// All nodes, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn nodes(&self) -> Result<Arc<[Node]>> {
        self.list_nodes(Wanted::Shared).await
    }

    /// All nodes, as of now. Those who ask at the same time share one list.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn nodes_now(&self) -> Result<Arc<[Node]>> {
        self.list_nodes(Wanted::Fresh).await
    }

    /// Forgets the list of nodes, since one has joined or left by another Engine.
    pub fn forget_nodes(&self) {
        self.0.nodes.forget();
    }

    async fn list_nodes(&self, wanted: Wanted) -> Result<Arc<[Node]>> {
        self.0.nodes.get(wanted, || async { self.read(&Request::get("/nodes")).await }).await
    }

    /// The node with exactly this ID or host name, as of now; see [`find_node`].
    ///
    /// # Errors
    /// Those of [`find_node`], and whatever keeps the Engine from answering.
    pub async fn find_node(&self, id_or_hostname: &str) -> Result<Node> {
        find_node(&self.nodes_now().await?, id_or_hostname).cloned()
    }

    /// The node with this ID, read by itself.
    ///
    /// # Errors
    /// [`Error::NotFound`], and whatever keeps the Engine from answering.
    pub async fn inspect_node(&self, id: &str) -> Result<Node> {
        self.read(&Request::get(format!("/nodes/{}", segment(id))).about(Kind::Node, id)).await
    }

    /// Changes a node's specification: reads it afresh, lets `edit` change it, and writes it if it differs.
    /// For labels there is [`Docker::set_node_label`], which does not send one update for each.
    ///
    /// # Errors
    /// Those of `edit`, [`Error::NotFound`], and [`Error::OutOfSequence`] where others change it all the time.
    pub async fn update_node(
        &self,
        id: &str,
        mut edit: impl FnMut(&mut NodeSpec) -> Result<()> + Send,
    ) -> Result<()> {
        let _alone = self.0.labels.writing(id).await;
        self.rewrite_node(id, &mut edit).await
    }

    pub(super) async fn rewrite_node(
        &self,
        id: &str,
        edit: &mut (dyn FnMut(&mut NodeSpec) -> Result<()> + Send),
    ) -> Result<()> {
        let mut attempts = self.attempts(super::Repeat::Rewrite);
        let done = loop {
            match self.rewrite_node_once(id, edit).await {
                Err(error) => {
                    if let Err(error) = attempts.pause(error).await {
                        break Err(error);
                    }
                }
                done => break done,
            }
        };
        self.0.nodes.forget();
        done
    }

    async fn rewrite_node_once(
        &self,
        id: &str,
        edit: &mut (dyn FnMut(&mut NodeSpec) -> Result<()> + Send),
    ) -> Result<()> {
        let path = format!("/nodes/{}", segment(id));
        let read = Request::get(path.as_str()).about(Kind::Node, id);
        let node: Node = super::decode(|| read.what(), &self.call_once(&read).await?)?;
        let mut spec = node.spec.clone();
        edit(&mut spec)?;
        if spec == node.spec {
            return Ok(());
        }
        let write = Request::post(format!("{path}/update")).query("version", node.version.index);
        self.call_once(&write.about(Kind::Node, id).json(&spec)?).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, hostname: &str, state: &str) -> Node {
        serde_json::from_value(serde_json::json!({
            "ID": id,
            "Spec": {"Role": "worker", "Availability": "active", "Labels": null, "Name": "n"},
            "Description": {"Hostname": hostname, "CSIInfo": [1]},
            "Status": {"State": state, "Addr": "10.0.0.2"},
        }))
        .unwrap()
    }

    #[test]
    fn a_node_is_found_by_id_or_exact_host_name() {
        let nodes = [node("a1", "hub", "ready"), node("hub", "other", "ready")];
        assert_eq!(find_node(&nodes, "a1").unwrap().id, "a1");
        assert_eq!(find_node(&nodes, "hub").unwrap().hostname(), "other", "an ID goes before a host name");
        assert!(matches!(find_node(&nodes, "HUB"), Err(Error::NotFound { .. })));
        assert!(matches!(find_node(&nodes, "a"), Err(Error::NotFound { .. })));
    }

    #[test]
    fn a_leader_that_tells_where_it_listens_still_has_an_address() {
        let mut leader = node("a1", "hub", "ready");
        assert_eq!(leader.address(), "10.0.0.2");
        leader.status.addr = "0.0.0.0".to_owned();
        let called = |addr: &str| Some(ManagerStatus { addr: addr.to_owned(), ..ManagerStatus::default() });
        leader.manager_status = called("10.0.0.3:2377");
        assert_eq!(leader.address(), "10.0.0.3");
        leader.manager_status = called("[fd00::3]:2377");
        assert_eq!(leader.address(), "fd00::3");
    }

    #[test]
    fn ambiguity_lists_the_candidates() {
        let nodes = [node("a1", "hub", "ready"), node("b2", "hub", "ready")];
        let error = find_node(&nodes, "hub").unwrap_err().to_string();
        assert!(error.contains("a1 (hub, worker, ready); b2 (hub, worker, ready)"), "{error}");
    }

    #[test]
    fn a_node_that_joined_again_is_the_one_that_is_up() {
        let nodes = [node("a1", "hub", "down"), node("b2", "hub", "ready")];
        assert_eq!(find_node(&nodes, "hub").unwrap().id, "b2");
    }

    #[test]
    fn what_is_not_known_survives_a_round_trip() {
        let mut read = node("a1", "hub", "brandnew");
        assert_eq!(read.status.state, NodeState::Other("brandnew".into()));
        read.spec.labels.insert("k".into(), "v".into());
        let written = serde_json::to_value(&read.spec).unwrap();
        assert_eq!(
            written,
            serde_json::json!({"Role": "worker", "Availability": "active", "Labels": {"k": "v"}, "Name": "n"})
        );
    }
}
