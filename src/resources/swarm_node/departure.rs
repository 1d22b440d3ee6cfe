//! A node is taken out of the swarm: nothing is lost, and nothing of it remains.

use super::{SwarmNode, no_quorum};
use crate::docker::{self, Docker, Info, Node, NodeState, Role, keeps_quorum};
use crate::resources::failure::{Doing, failure};
use crate::terraform::{Context, Diagnostic, Duration, Result};

/// How long a host that does not answer is waited for to be down to the swarm: three heartbeats, and a few seconds.
const DOWN: std::time::Duration = std::time::Duration::from_secs(30);

impl SwarmNode {
    pub(super) async fn depart(&self, limit: &Duration, context: &mut Context<Docker>) -> Result<()> {
        let what = || self.action("take out");
        let id = self.id.get()?;
        let host = self.host(&context.client)?;
        let mut own = match &host {
            Some(host) => host.info().await.ok(),
            None => None,
        };
        if let (Some(host), Some(locked)) = (&host, &own)
            && locked.swarm.is_locked()
        {
            // Which node a host is, and of which swarm, it says only when it is unlocked.
            self.unlock(host, limit, context).await?;
            own = Some(host.info().await.doing(what)?);
        }
        let is_out = own.as_ref().is_some_and(|own| own.swarm.is_in_none());
        let provider = context.client.info().await.doing(what)?.swarm;
        if is_out && !provider.is_manager() {
            // The swarm has ended, or is not the provider's any more; what counts is that the host is in none.
            return Ok(());
        }
        // Others that go at the same time are taken out through the provider's Engine, so its own node goes last.
        let _departure = context.client.departure(provider.node_id == *id).await.doing(what)?;
        let nodes = context.client.nodes_now().await.doing(what)?;
        let Some(node) = nodes.iter().find(|node| node.id == *id) else { return Ok(()) };
        if host.is_none() && node.status.state != NodeState::Down {
            return Ok(());
        }
        let managers = nodes.iter().filter(|node| node.manager_status.is_some()).count();
        if node.manager_status.is_some() && managers == 1 {
            context.warn(last_manager(&self.name()));
            return Ok(());
        }
        let manager = self.manager(id, true, context).await?;
        if node.spec.role == Role::Manager {
            self.demote(node, &manager, limit, context).await?;
        }
        match (&host, &own) {
            (Some(_), Some(_)) if is_out => {}
            (Some(host), Some(own)) if own.swarm.node_id == *id => {
                self.leave(id, host, &manager, limit).await?;
            }
            // The host may be another node by now, perhaps of another swarm: that one stays what it is.
            (host, own) => self.wait_until_down(id, host.as_ref(), own.as_ref(), &manager).await?,
        }
        manager.remove_node(id, true).await.doing(what)?;
        context.client.forget_nodes();
        Ok(())
    }

    /// Makes a manager a worker, if the others can still agree without it.
    async fn demote(
        &self,
        node: &Node,
        manager: &Docker,
        limit: &Duration,
        context: &Context<Docker>,
    ) -> Result<()> {
        let _turn = context.client.changing_managers().await;
        let what = || format!("demote manager `{}`", self.name());
        let nodes = manager.nodes_now().await.doing(what)?;
        keeps_quorum(&nodes, &node.id).map_err(|why| no_quorum("take out", &self.name(), &why))?;
        manager.set_role(&node.id, &Role::Worker, limit.to_std()).await.doing(what)
    }

    /// Moves the tasks elsewhere and lets the host leave. It says itself that it has left, so nothing waits for the swarm to
    /// miss its heartbeats.
    async fn leave(&self, id: &str, host: &Docker, manager: &Docker, limit: &Duration) -> Result<()> {
        let what = || self.action("take out");
        host.forget_membership();
        let drain = manager.find_node(id).await.doing(what)?.status.state == NodeState::Ready;
        if drain {
            manager.drain(id, limit.to_std()).await.doing(what)?;
        }
        // A host learns a little later than the managers that it is none any more.
        host.wait_for_swarm_info(limit.to_std(), |swarm| !swarm.control_available).await.doing(what)?;
        host.leave_swarm(false).await.doing(what)
    }

    /// Only what the swarm itself misses may be removed without a word of the host.
    async fn wait_until_down(
        &self,
        id: &str,
        host: Option<&Docker>,
        own: Option<&Info>,
        manager: &Docker,
    ) -> Result<()> {
        let is_down = |nodes: &[Node]| {
            nodes.iter().find(|node| node.id == id).is_none_or(|node| node.status.state == NodeState::Down)
        };
        match manager.wait_for_nodes(DOWN, |_| "it is not down".to_owned(), is_down).await {
            Err(docker::Error::Timeout { .. }) => {
                let why = match (host, own) {
                    (Some(host), Some(own)) => {
                        format!("the host at {} is another node now, {}. ", host.host(), own.swarm.node_id)
                    }
                    (Some(host), None) => {
                        host.info().await.err().map(|error| format!("{error}. ")).unwrap_or_default()
                    }
                    (None, _) => String::new(),
                };
                Err(Diagnostic::error(
                    format!("Cannot take out node `{}`", self.name()),
                    format!(
                        "The swarm sees it running, but it cannot be told to leave: {why}Correct `engine`, or stop the \
                         host, so that its record can be removed."
                    ),
                )
                .at("engine"))
            }
            waited => waited.doing(|| self.action("take out")),
        }
    }

    /// Removes the record of what a host was that has left, before it joins again.
    pub(super) async fn bury(&self, id: &str, limit: &Duration, context: &Context<Docker>) -> Result<()> {
        let what = || format!("remove the record {id} of what node `{}` was", self.name());
        let nodes = context.client.nodes_now().await.doing(what)?;
        let Some(node) = nodes.iter().find(|node| node.id == id) else { return Ok(()) };
        if node.spec.role == Role::Manager {
            self.demote(node, &context.client, limit, context).await?;
        }
        context.client.remove_node(id, true).await.map_err(|error| failure(&what(), &error))
    }
}

fn last_manager(name: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Node `{name}` stays in the swarm"),
        "It is the last manager: if it left, the swarm would end, with all secrets, configs and services. It is no longer \
         managed by this resource. Destroying `swarm_cluster` ends the swarm.",
    )
}
