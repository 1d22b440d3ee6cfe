//! How many tasks there are, where they run, how they are replaced, and which image they are of.

use super::{look::Look, storage};
use crate::{
    registry::{
        Finding,
        checks::{self, FailureAction, Sizing, Store, Updates},
        configuration::DEBUG_PORT,
        derive,
    },
    resources::service::list,
    terraform::{Config, Duration, Value},
};

/// P12, P17, P20, P21 and P24, which need no configuration file.
pub(super) fn always(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    let mut findings = vec![];
    if look.text("mode") == Some("global") {
        let numbers = ["replicas", "placement.max_replicas_per_node"];
        let is_set = |path: &&str| config.is_set(path) && look.number(path) != Some(0);
        findings.extend(checks::global(&numbers.into_iter().filter(is_set).collect::<Vec<_>>()));
    }
    let has_spread = !list(config.get("placement.spread")).is_empty();
    let has_max = look.number("placement.max_replicas_per_node").is_some_and(|most| most > 0);
    findings.extend(checks::lonely(look.replicas(), has_spread, has_max));
    if let Some(image) = look.image() {
        findings.extend(checks::image(&image, look.text("url")));
    }
    findings
}

/// P2 and P13 to P16.
pub(super) fn rendered(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    let mut findings = checks::updates(&updates(look, &derive::health_check(DEBUG_PORT)));
    findings.extend(checks::sizing(&Sizing {
        memory_limit: look.bytes("resources.limits.memory"),
        memory_reservation: look.bytes("resources.reservations.memory"),
        cpu_limit: look.nano("resources.limits.cpus"),
        cpu_reservation: look.nano("resources.reservations.cpus"),
        chunk_size: look.bytes("storage.s3.chunk_size"),
        has_object_store: storage::store(look) == Some(Store::OfAll) && !config.is_set("storage.filesystem"),
    }));
    findings
}

/// The order of updates, as far as the user has set it.
pub(super) fn order(look: Look<'_>) -> Option<derive::Order> {
    match look.text("update.order") {
        Some("start-first") => Some(derive::Order::StartFirst),
        Some("stop-first") => Some(derive::Order::StopFirst),
        _ => None,
    }
}

fn updates<'c>(look: Look<'c>, own_check: &'c derive::HealthCheck) -> Updates<'c> {
    let config = look.0;
    let time = |path: &str| config.known::<Duration>(path).map(|time| time.to_std());
    let whole = |path: &str| look.number(path).and_then(|number| u64::try_from(number).ok());
    Updates {
        replicas: look.replicas(),
        order: order(look),
        parallelism: whole("update.parallelism"),
        monitor: time("update.monitor"),
        failure_action: match look.text("update.failure_action") {
            Some("continue") => Some(FailureAction::Continue),
            Some("pause") => Some(FailureAction::Pause),
            Some("rollback") => Some(FailureAction::Rollback),
            _ => None,
        },
        has_host_port: look.texts("publish", "mode").contains(&Some("host")),
        max_per_node: whole("placement.max_replicas_per_node"),
        stop_grace: time("stop_grace_period"),
        drain_timeout: match config.get("http.drain_timeout") {
            Value::Null => Some(std::time::Duration::from_secs(30)),
            _ => time("http.drain_timeout"),
        },
        // A check of the user's own is the user's to weigh.
        health_check: config.get("healthcheck").is_null().then_some(own_check),
    }
}
