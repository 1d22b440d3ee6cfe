//! One file per Terraform resource type; start reading here, with `swarm_node_label`, the smallest.

mod blob;
mod connection;
pub(crate) mod failure;
mod generation;
mod kreuzwerker;
mod managers;
mod names;
mod registry_access;
mod registry_service;
pub(crate) mod service;
mod swarm_cluster;
mod swarm_config;
mod swarm_network;
mod swarm_node;
mod swarm_node_label;
mod swarm_registry_garbage_collection;
mod swarm_registry_image;
mod swarm_registry_retention;
mod swarm_registry_trust;
mod swarm_secret;
mod swarm_service;
mod swarm_volume;

pub use connection::Connection;
pub use failure::{Doing, sentence};
pub use registry_access::{RegistryAccess, refusal, repository_name, tag_or_digest};
pub use registry_service::{RegistryService, Settings as RegistrySettings};
pub use service::{SINCE, Since};
pub use swarm_cluster::SwarmCluster;
pub use swarm_config::SwarmConfig;
pub use swarm_network::{Ipam, SwarmNetwork};
pub use swarm_node::SwarmNode;
pub use swarm_node_label::SwarmNodeLabel;
pub use swarm_registry_garbage_collection::{
    Collected, Collection, LIMIT as COLLECTION_LIMIT, Run, SwarmRegistryGarbageCollection,
    validate as validate_collection,
};
pub use swarm_registry_image::{ImageSource, SwarmRegistryImage};
pub use swarm_registry_retention::SwarmRegistryRetention;
pub use swarm_registry_trust::SwarmRegistryTrust;
pub use swarm_secret::SwarmSecret;
pub use swarm_service::SwarmService;
pub use swarm_volume::{Cluster, SwarmVolume};
