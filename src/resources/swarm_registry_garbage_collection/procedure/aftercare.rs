//! What is done however a run ends: the job goes, redis forgets, the registry is writable again.

use super::{Run, alone::who_made_read_only, job};
use crate::docker::{BlobKind, Change, Docker, Found, Service, Wait};
use crate::registry::garbage_collection;
use crate::resources::failure::Doing;
use crate::terraform::{Diagnostic, Result};
use std::{sync::atomic::Ordering::SeqCst, time::Duration};

/// How long a job may take to end that is told to.
const JOB_ENDS: Duration = Duration::from_secs(60);
/// How long redis may take to forget.
const FLUSH: Duration = Duration::from_secs(60);
/// How long the service may take to be writable again, even where the time of the run is over.
const ROLLOUT: Duration = Duration::from_secs(20 * 60);

impl Run<'_> {
    /// Takes back what the run has made. Once Terraform has asked to stop, it does not wait for the swarm to follow.
    ///
    /// # Errors
    /// What is left, and how to get rid of it.
    pub(super) async fn aftercare(&self, service: &Service) -> Result<()> {
        // Terraform may have asked to stop, or may do so now: this has to be done all the same.
        let docker = self.docker.afterwards().map_err(|error| Diagnostic::bug(format!("{error}.")))?;
        if self.made.job.load(SeqCst) {
            self.remove_job(&docker, service).await?;
        }
        let flushed = match self.made.stale.load(SeqCst) {
            true => self.flush_again(&docker, service, FLUSH).await,
            false => Ok(()),
        };
        if self.made.secret.load(SeqCst) {
            self.remove_secret(&docker, service, Some(&self.id)).await;
        }
        if self.made.read_only.load(SeqCst) {
            self.make_writable(&docker, service, &self.id, self.left().max(ROLLOUT)).await?;
        }
        flushed.map_err(|mut error| {
            error.detail.push_str(
                "\nRedis was not flushed after the collection, and takes blobs to be there that are gone: a push would leave them \
                 out. Flush its database, or run the collection again.",
            );
            error
        })
    }

    /// Removes this run's job, if there is one. Another run's stays: one that was taken for cut off, and wakes, must not take
    /// back what the other has made since by the same names.
    pub(super) async fn remove_job(&self, docker: &Docker, service: &Service) -> Result<()> {
        let name = job::name(service.name());
        let what = || format!("remove job `{name}`");
        let found = docker.find_service(&name).await.found().doing(what)?;
        match found.filter(|job| who_made_read_only(job) == Some(&self.id)) {
            Some(job) => self.end_job(docker, service, &job.id).await,
            None => Ok(()),
        }
    }

    /// Ends and removes a job. Nothing of it may run any more when the registry is writable again.
    pub(super) async fn end_job(&self, docker: &Docker, service: &Service, id: &str) -> Result<()> {
        end(docker, id, &job::name(service.name())).await.map_err(|error| still(error, service))
    }

    /// Removes the secret with the login to redis, that of a run or whosever it is. One that stays is removed by the next run.
    pub(super) async fn remove_secret(&self, docker: &Docker, service: &Service, run: Option<&str>) {
        let name = job::secret_name(service.name());
        let Ok(Some(secret)) = docker.find_blob(BlobKind::Secret, &name).await.found() else { return };
        let is_of_service =
            job::labels(service).iter().all(|(key, value)| secret.labels.get(key) == Some(value));
        if !is_of_service || (run.is_some() && run != job::run_of(&secret.labels)) {
            return;
        }
        if let Err(error) = docker.remove_blob_when_unused(BlobKind::Secret, &secret.id, JOB_ENDS).await {
            tracing::warn!(secret = name, %error, "the secret for redis stays until the next run");
        }
    }

    /// Makes the registry writable that a run has made read-only, by giving the service back the specification that it had, and
    /// waits for that.
    pub(super) async fn make_writable(
        &self,
        docker: &Docker,
        service: &Service,
        run: &str,
        limit: Duration,
    ) -> Result<()> {
        let what = || format!("make registry `{}` writable again", service.name());
        let write = |spec: &mut crate::docker::ServiceSpec| {
            let container = spec.task_template.as_mut().and_then(|task| task.container_spec.as_mut());
            let Some(container) = container else { return Ok(Change::None) };
            let env = container.env.get_or_insert_default();
            if garbage_collection::who_made_read_only(env) == Some(run) {
                garbage_collection::make_writable(env);
            }
            if env.is_empty() {
                container.env = None;
            }
            Ok(Change::IfAny)
        };
        let written = docker.update_service(&service.id, None, write).await.found().doing(what);
        let written = written.map_err(|error| still(error, service))?;
        if written != Some(true) || self.docker.stopping().is_cancelled() {
            return Ok(());
        }
        self.progress.report("the registry becomes writable again");
        let mut told = None;
        let watched = docker.watch(&service.id, Wait::at_most(limit), |progress| {
            if told != Some(progress) {
                told = Some(progress);
                self.progress.report(format!("{} of {} tasks are writable", progress.done, progress.wanted));
            }
        });
        let stopping = self.docker.stopping();
        let watched = tokio::select! {
            watched = watched => watched,
            // The swarm goes on by itself.
            () = stopping.cancelled() => return Ok(()),
        };
        watched.map(drop).map_err(|failure| {
            still(Diagnostic::error(format!("Cannot {}", what()), failure.to_string()), service)
        })
    }
}

/// Ends the collection of a service that is about to be written, or removed: one that was cut off may have left a job that
/// still deletes, and one that is under way has to begin anew.
///
/// # Errors
/// It cannot be ended, so the service must not begin to write.
pub async fn end_left(id: &str, service: &str, docker: &Docker) -> Result<()> {
    let name = job::name(service);
    let what = || format!("end the garbage collection of service `{service}`");
    let services = docker.services().await.doing(what)?;
    let is_left = |other: &&Service| other.name() == name && other.spec.labels == Some(job::labels_of(id));
    match services.iter().find(is_left) {
        Some(job) => end(docker, &job.id, &name).await,
        None => Ok(()),
    }
}

/// Ends a job and removes it, once nothing of it can do anything any more.
async fn end(docker: &Docker, id: &str, name: &str) -> Result<()> {
    let ended = async {
        docker.end_job(id, JOB_ENDS).await.found()?;
        docker.wait_all_tasks_ended(id, JOB_ENDS).await.found()?;
        docker.remove_job(id, JOB_ENDS).await
    };
    ended.await.doing(|| format!("end job `{name}`")).map_err(|mut error| {
        error.detail.push_str(
            " Nobody knows whether it still deletes. If its node is down, bring the node back, or switch it off for good and \
             remove it from the swarm, and do this again.",
        );
        error
    })
}

/// Says that the registry may still be read-only, and what to do.
fn still(mut error: Diagnostic, service: &Service) -> Diagnostic {
    error.detail.push_str(&format!(
        "\nRegistry `{}` may still be read-only. The plan of its resource shows that as a difference of `env`, and its next apply \
         makes it writable, as the next collection does.",
        service.name()
    ));
    error
}
