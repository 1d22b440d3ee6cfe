//! What the live swarm says of a service: nodes that do not fit, ports that are taken.

use super::{Eligible, Placement, Publish, Scale, Wanted};
use crate::{
    docker::{Node, Service},
    resources::failure::sentence,
    terraform::{Diagnostic, Diagnostics, Plan},
};
use std::collections::BTreeSet;

/// What of a service the live swarm is asked about.
pub struct Wish {
    name: String,
    scale: Scale,
    publish: Vec<Publish>,
    placement: Placement,
    start_first: bool,
}

impl Wish {
    /// What is planned, as soon as enough of it is known.
    pub fn planned(plan: &Plan) -> Option<Self> {
        let mode: String = plan.known("mode")?;
        Some(Wish {
            name: plan.known("name")?,
            scale: Scale::of(&mode, plan.known("replicas"), plan.known("job").as_ref()),
            publish: plan.known("publish")?,
            placement: plan.known("placement")?,
            start_first: plan.known::<String>("update.order").as_deref() == Some("start-first"),
        })
    }

    /// What is about to be written.
    pub fn of(wanted: &Wanted) -> Self {
        Wish {
            name: wanted.name.clone(),
            scale: wanted.scale.clone(),
            publish: wanted.parts.publish.clone(),
            placement: wanted.parts.placement.clone(),
            start_first: wanted.parts.update.as_ref().is_some_and(|update| update.order == "start-first"),
        }
    }

    /// P1, P2, P3, P8, P9, P11: what the nodes and the other services say.
    pub fn against(&self, nodes: &[Node], services: &[Service]) -> Diagnostics {
        let mut found = vec![];
        let eligible = Eligible::among(nodes, &self.placement);
        let count = i64::try_from(eligible.nodes.len()).unwrap_or(i64::MAX);
        let (replicas, global) = (self.scale.at_once(), self.scale.is_global());
        if eligible.nodes.is_empty() && (replicas > 0 || global) {
            found.push(
                Diagnostic::error(
                    format!("No node can run service `{}` (P8)", self.name),
                    format!("No node satisfies `placement.constraints`: {}.", eligible.reasons()),
                )
                .at("placement.constraints"),
            );
            return found;
        }
        let host = self.publish.iter().find(|port| port.mode == "host");
        if let Some(port) = host
            && replicas > count
        {
            found.push(
                Diagnostic::error(
                    "Too few nodes for a host-mode port (P1)",
                    format!(
                        "Port {} can be bound once on each node: {replicas} replicas need as many nodes, and {count} can run \
                         one ({}). {}",
                        port.port.unwrap_or(port.target),
                        eligible.names().join(", "),
                        sentence(&eligible.reasons())
                    ),
                )
                .at("publish"),
            );
        }
        if host.is_some() && self.start_first && (global || replicas == count) {
            found.push(
                Diagnostic::error(
                    "The update could never go on (P2)",
                    "Each node that can run the service has a task of it, which holds the host-mode port. With start-first \
                     the new task waits for ever for it: Swarm's updater has no timeout. Use stop-first.",
                )
                .at("update.order"),
            );
        }
        let most = self.placement.max_replicas_per_node;
        if most > 0 && replicas > most.saturating_mul(count) {
            found.push(
                Diagnostic::error(
                    "Too few nodes for so many replicas (P11)",
                    format!("{count} nodes with at most {most} each cannot run {replicas} replicas."),
                )
                .at("placement.max_replicas_per_node"),
            );
        }
        found.extend(self.uneven(&eligible));
        found.extend(self.ports_taken(services));
        found
    }

    /// P9: over which labels the tasks cannot be spread evenly. Swarm takes nodes without the label for a group of their own.
    fn uneven(&self, eligible: &Eligible<'_>) -> Diagnostics {
        let mut found = vec![];
        let replicas = self.scale.at_once();
        if self.scale.is_global() || replicas < 2 {
            return found;
        }
        for (index, descriptor) in self.placement.spread.iter().enumerate() {
            let value = |node: &&Node| match descriptor.strip_prefix("node.labels.") {
                Some(key) => node.spec.labels.get(key).cloned(),
                None => {
                    node.description.engine.labels.get(descriptor.strip_prefix("engine.labels.")?).cloned()
                }
            };
            let without =
                eligible.nodes.iter().filter(|node| value(node).is_none_or(|value| value.is_empty()));
            let without: Vec<&str> = without.map(|node| node.hostname()).collect();
            let values: BTreeSet<String> = eligible.nodes.iter().filter_map(value).collect();
            let zones = i64::try_from(values.len()).unwrap_or(i64::MAX);
            let detail = if !without.is_empty() {
                format!(
                    "{} without `{descriptor}` count as a group of their own, which gets as many tasks as each other one. Label \
                     them, or exclude them by `placement.constraints`.",
                    without.join(", ")
                )
            } else if zones == 1 {
                format!(
                    "All nodes have one value of `{descriptor}`, so that nothing is spread. Give them several."
                )
            } else if replicas < zones {
                format!(
                    "{replicas} replicas cannot be in all {zones} places that `{descriptor}` tells apart. Raise `replicas`, if \
                     that is meant."
                )
            } else {
                continue;
            };
            let summary = "The tasks cannot be spread evenly (P9)";
            found
                .push(Diagnostic::warning(summary, detail).at(format!("placement.spread[{index}]").as_str()));
        }
        found
    }

    /// Swarm refuses an ingress port that another service has, and a host-mode port that one has as an ingress port.
    fn ports_taken(&self, services: &[Service]) -> Diagnostics {
        let mut found = vec![];
        for service in services.iter().filter(|service| service.name() != self.name) {
            for theirs in Publish::read(&service.spec) {
                let clash = self.publish.iter().enumerate().find(|(_, ours)| {
                    ours.port.is_some()
                        && ours.port == theirs.port
                        && ours.protocol == theirs.protocol
                        && (ours.mode == "ingress" || theirs.mode == "ingress")
                });
                if let Some((index, ours)) = clash {
                    found.push(
                        Diagnostic::error(
                            "A port is taken (P3)",
                            format!(
                                "Port {}/{} is published by service `{}` already, in {} mode.",
                                ours.port.unwrap_or_default(),
                                ours.protocol,
                                service.name(),
                                theirs.mode
                            ),
                        )
                        .at(format!("publish[{index}].port").as_str()),
                    );
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, labels: &serde_json::Value) -> Node {
        serde_json::from_value(json!({
            "ID": name,
            "Spec": { "Labels": labels, "Role": "worker", "Availability": "active" },
            "Description": { "Hostname": name, "Platform": { "OS": "linux", "Architecture": "x86_64" } },
            "Status": { "State": "ready" },
        }))
        .unwrap()
    }

    /// Two workers, of which one may run a registry.
    fn nodes() -> [Node; 2] {
        [node("hubworker01", &json!({ "registry": "true" })), node("hubworker02", &json!({}))]
    }

    fn port(port: i64, mode: &str) -> Publish {
        Publish { port: Some(port), target: port, protocol: "tcp".to_owned(), mode: mode.to_owned() }
    }

    fn wish(replicas: i64) -> Wish {
        Wish {
            name: "hub".to_owned(),
            scale: Scale::of("replicated", Some(replicas), None),
            publish: vec![],
            placement: Placement::default(),
            start_first: false,
        }
    }

    fn said(wish: &Wish) -> String {
        let found = wish.against(&nodes(), &[]);
        found.iter().map(|found| format!("{} {}\n", found.summary, found.detail)).collect()
    }

    fn pinned() -> Placement {
        Placement { constraints: ["node.labels.registry==true".to_owned()].into(), ..Placement::default() }
    }

    #[test]
    fn p1_more_replicas_than_nodes_with_the_port() {
        let host = |replicas| Wish { publish: vec![port(443, "host")], ..wish(replicas) };
        assert_eq!(said(&host(2)), "");
        let words = said(&host(3));
        assert!(
            words.contains("(P1)") && words.contains("Port 443") && words.contains("hubworker02"),
            "{words}"
        );
        let one = Wish { placement: pinned(), ..host(2) };
        assert!(said(&one).contains("(P1)"));
    }

    #[test]
    fn p2_no_spare_node_for_start_first() {
        let first = |replicas| Wish { publish: vec![port(443, "host")], start_first: true, ..wish(replicas) };
        assert!(said(&first(2)).contains("(P2)"));
        assert_eq!(said(&first(1)), "");
    }

    #[test]
    fn p3_a_port_that_another_service_has() {
        let other: Service = serde_json::from_value(json!({
            "ID": "s1",
            "Spec": { "Name": "web", "EndpointSpec": { "Ports": [
                { "PublishedPort": 443, "TargetPort": 443, "Protocol": "tcp", "PublishMode": "ingress" },
            ] } },
        }))
        .unwrap();
        let against = |publish: Publish, name: &str| {
            let wish = Wish { publish: vec![publish], name: name.to_owned(), ..wish(1) };
            wish.against(&nodes(), std::slice::from_ref(&other))
                .iter()
                .map(|found| found.detail.clone())
                .collect()
        };
        let taken: Vec<String> = against(port(443, "host"), "hub");
        assert!(taken[0].contains("`web`"), "{taken:?}");
        assert_eq!(against(port(443, "ingress"), "hub").len(), 1);
        assert_eq!(against(port(444, "ingress"), "hub"), [""; 0]);
        assert_eq!(against(port(443, "ingress"), "web"), [""; 0], "it is its own");
    }

    #[test]
    fn p8_no_node_at_all() {
        let nowhere = |constraint: &str| Wish {
            placement: Placement { constraints: [constraint.to_owned()].into(), ..Placement::default() },
            ..wish(1)
        };
        let words = said(&nowhere("node.labels.registry==false"));
        assert!(words.contains("(P8)") && words.contains("hubworker01 does not satisfy"), "{words}");
        assert_eq!(said(&nowhere("node.labels.registry==true")), "");
        let on = |architecture: &str| {
            let platform = super::super::placement::Platform {
                os: "linux".to_owned(),
                architecture: Some(architecture.to_owned()),
            };
            said(&Wish {
                placement: Placement { platforms: Some(vec![platform]), ..Placement::default() },
                ..wish(1)
            })
        };
        assert!(on("arm64").contains("has none of placement.platforms"));
        assert_eq!(on("amd64"), "");
    }

    #[test]
    fn p9_labels_that_spread_nothing() {
        let over = |nodes: &[Node], replicas| {
            let placement = Placement { spread: vec!["node.labels.zone".to_owned()], ..Placement::default() };
            let found = Wish { placement, ..wish(replicas) }.against(nodes, &[]);
            found.iter().map(|found| found.detail.clone()).collect::<String>()
        };
        let zone = |name: &str, zone: &str| node(name, &json!({ "zone": zone }));
        let good = [zone("a", "east"), zone("b", "west")];
        assert_eq!(over(&good, 2), "");
        assert!(over(&[zone("a", "east"), node("b", &json!({}))], 2).starts_with("b without"));
        assert!(over(&[zone("a", "east"), zone("b", "east")], 2).contains("one value"));
        assert!(over(&[zone("a", "x"), zone("b", "y"), zone("c", "z")], 2).contains("all 3 places"));
    }

    #[test]
    fn p11_more_replicas_than_the_nodes_may_have() {
        let most = |replicas| Wish {
            placement: Placement { max_replicas_per_node: 1, ..Placement::default() },
            ..wish(replicas)
        };
        assert!(said(&most(3)).contains("(P11)"));
        assert_eq!(said(&most(2)), "");
    }
}
