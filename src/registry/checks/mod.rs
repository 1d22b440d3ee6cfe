//! What can be told from a deployment's configuration alone: whether it would lose images, stand open, or never start.
//!
//! Each rule is pure, bears a stable name, and says what to do instead. What is not known yet is given as `None`, and
//! the rules that need it stay silent; they are asked again when everything is known.

mod auth;
mod content;
mod environment;
mod given;
mod image;
mod mounts;
mod moves;
mod nodes;
mod object_store;
mod proxy;
mod publishing;
mod redis;
mod rules;
mod secrets;
mod sizing;
mod storage;
mod tls;
mod updates;

pub use auth::{nobody, silly};
pub use content::{cloudfront, headers, notification_headers, read_only};
pub use environment::{environment, templates};
pub use given::{Given, any_set};
pub use image::{dialect, image};
pub use mounts::{covers, mounts};
pub use moves::{Place, Upgrade, storage_moves, upgrade};
pub use nodes::{Node, managers, no_folder};
pub use object_store::{S3, is_inside, s3};
pub use proxy::{Cache, Store, cache, expires};
pub use publishing::{Access, Port, PublishMode, access, ports, url};
pub use redis::{Redis, redis};
pub use rules::{RULES, Rule, TOPICS, Weight};
pub use secrets::{http_secret, size, targets};
pub use sizing::{Sizing, global, lonely, sizing};
pub use storage::{Filesystem, Mount, StorageUse, spread_over, storage};
pub use tls::{LetsEncrypt, client_auth, lets_encrypt};
pub use updates::{FailureAction, Updates, updates};

/// How many tasks a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// One on every node that satisfies the constraints.
    Global,
    /// So many.
    Count(u64),
}

impl Replicas {
    /// Whether there may be more than one task. A global service counts as many.
    pub fn are_many(self) -> bool {
        !matches!(self, Self::Count(0 | 1))
    }

    fn in_words(self) -> String {
        match self {
            Self::Global => "The tasks of a global service".to_owned(),
            Self::Count(count) => format!("{count} replicas"),
        }
    }
}
