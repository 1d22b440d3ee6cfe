//! Removing an object: once, or as soon as nobody uses it any more.

use super::Docker;
use super::call::Request;
use super::error::{Error, Result};
use super::events::{Event, wait};
use super::pace::Repeat;
use std::time::Duration;
use tokio::time::Instant;

impl Docker {
    /// Sends a removal until it is answered. Where an answer got lost, "not found" at the next attempt is success.
    pub(super) async fn remove(&self, request: &Request) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        loop {
            match self.call_once(request).await {
                Ok(_) => return Ok(()),
                Err(Error::NotFound { .. }) if unsure => return Ok(()),
                Err(error) => {
                    unsure |= error.may_have_happened();
                    attempts.pause(error).await?;
                }
            }
        }
    }

    /// Removes by `attempt`, again whenever a service or a container changes, for up to `limit` while the object is
    /// [`Error::InUse`]. Of tasks on other nodes there are no events, so it looks by itself as well.
    pub(super) async fn remove_when_unused<F>(&self, limit: Duration, attempt: impl Fn() -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let until = Instant::now() + limit;
        let mut events = self.events();
        loop {
            let removed = attempt().await;
            let left = until.saturating_duration_since(Instant::now());
            match removed {
                Err(Error::InUse { .. }) if !left.is_zero() => {}
                removed => return removed,
            }
            let about_a_service = |event: &Event| event.service.is_some();
            tokio::select! {
                () = self.0.stop.cancelled() => return Err(Error::Stopped),
                _ = wait(&mut events, left.min(Duration::from_millis(500)), about_a_service) => {}
            }
        }
    }
}
