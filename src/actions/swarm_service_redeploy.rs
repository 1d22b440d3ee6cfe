//! `swarm_service_redeploy`: new tasks for a service that stays as it is.

use super::told_once;
use crate::docker::{Change, Docker, Found, Service, Wait};
use crate::resources::{Doing, failure::ready};
use crate::terraform::{Action, Config, Diagnostic, Diagnostics, Duration, Invocation, Model, Result};

/// Replaces the tasks of a service by new ones, as `docker service update --force` does, and waits until they run.
///
/// It is for what a service does not notice by itself: data of a bind mount, a tag that means another image now, nodes that
/// came and stand idle. The service is replaced task by task as its `update` says; its specification stays as it is, so the
/// plan of its resource stays empty. The tasks of a job run again.
///
/// A tag is looked up by each node that does not have the image. Where the service is pinned to a digest, the digest is what
/// runs, new tag or not.
#[derive(Debug, Model)]
pub struct SwarmServiceRedeploy {
    /// ID or name of the service.
    service: String,

    /// Whether it waits until all tasks are new and run.
    #[tf(default = true)]
    wait: bool,

    /// How long it waits, such as `"20m"`. What it began goes on in the swarm afterwards.
    #[tf(default = Duration::minutes(20))]
    timeout: Duration,
}

impl Action for SwarmServiceRedeploy {
    const TYPE: &'static str = "swarm_service_redeploy";
    type Client = Docker;

    async fn check(config: &Config, docker: &Docker) -> Diagnostics {
        let Some(service) = config.known::<String>("service") else { return vec![] };
        // What cannot be asked now, or is made in the same apply, may be there when it is invoked.
        match docker.find_service(&service).await.found() {
            Ok(None) => vec![missing(&service).as_warning()],
            _ => vec![],
        }
    }

    async fn invoke(self, invocation: &mut Invocation<Docker>) -> Result<()> {
        let docker = &invocation.client;
        let what = || format!("redeploy service `{}`", self.service);
        ready(docker, what).await?;
        let found = docker.find_service(&self.service).await.found().doing(what)?;
        let Service { id, .. } = found.ok_or_else(|| missing(&self.service))?;
        // An answer that got lost is no reason to do it twice.
        let mut raised = None;
        let raise = |spec: &mut crate::docker::ServiceSpec| {
            let counter = &mut spec.task_template.get_or_insert_default().force_update;
            let now = counter.unwrap_or_default();
            let wanted = *raised.get_or_insert(now.saturating_add(1));
            *counter = Some(now.max(wanted));
            Ok(Change::IfAny)
        };
        docker.update_service(&id, None, raise).await.doing(what)?;
        if !self.wait {
            return Ok(());
        }
        let mut tell = told_once(&invocation.progress);
        let watched = docker.watch(&id, Wait::at_most(self.timeout.to_std()), |progress| {
            tell(format!("{} of {} tasks are new and run", progress.done, progress.wanted));
        });
        watched.await.map(drop).map_err(|failure| {
            Diagnostic::error(
                format!("Service `{}` does not run as it should", self.service),
                failure.to_string(),
            )
        })
    }
}

fn missing(service: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is no service `{service}`"),
        "Neither an ID nor a name of a service of the swarm is that. `docker service ls` lists them.",
    )
    .at("service")
}
