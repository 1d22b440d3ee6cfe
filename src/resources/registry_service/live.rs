//! What the live swarm says of a registry: nodes that do not fit, ports that are taken, an Engine that is too old.

use super::RegistryService;
use crate::{
    docker::{ApiVersion, Docker, Error, Node, Service},
    resources::{
        failure::{failure, sentence},
        service::{Eligible, Healthcheck, Mount, Placement, Publish},
    },
    terraform::{Diagnostic, Diagnostics, Plan},
};

/// What of the wish the live swarm is asked about.
pub(super) struct Wish {
    name: String,
    global: bool,
    replicas: Option<i64>,
    publish: Vec<Publish>,
    placement: Placement,
    healthcheck: Option<Healthcheck>,
    mounts: Vec<Mount>,
    start_first: bool,
}

impl Wish {
    pub fn planned(plan: &Plan) -> Option<Self> {
        Some(Wish {
            name: plan.known("name")?,
            global: plan.known::<String>("mode")? == "global",
            replicas: plan.known("replicas"),
            publish: plan.known("publish")?,
            placement: plan.known("placement")?,
            healthcheck: plan.known("healthcheck"),
            mounts: plan.known("mounts").unwrap_or_default(),
            start_first: plan.known::<String>("update.order")? == "start-first",
        })
    }

    pub fn of(service: &RegistryService) -> Self {
        Wish {
            name: service.name.clone(),
            global: service.mode == "global",
            replicas: service.replicas,
            publish: service.publish.clone(),
            placement: service.placement.clone(),
            healthcheck: service.healthcheck.clone(),
            mounts: service.mounts.clone(),
            start_first: service.update.order == "start-first",
        }
    }

    /// What the Engine is too old for: it would drop it without a word.
    pub async fn too_old(&self, docker: &Docker) -> Diagnostics {
        let mut needs = vec![];
        if self.healthcheck.as_ref().is_some_and(|check| check.start_interval.is_some()) {
            needs.push(("healthcheck.start_interval".to_owned(), ApiVersion(1, 44)));
        }
        for (index, mount) in self.mounts.iter().enumerate() {
            if mount.volume.as_ref().is_some_and(|volume| volume.subpath.is_some()) {
                needs.push((format!("mounts[{index}].volume.subpath"), ApiVersion(1, 45)));
            }
        }
        let mut found = vec![];
        for (path, version) in needs {
            if let Err(error @ Error::TooOld { .. }) =
                docker.require_version(&format!("`{path}`"), version).await
            {
                found.push(failure(&format!("use `{path}`"), &error).at(path.as_str()));
            }
        }
        found
    }

    /// P1, P2, P3, P8, P11: what the nodes and the other services say.
    pub fn against(&self, nodes: &[Node], services: &[Service]) -> Diagnostics {
        let mut found = vec![];
        let eligible = Eligible::among(nodes, &self.placement.parsed());
        let count = i64::try_from(eligible.nodes.len()).unwrap_or(i64::MAX);
        let replicas = if self.global { 0 } else { self.replicas.unwrap_or(1) };
        if eligible.nodes.is_empty() && (replicas > 0 || self.global) {
            found.push(
                Diagnostic::error(
                    "No node can run the registry (P8)",
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
        if host.is_some() && self.start_first && (self.global || replicas == count) {
            found.push(
                Diagnostic::error(
                    "The update could never go on (P2)",
                    "Each node that can run the registry has a task of it, which holds the host-mode port. With start-first \
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
