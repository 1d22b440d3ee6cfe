//! `swarm_node_label`: one label of one node.

use super::{
    failure::{Doing, failure, ready, within},
    names,
};
use crate::docker::{self, Docker, Expected, Found, Node, find_node, list_of_nodes};
use crate::terraform::{Computed, Context, Diagnostic, Duration, Model, Resource, Result, Timeouts};

/// One label of one node of the swarm, such as the one by which a service chooses its nodes.
///
/// The resource owns this one key: other labels of the node are neither shown nor touched, whoever set them. Many
/// labels of one node that change in one apply become few updates of the node.
///
/// A node that left the swarm and joined it again is a new node to Docker, without its labels: named by its hostname
/// here, it gets the label again at the next apply.
#[derive(Debug, Model)]
pub struct SwarmNodeLabel {
    /// ID of the node, or its exact hostname if only one node has it.
    #[tf(replace, check = not_empty)]
    node: String,

    /// Key of the label. Constraints of services know it as `node.labels.KEY`, where only letters, digits, `-`, `_` and
    /// `.` are understood.
    #[tf(replace, check = names::label_key)]
    key: String,

    /// Value of the label; it may be empty.
    value: String,

    /// How long the operations may take: a minute, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the node.
    node_id: Computed<String>,

    /// `NODE_ID/KEY`.
    id: Computed<String>,
}

/// How long an operation may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(1);

impl Resource for SwarmNodeLabel {
    const TYPE: &'static str = "swarm_node_label";
    const IDENTITY: &'static [&'static str] = &["node", "key"];
    type Client = Docker;

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        ready(&context.client, || self.action("set")).await?;
        let nodes = context.client.nodes().await.doing(|| self.action("set"))?;
        let node = find_node(&nodes, &self.node).map_err(|error| self.no_such_node(&error, &nodes))?;
        match node.spec.labels.get(&self.key) {
            // An earlier apply may have set it without living to tell: then there is nothing left to do.
            Some(value) if *value == self.value => {}
            Some(_) => return Err(self.taken(node)),
            None => {
                let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
                self.write(&node.id, Expected::Absent, Some(&self.value), &limit, context).await?;
            }
        }
        self.found(node);
        Ok(())
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        ready(&context.client, || self.action("read")).await?;
        let nodes = context.client.nodes().await.doing(|| self.action("read"))?;
        let Some(node) =
            find_node(&nodes, &self.node).found().doing(|| self.action("read")).map_err(at_node)?
        else {
            return Ok(None);
        };
        let Some(value) = node.spec.labels.get(&self.key) else { return Ok(None) };
        self.value.clone_from(value);
        self.found(node);
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        if self.value != prior.value {
            let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
            let expected = Expected::Value(prior.value.clone());
            self.write(self.node_id.get()?, expected, Some(&self.value), &limit, context).await?;
        }
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), LIMIT);
        let removed = async {
            let client = &context.client;
            let removed =
                client.set_node_label(self.node_id.get()?, &self.key, None, Expected::Anything).await;
            removed.found().doing(|| self.action("remove"))
        };
        within(&limit, || self.action("remove"), removed).await.map(drop)
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let Some((node, key)) = id.split_once('/').filter(|(node, key)| !node.is_empty() && !key.is_empty())
        else {
            return Err(Diagnostic::error(
                format!("Cannot import swarm_node_label `{id}`"),
                "The ID of a label is `NODE/KEY`, where NODE is the ID or the hostname of a node, such as \
                 `hubworker01/registry`.",
            ));
        };
        let label = SwarmNodeLabel {
            node: node.to_owned(),
            key: key.to_owned(),
            value: String::new(),
            timeouts: None,
            node_id: Computed::default(),
            id: Computed::default(),
        };
        label.read(context).await
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the labels of the nodes".to_owned()).await?;
        let nodes = context.client.nodes_now().await.doing(|| "list the nodes".to_owned())?;
        let mut labels = vec![];
        for node in nodes.iter() {
            // A hostname that several nodes have names none of them.
            let is_named = find_node(&nodes, node.hostname()).is_ok_and(|found| found.id == node.id);
            let name = if is_named { node.hostname() } else { &node.id };
            for (key, value) in &node.spec.labels {
                let mut label = SwarmNodeLabel {
                    node: name.to_owned(),
                    key: key.clone(),
                    value: value.clone(),
                    timeouts: None,
                    node_id: Computed::default(),
                    id: Computed::default(),
                };
                label.found(node);
                labels.push(label);
            }
        }
        Ok(labels)
    }
}

impl SwarmNodeLabel {
    fn found(&mut self, node: &Node) {
        self.node_id = node.id.clone().into();
        self.id = format!("{}/{}", node.id, self.key).into();
    }

    async fn write(
        &self,
        node: &str,
        expected: Expected,
        value: Option<&str>,
        limit: &Duration,
        context: &Context<Docker>,
    ) -> Result<()> {
        let set = context.client.set_node_label(node, &self.key, value, expected);
        within(limit, || self.action("set"), async { set.await.doing(|| self.action("set")) }).await
    }

    fn no_such_node(&self, error: &docker::Error, nodes: &[Node]) -> Diagnostic {
        let mut diagnostic = failure(&self.action("set"), error);
        if matches!(error, docker::Error::NotFound { .. }) {
            diagnostic.detail.push_str(&format!(" The nodes of the swarm are {}.", list_of_nodes(nodes)));
        }
        at_node(diagnostic)
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} label `{}` of node `{}`", self.key, self.node)
    }

    fn taken(&self, node: &Node) -> Diagnostic {
        Diagnostic::error(
            format!("Cannot set label `{}` of node `{}`", self.key, self.node),
            format!(
                "The node already has this label, with another value, from somebody else. To take it over, import it: \
                 terraform import ADDRESS {}/{}. To let the other have it, choose another key.",
                node.id, self.key
            ),
        )
        .at("key")
    }
}

fn at_node(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.at("node")
}

fn not_empty(node: &str) -> Result<(), String> {
    if node.trim().is_empty() { Err("an ID or a hostname is wanted".to_owned()) } else { Ok(()) }
}
