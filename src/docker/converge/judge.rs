//! Whether a service has got where its specification wants it. Pure: what was seen and when goes in, a verdict comes out.

use super::places::{
    Places, Progress, Seen, could_not_begin, has_no_node, is_global, is_job, places, progress, wanted_alive,
};
use crate::docker::swarm::{Moment, parse_time};
use crate::docker::{Error, Task, TaskState, UpdateState};
use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// A task that could not begin this often in one place will not.
const REJECTIONS: usize = 2;
/// A task that ended this often in one place will go on to. Some wait for others by ending, so once more.
const FAILURES: usize = 3;
/// A port of the host is free again some time after the last task that had it was stopped.
const PORT_GRACE: Duration = Duration::from_secs(15);
/// A place that had a task and has none for this long does not get another.
const ABANDONED: Duration = Duration::from_secs(2);
/// How long a rollback may take until its outcome is no longer waited for.
const ROLLBACK: Duration = Duration::from_secs(20);
/// How long the swarm may take to pause or to roll back an update whose tasks fail.
const SWARM_ACTS: Duration = Duration::from_secs(10);
/// Tasks are created after the write that they result from; clocks of managers may differ by this.
const BEFORE: Duration = Duration::from_secs(2);

/// Why a service does not get where it is to be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// Tasks cannot begin, or end again and again.
    KeepsFailing,
    /// A task ended, and its restart policy does not replace it.
    NotReplaced,
    /// No node may or can take a task.
    NoSuitableNode,
    /// The update stopped because of failures; the Engine's words.
    Paused(String),
    /// The update failed, and the specification is the former one again; how far that is, and the Engine's words.
    RolledBack(UpdateState, String),
    /// The service was removed meanwhile.
    Removed,
    /// It took too long.
    TimedOut(Duration),
    /// Terraform asked to stop.
    Stopped,
    /// The Engine could not be asked.
    Engine(Error),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is there.
    Converged,
    /// It is not there yet; when to look again at the latest.
    Waiting(Duration),
    Failed(Reason),
}

/// What is remembered from one look to the next.
pub(super) struct Judge {
    /// How long all tasks have to have run.
    pub stability: Duration,
    /// How long a task may have no suitable node.
    pub grace: Duration,
    pub progress: Progress,
    /// Whether the swarm brings about what was written: see [`Wait::written`](super::Wait::written).
    pub is_written: bool,
    /// Since when something is so, by a key of our own.
    since: HashMap<String, Instant>,
    /// When the service was written, by the manager's clock.
    written: Option<Moment>,
}

impl Judge {
    pub(super) fn new(stability: Duration, grace: Duration) -> Self {
        Self {
            stability,
            grace,
            progress: Progress::default(),
            is_written: true,
            since: HashMap::new(),
            written: None,
        }
    }

    pub(super) fn judge(&mut self, seen: &Seen) -> Verdict {
        let written = parse_time(&seen.service.updated_at).map(|at| at.saturating_sub(BEFORE));
        self.written = self.written.or(written);
        let mut still = BTreeSet::new();
        let places = places(seen, self.written);
        self.progress = progress(seen, &places);
        let verdict = self
            .update(seen, &mut still)
            .or_else(|| self.failure(seen, &places, &mut still))
            .unwrap_or_else(|| self.tasks(seen, &places, &mut still));
        self.since.retain(|key, _| still.contains(key));
        verdict
    }

    /// How long `key` has been so, which is so now.
    fn lasted(&mut self, key: String, seen: &Seen, still: &mut BTreeSet<String>) -> Duration {
        still.insert(key.clone());
        seen.at.duration_since(*self.since.entry(key).or_insert(seen.at))
    }

    /// What the state of the update says by itself. It is absent after an update that changes no task.
    fn update(&mut self, seen: &Seen, still: &mut BTreeSet<String>) -> Option<Verdict> {
        let update = seen.service.update_status.as_ref()?;
        match &update.state {
            UpdateState::RollbackStarted if !self.is_written => {
                Some(Verdict::Waiting(Duration::from_millis(250)))
            }
            _ if !self.is_written => None,
            UpdateState::Paused => Some(Verdict::Failed(Reason::Paused(update.message.clone()))),
            state @ (UpdateState::RollbackPaused | UpdateState::RollbackCompleted) => {
                Some(Verdict::Failed(Reason::RolledBack(state.clone(), update.message.clone())))
            }
            state @ UpdateState::RollbackStarted => {
                // Its outcome matters to a person, and the service is to be at rest before the next apply.
                let lasted = self.lasted("rollback".into(), seen, still);
                Some(if lasted < ROLLBACK {
                    Verdict::Waiting(Duration::from_millis(250))
                } else {
                    Verdict::Failed(Reason::RolledBack(state.clone(), update.message.clone()))
                })
            }
            UpdateState::Updating | UpdateState::Completed | UpdateState::Other(_) => None,
        }
    }

    fn tasks(&mut self, seen: &Seen, places: &Places<'_>, still: &mut BTreeSet<String>) -> Verdict {
        let Progress { done, wanted } = self.progress;
        let job = is_job(&seen.service.spec);
        let global = is_global(&seen.service.spec);
        let surplus =
            !job && !global && places.values().filter(|place| place.live.is_some()).count() as u64 > wanted;
        let updating = matches!(
            seen.service.update_status.as_ref().map(|update| &update.state),
            Some(UpdateState::Updating | UpdateState::Other(_))
        );
        let outdated = !job
            && seen.tasks.iter().any(|task| {
                !seen.current.contains(&task.id) && wanted_alive(task) && task.status.state.is_alive()
            });
        let nowhere = global && wanted == 0;
        if done < wanted || surplus || updating || outdated || nowhere {
            return Verdict::Waiting(next_look(seen));
        }
        let running = places.values().filter_map(|place| place.running);
        let unstable = if job { Duration::ZERO } else { self.unstable(seen, running, still) };
        if unstable.is_zero() { Verdict::Converged } else { Verdict::Waiting(unstable) }
    }

    /// How long it takes until all these tasks have run for long enough. A task that crashes does so soon
    /// after it began. The manager's times are used where they are known, so that nobody waits for what is past.
    fn unstable<'a>(
        &mut self,
        seen: &Seen,
        running: impl Iterator<Item = &'a Task>,
        still: &mut BTreeSet<String>,
    ) -> Duration {
        let mut longest = Duration::ZERO;
        for task in running {
            let ours = self.lasted(format!("running {}", task.id), seen, still);
            let theirs = parse_time(&task.updated_at)
                .zip(seen.there)
                .map_or(Duration::ZERO, |(since, now)| now.saturating_sub(since));
            longest = longest.max(self.stability.saturating_sub(ours.max(theirs)));
        }
        longest
    }

    /// What the tasks say that will not heal by itself.
    fn failure(&mut self, seen: &Seen, places: &Places<'_>, still: &mut BTreeSet<String>) -> Option<Verdict> {
        for (name, place) in places {
            let could_not_begin = place.ended.iter().filter(|task| could_not_begin(task)).count();
            if could_not_begin >= REJECTIONS || place.ended.len() >= FAILURES {
                return Some(self.unless_the_swarm_acts(Reason::KeepsFailing, seen, still));
            }
            let completed = is_job(&seen.service.spec) && place.completed.is_some();
            if !place.ended.is_empty() && place.live.is_none() && !completed {
                let lasted = self.lasted(format!("abandoned {name}"), seen, still);
                if seen.service.spec.restart_condition() == "none" || lasted >= ABANDONED {
                    return Some(self.unless_the_swarm_acts(Reason::NotReplaced, seen, still));
                }
            }
            if place.live.is_some_and(|task| self.has_no_node_for_long(task, seen, still)) {
                return Some(Verdict::Failed(Reason::NoSuitableNode));
            }
        }
        if is_global(&seen.service.spec) && self.progress.wanted == 0 {
            let lasted = self.lasted("no node at all".into(), seen, still);
            return (lasted >= self.grace).then_some(Verdict::Failed(Reason::NoSuitableNode));
        }
        None
    }

    /// Where an update is to pause or roll back at failures, the swarm gets the time to do so, for then the
    /// service is another than the one that failed.
    fn unless_the_swarm_acts(
        &mut self,
        reason: Reason,
        seen: &Seen,
        still: &mut BTreeSet<String>,
    ) -> Verdict {
        let updating =
            seen.service.update_status.as_ref().is_some_and(|at| at.state == UpdateState::Updating);
        let update = seen.service.spec.update_config.as_ref();
        let action = update.and_then(|update| update.failure_action.as_deref());
        let lasted = self.lasted("the swarm acts".into(), seen, still);
        if updating && action != Some("continue") && lasted < SWARM_ACTS {
            return Verdict::Waiting(Duration::from_millis(100));
        }
        Verdict::Failed(reason)
    }

    fn has_no_node_for_long(&mut self, task: &Task, seen: &Seen, still: &mut BTreeSet<String>) -> bool {
        if !has_no_node(task) {
            return false;
        }
        // Where an old task still runs, its resources and ports are about to be free.
        let outdated = seen.tasks.iter().any(|task| {
            !seen.current.contains(&task.id)
                && task.status.state.is_alive()
                && task.status.state >= TaskState::Assigned
        });
        let key = format!("no node {}{}", task.id, if outdated { " yet" } else { "" });
        let lasted = self.lasted(key, seen, still);
        let port = task.status.err.contains("port already in use");
        !outdated && lasted >= if port { PORT_GRACE.max(self.grace) } else { self.grace }
    }
}

/// Tasks that are about to run do so within moments, and others may wait for long.
fn next_look(seen: &Seen) -> Duration {
    let soon = seen.tasks.iter().any(|task| {
        task.desired_state <= TaskState::Running
            && (TaskState::Assigned..TaskState::Running).contains(&task.status.state)
    });
    Duration::from_millis(if soon { 75 } else { 250 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{Node, Service};
    use serde_json::{Value, json};

    /// A service of two replicas with tasks `(slot, state, desired state, current)`.
    fn seen(service: Value, tasks: &[(u64, &str, &str, bool)], after: Duration, began: Instant) -> Seen {
        let mut current = BTreeSet::new();
        let tasks = tasks.iter().enumerate().map(|(number, (slot, state, desired, is_current))| {
            let id = format!("t{number}");
            if *is_current {
                current.insert(id.clone());
            }
            let err = if *state == "pending" { "no suitable node (constraints)" } else { "" };
            serde_json::from_value(json!({
                "ID": id, "Slot": slot, "NodeID": "n", "DesiredState": desired, "CreatedAt": "2026-01-01T00:00:00Z",
                "Status": {"State": state, "Err": err},
            }))
            .unwrap()
        });
        let tasks = tasks.collect();
        let node = json!([{"ID": "n", "Spec": {"Availability": "active"}, "Status": {"State": "ready"}}]);
        let nodes: Vec<Node> = serde_json::from_value(node).unwrap();
        let mut service: Service = serde_json::from_value(service).unwrap();
        service.updated_at = "2026-01-01T00:00:00Z".into();
        Seen { service, tasks, current, nodes: nodes.into(), at: began + after, there: None }
    }

    fn two() -> Value {
        json!({"Spec": {"Mode": {"Replicated": {"Replicas": 2}}}})
    }

    /// Judges looks that are a second apart.
    fn judge(service: &Value, looks: &[&[(u64, &str, &str, bool)]]) -> Verdict {
        let (mut judge, began) = (Judge::new(Duration::from_secs(1), Duration::from_secs(5)), Instant::now());
        let mut verdict = Verdict::Waiting(Duration::ZERO);
        for (second, tasks) in (0..).zip(looks) {
            verdict = judge.judge(&seen(service.clone(), tasks, Duration::from_secs(second), began));
        }
        verdict
    }

    const UP: (u64, &str, &str, bool) = (1, "running", "running", true);
    const UP2: (u64, &str, &str, bool) = (2, "running", "running", true);

    #[test]
    fn all_replicas_have_to_run_for_a_while() {
        assert!(matches!(judge(&two(), &[&[UP]]), Verdict::Waiting(_)));
        assert_eq!(judge(&two(), &[&[UP, UP2]]), Verdict::Waiting(Duration::from_secs(1)));
        assert_eq!(judge(&two(), &[&[UP, UP2], &[UP, UP2]]), Verdict::Converged);
    }

    #[test]
    fn old_and_surplus_tasks_have_to_go() {
        let old = (1, "running", "running", false);
        assert!(matches!(judge(&two(), &[&[UP, UP2, old], &[UP, UP2, old]]), Verdict::Waiting(_)));
        let third = (3, "running", "running", true);
        assert!(matches!(judge(&two(), &[&[UP, UP2, third], &[UP, UP2, third]]), Verdict::Waiting(_)));
        let stopping = (3, "running", "shutdown", true);
        assert_eq!(judge(&two(), &[&[UP, UP2, stopping], &[UP, UP2, stopping]]), Verdict::Converged);
    }

    #[test]
    fn an_update_has_to_complete_and_its_failure_is_a_failure() {
        let with = |state: &str| {
            let mut service = two();
            service["UpdateStatus"] = json!({"State": state, "Message": "m"});
            judge(&service, &[&[UP, UP2], &[UP, UP2]])
        };
        assert!(matches!(with("updating"), Verdict::Waiting(_)));
        assert_eq!(with("completed"), Verdict::Converged);
        assert_eq!(with("paused"), Verdict::Failed(Reason::Paused("m".into())));
        assert!(matches!(with("rollback_started"), Verdict::Waiting(_)));
        let rolled_back = Reason::RolledBack(UpdateState::RollbackCompleted, "m".into());
        assert_eq!(with("rollback_completed"), Verdict::Failed(rolled_back));
    }

    #[test]
    fn what_fails_again_and_again_ends_the_wait_unless_the_swarm_is_about_to() {
        let rejected = (2, "rejected", "shutdown", true);
        let tasks = [UP, rejected, rejected, (2, "ready", "ready", true)];
        assert_eq!(judge(&two(), &[&tasks]), Verdict::Failed(Reason::KeepsFailing));
        let mut updating = two();
        updating["UpdateStatus"] = json!({"State": "updating"});
        assert!(matches!(judge(&updating, &[&tasks]), Verdict::Waiting(_)));
        assert_eq!(judge(&updating, &[&tasks[..]; 11]), Verdict::Failed(Reason::KeepsFailing));
        updating["Spec"]["UpdateConfig"] = json!({"FailureAction": "continue"});
        assert_eq!(judge(&updating, &[&tasks]), Verdict::Failed(Reason::KeepsFailing));
    }

    #[test]
    fn a_task_that_is_not_replaced_ends_the_wait() {
        let tasks: &[_] = &[UP, (2, "failed", "shutdown", true)];
        assert!(matches!(judge(&two(), &[tasks]), Verdict::Waiting(_)), "the next one may be about to come");
        assert_eq!(judge(&two(), &[tasks; 3]), Verdict::Failed(Reason::NotReplaced));
        let mut once = two();
        once["Spec"]["TaskTemplate"] = json!({"RestartPolicy": {"Condition": "none"}});
        assert_eq!(judge(&once, &[tasks]), Verdict::Failed(Reason::NotReplaced));
    }

    #[test]
    fn no_suitable_node_is_given_time() {
        let tasks: &[_] = &[UP, (2, "pending", "running", true)];
        assert!(matches!(judge(&two(), &[tasks; 5]), Verdict::Waiting(_)));
        assert_eq!(judge(&two(), &[tasks; 6]), Verdict::Failed(Reason::NoSuitableNode));
        let old: &[_] = &[UP, (2, "pending", "running", true), (2, "running", "shutdown", false)];
        assert!(
            matches!(judge(&two(), &[old; 9]), Verdict::Waiting(_)),
            "an old task is about to free its port"
        );
    }

    #[test]
    fn a_global_service_runs_wherever_it_may() {
        let global = json!({"Spec": {"Mode": {"Global": {}}}});
        let task: &[_] = &[(0, "running", "running", true)];
        assert!(matches!(judge(&global, &[&[]]), Verdict::Waiting(_)));
        assert_eq!(judge(&global, &[task, task]), Verdict::Converged);
        let nowhere = json!({"Spec": {"Mode": {"Global": {}},
            "TaskTemplate": {"Placement": {"Constraints": ["node.labels.x==y"]}}}});
        assert_eq!(judge(&nowhere, &[&[] as &[_]; 6]), Verdict::Failed(Reason::NoSuitableNode));
    }

    #[test]
    fn a_job_has_to_complete_as_often_as_wanted() {
        let job = json!({"Spec": {"Mode": {"ReplicatedJob": {"TotalCompletions": 2, "MaxConcurrent": 1}}}});
        let (one, two) = ((1, "complete", "complete", true), (2, "complete", "complete", true));
        assert!(matches!(judge(&job, &[&[one]]), Verdict::Waiting(_)));
        assert_eq!(judge(&job, &[&[one, two]]), Verdict::Converged);
    }
}
