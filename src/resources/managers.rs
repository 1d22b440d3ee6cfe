//! Which Engine to ask about a swarm: the host of a resource, the provider's Engine, or any other manager that is known.

use crate::docker::{Docker, Error, Info};
use futures_util::future::join_all;

/// What the Engines that the provider knows say about a swarm.
pub struct Managers {
    /// Those that manage it now, with what they say, the most fitting first.
    pub found: Vec<(Docker, Info)>,
    /// Why one that might manage it could not be asked.
    pub unsure: Option<Error>,
}

impl Managers {
    /// Asks `first`, the provider's Engines, and those that other resources named.
    pub async fn of(cluster: &str, first: Option<&Docker>, provider: &Docker) -> Self {
        let mut engines: Vec<Docker> = first.cloned().into_iter().collect();
        for engine in provider.each_host().into_iter().chain(provider.others()) {
            if !engines.iter().any(|known| known.host() == engine.host()) {
                engines.push(engine);
            }
        }
        let mut managers = Managers { found: vec![], unsure: None };
        let answers = join_all(engines.iter().map(Docker::info)).await;
        for (engine, answer) in engines.into_iter().zip(answers) {
            match answer {
                Ok(info) if info.swarm.is_manager() && info.swarm.cluster_id() == Some(cluster) => {
                    managers.found.push((engine, info));
                }
                Ok(_) => {}
                Err(error) => managers.unsure = managers.unsure.or(Some(error)),
            }
        }
        managers
    }

    /// One that is not the node itself.
    pub fn other_than(&self, node: &str) -> Option<&Docker> {
        self.found.iter().find(|(_, info)| info.swarm.node_id != node).map(|(engine, _)| engine)
    }
}
