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

impl Timeouts {
    /// The limit of creating, or `otherwise`.
    pub fn create_or(timeouts: Option<&Self>, otherwise: Duration) -> Duration {
        timeouts.and_then(|timeouts| timeouts.create.clone()).unwrap_or(otherwise)
    }

    /// The limit of an update, or `otherwise`.
    pub fn update_or(timeouts: Option<&Self>, otherwise: Duration) -> Duration {
        timeouts.and_then(|timeouts| timeouts.update.clone()).unwrap_or(otherwise)
    }

    /// The limit of deleting, or `otherwise`.
    pub fn delete_or(timeouts: Option<&Self>, otherwise: Duration) -> Duration {
        timeouts.and_then(|timeouts| timeouts.delete.clone()).unwrap_or(otherwise)
    }
}
