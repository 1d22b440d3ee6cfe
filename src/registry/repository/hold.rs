//! Who may change a repository, and what others of the same run have put there.
//!
//! Terraform works on many resources at once. Where one goes and another comes with the same image, as when the key of a
//! `for_each` changes, the one that goes must not take away what the other has just put there. So everybody of a run
//! holds the repository while looking and acting, and claims what is to stay. Other runs and other clients are
//! unknown here, and so is a second provider block, which is a process of its own.

use super::{Repository, reach::Pointer};
use crate::registry::client::Digest;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// The images and tags that were put into a repository in this run.
#[derive(Debug, Default)]
pub struct Claims(BTreeMap<Digest, BTreeSet<String>>);

/// A repository that nobody else of this run changes meanwhile.
pub type Held = OwnedMutexGuard<Claims>;

/// A run of Terraform, a registry, and a repository in it.
type Place = (u64, String, String);

impl Claims {
    /// Takes down what is to be there.
    pub fn claim(&mut self, digest: &Digest, tags: &BTreeSet<String>) {
        self.0.entry(digest.clone()).or_default().extend(tags.iter().cloned());
    }

    /// Whether a tag was put to this image.
    pub fn has(&self, tag: &str, digest: &Digest) -> bool {
        self.0.get(digest).is_some_and(|tags| tags.contains(tag))
    }

    /// The images that were put there. What they are was not kept.
    pub(super) fn images(&self) -> impl Iterator<Item = Pointer> {
        self.0.keys().map(|digest| (digest.clone(), String::new()))
    }
}

impl Repository<'_> {
    /// Waits until nobody else of this run changes the repository.
    pub async fn hold(&self, run: u64) -> Held {
        static PLACES: Mutex<BTreeMap<Place, Arc<tokio::sync::Mutex<Claims>>>> = Mutex::new(BTreeMap::new());
        let place = (run, self.client.origin(), self.name.to_owned());
        let claims = {
            let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(place).or_default())
        };
        claims.lock_owned().await
    }
}
