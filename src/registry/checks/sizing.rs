//! P12, P16 and P17: how many tasks there are, and what each may use.

use super::Replicas;
use crate::registry::Finding;

const MIB: i64 = 1 << 20;
/// Less than this is killed by big pushes.
const LITTLE_MEMORY: i64 = 128 * MIB;
/// What each upload to an object store holds in memory where nothing else is said.
const CHUNK: i64 = 10 * MIB;

/// What each task may use; `None` where it is not known or not limited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizing {
    /// `resources.limits.memory` in bytes.
    pub memory_limit: Option<i64>,
    /// `resources.reservations.memory` in bytes.
    pub memory_reservation: Option<i64>,
    /// `resources.limits.cpus` in thousand-millionths.
    pub cpu_limit: Option<i64>,
    /// `resources.reservations.cpus` in thousand-millionths.
    pub cpu_reservation: Option<i64>,
    /// Bytes of a part of an upload to an object store.
    pub chunk_size: Option<i64>,
    /// Whether images are in an object store.
    pub has_object_store: bool,
}

/// P16. That memory is at least 4 MiB and processors a thousandth is part of their types.
pub fn sizing(sizing: &Sizing) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pairs = [
        ("memory", sizing.memory_limit, sizing.memory_reservation),
        ("cpus", sizing.cpu_limit, sizing.cpu_reservation),
    ];
    for (what, limit, reservation) in pairs {
        if let (Some(limit), Some(reservation)) = (limit, reservation)
            && reservation > limit
        {
            let message = format!(
                "More {what} would be kept for each task than it may use. Lower the reservation, or raise \
                 resources.limits.{what}."
            );
            findings.push(Finding::error("P16", format!("resources.reservations.{what}"), message));
        }
    }
    let chunk = if sizing.has_object_store { sizing.chunk_size.unwrap_or(CHUNK) } else { 0 };
    let needed = LITTLE_MEMORY.max(chunk.saturating_mul(4));
    if let Some(limit) = sizing.memory_limit.filter(|limit| *limit < needed) {
        let message = format!(
            "{} MiB are little for a registry: each upload to an object store holds a chunk in memory, and the kernel kills \
             the task in the middle of a push. Use at least {} MiB.",
            limit / MIB,
            needed / MIB
        );
        findings.push(Finding::warning("P16", "resources.limits.memory", message));
    }
    findings
}

/// P12: a global service has no number of tasks. The arguments are the attributes that are set beside `mode = "global"`.
pub fn global(set: &[&str]) -> Vec<Finding> {
    let refuse = |path: &&str| {
        let message = format!(
            "A global service has one task on each node that placement allows. Leave {path} out, or use mode = \
             \"replicated\"."
        );
        Finding::error("P12", *path, message)
    };
    set.iter().map(refuse).collect()
}

/// P17: one replica, although something is said of how several are spread.
pub fn lonely(replicas: Option<Replicas>, has_spread: bool, has_max_per_node: bool) -> Option<Finding> {
    let path = match (replicas, has_spread, has_max_per_node) {
        (Some(Replicas::Count(1)), true, _) => "placement.spread",
        (Some(Replicas::Count(1)), false, true) => "placement.max_replicas_per_node",
        _ => return None,
    };
    let message = format!(
        "{path} has no effect on one replica, and while that one is moved there is no registry. Raise replicas, if the \
         storage is shared."
    );
    Some(Finding::warning("P17", path, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_a_number_of_tasks_beside_global() {
        let findings = global(&["replicas"]);
        assert_eq!((findings[0].code, findings[0].path.as_str()), ("P12", "replicas"));
        assert_eq!(global(&[]), []);
    }

    #[test]
    fn p16_resources_that_do_not_fit() {
        let codes = |case: Sizing| {
            sizing(&case).iter().map(|finding| (finding.is_error(), finding.path.clone())).collect::<Vec<_>>()
        };
        let good = Sizing {
            memory_limit: Some(512 * MIB),
            memory_reservation: Some(128 * MIB),
            cpu_limit: Some(1_000_000_000),
            cpu_reservation: Some(250_000_000),
            ..Sizing::default()
        };
        assert_eq!(codes(good), []);
        assert_eq!(codes(Sizing::default()), []);
        let swapped =
            Sizing { memory_reservation: Some(1024 * MIB), cpu_reservation: Some(2_000_000_000), ..good };
        assert_eq!(
            codes(swapped),
            [
                (true, "resources.reservations.memory".to_owned()),
                (true, "resources.reservations.cpus".to_owned())
            ]
        );
        let little = Sizing { memory_limit: Some(127 * MIB), memory_reservation: None, ..good };
        assert_eq!(codes(little), [(false, "resources.limits.memory".to_owned())]);
        let chunks = Sizing { has_object_store: true, chunk_size: Some(200 * MIB), ..good };
        assert_eq!(codes(chunks), [(false, "resources.limits.memory".to_owned())]);
        assert_eq!(codes(Sizing { chunk_size: Some(100 * MIB), ..chunks }), []);
    }

    #[test]
    fn p17_one_replica_cannot_be_spread() {
        let path = |count, spread, most| {
            lonely(Some(Replicas::Count(count)), spread, most).map(|finding| finding.path)
        };
        assert_eq!(path(1, true, true).as_deref(), Some("placement.spread"));
        assert_eq!(path(1, false, true).as_deref(), Some("placement.max_replicas_per_node"));
        assert_eq!(path(1, false, false), None);
        assert_eq!(path(2, true, true), None);
        assert_eq!(lonely(None, true, true), None);
    }
}
