//! Networks, as far as services need them.

use super::Docker;
use super::error::{Error, Kind, Result};
use super::refusal::Subject;
use super::shared::Wanted;
use std::{collections::BTreeMap, sync::Arc};

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Identifier.
    pub id: String,
    /// Name. Only among those of the swarm it is unique.
    pub name: String,
    /// Driver, such as `overlay`.
    pub driver: String,
    /// `swarm`, `local` or `global`.
    pub scope: String,
    /// Whether it is the network of ingress ports.
    pub ingress: bool,
    /// Whether containers outside of services may join it.
    pub attachable: bool,
    /// Whether it has no way out.
    pub internal: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl From<bollard::models::Network> for Network {
    fn from(theirs: bollard::models::Network) -> Self {
        Self {
            id: theirs.id.unwrap_or_default(),
            name: theirs.name.unwrap_or_default(),
            driver: theirs.driver.unwrap_or_default(),
            scope: theirs.scope.unwrap_or_default(),
            ingress: theirs.ingress.unwrap_or_default(),
            attachable: theirs.attachable.unwrap_or_default(),
            internal: theirs.internal.unwrap_or_default(),
            labels: theirs.labels.unwrap_or_default().into_iter().collect(),
        }
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
        let fetch = || async {
            let call = |bollard: bollard::Docker| async move { bollard.list_networks(None).await };
            let listed = self.through_bollard(Subject::None, call).await?;
            Ok(listed.into_iter().map(Network::from).collect())
        };
        self.0.networks.get(wanted, fetch).await
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
            .or_else(|| networks.iter().filter(named).find(|network| network.scope == "swarm"))
            .or_else(|| networks.iter().find(named));
        let gone = || Error::NotFound { kind: Kind::Network, name: id_or_name.to_owned() };
        found.cloned().ok_or_else(gone)
    }
}
