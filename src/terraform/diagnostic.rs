//! What a person reads when something is wrong.

use super::{Path, Step, Value};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation did not succeed.
    Error,
    /// The operation went on, but somebody should know.
    Warning,
}

/// An error or a warning for a person: what failed, on what, why, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Whether the operation failed.
    pub severity: Severity,
    /// What could not be done, to what: short, without a full stop.
    pub summary: String,
    /// Why, and what to do, in full sentences.
    pub detail: String,
    /// The attribute that it is about, if there is one.
    pub path: Path,
}

/// The outcome of what may fail with one diagnostic.
pub type Result<T, E = Diagnostic> = std::result::Result<T, E>;

/// Any number of diagnostics, since a user wants to see all that is wrong at once.
pub type Diagnostics = Vec<Diagnostic>;

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: Path::default(),
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(summary, detail) }
    }

    /// A fault of the provider, not of its user.
    pub fn bug(detail: impl Into<String>) -> Self {
        Diagnostic::error(
            "The provider has a bug",
            format!("{} Please report this to the maintainers of the provider.", detail.into()),
        )
    }

    /// A value of another type than the schema has. The value is not shown, since it may be a secret.
    pub fn wrong_type(wanted: &str, found: &Value) -> Self {
        Diagnostic::error("Wrong type", format!("Here {wanted} is wanted, but {} was found.", found.kind()))
    }

    /// This diagnostic, about the attribute at `path`.
    pub fn at(mut self, path: impl Into<Path>) -> Self {
        self.path = path.into();
        self
    }

    /// This diagnostic, its path now starting at attribute `name`.
    pub fn under(self, name: &str) -> Self {
        self.beneath(Step::Attribute(name.to_owned()))
    }

    /// This diagnostic, its path now starting with `step`.
    pub fn beneath(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }

    /// This diagnostic as a warning.
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
