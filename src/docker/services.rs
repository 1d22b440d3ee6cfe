//! Services of the swarm.

use super::call::{RegistryAuth, Request, segment};
use super::creation::Creation;
use super::error::{Error, Found, Kind, Result};
use super::object::{Extra, ObjectVersion, engine_words, null_as_default};
use super::pace::Repeat;
use super::shared::Wanted;
use super::spec::{PortConfig, ServiceSpec};
use super::{Docker, decode, swarm};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A service. Its specification is what was asked for; whether the swarm got there is another question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Service {
    /// Identifier, 25 characters.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version index.
    pub version: ObjectVersion,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When it was changed last, in RFC 3339.
    pub updated_at: String,
    /// What was asked for.
    pub spec: ServiceSpec,
    /// What was asked for before the last update; a rollback returns to it.
    pub previous_spec: Option<ServiceSpec>,
    /// The ports and addresses that the swarm allocated.
    pub endpoint: Endpoint,
    /// The last update, absent unless it concerned tasks.
    pub update_status: Option<UpdateStatus>,
    /// The current run of a job.
    pub job_status: Option<JobStatus>,
    /// How many tasks there are, where that was asked for.
    pub service_status: Option<ServiceStatus>,
    /// Fields that this provider does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What the swarm allocated for a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Endpoint {
    /// Published ports, with the ones that the swarm chose.
    #[serde(deserialize_with = "null_as_default")]
    pub ports: Vec<PortConfig>,
    /// Its addresses in its networks.
    #[serde(rename = "VirtualIPs", deserialize_with = "null_as_default")]
    pub virtual_ips: Vec<VirtualIp>,
    /// Fields that this provider does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An address of a service in a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VirtualIp {
    /// ID of the network.
    #[serde(rename = "NetworkID")]
    pub network_id: String,
    /// The address, with the length of the network's prefix behind a slash.
    pub addr: String,
}

/// How many tasks a service has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceStatus {
    /// Those that run.
    pub running_tasks: u64,
    /// Those that are to run.
    pub desired_tasks: u64,
    /// Those of a job that have completed.
    pub completed_tasks: u64,
}

engine_words! {
    /// How far an update is.
    UpdateState {
        /// Tasks are being replaced.
        Updating = "updating",
        /// It stopped because of failures.
        Paused = "paused",
        /// All tasks were replaced, and watched for a while.
        Completed = "completed",
        /// It failed and is being undone; the specification is the former one already.
        RollbackStarted = "rollback_started",
        /// Undoing it failed, too.
        RollbackPaused = "rollback_paused",
        /// It failed and was undone.
        RollbackCompleted = "rollback_completed",
    }
}

/// The last update of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateStatus {
    /// How far it is.
    pub state: UpdateState,
    /// When it began, in RFC 3339.
    pub started_at: String,
    /// When it ended, in RFC 3339.
    pub completed_at: String,
    /// More about the state, in the Engine's words.
    pub message: String,
}

/// The current run of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JobStatus {
    /// Number of the run.
    pub job_iteration: ObjectVersion,
    /// When it began, in RFC 3339.
    pub last_execution: String,
}

/// What is to become of an edited specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is not written.
    None,
    /// It is written if it is another one now.
    IfAny,
    /// The same, and also where the swarm has paused the last update: that goes on with the next write only, be it the same.
    OrGoesOn,
    /// It is written in any case, since there are new credentials to keep with it.
    Always,
}

impl Service {
    /// The name.
    pub fn name(&self) -> &str {
        self.spec.name.as_deref().unwrap_or_default()
    }
}

impl Docker {
    /// All services, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn services(&self) -> Result<Arc<[Service]>> {
        self.list_services(Wanted::Shared).await
    }

    /// All services, as of now.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn services_now(&self) -> Result<Arc<[Service]>> {
        self.list_services(Wanted::Fresh).await
    }

    /// All services with how many tasks they have, as old as this walk's picture of the swarm may be. The Engine counts
    /// them for it, so they are asked for only where they are needed.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn services_with_status(&self) -> Result<Arc<[Service]>> {
        let fetch = || async { self.read(&Request::get("/services").query("status", true)).await };
        self.0.counted_services.get(Wanted::Shared, fetch).await
    }

    async fn list_services(&self, wanted: Wanted) -> Result<Arc<[Service]>> {
        self.0.services.get(wanted, || async { self.read(&Request::get("/services")).await }).await
    }

    /// What was listed is not so any more.
    fn forget_services(&self) {
        self.0.services.forget();
        self.0.counted_services.forget();
    }

    /// The service with this ID, out of [`Docker::services`].
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn service(&self, id: &str) -> Result<Service> {
        let services = self.services().await?;
        services.iter().find(|service| service.id == id).cloned().ok_or_else(|| gone(id))
    }

    /// The service with exactly this ID or name, as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn find_service(&self, id_or_name: &str) -> Result<Service> {
        let services = self.services_now().await?;
        let by_id = services.iter().find(|service| service.id == id_or_name);
        let found = by_id.or_else(|| services.iter().find(|service| service.name() == id_or_name));
        found.cloned().ok_or_else(|| gone(id_or_name))
    }

    /// The service with this ID, read by itself.
    ///
    /// # Errors
    /// [`Error::NotFound`], and whatever keeps the Engine from answering.
    pub async fn inspect_service(&self, id: &str) -> Result<Service> {
        let service: Service =
            self.read(&Request::get(format!("/services/{}", segment(id))).about(Kind::Service, id)).await?;
        // An Engine also answers to names and to the beginning of an ID.
        if service.id == id { Ok(service) } else { Err(gone(id)) }
    }

    /// Creates a service and answers its ID. It does not wait for its tasks: see [`Docker::converge`].
    ///
    /// Where the answer gets lost, the service is looked for: one of the same name, labels and image that is not
    /// older than the attempt is the one that was asked for.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::Api`] for what the Engine refuses, and whatever keeps it from answering.
    pub async fn create_service(&self, spec: &ServiceSpec, auth: Option<&RegistryAuth>) -> Result<String> {
        let name = spec.name.as_deref().unwrap_or_default();
        let since = self.clock().await;
        let request = Request::post("/services/create").creates(Kind::Service, name);
        let request = request.registry_auth(auth)?.json(spec)?;
        let created = self.create(&request).await;
        self.forget_services();
        match created? {
            Creation::Made(id) => Ok(id),
            Creation::TakenPerhapsByUs => self.lost_service(spec, since).await,
        }
    }

    async fn lost_service(&self, wanted: &ServiceSpec, since: Option<swarm::Moment>) -> Result<String> {
        let name = wanted.name.clone().unwrap_or_default();
        let taken = || Error::NameTaken { kind: Kind::Service, name: name.clone() };
        let found = self.find_service(&name).await.found()?.ok_or_else(taken)?;
        let ours = found.spec.labels.clone().unwrap_or_default() == wanted.labels.clone().unwrap_or_default()
            && found.spec.image() == wanted.image()
            && swarm::not_older(&found.created_at, since);
        if ours { Ok(found.id) } else { Err(taken()) }
    }

    /// Changes a service: reads it afresh, lets `edit` change the specification, and writes it as `edit` answers. Answers
    /// whether the swarm brings about what it is then: since it was written here, or since an earlier write of the same is
    /// not done yet and may still be rolled back. `edit` runs again where somebody else wrote in between.
    ///
    /// Without `auth`, the credentials that the service has stay.
    ///
    /// # Errors
    /// Those of `edit`, [`Error::NotFound`], [`Error::OutOfSequence`] where others change it all the time, and
    /// [`Error::Api`] for what the Engine refuses.
    pub async fn update_service(
        &self,
        id: &str,
        auth: Option<&RegistryAuth>,
        mut edit: impl FnMut(&mut ServiceSpec) -> Result<Change> + Send,
    ) -> Result<bool> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        let done = loop {
            match self.update_service_once(id, auth, &mut edit).await {
                // Where an answer got lost and nothing is left to change, the write was done.
                Ok(under_way) => break Ok(under_way || unsure),
                Err(error) => {
                    unsure |= error.may_have_happened();
                    if let Err(error) = attempts.pause(error).await {
                        break Err(error);
                    }
                }
            }
        };
        self.forget_services();
        done
    }

    async fn update_service_once(
        &self,
        id: &str,
        auth: Option<&RegistryAuth>,
        edit: &mut (dyn FnMut(&mut ServiceSpec) -> Result<Change> + Send),
    ) -> Result<bool> {
        let path = format!("/services/{}", segment(id));
        let read = Request::get(path.as_str()).about(Kind::Service, id);
        let Service { version, mut spec, update_status, .. } =
            decode(|| read.what(), &self.call_once(&read).await?)?;
        let before = spec.clone();
        let is =
            |states: &[UpdateState]| update_status.as_ref().is_some_and(|last| states.contains(&last.state));
        match edit(&mut spec)? {
            Change::Always => {}
            Change::IfAny | Change::OrGoesOn if spec != before => {}
            Change::OrGoesOn if is(&[UpdateState::Paused, UpdateState::RollbackPaused]) => {}
            Change::IfAny | Change::OrGoesOn => return Ok(is(&[UpdateState::Updating])),
            Change::None => return Ok(false),
        }
        let mut write = Request::post(format!("{path}/update")).query("version", version.index);
        if auth.is_none() {
            write = write.query("registryAuthFrom", "spec");
        }
        let write = write.about(Kind::Service, id).registry_auth(auth)?.json(&spec)?;
        self.call_once(&write).await?;
        Ok(true)
    }

    /// Removes a service. Its tasks go afterwards: see [`Docker::wait_service_gone`].
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone, and whatever keeps the Engine from answering.
    pub async fn remove_service(&self, id: &str) -> Result<()> {
        let request = Request::delete(format!("/services/{}", segment(id))).about(Kind::Service, id);
        let removed = self.remove(&request).await;
        self.forget_services();
        removed
    }
}

impl ServiceSpec {
    /// The image of the tasks.
    pub fn image(&self) -> Option<&str> {
        self.task_template.as_ref()?.container_spec.as_ref()?.image.as_deref()
    }
}

fn gone(name: &str) -> Error {
    Error::NotFound { kind: Kind::Service, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok, refuse};
    use super::*;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    /// An Engine with one service, which refuses a number of writes as out of sequence.
    fn engine(conflicts: u32) -> Scripted {
        let conflicts = AtomicU32::new(conflicts);
        Scripted::new(move |asked| match asked.what.as_str() {
            "GET /services/id" => ok(json!({
                "ID": "id", "Version": {"Index": 7},
                "Spec": {"Name": "web", "New": 1, "TaskTemplate": {"ContainerSpec": {"Image": "a", "Healthcheck": {"Test": ["NONE"]}}}},
            })),
            _ if conflicts.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() => {
                refuse(500, "rpc error: code = Unknown desc = update out of sequence")
            }
            _ => ok(Value::Null),
        })
    }

    fn relabel(spec: &mut ServiceSpec) -> Result<Change> {
        spec.labels.get_or_insert_default().insert("k".into(), "v".into());
        Ok(Change::IfAny)
    }

    #[tokio::test]
    async fn an_update_keeps_what_it_does_not_change() {
        let engine = engine(2);
        assert_eq!(engine.docker.update_service("id", None, relabel).await, Ok(true));
        let last = engine.asked().pop().unwrap();
        assert_eq!(
            (last.what.as_str(), last.query.as_str()),
            ("POST /services/id/update", "version=7&registryAuthFrom=spec")
        );
        assert_eq!((&last.body["New"], &last.body["Labels"]), (&json!(1), &json!({"k": "v"})));
        let healthcheck = &last.body["TaskTemplate"]["ContainerSpec"]["Healthcheck"];
        assert_eq!(healthcheck, &json!({"Test": ["NONE"]}));
        assert_eq!(engine.count("GET /services/id"), 3, "each attempt starts with a fresh read");
    }

    #[tokio::test]
    async fn nothing_is_sent_where_nothing_changes() {
        let engine = engine(0);
        assert_eq!(engine.docker.update_service("id", None, |_| Ok(Change::IfAny)).await, Ok(false));
        let refused = |_: &mut ServiceSpec| Err(Error::Stopped);
        assert_eq!(engine.docker.update_service("id", None, refused).await, Err(Error::Stopped));
        assert_eq!(engine.count("POST /services/id/update"), 0);
        assert_eq!(engine.docker.update_service("id", None, |_| Ok(Change::Always)).await, Ok(true));
    }

    /// A host that was cut off made an update fail for which a second apply waited: it took the rollback for the end.
    #[tokio::test]
    async fn an_update_that_is_under_way_counts_as_written_here() {
        for (state, is_under_way) in [("updating", true), ("completed", false), ("rollback_completed", false)]
        {
            let engine = Scripted::new(move |_| {
                ok(json!({"ID": "id", "Spec": {"Name": "web"}, "UpdateStatus": {"State": state}}))
            });
            let updated = engine.docker.update_service("id", None, |_| Ok(Change::IfAny)).await;
            assert_eq!(updated, Ok(is_under_way), "{state}");
            assert_eq!(engine.count("POST /services/id/update"), 0);
        }
    }

    #[tokio::test]
    async fn an_update_that_is_paused_goes_on_with_the_same_where_that_is_asked_for() {
        for (change, writes) in [(Change::IfAny, 0), (Change::OrGoesOn, 1), (Change::None, 0)] {
            let engine = Scripted::new(|_| {
                ok(json!({"ID": "id", "Spec": {"Name": "web"}, "UpdateStatus": {"State": "paused"}}))
            });
            let updated = engine.docker.update_service("id", None, |_| Ok(change)).await;
            assert_eq!(updated, Ok(writes > 0), "{change:?}");
            assert_eq!(engine.count("POST /services/id/update"), writes);
        }
    }

    #[tokio::test]
    async fn a_write_whose_answer_was_lost_counts_as_one() {
        let writes = AtomicU32::new(0);
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "GET /services/id" => {
                let labels = if writes.load(SeqCst) == 0 { json!({}) } else { json!({"k": "v"}) };
                ok(json!({"ID": "id", "Version": {"Index": 7}, "Spec": {"Name": "web", "Labels": labels}}))
            }
            _ => {
                writes.fetch_add(1, SeqCst);
                Answer::HangUp
            }
        });
        assert_eq!(engine.docker.update_service("id", None, relabel).await, Ok(true));
        assert_eq!(engine.count("POST /services/id/update"), 1);
    }

    #[tokio::test]
    async fn new_credentials_are_sent_instead_of_the_old_ones() {
        let engine = engine(0);
        let auth = RegistryAuth { username: "u".into(), ..RegistryAuth::default() };
        engine.docker.update_service("id", Some(&auth), relabel).await.unwrap();
        assert_eq!(engine.asked().pop().unwrap().query, "version=7");
    }

    #[tokio::test]
    async fn the_beginning_of_an_id_is_no_id() {
        let engine = Scripted::new(|_| ok(json!({"ID": "identity"})));
        assert!(matches!(engine.docker.inspect_service("id").await, Err(Error::NotFound { .. })));
    }
}
