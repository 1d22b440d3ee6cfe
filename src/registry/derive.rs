//! What follows from the configuration when nobody says otherwise: the container's health check, how long it may take
//! to stop, how long an update is watched, and in which order tasks are replaced.

use std::time::Duration;

/// Between the end of the drain and SIGKILL.
const GRACE_BEYOND_DRAIN: Duration = Duration::from_secs(5);
/// Swarm's own update monitor, and the least that makes sense.
const SWARM_MONITOR: Duration = Duration::from_secs(5);

/// The container's health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// `Healthcheck.Test` of the Engine API.
    pub test: Vec<String>,
    /// Between two checks.
    pub interval: Duration,
    /// For one check.
    pub timeout: Duration,
    /// Failures in a row that make the container unhealthy.
    pub retries: u32,
    /// During which failures don't count; the registry starts in less than a second, its storage may take longer.
    pub start_period: Duration,
}

/// The health check on the debug listener's loopback side: it works with TLS, client certificates, authentication and
/// any prefix, and keeps the access log clean. Both official images have busybox's `wget`, neither has `curl`.
pub fn health_check(debug_port: u16) -> HealthCheck {
    let url = format!("http://127.0.0.1:{debug_port}/debug/health");
    HealthCheck {
        test: ["CMD", "wget", "-q", "-O", "/dev/null", &url].map(str::to_owned).to_vec(),
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        retries: 3,
        start_period: Duration::from_secs(15),
    }
}

/// `StopGracePeriod`: SIGKILL must not come before the drain ends (P13).
pub fn stop_grace(drain_timeout: Duration) -> Duration {
    drain_timeout + GRACE_BEYOND_DRAIN
}

/// `UpdateConfig.Monitor`: as long as a new task may take to turn out unhealthy (P15). Swarm's own 5 s are less than
/// one check.
pub fn monitor(check: Option<&HealthCheck>) -> Duration {
    check.map_or(SWARM_MONITOR, |check| {
        (check.start_period + check.interval * check.retries).max(SWARM_MONITOR)
    })
}

/// Whether the old task stops before the new one starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Capacity is short for a moment, but the new task always finds its place.
    StopFirst,
    /// Capacity stays; the new task needs a place beside the old one.
    StartFirst,
}

/// What decides the order; everything in it is known from the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rollout {
    /// A port is published in host mode, which one task a node can have (moby issue 36934).
    pub has_host_port: bool,
    /// The number of tasks a node may have is limited (moby issue 40797). Whether nodes are spare is not known from the
    /// configuration, so any limit counts.
    pub has_max_per_node: bool,
    /// A pull-through cache keeps its eviction schedule in its storage, which two processes must not share (C1).
    pub has_schedule: bool,
}

/// The order in which an update replaces tasks (P2): start-first unless the new task could wait for ever for the old
/// one's place, since Swarm's updater has no timeout.
pub fn update_order(rollout: Rollout) -> Order {
    if rollout.has_host_port || rollout.has_max_per_node || rollout.has_schedule {
        Order::StopFirst
    } else {
        Order::StartFirst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_health_check_asks_loopback() {
        let check = health_check(9100);
        assert_eq!(check.test.join(" "), "CMD wget -q -O /dev/null http://127.0.0.1:9100/debug/health");
    }

    #[test]
    fn p13_the_grace_outlasts_the_drain() {
        assert_eq!(stop_grace(Duration::from_secs(60)), Duration::from_secs(65));
    }

    #[test]
    fn p15_the_monitor_outlasts_a_task_that_turns_unhealthy() {
        assert_eq!(monitor(Some(&health_check(5001))), Duration::from_secs(30));
        assert_eq!(monitor(None), Duration::from_secs(5));
    }

    #[test]
    fn p2_tasks_that_would_wait_for_each_others_place_stop_first() {
        assert_eq!(update_order(Rollout::default()), Order::StartFirst);
        for rollout in [
            Rollout { has_host_port: true, ..Rollout::default() },
            Rollout { has_max_per_node: true, ..Rollout::default() },
            Rollout { has_schedule: true, ..Rollout::default() },
        ] {
            assert_eq!(update_order(rollout), Order::StopFirst);
        }
    }
}
