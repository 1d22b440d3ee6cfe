//! Two runs at once exclude each other, and what a run has left that was cut off is taken back.

use super::{
    Run, job,
    steps::{is_alive, is_read_only},
};
use crate::docker::{Docker, Found, Service, TaskState, UpdateState};
use crate::registry::garbage_collection;
use crate::resources::{failure::Doing, service::container};
use crate::terraform::Result;
use std::time::Duration;
use tokio::time::Instant;

/// How long nothing may happen until another run counts as cut off.
const QUIET: Duration = Duration::from_secs(15);

/// What there is of a run: another one's, or one's own.
#[derive(Debug, Default, PartialEq)]
struct Trace {
    /// The service is made read-only, in this version.
    read_only: Option<u64>,
    /// There is a job, with this ID.
    job: Option<String>,
    /// Something is going on: a task of the job, or a rollout.
    moving: bool,
}

/// Whose things are taken back. A run that was taken for cut off, and wakes, must not take back what another one has made
/// since by the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Only what this run has made.
    Own,
    /// Whatever run has made it.
    AnyRuns,
}

impl Run<'_> {
    /// Whether what a run has made is meant.
    pub(super) fn means(&self, whose: Whose, run: Option<&str>) -> bool {
        whose == Whose::AnyRuns || run == Some(&self.id)
    }

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
                return self.take_back(self.docker, service, self.left()).await;
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

    async fn trace(&self, service: &Service) -> Result<Trace> {
        let what = || self.doing();
        let now = self.docker.inspect_service(&service.id).await.doing(what)?;
        let is_read_only = who_made_read_only(&now).is_some();
        let mut trace = Trace { read_only: is_read_only.then_some(now.version.index), ..Trace::default() };
        trace.moving = is_read_only && self.is_moving(&now).await?;
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

    /// Removes a job, and then makes the registry writable, in this order.
    pub(super) async fn take_back(&self, docker: &Docker, service: &Service, limit: Duration) -> Result<()> {
        self.remove_job(docker, service, Whose::AnyRuns).await?;
        self.remove_secret(docker, service, Whose::AnyRuns).await;
        self.make_writable(docker, service, Whose::AnyRuns, limit).await
    }
}

/// The run that has made the service read-only, if one has.
pub(super) fn who_made_read_only(service: &Service) -> Option<&str> {
    garbage_collection::who_made_read_only(container(&service.spec)?.env.as_deref()?)
}
