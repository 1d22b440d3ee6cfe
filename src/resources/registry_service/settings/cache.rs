//! `cache`: how descriptions of blobs are kept at hand (`storage.cache`, `redis`).

mod redis;

use super::{File, storage::not_negative};
use crate::{
    registry::{Dialect, configuration::Section},
    terraform::Model,
};
pub use redis::Redis;

/// Where the registry keeps what it knows of the layers at hand (`storage.cache`). One of `in_memory`, `redis` and
/// `none`.
#[derive(Clone, Debug, Model)]
pub struct Cache {
    /// In the memory of each replica, as it is without `cache`.
    pub in_memory: Option<InMemory>,

    /// In Redis, which all replicas share (`redis`). It makes the registry faster and no more than that: without it
    /// everything still works.
    pub redis: Option<Redis>,

    /// Nowhere.
    pub none: Option<Nothing>,
}

/// In the memory of each replica.
#[derive(Clone, Debug, Model)]
pub struct InMemory {
    /// How many layers are remembered (`storage.cache.blobdescriptorsize`); 0 is no limit. Without it 10000. Needs
    /// Distribution 3.0: 2.8 has no limit.
    #[tf(check = not_negative)]
    pub size: Option<i64>,
}

/// Nowhere.
#[derive(Clone, Debug, Model)]
pub struct Nothing {}

impl Cache {
    /// `storage.cache`; without an attribute `cache` it is in memory.
    pub fn section(cache: Option<&Cache>) -> Section {
        let descriptor = |name: &str| Section::new().with("blobdescriptor", name);
        match cache {
            Some(Cache { redis: Some(_), .. }) => descriptor("redis"),
            Some(Cache { none: Some(_), .. }) => Section::new(),
            Some(Cache { in_memory: Some(memory), .. }) => {
                descriptor("inmemory").with("blobdescriptorsize", memory.size)
            }
            _ => descriptor("inmemory"),
        }
    }

    /// `redis`
    pub fn redis(&self, dialect: Dialect) -> Option<Section> {
        self.redis.as_ref().map(|redis| redis.section(dialect))
    }

    /// The certificates with which Redis is talked to.
    pub fn files(&self) -> Vec<File> {
        self.redis.iter().flat_map(Redis::files).collect()
    }
}

#[cfg(test)]
mod tests;
