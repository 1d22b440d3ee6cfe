//! What an apply waits for: tasks that run, and an address that answers.

use super::RegistryService;
use crate::{
    docker::Docker,
    registry::{
        Trust,
        probe::{Expectation, Probe},
    },
    resources::{failure::sentence, service::Wanted},
    terraform::{Context, Diagnostic, Duration, Result},
};
use std::time::Instant;

impl RegistryService {
    /// Waits until the service is what it is to be, as `wait_for` says.
    ///
    /// # Errors
    /// It cannot get there, or not in time; the words are those of its tasks.
    pub(super) async fn settle(
        &self,
        wanted: &Wanted,
        written: bool,
        limit: &Duration,
        context: &Context<Docker>,
    ) -> Result<()> {
        if !self.wait_for.replicas {
            return Ok(());
        }
        let started = Instant::now();
        wanted.settle(self.id.get()?, written, limit, &context.client).await?;
        self.serves(limit.to_std().saturating_sub(started.elapsed()), context).await
    }

    async fn serves(&self, within: std::time::Duration, context: &Context<Docker>) -> Result<()> {
        let Some(url) = &self.wait_for.url else { return Ok(()) };
        // With no task there is nobody to answer.
        if self.replicas == Some(0) {
            return Ok(());
        }
        let trust = match &self.wait_for.ca {
            _ if self.wait_for.insecure => Trust::Anybody,
            Some(pem) => Trust::Authorities(pem),
            None => Trust::System,
        };
        let said = |error: String| {
            Diagnostic::error(format!("The registry does not serve at {url}"), sentence(&error))
                .at("wait_for.url")
        };
        let probe = Probe::new(url, trust, self.wait_for.connect_to.as_deref())
            .map_err(|error| said(error.to_string()))?;
        let expected = Expectation {
            statuses: self
                .wait_for
                .statuses
                .iter()
                .filter_map(|status| u16::try_from(*status).ok())
                .collect(),
            has_auth: self.settings.auth.is_some(),
        };
        let stopping = context.client.stopping();
        probe
            .wait_until_serves(&expected, within, &stopping)
            .await
            .map_err(|error| said(error.to_string()))?;
        Ok(())
    }
}
