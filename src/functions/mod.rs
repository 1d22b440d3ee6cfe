//! One file per function; HCL calls them as `provider::swarm::NAME(…)`.

mod htpasswd;
mod image_reference;
mod registry_auth;

pub use htpasswd::Htpasswd;
pub use image_reference::ImageReference;
pub use registry_auth::RegistryAuth;
