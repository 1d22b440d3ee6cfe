//! The provider, as the plugin layer sees it.

use super::{AnyAction, AnyFunction, AnyResource, AnySource, Config, Diagnostics, Schema};
use async_trait::async_trait;

/// What a plugin serves. The plugin layer knows nothing else of what is behind it.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The provider's source address, such as `localhub/swarm`.
    fn address(&self) -> &'static str;

    /// The schema of the `provider` block.
    fn schema(&self) -> &Schema;

    /// Every resource type.
    fn resources(&self) -> &[Box<dyn AnyResource>];

    /// Every data source.
    fn data_sources(&self) -> &[Box<dyn AnySource>] {
        &[]
    }

    /// Every ephemeral resource type.
    fn ephemeral_resources(&self) -> &[Box<dyn AnySource>] {
        &[]
    }

    /// Every action.
    fn actions(&self) -> &[Box<dyn AnyAction>] {
        &[]
    }

    /// Every function.
    fn functions(&self) -> &[Box<dyn AnyFunction>] {
        &[]
    }

    /// What is wrong with a `provider` block, of which parts may be unknown.
    fn validate(&self, config: &Config) -> Diagnostics;

    /// Takes the `provider` block; a later call replaces it. Parts may be unknown while planning. Nothing is
    /// connected: that waits for the first call that needs it.
    async fn configure(&self, config: &Config, terraform_version: &str) -> Diagnostics;

    /// Terraform was asked to stop: running operations end soon, with what exists.
    fn stop(&self);

    /// The resource type of that name.
    fn resource(&self, type_name: &str) -> Option<&dyn AnyResource> {
        self.resources().iter().find(|resource| resource.type_name() == type_name).map(|resource| &**resource)
    }
}
