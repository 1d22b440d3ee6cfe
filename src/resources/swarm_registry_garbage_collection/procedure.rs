//! A run, from a registry that is written to, to one that is written to and has less in it.
//!
//! The order is what keeps every image whole: nothing writes while something collects, nothing collects any more when the
//! registry becomes writable, and nothing knows of a blob that is gone.

mod aftercare;
mod alone;
mod steps;
#[cfg(test)]
mod tests;

pub use aftercare::end_left;

use super::{job, settings::Collection};
use crate::docker::{self, Docker, Found, Service, Wait};
use crate::registry::garbage_collection::Surroundings;
use crate::resources::{
    failure::{Doing, ready},
    generation::random_bytes,
};
use crate::terraform::{Diagnostic, Progress, Result};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};
use tokio::time::Instant;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// ID of the service.
    pub service: String,
    /// Blobs that were, or would be, deleted.
    pub blobs: u64,
    /// Their bytes, where they are files.
    pub bytes: Option<u64>,
    /// When it was over, in RFC 3339.
    pub finished_at: String,
}

/// A run that is under way.
pub struct Run<'a> {
    /// Tells it from all others.
    id: String,
    what: &'a Collection,
    docker: &'a Docker,
    progress: Progress,
    limit: Duration,
    ends: Instant,
    /// What it has to take back, whatever happens.
    made: Made,
}

/// What a run has made. What may have been made counts.
#[derive(Default)]
struct Made {
    job: AtomicBool,
    secret: AtomicBool,
    read_only: AtomicBool,
    /// Blobs may be gone of which redis still knows.
    stale: AtomicBool,
}

impl<'a> Run<'a> {
    /// A run that may take so long; it begins with [`Run::collect`].
    pub fn new(what: &'a Collection, limit: Duration, docker: &'a Docker, progress: Progress) -> Self {
        let id = random_bytes::<4>().map(|byte| format!("{byte:02x}")).concat();
        Run { id, what, docker, progress, limit, ends: Instant::now() + limit, made: Made::default() }
    }

    /// Collects. However it ends, the service is then what it was, or the error says how it is not.
    ///
    /// # Errors
    /// Nothing, or not all of it, was collected.
    pub async fn collect(&self) -> Result<Collected> {
        let what = || self.doing();
        ready(self.docker, what).await?;
        let service = self.registry().await?;
        // Each step lies on the heap: together they would be too much for the stack of a thread.
        Box::pin(self.alone(&service)).await.map_err(|error| self.in_time(error))?;
        let service = Box::pin(self.at_rest(&service.id)).await.map_err(|error| self.in_time(error))?;
        let work = tokio::time::timeout_at(self.ends, Box::pin(self.work(&service)));
        let work = AssertUnwindSafe(work).catch_unwind();
        let outcome = match work.await {
            Ok(Ok(outcome)) => outcome.map_err(|error| self.in_time(error)),
            Ok(Err(_)) => Err(self.refused(self.too_late())),
            Err(_) => Err(Diagnostic::bug("It panicked while it collected.")),
        };
        let after = Box::pin(self.aftercare(&service)).await;
        let (blobs, bytes) = match (outcome, after) {
            (Ok(counted), Ok(())) => counted,
            (Err(error), Ok(())) => return Err(error),
            (Ok(_), Err(after)) => return Err(after),
            (Err(mut error), Err(after)) => {
                error.detail.push_str(&format!("\nMoreover: {}. {}", after.summary, after.detail));
                return Err(error);
            }
        };
        let finished_at = self.docker.info().await.doing(what)?.system_time;
        Ok(Collected { service: service.id, blobs, bytes, finished_at })
    }

    /// What is done once nobody else does the same.
    async fn work(&self, service: &Service) -> Result<(u64, Option<u64>)> {
        let surroundings = self.surroundings(service);
        let secret = self.secret(service).await?;
        Box::pin(self.check(service, &surroundings, secret.as_ref())).await?;
        if self.what.dry_run {
            return Box::pin(self.dry_run(service, &surroundings)).await;
        }
        Box::pin(self.make_read_only(service)).await?;
        let counted = Box::pin(self.sweep(service, &surroundings)).await?;
        Box::pin(self.flush(self.docker, service, &surroundings, secret.as_ref())).await?;
        Ok(counted)
    }

    fn surroundings(&self, service: &Service) -> Surroundings {
        Surroundings {
            words: job::words(&service.spec),
            mounted: job::mounted(&service.spec),
            redis: self.what.redis.as_ref().map(|redis| redis.address.clone()),
            delete_untagged: self.what.delete_untagged,
        }
    }

    fn doing(&self) -> String {
        format!("collect the garbage of registry `{}`", self.what.service)
    }

    fn refused(&self, why: impl Into<String>) -> Diagnostic {
        Diagnostic::error(format!("Cannot {}", self.doing()), why.into())
    }

    fn too_late(&self) -> String {
        let limit = self.limit.as_secs();
        format!("It was not done within {limit} s. `timeouts` (of an action `timeout`) allows it more time.")
    }

    /// An error of a step as it is, if there was time: each step waits no longer than the run may take, and what it says when
    /// that is over is what it waited for, not what to do.
    fn in_time(&self, mut error: Diagnostic) -> Diagnostic {
        if self.left().is_zero() {
            error.detail = format!("{} {}", self.too_late(), error.detail);
        }
        error
    }

    /// How much of the time is left.
    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// The service, if it can be one of a registry.
    async fn registry(&self) -> Result<Service> {
        let found = self.docker.find_service(&self.what.service).await.found().doing(|| self.doing())?;
        let service = found.ok_or_else(|| {
            self.refused("Neither an ID nor a name of a service of the swarm is that.").at("service")
        })?;
        let mode = service.spec.mode.clone().unwrap_or_default();
        if mode.replicated_job.is_some() || mode.global_job.is_some() {
            return Err(self.refused("The service is a job: a registry is one that goes on.").at("service"));
        }
        Ok(service)
    }

    /// Waits until the service is as its specification wants it: only then both rollouts can be expected to succeed.
    async fn at_rest(&self, id: &str) -> Result<Service> {
        let wait = Wait { written: false, ..Wait::at_most(self.left()) };
        self.docker.converge(id, wait).await.map_err(|failure| {
            self.refused(format!(
                "Nothing was begun, since the registry has to be read-only for a while, and its service is not as it is to be \
                 even now. {failure}"
            ))
        })?;
        self.docker.wait_older_tasks_ended(id, self.left()).await.doing(|| self.doing())?;
        let service = self.docker.inspect_service(id).await.doing(|| self.doing())?;
        self.alone_on_its_storage(&service).await?;
        // The swarm goes on with a paused update at the next write, and undoes one that it rolls back.
        let paused = service.update_status.as_ref().is_some_and(|update| {
            matches!(update.state, docker::UpdateState::Paused | docker::UpdateState::RollbackPaused)
        });
        if paused {
            return Err(self.refused(
                "Nothing was begun, since an update of the service is paused. Apply the service's resource first, or undo the \
                 update with `docker service rollback`.",
            ));
        }
        Ok(service)
    }

    /// Refuses where another service may write to the same volume or folder meanwhile. Whether that is a registry cannot be
    /// seen: an image has whatever name its maker gave it.
    async fn alone_on_its_storage(&self, service: &Service) -> Result<()> {
        let services = self.docker.services_now().await.doing(|| "list the services".to_owned())?;
        let storage = job::storage(&service.spec);
        let shares = |other: &&Service| {
            other.id != service.id
                && other.spec.labels.as_ref() != Some(&job::labels(service))
                && job::storage(&other.spec).iter().any(|source| storage.contains(source))
        };
        match services.iter().find(shares) {
            None => Ok(()),
            Some(other) => Err(self.refused(format!(
                "Service `{}` has the same volume or folder, and could write there while it is collected. If it is a registry, let \
                 one service have all tasks on this storage; if it only reads, mount it read-only there. Else take the mount out \
                 of it meanwhile.",
                other.name()
            ))),
        }
    }

    fn set(flag: &AtomicBool) {
        flag.store(true, SeqCst);
    }
}
