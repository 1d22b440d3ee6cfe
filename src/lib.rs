//! A Terraform provider for Docker Swarm and the private registries that run on it.

pub mod docker;
pub mod plugin;
pub mod registry;
pub mod resources;
pub mod terraform;
