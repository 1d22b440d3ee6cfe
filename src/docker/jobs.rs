//! Services whose tasks are to complete: what it takes to run one, and to remove one.

use super::call::RegistryAuth;
use super::converge::has_no_node;
use super::error::{Error, Found, Result};
use super::events::{Event, wait};
use super::services::Change;
use super::spec::ServiceSpec;
use super::tasks::{Task, TaskState};
use super::{Docker, NodeState};
use std::{fmt, pin::pin, time::Duration};
use tokio::time::Instant;

/// How long what a task has written is waited for once it has ended: it comes from its node by way of a manager.
const LATE_LINES: Duration = Duration::from_secs(5);

/// How a job of one task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The job's ID.
    pub job: String,
    /// The state of its task: `complete` if it went well.
    pub state: TaskState,
    /// What its process ended with.
    pub exit_code: i64,
    /// The Engine's own words about what went wrong.
    pub error: String,
}

/// Why the end of a job was not seen.
#[derive(Clone, Debug, PartialEq)]
pub enum JobFailure {
    /// Its task cannot begin; the Engine's words.
    CannotBegin(String),
    /// The Engine could not be asked.
    Engine(Error),
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotBegin(why) => write!(f, "its task cannot begin: {why}"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl From<Error> for JobFailure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl Docker {
    /// Runs a job of one task, gives each line that it writes to `take`, and answers how it ended. The job stays: see
    /// [`Docker::end_job`] and [`Docker::remove_service`].
    ///
    /// # Errors
    /// It cannot be made, its task finds no node within `grace`, or the Engine does not answer. There is no limit of time:
    /// who calls has one.
    pub async fn run_job(
        &self,
        spec: &ServiceSpec,
        auth: Option<&RegistryAuth>,
        grace: Duration,
        mut take: impl FnMut(&str) + Send,
    ) -> Result<Ended, JobFailure> {
        let id = self.create_service(spec, auth).await?;
        self.job_task(&id, grace, TaskState::Running).await?;
        let mut lines = pin!(self.service_lines(&id, true, None, |line| {
            take(line);
            true
        }));
        // Whether the task has ended is seen at the task alone: the stream may end before it does, or never.
        let mut ended = pin!(self.job_task(&id, grace, TaskState::Complete));
        let task = tokio::select! {
            read = &mut lines => {
                tracing::debug!(job = id, ?read, "the stream of its output ended");
                ended.await?
            }
            task = &mut ended => {
                tokio::time::timeout(LATE_LINES, lines).await.ok();
                task?
            }
        };
        let exit_code = task.status.container_status.map(|container| container.exit_code).unwrap_or_default();
        Ok(Ended { job: id.clone(), state: task.status.state, exit_code, error: task.status.err })
    }

    /// Waits until the one task of a job has got to a state, or past it.
    async fn job_task(&self, id: &str, grace: Duration, state: TaskState) -> Result<Task, JobFailure> {
        let mut events = self.events();
        let mut pause = Duration::from_millis(25);
        let mut without_node: Option<Instant> = None;
        loop {
            let newest = self.tasks(id).await?.into_iter().max_by(|a, b| a.created_at.cmp(&b.created_at));
            if let Some(task) = newest {
                if task.status.state >= state && task.status.state != TaskState::Unknown {
                    return Ok(task);
                }
                match has_no_node(&task) {
                    true if without_node.get_or_insert_with(Instant::now).elapsed() > grace => {
                        return Err(JobFailure::CannotBegin(task.status.err));
                    }
                    true => {}
                    false => without_node = None,
                }
            }
            tokio::select! {
                () = self.0.stop.cancelled() => return Err(Error::Stopped.into()),
                heard = wait(&mut events, pause, |event: &Event| event.service.as_deref() == Some(id)) => {
                    pause = if heard { Duration::from_millis(25) } else { (pause * 3 / 2).min(Duration::from_millis(250)) };
                }
            }
        }
    }

    /// The last lines that the tasks of a service wrote, as far as they come in time.
    pub async fn last_lines_of(&self, service: &str, count: usize) -> Vec<String> {
        self.last_service_lines(service, count, LATE_LINES).await
    }

    /// Removes the job with that ID or name with its task, if there is one. It waits until nothing of it runs any more.
    ///
    /// # Errors
    /// As [`Docker::end_job`], and the Engine's refusals.
    pub async fn remove_job(&self, id_or_name: &str, limit: Duration) -> Result<()> {
        let Some(job) = self.find_service(id_or_name).await.found()? else { return Ok(()) };
        self.end_job(&job.id, limit).await.found()?;
        self.remove_service(&job.id).await.found()?;
        self.wait_service_gone(&job.id, job.name(), limit).await
    }

    /// Waits until no task of a service can do anything any more that was made after an older specification: to be told to
    /// stop is not to have stopped.
    ///
    /// # Errors
    /// [`Error::Timeout`] says what is left after `limit`, or at once that a node is down, so that nobody knows what runs
    /// there.
    pub async fn wait_older_tasks_ended(&self, id: &str, limit: Duration) -> Result<()> {
        self.wait_tasks_ended(id, true, limit).await
    }

    /// The same for all tasks of a service, such as a job that was [ended](Docker::end_job).
    ///
    /// # Errors
    /// As [`Docker::wait_older_tasks_ended`].
    pub async fn wait_all_tasks_ended(&self, id: &str, limit: Duration) -> Result<()> {
        self.wait_tasks_ended(id, false, limit).await
    }

    async fn wait_tasks_ended(&self, id: &str, older_only: bool, limit: Duration) -> Result<()> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(25);
        loop {
            let current = if older_only { self.tasks_up_to_date(id).await? } else { vec![] };
            let mut left = self.tasks(id).await?;
            left.retain(|task| {
                let state = task.status.state;
                let is_current = current.iter().any(|current| current.id == task.id);
                state >= TaskState::Assigned && state.is_alive() && !is_current
            });
            if left.is_empty() {
                return Ok(());
            }
            let nodes = self.nodes_now().await?;
            let node = |task: &Task| nodes.iter().find(|node| node.id == task.node_id);
            let down = left.iter().filter_map(node).find(|node| node.status.state == NodeState::Down);
            let what = match down {
                Some(node) => {
                    format!("node `{}` is down, and a task may still run there", node.hostname())
                }
                None => format!("{} tasks have not ended", left.len()),
            };
            if down.is_some() || started.elapsed() > limit {
                return Err(Error::Timeout { what, after: started.elapsed() });
            }
            self.sleep(pause).await?;
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }

    /// Ends a job's tasks, so that it can be removed; of any other service nothing happens.
    ///
    /// Engine 20.10 does not: the tasks of a job that is removed run on until they end by themselves, and nothing can
    /// stop them any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone, [`Error::Timeout`] after `limit`, and whatever keeps the Engine from
    /// answering.
    pub async fn end_job(&self, id: &str, limit: Duration) -> Result<()> {
        let service = self.inspect_service(id).await?;
        let mode = service.spec.mode.unwrap_or_default();
        if mode.replicated_job.is_none() && mode.global_job.is_none() {
            return Ok(());
        }
        let started = Instant::now();
        let mut pause = Duration::from_millis(25);
        let mut is_told = false;
        loop {
            let mut tasks = self.tasks(id).await?;
            tasks.retain(|task| task.desired_state <= TaskState::Complete);
            // A task on a node that is down is told to stop, too: the node may come back.
            if !is_told && tasks.iter().any(|task| task.status.state.is_alive()) {
                // A run with no tasks, after which those of the last one are stopped.
                self.update_service(id, None, |spec| {
                    spec.have_no_tasks();
                    Ok(Change::Always)
                })
                .await?;
                is_told = true;
            } else if self.not_ended(tasks).await?.is_empty() {
                return Ok(());
            }
            if started.elapsed() > limit {
                let what = format!("tasks of the job `{}` still run", service.spec.name.unwrap_or_default());
                return Err(Error::Timeout { what, after: limit });
            }
            self.sleep(pause).await?;
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }
}

impl ServiceSpec {
    /// Lets a service have no tasks: as a job none at all, else none that find a node.
    pub fn have_no_tasks(&mut self) {
        if let Some(job) = self.mode.as_mut().and_then(|mode| mode.replicated_job.as_mut()) {
            (job.max_concurrent, job.total_completions) = (Some(0), Some(0));
            return;
        }
        let placement = self.task_template.get_or_insert_default().placement.get_or_insert_default();
        placement.constraints = Some(vec!["node.id==none".to_owned()]);
    }
}
