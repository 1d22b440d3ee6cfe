//! The specification of a service, whole, as the Engine API has it.
//!
//! Reason for types of our own: bollard 0.21 calls the health check `HealthCheck` where Engines write
//! `Healthcheck`, so that it is lost when read, and removed when what was read is written back (moby issue 53422);
//! it knows no fields but those of its version; and a new word in one enum makes everything unreadable.
//!
//! Durations are nanoseconds. An absent field leaves the default to the Engine.

use super::container::ContainerSpec;
use super::object::engine_object;
use serde_json::Value;
use std::collections::BTreeMap;

/// Labels.
pub type Labels = BTreeMap<String, String>;

engine_object! {
    /// The specification of a service (`ServiceSpec`). An update replaces all of it.
    ServiceSpec {
        /// Name, at most 63 characters. It cannot be changed.
        name: String,
        /// Labels of the service; changing them restarts nothing.
        labels: Labels,
        /// What each task is to be.
        task_template: TaskSpec,
        /// How many tasks there are, and where. The kind cannot be changed.
        mode: Mode,
        /// How an update is rolled out.
        update_config: UpdateConfig,
        /// How an update is rolled back.
        rollback_config: UpdateConfig,
        /// Networks of old clients; since API 1.44 only those of the task template count.
        networks: Vec<NetworkAttachment>,
        /// Published ports.
        endpoint_spec: EndpointSpec,
    }

    /// The kind of a service: one of these.
    Mode {
        /// A number of tasks, anywhere.
        replicated: Replicated,
        /// One task on each eligible node.
        global: Empty,
        /// A number of tasks that are to complete.
        replicated_job: ReplicatedJob,
        /// One task on each eligible node that is to complete.
        global_job: Empty,
    }
    /// A number of tasks.
    Replicated {
        /// How many; absent means one.
        replicas: u64,
    }
    /// A number of tasks that are to complete.
    ReplicatedJob {
        /// How many at a time; absent means one.
        max_concurrent: u64,
        /// How many in all; absent means as many as at a time.
        total_completions: u64,
    }
    /// An object without known fields.
    Empty {}

    /// How an update or a rollback is rolled out.
    UpdateConfig {
        /// Tasks at a time; zero means all at once.
        parallelism: u64,
        /// Pause between tasks.
        delay: i64,
        /// `pause`, `continue`, and for updates `rollback`.
        failure_action: String,
        /// How long a new task is watched; absent or zero means 5 s.
        monitor: i64,
        /// The share of tasks that may fail, 0 to 1, which Engines keep in single precision.
        max_failure_ratio: f64,
        /// `stop-first` or `start-first`.
        order: String,
    }

    /// How a service is reached.
    EndpointSpec {
        /// `vip` or `dnsrr`.
        mode: String,
        /// Published ports.
        ports: Vec<PortConfig>,
    }
    /// A published port.
    PortConfig {
        /// A name, without effect.
        name: String,
        /// `tcp`, `udp` or `sctp`.
        protocol: String,
        /// The port in the container.
        target_port: u32,
        /// The port outside; absent in an ingress port lets the swarm choose one.
        published_port: u32,
        /// `ingress` or `host`.
        publish_mode: String,
    }

    /// What each task is to be.
    TaskSpec {
        /// The container.
        container_spec: ContainerSpec,
        /// A plugin instead of a container, kept as it is.
        plugin_spec: Value,
        /// An attachment of a container that the swarm does not run, kept as it is.
        network_attachment_spec: Value,
        /// Limits and reservations.
        resources: Resources,
        /// When an ended task is replaced.
        restart_policy: RestartPolicy,
        /// On which nodes.
        placement: Placement,
        /// A counter; raising it restarts all tasks.
        force_update: u64,
        /// `container` or `plugin`.
        runtime: String,
        /// Networks.
        networks: Vec<NetworkAttachment>,
        /// Where the output goes.
        log_driver: Driver,
    }
    /// A network of a task.
    NetworkAttachment {
        /// Name or ID of the network; Engines answer the ID.
        target: String,
        /// Names of the tasks on the network.
        aliases: Vec<String>,
        /// Options for the network's driver.
        driver_opts: Labels,
    }
    /// A driver and its options.
    Driver {
        /// Name of the driver.
        name: String,
        /// Its options.
        options: Labels,
    }
    /// When an ended task is replaced.
    RestartPolicy {
        /// `none`, `on-failure` or `any`.
        condition: String,
        /// Pause before the replacement starts; absent means 5 s.
        delay: i64,
        /// How often; zero means without end.
        max_attempts: u64,
        /// The time within which attempts are counted; absent means all time.
        window: i64,
    }
    /// On which nodes tasks may run.
    Placement {
        /// Expressions such as `node.labels.registry==true`, all of which have to hold.
        constraints: Vec<String>,
        /// How tasks are spread, the most important first.
        preferences: Vec<PlacementPreference>,
        /// Tasks a node at most; zero means any number.
        max_replicas: u64,
        /// Platforms of the image.
        platforms: Vec<Platform>,
    }
    /// How tasks are spread.
    PlacementPreference {
        /// Evenly over the values of something.
        spread: Spread,
    }
    /// Evenly over the values of something.
    Spread {
        /// For example `node.labels.zone`.
        spread_descriptor: String,
    }
    /// An architecture and an operating system.
    Platform {
        /// For example `x86_64`.
        architecture: String,
        /// For example `linux`.
        #[serde(rename = "OS")]
        os: String,
    }
    /// Limits and reservations of each task.
    Resources {
        /// What it may use.
        limits: Resource,
        /// What a node must have free.
        reservations: Resource,
        /// Swap in bytes, since API 1.52.
        swap_bytes: i64,
        /// 0 to 100, since API 1.52.
        memory_swappiness: i64,
    }
    /// An amount of resources.
    Resource {
        /// CPUs, times a billion.
        #[serde(rename = "NanoCPUs")]
        nano_cpus: i64,
        /// Memory in bytes.
        memory_bytes: i64,
        /// Processes, in limits only.
        pids: i64,
        /// User-defined resources, in reservations only.
        generic_resources: Vec<GenericResource>,
    }
    /// A user-defined resource: one of these.
    GenericResource {
        /// Resources that have names.
        named_resource_spec: NamedResource,
        /// Resources that are counted.
        discrete_resource_spec: DiscreteResource,
    }
    /// A resource that has a name.
    NamedResource {
        /// Its kind, such as `GPU`.
        kind: String,
        /// Its name.
        value: String,
    }
    /// Resources that are counted.
    DiscreteResource {
        /// Their kind, such as `SSD`.
        kind: String,
        /// Their number.
        value: i64,
    }
}
