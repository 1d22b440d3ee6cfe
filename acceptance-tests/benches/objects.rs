//! What is made, planned and applied by the hundred: its configuration, and the calls of the Engine that make it.

use crate::engine::Engine;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::ops::Range;

/// The hosts of the swarm. The labels are of all of them in turn.
pub const HOSTS: [&str; 3] = ["hubmgr", "hubworker01", "hubworker02"];

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objects {
    /// Secrets with a label.
    Secrets,
    /// Labels of three nodes.
    Labels,
    /// Services that have no tasks.
    Services,
}

/// One that was made.
pub struct Made {
    /// Its ID, or of a label its node's.
    pub id: String,
    /// The host of a label's node.
    pub host: &'static str,
}

/// The name of the one of that number.
pub fn name(number: usize) -> String {
    format!("bench-{number}")
}

impl Objects {
    /// The kind that people call so.
    pub fn called(word: &str) -> Option<Self> {
        [Self::Secrets, Self::Labels, Self::Services].into_iter().find(|kind| kind.word() == word)
    }

    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Labels => "labels",
            Self::Services => "services",
        }
    }

    /// Which attribute has the ID that [`Made`] has.
    pub fn id(self) -> &'static str {
        match self {
            Self::Secrets | Self::Services => "id",
            Self::Labels => "node_id",
        }
    }

    /// The configuration of so many, of the provider of that name.
    pub fn hcl(self, provider: &str, count: usize) -> String {
        let (kind, attributes) = match self {
            Self::Secrets => (
                "swarm_secret",
                r#"name    = "bench-${count.index}"
  data_wo = "data ${count.index}"
  labels  = { part = "of many" }"#
                    .to_owned(),
            ),
            Self::Labels => (
                "swarm_node_label",
                format!(
                    r#"node  = element({HOSTS:?}, count.index)
  key   = "bench-${{count.index}}"
  value = "of many""#
                ),
            ),
            Self::Services => (
                "swarm_service",
                r#"name     = "bench-${count.index}"
  image    = "busybox:1"
  args     = ["sleep", "600"]
  env      = { PART = "of many" }
  labels   = { part = "of many" }
  replicas = 0"#
                    .to_owned(),
            ),
        };
        format!(
            r#"terraform {{
  required_providers {{
    {provider} = {{ source = "localhub/{provider}" }}
  }}
}}

resource "{kind}" "it" {{
  provider = {provider}
  count    = {count}
  {attributes}
}}
"#
        )
    }

    /// Makes those of these numbers as a script would: for each the calls that the `docker` command makes.
    pub fn make(self, engine: &mut Engine, numbers: Range<usize>) -> Vec<Made> {
        let labels = json!({ "part": "of many" });
        // Of services each has the specification that the provider gave the first one.
        let template = match self {
            Self::Services => engine.get("/services/bench-0")["Spec"].clone(),
            Self::Secrets | Self::Labels => Value::Null,
        };
        numbers
            .map(|number| {
                let (name, host) = (name(number), HOSTS[number % HOSTS.len()]);
                let answer = match self {
                    Self::Secrets => {
                        let data = STANDARD.encode(format!("data {number}"));
                        let secret = json!({ "Name": name, "Labels": labels, "Data": data });
                        engine.ask("POST", "/secrets/create", Some(&secret))
                    }
                    Self::Labels => {
                        let mut node = engine.get(&format!("/nodes/{host}"));
                        node["Spec"]["Labels"][&name] = "of many".into();
                        update_node(engine, &node);
                        node
                    }
                    Self::Services => {
                        let mut service = template.clone();
                        service["Name"] = name.into();
                        engine.ask("POST", "/services/create", Some(&service))
                    }
                };
                Made { id: answer["ID"].as_str().expect("an ID").to_owned(), host }
            })
            .collect()
    }

    /// Removes all that there are.
    pub fn remove_all(self, engine: &mut Engine) {
        if self == Self::Labels {
            for host in HOSTS {
                let mut node = engine.get(&format!("/nodes/{host}"));
                node["Spec"]["Labels"] = json!({});
                update_node(engine, &node);
            }
            return;
        }
        let list = engine.get(&format!("/{}", self.word()));
        for id in list.as_array().into_iter().flatten().filter_map(|each| each["ID"].as_str()) {
            engine.ask("DELETE", &format!("/{}/{id}", self.word()), None);
        }
    }
}

fn update_node(engine: &mut Engine, node: &Value) {
    let (id, version) = (node["ID"].as_str().expect("an ID"), &node["Version"]["Index"]);
    engine.ask("POST", &format!("/nodes/{id}/update?version={version}"), Some(&node["Spec"]));
}
