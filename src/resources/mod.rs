//! One file per Terraform resource type; start reading here, with `swarm_node_label`, the smallest.

mod connection;
pub(crate) mod failure;
mod generation;
mod names;
mod registry_service;
pub(crate) mod service;
mod swarm_node_label;
mod swarm_secret;
mod swarm_service;

pub use registry_service::RegistryService;
pub use service::{SINCE, Since};
pub use swarm_node_label::SwarmNodeLabel;
pub use swarm_secret::SwarmSecret;
pub use swarm_service::SwarmService;
