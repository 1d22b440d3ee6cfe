//! The tasks of a service by the place that each is for, and how many there are to be.

use crate::docker::swarm::{Moment, parse_time};
use crate::docker::{Node, NodeState, Service, ServiceSpec, Task, TaskState};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

/// What was seen of a service at one time.
pub(super) struct Seen {
    pub service: Service,
    /// All of its tasks.
    pub tasks: Vec<Task>,
    /// Identifiers of those that are made after the current specification.
    pub current: BTreeSet<String>,
    pub nodes: Arc<[Node]>,
    pub at: Instant,
    /// The same time by the manager's clock, if that is known.
    pub there: Option<Moment>,
}

/// How far a service is, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Tasks that run, or that have completed where they are to complete.
    pub done: u64,
    /// Tasks that are wanted.
    pub wanted: u64,
}

/// The current tasks, by the place that each is for: a slot, or the node of a global service.
pub(super) type Places<'a> = BTreeMap<String, Place<'a>>;

/// The tasks of one place.
#[derive(Default)]
pub(super) struct Place<'a> {
    /// The task that is to run and has not ended.
    pub live: Option<&'a Task>,
    /// The task that runs, on a node that is not down.
    pub running: Option<&'a Task>,
    /// The task that has completed.
    pub completed: Option<&'a Task>,
    /// Tasks that ended without being asked to.
    pub ended: Vec<&'a Task>,
}

/// Sorts the current tasks by place. What ended before the service was `written` does not count.
pub(super) fn places<'a>(seen: &'a Seen, written: Option<Moment>) -> Places<'a> {
    let mut places = Places::new();
    let iteration = seen.service.job_status.as_ref().map(|job| job.job_iteration);
    let job = is_job(&seen.service.spec);
    for task in seen.tasks.iter().filter(|task| seen.current.contains(&task.id)) {
        if job && task.job_iteration.unwrap_or_default() != iteration.unwrap_or_default() {
            continue;
        }
        let place = places.entry(place_of(task, is_global(&seen.service.spec))).or_default();
        let node = seen.nodes.iter().find(|node| node.id == task.node_id);
        let down = node.is_some_and(|node| node.status.state == NodeState::Down);
        let state = task.status.state;
        if wanted_alive(task) && state.is_alive() {
            place.live = Some(task);
            if state == TaskState::Running && !down {
                place.running = Some(task);
            }
        }
        if state == TaskState::Complete {
            place.completed = Some(task);
        }
        let ended = matches!(state, TaskState::Failed | TaskState::Rejected)
            || (state == TaskState::Complete && !job);
        let recent = parse_time(&task.created_at).zip(written).is_none_or(|(at, written)| at >= written);
        if ended && recent {
            place.ended.push(task);
        }
    }
    places
}

/// The slots of a replicated job are counted from 0, so a task without a slot may have one.
fn place_of(task: &Task, is_global: bool) -> String {
    if is_global { task.node_id.clone() } else { format!("{:05}", task.slot) }
}

pub(super) fn wanted_alive(task: &Task) -> bool {
    // Tasks of jobs are to complete, which comes after running.
    task.desired_state <= TaskState::Complete
}

/// Whether a task ended before anything of its image ran.
pub(super) fn could_not_begin(task: &Task) -> bool {
    task.status.state == TaskState::Rejected || task.status.err.starts_with("starting container failed")
}

pub(super) fn progress(seen: &Seen, places: &Places<'_>) -> Progress {
    let job = is_job(&seen.service.spec);
    let there = |place: &&Place<'_>| if job { place.completed.is_some() } else { place.running.is_some() };
    Progress { done: places.values().filter(there).count() as u64, wanted: wanted(seen, places) }
}

/// Whether the scheduler has found no node for a task, which it says in the task's error.
pub(in crate::docker) fn has_no_node(task: &Task) -> bool {
    task.status.state == TaskState::Pending && task.status.err.contains("no suitable node")
}

pub(super) fn is_global(spec: &ServiceSpec) -> bool {
    spec.mode.as_ref().is_some_and(|mode| mode.global.is_some() || mode.global_job.is_some())
}

pub(super) fn is_job(spec: &ServiceSpec) -> bool {
    spec.mode.as_ref().is_some_and(|mode| mode.replicated_job.is_some() || mode.global_job.is_some())
}

/// How many tasks there are to be.
fn wanted(seen: &Seen, places: &Places<'_>) -> u64 {
    let spec = &seen.service.spec;
    if is_global(spec) {
        return wanted_on_nodes(seen, places);
    }
    let mode = spec.mode.clone().unwrap_or_default();
    if let Some(job) = mode.replicated_job {
        return job.total_completions.or(job.max_concurrent).unwrap_or(1);
    }
    mode.replicated.unwrap_or_default().replicas.unwrap_or(1)
}

/// One for each node that can take one, and one for each node that has got one.
fn wanted_on_nodes(seen: &Seen, places: &Places<'_>) -> u64 {
    let template = seen.service.spec.task_template.as_ref();
    let placement = template.and_then(|template| template.placement.as_ref());
    let eligible = |node: &Node| {
        let has_one =
            places.get(&node.id).is_some_and(|place| place.live.is_some() || place.completed.is_some());
        let admitted = placement.map_or(Some(true), |placement| placement.admits(node));
        let up = node.status.state != NodeState::Down;
        up && (has_one || (node.takes_tasks() && admitted == Some(true)))
    };
    seen.nodes.iter().filter(|node| eligible(node)).count() as u64
}

impl ServiceSpec {
    /// When an ended task is replaced: `any`, which is the default, `on-failure` or `none`.
    pub(in crate::docker) fn restart_condition(&self) -> &str {
        let policy = self.task_template.as_ref().and_then(|template| template.restart_policy.as_ref());
        policy.and_then(|policy| policy.condition.as_deref()).unwrap_or("any")
    }
}
