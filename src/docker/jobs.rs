//! Services whose tasks are to complete: what it takes to remove one.

use super::Docker;
use super::error::{Error, Result};
use super::services::Change;
use super::spec::ServiceSpec;
use super::tasks::TaskState;
use std::time::Duration;
use tokio::time::Instant;

impl Docker {
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
    /// Lets a job have no tasks: none at all, or on no node.
    fn have_no_tasks(&mut self) {
        if let Some(job) = self.mode.as_mut().and_then(|mode| mode.replicated_job.as_mut()) {
            (job.max_concurrent, job.total_completions) = (Some(0), Some(0));
            return;
        }
        let placement = self.task_template.get_or_insert_default().placement.get_or_insert_default();
        placement.constraints = Some(vec!["node.id==none".to_owned()]);
    }
}
