//! A host becomes a part of the swarm, or is found to be one, and is made what it is to be.

use super::{SwarmNode, no_quorum};
use crate::docker::{
    self, Docker, Info, Join, Node, NodeState, Role, Token, find_node, keeps_quorum, list_of_nodes,
};
use crate::resources::failure::{Doing, failure};
use crate::terraform::{Context, Diagnostic, Duration, Result};
use std::net::{IpAddr, SocketAddr};

impl SwarmNode {
    /// Creates: a host joins, or a node that is in is adopted.
    pub(super) async fn join_or_adopt(
        &mut self,
        limit: &Duration,
        context: &mut Context<Docker>,
    ) -> Result<()> {
        let what = self.action("join");
        let cluster = self.meant(context).await?;
        let node = match self.host(&context.client)? {
            None => {
                let nodes = context.client.nodes_now().await.doing(|| what.clone())?;
                self.named(&nodes)?.clone()
            }
            Some(host) => self.member(&host, &cluster, limit, context).await?,
        };
        self.joined = true.into();
        // Terraform takes out what could not be created as a whole. That is for a host that has joined just now, and not for
        // a node that was in before: it is in the state only when all went well.
        self.conform(&node, limit, context).await?;
        self.cluster = cluster.into();
        Ok(())
    }

    /// Changes what can be changed, and joins a host again that is out.
    pub(super) async fn change(
        &mut self,
        prior: &Self,
        limit: &Duration,
        context: &mut Context<Docker>,
    ) -> Result<()> {
        let what = self.action("change");
        let nodes = context.client.nodes_now().await.doing(|| what.clone())?;
        let before = prior.id.get()?;
        let node = match self.host(&context.client)? {
            Some(host) if prior.joined.known() == Some(&false) => {
                let cluster = self.meant(context).await?;
                if host.info().await.is_ok_and(|own| own.swarm.is_in_none()) {
                    // Afterwards only the new ID would be known, and the record would stay where that went wrong.
                    self.bury(before, limit, context).await?;
                }
                let node = self.member(&host, &cluster, limit, context).await?;
                self.id = node.id.clone().into();
                self.hostname = node.hostname().to_owned().into();
                self.cluster = cluster.into();
                if node.id != *before {
                    self.bury(before, limit, context).await?;
                }
                node
            }
            Some(host) => {
                // The way to the host may have changed, the host may not.
                let own = host.info().await.doing(|| what.clone())?;
                if own.swarm.node_id != *before {
                    return Err(another_host(&host, &self.name()));
                }
                if prior.advertise_addr.is_none() {
                    self.joined_with(&own)?;
                }
                find_node(&nodes, before).cloned().doing(|| what.clone())?
            }
            None => {
                let node = find_node(&nodes, before).cloned().doing(|| what.clone())?;
                // Only the way to name it may change from a host to its name.
                if prior.engine.is_some() && self.named(&nodes)?.id != node.id {
                    return Err(another_node(self.node.as_deref().unwrap_or_default(), &self.name()));
                }
                node
            }
        };
        self.joined = true.into();
        self.conform(&node, limit, context).await
    }

    /// The node that `node` names.
    fn named<'a>(&self, nodes: &'a [Node]) -> Result<&'a Node> {
        let name = self.node.as_deref().unwrap_or_default();
        find_node(nodes, name).map_err(|error| {
            let mut diagnostic = failure(&self.action("find"), &error);
            if matches!(error, docker::Error::NotFound { .. }) {
                diagnostic.detail.push_str(&format!(" The nodes of the swarm are {}.", list_of_nodes(nodes)));
            }
            diagnostic.at("node")
        })
    }

    /// The swarm that the provider's Engine manages, if it is the one that is meant.
    async fn meant(&self, context: &Context<Docker>) -> Result<String> {
        let own = context.client.info().await.doing(|| self.action("join"))?.swarm;
        let there = own.cluster_id().unwrap_or_default();
        match self.cluster.known() {
            Some(wanted) if wanted != there => Err(Diagnostic::error(
                "It is another swarm",
                format!(
                    "The provider's Engine at {} manages swarm {there}, and the node is to be in swarm {wanted}.",
                    context.client.host()
                ),
            )
            .at("cluster")),
            _ => Ok(there.to_owned()),
        }
    }

    /// The node that a host is; it joins if it is in no swarm, and then its ID is kept before anything is waited for.
    async fn member(
        &mut self,
        host: &Docker,
        cluster: &str,
        limit: &Duration,
        context: &Context<Docker>,
    ) -> Result<Node> {
        let what = self.action("join");
        let mut info = host.info().await.map_err(|error| failure(&what, &error).at("engine"))?;
        if info.swarm.local_node_state == "pending" {
            host.wait_until_member(limit.to_std()).await.doing(|| what.clone())?;
        }
        if info.swarm.is_locked() {
            self.unlock(host, limit, context).await?;
        }
        let is_new = info.swarm.is_in_none();
        if is_new {
            self.join(host, limit, context).await?;
        } else {
            self.joined_with(&info)?;
        }
        info = host.info().await.doing(|| what.clone())?;
        let id = info.swarm.node_id.clone();
        let nodes = context.client.nodes_now().await.doing(|| what.clone())?;
        let is_known = |nodes: &[Node]| nodes.iter().any(|node| node.id == id);
        if !info.swarm.is_active() {
            return Err(not_a_member(host, &info, &what));
        }
        if !is_known(&nodes) {
            return Err(in_another_swarm(host, &info));
        }
        if is_new {
            self.id = id.clone().into();
            self.cluster = cluster.to_owned().into();
        }
        let is_ready = |nodes: &[Node]| {
            nodes.iter().any(|node| {
                let manages = node.manager_status.as_ref().is_none_or(|own| own.reachability == "reachable");
                let settled = (node.spec.role == Role::Manager) == node.manager_status.is_some();
                node.id == id && node.status.state == NodeState::Ready && manages && settled
            })
        };
        let waited = context.client.wait_for_nodes(
            limit.to_std(),
            |_| format!("the managers do not see node {id} as ready"),
            is_ready,
        );
        waited.await.doing(|| what.clone())?;
        context.client.find_node(&id).await.doing(|| what)
    }

    /// Refuses an address that is said of a host that has joined with another: it would be written down without effect.
    pub(super) fn joined_with(&self, own: &Info) -> Result<()> {
        // The name of an interface says nothing of the address here.
        let address = |text: &str| {
            text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip())).ok()
        };
        let Some(wanted) = self.advertise_addr.as_deref().and_then(address) else { return Ok(()) };
        match address(&own.swarm.node_addr) {
            Some(there) if there != wanted => Err(Diagnostic::error(
                "`advertise_addr` is not that of the host",
                format!(
                    "Node `{}` has joined with {there}, and an address counts only when a host joins. Set `advertise_addr` to \
                     it, or leave it out; or let the host leave and join again: terraform apply -replace=ADDRESS.",
                    own.name
                ),
            )
            .at("advertise_addr")),
            _ => Ok(()),
        }
    }

    async fn join(&self, host: &Docker, limit: &Duration, context: &Context<Docker>) -> Result<()> {
        let what = self.action("join");
        let role = self.wanted_role().unwrap_or(Role::Worker);
        // Managers change one at a time, or the Engines trip over each other.
        let _turn = match role {
            Role::Manager => Some(context.client.changing_managers().await),
            _ => None,
        };
        let cluster = context.client.inspect_cluster().await.doing(|| what.clone())?;
        let token = match self.join_token_wo.expose() {
            Some(token) => Token::from(token.clone()),
            None if role == Role::Manager => cluster.join_tokens.manager,
            None => cluster.join_tokens.worker,
        };
        let remote_addrs = match &self.remote_addrs {
            Some(addresses) => addresses.clone(),
            None => {
                let nodes = context.client.nodes_now().await.doing(|| what.clone())?;
                docker::manager_addresses(&nodes)
            }
        };
        let join = Join {
            listen_addr: self.listen_addr.clone().unwrap_or_default(),
            advertise_addr: self.advertise_addr.clone().unwrap_or_default(),
            data_path_addr: self.data_path_addr.clone().unwrap_or_default(),
            remote_addrs: remote_addrs.clone(),
            join_token: token,
            availability: self.wanted_availability(),
        };
        // It ends before the whole operation does, which would cut off what is done about a host that is half joined.
        let joined = host.join_swarm(join, limit.to_std() * 9 / 10).await;
        context.client.forget_nodes();
        joined.map_err(|error| self.not_joined(host, &remote_addrs, &error))
    }

    /// The Engine's words on why a host could not join, and what they mean.
    fn not_joined(&self, host: &Docker, remote: &[String], error: &docker::Error) -> Diagnostic {
        let mut diagnostic = failure(&self.action("join"), error);
        let said = error.to_string();
        let (more, at) = if said.contains("does not match fingerprint") {
            (" The token is that of another swarm.".to_owned(), Some("join_token_wo"))
        } else if said.contains("valid join token is necessary") || said.contains("invalid join token") {
            let text = " The token is not, or no longer, one of this swarm: it may have been made anew.";
            (text.to_owned(), Some("join_token_wo"))
        } else if [
            "error while dialing",
            "unreachable",
            "deadline",
            "timeout",
            "timed out",
            "no route",
            "could not find local ip",
        ]
        .iter()
        .any(|part| said.to_lowercase().contains(part))
        {
            let text = format!(
                " The host at {} must reach a manager at {} (TCP 2377; nodes also need 7946 and 4789 between each other). If it \
                 reaches them by other addresses, set `remote_addrs`.",
                host.host(),
                remote.join(", ")
            );
            (text, Some("remote_addrs"))
        } else if said.contains("could not choose an IP address") {
            let text = " Set `advertise_addr` to the address by which the other nodes reach it.";
            (text.to_owned(), Some("advertise_addr"))
        } else {
            (String::new(), None)
        };
        diagnostic.detail.push_str(&more);
        match at {
            Some(at) => diagnostic.at(at),
            None => diagnostic,
        }
    }

    /// A manager that was restarted gets the key from the others.
    pub(super) async fn unlock(
        &self,
        host: &Docker,
        limit: &Duration,
        context: &Context<Docker>,
    ) -> Result<()> {
        let what = || format!("unlock node `{}`", self.name());
        let key = context.client.unlock_key().await.doing(what)?;
        host.unlock(&key).await.doing(what)?;
        host.wait_until_member(limit.to_std()).await.doing(what)
    }

    /// Makes the node what it is to be.
    async fn conform(&mut self, node: &Node, limit: &Duration, context: &Context<Docker>) -> Result<()> {
        let what = self.action("change");
        if let Some(role) = self.wanted_role()
            && role != node.spec.role
        {
            let _turn = context.client.changing_managers().await;
            let manager = if role == Role::Worker {
                let nodes = context.client.nodes_now().await.doing(|| what.clone())?;
                keeps_quorum(&nodes, &node.id)
                    .map_err(|why| no_quorum("demote", &self.name(), &why).at("role"))?;
                self.manager(&node.id, true, context).await?
            } else {
                context.client.clone()
            };
            let set = manager.set_role(&node.id, &role, limit.to_std()).await;
            set.map_err(|error| failure(&what, &error).at("role"))?;
            context.client.forget_nodes();
        }
        if let Some(availability) = self.wanted_availability()
            && availability != node.spec.availability
        {
            let manager = self.manager(&node.id, self.wanted_role() == Some(Role::Worker), context).await?;
            let set = manager.set_availability(&node.id, &availability).await;
            set.map_err(|error| failure(&what, &error).at("availability"))?;
        }
        let (role, availability) = (self.role.clone(), self.availability.clone());
        let manager =
            self.manager(&node.id, role.known().is_some_and(|role| role == "worker"), context).await?;
        let now = manager.find_node(&node.id).await.doing(|| what)?;
        self.found(&now);
        // What was planned was written; another writer is told by the next plan.
        if role.known().is_some() {
            self.role = role;
        }
        if availability.known().is_some() {
            self.availability = availability;
        }
        Ok(())
    }
}

/// The host is a part of another swarm.
pub(super) fn in_another_swarm(host: &Docker, info: &Info) -> Diagnostic {
    let swarm = &info.swarm;
    let which = match swarm.cluster_id() {
        Some(id) => format!("manages swarm {id}"),
        None => {
            let managers: Vec<&str> =
                swarm.remote_managers.iter().map(|manager| manager.addr.as_str()).collect();
            format!("is in the swarm of the managers at {}", managers.join(", "))
        }
    };
    Diagnostic::error(
        "The host is in another swarm",
        format!(
            "The host `{}` at {} {which}, as node {}. Let it leave that one first, with `docker swarm leave` there.",
            info.name,
            host.host(),
            swarm.node_id
        ),
    )
    .at("engine")
}

/// The host is a part of a swarm, but cannot talk to it.
fn not_a_member(host: &Docker, info: &Info, what: &str) -> Diagnostic {
    let swarm = &info.swarm;
    let error = if swarm.error.is_empty() { String::new() } else { format!(": {}", swarm.error) };
    Diagnostic::error(
        format!("Cannot {what}"),
        format!(
            "The host at {} says that its state in a swarm is `{}`{error}. Put that right, or let it leave with `docker swarm \
             leave --force` there; it joins again with the next apply.",
            host.host(),
            swarm.local_node_state
        ),
    )
    .at("engine")
}

fn another_node(named: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        "It is another node",
        format!(
            "`node` names `{named}`, and this resource is node `{name}`. For another node add a `swarm_node` of its own, or \
             replace this one: terraform apply -replace=ADDRESS."
        ),
    )
    .at("node")
}

fn another_host(host: &Docker, name: &str) -> Diagnostic {
    Diagnostic::error(
        "It is another host",
        format!(
            "`engine` now leads to {}, which is not node `{name}`. A new address of the same host is fine; for another host \
             add a `swarm_node` of its own, or replace this one: terraform apply -replace=ADDRESS.",
            host.host()
        ),
    )
    .at("engine")
}
