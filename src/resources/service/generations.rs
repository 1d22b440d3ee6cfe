//! Generations of secrets and configs that a service has let go: it was the last to use them, so it removes them.

use super::Reference;
use crate::docker::{BlobKind, Docker, Found, ServiceSpec};
use crate::resources::generation::{GENERATION_OF, OWNER};
use crate::terraform::Private;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// IDs of what a specification refers to.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct References {
    secrets: BTreeSet<String>,
    configs: BTreeSet<String>,
}

impl References {
    /// All of a specification.
    pub fn of(spec: &ServiceSpec) -> Self {
        let id = |reference: super::Resolved| reference.object.id;
        References {
            secrets: Reference::secrets(spec).into_iter().map(id).collect(),
            configs: Reference::configs(spec).into_iter().map(id).collect(),
        }
    }

    /// Has others too.
    pub fn add(&mut self, others: Self) {
        self.secrets.extend(others.secrets);
        self.configs.extend(others.configs);
    }

    /// Those that are not among others.
    fn without(&self, others: &Self) -> Self {
        References { secrets: &self.secrets - &others.secrets, configs: &self.configs - &others.configs }
    }
}

/// What the private state remembers of what a service let go, until it is removed.
const LET_GO: &str = "let_go";

/// Remembers what a service used `before` and does not use `now`: an update that is cut off leaves it to the next.
pub fn remember(before: &References, now: &References, private: &mut Private) {
    let kept: References = private.get(LET_GO).unwrap_or_default();
    let all =
        References { secrets: &kept.secrets | &before.secrets, configs: &kept.configs | &before.configs };
    private.set(LET_GO, all.without(now));
}

/// Removes the generations that a service let go. What another service still uses, or cannot be removed now, stays for
/// another time; so does what belongs to a service and is kept by it for a rollback.
pub async fn remove_left(private: &mut Private, docker: &Docker) {
    let Some(left) = private.get::<References>(LET_GO) else { return };
    private.remove(LET_GO);
    for (kind, ids) in [(BlobKind::Secret, left.secrets), (BlobKind::Config, left.configs)] {
        if ids.is_empty() {
            continue;
        }
        let Ok(there) = docker.blobs_now(kind).await else { continue };
        let is_generation = |labels: &crate::docker::Labels| {
            labels.contains_key(GENERATION_OF) && !labels.contains_key(OWNER)
        };
        for blob in there.iter().filter(|blob| ids.contains(&blob.id) && is_generation(&blob.labels)) {
            if let Err(error) = docker.remove_blob(kind, &blob.id).await.found() {
                tracing::debug!(name = blob.name, %error, "an older generation stays");
            }
        }
    }
}
