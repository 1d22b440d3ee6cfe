//! `swarm_join_token`: what a host needs to join by other means than `swarm_node`.

use super::swarm;
use crate::docker::{Docker, manager_addresses};
use crate::resources::Doing;
use crate::terraform::{Computed, Context, Model, Result, Sensitive, Source};

/// The token with which a host joins the swarm, and where: for a machine that joins by itself, such as one that is told to
/// by its cloud-init. It is in neither plan nor state. Needs Terraform 1.10.
#[derive(Debug, Model)]
pub struct SwarmJoinToken {
    /// ID of the swarm, such as `swarm_cluster.it.id`. While that is not known yet, Terraform waits with asking; `depends_on`
    /// alone does not make it wait.
    cluster: Option<String>,

    /// What the host becomes: `worker` or `manager`.
    #[tf(default = "worker", check = role)]
    role: String,

    /// The token.
    token: Computed<Sensitive<String>>,

    /// Addresses of the managers that can be reached, such as `["10.0.0.1:2377"]`.
    manager_addresses: Computed<Vec<String>>,
}

impl Source for SwarmJoinToken {
    const TYPE: &'static str = "swarm_join_token";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let what = || format!("get the token with which a {} joins", self.role);
        let tokens = swarm(&context.client, self.cluster.as_ref(), what).await?.join_tokens;
        let nodes = context.client.nodes_now().await.doing(what)?;
        let token = if self.role == "manager" { tokens.manager } else { tokens.worker };
        self.token = Sensitive::from(token.expose().to_owned()).into();
        self.manager_addresses = manager_addresses(&nodes).into();
        Ok(())
    }
}

fn role(word: &str) -> Result<(), String> {
    match word {
        "worker" | "manager" => Ok(()),
        _ => Err("allowed are `worker`, `manager`".to_owned()),
    }
}
