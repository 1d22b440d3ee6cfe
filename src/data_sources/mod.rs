//! One file per data source type.

mod swarm_cluster;
mod swarm_config;
mod swarm_network;
mod swarm_node;
mod swarm_nodes;
mod swarm_registry_catalog;
mod swarm_registry_endpoint;
mod swarm_registry_manifest;
mod swarm_registry_tags;
mod swarm_secret;
mod swarm_service;
mod swarm_volume;

pub use swarm_cluster::SwarmClusterData;
pub use swarm_config::SwarmConfigData;
pub use swarm_network::SwarmNetworkData;
pub use swarm_node::SwarmNodeData;
pub use swarm_nodes::SwarmNodesData;
pub use swarm_registry_catalog::SwarmRegistryCatalogData;
pub use swarm_registry_endpoint::SwarmRegistryEndpointData;
pub use swarm_registry_manifest::SwarmRegistryManifestData;
pub use swarm_registry_tags::SwarmRegistryTagsData;
pub use swarm_secret::SwarmSecretData;
pub use swarm_service::SwarmServiceData;
pub use swarm_volume::SwarmVolumeData;

use crate::terraform::{Config, Diagnostic, Diagnostics, Result};

/// Says that exactly one of `id` and `name` must be set.
fn id_or_name(config: &Config) -> Diagnostics {
    match (config.is_set("id"), config.is_set("name")) {
        (true, true) if config.is_known("id") && config.is_known("name") => {
            vec![Diagnostic::error("Two names", "Set `id` or `name`, not both.").at("name")]
        }
        (false, false) => vec![Diagnostic::error("No name", "Set `id` or `name`, by which it is found.")],
        _ => vec![],
    }
}

/// The one of `id` and `name` that is set.
fn asked(id: Option<&String>, name: Option<&String>) -> Result<String> {
    id.or(name)
        .cloned()
        .ok_or_else(|| Diagnostic::error("No name", "`id` and `name` are null, and one of them is needed."))
}
