//! Generations of secrets and configs that a service has let go: it was the last to use them, so it removes them.

use super::{Parts, Reference};
use crate::docker::{Docker, Found};
use crate::resources::generation::GENERATION_OF;

/// Removes the generations that a service used before and does not use now. What another service still uses, or cannot
/// be removed now, stays for another time.
pub async fn remove_left(now: &Parts, before: &Parts, docker: &Docker) {
    let secrets = left(&now.secrets, &before.secrets);
    if !secrets.is_empty()
        && let Ok(there) = docker.secrets_now().await
    {
        for secret in there.iter().filter(|own| own.labels.contains_key(GENERATION_OF)) {
            if secrets.iter().any(|source| **source == secret.id || **source == secret.name) {
                kept(&secret.name, docker.remove_secret(&secret.id).await);
            }
        }
    }
    let configs = left(&now.configs, &before.configs);
    if !configs.is_empty()
        && let Ok(there) = docker.configs_now().await
    {
        for config in there.iter().filter(|own| own.labels.contains_key(GENERATION_OF)) {
            if configs.iter().any(|source| **source == config.id || **source == config.name) {
                kept(&config.name, docker.remove_config(&config.id).await);
            }
        }
    }
}

/// What was referred to before and is not now.
fn left<'a>(now: &[Reference], before: &'a [Reference]) -> Vec<&'a String> {
    let sources = before.iter().map(|reference| &reference.source);
    sources.filter(|source| !now.iter().any(|reference| reference.source == **source)).collect()
}

fn kept(name: &str, removed: crate::docker::Result<()>) {
    if let Err(error) = removed.found() {
        tracing::debug!(name, %error, "an older generation stays");
    }
}
