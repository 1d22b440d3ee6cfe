//! One file per action type: what is done once, and leaves nothing to manage. Needs Terraform 1.14.

mod swarm_cluster_rotate;
mod swarm_registry_garbage_collection;
mod swarm_service_redeploy;

pub use swarm_cluster_rotate::SwarmClusterRotate;
pub use swarm_registry_garbage_collection::CollectGarbage;
pub use swarm_service_redeploy::SwarmServiceRedeploy;

use crate::terraform::Progress;

/// Reports what is new: looks that find the same are not told again.
fn told_once(progress: &Progress) -> impl FnMut(String) + Send + use<> {
    let (progress, mut last) = (progress.clone(), String::new());
    move |message| {
        if message != last {
            progress.report(message.clone());
            last = message;
        }
    }
}
