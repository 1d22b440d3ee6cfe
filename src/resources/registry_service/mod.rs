//! `registry_service`: a private registry as a service of the swarm.

mod check;
mod configuration;
mod engine;
mod live;
mod owned;
mod plan;
mod settings;
mod wait;

use super::service::{
    Healthcheck, Logging, Mount, Network, Placement, Publish, Reference, Resolved, Resources, Restart,
    Rollout, credentials, one_of,
};
use crate::docker::{BlobKind, Docker, Found, Service, ServiceSpec};
use crate::registry::image;
use crate::resources::{
    failure::{Doing, failure, ready},
    names::service_name,
};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts,
    Value,
};
use configuration::Settings;
use engine::Known;
use settings::{Auth, Health, Http, Log, Metrics, Storage, Tls, WaitFor, web_address};
use std::collections::BTreeMap;

/// A private registry (CNCF Distribution, the image `registry`) as a service of the swarm.
///
/// With `storage`, the provider renders the registry's configuration file from `http`, `tls`, `storage`, `auth`, `log`,
/// `health`, `metrics` and `extra_config`, keeps it in a secret of its own that it rotates, shares one generated HTTP
/// secret among all replicas, and derives the health check, the order of updates and the grace at stopping. Without
/// `storage` the image's own configuration is in charge, as in a service made by `docker service create`, which can be
/// imported so.
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
    #[tf(default = "registry:3", check = image_reference, same = same_image)]
    image: String,

    /// The version of the configuration's format: `2.8`, `3.0` or `3.1`. By default what the image's tag says.
    #[tf(derived, check = distribution)]
    distribution: Option<String>,

    /// The address at which clients reach the registry, such as `https://hub.example.com`. The certificate is checked
    /// against its host.
    #[tf(check = web_address)]
    url: Option<String>,

    /// `replicated`: as many tasks as `replicas` says. `global`: one on each node that `placement` allows.
    #[tf(replace, default = "replicated", check = mode)]
    mode: String,

    /// How many tasks run. Without it their number is left to others, and begins at 1.
    #[tf(check = super::service::count)]
    replicas: Option<i64>,

    /// Labels of the service. Without it they are left to others.
    labels: Option<BTreeMap<String, String>>,

    /// Labels of the containers.
    #[tf(default = BTreeMap::new())]
    container_labels: BTreeMap<String, String>,

    /// Environment of the registry. With `storage`, the configuration file is the better place for settings.
    #[tf(default = BTreeMap::new())]
    env: BTreeMap<String, String>,

    /// Arguments of the image's entry point. With `storage` they are the provider's.
    args: Option<Vec<String>>,

    /// User, and after a colon group, that the registry runs as.
    user: Option<String>,

    /// How the registry serves.
    #[tf(derived)]
    http: Option<Http>,

    /// The certificate with which the registry serves. Without it the registry speaks HTTP.
    tls: Option<Tls>,

    /// Where the images are.
    storage: Option<Storage>,

    /// Who may use the registry. Without it everybody may.
    auth: Option<Auth>,

    /// What the registry logs.
    log: Option<Log>,

    /// When the registry calls itself unhealthy.
    health: Option<Health>,

    /// Metrics for Prometheus.
    metrics: Option<Metrics>,

    /// YAML or JSON that is merged into the configuration file last, for what has no attribute. `null` removes a key.
    extra_config: Option<String>,

    /// The published ports, in any order.
    #[tf(default = vec![], unordered)]
    publish: Vec<Publish>,

    /// How the service is found in its networks: `vip`, by an address of its own, or `dnsrr`, by its tasks' addresses.
    #[tf(default = "vip", check = endpoint_mode)]
    endpoint_mode: String,

    /// The networks that the tasks join, in any order.
    #[tf(default = vec![], unordered)]
    networks: Vec<Network>,

    /// Which nodes may run the tasks.
    #[tf(default = Placement::default())]
    placement: Placement,

    /// What each task may use.
    resources: Option<Resources>,

    /// How an update replaces the tasks.
    #[tf(derived)]
    update: Rollout,

    /// How a rollback replaces the tasks.
    #[tf(derived)]
    rollback: Rollout,

    /// When a task that ended is started anew.
    #[tf(default = Restart::default())]
    restart: Restart,

    /// How the Engine finds out whether a task is healthy. With `storage`, by default the registry's own health, asked
    /// within the container.
    #[tf(derived)]
    healthcheck: Option<Healthcheck>,

    /// How long a task may take to stop, such as `"35s"`. With `storage`, by default five seconds more than
    /// `http.drain_timeout`.
    #[tf(derived)]
    stop_grace_period: Duration,

    /// Where the output of the tasks goes. Without it that is up to each node.
    logging: Option<Logging>,

    /// More mounts, in any order.
    #[tf(default = vec![], unordered)]
    mounts: Vec<Mount>,

    /// More secrets, in any order.
    #[tf(default = vec![], unordered)]
    secrets: Vec<Reference>,

    /// Configs, in any order.
    #[tf(default = vec![], unordered)]
    configs: Vec<Reference>,

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

fn endpoint_mode(mode: &str) -> Result<(), String> {
    one_of(mode, &["vip", "dnsrr"])
}

fn distribution(version: &str) -> Result<(), String> {
    one_of(version, &["2.8", "3.0", "3.1"])
}

fn image_reference(image: &str) -> Result<(), String> {
    image.parse::<image::Reference>().map(drop).map_err(|error| error.to_string())
}

/// `registry` and `docker.io/library/registry:latest` are one image.
fn same_image(a: &Value, b: &Value) -> bool {
    let canonical = |value: &Value| Some(value.as_str()?.parse::<image::Reference>().ok()?.canonical());
    canonical(a).is_some_and(|a| canonical(b) == Some(a))
}

/// What the private state says while a rollout is under way: an update that was cut off is to be carried on.
const UNSETTLED: &str = "unsettled";

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
        let mut found = check::rendered(plan);
        if let Some(wish) = live::Wish::planned(plan) {
            found.extend(wish.too_old(docker).await);
            match (docker.nodes().await, docker.services().await) {
                // A label or a node may come in the same apply: what is not there yet is no error yet.
                (Ok(nodes), Ok(services)) => {
                    found.extend(wish.against(&nodes, &services).into_iter().map(|mut now| {
                        now.detail
                            .push_str(" This is how it is now: if this apply changes it first, all is well.");
                        now.as_warning()
                    }));
                }
                // The swarm itself may be made in the same apply.
                (Err(error), _) if error.is_no_swarm() => {}
                (Err(error), _) | (_, Err(error)) => {
                    found.push(failure("check the plan against the swarm", &error).as_warning());
                }
            }
        }
        found
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        self.refuse(context).await?;
        let login = credentials(&self.image, &context.client).await?;
        let owned = self.provide(None, context).await?;
        let known = Known::of(self, None, &context.client).await?;
        let mut spec = ServiceSpec::default();
        self.write(&mut spec, None, &owned, &known)?;
        let created = context.client.create_service(&spec, login.as_ref()).await;
        if created.is_err() {
            // Nothing will ever use what was made for a service that does not exist.
            owned::remove_all(&self.name, &context.client).await?;
        }
        let id = created.map_err(|error| self.not_created(&error))?;
        self.image_digest = self.digest().into();
        self.id = id.into();
        self.config_secret = mounted_name(&owned).into();
        self.set_preview(context)?;
        let limit = Timeouts::create_or(self.timeouts.as_ref(), Duration::minutes(10));
        self.settle(true, &limit, context).await?;
        owned::remove_superseded(&self.name, &owned, &context.client).await;
        Ok(())
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        ready(&context.client, || format!("read service `{}`", self.name)).await?;
        let found = context.client.service(self.id.get()?).await.found();
        let Some(service) = found.doing(|| format!("read service `{}`", self.name))? else { return Ok(None) };
        let known = Known::of(&self, Some(&service.spec), &context.client).await?;
        self.take(&service, &known, &context.private, false);
        plan::remember_names(&service.spec, &mut context.private);
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        self.id = prior.id.clone();
        self.refuse(context).await?;
        let login = credentials(&self.image, &context.client).await?;
        let owned = self.provide(Some(prior), context).await?;
        let known = Known::of(self, None, &context.client).await?;
        // From here on the swarm may be between two states, until it has settled.
        context.private.set(UNSETTLED, true);
        let mut refused = None;
        let edit = |spec: &mut ServiceSpec| {
            refused = self.write(spec, Some(prior), &owned, &known).err();
            Ok(refused.is_none())
        };
        let id = self.id.get()?.clone();
        let updated = context.client.update_service(&id, login.as_ref(), edit).await;
        if let Some(refused) = refused {
            return Err(refused);
        }
        let written = updated.doing(|| format!("update service `{}`", self.name))?;
        if self.image != prior.image {
            self.image_digest = self.digest().into();
        }
        self.config_secret = mounted_name(&owned).into();
        self.set_preview(context)?;
        let limit = Timeouts::update_or(self.timeouts.as_ref(), Duration::minutes(20));
        self.settle(written, &limit, context).await?;
        context.private.remove(UNSETTLED);
        owned::remove_superseded(&self.name, &owned, &context.client).await;
        self.remove_generations_left(prior, context).await;
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let docker = &context.client;
        let id = self.id.get()?;
        let what = || format!("remove service `{}`", self.name);
        docker.remove_service(id).await.found().doing(what)?;
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5)).to_std();
        docker.wait_service_gone(id, &self.name, limit).await.doing(what)?;
        owned::remove_all(&self.name, docker).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let found = context.client.find_service(id).await.found().doing(|| format!("find service `{id}`"))?;
        let Some(service) = found else { return Ok(None) };
        plan::remember_names(&service.spec, &mut context.private);
        Self::of(&service, context).await.map(Some)
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the registries".to_owned()).await?;
        let services = context.client.services_now().await.doing(|| "list the services".to_owned())?;
        let mut registries = vec![];
        for service in services.iter().filter(|service| service.spec.image().is_some_and(is_registry)) {
            registries.push(Self::of(service, context).await?);
        }
        Ok(registries)
    }
}

/// Whether an image is CNCF Distribution's: `registry`, wherever it is pulled from, or `distribution`.
fn is_registry(image: &str) -> bool {
    let Ok(image) = image.parse::<image::Reference>() else { return false };
    image.path().rsplit('/').next().is_some_and(|name| name == "registry" || name == "distribution")
}

impl RegistryService {
    /// What the Engine or the swarm cannot do: refused before anything is changed.
    async fn refuse(&self, context: &mut Context<Docker>) -> Result<()> {
        ready(&context.client, || format!("write service `{}`", self.name)).await?;
        let wish = live::Wish::of(self);
        let mut found = wish.too_old(&context.client).await;
        let nodes = context.client.nodes_now().await.doing(|| "list the nodes".to_owned())?;
        let services = context.client.services().await.doing(|| "list the services".to_owned())?;
        found.extend(wish.against(&nodes, &services));
        match found.into_iter().next() {
            Some(first) => Err(first),
            None => Ok(()),
        }
    }

    /// Makes the secrets that the service mounts.
    async fn provide(&self, prior: Option<&Self>, context: &mut Context<Docker>) -> Result<Vec<Resolved>> {
        match Settings::of(self) {
            Some(settings) => owned::provide(self, prior, &settings, context).await,
            None => Ok(vec![]),
        }
    }

    fn set_preview(&mut self, context: &Context<Docker>) -> Result<()> {
        let secret = owned::kept_http_secret(&context.private).unwrap_or_default();
        let preview = match Settings::of(self) {
            Some(settings) => settings.configuration(secret)?.render(settings.dialect).preview,
            None => String::new(),
        };
        self.config_preview = preview.into();
        Ok(())
    }

    /// Removes generations of `swarm_secret` that the service let go: the service was the last to use them.
    async fn remove_generations_left(&self, prior: &Self, context: &Context<Docker>) {
        let left: Vec<&Reference> =
            prior.secrets.iter().filter(|before| !self.secrets.contains(before)).collect();
        if left.is_empty() {
            return;
        }
        let Ok(secrets) = context.client.blobs_now(BlobKind::Secret).await else { return };
        for secret in secrets.iter() {
            let is_left =
                left.iter().any(|before| before.source == secret.id || before.source == secret.name);
            let is_generation = secret.labels.contains_key(super::generation::GENERATION_OF);
            if is_left && is_generation {
                owned::remove(&context.client, secret).await;
            }
        }
    }

    /// The digest that the image is pinned to by the user.
    fn digest(&self) -> Option<String> {
        self.image.parse::<image::Reference>().ok()?.digest().map(str::to_owned)
    }

    fn not_created(&self, error: &crate::docker::Error) -> Diagnostic {
        let mut diagnostic = failure(&format!("create service `{}`", self.name), error);
        if matches!(error, crate::docker::Error::NameTaken { .. }) {
            diagnostic.detail.push_str(&format!(
                " To manage that one here, import it: terraform import ADDRESS {}.",
                self.name
            ));
            return diagnostic.at("name");
        }
        diagnostic
    }

    /// A service that somebody else made, whole.
    async fn of(service: &Service, context: &Context<Docker>) -> Result<Self> {
        let mut imported = RegistryService::unread();
        let known = Known::of(&imported, Some(&service.spec), &context.client).await?;
        imported.take(service, &known, &context.private, true);
        Ok(imported)
    }

    /// A resource that nothing has been read into yet.
    fn unread() -> Self {
        RegistryService {
            name: String::new(),
            image: String::new(),
            distribution: None,
            url: None,
            mode: "replicated".to_owned(),
            replicas: None,
            labels: None,
            container_labels: BTreeMap::new(),
            env: BTreeMap::new(),
            args: None,
            user: None,
            http: None,
            tls: None,
            storage: None,
            auth: None,
            log: None,
            health: None,
            metrics: None,
            extra_config: None,
            publish: vec![],
            endpoint_mode: "vip".to_owned(),
            networks: vec![],
            placement: Placement::default(),
            resources: None,
            update: Rollout::engine_default(),
            rollback: Rollout::engine_default(),
            restart: Restart::default(),
            healthcheck: None,
            stop_grace_period: Duration::from_secs(10),
            logging: None,
            mounts: vec![],
            secrets: vec![],
            configs: vec![],
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
    let config =
        owned.iter().find(|reference| reference.file.target.as_deref() == Some(owned::Role::Config.target()));
    config.map(|reference| reference.object.name.clone()).unwrap_or_default()
}
