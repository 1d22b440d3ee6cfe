//! P2, P13, P14 and P15: can an update happen at all, and does it break pushes.

use super::Replicas;
use crate::registry::{
    Finding,
    derive::{HealthCheck, Order, monitor},
    duration,
};
use std::time::Duration;

/// How long SIGTERM needs to reach the registry: Docker waits for the mesh first.
const GOSSIP: Duration = Duration::from_secs(2);

/// What Swarm does when an update fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureAction {
    /// Stop where it is.
    Pause,
    /// Go on.
    Continue,
    /// Go back.
    Rollback,
}

/// What the update rules look at; `None` where a value is not known, or is left to be derived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Updates<'a> {
    /// How many tasks there are.
    pub replicas: Option<Replicas>,
    /// `update.order` as the user set it.
    pub order: Option<Order>,
    /// `update.parallelism`; 0 means all at once.
    pub parallelism: Option<u64>,
    /// `update.monitor`
    pub monitor: Option<Duration>,
    /// `update.failure_action`
    pub failure_action: Option<FailureAction>,
    /// Whether a port is published in host mode.
    pub has_host_port: bool,
    /// `placement.max_replicas_per_node`
    pub max_per_node: Option<u64>,
    /// `stop_grace_period`
    pub stop_grace: Option<Duration>,
    /// `http.drain_timeout`
    pub drain_timeout: Option<Duration>,
    /// The health check as it will be; `None` where it is switched off.
    pub health_check: Option<&'a HealthCheck>,
}

/// Applies P2, P13, P14 and P15.
pub fn updates(updates: &Updates<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    order(updates, &mut findings);
    drain(updates, &mut findings);
    watch(updates, &mut findings);
    findings
}

/// P2. Whether nodes are spare is known to the Swarm only; a global service never has one.
fn order(updates: &Updates<'_>, findings: &mut Vec<Finding>) {
    if updates.order != Some(Order::StartFirst) {
        return;
    }
    let path = "update.order";
    if updates.has_host_port && updates.replicas == Some(Replicas::Global) {
        let message = "With a host-mode port on every node, the new task can never start while the old one holds the port, \
                       and Swarm waits for ever. Use stop-first.";
        findings.push(Finding::error("P2", path, message));
    } else if updates.has_host_port {
        let message = "With a host-mode port, start-first works only while a node that satisfies the constraints is \
                       without a task; else the new task waits for ever for the port. stop-first always works.";
        findings.push(Finding::warning("P2", path, message));
    }
    if let Some(max) = updates.max_per_node.filter(|max| *max > 0) {
        let message = format!(
            "With max_replicas_per_node = {max}, start-first works only while there is room for one more task on the \
             nodes that satisfy the constraints; else the new task waits for ever. stop-first always works."
        );
        findings.push(Finding::warning("P2", path, message));
    }
}

/// P13 and P14.
fn drain(updates: &Updates<'_>, findings: &mut Vec<Finding>) {
    let Some(drain) = updates.drain_timeout else { return };
    if let Some(grace) = updates.stop_grace
        && grace < drain + GOSSIP
    {
        let message = format!(
            "SIGKILL would come before the drain ends: stop_grace_period is {}, http.drain_timeout {}. Leave \
             stop_grace_period out, or set at least {}.",
            duration::format(grace),
            duration::format(drain),
            duration::format(drain + GOSSIP)
        );
        findings.push(Finding::error("P13", "stop_grace_period", message));
    }
    if drain.is_zero() && updates.replicas.is_some_and(Replicas::are_many) {
        let message = "Without a drain, pushes that are under way break at each update, although there are other replicas.";
        findings.push(Finding::warning("P14", "http.drain_timeout", message));
    }
}

/// P15.
fn watch(updates: &Updates<'_>, findings: &mut Vec<Finding>) {
    let mut warn = |path: &str, message: String| findings.push(Finding::warning("P15", path, message));
    let needed = monitor(updates.health_check);
    if let Some(given) = updates.monitor
        && updates.health_check.is_some()
        && given < needed
    {
        let message = format!(
            "A task that turns unhealthy does so up to {} after its start (start_period + interval × retries); watching \
             for {} only, Swarm would call a broken update a success.",
            duration::format(needed),
            duration::format(given)
        );
        warn("update.monitor", message);
    }
    if let (Some(Replicas::Count(count)), Some(parallelism)) = (updates.replicas, updates.parallelism)
        && count > 1
        && (parallelism == 0 || parallelism >= count)
    {
        let message = format!(
            "All {count} replicas are replaced at once, so that the registry is away for a moment. Use 1."
        );
        warn("update.parallelism", message);
    }
    if updates.failure_action == Some(FailureAction::Continue) {
        let message =
            "A broken update would replace all replicas one after the other. Use \"rollback\" or \"pause\".";
        warn("update.failure_action", message.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::derive::health_check;

    fn codes(case: Updates<'_>) -> Vec<(bool, &'static str)> {
        updates(&case).iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn p2_start_first_without_a_place() {
        let host = Updates { order: Some(Order::StartFirst), has_host_port: true, ..Updates::default() };
        assert_eq!(codes(host), [(false, "P2")]);
        assert_eq!(codes(Updates { replicas: Some(Replicas::Global), ..host }), [(true, "P2")]);
        assert_eq!(codes(Updates { order: Some(Order::StopFirst), ..host }), []);
        assert_eq!(codes(Updates { order: None, ..host }), []);
        let max = Updates { order: Some(Order::StartFirst), max_per_node: Some(1), ..Updates::default() };
        assert_eq!(codes(max), [(false, "P2")]);
        assert_eq!(codes(Updates { max_per_node: Some(0), ..max }), []);
    }

    #[test]
    fn p13_killed_before_the_drain_ends() {
        let case = |grace: u32| Updates {
            stop_grace: Some(SECOND * grace),
            drain_timeout: Some(SECOND * 30),
            ..Updates::default()
        };
        assert_eq!(codes(case(31)), [(true, "P13")]);
        assert_eq!(codes(case(32)), []);
        assert!(updates(&case(10))[0].message.contains("at least 32s"));
    }

    #[test]
    fn p14_no_drain_for_replicas() {
        let case = |count| Updates {
            replicas: Some(Replicas::Count(count)),
            drain_timeout: Some(Duration::ZERO),
            ..Updates::default()
        };
        assert_eq!(codes(case(2)), [(false, "P14")]);
        assert_eq!(codes(case(1)), []);
    }

    #[test]
    fn p15_updates_that_do_not_notice() {
        let check = health_check(5001);
        let short = Updates { monitor: Some(SECOND * 29), health_check: Some(&check), ..Updates::default() };
        assert_eq!(codes(short), [(false, "P15")]);
        assert_eq!(codes(Updates { monitor: Some(SECOND * 30), ..short }), []);
        assert_eq!(codes(Updates { health_check: None, ..short }), []);
        let at_once = |count, parallelism| Updates {
            replicas: Some(Replicas::Count(count)),
            parallelism: Some(parallelism),
            ..Updates::default()
        };
        assert_eq!(codes(at_once(3, 3)), [(false, "P15")]);
        assert_eq!(codes(at_once(3, 0)), [(false, "P15")]);
        assert_eq!(codes(at_once(3, 2)), []);
        assert_eq!(codes(at_once(1, 1)), []);
        let action = Updates { failure_action: Some(FailureAction::Continue), ..Updates::default() };
        assert_eq!(codes(action), [(false, "P15")]);
    }
}
