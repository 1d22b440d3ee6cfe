//! `swarm_unlock_key`: what a manager needs that was restarted.

use super::swarm;
use crate::docker::Docker;
use crate::resources::Doing;
use crate::terraform::{Computed, Context, Diagnostic, Model, Result, Sensitive, Source};

/// The key that unlocks a manager that was restarted, in a swarm with `autolock`: to be put into a safe place, for without it a
/// swarm whose managers have all been restarted is lost. It is in neither plan nor state. Needs Terraform 1.10.
#[derive(Debug, Model)]
pub struct SwarmUnlockKey {
    /// ID of the swarm, such as `swarm_cluster.it.id`. While that is not known yet, Terraform waits with asking; `depends_on`
    /// alone does not make it wait.
    cluster: Option<String>,

    /// The key.
    unlock_key: Computed<Sensitive<String>>,
}

impl Source for SwarmUnlockKey {
    const TYPE: &'static str = "swarm_unlock_key";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let what = || "get the unlock key".to_owned();
        swarm(&context.client, self.cluster.as_ref(), what).await?;
        let key = context.client.unlock_key().await.doing(what)?;
        if key.is_empty() {
            return Err(Diagnostic::error(
                "Cannot get the unlock key",
                "The swarm has none, since its managers are not locked. Set `autolock = true` in `swarm_cluster`, apply that, and \
                 ask for the key then.",
            ));
        }
        self.unlock_key = Sensitive::from(key.expose().to_owned()).into();
        Ok(())
    }
}
