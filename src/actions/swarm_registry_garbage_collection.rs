//! `swarm_registry_garbage_collection` as an action: the same as the resource, and one can watch.

use crate::docker::{Docker, Found};
use crate::resources::{COLLECTION_LIMIT, Collection, Run, validate_collection};
use crate::terraform::{Action, Config, Diagnostic, Diagnostics, Duration, Invocation, Model, Result};

/// Collects the garbage of a registry on the swarm: blobs that no manifest refers to any more, as after images were deleted or
/// tags were pushed anew. It shows how far it is.
///
/// While it runs the registry is read-only: pulls go on, pushes are answered with 405 and can be made again afterwards. The
/// service's tasks are replaced twice for that, as its `update` says, and its specification is in the end what it was. What
/// happens when something goes wrong, and in which order all of it is done, is told in the guide on garbage collection.
///
/// Terraform before 1.14 has no actions: there is a resource of the same name.
#[derive(Debug, Model)]
pub struct CollectGarbage {
    /// What is collected, and how.
    #[tf(flatten)]
    collection: Collection,

    /// How long it may take, the two rollouts of the service included.
    #[tf(default = COLLECTION_LIMIT)]
    timeout: Duration,
}

impl Action for CollectGarbage {
    const TYPE: &'static str = "swarm_registry_garbage_collection";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        validate_collection(config)
    }

    async fn check(config: &Config, docker: &Docker) -> Diagnostics {
        let Some(service) = config.known::<String>("service") else { return vec![] };
        // What cannot be asked now, or is made in the same apply, may be there when it is invoked.
        match docker.find_service(&service).await.found() {
            Ok(None) => {
                let detail = "Neither an ID nor a name of a service of the swarm is that now.";
                vec![Diagnostic::warning(format!("There is no service `{service}`"), detail).at("service")]
            }
            _ => vec![],
        }
    }

    async fn invoke(self, invocation: &mut Invocation<Docker>) -> Result<()> {
        let progress = invocation.progress.clone();
        let run = Run::new(&self.collection, self.timeout.to_std(), &invocation.client, progress);
        run.collect().await.map(drop)
    }
}
