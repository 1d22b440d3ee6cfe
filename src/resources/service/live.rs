//! What the live swarm says of a service: nodes that do not fit, ports that are taken.

use super::{Eligible, Placement, Publish, Scale, Wanted};
use crate::{
    docker::{Node, Service},
    resources::failure::sentence,
    terraform::{Diagnostic, Diagnostics, Plan},
};

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

    /// P1, P2, P3, P8, P11: what the nodes and the other services say.
    pub fn against(&self, nodes: &[Node], services: &[Service]) -> Diagnostics {
        let mut found = vec![];
        let eligible = Eligible::among(nodes, &self.placement.parsed());
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
                        eligible.nodes.join(", "),
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
        found.extend(self.ports_taken(services));
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
