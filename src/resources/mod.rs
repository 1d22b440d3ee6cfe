//! One file per Terraform resource type; start reading here, with `swarm_node_label`, the smallest.

mod blob;
mod connection;
pub(crate) mod failure;
mod generation;
mod kreuzwerker;
mod managers;
mod names;
mod registry_service;
pub(crate) mod service;
mod swarm_cluster;
mod swarm_config;
mod swarm_network;
mod swarm_node;
mod swarm_node_label;
mod swarm_registry_trust;
mod swarm_secret;
mod swarm_service;
mod swarm_volume;

pub use connection::Connection;
pub use failure::Doing;
pub use registry_service::RegistryService;
pub use service::{SINCE, Since};
pub use swarm_cluster::SwarmCluster;
pub use swarm_config::SwarmConfig;
pub use swarm_network::{Ipam, SwarmNetwork};
pub use swarm_node::SwarmNode;
pub use swarm_node_label::SwarmNodeLabel;
pub use swarm_registry_trust::SwarmRegistryTrust;
pub use swarm_secret::SwarmSecret;
pub use swarm_service::SwarmService;
pub use swarm_volume::{Cluster, SwarmVolume};
