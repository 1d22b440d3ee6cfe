//! `registry_service`: a private registry as a service of the swarm.

mod settings;

use super::service::{Healthcheck, Logging, Mount, Network, Placement, Publish, Reference, Resources, Restart, Rollout, one_of};
use crate::resources::names::service_name;
use crate::terraform::{Computed, Duration, Model, Timeouts};
use settings::{Auth, Filesystem, Health, Http, Htpasswd, Log, Metrics, Storage, Tls, WaitFor, web_address};
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
/// the state file: whoever reads the state can forge upload sessions, but can read neither the images nor the passwords.
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
    #[tf(default = "registry:3", check = image)]
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
    #[tf(volatile)]
    image_digest: Computed<Option<String>>,

    /// Name of the secret with the configuration file; empty without `storage`.
    #[tf(volatile)]
    config_secret: Computed<String>,

    /// The configuration file, without its secrets.
    config_preview: Computed<String>,
}

fn mode(mode: &String) -> Result<(), String> {
    one_of(mode, &["replicated", "global"])
}

fn endpoint_mode(mode: &String) -> Result<(), String> {
    one_of(mode, &["vip", "dnsrr"])
}

fn distribution(version: &String) -> Result<(), String> {
    one_of(version, &["2.8", "3.0", "3.1"])
}

fn image(image: &String) -> Result<(), String> {
    drop(image);
    Ok(())
}
