//! The specification of a Swarm service in Terraform's terms, part by part.
//!
//! Each part is a model, and knows how it reads out of and is written into the Engine's specification. A part is
//! written only where it means something else than what is there: what the Engine spells otherwise, or orders
//! otherwise, restarts no task. Whatever service a resource describes, it is made of these parts.

mod credentials;
mod environment;
mod health;
mod logging;
mod mounts;
mod networks;
mod placement;
mod ports;
mod references;
mod resources;
mod rollout;
mod scheduling;

use crate::docker::{ContainerSpec, ServiceSpec};

pub use credentials::credentials;
pub use environment::{read_env, write_env};
pub use health::Healthcheck;
pub use logging::Logging;
pub use mounts::Mount;
pub use networks::Network;
pub use placement::Placement;
pub use ports::{Publish, one_of};
pub use references::{Object, Reference, Resolved};
pub use resources::Resources;
pub use rollout::{Restart, Rollout, count};
pub use scheduling::Eligible;

/// The container of a specification.
pub fn container(spec: &ServiceSpec) -> Option<&ContainerSpec> {
    spec.task_template.as_ref()?.container_spec.as_ref()
}

/// The container of a specification, made if there is none.
pub fn container_mut(spec: &mut ServiceSpec) -> &mut ContainerSpec {
    spec.task_template.get_or_insert_default().container_spec.get_or_insert_default()
}
