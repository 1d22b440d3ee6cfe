//! `swarm_cluster`: the swarm itself.

mod settings;

use super::{
    connection::Connection,
    failure::{Doing, failure, sentence, within},
    managers::Managers,
    service::one_of,
};
use crate::docker::{self, Availability, Cluster, Docker, Info, Init, Rotate};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts,
};
use settings::{Ca, Dispatcher, Raft, not_negative, pem};
use std::{collections::BTreeMap, net::IpAddr};

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
    connection: Option<Connection>,

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
        self.connection.as_ref().map_or_else(|| Ok(provider.clone()), |connection| connection.open(provider))
    }

    async fn make_or_adopt(&mut self, limit: &Duration, context: &mut Context<Docker>) -> Result<()> {
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
        self.id = found.id.clone().into();
        self.created_at = found.created_at.clone().into();
        if !info.swarm.is_in_none() {
            self.as_made(&found, Some(&info))?;
        }
        self.settle(None, &host, &host, limit).await
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
                         `swarm_node`; to have Terraform manage that swarm, leave `connection` out or import it.",
                        engine.host(),
                        host.host()
                    ),
                )
                .at("connection"));
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

    async fn change(&mut self, prior: &Self, limit: &Duration, context: &mut Context<Docker>) -> Result<()> {
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
        self.as_made(&manager.inspect_cluster().await.doing(what)?, None)?;
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
        if rotate_ca || prior.and_then(root) != root(self) {
            manager.wait_for_root_rotation(limit.to_std()).await.doing(what)?;
        }
        let found = manager.inspect_cluster().await.doing(what)?;
        self.root_ca_certificate = found.tls_info.trust_root.into();
        Ok(())
    }

    async fn leave(&self, context: &mut Context<Docker>) -> Result<()> {
        let what = || "leave the swarm".to_owned();
        let host = self.host(&context.client)?;
        let id = self.id.get()?;
        let own = host.info().await.doing(what)?;
        let managers = Managers::of(id, Some(&host), &context.client).await;
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
        if own.swarm.cluster_id().is_some_and(|other| other != id) {
            return Err(not_this(&host, &own, id));
        }
        let left = host.leave_swarm(true).await;
        context.client.forget_membership();
        left.map_err(|error| failure(&format!("let the host at {} leave the swarm", host.host()), &error))
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
            connection: None,
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
    if !plan.config.is_set("connection") {
        return Some(docker.clone());
    }
    plan.known::<Connection>("connection")?.open(docker).ok()
}

/// Whether a host can make a swarm, or manages one.
fn fit(host: &Docker, info: &Info) -> Result<()> {
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
    Err(Diagnostic::error("The host cannot make or manage a swarm", detail).at("connection"))
}

/// The host is in another swarm than that of the state, or is no manager of it.
fn not_this(host: &Docker, info: &Info, id: &str) -> Diagnostic {
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

fn not_made(host: &Docker, error: &docker::Error) -> Diagnostic {
    let mut diagnostic = failure(&format!("make a swarm on the host at {}", host.host()), error);
    if error.to_string().contains("could not choose an IP address") {
        diagnostic.detail.push_str(" Set `advertise_addr` to the address by which the other nodes reach it.");
        return diagnostic.at("advertise_addr");
    }
    diagnostic
}

/// A word of the Engine's.
pub(super) fn word(availability: &str) -> Availability {
    match availability {
        "pause" => Availability::Pause,
        "drain" => Availability::Drain,
        _ => Availability::Active,
    }
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
