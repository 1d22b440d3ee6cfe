//! One file per data source; what they read, they share with the resource of that name.

mod swarm_service;

pub use swarm_service::SwarmService;
