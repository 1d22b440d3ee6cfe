//! One file per ephemeral resource type: what is asked for in each run, and kept nowhere.

mod swarm_join_token;
mod swarm_unlock_key;

pub use swarm_join_token::SwarmJoinToken;
pub use swarm_unlock_key::SwarmUnlockKey;
