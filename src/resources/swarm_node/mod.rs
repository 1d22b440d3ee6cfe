//! `swarm_node`: a host as a part of the swarm.

mod departure;
mod joining;

use super::{
    connection::Connection,
    failure::{Doing, failure, ready, within},
    managers::Managers,
    service::one_of,
};
use crate::docker::{self, Availability, Docker, Info, Node, Role, find_node, keeps_quorum};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts,
    WriteOnly,
};

/// A host as a part of the swarm: as a worker or a manager, with or without tasks.
///
/// With `engine`, the host joins the swarm that the provider's Engine manages, with a token that the provider asks for by
/// itself; a host that is in that swarm already is adopted. Without it, `node` names a node that somebody else joined.
///
/// A host that has lost its membership shows in the plan, as `joined = false`, and the next apply joins it again.
///
/// Destroying a node that has an `engine` takes it out of the swarm without a loss: a manager is demoted first, which is
/// refused where the remaining managers could not agree any more; its tasks are moved elsewhere; the host leaves; and its
/// record is removed. A host that is dead, and down to the swarm, loses its record. The last manager stays in, since leaving
/// would end the swarm: destroying `swarm_cluster` does that. A node without an `engine` stays in as it is, unless it is
/// down: then its record is removed.
///
/// ~> A node that joins again is a new node to Docker, with a new ID and without its labels. Name it by its host name in
/// `swarm_node_label`, so that the labels come back with the next apply.
#[derive(Debug, Model)]
pub struct SwarmNode {
    /// The host that joins. Exactly one of `engine` and `node` must be set.
    engine: Option<Connection>,

    /// ID, or exact host name if only one node has it, of a node that is in the swarm already.
    node: Option<String>,

    /// ID of the swarm to be in, such as `swarm_cluster.it.id`: so Terraform makes the swarm first and takes the node out
    /// before it ends. Without it that is the swarm that the provider's Engine manages. Another one replaces the resource.
    #[tf(optional)]
    cluster: Computed<String>,

    /// `worker` or `manager`. Without it a host with an `engine` is a worker, and a node without one stays what it is.
    #[tf(derived, check = role)]
    role: Computed<String>,

    /// Whether the node takes tasks: `active`, `pause` (it keeps those it has) or `drain` (they are moved elsewhere). Without
    /// it a host with an `engine` is active, and a node without one stays as it is.
    #[tf(derived, check = availability)]
    availability: Computed<String>,

    /// Address by which the other nodes reach the host: an IP address or a network interface, with a port if it is not 2377.
    /// It matters when the host joins: a change lets it leave and join again.
    advertise_addr: Option<String>,

    /// Address on which the host listens for the other nodes, as a manager. Without it that is `0.0.0.0:2377`. It matters when
    /// the host joins: a change lets it leave and join again.
    listen_addr: Option<String>,

    /// Address or interface for the traffic between tasks. Without it that is `advertise_addr`. It matters when the host
    /// joins: a change lets it leave and join again.
    data_path_addr: Option<String>,

    /// Token to join with, kept in neither plan nor state. Without it the provider asks the swarm for the one of `role`. Needs
    /// Terraform 1.11.
    join_token_wo: WriteOnly<String>,

    /// Addresses of managers to join at, such as `["10.0.0.1:2377"]`. Without it those of the managers that can be reached.
    remote_addrs: Option<Vec<String>>,

    /// How long the operations may take: five minutes, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// Whether the host is a part of the swarm. Where it is not, the next apply joins it again.
    joined: Computed<bool>,

    /// Host name of the node.
    hostname: Computed<String>,

    /// IP address by which the swarm knows the node.
    address: Computed<String>,

    /// ID of the node. It changes when the host joins again.
    id: Computed<String>,
}

/// How long an operation may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(5);

/// What only joining decides.
const DECIDED_ONCE: [&str; 3] = ["advertise_addr", "listen_addr", "data_path_addr"];

impl Resource for SwarmNode {
    const TYPE: &'static str = "swarm_node";
    // The ID does not outlive the membership; the host does.
    const IDENTITY: &'static [&'static str] = &["hostname"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        let mut found = Connection::validate(config);
        let (by_connection, by_name) = (config.is_set("engine"), config.is_set("node"));
        let unsure = !config.is_known("engine") || !config.is_known("node");
        if by_connection == by_name && !unsure {
            let detail = "`engine` names a host that joins, `node` a node that is in the swarm already: exactly one \
                          of them says which node it is.";
            found.push(Diagnostic::error("Which node is it?", detail));
        }
        for name in DECIDED_ONCE.into_iter().chain(["join_token_wo", "remote_addrs"]) {
            if by_name && !by_connection && config.is_set(name) {
                let detail =
                    format!("A node without an `engine` has joined already, so `{name}` has no effect.");
                found.push(Diagnostic::error(format!("`{name}` needs `engine`"), detail).at(name));
            }
        }
        found
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        let prior = plan.prior.clone();
        for (name, otherwise) in [("role", "worker"), ("availability", "active")] {
            if plan.config.is_set("engine") {
                plan.derive(name, otherwise.to_owned());
            } else if let Some(as_it_is) = prior.as_ref().and_then(|prior| prior.known::<String>(name)) {
                plan.derive(name, as_it_is);
            }
        }
        let Some(prior) = prior else {
            plan.set("joined", true);
            return Ok(());
        };
        for name in DECIDED_ONCE.into_iter().chain(["node", "cluster"]) {
            if prior.is_set(name) && plan.config.is_set(name) && plan.changes(name) {
                plan.replace(name);
            }
        }
        if prior.known::<bool>("joined") == Some(false) {
            plan.set("joined", true);
            for name in ["id", "address", "hostname"] {
                plan.set_unknown(name);
            }
            if !plan.config.is_set("cluster") {
                // The swarm that it was in may have ended, and another may have come.
                plan.set_unknown("cluster");
            }
        }
        Ok(())
    }

    async fn check(plan: &Plan, docker: &Docker) -> Diagnostics {
        let mut found = vec![];
        // Where there is no swarm yet, or its manager cannot be reached, nothing can be said yet.
        let Ok(own) = docker.info().await else { return found };
        let nodes = match own.swarm.is_manager() {
            true => docker.nodes().await.ok(),
            false => None,
        };
        if let Some(connection) = plan.known::<Connection>("engine")
            && let Ok(host) = connection.open(docker)
            && let Ok(info) = host.info().await
            && let Some(nodes) = &nodes
            && info.swarm.is_active()
        {
            let said_before = plan.prior.as_ref().is_some_and(|prior| prior.is_set("advertise_addr"));
            if !nodes.iter().any(|node| node.id == info.swarm.node_id) {
                found.push(joining::in_another_swarm(&host, &info));
            } else if !said_before && let Ok(planned) = Self::decode(plan.planned().0.clone()) {
                found.extend(planned.joined_with(&info).err());
            }
        }
        if let (Some(nodes), Some(prior)) = (&nodes, &plan.prior)
            && prior.known::<String>("role").as_deref() == Some("manager")
            && plan.known::<String>("role").as_deref() == Some("worker")
            && let Some(id) = prior.known::<String>("id")
            && let Err(why) = keeps_quorum(nodes, &id)
        {
            found
                .push(no_quorum("demote", &prior.known::<String>("hostname").unwrap_or(id), &why).at("role"));
        }
        found
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        let what = self.action("join");
        ready(&context.client, || what.clone()).await?;
        within(&limit.clone(), || what.clone(), self.join_or_adopt(&limit, context)).await
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let what = self.action("read");
        let host = self.host(&context.client)?;
        // What the host says counts where it answers; where it does not, the managers know it.
        let own = match &host {
            Some(host) => host.info().await.ok(),
            None => None,
        };
        if let Err(error) = context.client.require_manager().await {
            return self.without_manager(&error, own.as_ref());
        }
        let nodes = context.client.nodes().await.doing(|| what)?;
        let id = match &own {
            Some(own) if !own.swarm.node_id.is_empty() => own.swarm.node_id.clone(),
            _ => self.id.get()?.clone(),
        };
        let is_out =
            own.as_ref().is_some_and(|own| !own.swarm.is_active() && own.swarm.local_node_state != "pending");
        match nodes.iter().find(|node| node.id == id) {
            Some(node) if !is_out => self.found(node),
            None if host.is_none() => return Ok(None),
            _ => self.joined = false.into(),
        }
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        let what = self.action("change");
        ready(&context.client, || what.clone()).await?;
        within(&limit.clone(), || what.clone(), self.change(prior, &limit, context)).await
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), LIMIT);
        within(&limit.clone(), || self.action("take out"), self.depart(&limit, context)).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let what = || format!("import node `{id}`");
        ready(&context.client, what).await?;
        let nodes = context.client.nodes_now().await.doing(what)?;
        let cluster = context.client.info().await.doing(what)?.swarm.cluster_id().map(str::to_owned);
        match find_node(&nodes, id) {
            Ok(node) => Ok(Some(Self::imported(node, id, cluster))),
            Err(docker::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure(&what(), &error)),
        }
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        let what = || "list the nodes".to_owned();
        ready(&context.client, what).await?;
        let nodes = context.client.nodes_now().await.doing(what)?;
        let cluster = context.client.info().await.doing(what)?.swarm.cluster_id().map(str::to_owned);
        let named = |node: &Node| {
            // A host name that several nodes have names none of them.
            let is_named = find_node(&nodes, node.hostname()).is_ok_and(|found| found.id == node.id);
            if is_named { node.hostname().to_owned() } else { node.id.clone() }
        };
        Ok(nodes.iter().map(|node| Self::imported(node, &named(node), cluster.clone())).collect())
    }
}

impl SwarmNode {
    /// The host, if the resource has a way to it.
    fn host(&self, provider: &Docker) -> Result<Option<Docker>> {
        self.engine.as_ref().map(|connection| connection.open(provider)).transpose()
    }

    /// What a person calls it.
    fn name(&self) -> String {
        let host = || self.engine.as_ref().map(|connection| connection.host.clone());
        self.hostname.known().cloned().or_else(|| self.node.clone()).or_else(host).unwrap_or_default()
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} node `{}`", self.name())
    }

    /// What is there, in the resource's terms.
    fn found(&mut self, node: &Node) {
        self.role = node.spec.role.to_string().into();
        self.availability = node.spec.availability.to_string().into();
        self.joined = true.into();
        self.hostname = node.hostname().to_owned().into();
        self.address = node.address().to_owned().into();
        self.id = node.id.clone().into();
    }

    /// What is there where the provider's Engine manages no swarm: the host itself may know.
    fn without_manager(mut self, error: &docker::Error, own: Option<&Info>) -> Result<Option<Self>> {
        let what = self.action("read");
        let no_swarm = error.is_no_swarm();
        match own {
            Some(own) if no_swarm && own.swarm.is_in_none() => {
                self.joined = false.into();
                Ok(Some(self))
            }
            // Else a first manager that was lost would make a second swarm beside the one that lives on.
            Some(own) if no_swarm && own.swarm.is_manager() => {
                let mut diagnostic = failure(&what, error);
                diagnostic.detail.push_str(&format!(
                    " But node `{}` still manages swarm {}: name its Engine in the provider block, and let the host that \
                     was lost join again.",
                    self.name(),
                    own.swarm.cluster_id().unwrap_or_default()
                ));
                Err(diagnostic)
            }
            _ => Err(failure(&what, error)),
        }
    }

    fn imported(node: &Node, name: &str, cluster: Option<String>) -> Self {
        let mut found = SwarmNode {
            engine: None,
            node: Some(name.to_owned()),
            cluster: cluster.map(Computed::from).unwrap_or_default(),
            role: Computed::default(),
            availability: Computed::default(),
            advertise_addr: None,
            listen_addr: None,
            data_path_addr: None,
            join_token_wo: WriteOnly::default(),
            remote_addrs: None,
            timeouts: None,
            joined: Computed::default(),
            hostname: Computed::default(),
            address: Computed::default(),
            id: Computed::default(),
        };
        found.found(node);
        found
    }

    /// The wanted role, where it is decided.
    fn wanted_role(&self) -> Option<Role> {
        self.role.known().map(|role| if role == "manager" { Role::Manager } else { Role::Worker })
    }

    /// The wanted availability, where it is decided.
    fn wanted_availability(&self) -> Option<Availability> {
        self.availability.known().map(|word| match word.as_str() {
            "pause" => Availability::Pause,
            "drain" => Availability::Drain,
            _ => Availability::Active,
        })
    }

    /// A manager to talk to about this node: the provider's Engine, or another one where that is this very node and
    /// `not_itself`.
    async fn manager(&self, id: &str, not_itself: bool, context: &Context<Docker>) -> Result<Docker> {
        let own = context.client.info().await.doing(|| self.action("change"))?;
        if !not_itself || own.swarm.node_id != id {
            return Ok(context.client.clone());
        }
        let cluster = own.swarm.cluster_id().unwrap_or_default();
        let managers = Managers::of(cluster, None, &context.client).await;
        managers.other_than(id).cloned().ok_or_else(|| {
            Diagnostic::error(
                format!("Cannot take out node `{}`", self.name()),
                format!(
                    "The provider talks to the swarm through this very node, at {}, and knows no other manager. Name \
                     another one in the provider block.",
                    context.client.host()
                ),
            )
        })
    }
}

/// The managers could not agree any more.
fn no_quorum(verb: &str, name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(format!("Cannot {verb} manager `{name}`"), super::failure::sentence(why))
}

fn role(word: &str) -> Result<(), String> {
    one_of(word, &["worker", "manager"])
}

fn availability(word: &str) -> Result<(), String> {
    one_of(word, &["active", "pause", "drain"])
}

#[cfg(test)]
mod tests;
