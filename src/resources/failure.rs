//! From the Engine's failures to a person's diagnostics: the one place where the two vocabularies meet.

use crate::{
    docker,
    terraform::{Diagnostic, Duration, Result},
};

/// Says what was being done when the Engine failed.
pub trait Doing<T> {
    /// The failure as a diagnostic: "Cannot `what`", and why.
    ///
    /// # Errors
    /// The same failure, in words.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for docker::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| failure(&what(), &error))
    }
}

/// A failure in words: what could not be done, and the Engine layer's sentence on why and what to do.
pub fn failure(what: &str, error: &docker::Error) -> Diagnostic {
    Diagnostic::error(format!("Cannot {what}"), sentence(&error.to_string()))
}

/// A fragment as a sentence: a capital at its start, a full stop at its end.
pub fn sentence(fragment: &str) -> String {
    let mut letters = fragment.trim().chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    let stop = if fragment.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// Runs an operation that may take so long and no longer. What it has done by then stays done.
///
/// # Errors
/// Those of the operation, and that the time is over.
pub async fn within<T>(
    limit: &Duration,
    what: impl FnOnce() -> String,
    operation: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(limit.to_std(), operation).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Diagnostic::error(
            format!("Cannot {}", what()),
            format!("It was not done within {limit}. `timeouts` allows it more time."),
        )
        .at("timeouts")),
    }
}

/// Makes sure that the Engine can manage a swarm at all, so that the user reads why not, instead of what fails for it.
///
/// # Errors
/// It is in no swarm, a worker, locked, or without a quorum.
pub async fn ready(docker: &docker::Docker, what: impl FnOnce() -> String) -> Result<()> {
    docker.require_manager().await.doing(what)
}
