//! How long an operation may take.

use super::{Duration, Model};

/// How long the operations may take before they end with an error. What exists by then stays in the state.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Timeouts {
    /// How long creating may take, such as `"10m"`.
    pub create: Option<Duration>,

    /// How long an update may take, such as `"20m"`.
    pub update: Option<Duration>,

    /// How long deleting may take, such as `"5m"`.
    pub delete: Option<Duration>,
}
