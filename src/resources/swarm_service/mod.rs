//! `swarm_service`: a service of the swarm, whole.

mod moved;
mod rules;

use super::service::{self, Deployment, Job, Known, Parts, Rollout, Scale, Wanted, one_of};
use crate::docker::{Docker, Service};
use crate::resources::{
    failure::{Doing, ready},
    names::service_name,
};
use crate::terraform::{
    Computed, Config, Context, Diagnostics, Duration, Model, MoveSource, Plan, Resource, Result, Timeouts,
    Value,
};

/// A service of the swarm: containers of one image that run, or are to complete, on the nodes that may run them.
///
/// Everything but `name` and `mode` changes in place. What means the same to the Engine, such as another order of ports or
/// secrets, restarts no task. What an attribute that is left out means is in its description: where nothing is said of
/// it, whoever else sets it is left alone.
///
/// An apply waits until the tasks run and none of an older specification does, or until they have completed, and ends
/// with the words of the tasks where they cannot.
///
/// A job, which is a service of mode `replicated-job` or `global-job`, **runs again whenever it is updated**, whatever was
/// changed, be it a label: so does Swarm. `force_update` is a way to run it again on purpose.
///
/// A secret or config with `generations` that got new data is followed in the same apply: the service's tasks are replaced
/// by ones with the new generation, and when they run, the old generation is removed unless another service uses it. The
/// Engine's manual rollback cannot bring such an older generation back.
///
/// Two things that Engines know of containers, they do not know of services: images as mounts, and some options of `bind`
/// mounts, which are named there.
///
/// ~> A create that fails after the service exists leaves a *tainted* resource, and the next apply replaces the service.
/// Named volumes stay. A failed update keeps the service.
#[derive(Debug, Model)]
pub struct SwarmService {
    /// Name of the service, unique in the swarm.
    #[tf(replace, check = service_name)]
    name: String,

    /// The image, such as `nginx:1.29` or `registry.example.com/team/app:2@sha256:…`. A digest that Docker adds by itself
    /// is no difference.
    #[tf(check = service::image_reference, same = service::same_image)]
    image: String,

    /// `replicated`: as many tasks as `replicas` says. `global`: one on each node that `placement` allows.
    /// `replicated-job`: as many tasks as `job` says, each of which is to complete. `global-job`: one on each node, which is
    /// to complete.
    #[tf(replace, default = "replicated", check = mode)]
    mode: String,

    /// How many tasks of a `replicated` service run. Without it their number is left to others, and begins at 1.
    #[tf(check = service::count)]
    replicas: Option<i64>,

    /// How many tasks a `replicated-job` has. Without it one.
    job: Option<Job>,

    /// What every service has.
    #[tf(flatten)]
    service: Parts,

    /// What is done with it beside.
    #[tf(flatten)]
    deployment: Deployment,

    /// What an apply waits for.
    #[tf(default = WaitFor { replicas: true })]
    wait_for: WaitFor,

    /// How long the operations may take: 10 minutes to create, 20 to update and 5 to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the service.
    id: Computed<String>,

    /// Digest of the image that the service is pinned to, if it is.
    image_digest: Computed<Option<String>>,
}

/// What an apply waits for.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct WaitFor {
    /// Whether it waits until the tasks run or, in a job, have completed. Without it a service can be made before there
    /// are nodes for its tasks.
    #[tf(default = true)]
    pub replicas: bool,
}

fn mode(mode: &str) -> Result<(), String> {
    one_of(mode, &Scale::MODES)
}

impl Resource for SwarmService {
    const TYPE: &'static str = "swarm_service";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        rules::offline(config)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        let is_job = plan.known::<String>("mode").is_some_and(|mode| mode.ends_with("-job"));
        // A port leads to the same one in the container.
        plan.derive_each("publish", "target", |port| match port.get("port") {
            Value::Number(port) => port.to_i64(),
            _ => None,
        });
        plan.derive("stop_grace_period", Duration::from_nanos(service::ENGINE_GRACE));
        plan.derive("healthcheck", None::<service::Healthcheck>);
        for path in ["update", "rollback"] {
            if is_job {
                plan.derive(path, None::<Rollout>);
            } else if plan.planned().is_known("mode") {
                let default = Rollout::engine_default();
                let order = Some(default.order.clone());
                default.derive(path, order, plan);
            }
        }
        service::settle_references(plan);
        service::plan_digest(plan);
        if service::is_unsettled(&plan.private) {
            // A rollout was cut off: an update is planned that carries it on, and this is how it shows.
            plan.set_unknown("image_digest");
        }
        Ok(())
    }

    async fn check(plan: &Plan, docker: &Docker) -> Diagnostics {
        service::check(&Parts::attributes(), plan, docker).await
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let wanted = self.wanted();
        wanted.refuse(self.wait_for.replicas, &context.client).await?;
        self.id = wanted.create(&context.client).await?.into();
        self.image_digest = service::digest(&self.image).into();
        let limit = Timeouts::create_or(self.timeouts.as_ref(), Duration::minutes(10));
        self.settle(&wanted, true, &limit, context).await
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let found = service::read(self.id.get()?, &self.name, context).await?;
        let Some((service, known)) = found else { return Ok(None) };
        self.take(&service, &known, false);
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        self.id = prior.id.clone();
        let (wanted, before) = (self.wanted(), prior.wanted());
        wanted.refuse(self.wait_for.replicas, &context.client).await?;
        let written = wanted.update(self.id.get()?, &before, context).await?;
        if self.image != prior.image || self.image_digest.known().is_none() {
            self.image_digest = service::digest(&self.image).into();
        }
        let limit = Timeouts::update_or(self.timeouts.as_ref(), Duration::minutes(20));
        self.settle(&wanted, written, &limit, context).await?;
        wanted.settled(context).await;
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5));
        service::remove(self.id.get()?, &self.name, &limit, &context.client).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        Ok(service::find(id, context).await?.map(|(service, known)| Self::of(&service, &known)))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the services".to_owned()).await?;
        let services = context.client.services_now().await.doing(|| "list the services".to_owned())?;
        let mut listed = vec![];
        for service in services.iter() {
            let known = Known::to_read(&service.spec, &context.client).await?;
            listed.push(Self::of(service, &known));
        }
        Ok(listed)
    }

    fn moved(source: &MoveSource) -> Option<Result<serde_json::Map<String, serde_json::Value>>> {
        moved::moved(source)
    }
}

impl SwarmService {
    /// A service that somebody else made, whole.
    fn of(service: &Service, known: &Known) -> Self {
        let mut imported = SwarmService {
            name: String::new(),
            image: String::new(),
            mode: String::new(),
            replicas: None,
            job: None,
            service: Parts::none(),
            deployment: Deployment::default(),
            wait_for: WaitFor { replicas: true },
            timeouts: None,
            id: Computed::default(),
            image_digest: Computed::default(),
        };
        imported.take(service, known, true);
        imported
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            name: self.name.clone(),
            image: self.image.clone(),
            scale: Scale::of(&self.mode, self.replicas, self.job.as_ref()),
            parts: self.service.clone(),
            deployment: self.deployment.clone(),
            owned: vec![],
        }
    }

    /// Reads a service into the attributes. What the resource leaves to others it does not look at, unless it is
    /// `all` to be read, as for an import.
    fn take(&mut self, service: &Service, known: &Known, all: bool) {
        self.id = service.id.clone().into();
        self.name = service.name().to_owned();
        let image = service.spec.image().unwrap_or_default();
        self.image_digest = service::digest(image).into();
        if all || !service::is_met(&self.image, image) {
            self.image = image.to_owned();
        }
        let scale = Scale::read(service);
        self.mode = scale.mode().to_owned();
        self.job = scale.job(self.job.as_ref());
        if let Scale::Replicated(replicas) = scale
            && (self.replicas.is_some() || all)
        {
            self.replicas = replicas;
        }
        self.service.take(service, &service::Reference::secrets(&service.spec), known, all);
    }

    async fn settle(
        &self,
        wanted: &Wanted,
        written: bool,
        limit: &Duration,
        context: &Context<Docker>,
    ) -> Result<()> {
        if !self.wait_for.replicas {
            return Ok(());
        }
        wanted.settle(self.id.get()?, written, limit, &context.client).await
    }
}
