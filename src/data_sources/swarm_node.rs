//! `swarm_node`: one node of the swarm, and what is told of any node.

use crate::docker::{Docker, Error, Node, find_node, list_of_nodes};
use crate::resources::Doing;
use crate::terraform::{Computed, Context, Model, Number, Result, Source};
use std::collections::BTreeMap;

/// What is told of a node.
#[derive(Debug, Model)]
pub struct NodeFacts {
    /// ID of the node.
    pub id: String,

    /// Host name of the node.
    pub hostname: String,

    /// `worker` or `manager`.
    pub role: String,

    /// Whether it takes tasks: `active`, `pause` or `drain`.
    pub availability: String,

    /// Whether it answers its managers: `ready`, `down`, `unknown` or `disconnected`.
    pub state: String,

    /// More about the state, in the Engine's words.
    pub message: String,

    /// IP address by which the swarm knows it.
    pub address: String,

    /// Its part among the managers, or null for a worker.
    pub manager: Option<ManagerFacts>,

    /// Labels of the node, which placement constraints refer to as `node.labels.KEY`.
    pub labels: BTreeMap<String, String>,

    /// Labels of its Engine, which placement constraints refer to as `engine.labels.KEY`.
    pub engine_labels: BTreeMap<String, String>,

    /// Version of its Engine.
    pub engine_version: String,

    /// Operating system, such as `linux`.
    pub os: String,

    /// Architecture, such as `x86_64`.
    pub architecture: String,

    /// Number of its CPUs.
    pub cpus: Option<Number>,

    /// Its memory in bytes.
    pub memory: i64,

    /// When it joined, in RFC 3339.
    pub created_at: String,
}

/// The part of a node among the managers.
#[derive(Debug, Model)]
pub struct ManagerFacts {
    /// Whether it is the leader.
    pub leader: bool,

    /// `reachable`, `unreachable` or `unknown`.
    pub reachability: String,

    /// Address at which hosts join, such as `10.0.0.1:2377`.
    pub address: String,
}

impl From<&Node> for NodeFacts {
    fn from(node: &Node) -> Self {
        let Node { description, spec, status, .. } = node;
        let nano_cpus = description.resources.nano_cpus.unwrap_or_default();
        NodeFacts {
            id: node.id.clone(),
            hostname: node.hostname().to_owned(),
            role: spec.role.to_string(),
            availability: spec.availability.to_string(),
            state: status.state.to_string(),
            message: status.message.clone(),
            address: node.address().to_owned(),
            manager: node.manager_status.as_ref().map(|own| ManagerFacts {
                leader: own.leader,
                reachability: own.reachability.clone(),
                address: own.addr.clone(),
            }),
            labels: spec.labels.clone(),
            engine_labels: description.engine.labels.clone(),
            engine_version: description.engine.engine_version.clone(),
            os: description.platform.os.clone().unwrap_or_default(),
            architecture: description.platform.architecture.clone().unwrap_or_default(),
            cpus: Number::from_f64(nano_cpus as f64 / 1e9),
            memory: description.resources.memory_bytes.unwrap_or_default(),
            created_at: node.created_at.clone(),
        }
    }
}

/// One node of the swarm, found by its ID or its host name.
#[derive(Debug, Model)]
pub struct SwarmNodeData {
    /// ID of the node, or its exact host name if only one node has it.
    node: String,

    /// ID of the node.
    id: Computed<String>,

    /// Host name of the node.
    hostname: Computed<String>,

    /// `worker` or `manager`.
    role: Computed<String>,

    /// Whether it takes tasks: `active`, `pause` or `drain`.
    availability: Computed<String>,

    /// Whether it answers its managers: `ready`, `down`, `unknown` or `disconnected`.
    state: Computed<String>,

    /// More about the state, in the Engine's words.
    message: Computed<String>,

    /// IP address by which the swarm knows it.
    address: Computed<String>,

    /// Its part among the managers, or null for a worker.
    manager: Computed<Option<ManagerFacts>>,

    /// Labels of the node, which placement constraints refer to as `node.labels.KEY`.
    labels: Computed<BTreeMap<String, String>>,

    /// Labels of its Engine, which placement constraints refer to as `engine.labels.KEY`.
    engine_labels: Computed<BTreeMap<String, String>>,

    /// Version of its Engine.
    engine_version: Computed<String>,

    /// Operating system, such as `linux`.
    os: Computed<String>,

    /// Architecture, such as `x86_64`.
    architecture: Computed<String>,

    /// Number of its CPUs.
    cpus: Computed<Option<Number>>,

    /// Its memory in bytes.
    memory: Computed<i64>,

    /// When it joined, in RFC 3339.
    created_at: Computed<String>,
}

impl Source for SwarmNodeData {
    const TYPE: &'static str = "swarm_node";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let what = || format!("read node `{}`", self.node);
        context.client.require_manager().await.doing(what)?;
        let nodes = context.client.nodes().await.doing(what)?;
        let found = find_node(&nodes, &self.node);
        let missing = matches!(found, Err(Error::NotFound { .. }));
        let node = found.doing(what).map_err(|mut diagnostic| {
            if missing {
                diagnostic
                    .detail
                    .push_str(&format!(" The nodes of the swarm are {}.", list_of_nodes(&nodes)));
            }
            diagnostic.at("node")
        })?;
        self.tell(node.into());
        Ok(())
    }
}

impl SwarmNodeData {
    fn tell(&mut self, facts: NodeFacts) {
        self.id = facts.id.into();
        self.hostname = facts.hostname.into();
        self.role = facts.role.into();
        self.availability = facts.availability.into();
        self.state = facts.state.into();
        self.message = facts.message.into();
        self.address = facts.address.into();
        self.manager = facts.manager.into();
        self.labels = facts.labels.into();
        self.engine_labels = facts.engine_labels.into();
        self.engine_version = facts.engine_version.into();
        self.os = facts.os.into();
        self.architecture = facts.architecture.into();
        self.cpus = facts.cpus.into();
        self.memory = facts.memory.into();
        self.created_at = facts.created_at.into();
    }
}
