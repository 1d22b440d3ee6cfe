//! What a registry says about an image, asked for by the Engine with its own certificates, mirrors and proxies.

use super::call::RegistryAuth;
use super::error::{Error, Kind, Result};
use super::refusal::Subject;
use super::{Docker, Platform};
use bollard::auth::DockerCredentials;

/// What a registry says about an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegistryImage {
    /// Digest of what the tag means now: `sha256:…`.
    pub digest: String,
    /// Platforms that the image is made for.
    pub platforms: Vec<Platform>,
}

impl Docker {
    /// Asks the registry of an image, through the Engine, what its tag means now.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Api`] where the registry does not know or give the image, and whatever keeps
    /// the Engine from answering.
    pub async fn registry_image(&self, image: &str, auth: Option<&RegistryAuth>) -> Result<RegistryImage> {
        let subject = Subject::Of(Kind::Image, image.to_owned());
        let credentials = auth.map(|auth| DockerCredentials {
            username: Some(auth.username.clone()),
            password: Some(auth.password.clone()),
            serveraddress: Some(auth.server.clone()),
            identitytoken: auth.identity_token.clone(),
            ..DockerCredentials::default()
        });
        let call = |bollard: bollard::Docker| {
            let credentials = credentials.clone();
            async move { bollard.inspect_registry_image(image, credentials).await }
        };
        let found = self.through_bollard(subject, call).await?;
        let digest = found.descriptor.digest.ok_or_else(|| Error::Malformed {
            what: format!("GET /distribution/{image}/json"),
            cause: "there is no digest in it".to_owned(),
        })?;
        let platforms = found.platforms.into_iter().map(|theirs| Platform {
            architecture: theirs.architecture,
            os: theirs.os,
            ..Platform::default()
        });
        Ok(RegistryImage { digest, platforms: platforms.collect() })
    }

    /// The digest that an image's tag means now, such as `sha256:…`; see [`Docker::registry_image`].
    ///
    /// # Errors
    /// As [`Docker::registry_image`].
    pub async fn distribution_digest(&self, image: &str, auth: Option<&RegistryAuth>) -> Result<String> {
        Ok(self.registry_image(image, auth).await?.digest)
    }
}
