//! The resource types that cost little: what of each is made, changed, read, found and taken away.

use serde_json::Value;

/// A resource type. `NAME` stands for a name that no other has.
pub struct Kind {
    pub r#type: &'static str,
    /// What is in the block, before and after a change.
    pub bodies: [&'static str; 2],
    /// How Terraform goes from one to the other.
    pub action: &'static str,
    /// The attributes that differ then; those that are known only afterwards included.
    pub changed: &'static [&'static str],
    /// What it is imported by.
    pub id: &'static str,
    pub identity: &'static [(&'static str, &'static str)],
    /// The data source that reads it, its argument, and what must be true of what was read after the change.
    pub data: (&'static str, &'static str, &'static str),
    /// The `docker` command that prints something where it is there.
    pub inspect: &'static [&'static str],
    /// The `docker` command that takes it away.
    pub remove: &'static [&'static str],
}

pub const KINDS: &[Kind] = &[
    Kind {
        r#type: "swarm_node_label",
        bodies: [
            "node = \"hubworker01\"\n  key = \"NAME\"\n  value = \"a\"",
            "node = \"hubworker01\"\n  key = \"NAME\"\n  value = \"b\"",
        ],
        action: "update",
        changed: &["value"],
        id: "hubworker01/NAME",
        identity: &[("key", "NAME"), ("node", "hubworker01")],
        data: ("swarm_node", "node = swarm_node_label.it.node_id", r#"labels["NAME"] == "b""#),
        inspect: &["node", "inspect", "--format", "{{index .Spec.Labels \"NAME\"}}", "hubworker01"],
        remove: &["node", "update", "--label-rm", "NAME", "hubworker01"],
    },
    Kind {
        r#type: "swarm_secret",
        bodies: [
            "name = \"NAME\"\n  data = \"x\"\n  labels = { a = \"1\" }",
            "name = \"NAME\"\n  data = \"x\"\n  labels = { a = \"2\", b = \"\" }",
        ],
        action: "update",
        changed: &["labels"],
        id: "NAME",
        identity: &[("name", "NAME")],
        data: ("swarm_secret", "name = swarm_secret.it.name", r#"labels["a"] == "2""#),
        inspect: &["secret", "inspect", "NAME"],
        remove: &["secret", "rm", "NAME"],
    },
    Kind {
        r#type: "swarm_config",
        bodies: ["name = \"NAME\"\n  data = \"one\"", "name = \"NAME\"\n  data = \"two\""],
        action: "update",
        changed: &["data", "id"],
        id: "NAME",
        identity: &[("name", "NAME")],
        data: ("swarm_config", "name = swarm_config.it.name", r#"data == "two""#),
        inspect: &["config", "inspect", "NAME"],
        remove: &["config", "rm", "NAME"],
    },
    Kind {
        r#type: "swarm_network",
        bodies: [
            "name = \"NAME\"\n  options = { \"com.docker.network.driver.mtu\" = \"1400\" }",
            "name = \"NAME\"\n  options = { \"com.docker.network.driver.mtu\" = \"1300\" }\n  attachable = true",
        ],
        action: "delete+create",
        changed: &["attachable", "config_from", "id", "ipam", "labels", "options"],
        id: "NAME",
        identity: &[("name", "NAME")],
        data: ("swarm_network", "name = swarm_network.it.name", "attachable"),
        inspect: &["network", "inspect", "NAME"],
        remove: &["network", "rm", "NAME"],
    },
    Kind {
        r#type: "swarm_volume",
        bodies: [
            "name = \"NAME\"\n  labels = { a = \"1\" }\n  driver_options = { type = \"tmpfs\", device = \"tmpfs\" }",
            "name = \"NAME\"\n  labels = { a = \"1\" }\n  driver_options = { type = \"tmpfs\", device = \"tmpfs\" }\n  keep_on_destroy = false",
        ],
        action: "update",
        changed: &["keep_on_destroy"],
        id: "NAME",
        identity: &[("name", "NAME")],
        data: ("swarm_volume", "name = swarm_volume.it.name", r#"labels["a"] == "1""#),
        inspect: &["volume", "inspect", "NAME"],
        remove: &["volume", "rm", "NAME"],
    },
    Kind {
        r#type: "swarm_service",
        bodies: [
            "name = \"NAME\"\n  image = \"busybox:1\"\n  replicas = 0\n  env = { A = \"1\" }",
            "name = \"NAME\"\n  image = \"busybox:1\"\n  replicas = 0\n  env = { A = \"2\", B = \"x=y\" }\n  resources = { limits = { cpus = 0.5, memory = \"64MiB\" } }",
        ],
        action: "update",
        changed: &["env", "resources"],
        id: "NAME",
        identity: &[("name", "NAME")],
        data: ("swarm_service", "name = swarm_service.it.name", r#"spec.env["B"] == "x=y""#),
        inspect: &["service", "inspect", "NAME"],
        remove: &["service", "rm", "NAME"],
    },
    Kind {
        r#type: "registry_service",
        bodies: [
            "provider = swarm\n  name = \"NAME-hub\"\n  image = \"registry:2\"\n  replicas = 0\n  wait_for = { replicas = false }\n  storage = { filesystem = { volume = \"NAME-hub\" } }",
            "provider = swarm\n  name = \"NAME-hub\"\n  image = \"registry:2\"\n  replicas = 0\n  wait_for = { replicas = false }\n  storage = { filesystem = { volume = \"NAME-hub\" }, delete = true }\n  labels = { a = \"1\" }",
        ],
        action: "update",
        changed: &["config_preview", "config_secret", "labels", "storage"],
        id: "NAME-hub",
        identity: &[("name", "NAME-hub")],
        data: ("swarm_service", "name = registry_service.it.name", r#"spec.labels["a"] == "1""#),
        inspect: &["service", "inspect", "NAME-hub"],
        remove: &["service", "rm", "NAME-hub"],
    },
];

impl Kind {
    /// The address of its resource.
    pub fn address(&self) -> String {
        format!("{}.it", self.r#type)
    }

    /// The block of its resource, under that name in the configuration.
    pub fn block(&self, label: &str, body: usize) -> String {
        format!("resource \"{}\" \"{label}\" {{\n  {}\n}}\n", self.r#type, self.bodies[body])
    }

    /// Its identity in a state; as JSON it is HCL, too.
    pub fn identity(&self) -> Value {
        self.identity.iter().map(|(name, value)| (*name, Value::from(*value))).collect()
    }

    /// A data source that reads what there is, and an output that says whether that is so.
    pub fn reader(&self) -> String {
        let Kind { r#type, data: (data, argument, truth), .. } = self;
        format!(
            "data \"{data}\" \"{type}\" {{\n  {argument}\n  depends_on = [{type}.it]\n}}\n\noutput \"{type}\" {{\n  value = data.{data}.{type}.{truth}\n}}\n"
        )
    }
}
