//! The types that are tried, and what each is made to be.

use super::operation::{Operation, Stage};

/// What a row of the table is about.
pub struct Subject {
    /// Its name in the table: the type, and which form of it where there are several.
    pub name: &'static str,
    /// The resource type.
    pub kind: &'static str,
    /// What can be done with it.
    pub operations: &'static [Operation],
    /// Whether its tasks are waited for, or it is many resources.
    pub takes_long: bool,
    /// How many places of an operation are tried at most.
    pub most: usize,
    /// Whether provider and Terraform are killed at each request, and not at chosen ones alone.
    pub all_deaths: bool,
    /// Whether all resources of it are about the same object, so that no two rows can be tried at once.
    pub unique: bool,
    /// How many of it are made where requests of several are to be in flight at once.
    pub several: usize,
    /// The operations after which one superseded generation of each secret may stay: until the next change, where it could not
    /// be removed at once, or for a rollback, where it is the service's own.
    pub spare: &'static [Operation],
    /// Whether it makes nothing of its own, so that destroying it changes nothing.
    pub makes_nothing: bool,
    /// The attributes; NAME stands for the name, INDEX for which of several it is.
    pub hcl: fn(Stage) -> String,
    /// What it is imported by, with NAME in it.
    pub import: &'static str,
}

use Operation::{Create, Delete, Import, Read, Replace, Update};

const ALL: &[Operation] = &Operation::ALL;
const IN_PLACE: &[Operation] = &[Create, Read, Update, Delete, Import];

/// A value that differs from stage to stage, where it is to differ.
fn changed(stage: Stage, by: Stage) -> &'static str {
    if stage == by { "b" } else { "a" }
}

fn labels(stage: Stage, by: Stage) -> String {
    format!("labels = {{ which = \"{}\" }}", changed(stage, by))
}

fn secret(stage: Stage) -> String {
    let version = if stage == Stage::Replaced { 2 } else { 1 };
    format!(
        "name = \"NAME\"\n  data_wo = var.mark\n  data_wo_version = {version}\n  {}",
        labels(stage, Stage::Updated)
    )
}

fn generations(stage: Stage) -> String {
    let data = if stage == Stage::Replaced { "\"${var.mark}2\"" } else { "var.mark" };
    secret(stage).replace("= var.mark", &format!("= {data}")) + "\n  generations = true"
}

fn config(stage: Stage) -> String {
    let data = if stage == Stage::Replaced { "two" } else { "one" };
    format!("name = \"NAME\"\n  data = \"{data}\"\n  {}", labels(stage, Stage::Updated))
}

fn network(stage: Stage) -> String {
    let limit = if stage == Stage::Updated { 4 } else { 5 };
    let labels = labels(stage, Stage::Replaced);
    format!("name = \"NAME\"\n  timeouts = {{ delete = \"{limit}m\" }}\n  {labels}")
}

fn volume(stage: Stage) -> String {
    network(stage) + "\n  keep_on_destroy = false"
}

fn node_label(stage: Stage) -> String {
    let key = if stage == Stage::Replaced { "NAME-other" } else { "NAME" };
    format!("node = \"hubworker01\"\n  key = \"{key}\"\n  value = \"{}\"", changed(stage, Stage::Updated))
}

fn sleeper(stage: Stage) -> String {
    let name = if stage == Stage::Replaced { "NAME-other" } else { "NAME" };
    format!(
        "name = \"{name}\"\n  image = \"busybox:1\"\n  command = [\"sleep\", \"600\"]\n  stop_signal = \"SIGKILL\"\n  \
         update = {{ monitor = \"100ms\" }}\n  env = {{ WHICH = \"{}\" }}\n  {}",
        changed(stage, Stage::Updated),
        labels(stage, Stage::Updated)
    )
}

fn service(stage: Stage) -> String {
    sleeper(stage) + "\n  replicas = 0\n  wait_for = { replicas = false }"
}

fn running_service(stage: Stage) -> String {
    sleeper(stage) + "\n  replicas = 1"
}

fn hub(stage: Stage) -> String {
    let name = if stage == Stage::Replaced { "NAME-other" } else { "NAME" };
    // A password that changes makes a new secret, and another level a new configuration.
    let (version, level) = if stage == Stage::Updated { (2, "debug") } else { (1, "info") };
    format!(
        "name = \"{name}\"\n  image = \"registry:2\"\n  storage = {{ filesystem = {{ bind = \"/mnt/shared\", shared = true }} }}\n  \
         auth = {{ htpasswd = {{ users_wo = {{ ci = \"${{var.mark}}{version}\" }}, users_wo_version = {version}, cost = 4 }} }}\n  \
         log = {{ level = \"{level}\" }}\n  update = {{ monitor = \"100ms\" }}\n  publish = []"
    )
}

fn registry(stage: Stage) -> String {
    hub(stage) + "\n  replicas = 0\n  wait_for = { replicas = false }"
}

fn running_registry(stage: Stage) -> String {
    hub(stage) + "\n  replicas = 1\n  placement = { constraints = [\"node.hostname==hubworker02\"] }"
}

/// One of each that is made in moments, in one configuration.
fn everything(stage: Stage) -> String {
    let others = [
        ("swarm_config", config(stage)),
        ("swarm_network", network(stage)),
        ("swarm_volume", volume(stage)),
        ("swarm_node_label", node_label(stage)),
        ("swarm_service", service(stage)),
        ("registry_service", registry(stage).replace("NAME", "NAME-hub")),
    ];
    let others = others.map(|(kind, attributes)| {
        format!("\n}}\n\nresource \"{kind}\" \"it\" {{\n  provider = swarm\n  count = 1\n  {attributes}")
    });
    secret(stage) + &others.concat()
}

/// A certificate that nobody has signed anything with.
const CA: &str = include_str!("../../../examples/resources/swarm_registry_trust/resource.tf");

fn trust(stage: Stage) -> String {
    let ca = CA.split("<<-PEM").nth(1).and_then(|rest| rest.split("PEM").next()).unwrap_or_default();
    let file = if stage == Stage::Updated { "b" } else { "ca" };
    let name = if stage == Stage::Replaced { "NAME-other" } else { "NAME" };
    format!("host = \"NAME.local\"\n  name = \"{name}\"\n  file = \"{file}.crt\"\n  ca = <<-PEM{ca}PEM\n")
}

fn node(stage: Stage) -> String {
    let availability = if stage == Stage::Updated { "pause" } else { "drain" };
    format!("node = \"spare\"\n  availability = \"{availability}\"")
}

fn cluster(stage: Stage) -> String {
    let limit = if stage == Stage::Updated { 4 } else { 5 };
    format!("advertise_addr = \"eth0\"\n  task_history_retention_limit = {limit}")
}

fn image(stage: Stage) -> String {
    // There and back, one tag is added and another one taken away.
    let tag = if stage == Stage::Updated { 2 } else { 1 };
    let source = if stage == Stage::Replaced { "TWO" } else { "ONE" };
    format!(
        "registry = {{ url = \"REGISTRY\" }}\n  repository = \"NAME\"\n  tags = [\"{tag}\"]\n  source = {{ oci_layout = \"{source}\" }}"
    )
}

fn retention(stage: Stage) -> String {
    let kept = if stage == Stage::Updated { 2 } else { 1 };
    format!("registry = {{ url = \"REGISTRY\" }}\n  repositories = [\"NAME\"]\n  keep_last = {kept}")
}

/// A collection, and the registry whose garbage it is.
fn collection(stage: Stage) -> String {
    // No other registry may have its storage.
    let storage = "{ filesystem = { volume = \"images-of-NAME\" } }";
    let shared = "{ filesystem = { bind = \"/mnt/shared\", shared = true } }";
    let hub = running_registry(Stage::Made).replace(shared, storage).replace("NAME", "NAME-hub");
    let quick = "{ monitor = \"10ms\", delay = \"0s\" }";
    let hub = hub.replace("{ monitor = \"100ms\" }", quick);
    format!(
        "service = registry_service.it[count.index].name\n  triggers = {{ run = \"{}\" }}\n}}\n\n\
         resource \"registry_service\" \"it\" {{\n  provider = swarm\n  count = 1\n  {hub}\n  \
         rollback = {quick}",
        changed(stage, Stage::Updated)
    )
}

const SUBJECT: Subject = Subject {
    name: "",
    kind: "",
    operations: ALL,
    takes_long: false,
    most: 5,
    all_deaths: false,
    unique: false,
    several: 2,
    spare: &[],
    makes_nothing: false,
    hcl: secret,
    import: "NAME",
};

/// What has no row, and why.
pub const WITHOUT: [(&str, &[Operation], &str); 4] = [
    (
        "swarm_cluster",
        &[Create, Replace, Delete],
        "A swarm is made or ended by it, on hosts of its own: the tests `swarm_cluster`.",
    ),
    (
        "swarm_node",
        &[Replace, Delete],
        "A host leaves the swarm by it, on hosts of its own: the tests `swarm_node`.",
    ),
    (RETENTION, &[Replace, Import], "It has nothing that could be replaced or imported."),
    (
        "swarm_registry_garbage_collection",
        &[Read, Replace, Delete, Import],
        "It asks nobody: there is nothing to read, to delete or to import.",
    ),
];

/// The types that ask a registry and no Engine.
pub const OF_A_REGISTRY: [&str; 2] = ["swarm_registry_image", RETENTION];

/// The type that deletes what somebody else has pushed.
pub const RETENTION: &str = "swarm_registry_retention";

/// All that are tried, what takes longest first.
pub const SUBJECTS: [Subject; 17] = [
    Subject {
        name: "swarm_registry_garbage_collection",
        kind: "swarm_registry_garbage_collection",
        takes_long: true,
        most: 3,
        several: 1,
        spare: ALL,
        operations: &[Create, Update],
        hcl: collection,
        ..SUBJECT
    },
    Subject {
        name: "an apply of everything",
        kind: "swarm_secret",
        takes_long: true,
        most: 6,
        all_deaths: true,
        several: 1,
        spare: ALL,
        operations: &[Create, Read, Update, Delete],
        hcl: everything,
        ..SUBJECT
    },
    Subject { name: "swarm_secret", kind: "swarm_secret", ..SUBJECT },
    Subject {
        name: "swarm_secret in generations",
        kind: "swarm_secret",
        hcl: generations,
        spare: &[Replace],
        ..SUBJECT
    },
    Subject { name: "swarm_config", kind: "swarm_config", hcl: config, ..SUBJECT },
    Subject { name: "swarm_network", kind: "swarm_network", hcl: network, ..SUBJECT },
    Subject { name: "swarm_volume", kind: "swarm_volume", hcl: volume, ..SUBJECT },
    Subject {
        name: "swarm_node_label",
        kind: "swarm_node_label",
        hcl: node_label,
        import: "hubworker01/NAME",
        ..SUBJECT
    },
    Subject { name: "swarm_service", kind: "swarm_service", hcl: service, ..SUBJECT },
    Subject {
        name: "swarm_service that runs",
        kind: "swarm_service",
        takes_long: true,
        most: 3,
        hcl: running_service,
        ..SUBJECT
    },
    Subject { name: "registry_service", kind: "registry_service", spare: ALL, hcl: registry, ..SUBJECT },
    Subject {
        name: "registry_service that runs",
        kind: "registry_service",
        takes_long: true,
        most: 3,
        spare: ALL,
        operations: IN_PLACE,
        hcl: running_registry,
        ..SUBJECT
    },
    Subject {
        name: "swarm_registry_trust",
        kind: "swarm_registry_trust",
        takes_long: true,
        most: 3,
        hcl: trust,
        ..SUBJECT
    },
    Subject {
        name: "swarm_registry_image",
        kind: "swarm_registry_image",
        most: 6,
        hcl: image,
        import: "REGISTRY/NAME:1",
        ..SUBJECT
    },
    Subject {
        name: RETENTION,
        kind: RETENTION,
        makes_nothing: true,
        operations: &[Create, Read, Update, Delete],
        hcl: retention,
        ..SUBJECT
    },
    // Another resource of the same would be about the same node, or the same swarm.
    Subject {
        name: "swarm_node",
        kind: "swarm_node",
        unique: true,
        several: 1,
        operations: &[Create, Read, Update, Import],
        hcl: node,
        import: "spare",
        ..SUBJECT
    },
    Subject {
        name: "swarm_cluster",
        kind: "swarm_cluster",
        unique: true,
        several: 1,
        operations: &[Read, Update, Import],
        hcl: cluster,
        import: "default",
        ..SUBJECT
    },
];
