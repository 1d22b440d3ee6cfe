//! `swarm_registry_catalog`: the repositories of a registry.

use crate::docker::Docker;
use crate::resources::{RegistryAccess, refusal};
use crate::terraform::{Computed, Context, Model, Result, Source};

/// The repositories of a registry.
///
/// A repository whose images are all deleted may still be among them: Distribution forgets it only when its storage is
/// cleaned by hand. Public hubs let nobody list their repositories.
#[derive(Debug, Model)]
pub struct SwarmRegistryCatalogData {
    /// The registry.
    registry: RegistryAccess,

    /// Names of the repositories, such as `library/alpine`, sorted.
    repositories: Computed<Vec<String>>,
}

impl Source for SwarmRegistryCatalogData {
    const TYPE: &'static str = "swarm_registry_catalog";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let registry = self.registry.open(&context.client).await.map_err(|error| error.under("registry"))?;
        let found = registry.repositories().await;
        let what = || format!("list the repositories of {}", registry.registry());
        let mut found = found.map_err(|error| refusal(&what(), &error).at("registry"))?;
        found.sort();
        self.repositories = found.into();
        Ok(())
    }
}
