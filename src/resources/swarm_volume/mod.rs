//! `swarm_volume`: a volume that services mount.

mod cluster;

pub use cluster::Cluster;

use super::{
    blob::Labels,
    connection::Connection,
    failure::{Doing, failure, ready, within},
    kreuzwerker, names,
};
use crate::docker::{self, ApiVersion, Docker, Found};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, MoveSource, Plan, Resource, Result,
    Timeouts,
};
use serde_json::{Map, json};

/// A volume for what services keep: on one host, or with `cluster` in the swarm.
///
/// **A volume of a host** is on the host of `engine`, or of the provider's Engine if it names one. On other nodes a service that
/// mounts a volume of that name gets an empty one, made there without these options: where a service may run on several
/// nodes, make one volume for each of them, or give driver and options in the service's mount.
///
/// **Data is not destroyed.** With `keep_on_destroy`, as it is by default, destroying or replacing the resource leaves
/// the volume where it is, and creating it adopts a volume that is there already with the same driver and options.
/// A volume with others is an error: Docker alone would say nothing and keep the old ones.
///
/// An identity names a volume of the provider's Engine; the ID `HOST/NAME` imports one of another host.
///
/// **A cluster volume** needs a CSI driver on the nodes, and Engine 23.0 or newer. Only its availability can be changed.
///
/// A `moved` block takes over a `docker_volume` of kreuzwerker/docker; `driver_opts` is `driver_options` here.
#[derive(Debug, Model)]
pub struct SwarmVolume {
    /// Name of the volume, unique on its host; that of a cluster volume in the swarm.
    #[tf(replace, check = names::volume_name)]
    name: String,

    /// Driver of the volume. For a cluster volume it is the name of the CSI driver.
    #[tf(replace, default = "local")]
    driver: String,

    /// Options of the driver, such as `{ type = "nfs", o = "addr=10.0.0.9,rw", device = ":/export" }`. Without it they
    /// are left as they are.
    #[tf(replace, computed)]
    driver_options: Option<Labels>,

    /// Labels of the volume. Without it they are left as they are.
    #[tf(replace, computed)]
    labels: Option<Labels>,

    /// Whether destroying or replacing the resource leaves the volume and what is in it. Set it to `false` and apply,
    /// before a volume is really to be removed.
    #[tf(default = true)]
    keep_on_destroy: bool,

    /// What the volume is to be in the swarm. Without it, it is one of a host.
    cluster: Option<Cluster>,

    /// The Engine of the host on which the volume is. By default it is the provider's. A change of it must lead to the
    /// same volume: to move to another host, replace the resource.
    engine: Option<Connection>,

    /// How long the operations may take: a minute to create and update, five to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// Directory of the volume on its host, where the driver tells it.
    mountpoint: Computed<String>,

    /// Name of the volume; of a cluster volume, the ID that the swarm gave it.
    id: Computed<String>,
}

/// How long creating and changing may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(1);

/// The version that brought cluster volumes: Engine 23.0.
const CLUSTER_VOLUMES: ApiVersion = ApiVersion(1, 42);

impl Resource for SwarmVolume {
    const TYPE: &'static str = "swarm_volume";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        // What is not known yet may turn out to be null.
        let is_there = |name: &str| config.is_set(name) && !config.get(name).is_unknown();
        let mut found = Connection::validate(config);
        if is_there("cluster") && is_there("engine") {
            let why =
                "A cluster volume belongs to no host, and is made through a manager: leave out `engine`.";
            found.push(Diagnostic::error("A cluster volume on one host", why).at("engine"));
        }
        if is_there("cluster") && config.get("driver").is_null() {
            let why =
                "Set `driver` to the name of the CSI driver: the driver `local` makes volumes of one host.";
            found.push(Diagnostic::error("A cluster volume without its driver", why).at("driver"));
        }
        found
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        // The one becomes the other by being made anew.
        let of_a_host = |config: &Config| config.get("cluster").is_null();
        if plan.prior.as_ref().is_some_and(|prior| of_a_host(prior) != of_a_host(plan.planned())) {
            plan.replace("cluster");
        }
        Ok(())
    }

    async fn check(plan: &Plan, client: &Docker) -> Diagnostics {
        if !plan.config.is_set("cluster") {
            let is_open = !plan.config.is_set("engine");
            return if is_open {
                Connection::of_one_host(None, client).err().into_iter().collect()
            } else {
                vec![]
            };
        }
        // That an Engine cannot be asked is for apply to say.
        match client.require_version("A cluster volume", CLUSTER_VOLUMES).await {
            Err(error @ docker::Error::TooOld { .. }) => {
                vec![failure("plan the volume", &error).at("cluster")]
            }
            _ => vec![],
        }
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let docker = self.ready(&context.client, "create").await?;
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        let made = within(&limit, || self.action("create"), self.make_or_adopt(&docker)).await?;
        if let (Some(own), Some(made)) = (&mut self.cluster, &made.cluster_volume) {
            own.complete(Cluster::of(&made.spec));
        }
        self.found(&made);
        Ok(())
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let docker = self.ready(&context.client, "read").await?;
        let volumes = docker.volumes().await.doing(|| self.action("read"))?;
        let Some(volume) = self.among(&volumes) else { return Ok(None) };
        self.driver.clone_from(&volume.driver);
        self.cluster = volume.cluster_volume.as_ref().map(|found| Cluster::of(&found.spec));
        self.found(volume);
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let docker = self.ready(&context.client, "change").await?;
        let volumes = docker.volumes_now().await.doing(|| self.action("change"))?;
        let Some(volume) = self.among(&volumes) else { return Err(self.elsewhere(&docker)) };
        if let (Some(wanted), Some(found)) = (&self.cluster, &volume.cluster_volume)
            && prior.cluster.as_ref().is_none_or(|prior| prior.availability != wanted.availability)
        {
            let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
            let changed = async {
                let changed = docker.set_volume_availability(&found.id, &wanted.availability).await;
                changed.doing(|| self.action("change the availability of"))
            };
            within(&limit, || self.action("change"), changed).await?;
        }
        self.found(volume);
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        if self.keep_on_destroy {
            context.warn(Diagnostic::warning(
                format!("Volume `{}` is kept", self.name),
                "It is no longer managed, and what is in it stays, since `keep_on_destroy` is set. `docker volume rm` \
                 removes it on its host.",
            ));
            return Ok(());
        }
        let docker = self.ready(&context.client, "remove").await?;
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5)).to_std();
        let removed = match &self.cluster {
            Some(_) => self.remove_from_the_swarm(&docker, limit).await,
            None => docker.remove_volume_when_unused(&self.name, limit).await,
        };
        removed.found().map(drop).map_err(|error| self.not_removed(&error))
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let (connection, name) = match id.rsplit_once('/') {
            Some((host, name)) => (Some(Connection::to(host)), name),
            None => (None, id),
        };
        let docker =
            connection.as_ref().map_or_else(|| Ok(context.client.clone()), |to| to.open(&context.client))?;
        let volumes = docker.volumes_now().await.doing(|| format!("import volume `{id}`"))?;
        let is_meant = |volume: &&docker::Volume| match &volume.cluster_volume {
            Some(found) => volume.name == name || found.id == name,
            None => volume.name == name && !docker.is_one_of_several(),
        };
        if let Some(volume) = volumes.iter().find(is_meant) {
            return Ok(Some(Self::of(volume, connection)));
        }
        // None was found: perhaps since it was not said where to look.
        Connection::of_one_host(connection.as_ref(), &context.client).map(|_| None)
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        let volumes = context.client.volumes_now().await.doing(|| "list the volumes".to_owned())?;
        // Of several managers any may be asked, so what is on one of them is not listed.
        let listed =
            |volume: &&docker::Volume| volume.cluster_volume.is_some() || !context.client.is_one_of_several();
        Ok(volumes.iter().filter(listed).map(|volume| Self::of(volume, None)).collect())
    }

    fn moved(source: &MoveSource) -> Option<Result<Map<String, serde_json::Value>>> {
        kreuzwerker::is(source, "docker_volume").then(|| moved(&source.attributes))
    }
}

impl SwarmVolume {
    /// A volume that somebody else made.
    fn of(volume: &docker::Volume, connection: Option<Connection>) -> Self {
        let mut found = SwarmVolume {
            name: volume.name.clone(),
            driver: volume.driver.clone(),
            driver_options: None,
            labels: None,
            keep_on_destroy: true,
            cluster: volume.cluster_volume.as_ref().map(|found| Cluster::of(&found.spec)),
            engine: connection,
            timeouts: None,
            mountpoint: Computed::default(),
            id: Computed::default(),
        };
        found.found(volume);
        found
    }

    fn found(&mut self, volume: &docker::Volume) {
        self.driver_options = Some(volume.options.clone());
        self.labels = Some(volume.labels.clone());
        self.mountpoint = volume.mountpoint.clone().into();
        let id = volume.cluster_volume.as_ref().map_or(&volume.name, |found| &found.id);
        self.id = id.clone().into();
    }

    /// The volume among those that there are. A host and the swarm may each have one of the name.
    fn among<'a>(&self, volumes: &'a [docker::Volume]) -> Option<&'a docker::Volume> {
        let own = |volume: &&docker::Volume| {
            volume.name == self.name && volume.cluster_volume.is_some() == self.cluster.is_some()
        };
        volumes.iter().find(own)
    }

    async fn make_or_adopt(&self, docker: &Docker) -> Result<docker::Volume> {
        let volumes = docker.volumes_now().await.doing(|| self.action("create"))?;
        if let Some(there) = self.among(&volumes) {
            return match self.differences(there)[..] {
                [] => self.adopted(there, docker).await,
                ref different => Err(self.taken(different)),
            };
        }
        let spec = docker::VolumeSpec {
            name: Some(self.name.clone()),
            driver: Some(self.driver.clone()),
            driver_opts: self.driver_options.clone(),
            labels: self.labels.clone(),
            cluster_volume_spec: self.cluster.as_ref().map(Cluster::spec),
            ..docker::VolumeSpec::default()
        };
        docker.create_volume(&spec).await.doing(|| self.action("create"))
    }

    /// A volume that is there, once it has the availability that is wanted.
    async fn adopted(&self, there: &docker::Volume, docker: &Docker) -> Result<docker::Volume> {
        if let (Some(wanted), Some(there)) = (&self.cluster, &there.cluster_volume) {
            let changed = docker.set_volume_availability(&there.id, &wanted.availability).await;
            changed.doing(|| self.action("take over"))?;
        }
        Ok(there.clone())
    }

    /// What of a volume that is there is not as it is wanted.
    fn differences(&self, there: &docker::Volume) -> Vec<&'static str> {
        let cluster = there.cluster_volume.as_ref().map(|there| Cluster::of(&there.spec));
        let differs =
            |wanted: &Option<Labels>, there: &Labels| wanted.as_ref().is_some_and(|own| own != there);
        [
            ("driver", self.driver != there.driver),
            ("driver_options", differs(&self.driver_options, &there.options)),
            ("labels", differs(&self.labels, &there.labels)),
            (
                "cluster",
                !self.cluster.as_ref().zip(cluster.as_ref()).is_none_or(|(own, there)| own.admits(there)),
            ),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    fn taken(&self, different: &[&'static str]) -> Diagnostic {
        Diagnostic::error(
            format!("Cannot create volume `{}`", self.name),
            format!(
                "There is a volume of that name with another `{}`. Docker would keep that one as it is and say nothing. \
                 Remove it first if what is in it is not needed; else describe it as it is, and it is taken over, or \
                 choose another name.",
                different.join("` and `")
            ),
        )
        .at(different.first().copied().unwrap_or("name"))
    }

    fn elsewhere(&self, docker: &Docker) -> Diagnostic {
        Diagnostic::error(
            format!("There is no volume `{}` at {}", self.name, docker.host()),
            "A change of `engine` must lead to the same volume, since nothing is copied from one host to another. For \
             a volume on another host, replace the resource: `terraform apply -replace=ADDRESS`.",
        )
        .at("engine")
    }

    /// Removes a cluster volume: no task may use it, and its driver has to remove what it made.
    async fn remove_from_the_swarm(&self, docker: &Docker, limit: std::time::Duration) -> docker::Result<()> {
        let started = std::time::Instant::now();
        let id = self.id.known().map_or(self.name.as_str(), String::as_str);
        docker.set_volume_availability(id, "drain").await?;
        docker.remove_volume_when_unused(id, limit).await?;
        docker.wait_volume_gone(id, limit.saturating_sub(started.elapsed())).await
    }

    fn not_removed(&self, error: &docker::Error) -> Diagnostic {
        let mut diagnostic = failure(&self.action("remove"), error);
        match (error, &self.cluster) {
            (docker::Error::InUse { .. }, None) => diagnostic.detail.push_str(
                " Remove the containers that use it, ended ones too (`docker ps --all --filter volume=NAME` on its host).",
            ),
            (docker::Error::Timeout { .. }, Some(_)) => diagnostic.detail.push_str(&format!(
                " Docker waits for the CSI driver `{}` to remove what it has made. Where that cannot be, \
                 `docker volume rm --force {}` forgets the volume.",
                self.driver, self.name
            )),
            _ => {}
        }
        diagnostic
    }

    /// The Engine of the volume. One that has volumes of a host need not be in a swarm.
    async fn ready(&self, provider: &Docker, verb: &str) -> Result<Docker> {
        if self.cluster.is_none() {
            return Connection::of_one_host(self.engine.as_ref(), provider);
        }
        ready(provider, || self.action(verb)).await?;
        Ok(provider.clone())
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} volume `{}`", self.name)
    }
}

/// The state of kreuzwerker/docker's `docker_volume` in this resource's shape.
fn moved(theirs: &Map<String, serde_json::Value>) -> Result<Map<String, serde_json::Value>> {
    let value = |name: &str| theirs.get(name).cloned().unwrap_or_default();
    let theirs_in_the_swarm = value("cluster").as_array().and_then(|blocks| blocks.first().cloned());
    let ours = json!({
        "id": theirs_in_the_swarm.as_ref().map_or_else(|| value("name"), |theirs| theirs["id"].clone()),
        "name": value("name"),
        "driver": value("driver"),
        "driver_options": kreuzwerker::map(theirs.get("driver_opts")),
        "labels": kreuzwerker::labels(theirs),
        "keep_on_destroy": true,
        "cluster": theirs_in_the_swarm.as_ref().map(cluster::moved),
        "mountpoint": value("mountpoint"),
    });
    Ok(ours.as_object().cloned().unwrap_or_default())
}
