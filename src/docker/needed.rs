//! Who may still need a secret or a config.
//!
//! The Engine keeps one only while the specification of a service names it. The tasks that an update has yet to replace,
//! and the specification that the swarm rolls back to where the update fails, need what they name as well.

use super::Docker;
use super::blobs::{Blob, BlobKind};
use super::call::Request;
use super::error::{Found, Result};
use super::services::{Service, UpdateState};
use super::spec::{ServiceSpec, TaskSpec};
use super::tasks::{Task, TaskState};
use std::collections::BTreeSet;

impl Docker {
    /// Removes those of these secrets or configs that nobody needs any more, and answers the IDs of those that stay for
    /// another time.
    pub async fn remove_unneeded_blobs(&self, kind: BlobKind, blobs: &[&Blob]) -> BTreeSet<String> {
        let all = || blobs.iter().map(|blob| blob.id.clone()).collect();
        if blobs.is_empty() {
            return all();
        }
        let needed = match self.needed_blobs(kind).await {
            Ok(needed) => needed,
            Err(error) => {
                tracing::debug!(%error, "older generations stay, since who needs them cannot be seen");
                return all();
            }
        };
        let mut stay = BTreeSet::new();
        for blob in blobs {
            if needed.contains(&blob.id) {
                stay.insert(blob.id.clone());
            } else if let Err(error) = self.remove_blob(kind, &blob.id).await.found() {
                tracing::debug!(name = blob.name, %error, "an older generation stays");
                stay.insert(blob.id.clone());
            }
        }
        stay
    }

    async fn needed_blobs(&self, kind: BlobKind) -> Result<BTreeSet<String>> {
        let services = self.services_now().await?;
        let tasks: Vec<Task> = self.read(&Request::get("/tasks")).await?;
        let of_services = services.iter().flat_map(Service::may_become).filter_map(ServiceSpec::of_tasks);
        let is_to_run =
            |task: &&Task| task.desired_state <= TaskState::Complete && task.status.state.is_alive();
        let of_tasks = tasks.iter().filter(is_to_run).map(|task| &task.spec);
        Ok(of_services.chain(of_tasks).flat_map(|spec| spec.named_blobs(kind)).collect())
    }
}

impl Service {
    /// What it is, and what it becomes again where its update fails.
    fn may_become(&self) -> impl Iterator<Item = &ServiceSpec> {
        let is_over = self.update_status.as_ref().is_none_or(|update| {
            matches!(update.state, UpdateState::Completed | UpdateState::RollbackCompleted)
        });
        [Some(&self.spec), self.previous_spec.as_ref().filter(|_| !is_over)].into_iter().flatten()
    }
}

impl ServiceSpec {
    fn of_tasks(&self) -> Option<&TaskSpec> {
        self.task_template.as_ref()
    }
}

impl TaskSpec {
    fn named_blobs(&self, kind: BlobKind) -> Vec<String> {
        let Some(container) = &self.container_spec else { return vec![] };
        match kind {
            BlobKind::Secret => {
                container.secrets.iter().flatten().filter_map(|own| own.secret_id.clone()).collect()
            }
            BlobKind::Config => {
                container.configs.iter().flatten().filter_map(|own| own.config_id.clone()).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok, refuse};
    use super::*;
    use serde_json::{Value, json};

    fn with(secret: &str) -> Value {
        json!({"ContainerSpec": {"Secrets": [{"SecretID": secret, "SecretName": secret}]}})
    }

    /// Which of a few secrets are removed while a service is being updated from `old` to `now`.
    async fn removed(state: &'static str) -> Vec<String> {
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "GET /services" => ok(json!([{
                "ID": "s", "Spec": {"Name": "web", "TaskTemplate": with("now")},
                "PreviousSpec": {"Name": "web", "TaskTemplate": with("old")},
                "UpdateStatus": {"State": state},
            }])),
            "GET /tasks" => ok(json!([
                {"ID": "a", "DesiredState": "running", "Status": {"State": "running"}, "Spec": with("older")},
                {"ID": "b", "DesiredState": "shutdown", "Status": {"State": "running"}, "Spec": with("oldest")},
            ])),
            _ => Answer::Json(204, Value::Null),
        });
        let blobs = ["now", "old", "older", "oldest"].map(|id| Blob { id: id.into(), ..Blob::default() });
        let stay = engine.docker.remove_unneeded_blobs(BlobKind::Secret, &blobs.each_ref()).await;
        let gone: Vec<String> =
            blobs.iter().map(|blob| blob.id.clone()).filter(|id| !stay.contains(id)).collect();
        assert!(gone.iter().all(|id| engine.count(&format!("DELETE /secrets/{id}")) == 1));
        gone
    }

    #[tokio::test]
    async fn what_an_update_may_still_need_stays() {
        assert_eq!(removed("updating").await, ["oldest"]);
        assert_eq!(removed("paused").await, ["oldest"]);
        assert_eq!(removed("completed").await, ["old", "oldest"]);
    }

    #[tokio::test]
    async fn where_it_cannot_be_seen_who_needs_what_all_stays() {
        let engine = Scripted::new(|_| refuse(400, "no"));
        let blob = Blob { id: "a".into(), ..Blob::default() };
        assert_eq!(engine.docker.remove_unneeded_blobs(BlobKind::Config, &[&blob]).await.len(), 1);
        assert_eq!(engine.count("DELETE /configs/a"), 0);
    }
}
