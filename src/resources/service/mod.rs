//! The specification of a Swarm service in Terraform's terms, part by part.
//!
//! Each part is a model, and knows how it reads out of and is written into the Engine's specification. A part is
//! written only where it means something else than what is there: what the Engine spells otherwise, or orders
//! otherwise, restarts no task. Whatever service a resource describes, it is made of these parts: [`Parts`] are the
//! attributes that all have in common, [`Wanted`] is a service that a resource wants to be there, and `lifecycle` is what
//! becomes of it.

mod capabilities;
mod credentials;
mod environment;
mod generations;
mod health;
mod hosts;
mod image;
mod known;
mod lifecycle;
mod live;
mod logging;
mod mode;
mod mounts;
mod networks;
mod parts;
mod placement;
mod ports;
mod privileges;
mod read;
mod references;
mod resources;
mod rollout;
mod rules;
mod scheduling;
mod too_old;
mod write;

use crate::docker::{ContainerSpec, ServiceSpec};

pub use capabilities::{Ulimit, read_capabilities, write_capabilities};
pub use credentials::{Deployment, credentials};
pub use environment::{read_env, write_env};
pub use health::Healthcheck;
pub use hosts::{Dns, read_hosts, write_hosts};
pub use image::{digest, image_reference, is_met, plan_digest, same_image};
pub use known::{Known, remember_names, resolve, settle_references};
pub use lifecycle::{check, find, for_now, is_unsettled, read, remove};
pub use logging::Logging;
pub use mode::{Job, Scale};
pub use mounts::{Mount, VolumeOptions};
pub use networks::Network;
pub use parts::{ENGINE_GRACE, Parts};
pub use placement::{Placement, constraints};
pub use ports::{Publish, one_of};
pub use privileges::Privileges;
pub use references::{Object, Reference, Resolved};
pub use resources::Resources;
pub use rollout::{Restart, Rollout, count};
pub use rules::{list, not_empty, offline, refuse};
pub use scheduling::Eligible;
pub use too_old::{SINCE, Since};
pub use write::{Wanted, foreign};

/// The container of a specification.
pub fn container(spec: &ServiceSpec) -> Option<&ContainerSpec> {
    spec.task_template.as_ref()?.container_spec.as_ref()
}

/// The container of a specification, made if there is none.
pub fn container_mut(spec: &mut ServiceSpec) -> &mut ContainerSpec {
    spec.task_template.get_or_insert_default().container_spec.get_or_insert_default()
}
