//! `swarm_volume`: a volume that there is.

use crate::docker::{Docker, Error, Kind, Volume};
use crate::resources::{Cluster, Connection, Doing};
use crate::terraform::{Computed, Config, Context, Diagnostics, Model, Result, Source};
use std::collections::BTreeMap;

/// A volume of a host, or of the swarm, found by its name.
#[derive(Debug, Model)]
pub struct SwarmVolumeData {
    /// Name of the volume, or the ID of a cluster volume.
    name: String,

    /// The Engine of the host on which the volume is. By default it is the provider's.
    engine: Option<Connection>,

    /// ID that the swarm gave it, if it is a cluster volume; else its name.
    id: Computed<String>,

    /// Driver of the volume.
    driver: Computed<String>,

    /// Options of the driver.
    driver_options: Computed<BTreeMap<String, String>>,

    /// Labels of the volume.
    labels: Computed<BTreeMap<String, String>>,

    /// Directory of the volume on its host, where the driver tells it.
    mountpoint: Computed<String>,

    /// What the volume is in the swarm, or null where it is one of a host.
    cluster: Computed<Option<Cluster>>,
}

impl Source for SwarmVolumeData {
    const TYPE: &'static str = "swarm_volume";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        Connection::validate(config)
    }

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let docker = match &self.engine {
            Some(connection) => connection.open(&context.client)?,
            None => context.client.clone(),
        };
        let what = || format!("read volume `{}`", self.name);
        let volumes = docker.volumes_now().await.doing(what)?;
        let is_meant = |volume: &&Volume| match &volume.cluster_volume {
            Some(found) => volume.name == self.name || found.id == self.name,
            None => volume.name == self.name && !docker.is_one_of_several(),
        };
        let Some(found) = volumes.iter().find(is_meant).cloned() else {
            // Perhaps it was not said where to look.
            Connection::of_one_host(self.engine.as_ref(), &context.client)?;
            return Err(Error::NotFound { kind: Kind::Volume, name: self.name.clone() }).doing(what);
        };
        let cluster = found.cluster_volume.as_ref();
        self.id = cluster.map_or(&found.name, |cluster| &cluster.id).clone().into();
        self.cluster = cluster.map(|cluster| Cluster::of(&cluster.spec)).into();
        self.driver = found.driver.into();
        self.driver_options = found.options.into();
        self.labels = found.labels.into();
        self.mountpoint = found.mountpoint.into();
        Ok(())
    }
}
