//! The data source `swarm_service`: a service that somebody else manages.

use crate::docker::{Docker, PortConfig, Service};
use crate::resources::failure::{Doing, ready};
use crate::resources::service::{self, Job, Known, Parts, Scale};
use crate::terraform::{Computed, Config, Context, Diagnostic, Diagnostics, Model, Result, Source};

/// A service of the swarm that is managed elsewhere: its specification, its addresses, and how it is.
#[derive(Debug, Model)]
pub struct SwarmServiceData {
    /// ID of the service. One of `id` and `name` has to be given.
    #[tf(computed)]
    id: Option<String>,

    /// Name of the service.
    #[tf(computed)]
    name: Option<String>,

    /// The image.
    image: Computed<String>,

    /// Digest of the image that the service is pinned to, if it is.
    image_digest: Computed<Option<String>>,

    /// `replicated`, `global`, `replicated-job` or `global-job`.
    mode: Computed<String>,

    /// How many tasks of a `replicated` service there are to be.
    replicas: Computed<Option<i64>>,

    /// How many tasks of a `replicated-job` there are to be.
    job: Computed<Option<Job>>,

    /// The specification, in the terms of the resource `swarm_service`.
    spec: Computed<Parts>,

    /// The published ports as they are, with those that the swarm chose.
    ports: Computed<Vec<Port>>,

    /// The service's addresses, one in each network.
    virtual_ips: Computed<Vec<VirtualIp>>,

    /// How many tasks run.
    running_tasks: Computed<i64>,

    /// How many tasks are to run.
    desired_tasks: Computed<i64>,

    /// How many tasks of a job have completed.
    completed_tasks: Computed<i64>,

    /// The last update that concerned tasks: `updating`, `paused`, `completed`, `rollback_started`, `rollback_paused` or
    /// `rollback_completed`.
    update_state: Computed<Option<String>>,

    /// What the Engine says of that update.
    update_message: Computed<Option<String>>,

    /// When the service was created, in RFC 3339.
    created_at: Computed<String>,

    /// When the service was changed last, in RFC 3339.
    updated_at: Computed<String>,
}

/// A published port as it is.
#[derive(Clone, Debug, Model)]
pub struct Port {
    /// Port on the nodes.
    pub port: i64,

    /// Port in the container.
    pub target: i64,

    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,

    /// `ingress` or `host`.
    pub mode: String,
}

/// An address of a service.
#[derive(Clone, Debug, Model)]
pub struct VirtualIp {
    /// ID of the network.
    pub network: String,

    /// The address, with the length of the network's prefix behind a slash.
    pub address: String,
}

impl Source for SwarmServiceData {
    const TYPE: &'static str = "swarm_service";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        let set = ["id", "name"].iter().filter(|name| config.is_set(name)).count();
        if set == 1 {
            return vec![];
        }
        vec![Diagnostic::error("Which service is meant?", "Set either `id` or `name`.").at("name")]
    }

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let docker = &context.client;
        let wanted = self.id.clone().or_else(|| self.name.clone()).unwrap_or_default();
        let what = || format!("read service `{wanted}`");
        ready(docker, what).await?;
        let services = docker.services_with_status().await.doing(what)?;
        let found = services.iter().find(|service| match &self.id {
            Some(id) => service.id == *id,
            None => service.name() == wanted,
        });
        let Some(service) = found else {
            let detail = "No service of the swarm has it. Look at what there is with `docker service ls`.";
            let path = if self.id.is_some() { "id" } else { "name" };
            return Err(Diagnostic::error(format!("There is no service `{wanted}`"), detail).at(path));
        };
        let known = Known::to_read(&service.spec, docker).await?;
        self.take(service, &known);
        Ok(())
    }
}

impl SwarmServiceData {
    fn take(&mut self, service: &Service, known: &Known) {
        let image = service.spec.image().unwrap_or_default();
        let scale = Scale::read(service);
        let mut parts = Parts::none();
        parts.take(service, &service::Reference::secrets(&service.spec), known, true);
        self.id = Some(service.id.clone());
        self.name = Some(service.name().to_owned());
        self.image = image.to_owned().into();
        self.image_digest = service::digest(image).into();
        self.mode = scale.mode().to_owned().into();
        self.replicas = if let Scale::Replicated(replicas) = &scale { *replicas } else { None }.into();
        self.job = if let Scale::ReplicatedJob(job) = scale { Some(job) } else { None }.into();
        self.spec = parts.into();
        self.ports = service.endpoint.ports.iter().map(Port::of).collect::<Vec<_>>().into();
        let virtual_ips = service.endpoint.virtual_ips.iter();
        self.virtual_ips = virtual_ips
            .map(|own| VirtualIp { network: own.network_id.clone(), address: own.addr.clone() })
            .collect::<Vec<_>>()
            .into();
        let status = service.service_status.unwrap_or_default();
        let count = |tasks: u64| i64::try_from(tasks).unwrap_or(i64::MAX);
        self.running_tasks = count(status.running_tasks).into();
        self.desired_tasks = count(status.desired_tasks).into();
        self.completed_tasks = count(status.completed_tasks).into();
        let update = service.update_status.as_ref();
        self.update_state = update.map(|update| update.state.to_string()).into();
        self.update_message = update.map(|update| update.message.clone()).into();
        self.created_at = service.created_at.clone().into();
        self.updated_at = service.updated_at.clone().into();
    }
}

impl Port {
    fn of(port: &PortConfig) -> Self {
        Port {
            port: port.published_port.unwrap_or_default().into(),
            target: port.target_port.unwrap_or_default().into(),
            protocol: port.protocol.clone().unwrap_or_else(|| "tcp".to_owned()),
            mode: port.publish_mode.clone().unwrap_or_else(|| "ingress".to_owned()),
        }
    }
}
