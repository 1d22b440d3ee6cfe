//! What a check says: how bad, which rule, at which attribute, in which words.

/// Whether a finding stops the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing may be changed before this is put right.
    Error,
    /// The deployment works, but probably not as it was meant.
    Warning,
}

/// One result of a check.
///
/// It never holds a secret's value: messages name attributes, hosts, ports and keys only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether this stops the plan.
    pub severity: Severity,
    /// The rule's short and stable name, such as `S1`; tests and documentation refer to it.
    pub code: &'static str,
    /// The attribute that the finding is about, dotted from the resource's root, such as `update.order`.
    /// Empty where it is about the resource as a whole.
    pub path: String,
    /// What is wrong and what to do, in whole sentences.
    pub message: String,
}

impl Finding {
    /// A finding that stops the plan.
    pub fn error(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, path: path.into(), message: message.into() }
    }

    /// A finding that lets the plan go on.
    pub fn warning(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, code, path: path.into(), message: message.into() }
    }

    /// Whether this finding stops the plan.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
