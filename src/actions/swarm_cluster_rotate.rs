//! `swarm_cluster_rotate`: new tokens, a new unlock key, a new certificate authority.

use super::told_once;
use crate::docker::{Docker, Rotate};
use crate::resources::{Doing, failure::ready};
use crate::terraform::{Action, Config, Diagnostic, Diagnostics, Duration, Invocation, Model, Result};

/// Makes tokens, the unlock key or the certificate authority of the swarm anew, as when one of them has become known.
///
/// Nodes that are in the swarm stay in it; who joins later needs the new token. Tokens and keys are shown nowhere: the
/// ephemeral resources `swarm_join_token` and `swarm_unlock_key` have them. `swarm_cluster` rotates by its own attributes as
/// well, where another text is to be the reason; its plan stays empty after this action.
#[derive(Debug, Model)]
pub struct SwarmClusterRotate {
    /// Whether the token is made anew with which workers join.
    #[tf(default = false)]
    worker_token: bool,

    /// Whether the token is made anew with which managers join.
    #[tf(default = false)]
    manager_token: bool,

    /// Whether the key is made anew that unlocks managers. The swarm must have one (`autolock` of `swarm_cluster`). Put the
    /// new key into a safe place at once.
    #[tf(default = false)]
    unlock_key: bool,

    /// Whether the swarm makes a new certificate authority for itself, which all nodes then get certificates of. It waits for
    /// all of them, for nodes that are down, too. Both tokens become new with it. Where `swarm_cluster` sets
    /// `ca.signing_ca_cert`, use its `rotate_ca` instead.
    #[tf(default = false)]
    ca: bool,

    /// How long it waits for the nodes to get certificates of a new authority, such as `"5m"`. They go on afterwards.
    #[tf(default = Duration::minutes(5))]
    timeout: Duration,
}

impl Action for SwarmClusterRotate {
    const TYPE: &'static str = "swarm_cluster_rotate";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        let names = ["worker_token", "manager_token", "unlock_key", "ca"];
        // What is not known yet may turn out to be true.
        if names.iter().any(|name| !config.is_known(name) || config.known(name) == Some(true)) {
            return vec![];
        }
        vec![Diagnostic::error(
            "Nothing is to be made anew",
            "Set at least one of `worker_token`, `manager_token`, `unlock_key` and `ca` to `true`.",
        )]
    }

    async fn invoke(self, invocation: &mut Invocation<Docker>) -> Result<()> {
        let docker = &invocation.client;
        let what = || "make anew what the swarm keeps secret".to_owned();
        ready(docker, what).await?;
        let cluster = docker.inspect_cluster().await.doing(what)?;
        if self.unlock_key {
            let encryption = cluster.spec.encryption_config.unwrap_or_default();
            if !encryption.auto_lock_managers.unwrap_or_default() {
                return Err(Diagnostic::error(
                    "There is no unlock key to make anew",
                    "The managers of the swarm are not locked. Set `autolock = true` in `swarm_cluster` for that.",
                )
                .at("unlock_key"));
            }
        }
        if self.ca && cluster.root_rotation_in_progress {
            invocation.progress.report("another new certificate authority is still being taken over");
        }
        let rotate = Rotate {
            worker_token: self.worker_token,
            manager_token: self.manager_token,
            unlock_key: self.unlock_key,
        };
        let begin = |_: &_, spec: &mut crate::docker::ClusterSpec| {
            if self.ca {
                let ca = spec.ca_config.get_or_insert_default();
                // Any other number rotates.
                ca.force_rotate = Some(ca.force_rotate.unwrap_or_default().wrapping_add(1));
            }
        };
        docker.update_cluster(rotate, begin).await.doing(what)?;
        for (done, name) in [
            (self.worker_token, "the token of workers"),
            (self.manager_token, "the token of managers"),
            (self.unlock_key, "the unlock key"),
        ] {
            if done {
                invocation.progress.report(format!("{name} is new"));
            }
        }
        if !self.ca {
            return Ok(());
        }
        let mut tell = told_once(&invocation.progress);
        let rotation = docker.watch_root_rotation(self.timeout.to_std(), |rotation| {
            tell(format!(
                "{} of {} nodes have a certificate of the new authority, and {} trust it alone",
                rotation.certified, rotation.nodes, rotation.trusting
            ));
        });
        rotation.await.doing(|| "see every node get a certificate of the new authority".to_owned())
    }
}
