//! Volumes: those of one host, and those of a cluster that a CSI driver makes.

use super::call::{Request, segment};
use super::error::{Error, Kind, Result};
use super::object::{Extra, ObjectVersion, engine_object, null_as_default};
use super::pace::Repeat;
use super::shared::Wanted;
use super::spec::Labels;
use super::{Docker, decode};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    /// Name, unique on its host; that of a cluster volume in the swarm.
    pub name: String,
    /// Driver.
    pub driver: String,
    /// Where it is on its host.
    pub mountpoint: String,
    /// Options of the driver.
    #[serde(deserialize_with = "null_as_default")]
    pub options: Labels,
    /// Labels.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: Labels,
    /// What it is in the swarm, if it is a cluster volume.
    pub cluster_volume: Option<ClusterVolume>,
}

/// A volume of the swarm.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ClusterVolume {
    /// Identifier.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version index.
    pub version: ObjectVersion,
    /// What was asked for.
    pub spec: ClusterVolumeSpec,
}

engine_object! {
    /// What a volume is to be.
    VolumeSpec {
        /// Name.
        name: String,
        /// Driver.
        driver: String,
        /// Options of the driver.
        driver_opts: Labels,
        /// Labels.
        labels: Labels,
        /// What it is to be in the swarm; since API 1.42.
        cluster_volume_spec: ClusterVolumeSpec,
    }
    /// What a cluster volume is to be. Only its availability can be changed.
    ClusterVolumeSpec {
        /// Group; a mount may name it instead of a volume.
        group: String,
        /// Who may use it at once, and how.
        access_mode: AccessMode,
        /// Where it must be reachable.
        accessibility_requirements: TopologyRequirement,
        /// How big it is.
        capacity_range: CapacityRange,
        /// Secrets for the driver.
        secrets: Vec<VolumeSecret>,
        /// `active`, `pause` or `drain`.
        availability: String,
    }
    /// Who may use a cluster volume at once, and how.
    AccessMode {
        /// `single` or `multi`: on how many nodes.
        scope: String,
        /// `none`, `readonly`, `onewriter` or `all`: by how many tasks.
        sharing: String,
        /// As a file system.
        mount_volume: MountVolume,
        /// As a block device.
        block_volume: Extra,
    }
    /// How a cluster volume is mounted as a file system.
    MountVolume {
        /// Type of the file system.
        fs_type: String,
        /// Options of the mount.
        mount_flags: Vec<String>,
    }
    /// Where a cluster volume must be reachable.
    TopologyRequirement {
        /// From one of these.
        requisite: Vec<Topology>,
        /// If possible from the first of these.
        preferred: Vec<Topology>,
    }
    /// A part of the topology.
    Topology {
        /// Such as `zone` to `a`.
        segments: Labels,
    }
    /// How big a cluster volume is.
    CapacityRange {
        /// Bytes at least; zero for any.
        required_bytes: i64,
        /// Bytes at most; zero for any.
        limit_bytes: i64,
    }
    /// A secret for a driver.
    VolumeSecret {
        /// What the driver calls it.
        key: String,
        /// ID of the secret.
        secret: String,
    }
}

impl Docker {
    /// All volumes of the Engine's host and, if it is a manager, of the swarm, as old as this walk's picture may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn volumes(&self) -> Result<Arc<[Volume]>> {
        self.list_volumes(Wanted::Shared).await
    }

    /// The same, as of now.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn volumes_now(&self) -> Result<Arc<[Volume]>> {
        self.list_volumes(Wanted::Fresh).await
    }

    async fn list_volumes(&self, wanted: Wanted) -> Result<Arc<[Volume]>> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Volumes", default, deserialize_with = "null_as_default")]
            volumes: Vec<Volume>,
        }
        let fetch = || async { Ok(self.read::<Answer>(&Request::get("/volumes")).await?.volumes) };
        self.0.volumes.get(wanted, fetch).await
    }

    /// Creates a volume. An Engine that has one of that name gives that one, whatever its options are: look first.
    ///
    /// # Errors
    /// [`Error::NameTaken`] for a cluster volume, [`Error::Api`] for what the Engine refuses, and whatever keeps it
    /// from answering.
    pub async fn create_volume(&self, spec: &VolumeSpec) -> Result<Volume> {
        let name = spec.name.as_deref().unwrap_or_default();
        let request = Request::post("/volumes/create").creates(Kind::Volume, name).json(spec)?;
        // Of one host it can be asked for again and again; of the swarm it is made only once.
        let repeat = if spec.cluster_volume_spec.is_some() { Repeat::Write } else { Repeat::Read };
        let created = self.call(repeat, &request).await;
        self.0.volumes.forget();
        decode(|| request.what(), &created?)
    }

    /// Changes the availability of a cluster volume, on a fresh read.
    ///
    /// Reason for the ID: Engines look for a volume of that name, and then update one of that ID.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::OutOfSequence`] where others change it all the time, and whatever keeps the
    /// Engine from answering.
    pub async fn set_volume_availability(&self, id: &str, availability: &str) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let done = loop {
            match self.set_volume_availability_once(id, availability).await {
                Err(error) => {
                    if let Err(error) = attempts.pause(error).await {
                        break Err(error);
                    }
                }
                done => break done,
            }
        };
        self.0.volumes.forget();
        done
    }

    async fn set_volume_availability_once(&self, id: &str, availability: &str) -> Result<()> {
        #[derive(Serialize)]
        struct Update {
            #[serde(rename = "Spec")]
            spec: ClusterVolumeSpec,
        }
        let path = format!("/volumes/{}", segment(id));
        let read = Request::get(path.as_str()).about(Kind::Volume, id);
        let volume: Volume = decode(|| read.what(), &self.call_once(&read).await?)?;
        let gone = || Error::NotFound { kind: Kind::Volume, name: id.to_owned() };
        let ClusterVolume { version, mut spec, .. } = volume.cluster_volume.ok_or_else(gone)?;
        if spec.availability.as_deref() == Some(availability) {
            return Ok(());
        }
        spec.availability = Some(availability.to_owned());
        let write = Request::put(path).query("version", version.index).about(Kind::Volume, id);
        self.call_once(&write.json(&Update { spec })?).await.map(drop)
    }

    /// Removes a volume of a host or, by its ID, of the swarm, and waits up to `limit` while it is in use.
    ///
    /// # Errors
    /// [`Error::InUse`] after `limit`, [`Error::NotFound`] where it is gone, and whatever keeps the Engine from
    /// answering.
    pub async fn remove_volume_when_unused(&self, name_or_id: &str, limit: Duration) -> Result<()> {
        let path = format!("/volumes/{}", segment(name_or_id));
        let request = Request::delete(path).about(Kind::Volume, name_or_id);
        let removed = self.remove_when_unused(limit, || self.remove(&request)).await;
        self.0.volumes.forget();
        removed
    }

    /// Waits until the driver of a removed cluster volume has removed it.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, and whatever keeps the Engine from answering.
    pub async fn wait_volume_gone(&self, id: &str, limit: Duration) -> Result<()> {
        let started = Instant::now();
        let request = Request::get(format!("/volumes/{}", segment(id))).about(Kind::Volume, id);
        let mut pause = Duration::from_millis(50);
        loop {
            match self.call(Repeat::Read, &request).await {
                Err(Error::NotFound { .. }) => return Ok(()),
                Err(error) => return Err(error),
                Ok(_) if started.elapsed() + pause > limit => {
                    let what = "the CSI driver has not removed the volume".to_owned();
                    return Err(Error::Timeout { what, after: limit });
                }
                Ok(_) => self.sleep(pause).await?,
            }
            pause = (pause * 3 / 2).min(Duration::from_millis(500));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, ok};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn an_update_names_the_id_and_keeps_what_it_does_not_change() {
        let engine = Scripted::of_version("1.51", "1.24", |asked| match asked.what.as_str() {
            "GET /volumes/id" => ok(json!({"Name": "v", "ClusterVolume": {
                "ID": "id", "Version": {"Index": 7}, "Spec": {"Group": "g", "New": 1, "Availability": "active"},
            }})),
            _ => ok(Value::Null),
        });
        engine.docker.set_volume_availability("id", "active").await.unwrap();
        assert_eq!(engine.count("PUT /volumes/id"), 0, "nothing is sent where nothing changes");
        engine.docker.set_volume_availability("id", "drain").await.unwrap();
        let asked = engine.asked().pop().unwrap();
        assert_eq!((asked.what.as_str(), asked.query.as_str()), ("PUT /volumes/id", "version=7"));
        assert_eq!(asked.body, json!({"Spec": {"Group": "g", "New": 1, "Availability": "drain"}}));
    }

    #[tokio::test]
    async fn a_host_without_volumes_has_none() {
        let engine = Scripted::new(|_| ok(json!({"Volumes": null, "Warnings": null})));
        assert!(engine.docker.volumes().await.unwrap().is_empty());
    }
}
