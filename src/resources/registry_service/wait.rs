//! What an apply waits for: tasks that run, and an address that answers.

use super::RegistryService;
use crate::{
    docker::{Docker, Wait},
    terraform::{Context, Diagnostic, Duration, Result},
};

impl RegistryService {
    /// Waits until the service is what it is to be, as `wait_for` says.
    pub(super) async fn settle(&self, limit: &Duration, context: &Context<Docker>) -> Result<()> {
        if !self.wait_for.replicas {
            return Ok(());
        }
        let started = std::time::Instant::now();
        let wait = Wait::at_most(limit.to_std());
        if let Err(failure) = context.client.converge(self.id.get()?, wait).await {
            return Err(Diagnostic::error(
                format!("Service `{}` does not run as it should", self.name),
                format!("{failure}"),
            ));
        }
        let _rest = limit.to_std().saturating_sub(started.elapsed());
        Ok(())
    }
}
