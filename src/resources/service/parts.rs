//! What a service can be told beside its name, its image and how many tasks it has: attributes of every resource that
//! is a service.

use super::{
    Dns, Healthcheck, Logging, Mount, Network, Placement, Privileges, Publish, Reference, Resources, Restart,
    Rollout, Ulimit, capabilities, environment, hosts, not_empty, one_of,
};
use crate::resources::names;
use crate::terraform::{Duration, Model};
use std::collections::{BTreeMap, BTreeSet};

/// The attributes that all service resources have in common.
#[derive(Clone, Debug, Model)]
pub struct Parts {
    /// Labels of the service. Without it they are left to others.
    #[tf(check = names::labels)]
    pub labels: Option<BTreeMap<String, String>>,

    /// Labels of the containers.
    #[tf(default = BTreeMap::new(), check = names::labels)]
    pub container_labels: BTreeMap<String, String>,

    /// What runs in the container, instead of the image's entry point.
    #[tf(check = some_words)]
    pub command: Option<Vec<String>>,

    /// Arguments of what runs in the container, instead of the image's command.
    #[tf(check = some_words)]
    pub args: Option<Vec<String>>,

    /// Environment of the tasks. Templates such as `{{.Task.Slot}}` are the Engine's.
    #[tf(default = BTreeMap::new(), check = environment::names)]
    pub env: BTreeMap<String, String>,

    /// Host name of the containers, in which templates such as `{{.Node.Hostname}}` are allowed.
    #[tf(check = not_empty)]
    pub hostname: Option<String>,

    /// Working directory in the container.
    #[tf(check = not_empty)]
    pub dir: Option<String>,

    /// User, and after a colon group, that the tasks run as.
    #[tf(check = not_empty)]
    pub user: Option<String>,

    /// More groups that the tasks run as, in any order.
    #[tf(default = BTreeSet::new())]
    pub groups: BTreeSet<String>,

    /// Whether the tasks have a terminal.
    #[tf(default = false)]
    pub tty: bool,

    /// Whether the standard input of the tasks is open.
    #[tf(default = false)]
    pub stdin: bool,

    /// Whether the root file system of the containers is read-only.
    #[tf(default = false)]
    pub read_only: bool,

    /// Whether an init process in each container forwards signals and reaps processes. Without it that is up to each
    /// node.
    pub init: Option<bool>,

    /// How containers are isolated on Windows: `default`, `process` or `hyperv`.
    #[tf(default = "default", check = isolation)]
    pub isolation: String,

    /// More names that the tasks can resolve, each with its addresses, such as `{ "db.internal" = ["10.0.0.5"] }`: lines
    /// of `/etc/hosts`.
    #[tf(default = BTreeMap::new(), check = hosts::names)]
    pub hosts: BTreeMap<String, BTreeSet<String>>,

    /// How the tasks resolve other names. Without it that is up to each node.
    pub dns: Option<Dns>,

    /// The signal that stops a task, such as `SIGQUIT`. Without it the image's.
    #[tf(check = not_empty)]
    pub stop_signal: Option<String>,

    /// How long a task may take to stop before it is killed, such as `"35s"`; `"0s"` kills it at once. By default
    /// `"10s"`.
    #[tf(derived)]
    pub stop_grace_period: Duration,

    /// How the Engine finds out whether a task is healthy. Without it the image's own check is in charge.
    #[tf(derived)]
    pub healthcheck: Option<Healthcheck>,

    /// Kernel parameters of the containers, such as `{ "net.core.somaxconn" = "1024" }`.
    #[tf(default = BTreeMap::new())]
    pub sysctls: BTreeMap<String, String>,

    /// Capabilities that the tasks have beside Docker's own choice, such as `NET_ADMIN` or `CAP_NET_ADMIN`, which are
    /// the same, or `ALL`.
    #[tf(default = BTreeSet::new(), same = capabilities::same)]
    pub cap_add: BTreeSet<String>,

    /// Capabilities that are taken away from the tasks.
    #[tf(default = BTreeSet::new(), same = capabilities::same)]
    pub cap_drop: BTreeSet<String>,

    /// Limits of the kernel, by their names, such as `{ nofile = { soft = 1024, hard = 4096 } }`.
    #[tf(default = BTreeMap::new())]
    pub ulimits: BTreeMap<String, Ulimit>,

    /// Security options of the containers.
    pub privileges: Option<Privileges>,

    /// How eagerly the kernel ends the tasks where memory is short, from -1000, never, to 1000. Needs Engine 27
    /// (API 1.46).
    #[tf(default = 0, check = oom_score)]
    pub oom_score_adj: i64,

    /// Secrets that the tasks see as files, in any order.
    #[tf(default = vec![], unordered)]
    pub secrets: Vec<Reference>,

    /// Configs that the tasks see as files, in any order.
    #[tf(default = vec![], unordered)]
    pub configs: Vec<Reference>,

    /// What is mounted into the tasks, in any order.
    #[tf(default = vec![], unordered)]
    pub mounts: Vec<Mount>,

    /// The networks that the tasks join, in any order.
    #[tf(default = vec![], unordered)]
    pub networks: Vec<Network>,

    /// The published ports, in any order.
    #[tf(default = vec![], unordered)]
    pub publish: Vec<Publish>,

    /// How the service is found in its networks: `vip`, by an address of its own, or `dnsrr`, by its tasks' addresses,
    /// which excludes ports in `ingress` mode.
    #[tf(default = "vip", check = endpoint_mode)]
    pub endpoint_mode: String,

    /// Which nodes may run the tasks.
    #[tf(default = Placement::default())]
    pub placement: Placement,

    /// What each task may use.
    pub resources: Option<Resources>,

    /// When a task that ended is started anew.
    #[tf(default = Restart::default())]
    pub restart: Restart,

    /// How an update replaces the tasks. Jobs have none.
    #[tf(derived)]
    pub update: Option<Rollout>,

    /// How a rollback replaces the tasks. Jobs have none.
    #[tf(derived)]
    pub rollback: Option<Rollout>,

    /// Where the output of the tasks goes. Without it that is up to each node.
    pub logging: Option<Logging>,
}

impl Parts {
    /// A service of which nothing is said.
    pub fn none() -> Self {
        Parts {
            labels: None,
            container_labels: BTreeMap::new(),
            command: None,
            args: None,
            env: BTreeMap::new(),
            hostname: None,
            dir: None,
            user: None,
            groups: BTreeSet::new(),
            tty: false,
            stdin: false,
            read_only: false,
            init: None,
            isolation: "default".to_owned(),
            hosts: BTreeMap::new(),
            dns: None,
            stop_signal: None,
            stop_grace_period: Duration::from_nanos(ENGINE_GRACE),
            healthcheck: None,
            sysctls: BTreeMap::new(),
            cap_add: BTreeSet::new(),
            cap_drop: BTreeSet::new(),
            ulimits: BTreeMap::new(),
            privileges: None,
            oom_score_adj: 0,
            secrets: vec![],
            configs: vec![],
            mounts: vec![],
            networks: vec![],
            publish: vec![],
            endpoint_mode: "vip".to_owned(),
            placement: Placement::default(),
            resources: None,
            restart: Restart::default(),
            update: Some(Rollout::engine_default()),
            rollback: Some(Rollout::engine_default()),
            logging: None,
        }
    }
}

/// The grace of a service that says nothing (Engine API, `StopGracePeriod`).
pub const ENGINE_GRACE: i64 = 10_000_000_000;

/// The Engine takes no words for "the image's own", so they would not come back.
fn some_words(words: &[String]) -> Result<(), String> {
    if words.is_empty() {
        Err("at least one word; for the image's own, leave it out".to_owned())
    } else {
        Ok(())
    }
}

fn isolation(isolation: &str) -> Result<(), String> {
    one_of(isolation, &["default", "process", "hyperv"])
}

fn endpoint_mode(mode: &str) -> Result<(), String> {
    one_of(mode, &["vip", "dnsrr"])
}

fn oom_score(score: &i64) -> Result<(), String> {
    if (-1000..=1000).contains(score) { Ok(()) } else { Err("a number from -1000 to 1000".to_owned()) }
}
