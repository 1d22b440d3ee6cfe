//! Waiting until a service is as it is wanted, or cannot get there.
//!
//! Swarm tells of no task, so the proof is always a look at the tasks; events only make the next look come sooner.
//! Looks come every 25 ms at first and every 250 ms at last (75 ms while a task is about to run), which shows
//! the result within 350 ms of the time that the manager notes for it.

mod judge;
mod places;

pub use judge::Reason;
pub use places::Progress;

use super::error::{Error, Found, Result};
use super::events::{Event, wait};
use super::services::UpdateState;
use super::tasks::{Task, TaskState};
use super::{Docker, Node};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use judge::{Judge, Verdict};
use places::Seen;
pub(super) use places::has_no_node;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};
use tokio::time::Instant;

/// Lines of a task's output that are shown at most.
const LOG_LINES: usize = 12;
/// How long the output of a failed task is waited for: its node may be slow, or gone.
const LOG_LIMIT: Duration = Duration::from_secs(3);
/// Characters of one line that are shown at most.
const LOG_WIDTH: usize = 300;

/// How to wait.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// How long at most.
    pub limit: Duration,
    /// How long all tasks have to have run at the end, so that one that crashes right after it began is noticed.
    /// An update that replaces tasks is watched by the swarm itself, for as long as its `monitor` says.
    pub stability: Duration,
    /// How long a task may have no suitable node. A label or a node may be about to come.
    pub grace: Duration,
    /// Whether the swarm brings about what was written: right before, or earlier if that was not done when it was looked at.
    /// If not, how an earlier update ended is no news: after a rollback the service is what it was before, and that may be
    /// just what is wanted.
    pub written: bool,
}

impl Wait {
    /// Waits for `limit` at most, with 1 s of stability and 5 s of grace.
    pub fn at_most(limit: Duration) -> Self {
        Self { limit, stability: Duration::from_secs(1), grace: Duration::from_secs(5), written: true }
    }
}

/// A service that is as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converged {
    /// Its tasks.
    pub progress: Progress,
    /// When the last of its tasks began to run (or completed), in RFC 3339, as the tasks say.
    pub since: Option<String>,
    /// How long after the call all its tasks were first seen to run.
    pub seen_after: Duration,
    /// How long the wait took in all.
    pub waited: Duration,
}

/// Why a service did not get where it is to be, with the words of its tasks. Its [`Display`](fmt::Display) is
/// made for a person and has several lines.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvergeFailure {
    /// Name of the service, or its ID where that is all that is known.
    pub service: String,
    /// Why.
    pub reason: Reason,
    /// How far it got.
    pub progress: Progress,
    /// What its tasks say, each different error once.
    pub problems: Vec<TaskProblem>,
    /// The last lines of the output of the task that failed last.
    pub log: Vec<String>,
}

/// An error of one or more tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskProblem {
    /// The state that the tasks are in.
    pub state: TaskState,
    /// The error, in the Engine's words.
    pub error: String,
    /// The tasks that had it, such as `registry.1 on hubworker01`.
    pub places: BTreeSet<String>,
    /// How many tasks had it.
    pub times: usize,
}

impl std::error::Error for ConvergeFailure {}

impl fmt::Display for ConvergeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { done, wanted } = self.progress;
        write!(f, "Service `{}`: {}. {done} of {wanted} tasks are there.", self.service, self.reason)?;
        for TaskProblem { state, error, places, times } in &self.problems {
            let places = places.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            write!(f, "\n- {error} ({state}, {times}×: {places})")?;
        }
        if !self.log.is_empty() {
            write!(f, "\nThe last lines that a failed task wrote:")?;
            for line in &self.log {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |message: &str| if message.is_empty() { String::new() } else { format!(" ({message})") };
        match self {
            Self::KeepsFailing => f.write_str("its tasks fail again and again"),
            Self::NotReplaced => f.write_str("a task ended, and its restart policy does not replace it"),
            Self::NoSuitableNode => f.write_str("no node can take a task of it"),
            Self::Paused(message) => write!(f, "its update paused because of failures{}", told(message)),
            Self::RolledBack(UpdateState::RollbackCompleted, message) => {
                write!(f, "its update failed and was rolled back{}", told(message))
            }
            Self::RolledBack(UpdateState::RollbackPaused, message) => {
                write!(f, "its update failed, and rolling it back failed as well{}", told(message))
            }
            Self::RolledBack(_, message) => {
                write!(f, "its update failed and is being rolled back{}", told(message))
            }
            Self::Removed => f.write_str("somebody removed it"),
            Self::TimedOut(limit) => write!(f, "it is not there after {} s", limit.as_secs()),
            Self::Stopped => f.write_str("the wait for it was stopped as Terraform asked"),
            Self::Engine(error) => write!(f, "whether it gets there cannot be seen, since {error}"),
        }
    }
}

impl Docker {
    /// Waits until a service is as its specification wants it: all tasks of the current specification run (or
    /// have completed, for jobs), none of an older one does, and the update, if there is one, is complete.
    ///
    /// It ends early where that cannot come about any more: tasks fail again and again or are not replaced, no
    /// node can take them, the update paused or was rolled back.
    ///
    /// # Errors
    /// The reason, with the words of the tasks and the last lines of their output. The service stays as it is.
    pub async fn converge(&self, service_id: &str, how: Wait) -> Result<Converged, ConvergeFailure> {
        self.watch(service_id, how, |_| ()).await
    }

    /// The same, telling at each look how far it is.
    ///
    /// # Errors
    /// As [`Docker::converge`].
    pub async fn watch(
        &self,
        service_id: &str,
        how: Wait,
        mut tell: impl FnMut(Progress) + Send,
    ) -> Result<Converged, ConvergeFailure> {
        let started = Instant::now();
        let mut events = self.events();
        let mut judge = Judge::new(how.stability, how.grace);
        judge.is_written = how.written;
        let mut last = None;
        let mut all_there = None;
        let mut pause = Duration::from_millis(25);
        let reason = loop {
            let looked = tokio::time::timeout_at(started + how.limit, self.look(service_id)).await;
            let seen = match looked.map(Found::found) {
                Err(_) => break Reason::TimedOut(how.limit),
                Ok(Err(Error::Stopped)) => break Reason::Stopped,
                Ok(Err(error)) => break Reason::Engine(error),
                Ok(Ok(None)) => break Reason::Removed,
                Ok(Ok(Some(seen))) => seen,
            };
            let verdict = judge.judge(&seen);
            tell(judge.progress);
            if judge.progress.done >= judge.progress.wanted {
                all_there.get_or_insert_with(|| started.elapsed());
            }
            let recheck = match verdict {
                Verdict::Converged => {
                    let waited = started.elapsed();
                    let since = since(&seen);
                    tracing::debug!(service_id, waited_ms = waited.as_millis(), since, "converged");
                    let seen_after = all_there.unwrap_or(waited);
                    return Ok(Converged { progress: judge.progress, since, seen_after, waited });
                }
                Verdict::Failed(reason) => {
                    last = Some(seen);
                    break reason;
                }
                Verdict::Waiting(recheck) => recheck,
            };
            last = Some(seen);
            let nap = pause.min(recheck).min((started + how.limit).saturating_duration_since(Instant::now()));
            let about_this = |event: &Event| event.service.as_deref().is_none_or(|id| id == service_id);
            tokio::select! {
                () = self.0.stop.cancelled() => break Reason::Stopped,
                heard = wait(&mut events, nap, about_this) => {
                    pause = if heard { Duration::from_millis(25) } else { (pause * 3 / 2).min(Duration::from_millis(250)) };
                }
            }
        };
        Err(self.failure(service_id, reason, judge.progress, last).await)
    }

    /// Looks at a service and its tasks.
    async fn look(&self, id: &str) -> Result<Seen> {
        // Read before the tasks are, so that none seems to run for longer than it does.
        let there = self.clock().await;
        let (service, tasks, current, nodes) = tokio::try_join!(
            self.inspect_service(id),
            self.tasks(id),
            self.tasks_up_to_date(id),
            self.nodes_now(),
        )?;
        let current = current.into_iter().map(|task| task.id).collect();
        let at = std::time::Instant::now();
        Ok(Seen { service, tasks, current, nodes, at, there })
    }

    async fn failure(
        &self,
        id: &str,
        reason: Reason,
        progress: Progress,
        seen: Option<Seen>,
    ) -> ConvergeFailure {
        let Some(seen) = seen else {
            let service = id.to_owned();
            return ConvergeFailure { service, reason, progress, problems: Vec::new(), log: Vec::new() };
        };
        let service = seen.service.name().to_owned();
        // After a rollback the failed tasks are no longer those of the current specification.
        let any = matches!(reason, Reason::RolledBack(..));
        let failed: Vec<&Task> = seen
            .tasks
            .iter()
            .filter(|task| (any || seen.current.contains(&task.id)) && is_problem(task))
            .collect();
        let problems = problems(&service, &failed, &seen.nodes);
        let newest = failed
            .iter()
            .filter(|task| matches!(task.status.state, TaskState::Failed | TaskState::Complete))
            .max_by(|a, b| a.status.timestamp.cmp(&b.status.timestamp));
        let log = match newest {
            Some(task) if reason != Reason::Stopped => self.last_lines(&task.id).await,
            _ => Vec::new(),
        };
        ConvergeFailure { service, reason, progress, problems, log }
    }

    /// The last lines that a task wrote, as far as they come in time.
    async fn last_lines(&self, task: &str) -> Vec<String> {
        let Ok((_, bollard)) = self.bollard().await else { return Vec::new() };
        let tail = LOG_LINES.to_string();
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&tail).build();
        let mut stream = Box::pin(bollard.task_logs(task, Some(options)));
        let mut lines = Vec::new();
        let read = async {
            while let Some(Ok(output)) = stream.next().await {
                lines.push(printable(&output.into_bytes()));
            }
        };
        tokio::select! {
            () = self.0.stop.cancelled() => {}
            _ = tokio::time::timeout(LOG_LIMIT, read) => {}
        }
        lines.drain(..lines.len().saturating_sub(LOG_LINES));
        lines
    }
}

/// A line as it can be shown: no control characters, and not too long.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end().chars().filter(|next| !next.is_control() || *next == '\t').take(LOG_WIDTH).collect()
}

/// When the last of the current tasks got where it is.
fn since(seen: &Seen) -> Option<String> {
    let current = seen.tasks.iter().filter(|task| seen.current.contains(&task.id));
    let there = current.filter(|task| matches!(task.status.state, TaskState::Running | TaskState::Complete));
    there.map(|task| task.status.timestamp.clone()).max_by_key(|time| super::swarm::parse_time(time))
}

fn is_problem(task: &Task) -> bool {
    match task.status.state {
        TaskState::Failed | TaskState::Rejected => true,
        TaskState::Complete => true,
        state => has_no_node(task) || (state < TaskState::Running && !task.status.err.is_empty()),
    }
}

/// Each different error once, the most frequent first.
fn problems(service: &str, failed: &[&Task], nodes: &[Node]) -> Vec<TaskProblem> {
    let mut found = BTreeMap::<(String, &str), TaskProblem>::new();
    for task in failed {
        let error = match (task.status.state, task.status.err.trim()) {
            (TaskState::Complete, _) => "it ended by itself, without an error",
            (_, "") => task.status.message.trim(),
            (_, error) => error,
        };
        let node = nodes.iter().find(|node| node.id == task.node_id).map_or("", |node| node.hostname());
        let mut place = service.to_owned();
        if task.slot > 0 {
            place = format!("{place}.{}", task.slot);
        }
        if !node.is_empty() {
            place = format!("{place} on {node}");
        }
        let problem =
            found.entry((error.to_owned(), task.status.state.as_str())).or_insert_with(|| TaskProblem {
                state: task.status.state,
                error: error.to_owned(),
                places: BTreeSet::new(),
                times: 0,
            });
        problem.places.insert(place);
        problem.times += 1;
    }
    let mut problems: Vec<_> = found.into_values().collect();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.times));
    problems
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, ok, refuse};
    use super::*;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    /// An Engine that tells no events, with a service whose only task is in the next of these states at each look.
    fn engine(states: &'static [&'static str], err: &'static str) -> Scripted {
        let looks = AtomicU32::new(0);
        Scripted::new(move |asked| match asked.what.as_str() {
            "GET /services/id" => ok(json!({"ID": "id", "Spec": {"Name": "web"}})),
            "GET /tasks" => {
                // Each look asks for all tasks and for the current ones.
                let look = (looks.fetch_add(1, SeqCst) / 2) as usize;
                let state = states[look.min(states.len() - 1)];
                ok(json!([{"ID": "t", "Slot": 1, "NodeID": "n", "DesiredState": "running",
                    "Status": {"State": state, "Err": err, "Timestamp": "2026-01-01T00:00:00Z"}}]))
            }
            "GET /nodes" => ok(json!([{"ID": "n", "Description": {"Hostname": "hub"}}])),
            "GET /events" => refuse(500, "no events today"),
            _ => ok(Value::Null),
        })
    }

    fn soon() -> Wait {
        Wait {
            stability: Duration::ZERO,
            grace: Duration::from_millis(300),
            ..Wait::at_most(Duration::from_secs(5))
        }
    }

    #[tokio::test]
    async fn it_is_seen_without_any_event() {
        let engine = engine(&["pending", "preparing", "running"], "");
        let converged = engine.docker.converge("id", soon()).await.unwrap();
        assert_eq!(converged.progress, Progress { done: 1, wanted: 1 });
        assert_eq!(converged.since.as_deref(), Some("2026-01-01T00:00:00Z"));
    }

    #[tokio::test]
    async fn a_failure_tells_the_words_of_the_tasks() {
        let engine =
            engine(&["pending"], "no suitable node (scheduling constraints not satisfied on 1 node)");
        let failure = engine.docker.converge("id", soon()).await.unwrap_err();
        assert_eq!(failure.reason, Reason::NoSuitableNode);
        assert_eq!(
            failure.to_string(),
            "Service `web`: no node can take a task of it. 0 of 1 tasks are there.\n\
             - no suitable node (scheduling constraints not satisfied on 1 node) (pending, 1×: web.1 on hub)"
        );
    }

    #[tokio::test]
    async fn the_limit_a_stop_and_a_removal_end_the_wait() {
        let starting = engine(&["starting"], "");
        let short = Wait { limit: Duration::from_millis(200), ..soon() };
        let reason = starting.docker.converge("id", short).await.unwrap_err().reason;
        assert_eq!(reason, Reason::TimedOut(short.limit));
        let stop = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            starting.docker.stop();
        };
        let (stopped, ()) = tokio::join!(starting.docker.converge("id", soon()), stop);
        assert_eq!(stopped.unwrap_err().reason, Reason::Stopped);
        let gone = Scripted::new(|_| refuse(404, "service id not found"));
        assert_eq!(gone.docker.converge("id", soon()).await.unwrap_err().reason, Reason::Removed);
    }

    #[test]
    fn output_is_made_fit_to_be_shown() {
        assert_eq!(printable(b"\x1b[31mred\x07\ttab\r\n"), "[31mred\ttab");
        assert_eq!(printable(&[b'x'; 5000]).len(), LOG_WIDTH);
    }
}
