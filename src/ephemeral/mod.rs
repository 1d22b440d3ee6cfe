//! One file per ephemeral resource type: what is asked for in each run, and kept nowhere.

mod swarm_join_token;
mod swarm_unlock_key;

pub use swarm_join_token::SwarmJoinToken;
pub use swarm_unlock_key::SwarmUnlockKey;

use crate::docker::{Cluster, Docker};
use crate::resources::Doing;
use crate::terraform::{Diagnostic, Result};

/// The swarm that the provider's Engine manages, if it is the one that is meant.
async fn swarm(docker: &Docker, wanted: Option<&String>, what: impl Fn() -> String) -> Result<Cluster> {
    docker.require_manager().await.doing(&what)?;
    let found = docker.inspect_cluster().await.doing(&what)?;
    match wanted {
        Some(wanted) if *wanted != found.id => Err(Diagnostic::error(
            format!("Cannot {}", what()),
            format!(
                "The provider's Engine at {} manages swarm {}, and swarm {wanted} is meant.",
                docker.host(),
                found.id
            ),
        )
        .at("cluster")),
        _ => Ok(found),
    }
}
