//! A Terraform provider for Docker Swarm and the private registries that run on it.
//!
//! # Layout
//! - [`resources`]: one file per resource type; start reading here.
//! - [`functions`]: one file per function.
//! - [`data_sources`]: one file per data source.
//! - [`provider`]: the `provider "swarm"` block, and the one list of everything offered.
//! - [`terraform`]: Terraform's data model. Pure.
//! - [`docker`]: the Engine API. Knows no Terraform.
//! - [`registry`]: CNCF Distribution's configuration and HTTP API. Knows neither of the two.
//! - [`plugin`]: the wire between Terraform and the provider.

pub mod data_sources;
pub mod docker;
pub mod functions;
pub mod plugin;
pub mod provider;
pub mod registry;
pub mod resources;
pub mod terraform;

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tidy;
