//! A swarm is made or adopted, changed, and left.

use super::{SwarmCluster, settings::pem};
use crate::docker::{self, Availability, Cluster, Docker, Info, Init, Rotate};
use crate::resources::failure::{Doing, failure, sentence};
use crate::resources::managers::Managers;
use crate::terraform::{Context, Diagnostic, Duration, Result};
use std::net::IpAddr;

impl SwarmCluster {
    pub(super) async fn make_or_adopt(
        &mut self,
        limit: &Duration,
        context: &mut Context<Docker>,
    ) -> Result<()> {
        let what = || "make the swarm".to_owned();
        let host = self.host(&context.client)?;
        let info = host.info().await.doing(what)?;
        fit(&host, &info)?;
        if info.swarm.is_in_none() {
            self.refuse_a_second(&host, context).await?;
            host.init_swarm(self.init(false)).await.map_err(|error| not_made(&host, &error))?;
        } else if self.force_new_cluster
            && let Err(docker::Error::NoQuorum { .. }) = host.require_manager().await
        {
            host.init_swarm(self.init(true)).await.map_err(|error| not_made(&host, &error))?;
        }
        context.client.forget_membership();
        let found = host.inspect_cluster().await.doing(what)?;
        let was_there = !info.swarm.is_in_none();
        if was_there {
            // Terraform destroys what could not be created as a whole, and this swarm holds what others made: it is in the
            // state only when all went well.
            self.as_made(&found, (!host.is_one_of_several()).then_some(&info))?;
            self.settle(None, &host, &host, limit).await?;
        }
        self.id = found.id.clone().into();
        self.created_at = found.created_at.clone().into();
        if was_there { Ok(()) } else { self.settle(None, &host, &host, limit).await }
    }

    /// A first manager that was lost must not make a second swarm beside the one that lives on.
    async fn refuse_a_second(&self, host: &Docker, context: &Context<Docker>) -> Result<()> {
        for engine in context.client.each_host() {
            if let Ok(info) = engine.info().await
                && info.swarm.is_manager()
            {
                let id = info.swarm.cluster_id().unwrap_or_default();
                return Err(Diagnostic::error(
                    "There is a swarm already",
                    format!(
                        "The provider's Engine at {} manages swarm {id}, and the host at {} is in none. Let it join by \
                         `swarm_node`; to have Terraform manage that swarm, leave `engine` out or import it.",
                        engine.host(),
                        host.host()
                    ),
                )
                .at("engine"));
            }
        }
        Ok(())
    }

    fn init(&self, force_new_cluster: bool) -> Init {
        Init {
            listen_addr: self.listen_addr.clone().unwrap_or_default(),
            advertise_addr: self.advertise_addr.clone().unwrap_or_default(),
            data_path_addr: self.data_path_addr.clone().unwrap_or_default(),
            data_path_port: self.data_path_port.unwrap_or_default(),
            default_addr_pool: self.default_addr_pool.clone().unwrap_or_default(),
            subnet_size: self.subnet_size.unwrap_or_default(),
            force_new_cluster,
            availability: self.availability.as_deref().map(word),
        }
    }

    /// A swarm that is there cannot be given what only making it decides.
    fn as_made(&self, found: &Cluster, info: Option<&Info>) -> Result<()> {
        let differs = |name: &str, wanted: String, there: String| {
            let detail = format!(
                "The swarm was made with {there}, and that cannot be changed. Set `{name}` to it, or leave it out. \
                 {wanted} is possible in a new swarm only."
            );
            Err(Diagnostic::error(format!("`{name}` is not that of the swarm"), detail).at(name))
        };
        if let Some(port) = self.data_path_port
            && port != found.data_path_port
        {
            return differs("data_path_port", port.to_string(), found.data_path_port.to_string());
        }
        if let Some(pool) = &self.default_addr_pool
            && *pool != found.default_addr_pool
        {
            return differs("default_addr_pool", pool.join(", "), found.default_addr_pool.join(", "));
        }
        if let Some(size) = self.subnet_size
            && size != found.subnet_size
        {
            return differs("subnet_size", size.to_string(), found.subnet_size.to_string());
        }
        if let (Some(wanted), Some(info)) = (&self.advertise_addr, info)
            && let (Ok(own), Ok(theirs)) = (wanted.parse::<IpAddr>(), info.swarm.node_addr.parse::<IpAddr>())
            && own != theirs
        {
            return differs("advertise_addr", wanted.clone(), info.swarm.node_addr.clone());
        }
        Ok(())
    }

    pub(super) async fn change(
        &mut self,
        prior: &Self,
        limit: &Duration,
        context: &mut Context<Docker>,
    ) -> Result<()> {
        let what = || "change the swarm".to_owned();
        let host = self.host(&context.client)?;
        let id = self.id.get()?.clone();
        let managers = Managers::of(&id, Some(&host), &context.client).await;
        let Some((manager, _)) = managers.found.first() else {
            return Err(match managers.unsure {
                Some(error) => failure(&what(), &error),
                None => not_this(&host, &host.info().await.doing(what)?, &id),
            });
        };
        // What was set when the swarm was made needs no proof; the host may have got another address since.
        let info = match prior.advertise_addr {
            None if !host.is_one_of_several() => host.info().await.ok(),
            _ => None,
        };
        self.as_made(&manager.inspect_cluster().await.doing(what)?, info.as_ref())?;
        self.settle(Some(prior), &host, manager, limit).await
    }

    /// Writes the settings, makes anew what is to be made anew, and reads what came of it.
    async fn settle(
        &mut self,
        prior: Option<&Self>,
        host: &Docker,
        manager: &Docker,
        limit: &Duration,
    ) -> Result<()> {
        let what = || "change the settings of the swarm".to_owned();
        let turned = |own: &Option<String>, before: fn(&Self) -> &Option<String>| {
            own.is_some() && prior.is_some_and(|prior| before(prior) != own)
        };
        let rotate = Rotate {
            worker_token: turned(&self.rotate_worker_token, |prior| &prior.rotate_worker_token),
            manager_token: turned(&self.rotate_manager_token, |prior| &prior.rotate_manager_token),
            unlock_key: turned(&self.rotate_unlock_key, |prior| &prior.rotate_unlock_key),
        };
        let rotate_ca = turned(&self.rotate_ca, |prior| &prior.rotate_ca);
        manager
            .update_cluster(rotate, |found, spec| self.write(rotate_ca, found, spec))
            .await
            .map_err(|error| failure(&what(), &error))?;
        if let Some(availability) = &self.availability {
            let node = host.info().await.doing(what)?.swarm.node_id;
            if !node.is_empty() {
                manager.set_availability(&node, &word(availability)).await.doing(what)?;
            }
        }
        let root =
            |cluster: &Self| cluster.ca.as_ref().and_then(|ca| Some(pem(ca.signing_ca_cert.as_deref()?)));
        if rotate_ca && prior.is_some() {
            // It is under way: what goes wrong from now on must not make the next apply begin another one.
            self.root_ca_certificate =
                manager.inspect_cluster().await.doing(what)?.tls_info.trust_root.into();
        }
        if rotate_ca || prior.and_then(root) != root(self) {
            manager.wait_for_root_rotation(limit.to_std()).await.doing(what)?;
        }
        let found = manager.inspect_cluster().await.doing(what)?;
        self.root_ca_certificate = found.tls_info.trust_root.into();
        Ok(())
    }

    pub(super) async fn leave(&self, context: &mut Context<Docker>) -> Result<()> {
        let what = || "leave the swarm".to_owned();
        let host = self.host(&context.client)?;
        let id = self.id.get()?;
        let own = host.info().await.doing(what)?;
        let managers = Managers::of(id, Some(&host), &context.client).await;
        if own.swarm.cluster_id().is_some_and(|other| other != id) {
            return Err(not_this(&host, &own, id));
        }
        if managers.found.is_empty() && !own.swarm.is_in_none() && !self.force_destroy {
            return Err(not_asked(&host, &own, managers.unsure.as_ref()));
        }
        if let Some((manager, _)) = managers.found.first()
            && !self.force_destroy
        {
            let nodes = manager.nodes_now().await.doing(what)?;
            let others: Vec<_> = nodes.iter().filter(|node| node.id != own.swarm.node_id).cloned().collect();
            if !others.is_empty() {
                return Err(Diagnostic::error(
                    "Other nodes are in the swarm",
                    format!(
                        "Without the host at {} they may be lost, and with the last manager all secrets, configs and services \
                         are: {}. Take them out first (destroying a `swarm_node` does that), or apply `force_destroy = true` \
                         before you destroy.",
                        host.host(),
                        docker::list_of_nodes(&others)
                    ),
                ));
            }
        }
        if own.swarm.is_in_none() {
            return Ok(());
        }
        let left = host.leave_swarm(true).await;
        context.client.forget_membership();
        left.map_err(|error| failure(&format!("let the host at {} leave the swarm", host.host()), &error))
    }
}

/// Whether a host can make a swarm, or manages one.
pub(super) fn fit(host: &Docker, info: &Info) -> Result<()> {
    let swarm = &info.swarm;
    if swarm.is_in_none() || swarm.is_manager() {
        return Ok(());
    }
    let detail = if swarm.is_active() {
        let managers: Vec<&str> = swarm.remote_managers.iter().map(|manager| manager.addr.as_str()).collect();
        format!(
            "The host at {} is a worker of a swarm. Name one of its managers ({}), or let it leave with `docker swarm leave`.",
            host.host(),
            managers.join(", ")
        )
    } else if swarm.is_locked() {
        format!(
            "The host at {} manages a swarm and is locked. Unlock it with `docker swarm unlock` there.",
            host.host()
        )
    } else {
        format!(
            "The host at {} says that its state is `{}`. {}",
            host.host(),
            swarm.local_node_state,
            sentence(&swarm.error)
        )
    };
    Err(Diagnostic::error("The host cannot make or manage a swarm", detail).at("engine"))
}

/// The host is in another swarm than that of the state, or is no manager of it.
pub(super) fn not_this(host: &Docker, info: &Info, id: &str) -> Diagnostic {
    let is = match info.swarm.cluster_id() {
        Some(other) => format!("manages swarm {other}"),
        None if info.swarm.is_in_none() => "is in no swarm".to_owned(),
        None if info.swarm.is_locked() => "is locked: unlock it with `docker swarm unlock` there".to_owned(),
        None => "manages no swarm".to_owned(),
    };
    Diagnostic::error(
        format!("Swarm {id} is not there"),
        format!(
            "The host at {} {is}, and no other manager of swarm {id} is known to the provider. Name one that is in it. If \
             the swarm is gone for good, remove the resource from the state: terraform state rm ADDRESS.",
            host.host()
        ),
    )
}

/// No manager can say which other nodes are in the swarm, so what would be lost is not known.
fn not_asked(host: &Docker, info: &Info, unsure: Option<&docker::Error>) -> Diagnostic {
    let why = match unsure {
        Some(error) => error.to_string(),
        None if info.swarm.is_locked() => format!("the host at {} is locked", host.host()),
        None if info.swarm.is_manager() => {
            format!(
                "the swarm has no leader, so too few of its managers are running; the host at {} is one",
                host.host()
            )
        }
        None => format!("the host at {} manages no swarm, and no manager is known", host.host()),
    };
    Diagnostic::error(
        "It is not known which other nodes are in the swarm",
        format!(
            "{} Bring back its managers. If the swarm is to end with all that is in it, let the host leave by itself, with \
             `docker swarm leave --force` there.",
            sentence(&why)
        ),
    )
}

fn not_made(host: &Docker, error: &docker::Error) -> Diagnostic {
    let mut diagnostic = failure(&format!("make a swarm on the host at {}", host.host()), error);
    if error.to_string().contains("could not choose an IP address") {
        diagnostic.detail.push_str(" Set `advertise_addr` to the address by which the other nodes reach it.");
        return diagnostic.at("advertise_addr");
    }
    diagnostic
}

/// A word of the Engine's.
fn word(availability: &str) -> Availability {
    match availability {
        "pause" => Availability::Pause,
        "drain" => Availability::Drain,
        _ => Availability::Active,
    }
}
