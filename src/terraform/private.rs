//! A resource's private state: what Terraform stores for the provider and never shows.

use super::{Diagnostic, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// What Terraform keeps beside a resource's state for the provider alone.
///
/// It lies in the state file as readable base64, so it is hidden from plans and outputs but no safer than
/// the state itself: only what the deployment cannot do without belongs here.
#[derive(Clone, Default, PartialEq)]
pub struct Private(serde_json::Map<String, serde_json::Value>);

impl Private {
    /// Reads the bytes that Terraform kept.
    ///
    /// # Errors
    /// They are not the JSON object that [`Private::to_bytes`] makes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Private::default());
        }
        serde_json::from_slice(bytes).map(Private).map_err(|_| {
            Diagnostic::error(
                "The private state cannot be read",
                "What the state file holds as the provider's private data is not what this provider writes. \
                 Restore the state from a backup, or remove the resource from the state and import it.",
            )
        })
    }

    /// The bytes for Terraform to keep; none if there is nothing to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return vec![];
        }
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// What was kept under `key`, unless nothing was or it is of another shape.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        T::deserialize(self.0.get(key)?).ok()
    }

    /// Keeps `value` under `key`.
    pub fn set<T: Serialize>(&mut self, key: &str, value: T) {
        if let Ok(value) = serde_json::to_value(value) {
            self.0.insert(key.to_owned(), value);
        }
    }

    /// Forgets what was kept under `key`.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}
