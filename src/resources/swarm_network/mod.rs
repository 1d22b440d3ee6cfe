//! `swarm_network`: a network of the swarm.

mod ipam;
mod subnet;

pub use ipam::Ipam;

use super::{
    blob::Labels,
    connection::Connection,
    failure::{Doing, failure, ready, within},
    kreuzwerker, names,
};
use crate::docker::{self, ApiVersion, Docker, Found};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, MoveSource, Plan, Resource, Result,
    Timeouts, Value,
};
use serde_json::{Map, json};

/// A network on which the tasks of services find each other, on whichever nodes they run.
///
/// Docker cannot change a network, so every change but one of `timeouts` and `engine` makes a new one, for which all
/// services must leave the old one first. What is left out is neither compared nor changed. Deleting waits until the
/// tasks that were on the network have ended: if it went before them, Docker would never give their addresses back.
///
/// With `config_only` it is no network but the settings for one, kept by one host: see the second example.
///
/// A `moved` block takes over a `docker_network` of kreuzwerker/docker, if it is one of the swarm.
#[derive(Debug, Model)]
pub struct SwarmNetwork {
    /// Name of the network, unique in the swarm.
    #[tf(replace, check = names::network_name)]
    name: String,

    /// Driver of the network. It means nothing with `config_only`.
    #[tf(replace, default = "overlay")]
    driver: String,

    /// Options of the driver, such as `{ encrypted = "" }` or `{ "com.docker.network.driver.mtu" = "1400" }`. What the
    /// driver adds by itself is no difference. Without it they are left as they are.
    #[tf(replace, computed)]
    options: Option<Labels>,

    /// Whether containers that belong to no service may join it.
    #[tf(replace, default = false)]
    attachable: bool,

    /// Whether it has no way out of the swarm.
    #[tf(replace, default = false)]
    internal: bool,

    /// Whether it is the network of ports that are published by the routing mesh. A swarm has one, so that which Docker has
    /// made, `ingress`, must be removed first.
    #[tf(replace, default = false)]
    ingress: bool,

    /// Whether it has IPv4 addresses. Networks of the swarm always have; settings without, by `config_only` and from Engine
    /// 28.0 on, are for networks of one host.
    #[tf(replace, default = true)]
    ipv4: bool,

    /// Whether it has IPv6 addresses, for which `ipam` has a subnet. Not every Engine can give them out on an overlay: 20.10
    /// does, 28.5 does not.
    #[tf(replace, default = false)]
    ipv6: bool,

    /// Where its addresses come from. What is not set here is chosen by Docker.
    #[tf(computed)]
    ipam: Option<Ipam>,

    /// Whether it is only the settings for networks that name it in `config_from`: driver options and addresses, which
    /// may differ from host to host. It is kept by the host of `engine`, so each host that shall have the network
    /// needs one.
    #[tf(replace, default = false)]
    config_only: bool,

    /// Name of the `config_only` network that has the settings, on each host its own. For drivers such as `macvlan`.
    #[tf(replace, computed)]
    config_from: Option<String>,

    /// Labels of the network. Without it they are left as they are.
    #[tf(replace, computed)]
    labels: Option<Labels>,

    /// The Engine of the host that keeps a `config_only` network. By default it is the provider's.
    engine: Option<Connection>,

    /// How long the operations may take: a minute to create, five to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// `swarm`, or `local` with `config_only`.
    scope: Computed<String>,

    /// ID of the network.
    id: Computed<String>,
}

/// What the overlay driver adds to the options.
const ALLOCATED: &str = "com.docker.network.driver.overlay.vxlanid_list";

/// The network that a swarm is made with.
const DEFAULT_INGRESS: &str = "ingress";

/// How long creating may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(1);

impl Resource for SwarmNetwork {
    const TYPE: &'static str = "swarm_network";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        let is = |name: &str| config.known::<bool>(name) == Some(true);
        let is_not = |name: &str| config.get(name).is_null() || config.known::<bool>(name) == Some(false);
        // What is not known yet may turn out to be null.
        let from_another = config.is_set("config_from") && config.is_known("config_from");
        let mut found = Connection::validate(config);
        if is("ingress") && is("attachable") {
            let why = "The network of the routing mesh cannot be joined by containers.";
            found.push(Diagnostic::error("Ingress and attachable", why).at("attachable"));
        }
        if is("config_only") && from_another {
            let why = "A `config_only` network has settings, and cannot get them from another one.";
            found.push(Diagnostic::error("Settings from two places", why).at("config_from"));
        }
        for name in ["ingress", "internal", "attachable"] {
            if is("config_only") && is(name) {
                let why = "With `config_only` there are only settings of a driver and of addresses.";
                found.push(Diagnostic::error(format!("Settings cannot be `{name}`"), why).at(name));
            }
        }
        let has_subnets = matches!(config.get("ipam.config"), Value::List(subnets) if !subnets.is_empty());
        if from_another && has_subnets {
            let why = "With `config_from` the addresses are those of the network that it names.";
            found.push(Diagnostic::error("Settings from two places", why).at("ipam.config"));
        }
        if config.known::<bool>("ipv4") == Some(false) && is_not("config_only") {
            let why = "Docker gives every network of the swarm IPv4 addresses, whatever it is asked for.";
            found.push(Diagnostic::error("No network without IPv4", why).at("ipv4"));
        }
        if let Value::List(subnets) = config.get("ipam.config") {
            for (index, subnet) in subnets.iter().enumerate() {
                found.extend(ipam::check_subnet(subnet, index, is_not("config_only")));
            }
        }
        found
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        if let Some(config_only) = plan.known::<bool>("config_only") {
            plan.set("scope", scope(config_only).to_owned());
        }
        Ok(())
    }

    async fn check(plan: &Plan, client: &Docker) -> Diagnostics {
        if plan.known::<bool>("config_only") != Some(true) || plan.config.is_set("engine") {
            return vec![];
        }
        if let Err(error) = Connection::of_one_host(None, client) {
            return vec![error];
        }
        if plan.known::<bool>("ipv4") != Some(false) {
            return vec![];
        }
        let new_enough = client.require_version("A network without IPv4", ApiVersion(1, 48)).await;
        // That an Engine cannot be asked is for apply to say.
        match new_enough {
            Err(error @ docker::Error::TooOld { .. }) => vec![failure("plan the network", &error).at("ipv4")],
            _ => vec![],
        }
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let docker = self.engine(&context.client)?;
        self.ready(&docker, "create").await?;
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        let created = async {
            match docker.create_network(&self.spec()).await {
                Err(error @ docker::Error::NameTaken { .. }) => Err(self.taken(&error, &docker).await),
                created => created.doing(|| self.action("create")),
            }
        };
        let id = within(&limit, || self.action("create"), created).await?;
        self.id = id.clone().into();
        self.scope = scope(self.config_only).to_owned().into();
        let network = docker.allocated_network(&id, limit.to_std()).await;
        self.found(&network.doing(|| self.action("finish creating"))?);
        Ok(())
    }

    async fn read(self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let docker = self.engine(&context.client)?;
        self.ready(&docker, "read").await?;
        let found = docker.network(self.id.get()?).await.found();
        let Some(network) = found.doing(|| self.action("read"))? else { return Ok(None) };
        let mut own = SwarmNetwork { engine: self.engine, timeouts: self.timeouts, ..Self::of(&network) };
        own.options = Some(without_allocated(&network.options, self.options.as_ref()));
        own.ipam = Some(Ipam::found(&network, self.ipam.as_ref()));
        Ok(Some(own))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        // Nothing of the network itself changes in place; a new connection must lead to it.
        let (docker, id) = (self.engine(&context.client)?, prior.id.get()?);
        docker.find_network(id).await.doing(|| self.action("find")).map_err(|error| error.at("engine"))?;
        self.id = prior.id.clone();
        self.scope = prior.scope.clone();
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let docker = self.engine(&context.client)?;
        self.ready(&docker, "remove").await?;
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5)).to_std();
        let removed = docker.remove_network_when_unused(self.id.get()?, limit).await.found();
        removed.map(drop).map_err(|error| {
            let mut diagnostic = failure(&self.action("remove"), &error);
            if matches!(error, docker::Error::InUse { .. }) {
                diagnostic.detail.push_str(
                    " Take it out of what uses it first; `timeouts.delete` allows more time for tasks to end.",
                );
            }
            diagnostic
        })
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let found = context.client.find_network(id).await.found();
        let Some(network) = found.doing(|| format!("import network `{id}`"))? else { return Ok(None) };
        if !network.is_of_the_swarm() && !network.config_only {
            return Err(Diagnostic::error(
                format!("Cannot import network `{id}`"),
                format!(
                    "It is a network of one host (scope `{}`, driver `{}`), and none of the swarm.",
                    network.scope, network.driver
                ),
            ));
        }
        Ok(Some(Self::of(&network)))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the networks".to_owned()).await?;
        let networks = context.client.networks_now().await.doing(|| "list the networks".to_owned())?;
        let own = |network: &&docker::Network| network.is_of_the_swarm() && network.name != DEFAULT_INGRESS;
        Ok(networks.iter().filter(own).map(Self::of).collect())
    }

    fn moved(source: &MoveSource) -> Option<Result<Map<String, serde_json::Value>>> {
        kreuzwerker::is(source, "docker_network").then(|| moved(&source.attributes))
    }
}

impl SwarmNetwork {
    /// A network that somebody else made.
    fn of(network: &docker::Network) -> Self {
        let mut own = SwarmNetwork {
            name: network.name.clone(),
            driver: if network.config_only { "overlay".to_owned() } else { network.driver.clone() },
            options: None,
            attachable: network.attachable,
            internal: network.internal,
            ingress: network.ingress,
            // Older Engines know of no network without, and say so of none.
            ipv4: network.is_of_the_swarm() || network.ipv4 != Some(false),
            ipv6: network.ipv6,
            ipam: None,
            config_only: network.config_only,
            config_from: None,
            labels: None,
            engine: None,
            timeouts: None,
            scope: network.scope.clone().into(),
            id: network.id.clone().into(),
        };
        own.found(network);
        own
    }

    /// What is left to Docker where the configuration does not set it.
    fn found(&mut self, network: &docker::Network) {
        self.options = Some(without_allocated(&network.options, self.options.as_ref()));
        self.ipam = Some(Ipam::found(network, self.ipam.as_ref()));
        self.config_from = network.config_from.network.clone().filter(|name| !name.is_empty());
        self.labels = Some(network.labels.clone());
    }

    fn spec(&self) -> docker::NetworkSpec {
        docker::NetworkSpec {
            name: Some(self.name.clone()),
            driver: Some(self.driver.clone()),
            // Settings of one host have no scope to ask for.
            scope: (!self.config_only).then(|| scope(false).to_owned()),
            check_duplicate: Some(true),
            ingress: Some(self.ingress),
            attachable: Some(self.attachable),
            internal: Some(self.internal),
            ipv4: (!self.ipv4).then_some(false),
            ipv6: Some(self.ipv6),
            // With `config_from` they are those of the network that it names.
            ipam: self.ipam.as_ref().filter(|_| self.config_from.is_none()).map(Ipam::spec),
            options: self.options.clone(),
            config_only: Some(self.config_only),
            config_from: self.config_from.clone().map(|network| docker::NetworkReference {
                network: Some(network),
                ..docker::NetworkReference::default()
            }),
            labels: self.labels.clone(),
            ..docker::NetworkSpec::default()
        }
    }

    fn engine(&self, provider: &Docker) -> Result<Docker> {
        match &self.engine {
            connection if self.config_only => Connection::of_one_host(connection.as_ref(), provider),
            Some(connection) => connection.open(provider),
            None => Ok(provider.clone()),
        }
    }

    /// Settings that one host keeps need no swarm.
    async fn ready(&self, docker: &Docker, verb: &str) -> Result<()> {
        if self.config_only { Ok(()) } else { ready(docker, || self.action(verb)).await }
    }

    async fn taken(&self, error: &docker::Error, docker: &Docker) -> Diagnostic {
        let holder = docker.find_network(&self.name).await.ok();
        let mut diagnostic = failure(&self.action("create"), error);
        match holder.filter(|holder| holder.scope == scope(self.config_only)) {
            Some(holder) => diagnostic.detail.push_str(&format!(
                " To manage that one here, import it: terraform import ADDRESS {}.",
                holder.id
            )),
            None => diagnostic.detail.push_str(" Choose another name, or remove that one first."),
        }
        diagnostic.at("name")
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} network `{}`", self.name)
    }
}

fn scope(config_only: bool) -> &'static str {
    if config_only { "local" } else { "swarm" }
}

/// The options of a network, but for what the driver has added to those that were asked for.
fn without_allocated(found: &Labels, wanted: Option<&Labels>) -> Labels {
    without(ALLOCATED, found, wanted)
}

/// Options without the one that an Engine adds, unless it was asked for.
fn without(added: &str, found: &Labels, wanted: Option<&Labels>) -> Labels {
    let mut options = found.clone();
    if wanted.is_none_or(|wanted| !wanted.contains_key(added)) {
        options.remove(added);
    }
    options
}

/// The state of kreuzwerker/docker's `docker_network` in this resource's shape.
fn moved(theirs: &Map<String, serde_json::Value>) -> Result<Map<String, serde_json::Value>> {
    let value = |name: &str| theirs.get(name).cloned().unwrap_or_default();
    let flag = |name: &str| serde_json::Value::Bool(value(name).as_bool().unwrap_or(false));
    if value("scope") != "swarm" {
        return Err(Diagnostic::error(
            "Cannot move a network of one host",
            "The `docker_network` has no scope `swarm`, so it is no network of the swarm. Leave it where it is.",
        ));
    }
    let subnets = value("ipam_config").as_array().cloned().unwrap_or_default();
    let config = subnets.iter().map(|subnet| {
        json!({
            "subnet": kreuzwerker::text(subnet.get("subnet")),
            "ip_range": kreuzwerker::text(subnet.get("ip_range")),
            "gateway": kreuzwerker::text(subnet.get("gateway")),
            "aux_addresses": null,
        })
    });
    let mut options = kreuzwerker::map(theirs.get("options"));
    if let Some(options) = options.as_object_mut() {
        options.remove(ALLOCATED);
    }
    let ours = json!({
        "id": value("id"),
        "name": value("name"),
        "driver": value("driver"),
        "options": kreuzwerker::map(Some(&options)),
        "attachable": flag("attachable"),
        "internal": flag("internal"),
        "ingress": flag("ingress"),
        "ipv4": true,
        "ipv6": flag("ipv6"),
        "ipam": {
            "driver": kreuzwerker::text(theirs.get("ipam_driver")),
            "options": kreuzwerker::map(theirs.get("ipam_options")),
            "config": config.collect::<Vec<_>>(),
        },
        "config_only": false,
        "labels": kreuzwerker::labels(theirs),
        "scope": "swarm",
    });
    Ok(ours.as_object().cloned().unwrap_or_default())
}
