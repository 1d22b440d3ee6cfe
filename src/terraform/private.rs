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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        collection::{btree_map, vec},
        prelude::*,
    };
    use std::collections::BTreeMap;

    type Kept = BTreeMap<String, (String, Option<i64>, Vec<bool>)>;

    fn kept() -> impl Strategy<Value = Kept> {
        let value = (any::<String>(), any::<Option<i64>>(), vec(any::<bool>(), 0..4));
        btree_map(any::<String>(), value, 0..6)
    }

    proptest! {
        #[test]
        fn what_was_kept_is_there_the_next_time(kept in kept()) {
            let mut private = Private::default();
            kept.iter().for_each(|(key, value)| private.set(key, value));
            let again = Private::from_bytes(&private.to_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&private));
            let mut again = again.unwrap_or_default();
            for (key, value) in &kept {
                prop_assert_eq!(again.get(key), Some(value.clone()));
                prop_assert_eq!(again.get::<bool>(key), None, "of another shape");
                again.remove(key);
            }
            prop_assert_eq!(again.to_bytes(), Vec::<u8>::new(), "nothing is kept where nothing is left");
        }

        #[test]
        fn other_bytes_are_an_error_that_does_not_show_them(bytes in any::<Vec<u8>>(), word in "[a-z]{12}") {
            Private::from_bytes(&bytes).ok();
            let error = Private::from_bytes(format!("\"{word}\"").as_bytes()).expect_err("no object");
            let told = format!("{error:?}");
            prop_assert!(!told.contains(&word));
            let mut private = Private::default();
            private.set("key", &word);
            let shown = format!("{private:?}");
            prop_assert!(!shown.contains(&word));
        }
    }
}
