//! `swarm_cluster`: the swarm itself.

mod membership;
mod settings;

use super::{
    connection::Connection,
    failure::{Doing, failure, within},
    managers::Managers,
    service::one_of,
};
use crate::docker::{Cluster, Docker};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts,
};
use membership::{fit, not_this};
use settings::{Ca, Dispatcher, Raft, not_negative};
use std::collections::BTreeMap;

/// The swarm: made on one host, which becomes its first manager, or adopted where that host manages one already.
///
/// What is not set is left as it is. Other hosts join by `swarm_node`. The tokens they join with and the key that unlocks
/// managers are in neither plan nor state: the ephemeral resources `swarm_join_token` and `swarm_unlock_key` have them.
///
/// The options of making a swarm (`advertise_addr`, `listen_addr`, `data_path_addr`, `data_path_port`,
/// `default_addr_pool`, `subnet_size`) cannot be changed afterwards: to change one makes a new swarm, and all that is in
/// the old one is lost, which the plan warns of. Leaving one out changes nothing.
///
/// Destroying it lets the host leave the swarm, and is refused while other nodes are in it, unless `force_destroy` says
/// otherwise.
///
/// The default log driver of tasks, which the Engine API has a field for, is not offered: Engines up to 28 drop it without
/// a word. Set it for each service, or in the Engine's own configuration.
#[derive(Debug, Model)]
pub struct SwarmCluster {
    /// The host that becomes the first manager. Without it that is the provider's Engine.
    engine: Option<Connection>,

    /// Address by which the other nodes reach the host: an IP address or a network interface, with a port if it is not
    /// 2377. It must be set where the host has several addresses.
    advertise_addr: Option<String>,

    /// Address on which the host listens for the other nodes. Without it that is `0.0.0.0:2377`.
    listen_addr: Option<String>,

    /// Address or interface for the traffic between tasks. Without it that is `advertise_addr`.
    data_path_addr: Option<String>,

    /// UDP port for the traffic between tasks, from 1024 to 49151. Without it that is 4789.
    #[tf(check = data_path_port)]
    data_path_port: Option<i64>,

    /// Pools of addresses from which overlay networks get theirs, such as `["10.20.0.0/16"]`.
    default_addr_pool: Option<Vec<String>>,

    /// Length of the network prefix of each overlay network, such as 24.
    #[tf(check = subnet_size)]
    subnet_size: Option<i64>,

    /// Whether a swarm that has lost its quorum goes on with this host as its only manager. It has an effect only when the
    /// resource is created, and only there.
    #[tf(default = false)]
    force_new_cluster: bool,

    /// Whether the host takes tasks: `active`, `pause` or `drain`.
    #[tf(check = availability)]
    availability: Option<String>,

    /// Labels of the swarm. They are not those of nodes, which `swarm_node_label` sets.
    labels: Option<BTreeMap<String, String>>,

    /// Ended tasks that are kept for each slot of a service.
    #[tf(check = not_negative)]
    task_history_retention_limit: Option<i64>,

    /// How the managers agree on what is.
    raft: Option<Raft>,

    /// How nodes and managers keep in touch.
    dispatcher: Option<Dispatcher>,

    /// The certificate authority, by which the nodes know each other.
    ca: Option<Ca>,

    /// Whether a manager that was restarted needs the unlock key before it manages again.
    autolock: Option<bool>,

    /// Any text. A change makes the token anew with which workers join.
    rotate_worker_token: Option<String>,

    /// Any text. A change makes the token anew with which managers join.
    rotate_manager_token: Option<String>,

    /// Any text. A change makes the key anew that unlocks managers. Needs `autolock`.
    rotate_unlock_key: Option<String>,

    /// Any text. A change makes the certificate authority anew, or takes that of `ca` again, and waits until every node has
    /// a new certificate; nodes that are down are waited for, too. The tokens of a new authority are new as well.
    rotate_ca: Option<String>,

    /// Whether destroying lets the host leave although other nodes are in the swarm. Without another manager they are lost.
    #[tf(default = false)]
    force_destroy: bool,

    /// How long the operations may take: five minutes, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// Root certificate of the swarm as PEM text. It is public.
    root_ca_certificate: Computed<String>,

    /// When the swarm was made, in RFC 3339.
    created_at: Computed<String>,

    /// ID of the swarm.
    id: Computed<String>,
}

/// How long an operation may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(5);

/// What only making a swarm decides.
const DECIDED_ONCE: [&str; 6] =
    ["advertise_addr", "listen_addr", "data_path_addr", "data_path_port", "default_addr_pool", "subnet_size"];

impl Resource for SwarmCluster {
    const TYPE: &'static str = "swarm_cluster";
    const IDENTITY: &'static [&'static str] = &["id"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        let mut found = Connection::validate(config);
        if config.is_set("ca.signing_ca_key_wo") && !config.is_set("ca.signing_ca_cert") {
            let detail = "The key belongs to the certificate in `ca.signing_ca_cert`: set both or neither.";
            found.push(Diagnostic::error("A key without its certificate", detail).at("ca.signing_ca_key_wo"));
        }
        if config.is_set("rotate_unlock_key") && config.known::<bool>("autolock") == Some(false) {
            let detail = "There is an unlock key only where `autolock` is on.";
            found.push(Diagnostic::error("There is no key to make anew", detail).at("rotate_unlock_key"));
        }
        found
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        for name in remade(plan) {
            plan.replace(name);
        }
        if !plan.is_create() && (plan.changes("rotate_ca") || plan.changes("ca.signing_ca_cert")) {
            plan.set_unknown("root_ca_certificate");
        }
        Ok(())
    }

    async fn check(plan: &Plan, docker: &Docker) -> Diagnostics {
        let mut found: Diagnostics = remade(plan)
            .into_iter()
            .map(|name| {
                let detail = format!(
                    "`{name}` cannot be changed in a swarm that is there. This plan destroys the swarm with all that is in \
                     it and makes a new one. To keep the swarm, set what it was made with, or leave `{name}` out."
                );
                Diagnostic::warning("The swarm would be made anew", detail).at(name)
            })
            .collect();
        // Whatever cannot be asked now may be there when the plan is applied.
        if plan.is_create()
            && let Some(host) = planned_host(plan, docker)
            && let Ok(info) = host.info().await
            && let Err(error) = fit(&host, &info)
        {
            found.push(error);
        }
        found
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        within(&limit.clone(), || "make the swarm".to_owned(), self.make_or_adopt(&limit, context)).await
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let what = || "read the swarm".to_owned();
        let host = self.host(&context.client)?;
        let own = host.info().await;
        let id = self.id.get()?.clone();
        let managers = Managers::of(&id, Some(&host), &context.client).await;
        if let Some((manager, _)) = managers.found.first() {
            let found = manager.inspect_cluster().await.doing(what)?;
            if let (Some(availability), Ok(own)) = (&mut self.availability, &own)
                && let Some(node) =
                    manager.nodes().await.doing(what)?.iter().find(|node| node.id == own.swarm.node_id)
            {
                *availability = node.spec.availability.to_string();
            }
            self.found(&found);
            return Ok(Some(self));
        }
        let own = own.doing(what)?;
        if let Some(error) = managers.unsure {
            return Err(failure(&what(), &error));
        }
        if own.swarm.is_in_none() {
            return Ok(None);
        }
        Err(not_this(&host, &own, &id))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        within(&limit.clone(), || "change the swarm".to_owned(), self.change(prior, &limit, context)).await
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), LIMIT);
        within(&limit, || "leave the swarm".to_owned(), self.leave(context)).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let found = context.client.inspect_cluster().await.doing(|| format!("import the swarm `{id}`"))?;
        Ok((id == found.id || id == "default").then(|| Self::imported(&found)))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        match context.client.inspect_cluster().await {
            Err(error) if error.is_no_swarm() => Ok(vec![]),
            found => Ok(vec![Self::imported(&found.doing(|| "list the swarm".to_owned())?)]),
        }
    }
}

impl SwarmCluster {
    /// The host that is the first manager.
    fn host(&self, provider: &Docker) -> Result<Docker> {
        self.engine.as_ref().map_or_else(|| Ok(provider.clone()), |connection| connection.open(provider))
    }

    /// What is there, in the resource's terms: what is set is read back.
    fn found(&mut self, found: &Cluster) {
        self.read_settings(found);
        if let Some(port) = &mut self.data_path_port {
            *port = found.data_path_port;
        }
        if let Some(pool) = &mut self.default_addr_pool {
            pool.clone_from(&found.default_addr_pool);
        }
        if let Some(size) = &mut self.subnet_size {
            *size = found.subnet_size;
        }
        self.root_ca_certificate = found.tls_info.trust_root.clone().into();
        self.created_at = found.created_at.clone().into();
        self.id = found.id.clone().into();
    }

    fn imported(found: &Cluster) -> Self {
        let mut cluster = SwarmCluster {
            engine: None,
            advertise_addr: None,
            listen_addr: None,
            data_path_addr: None,
            data_path_port: None,
            default_addr_pool: None,
            subnet_size: None,
            force_new_cluster: false,
            availability: None,
            labels: None,
            task_history_retention_limit: None,
            raft: None,
            dispatcher: None,
            ca: None,
            autolock: None,
            rotate_worker_token: None,
            rotate_manager_token: None,
            rotate_unlock_key: None,
            rotate_ca: None,
            force_destroy: false,
            timeouts: None,
            root_ca_certificate: Computed::default(),
            created_at: Computed::default(),
            id: Computed::default(),
        };
        cluster.found(found);
        cluster
    }
}

/// What of the plan only a new swarm can have.
fn remade(plan: &Plan) -> Vec<&'static str> {
    let Some(prior) = &plan.prior else { return vec![] };
    let is_remade =
        |name: &&&str| prior.is_set(name) && plan.config.is_set(name) && plan.get(name) != prior.get(name);
    DECIDED_ONCE.iter().filter(is_remade).copied().collect()
}

/// The Engine that a plan is about, if it is known.
fn planned_host(plan: &Plan, docker: &Docker) -> Option<Docker> {
    if !plan.config.is_set("engine") {
        return Some(docker.clone());
    }
    plan.known::<Connection>("engine")?.open(docker).ok()
}

fn availability(word: &str) -> Result<(), String> {
    one_of(word, &["active", "pause", "drain"])
}

fn data_path_port(port: &i64) -> Result<(), String> {
    if (1024..=49151).contains(port) { Ok(()) } else { Err("a port from 1024 to 49151 is wanted".to_owned()) }
}

fn subnet_size(size: &i64) -> Result<(), String> {
    if (1..=29).contains(size) { Ok(()) } else { Err("a length from 1 to 29 is wanted".to_owned()) }
}

#[cfg(test)]
mod tests;
