//! From the Engine's failures to a person's diagnostics: the one place where the two vocabularies meet.

use crate::{
    docker,
    terraform::{Diagnostic, Result},
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
