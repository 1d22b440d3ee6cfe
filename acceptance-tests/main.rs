//! The acceptance tests: real engines, real Terraform, a real registry. `acceptance-tests/run` runs them.
//!
//! # Layout
//! - [`testbed`]: a swarm of real hosts on this machine.
//! - [`terraform`]: Terraform in a folder of its own, with this build of the provider.
//! - [`storage`]: an object store and a Redis beside the hosts; [`balancer`]: a load balancer before them; [`client`]: a
//!   registry client that nobody here wrote.
//! - one file for each resource, and for each promise that is about more than one.
//!
//! A test makes what it needs under names of its own, depends on no other, and leaves nothing behind.

mod actions;
mod backends;
mod balancer;
mod client;
mod connections;
mod credentials;
mod deployments;
mod distribution;
mod docker_service_create;
mod drift;
mod examples;
mod faults;
mod functions;
mod garbage_collection;
mod generations;
mod high_availability;
mod hub;
mod leader;
mod load;
mod matrix;
mod module;
mod moved;
mod process;
mod proxy;
mod queries;
mod registry_rules;
mod registry_service;
mod retention;
mod rotation;
mod secrecy;
mod service_matrix;
mod service_moved;
mod serving;
mod ssh;
mod started_by_hand;
mod storage;
mod swarm_cluster;
mod swarm_config;
mod swarm_network;
mod swarm_node;
mod swarm_node_label;
mod swarm_registry_endpoint;
mod swarm_registry_image;
mod swarm_registry_trust;
mod swarm_secret;
mod swarm_service;
mod swarm_volume;
mod terraform;
mod testbed;
mod versions;
