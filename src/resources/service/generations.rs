//! Generations of secrets and configs that a service has let go: it was the last to use them, so it removes them.

use super::Reference;
use crate::docker::{Blob, BlobKind, Docker, ServiceSpec};
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

/// Removes the generations that a service let go. What is still needed, or cannot be removed now, stays for another time;
/// what belongs to a service is kept by it for a rollback.
pub async fn remove_left(private: &mut Private, docker: &Docker) {
    let Some(left) = private.get::<References>(LET_GO) else { return };
    let secrets = remove(BlobKind::Secret, left.secrets, docker).await;
    let configs = remove(BlobKind::Config, left.configs, docker).await;
    if secrets.is_empty() && configs.is_empty() {
        private.remove(LET_GO);
    } else {
        private.set(LET_GO, References { secrets, configs });
    }
}

/// Removes those that are generations, and answers those that stay for another time.
async fn remove(kind: BlobKind, ids: BTreeSet<String>, docker: &Docker) -> BTreeSet<String> {
    if ids.is_empty() {
        return ids;
    }
    let Ok(there) = docker.blobs_now(kind).await else { return ids };
    let is_generation = |blob: &&Blob| {
        ids.contains(&blob.id) && blob.labels.contains_key(GENERATION_OF) && !blob.labels.contains_key(OWNER)
    };
    docker.remove_unneeded_blobs(kind, &there.iter().filter(is_generation).collect::<Vec<_>>()).await
}
