//! `health`: when the registry calls itself unhealthy.

use crate::{
    registry::configuration::Section,
    terraform::{Duration, Model},
};

/// When the registry calls itself unhealthy (`health`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Health {
    /// Whether the storage is checked (`health.storagedriver.enabled`): as soon as it fails `threshold` times in a row,
    /// every answer is 503.
    #[tf(default = true)]
    pub storage: bool,

    /// Pause between two checks of the storage, such as `"10s"` (`health.storagedriver.interval`).
    #[tf(default = Duration::from_secs(10))]
    pub interval: Duration,

    /// How many failures in a row count (`health.storagedriver.threshold`).
    #[tf(default = 3)]
    pub threshold: i64,
}

impl Default for Health {
    fn default() -> Self {
        Health { storage: true, interval: Duration::from_secs(10), threshold: 3 }
    }
}

impl Health {
    /// `health`
    pub fn section(&self) -> Section {
        let storage = Section::new()
            .with("enabled", true)
            .with("interval", self.interval.to_std())
            .with("threshold", self.threshold);
        Section::new().with("storagedriver", self.storage.then_some(storage))
    }
}
