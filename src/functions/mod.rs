//! One file per function; HCL calls them as `provider::swarm::NAME(…)`.

mod image_reference;
mod registry_auth;

pub use image_reference::ImageReference;
pub use registry_auth::RegistryAuth;
