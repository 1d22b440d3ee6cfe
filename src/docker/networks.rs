//! Networks of the swarm, and those that are kept on one host.

use super::call::{Request, segment};
use super::creation::Creation;
use super::error::{Error, Found, Kind, Result};
use super::object::{engine_object, null_as_default};
use super::shared::Wanted;
use super::spec::{Labels, ServiceSpec};
use super::tasks::Task;
use super::{Docker, swarm};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A network.
///
/// Reason for a type of our own: lists of networks are read by everything that refers to one, and here no new field and
/// no other time format makes a list unreadable.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Network {
    /// Identifier.
    pub id: String,
    /// Name. Only among those of the swarm it is unique.
    pub name: String,
    /// When it was created, in RFC 3339.
    pub created: String,
    /// Driver, such as `overlay`; empty until the swarm has allocated what the network needs.
    pub driver: String,
    /// `swarm`, `local` or `global`.
    pub scope: String,
    /// Whether it is the network of ingress ports.
    pub ingress: bool,
    /// Whether containers outside of services may join it.
    pub attachable: bool,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether it has IPv4 addresses; Engines before API 1.48 do not say.
    #[serde(rename = "EnableIPv4")]
    pub ipv4: Option<bool>,
    /// Whether it has IPv6 addresses.
    #[serde(rename = "EnableIPv6")]
    pub ipv6: bool,
    /// Where its addresses come from.
    #[serde(rename = "IPAM", deserialize_with = "null_as_default")]
    pub ipam: Ipam,
    /// Options of the driver, with those that the driver adds.
    #[serde(deserialize_with = "null_as_default")]
    pub options: Labels,
    /// Whether it is only the settings of others.
    pub config_only: bool,
    /// The network that has its settings.
    #[serde(deserialize_with = "null_as_default")]
    pub config_from: NetworkReference,
    /// Labels.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: Labels,
}

engine_object! {
    /// What a network is to be. It cannot be changed afterwards.
    NetworkSpec {
        /// Name.
        name: String,
        /// Driver.
        driver: String,
        /// `swarm` or `local`.
        scope: String,
        /// Whether the Engine looks for another one of that name; newer ones always do.
        check_duplicate: bool,
        /// Whether it is the network of ingress ports.
        ingress: bool,
        /// Whether containers outside of services may join it.
        attachable: bool,
        /// Whether it has no way out.
        internal: bool,
        /// Whether it has IPv4 addresses; since API 1.48.
        #[serde(rename = "EnableIPv4")]
        ipv4: bool,
        /// Whether it has IPv6 addresses.
        #[serde(rename = "EnableIPv6")]
        ipv6: bool,
        /// Where its addresses come from.
        #[serde(rename = "IPAM")]
        ipam: Ipam,
        /// Options of the driver.
        options: Labels,
        /// Whether it is only the settings of others.
        config_only: bool,
        /// The network that has its settings.
        config_from: NetworkReference,
        /// Labels.
        labels: Labels,
    }
    /// A network that another one names.
    NetworkReference {
        /// Its name.
        network: String,
    }
    /// Where addresses come from.
    Ipam {
        /// Driver; `default` is the Engine's own.
        driver: String,
        /// Options of the driver.
        options: Labels,
        /// The subnets.
        config: Vec<IpamConfig>,
    }
    /// A subnet.
    IpamConfig {
        /// The subnet in CIDR form.
        subnet: String,
        /// The part of it of which addresses are given out.
        #[serde(rename = "IPRange")]
        ip_range: String,
        /// The gateway.
        gateway: String,
        /// Addresses that are not given out, by name.
        auxiliary_addresses: Labels,
    }
}

impl Network {
    /// Whether the swarm has it, rather than one host.
    pub fn is_of_the_swarm(&self) -> bool {
        self.scope == "swarm"
    }
}

impl Docker {
    /// All networks, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn networks(&self) -> Result<Arc<[Network]>> {
        self.list_networks(Wanted::Shared).await
    }

    /// All networks, as of now.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn networks_now(&self) -> Result<Arc<[Network]>> {
        self.list_networks(Wanted::Fresh).await
    }

    async fn list_networks(&self, wanted: Wanted) -> Result<Arc<[Network]>> {
        self.0.networks.get(wanted, || async { self.read(&Request::get("/networks")).await }).await
    }

    /// The network with this ID, out of [`Docker::networks`].
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn network(&self, id: &str) -> Result<Network> {
        let networks = self.networks().await?;
        networks.iter().find(|network| network.id == id).cloned().ok_or_else(|| gone(id))
    }

    /// The networks of the swarm, as old as this walk's picture may be; of those `wanted` by ID or name also `host` and
    /// `bridge`, which a swarm has of its own and which no list has.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn networks_of_the_swarm(&self, wanted: &[&str]) -> Result<Vec<Network>> {
        let of_the_swarm = |network: &&Network| network.is_of_the_swarm();
        let mut networks: Vec<Network> =
            self.networks().await?.iter().filter(of_the_swarm).cloned().collect();
        for wanted in wanted {
            // An Engine also answers to the beginning of an ID.
            let is_meant = |network: &Network| network.id == **wanted || network.name == **wanted;
            if !networks.iter().any(is_meant) {
                let request = Request::get(format!("/networks/{}", segment(wanted))).query("scope", "swarm");
                let found = self.read::<Network>(&request.about(Kind::Network, wanted)).await.found()?;
                networks.extend(found.filter(is_meant));
            }
        }
        Ok(networks)
    }

    /// The network with exactly this ID or name, as of now; of two with the name, the one of the swarm.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn find_network(&self, id_or_name: &str) -> Result<Network> {
        let networks = self.networks_now().await?;
        let named = |network: &&Network| network.name == id_or_name;
        let found = networks
            .iter()
            .find(|network| network.id == id_or_name)
            .or_else(|| networks.iter().filter(named).find(|network| network.is_of_the_swarm()))
            .or_else(|| networks.iter().find(named));
        found.cloned().ok_or_else(|| gone(id_or_name))
    }

    /// Creates a network and answers its ID. Its subnet may be allocated later: see [`Docker::allocated_network`].
    ///
    /// Where the answer gets lost, the network is looked for: one of the same name, labels and scope that is not older
    /// than the attempt is the one that was asked for.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::Api`] for what the Engine refuses, and whatever keeps it from answering.
    pub async fn create_network(&self, spec: &NetworkSpec) -> Result<String> {
        let name = spec.name.as_deref().unwrap_or_default();
        let since = self.clock().await;
        let request = Request::post("/networks/create").creates(Kind::Network, name).json(spec)?;
        let created = self.create(&request).await;
        self.0.networks.forget();
        match created? {
            Creation::Made(id) => Ok(id),
            Creation::TakenPerhapsByUs => {
                let taken = || Error::NameTaken { kind: Kind::Network, name: name.to_owned() };
                let found = self.find_network(name).await.found()?.ok_or_else(taken)?;
                let ours = found.is_of_the_swarm() == (spec.scope.as_deref() == Some("swarm"))
                    && found.labels == spec.labels.clone().unwrap_or_default()
                    && swarm::not_older(&found.created, since);
                if ours { Ok(found.id) } else { Err(taken()) }
            }
        }
    }

    /// The network as soon as the swarm has allocated its driver and its subnets, which takes moments.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Timeout`] after `limit`, and whatever keeps the Engine from answering.
    pub async fn allocated_network(&self, id: &str, limit: Duration) -> Result<Network> {
        let started = Instant::now();
        let request = Request::get(format!("/networks/{}", segment(id))).about(Kind::Network, id);
        let mut pause = Duration::from_millis(10);
        loop {
            let network: Network = self.read(&request).await?;
            if !network.driver.is_empty() {
                return Ok(network);
            }
            if started.elapsed() + pause > limit {
                let what = format!(
                    "the swarm has allocated no addresses for network `{}`. The log of the leading manager says why, such as \
                     a subnet that overlaps with that of another network",
                    network.name
                );
                return Err(Error::Timeout { what, after: limit });
            }
            // Of an allocation there is no event.
            self.sleep(pause).await?;
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }

    /// Removes a network, and waits up to `limit` while services use it, and until their tasks have ended.
    ///
    /// The Engine would let go of a network whose tasks are still stopping, but then it never gives their addresses
    /// back.
    ///
    /// # Errors
    /// [`Error::InUse`] after `limit`, [`Error::NotFound`] where it is gone, and whatever keeps the Engine from
    /// answering.
    pub async fn remove_network_when_unused(&self, id: &str, limit: Duration) -> Result<()> {
        let network = self.network(id).await?;
        let removed = self.remove_when_unused(limit, || self.remove_unused_network(&network)).await;
        self.0.networks.forget();
        removed
    }

    async fn remove_unused_network(&self, network: &Network) -> Result<()> {
        if network.is_of_the_swarm()
            && let Some(message) = self.users_of_network(network).await?
        {
            return Err(Error::InUse { kind: Kind::Network, message });
        }
        let id = &network.id;
        self.remove(&Request::delete(format!("/networks/{}", segment(id))).about(Kind::Network, id)).await
    }

    /// Who uses a network of the swarm, in words.
    async fn users_of_network(&self, network: &Network) -> Result<Option<String>> {
        let joins = |target: &Option<String>| {
            target.as_ref().is_some_and(|target| *target == network.id || *target == network.name)
        };
        let services = self.services_now().await?;
        let users: BTreeSet<&str> = services
            .iter()
            .filter(|service| service.spec.networks().any(|attached| joins(&attached.target)))
            .map(|service| service.name())
            .collect();
        if !users.is_empty() {
            let users: Vec<String> = users.into_iter().map(|name| format!("`{name}`")).collect();
            return Ok(Some(format!("service {} uses it", users.join(", "))));
        }
        let mut tasks: Vec<Task> = self.read(&Request::get("/tasks")).await?;
        tasks.retain(|task| task.spec.networks.iter().flatten().any(|attached| joins(&attached.target)));
        Ok(match self.not_ended(tasks).await?.len() {
            0 => None,
            count => Some(format!("{count} tasks that are on it have not ended yet")),
        })
    }
}

fn gone(name: &str) -> Error {
    Error::NotFound { kind: Kind::Network, name: name.to_owned() }
}

impl ServiceSpec {
    /// The networks that the tasks join, wherever the specification names them.
    fn networks(&self) -> impl Iterator<Item = &super::NetworkAttachment> {
        let of_tasks = self.task_template.iter().flat_map(|task| task.networks.iter().flatten());
        of_tasks.chain(self.networks.iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok, refuse};
    use super::super::shared::lock;
    use super::*;
    use serde_json::{Value, json};
    use std::sync::Mutex;

    fn networks() -> Answer {
        ok(json!([{"Id": "n", "Name": "front", "Scope": "swarm", "IPAM": {"Config": null}, "Labels": null}]))
    }

    #[tokio::test]
    async fn a_network_is_removed_after_its_tasks_have_ended() {
        let states = Mutex::new(vec!["shutdown", "running", "running"]);
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "GET /networks" => networks(),
            "GET /services" | "GET /nodes" => ok(json!([])),
            "GET /tasks" => {
                let mut states = lock(&states);
                let state = if states.len() > 1 { states.pop() } else { states.last().copied() };
                ok(json!([{
                    "ID": "t", "DesiredState": "remove", "Status": {"State": state},
                    "Spec": {"Networks": [{"Target": "n"}]},
                }]))
            }
            _ => Answer::Json(204, Value::Null),
        });
        engine.docker.remove_network_when_unused("n", Duration::from_secs(5)).await.unwrap();
        assert_eq!((engine.count("GET /tasks"), engine.count("DELETE /networks/n")), (3, 1));
    }

    #[tokio::test]
    async fn a_task_on_a_node_that_is_down_is_not_waited_for() {
        let engine = Scripted::new(|asked| match asked.what.as_str() {
            "GET /networks" => networks(),
            "GET /services" => ok(json!([])),
            "GET /nodes" => ok(json!([{"ID": "down", "Status": {"State": "down"}}])),
            "GET /tasks" => ok(json!(["down", "gone"].map(|node| json!({
                "ID": node, "NodeID": node, "ServiceID": "s", "DesiredState": "remove",
                "Status": {"State": "running"}, "Spec": {"Networks": [{"Target": "n"}]},
            })))),
            _ => Answer::Json(204, Value::Null),
        });
        engine.docker.wait_service_gone("s", "web", Duration::ZERO).await.unwrap();
        engine.docker.remove_network_when_unused("n", Duration::ZERO).await.unwrap();
        assert_eq!(engine.count("DELETE /networks/n"), 1);
    }

    #[tokio::test]
    async fn who_uses_a_network_is_named() {
        let engine = Scripted::new(|asked| match asked.what.as_str() {
            "GET /networks" => networks(),
            "GET /services" => ok(json!([
                {"ID": "s", "Spec": {"Name": "web", "TaskTemplate": {"Networks": [{"Target": "n"}]}}},
            ])),
            _ => refuse(500, "not asked for"),
        });
        let error = engine.docker.remove_network_when_unused("n", Duration::ZERO).await.unwrap_err();
        assert_eq!(error.to_string(), "the network is in use: service `web` uses it");
        assert_eq!(engine.count("DELETE /networks/n"), 0);
    }

    #[tokio::test]
    async fn the_swarm_s_own_host_is_found_though_no_list_has_it() {
        let engine = Scripted::new(|asked| match asked.what.as_str() {
            "GET /networks" => ok(json!([
                {"Id": "local", "Name": "host", "Scope": "local"}, {"Id": "n", "Name": "front", "Scope": "swarm"},
            ])),
            "GET /networks/host" => ok(json!({"Id": "own", "Name": "host", "Scope": "swarm"})),
            _ => refuse(404, "network not found"),
        });
        let found = engine.docker.networks_of_the_swarm(&["front", "host", "gone"]).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|network| network.id.as_str()).collect();
        assert_eq!(ids, ["n", "own"]);
        assert_eq!(engine.count("GET /networks/front"), 0);
    }

    #[tokio::test]
    async fn a_network_is_read_once_it_is_allocated() {
        let drivers = Mutex::new(vec!["overlay", "", ""]);
        let engine = Scripted::new(move |_| {
            let driver = lock(&drivers).pop();
            ok(json!({"Id": "n", "Name": "front", "Driver": driver, "Options": null}))
        });
        let network = engine.docker.allocated_network("n", Duration::from_secs(5)).await.unwrap();
        assert_eq!((network.driver.as_str(), engine.count("GET /networks/n")), ("overlay", 3));
    }
}
