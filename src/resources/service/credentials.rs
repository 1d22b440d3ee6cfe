//! The credentials that the nodes pull a service's image with.

use crate::docker::{Docker, RegistryAuth};
use crate::registry::image::Reference;
use crate::resources::failure::Doing;
use crate::terraform::{Diagnostic, Result};

/// The credentials for the registry of an image. They go with every create and update: else only nodes that have the
/// image already could start tasks.
///
/// # Errors
/// Docker's configuration or a credential helper failed.
pub async fn credentials(image: &str, docker: &Docker) -> Result<Option<RegistryAuth>> {
    let Ok(image) = image.parse::<Reference>() else { return Ok(None) };
    let found = docker.credentials(image.domain()).await;
    let found = found.doing(|| format!("find the credentials for `{}`", image.domain()));
    found.map_err(|error: Diagnostic| error.at("image"))
}
