//! One file per Terraform resource type; start reading here, with `swarm_node_label`, the smallest.

mod connection;
mod failure;
mod generation;
mod managers;
mod names;
mod registry_service;
mod service;
mod swarm_cluster;
mod swarm_node;
mod swarm_node_label;
mod swarm_secret;

pub use failure::Doing;
pub use registry_service::RegistryService;
pub use swarm_cluster::SwarmCluster;
pub use swarm_node::SwarmNode;
pub use swarm_node_label::SwarmNodeLabel;
pub use swarm_secret::SwarmSecret;
