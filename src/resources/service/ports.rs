//! Published ports: `EndpointSpec.Ports` of the Engine API.

use crate::docker::{PortConfig, ServiceSpec};
use crate::terraform::Model;

/// A port that the service publishes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Model)]
pub struct Publish {
    /// Port on the nodes. Without it the Engine chooses one from 30000 on, in `ingress` mode.
    #[tf(check = port)]
    pub port: Option<i64>,

    /// Port in the container. By default the same as `port`, or in a registry the port on which it listens.
    #[tf(derived, check = port)]
    pub target: i64,

    /// `tcp`, `udp` or `sctp`.
    #[tf(default = "tcp", check = protocol)]
    pub protocol: String,

    /// `ingress`: every node listens and passes connections to a task on any node. `host`: only the nodes that run
    /// a task listen; clients' addresses stay visible, and a node can run one task.
    #[tf(default = "ingress", check = mode)]
    pub mode: String,
}

fn port(port: &i64) -> Result<(), String> {
    if (1..=65535).contains(port) { Ok(()) } else { Err("a port is a number from 1 to 65535".to_owned()) }
}

fn protocol(protocol: &str) -> Result<(), String> {
    one_of(protocol, &["tcp", "udp", "sctp"])
}

fn mode(mode: &str) -> Result<(), String> {
    one_of(mode, &["ingress", "host"])
}

/// Refuses what is none of the allowed words.
pub fn one_of(word: &str, allowed: &[&str]) -> Result<(), String> {
    if allowed.contains(&word) {
        return Ok(());
    }
    let allowed: Vec<String> = allowed.iter().map(|word| format!("`{word}`")).collect();
    Err(format!("allowed are {}", allowed.join(", ")))
}

impl Publish {
    /// The published ports of a specification.
    pub fn read(spec: &ServiceSpec) -> Vec<Self> {
        let ports = spec.endpoint_spec.iter().flat_map(|endpoint| endpoint.ports.iter().flatten());
        let mut ports: Vec<Self> = ports.map(Self::of).collect();
        ports.sort();
        ports
    }

    /// Publishes these ports and no others. What is published already stays as it is.
    pub fn write(wanted: &[Self], spec: &mut ServiceSpec) {
        let mut wanted = wanted.to_vec();
        wanted.sort();
        if Self::read(spec) == wanted {
            return;
        }
        let endpoint = spec.endpoint_spec.get_or_insert_default();
        let before = endpoint.ports.take().unwrap_or_default();
        let kept = |port: &Self| before.iter().find(|before| Self::of(before) == *port).cloned();
        endpoint.ports =
            Some(wanted.iter().map(|port| kept(port).unwrap_or_else(|| port.config())).collect());
    }

    fn of(port: &PortConfig) -> Self {
        let word = |word: &Option<String>, otherwise: &str| {
            word.clone().filter(|word| !word.is_empty()).unwrap_or_else(|| otherwise.to_owned())
        };
        Publish {
            port: port.published_port.filter(|port| *port != 0).map(i64::from),
            target: port.target_port.unwrap_or_default().into(),
            protocol: word(&port.protocol, "tcp"),
            mode: word(&port.publish_mode, "ingress"),
        }
    }

    fn config(&self) -> PortConfig {
        PortConfig {
            protocol: Some(self.protocol.clone()),
            target_port: u32::try_from(self.target).ok(),
            published_port: self.port.and_then(|port| u32::try_from(port).ok()),
            publish_mode: Some(self.mode.clone()),
            ..PortConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*, sample::select};

    fn publish() -> impl Strategy<Value = Publish> {
        let words = (select(vec!["tcp", "udp", "sctp"]), select(vec!["ingress", "host"]));
        (option::of(1..=65535_i64), 1..=65535_i64, words).prop_map(|(port, target, (protocol, mode))| {
            Publish { port, target, protocol: protocol.to_owned(), mode: mode.to_owned() }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in vec(publish(), 0..4), wanted in vec(publish(), 0..4)) {
            let mut spec = ServiceSpec::default();
            Publish::write(&before, &mut spec);
            Publish::write(&wanted, &mut spec);
            let mut sorted = wanted.clone();
            sorted.sort();
            prop_assert_eq!(Publish::read(&spec), sorted);
            let once = spec.clone();
            Publish::write(&wanted, &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
