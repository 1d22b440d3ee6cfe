//! `swarm_cluster`: the swarm that the provider's Engine manages.

use crate::docker::{Docker, manager_addresses};
use crate::resources::Doing;
use crate::terraform::{Computed, Context, Duration, Model, Result, Source};
use std::collections::BTreeMap;

/// The swarm that the provider's Engine manages. Its tokens are not among what is told: the ephemeral resource
/// `swarm_join_token` has them.
#[derive(Debug, Model)]
pub struct SwarmClusterData {
    /// ID of the swarm.
    id: Computed<String>,

    /// When the swarm was made, in RFC 3339.
    created_at: Computed<String>,

    /// Labels of the swarm.
    labels: Computed<BTreeMap<String, String>>,

    /// Root certificate of the swarm as PEM text. It is public.
    root_ca_certificate: Computed<String>,

    /// Whether the nodes are getting certificates of a new authority.
    root_rotation_in_progress: Computed<bool>,

    /// How long the certificate of a node is valid.
    node_cert_expiry: Computed<Duration>,

    /// Time between two heartbeats of a node.
    heartbeat_period: Computed<Duration>,

    /// Ended tasks that are kept for each slot of a service.
    task_history_retention_limit: Computed<i64>,

    /// Whether a manager that was restarted needs the unlock key before it manages again.
    autolock: Computed<bool>,

    /// Pools of addresses from which overlay networks get theirs.
    default_addr_pool: Computed<Vec<String>>,

    /// Length of the network prefix of each overlay network.
    subnet_size: Computed<i64>,

    /// UDP port for the traffic between tasks.
    data_path_port: Computed<i64>,

    /// Addresses of the managers that can be reached, at which hosts join.
    manager_addresses: Computed<Vec<String>>,
}

impl Source for SwarmClusterData {
    const TYPE: &'static str = "swarm_cluster";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let what = || "read the swarm".to_owned();
        context.client.require_manager().await.doing(what)?;
        let found = context.client.inspect_cluster().await.doing(what)?;
        let nodes = context.client.nodes().await.doing(what)?;
        let mut spec = found.spec;
        let orchestration = spec.orchestration.take().unwrap_or_default();
        let period = spec.dispatcher.take().unwrap_or_default().heartbeat_period.unwrap_or_default();
        let expiry = spec.ca_config.take().unwrap_or_default().node_cert_expiry.unwrap_or_default();
        let encryption = spec.encryption_config.take().unwrap_or_default();
        self.labels = spec.labels.unwrap_or_default().into();
        self.task_history_retention_limit =
            orchestration.task_history_retention_limit.unwrap_or_default().into();
        self.heartbeat_period = Duration::from_nanos(period).into();
        self.node_cert_expiry = Duration::from_nanos(expiry).into();
        self.autolock = encryption.auto_lock_managers.unwrap_or_default().into();
        self.root_ca_certificate = found.tls_info.trust_root.into();
        self.root_rotation_in_progress = found.root_rotation_in_progress.into();
        self.default_addr_pool = found.default_addr_pool.into();
        self.subnet_size = found.subnet_size.into();
        self.data_path_port = found.data_path_port.into();
        self.manager_addresses = manager_addresses(&nodes).into();
        self.created_at = found.created_at.into();
        self.id = found.id.into();
        Ok(())
    }
}
