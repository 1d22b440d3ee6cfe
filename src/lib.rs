//! A Terraform provider for Docker Swarm and the private registries that run on it.
//!
//! # Layout
//! - [`resources`]: one file per resource type; start reading here.
//! - [`actions`]: one file per action type.
//! - [`functions`]: one file per function.
//! - [`data_sources`]: one file per data source type.
//! - [`ephemeral`]: one file per ephemeral resource type.
//! - [`provider`]: the `provider "swarm"` block, and the one list of everything offered.
//! - [`terraform`]: Terraform's data model. Pure.
//! - [`docker`]: the Engine API. Knows no Terraform.
//! - [`registry`]: CNCF Distribution's configuration and HTTP API. Knows neither of the two.
//! - [`plugin`]: the wire between Terraform and the provider.

pub mod actions;
pub mod data_sources;
pub mod docker;
pub mod ephemeral;
pub mod functions;
pub mod plugin;
pub mod provider;
pub mod registry;
pub mod resources;
pub mod terraform;

#[cfg(test)]
mod docs;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
mod tidy;
