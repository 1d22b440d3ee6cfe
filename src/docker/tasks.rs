//! Tasks: what services run on nodes.

use super::call::Request;
use super::error::{Error, Kind, Result};
use super::object::{Extra, ObjectVersion};
use super::{Docker, Node, NodeState, TaskSpec};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// A state of a task, in the order in which a task goes through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// Made.
    #[default]
    New,
    /// Resources were allocated.
    Allocated,
    /// It waits for a node.
    Pending,
    /// It has a node.
    Assigned,
    /// The node has accepted it.
    Accepted,
    /// The node prepares it, for example pulls its image.
    Preparing,
    /// It is prepared.
    Ready,
    /// It is starting; with a health check, until it is healthy.
    Starting,
    /// It runs.
    Running,
    /// It ended well.
    Complete,
    /// It was stopped.
    Shutdown,
    /// It ended badly.
    Failed,
    /// Its node refused it.
    Rejected,
    /// It is to be removed.
    Remove,
    /// Its node was gone for too long.
    Orphaned,
    /// A word that this provider does not know; it counts as neither running nor ended.
    Unknown,
}

const STATES: &[(TaskState, &str)] = &[
    (TaskState::New, "new"),
    (TaskState::Allocated, "allocated"),
    (TaskState::Pending, "pending"),
    (TaskState::Assigned, "assigned"),
    (TaskState::Accepted, "accepted"),
    (TaskState::Preparing, "preparing"),
    (TaskState::Ready, "ready"),
    (TaskState::Starting, "starting"),
    (TaskState::Running, "running"),
    (TaskState::Complete, "complete"),
    (TaskState::Shutdown, "shutdown"),
    (TaskState::Failed, "failed"),
    (TaskState::Rejected, "rejected"),
    (TaskState::Remove, "remove"),
    (TaskState::Orphaned, "orphaned"),
    (TaskState::Unknown, "unknown"),
];

impl TaskState {
    /// The word of the Engine API.
    pub fn as_str(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("unknown", |(_, word)| word)
    }

    /// Whether a task in this state can still hold a port, a mount or a network.
    pub fn is_alive(self) -> bool {
        self <= Self::Running || self == Self::Unknown
    }
}

impl std::fmt::Display for TaskState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TaskState {
    fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TaskState {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let word = String::deserialize(input)?;
        Ok(STATES.iter().find(|(_, known)| *known == word).map_or(Self::Unknown, |(state, _)| *state))
    }
}

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Task {
    /// Identifier.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version index.
    pub version: ObjectVersion,
    /// When it was created, in RFC 3339, by the manager's clock.
    pub created_at: String,
    /// When it was changed last, in RFC 3339, by the manager's clock.
    pub updated_at: String,
    /// What it is to be.
    pub spec: TaskSpec,
    /// The service.
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    /// The place among the replicas, from 1; 0 for global services.
    pub slot: u64,
    /// The node, empty until it has one.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// How it is.
    pub status: TaskStatus,
    /// What the manager wants it to be.
    pub desired_state: TaskState,
    /// The run of the job that it belongs to.
    pub job_iteration: Option<ObjectVersion>,
    /// Fields that this provider does not know, its network addresses among them.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How a task is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskStatus {
    /// When it got so, in RFC 3339, by the clock of whoever said so.
    pub timestamp: String,
    /// The state.
    pub state: TaskState,
    /// More about the state, in the Engine's words.
    pub message: String,
    /// What went wrong, in the Engine's words.
    pub err: String,
    /// The container.
    pub container_status: Option<ContainerStatus>,
    /// Fields that this provider does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The container of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerStatus {
    /// Identifier of the container.
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// Process.
    #[serde(rename = "PID")]
    pub pid: i64,
    /// What it ended with.
    pub exit_code: i64,
}

impl Docker {
    /// All tasks of a service, old and new.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the service is gone, and whatever keeps the Engine from answering.
    pub async fn tasks(&self, service_id: &str) -> Result<Vec<Task>> {
        let request = Request::get("/tasks").filter(&[("service", service_id)]);
        self.read(&request.about(Kind::Service, service_id)).await
    }

    /// The tasks of a service that are made after its current specification, ended ones too.
    ///
    /// The filter `_up-to-date` is the one that the `docker` command waits with.
    ///
    /// # Errors
    /// As [`Docker::tasks`].
    pub async fn tasks_up_to_date(&self, service_id: &str) -> Result<Vec<Task>> {
        let request = Request::get("/tasks").filter(&[("service", service_id), ("_up-to-date", "true")]);
        self.read(&request.about(Kind::Service, service_id)).await
    }

    /// Those of these tasks that have not ended. One whose node is down or has left counts as ended: nobody is there to
    /// tell, and the swarm itself gives it up only after a day.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn not_ended(&self, tasks: Vec<Task>) -> Result<Vec<Task>> {
        let mut alive: Vec<Task> = tasks.into_iter().filter(|task| task.status.state.is_alive()).collect();
        if alive.is_empty() {
            return Ok(alive);
        }
        let nodes = self.nodes_now().await?;
        alive.retain(|task| {
            let is_up = |node: &Node| node.id == task.node_id && node.status.state != NodeState::Down;
            task.node_id.is_empty() || nodes.iter().any(is_up)
        });
        Ok(alive)
    }

    /// Waits until a removed service has no task any more that holds a port, a network or a volume.
    ///
    /// Tasks of a removed service cannot be asked for by its ID (that is a 404), but by the beginning of
    /// their names, which is the service's name and a dot.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, and whatever keeps the Engine from answering.
    pub async fn wait_service_gone(&self, id: &str, name: &str, limit: Duration) -> Result<()> {
        let started = Instant::now();
        let request = Request::get("/tasks").filter(&[("name", &format!("{name}."))]);
        let mut pause = Duration::from_millis(50);
        loop {
            let mut tasks: Vec<Task> = self.read(&request).await?;
            // A service of the same name may have been created meanwhile; its tasks are not meant.
            tasks.retain(|task| task.service_id == id);
            if self.not_ended(tasks).await?.is_empty() {
                return Ok(());
            }
            if started.elapsed() + pause > limit {
                return Err(Error::Timeout {
                    what: format!("tasks of the removed service `{name}` still run"),
                    after: limit,
                });
            }
            self.sleep(pause).await?;
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }

    /// Waits that long before another look, unless Terraform stops.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn nap(&self, pause: Duration) -> Result<()> {
        self.sleep(pause).await
    }

    /// Sleeps, unless Terraform stops.
    pub(super) async fn sleep(&self, pause: Duration) -> Result<()> {
        tokio::select! {
            () = self.0.stop.cancelled() => Err(Error::Stopped),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_ordered_and_new_ones_do_no_harm() {
        assert!(TaskState::Pending < TaskState::Running && TaskState::Running < TaskState::Failed);
        let task: Task = serde_json::from_str(r#"{"ID":"t","Status":{"State":"brandnew"}}"#).unwrap();
        assert_eq!(task.status.state, TaskState::Unknown);
        assert!(STATES.iter().all(|(state, word)| state.as_str() == *word));
    }
}
