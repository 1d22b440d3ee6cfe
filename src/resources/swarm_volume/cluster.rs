//! What a volume is to be in the swarm: `ClusterVolumeSpec` of the Engine API.

use crate::docker;
use crate::resources::{blob::Labels, kreuzwerker};
use crate::terraform::{Model, Size};
use serde_json::{Value, json};

/// What a volume is to be in the swarm.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Cluster {
    /// Group of the volume. A mount whose source is `group:NAME` gets any volume of the group.
    #[tf(replace, computed)]
    pub group: Option<String>,

    /// On how many nodes it may be used at once: `single` or `multi`.
    #[tf(replace, default = "single", check = scope)]
    pub scope: String,

    /// How tasks may share it: `none`, `readonly`, `onewriter` or `all`.
    #[tf(replace, default = "none", check = sharing)]
    pub sharing: String,

    /// How it is mounted as a file system; `{}` leaves that to the driver. Without it the volume is a block device.
    #[tf(replace)]
    pub mount: Option<Mount>,

    /// From where it must be reachable.
    #[tf(replace, computed)]
    pub topology: Option<Topology>,

    /// How big it is.
    #[tf(replace, computed)]
    pub capacity: Option<Capacity>,

    /// IDs of secrets that the driver gets, by the names that it has for them.
    #[tf(replace, computed)]
    pub secrets: Option<Labels>,

    /// Whether tasks may use it: `active`; `pause` for no more than already do; `drain` for none. It is changed in place.
    #[tf(default = "active", check = availability)]
    pub availability: String,
}

/// How a cluster volume is mounted as a file system.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Mount {
    /// Type of the file system, such as `ext4`.
    pub fs_type: Option<String>,

    /// Options of the mount, such as `["noatime"]`.
    pub flags: Option<Vec<String>>,
}

/// From where a cluster volume must be reachable. Each part is a map of the driver's terms, such as `{ zone = "a" }`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Topology {
    /// It must be reachable from one of these.
    pub required: Option<Vec<Labels>>,

    /// It is made to be reachable from the first of these that is possible.
    pub preferred: Option<Vec<Labels>>,
}

/// How big a cluster volume is.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Capacity {
    /// It has at least this size, such as `"10GiB"`.
    pub required: Option<Size>,

    /// It has at most this size, such as `"20GiB"`.
    pub limit: Option<Size>,
}

impl Cluster {
    /// What the swarm has.
    pub fn of(spec: &docker::ClusterVolumeSpec) -> Self {
        let access = spec.access_mode.clone().unwrap_or_default();
        let word = |word: Option<String>, otherwise: &str| word.unwrap_or_else(|| otherwise.to_owned());
        Cluster {
            group: spec.group.clone().filter(|group| !group.is_empty()),
            scope: word(access.scope, "single"),
            sharing: word(access.sharing, "none"),
            mount: access.mount_volume.map(|mount| Mount {
                fs_type: mount.fs_type.filter(|fs_type| !fs_type.is_empty()),
                flags: mount.mount_flags.filter(|flags| !flags.is_empty()),
            }),
            topology: spec.accessibility_requirements.as_ref().and_then(Topology::of),
            capacity: spec.capacity_range.as_ref().and_then(Capacity::of),
            secrets: spec.secrets.as_ref().filter(|secrets| !secrets.is_empty()).map(|secrets| {
                let pair =
                    |secret: &docker::VolumeSecret| Some((secret.key.clone()?, secret.secret.clone()?));
                secrets.iter().filter_map(pair).collect()
            }),
            availability: word(spec.availability.clone(), "active"),
        }
    }

    /// Whether a volume that there is is as it is wanted here, but for its availability, which can be changed.
    pub fn admits(&self, there: &Self) -> bool {
        fn left_or_same<T: PartialEq>(wanted: &Option<T>, there: &Option<T>) -> bool {
            wanted.is_none() || wanted == there
        }
        (&self.scope, &self.sharing, &self.mount) == (&there.scope, &there.sharing, &there.mount)
            && left_or_same(&self.group, &there.group)
            && left_or_same(&self.topology, &there.topology)
            && left_or_same(&self.capacity, &there.capacity)
            && left_or_same(&self.secrets, &there.secrets)
    }

    /// Takes what is left open from what was made.
    pub fn complete(&mut self, made: Self) {
        self.group = self.group.take().or(made.group);
        self.topology = self.topology.take().or(made.topology);
        self.capacity = self.capacity.take().or(made.capacity);
        self.secrets = self.secrets.take().or(made.secrets);
    }

    /// What is asked of the swarm.
    pub fn spec(&self) -> docker::ClusterVolumeSpec {
        let secret = |(key, secret): (&String, &String)| docker::VolumeSecret {
            key: Some(key.clone()),
            secret: Some(secret.clone()),
            ..docker::VolumeSecret::default()
        };
        docker::ClusterVolumeSpec {
            group: self.group.clone(),
            access_mode: Some(docker::AccessMode {
                scope: Some(self.scope.clone()),
                sharing: Some(self.sharing.clone()),
                mount_volume: self.mount.as_ref().map(|mount| docker::MountVolume {
                    fs_type: mount.fs_type.clone(),
                    mount_flags: mount.flags.clone(),
                    ..docker::MountVolume::default()
                }),
                block_volume: self.mount.is_none().then(docker::Extra::new),
                ..docker::AccessMode::default()
            }),
            accessibility_requirements: self.topology.as_ref().map(Topology::spec),
            capacity_range: self.capacity.as_ref().map(|capacity| docker::CapacityRange {
                required_bytes: capacity.required.as_ref().map(Size::bytes),
                limit_bytes: capacity.limit.as_ref().map(Size::bytes),
                ..docker::CapacityRange::default()
            }),
            secrets: self.secrets.as_ref().map(|secrets| secrets.iter().map(secret).collect()),
            availability: Some(self.availability.clone()),
            ..docker::ClusterVolumeSpec::default()
        }
    }
}

impl Topology {
    fn of(found: &docker::TopologyRequirement) -> Option<Self> {
        let parts = |parts: &Option<Vec<docker::Topology>>| {
            let parts = parts.as_ref().filter(|parts| !parts.is_empty())?;
            Some(parts.iter().map(|part| part.segments.clone().unwrap_or_default()).collect())
        };
        let topology = Topology { required: parts(&found.requisite), preferred: parts(&found.preferred) };
        (topology.required.is_some() || topology.preferred.is_some()).then_some(topology)
    }

    fn spec(&self) -> docker::TopologyRequirement {
        let parts = |parts: &Option<Vec<Labels>>| {
            let part = |segments: &Labels| docker::Topology {
                segments: Some(segments.clone()),
                ..docker::Topology::default()
            };
            parts.as_ref().map(|parts| parts.iter().map(part).collect())
        };
        docker::TopologyRequirement {
            requisite: parts(&self.required),
            preferred: parts(&self.preferred),
            ..docker::TopologyRequirement::default()
        }
    }
}

impl Capacity {
    /// Zero is what Docker has for any size.
    fn of(found: &docker::CapacityRange) -> Option<Self> {
        let size = |bytes: Option<i64>| bytes.filter(|bytes| *bytes != 0).map(Size::from_bytes);
        let capacity = Capacity { required: size(found.required_bytes), limit: size(found.limit_bytes) };
        (capacity.required.is_some() || capacity.limit.is_some()).then_some(capacity)
    }
}

fn scope(word: &str) -> Result<(), String> {
    one_of(word, &["single", "multi"])
}

fn sharing(word: &str) -> Result<(), String> {
    one_of(word, &["none", "readonly", "onewriter", "all"])
}

fn availability(word: &str) -> Result<(), String> {
    one_of(word, &["active", "pause", "drain"])
}

fn one_of(word: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&word) { Ok(()) } else { Err(format!("it is one of `{}`", words.join("`, `"))) }
}

/// The `cluster` block of kreuzwerker/docker's `docker_volume`.
pub fn moved(theirs: &Value) -> Value {
    let text = |name: &str| kreuzwerker::text(theirs.get(name));
    let capacity = match (text("required_bytes"), text("limit_bytes")) {
        (Value::Null, Value::Null) => Value::Null,
        (required, limit) => json!({ "required": required, "limit": limit }),
    };
    json!({
        "group": text("group"),
        "scope": text("scope"),
        "sharing": text("sharing"),
        "mount": if theirs["type"] == "mount" { json!({ "fs_type": null, "flags": null }) } else { Value::Null },
        "topology": null,
        "capacity": capacity,
        "secrets": null,
        "availability": text("availability"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_back() {
        let cluster = Cluster {
            group: Some("fast".into()),
            scope: "multi".into(),
            sharing: "onewriter".into(),
            mount: Some(Mount { fs_type: Some("ext4".into()), flags: Some(vec!["noatime".into()]) }),
            topology: Some(Topology {
                required: Some(vec![Labels::from([("zone".into(), "a".into())])]),
                preferred: None,
            }),
            capacity: Some(Capacity { required: Some(Size::from_bytes(1024)), limit: None }),
            secrets: Some(Labels::from([("key".into(), "id".into())])),
            availability: "pause".into(),
        };
        assert_eq!(Cluster::of(&cluster.spec()), cluster);
        let block = Cluster { mount: None, ..cluster };
        assert_eq!(serde_json::json!(block.spec())["AccessMode"]["BlockVolume"], serde_json::json!({}));
        assert_eq!(Cluster::of(&block.spec()), block);
    }

    #[test]
    fn a_block_of_kreuzwerker_s_provider_says_as_much_as_it_can() {
        let theirs = json!({
            "id": "id", "scope": "multi", "sharing": "all", "type": "mount", "group": "fast", "availability": "pause",
            "required_bytes": "1GiB", "limit_bytes": "", "topology_required": "", "topology_preferred": "",
        });
        let ours = moved(&theirs);
        assert_eq!((&ours["scope"], &ours["group"]), (&json!("multi"), &json!("fast")));
        assert_eq!(ours["capacity"], json!({ "required": "1GiB", "limit": null }));
        assert!(ours["mount"].is_object());
        assert_eq!(moved(&json!({ "type": "block" }))["mount"], Value::Null);
    }

    #[test]
    fn a_size_of_zero_is_no_size() {
        let capacity =
            docker::CapacityRange { required_bytes: Some(0), limit_bytes: Some(0), ..Default::default() };
        assert_eq!(Capacity::of(&capacity), None);
    }
}
