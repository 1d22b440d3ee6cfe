//! Two runs at once exclude each other, and what a run has left that was cut off is taken back.

use super::{
    Run, job,
    steps::{is_alive, is_read_only},
};
use crate::docker::{Found, Service, TaskState, UpdateState};
use crate::registry::garbage_collection;
use crate::resources::{failure::Doing, service::container};
use crate::terraform::Result;
use std::time::Duration;
use tokio::time::Instant;

/// How long nothing may happen until another run counts as cut off.
const QUIET: Duration = Duration::from_secs(15);

/// What there is of a run: another one's, or one's own.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Trace {
    /// The run by which the service is made read-only, and in which version it is.
    read_only: Option<(String, u64)>,
    /// There is a job, with this ID.
    job: Option<String>,
    /// Something is going on: a task of the job, or a rollout.
    moving: bool,
}

impl Run<'_> {
    /// Waits while another run is at work, and takes back what one has left that was cut off.
    ///
    /// # Errors
    /// The other run takes too long, or what it left cannot be taken back.
    pub(super) async fn alone(&self, service: &Service) -> Result<()> {
        let mut seen = (Trace::default(), Instant::now());
        let mut is_told = false;
        loop {
            let trace = self.trace(service).await?;
            if trace == Trace::default() {
                return Ok(());
            }
            if trace.moving || trace != seen.0 {
                seen = (trace, Instant::now());
            } else if seen.1.elapsed() > QUIET {
                self.progress.report("taking back what an earlier collection has left that was cut off");
                return self.take_back(service, &seen.0).await;
            }
            if !is_told {
                self.progress.report(
                    "waiting for another collection of the same registry, or for what is left of one",
                );
                is_told = true;
            }
            if self.left().is_zero() {
                return Err(self.refused("Another collection of the same registry takes too long."));
            }
            self.docker.nap(Duration::from_millis(500)).await.doing(|| self.doing())?;
        }
    }

    pub(super) async fn trace(&self, service: &Service) -> Result<Trace> {
        let what = || self.doing();
        let now = self.docker.inspect_service(&service.id).await.doing(what)?;
        let read_only = who_made_read_only(&now).map(|run| (run.to_owned(), now.version.index));
        let moving = read_only.is_some() && self.is_moving(&now).await?;
        let mut trace = Trace { read_only, job: None, moving };
        let name = job::name(service.name());
        if let Some(job) = self.docker.find_service(&name).await.found().doing(what)? {
            if job.spec.labels.as_ref() != Some(&job::labels(service)) {
                return Err(self.refused(format!(
                    "Its job would be called `{name}`, and there is a service of that name which is something else. Give that \
                     one another name."
                )));
            }
            let tasks = self.docker.tasks(&job.id).await.found().doing(what)?.unwrap_or_default();
            trace.moving |= tasks.iter().any(|task| task.status.state <= TaskState::Running);
            trace.job = Some(job.id);
        }
        Ok(trace)
    }

    /// Whether a service is on its way to what its specification says. A rollout is over when the new tasks run, and a run goes
    /// on once the old ones have ended, which may take as long as they let their clients finish.
    pub(super) async fn is_moving(&self, service: &Service) -> Result<bool> {
        let what = || self.doing();
        let updating = service.update_status.as_ref().is_some_and(|update| {
            matches!(update.state, UpdateState::Updating | UpdateState::RollbackStarted)
        });
        let tasks = self.docker.tasks(&service.id).await.doing(what)?;
        let older = tasks.into_iter().filter(|task| is_alive(task) && !is_read_only(task)).collect();
        Ok(updating || !self.docker.not_ended(older).await.doing(what)?.is_empty())
    }

    /// Removes the job that was seen, and then makes the registry writable if it is still read-only by the run that was seen:
    /// another one may be taking it back, too, and may have begun its own work.
    pub(super) async fn take_back(&self, service: &Service, seen: &Trace) -> Result<()> {
        if let Some(job) = &seen.job {
            self.end_job(self.docker, service, job).await?;
        }
        self.remove_secret(self.docker, service, None).await;
        match &seen.read_only {
            Some((run, _)) => self.make_writable(self.docker, service, run, self.left()).await,
            None => Ok(()),
        }
    }
}

/// The run that has made the service read-only, if one has.
pub(super) fn who_made_read_only(service: &Service) -> Option<&str> {
    garbage_collection::who_made_read_only(container(&service.spec)?.env.as_deref()?)
}
