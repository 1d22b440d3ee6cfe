//! `registry_service`: a private registry as a service of the swarm.

mod check;
mod engine;
mod loss;
mod owned;
mod plan;
mod settings;
mod wait;

use super::service::{self, Deployment, Known, Parts, Resolved, one_of};
use crate::docker::{Docker, Service};
use crate::registry::image;
use crate::resources::{
    failure::{Doing, ready},
    names::service_name,
    swarm_registry_garbage_collection::end_left,
};
use crate::terraform::{
    Computed, Config, Context, Diagnostics, Duration, Model, Plan, Private, Resource, Result, Timeouts,
};
use owned::Provided;
use settings::WaitFor;
pub use settings::{Settings, web_address};

/// A private registry (CNCF Distribution, the image `registry`) as a service of the swarm.
///
/// With `storage`, the provider renders the registry's configuration file from all of Distribution's settings that are
/// attributes here, and from `extra_config`, keeps it in a secret of its own that it rotates, and shares one generated
/// HTTP secret among all replicas. Without `storage` the image's own configuration is in charge, as in a service made by
/// `docker service create`, which can be imported so. With `storage`, `command` and `args` are the provider's, and the
/// configuration file is a better place for settings than `env`. All that `swarm_service` knows of a service that is no
/// job, is known here too.
///
/// What `storage` also brings, where it is left out: a `healthcheck` that asks `/debug/health` every 5 seconds, a
/// `stop_grace_period` of 5 seconds more than `http.drain_timeout`, and an `update` that waits 10 seconds between tasks,
/// watches each for as long as its health check may take to fail, rolls back where one fails, and stops the old task
/// first where two would not fit on a node. Defaults that are named below for these are those without it.
///
/// The type's prefix is not the provider's name, so each block says `provider = swarm`. The same resource is offered as
/// `swarm_registry_service`, which needs no such line; a `moved` block leads from the one to the other.
///
/// ~> The generated HTTP secret and the key of the generations' names are kept in Terraform's private state, which lies in
/// the state file: whoever reads the state can forge upload sessions, and can try guesses at what the service's secrets
/// hold against their names, as against a salted hash. The images and the values themselves are not in it.
///
/// ~> A create that fails after the service exists leaves a *tainted* resource, and the next apply replaces the service.
/// Named volumes stay. A failed update keeps the service.
#[derive(Debug, Model)]
pub struct RegistryService {
    /// Name of the service, unique in the swarm.
    #[tf(replace, check = service_name)]
    name: String,

    /// The image, such as `registry:2.8.3` or `registry:3.1.1@sha256:…`. A digest that Docker adds by itself is no
    /// difference.
    #[tf(default = "registry:3", check = service::image_reference, same = service::same_image)]
    image: String,

    /// What the registry is told.
    #[tf(flatten)]
    settings: Settings,

    /// `replicated`: as many tasks as `replicas` says. `global`: one on each node that `placement` allows.
    #[tf(replace, default = "replicated", check = mode)]
    mode: String,

    /// How many tasks run. Without it their number is left to others, and begins at 1.
    #[tf(check = service::count)]
    replicas: Option<i64>,

    /// What every service has.
    #[tf(flatten)]
    service: Parts,

    /// What is done with it beside.
    #[tf(flatten)]
    deployment: Deployment,

    /// How many older generations of each of the service's own secrets stay, so that the Engine can roll the service back to
    /// them. A rollback needs one.
    #[tf(default = 1, check = service::count)]
    keep_secrets: i64,

    /// Whether images may be lost that are in no storage. With nothing mounted under them they go with the task that a
    /// change replaces, and such a change is refused unless this is `true`.
    discard_images: Option<bool>,

    /// What an apply waits for.
    #[tf(default = WaitFor::default())]
    wait_for: WaitFor,

    /// How long the operations may take: 10 minutes to create, 20 to update and 5 to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the service.
    id: Computed<String>,

    /// Digest of the image that the service is pinned to, if it is.
    image_digest: Computed<Option<String>>,

    /// Name of the secret with the configuration file; empty without `storage`.
    config_secret: Computed<String>,

    /// The configuration file, without its secrets.
    config_preview: Computed<String>,
}

fn mode(mode: &str) -> Result<(), String> {
    one_of(mode, &["replicated", "global"])
}

impl Resource for RegistryService {
    const TYPE: &'static str = "registry_service";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        check::offline(config)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        plan::plan(plan)
    }

    async fn check(plan: &Plan, docker: &Docker) -> Diagnostics {
        let mut found = check::planned(plan);
        found.extend(loss::check(plan));
        found.extend(service::check(&Self::attributes(), plan, docker).await);
        found.extend(check::live::planned(plan, docker).await);
        found
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        self.wanted(vec![]).refuse(true, &context.client).await?;
        self.refuse(&context.client).await?;
        let provided = self.provide(None, context).await?;
        let wanted = self.wanted(provided.mounted.clone());
        let created = wanted.create(&context.client).await;
        if created.is_err() {
            // Nothing will ever use what was made for a service that does not exist. A service of that name which does
            // exist has its own.
            provided.take_back(&context.client).await;
        }
        let owned = provided.mounted;
        self.id = created?.into();
        self.image_digest = service::digest(&self.image).into();
        self.config_secret = mounted_name(&owned).into();
        self.set_preview(context)?;
        let limit = Timeouts::create_or(self.timeouts.as_ref(), Duration::minutes(10));
        self.settle(&wanted, true, &limit, context).await?;
        owned::remove_superseded(self, &owned, &context.client).await;
        Ok(())
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let found = service::read(self.id.get()?, &self.name, context).await?;
        let Some((service, known)) = found else { return Ok(None) };
        self.take(&service, &known, &context.private, false);
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        self.id = prior.id.clone();
        self.wanted(vec![]).refuse(true, &context.client).await?;
        self.refuse(&context.client).await?;
        let owned = self.provide(Some(prior), context).await?.mounted;
        let (wanted, before) = (self.wanted(owned.clone()), prior.wanted(vec![]));
        let written = wanted.update(self.id.get()?, &before, context).await?;
        if self.image != prior.image {
            self.image_digest = service::digest(&self.image).into();
        }
        self.config_secret = mounted_name(&owned).into();
        self.set_preview(context)?;
        let limit = Timeouts::update_or(self.timeouts.as_ref(), Duration::minutes(20));
        self.settle(&wanted, written, &limit, context).await?;
        wanted.settled(context).await;
        owned::remove_superseded(self, &owned, &context.client).await;
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5));
        end_left(self.id.get()?, &self.name, &context.client).await?;
        owned::remove_all(self.id.get()?, &self.name, &context.client).await?;
        service::remove(self.id.get()?, &self.name, &limit, &context.client).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let Some((service, known)) = service::find(id, context).await? else { return Ok(None) };
        Ok(Some(Self::of(&service, &known, &context.private)))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the registries".to_owned()).await?;
        let services = context.client.services_now().await.doing(|| "list the services".to_owned())?;
        let mut registries = vec![];
        for service in services.iter().filter(|service| service.spec.image().is_some_and(is_registry)) {
            let known = Known::to_read(&service.spec, &context.client).await?;
            registries.push(Self::of(service, &known, &context.private));
        }
        Ok(registries)
    }
}

/// Whether an image is CNCF Distribution's: `registry`, wherever it is pulled from, or `distribution`.
pub(super) fn is_registry(image: &str) -> bool {
    let Ok(image) = image.parse::<image::Reference>() else { return false };
    image.path().rsplit('/').next().is_some_and(|name| name == "registry" || name == "distribution")
}

impl RegistryService {
    /// Makes the secrets that the service mounts.
    async fn provide(&self, prior: Option<&Self>, context: &mut Context<Docker>) -> Result<Provided> {
        if !self.settings.are_rendered() {
            return Ok(Provided::default());
        }
        owned::provide(self, prior, context).await
    }

    fn set_preview(&mut self, context: &Context<Docker>) -> Result<()> {
        let secret = owned::kept_http_secret(&context.private).unwrap_or_default();
        self.config_preview = if self.settings.are_rendered() {
            self.settings.configuration(secret)?.render().preview
        } else {
            String::new()
        }
        .into();
        Ok(())
    }

    /// A service that somebody else made, whole.
    fn of(service: &Service, known: &Known, private: &Private) -> Self {
        let mut imported = RegistryService::unread();
        imported.take(service, known, private, true);
        imported
    }

    /// A resource that nothing has been read into yet.
    fn unread() -> Self {
        RegistryService {
            name: String::new(),
            image: String::new(),
            settings: Settings::default(),
            mode: "replicated".to_owned(),
            replicas: None,
            service: Parts::none(),
            deployment: Deployment::default(),
            keep_secrets: 1,
            discard_images: None,
            wait_for: WaitFor::default(),
            timeouts: None,
            id: Computed::default(),
            image_digest: Computed::default(),
            config_secret: Computed::default(),
            config_preview: Computed::default(),
        }
    }
}

/// The name of the configuration's secret among what is mounted; empty without one.
fn mounted_name(owned: &[Resolved]) -> String {
    let config = owned
        .iter()
        .find(|reference| reference.file.target.as_deref() == Some(settings::Role::Config.target()));
    config.map(|reference| reference.object.name.clone()).unwrap_or_default()
}
