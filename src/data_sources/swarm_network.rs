//! `swarm_network`: a network that there is, such as `ingress` or that of a stack.

use super::{asked, id_or_name};
use crate::docker::Docker;
use crate::resources::{Doing, Ipam};
use crate::terraform::{Computed, Config, Context, Diagnostics, Model, Result, Source};
use std::collections::BTreeMap;

/// A network, found by its ID or its name; of two with the name, the one of the swarm.
#[derive(Debug, Model)]
pub struct SwarmNetworkData {
    /// ID of the network. Exactly one of `id` and `name` is set.
    #[tf(computed)]
    id: Option<String>,

    /// Name of the network.
    #[tf(computed)]
    name: Option<String>,

    /// `swarm`, `local` or `global`.
    scope: Computed<String>,

    /// Driver of the network.
    driver: Computed<String>,

    /// Options of the driver, with those that the driver has added.
    options: Computed<BTreeMap<String, String>>,

    /// Whether containers that belong to no service may join it.
    attachable: Computed<bool>,

    /// Whether it has no way out.
    internal: Computed<bool>,

    /// Whether it is the network of ports that are published by the routing mesh.
    ingress: Computed<bool>,

    /// Whether it has IPv6 addresses.
    ipv6: Computed<bool>,

    /// Where its addresses come from.
    ipam: Computed<Ipam>,

    /// Whether it is only the settings for other networks.
    config_only: Computed<bool>,

    /// Labels of the network.
    labels: Computed<BTreeMap<String, String>>,

    /// When it was created, in RFC 3339.
    created_at: Computed<String>,
}

impl Source for SwarmNetworkData {
    const TYPE: &'static str = "swarm_network";
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        id_or_name(config)
    }

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let asked = asked(self.id.as_ref(), self.name.as_ref())?;
        let found = context.client.find_network(&asked).await.doing(|| format!("read network `{asked}`"))?;
        self.ipam = Ipam::of(&found).into();
        self.scope = found.scope.into();
        self.driver = found.driver.into();
        self.options = found.options.into();
        self.attachable = found.attachable.into();
        self.internal = found.internal.into();
        self.ingress = found.ingress.into();
        self.ipv6 = found.ipv6.into();
        self.config_only = found.config_only.into();
        self.labels = found.labels.into();
        self.created_at = found.created.into();
        (self.id, self.name) = (Some(found.id), Some(found.name));
        Ok(())
    }
}
