//! Where the addresses of a network come from: `IPAM` of the Engine API.

use super::{
    subnet::{self, Subnet},
    without,
};
use crate::docker;
use crate::resources::blob::Labels;
use crate::terraform::{Diagnostic, Diagnostics, Model, Path, Value};

/// Where the addresses of a network come from.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Ipam {
    /// Driver that gives out the addresses.
    #[tf(replace, default = "default")]
    driver: String,

    /// Options of that driver.
    #[tf(replace, computed)]
    options: Option<Labels>,

    /// The subnets, in the order of the Engine. Without them Docker chooses one of the swarm's default address pool.
    #[tf(replace, computed)]
    config: Option<Vec<IpamConfig>>,
}

/// A subnet of a network.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct IpamConfig {
    /// The subnet in CIDR form, such as `10.1.0.0/24`.
    #[tf(check = subnet::subnet)]
    subnet: String,

    /// The part of the subnet of which addresses are given out, in CIDR form.
    #[tf(computed, check = subnet::subnet)]
    ip_range: Option<String>,

    /// Address of the gateway. By default it is the first of the subnet.
    #[tf(computed, check = subnet::address)]
    gateway: Option<String>,

    /// Addresses that are not given out, by name. Docker forgets them in a network of the swarm, so they need
    /// `config_only`.
    #[tf(computed)]
    aux_addresses: Option<Labels>,
}

/// What Engines before 23.0 add to the options where there are some.
const SERIAL: &str = "com.docker.network.ipam.serial";

impl Ipam {
    /// The same, without what the Engine has added to the options that were asked for.
    pub(super) fn found(network: &docker::Network, wanted: Option<&Self>) -> Self {
        let mut found = Self::of(network);
        let wanted = wanted.and_then(|ipam| ipam.options.as_ref());
        found.options = found.options.map(|options| without(SERIAL, &options, wanted));
        found
    }

    /// Where the addresses of a network come from.
    pub fn of(network: &docker::Network) -> Self {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let ipam = &network.ipam;
        let config = ipam.config.iter().flatten().map(|found| IpamConfig {
            subnet: found.subnet.clone().unwrap_or_default(),
            ip_range: text(&found.ip_range),
            gateway: text(&found.gateway),
            aux_addresses: found.auxiliary_addresses.clone().filter(|addresses| !addresses.is_empty()),
        });
        Ipam {
            driver: text(&ipam.driver).unwrap_or_else(|| "default".to_owned()),
            options: Some(ipam.options.clone().unwrap_or_default()),
            config: Some(config.collect()),
        }
    }

    pub(super) fn spec(&self) -> docker::Ipam {
        let config = |wanted: &IpamConfig| docker::IpamConfig {
            subnet: Some(wanted.subnet.clone()),
            ip_range: wanted.ip_range.clone(),
            gateway: wanted.gateway.clone(),
            auxiliary_addresses: wanted.aux_addresses.clone(),
            ..docker::IpamConfig::default()
        };
        docker::Ipam {
            driver: Some(self.driver.clone()),
            options: self.options.clone(),
            config: Some(self.config.iter().flatten().map(config).collect()),
            ..docker::Ipam::default()
        }
    }
}

/// What is wrong with a subnet beyond its spelling.
pub(super) fn check_subnet(config: &Value, index: usize, of_the_swarm: bool) -> Diagnostics {
    let text = |name: &str| config.get(name).as_str();
    let Some(subnet) = text("subnet").and_then(Subnet::parse) else { return vec![] };
    let at = |name: &str| Path::of(&format!("ipam.config[{index}].{name}"));
    let mut found = vec![];
    if let Some(range) = text("ip_range").and_then(Subnet::parse)
        && !subnet.covers(range)
    {
        let why = "The addresses that are given out must be of the subnet.";
        found.push(Diagnostic::error("The range is not in the subnet", why).at(at("ip_range")));
    }
    if let Some(gateway) = text("gateway").and_then(|text| text.parse().ok())
        && !subnet.contains(gateway)
    {
        let why = "The gateway must have an address of the subnet.";
        found.push(Diagnostic::error("The gateway is not in the subnet", why).at(at("gateway")));
    }
    if of_the_swarm && matches!(config.get("aux_addresses"), Value::Map(_)) {
        let why = "Docker forgets them in a network of the swarm, and would give them out. Set `ip_range`, so that only \
                   addresses of that part of the subnet are given out.";
        found.push(Diagnostic::error("Auxiliary addresses have no effect", why).at(at("aux_addresses")));
    }
    found
}
