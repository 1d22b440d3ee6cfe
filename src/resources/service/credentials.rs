//! What goes with an update: a restart by force, and the credentials with which the nodes pull the image, which are the
//! header `X-Registry-Auth` of the Engine API.

use super::Wanted;
use crate::docker::{self, Docker};
use crate::registry::image;
use crate::resources::failure::Doing;
use crate::terraform::{Model, Result, Sensitive, WriteOnly};

/// What an apply does with a service beside writing its specification.
#[derive(Clone, Debug, Default, Model)]
pub struct Deployment {
    /// Any text. With each new one the next apply replaces all tasks although nothing else changed, as `docker service
    /// update --force` does.
    pub force_update: Option<String>,

    /// Credentials with which the nodes pull the image, instead of those that the provider finds. They are sent with
    /// every create and update, and the swarm keeps them for tasks that start later.
    pub registry_auth: Option<RegistryAuth>,
}

/// Credentials with which the nodes pull the image. The Engine never tells them.
#[derive(Clone, Debug, Model)]
pub struct RegistryAuth {
    /// Name of the user.
    pub username: String,

    /// Password of the user, kept in neither plan nor state. Needs Terraform 1.11.
    pub password_wo: WriteOnly<String>,

    /// Raise it to send another `password_wo`.
    #[tf(default = 1)]
    pub password_wo_version: i64,

    /// Password of the user, kept in the state: better use `password_wo`.
    pub password: Option<Sensitive<String>>,

    /// Address of the registry, such as `hub.example.com`. By default the one that the image names.
    pub server: Option<String>,
}

impl RegistryAuth {
    /// Whether the two say the same, as far as the state can tell.
    pub fn is(&self, other: &Self) -> bool {
        let facts = |auth: &Self| {
            (auth.username.clone(), auth.password_wo_version, auth.password.clone(), auth.server.clone())
        };
        facts(self) == facts(other)
    }

    fn engine(&self, image: &str) -> docker::RegistryAuth {
        let password = self.password_wo.expose().or(self.password.as_ref().map(Sensitive::expose));
        docker::RegistryAuth {
            username: self.username.clone(),
            password: password.cloned().unwrap_or_default(),
            server: self.server.clone().unwrap_or_else(|| registry(image)),
            ..docker::RegistryAuth::default()
        }
    }
}

/// The registry that an image names.
fn registry(image: &str) -> String {
    image
        .parse::<image::Reference>()
        .map_or_else(|_| "docker.io".to_owned(), |image| image.domain().to_owned())
}

/// The credentials that the provider has for the registry of an image.
///
/// # Errors
/// They cannot be had.
pub async fn credentials(image: &str, docker: &Docker) -> Result<Option<docker::RegistryAuth>> {
    let server = registry(image);
    docker.credentials(&server).await.doing(|| format!("find the credentials for `{server}`"))
}

impl Wanted {
    /// The credentials to send: the service's own, or those that the provider has for its registry.
    ///
    /// # Errors
    /// The provider's cannot be had.
    pub async fn credentials(&self, docker: &Docker) -> Result<Option<docker::RegistryAuth>> {
        if let Some(auth) = &self.deployment.registry_auth {
            return Ok(Some(auth.engine(&self.image)));
        }
        credentials(&self.image, docker).await.map_err(|error| error.at("image"))
    }

    /// Whether the service's own credentials are other ones than before: then they are sent although nothing else
    /// changed.
    pub fn has_new_credentials(&self, prior: &Self) -> bool {
        match (&self.deployment.registry_auth, &prior.deployment.registry_auth) {
            (Some(now), Some(before)) => !now.is(before),
            (now, before) => now.is_some() != before.is_some(),
        }
    }
}
