//! What secrets and configs have in common: a name, labels that can be changed, and data that cannot.

use super::call::{Request, segment};
use super::error::{Error, Kind, Result};
use super::events::{Event, wait};
use super::object::null_as_default;
use super::pace::Repeat;
use super::spec::ServiceSpec;
use super::{Docker, Extra, ObjectVersion, Service, decode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A secret or config as an update needs it.
#[derive(Deserialize)]
struct Versioned {
    #[serde(rename = "Version")]
    version: ObjectVersion,
    #[serde(rename = "Spec")]
    spec: LabelledSpec,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct LabelledSpec {
    #[serde(rename = "Labels", default, deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
    #[serde(flatten)]
    extra: Extra,
}

/// What a created object is answered with.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "ID")]
    id: String,
}

/// The request that creates a secret or config.
///
/// Reason for a request of ours: bollard takes the data as a plain `String`, and logs bodies.
pub(super) fn creation(
    kind: Kind,
    name: &str,
    labels: &BTreeMap<String, String>,
    data: &[u8],
) -> Result<Request> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Spec<'a> {
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
        data: &'a str,
    }
    let data = Zeroizing::new(STANDARD.encode(data));
    let request = Request::post(format!("/{kind}s/create")).creates(kind, name);
    request.json(&Spec { name, labels, data: &data })
}

/// What became of a creation.
pub(super) enum Creation {
    /// It was made, and this is its ID.
    Made(String),
    /// The name is taken, perhaps by an attempt of ours whose answer got lost.
    TakenPerhapsByUs,
}

impl Docker {
    /// Sends a creation until it is answered.
    pub(super) async fn create(&self, request: &Request) -> Result<Creation> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        loop {
            match self.call_once(request).await {
                Ok(bytes) => {
                    return Ok(Creation::Made(decode::<Created>(|| request.what(), &bytes)?.id));
                }
                Err(Error::NameTaken { .. }) if unsure => return Ok(Creation::TakenPerhapsByUs),
                Err(error) => {
                    unsure |= error.may_have_happened();
                    attempts.pause(error).await?;
                }
            }
        }
    }

    /// Sends a removal until it is answered. Where an answer got lost, "not found" at the next attempt is success.
    pub(super) async fn remove(&self, request: &Request) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        loop {
            match self.call_once(request).await {
                Ok(_) => return Ok(()),
                Err(Error::NotFound { .. }) if unsure => return Ok(()),
                Err(error) => {
                    unsure |= error.may_have_happened();
                    attempts.pause(error).await?;
                }
            }
        }
    }

    /// Changes the labels of a secret or config on a fresh read, again where somebody else wrote in between.
    pub(super) async fn update_labels(
        &self,
        kind: Kind,
        id: &str,
        edit: &mut (dyn FnMut(&mut BTreeMap<String, String>) + Send),
    ) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        loop {
            match self.update_labels_once(kind, id, edit).await {
                Err(error) => attempts.pause(error).await?,
                done => return done,
            }
        }
    }

    /// Reason for requests of ours: the specification is written back with every field that was read, known or not,
    /// but never with `Data`, which an Engine would take for a change and refuse.
    async fn update_labels_once(
        &self,
        kind: Kind,
        id: &str,
        edit: &mut (dyn FnMut(&mut BTreeMap<String, String>) + Send),
    ) -> Result<()> {
        let path = format!("/{kind}s/{}", segment(id));
        let read = Request::get(path.as_str()).about(kind, id);
        let Versioned { version, spec: before } = decode(|| read.what(), &self.call_once(&read).await?)?;
        let mut after = before.clone();
        edit(&mut after.labels);
        if after == before {
            return Ok(());
        }
        after.extra.remove("Data");
        let write = Request::post(format!("{path}/update")).query("version", version.index).about(kind, id);
        self.call_once(&write.json(&after)?).await.map(drop)
    }

    /// Removes a secret or config, once.
    pub(super) async fn remove_blob(&self, kind: Kind, id: &str) -> Result<()> {
        self.remove(&Request::delete(format!("/{kind}s/{}", segment(id))).about(kind, id)).await
    }

    /// The names of the services whose current specification uses a secret ([`Kind::Secret`]) or config
    /// ([`Kind::Config`]), as of now. The Engine refuses to remove what is used so, and only that.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn services_using(&self, kind: Kind, id: &str) -> Result<Vec<String>> {
        let services = self.services_now().await?;
        let using = services.iter().filter(|service| service.spec.uses(kind, id));
        let mut names: Vec<_> = using.map(|service: &Service| service.name().to_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// Removes a secret ([`Kind::Secret`]) or config ([`Kind::Config`]), and waits up to `limit` while a
    /// service uses it.
    ///
    /// # Errors
    /// [`Error::InUse`] after `limit`, [`Error::NotFound`] where it is gone, and whatever keeps the Engine from
    /// answering.
    pub async fn remove_when_unused(&self, kind: Kind, id: &str, limit: Duration) -> Result<()> {
        let until = Instant::now() + limit;
        let mut events = self.events();
        loop {
            let removed = match kind {
                Kind::Config => self.remove_config(id).await,
                _ => self.remove_secret(id).await,
            };
            let left = until.saturating_duration_since(Instant::now());
            match removed {
                Err(Error::InUse { .. }) if !left.is_zero() => {}
                removed => return removed,
            }
            let about_a_service = |event: &Event| event.service.is_some();
            tokio::select! {
                () = self.0.stop.cancelled() => return Err(Error::Stopped),
                _ = wait(&mut events, left.min(Duration::from_millis(500)), about_a_service) => {}
            }
        }
    }
}

impl ServiceSpec {
    /// Whether the tasks use a secret or config.
    pub fn uses(&self, kind: Kind, id: &str) -> bool {
        let Some(container) = self.task_template.as_ref().and_then(|task| task.container_spec.as_ref())
        else {
            return false;
        };
        match kind {
            Kind::Secret => {
                container.secrets.iter().flatten().any(|used| used.secret_id.as_deref() == Some(id))
            }
            Kind::Config => {
                container.configs.iter().flatten().any(|used| used.config_id.as_deref() == Some(id))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok, refuse};
    use super::super::shared::lock;
    use super::*;
    use serde_json::{Value, json};
    use std::sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    };

    const IN_USE: &str =
        "rpc error: code = InvalidArgument desc = secret 's' is in use by the following service: web";

    /// An Engine whose first answer to a creation gets lost, and that has a secret of that name afterwards.
    fn forgetful(created_at: &'static str, labels: Value) -> Scripted {
        let calls = AtomicU32::new(0);
        Scripted::new(move |asked| match asked.what.as_str() {
            "GET /info" => ok(json!({"SystemTime": "2026-01-01T00:00:00Z"})),
            "GET /secrets" => {
                ok(json!([{"ID": "made", "CreatedAt": created_at, "Spec": {"Name": "s", "Labels": labels}}]))
            }
            _ if calls.fetch_add(1, SeqCst) == 0 => Answer::HangUp,
            _ => refuse(409, "rpc error: code = AlreadyExists desc = secret s already exists"),
        })
    }

    async fn create(engine: &Scripted) -> Result<String> {
        engine.docker.info().await.unwrap();
        engine.docker.create_secret("s", &BTreeMap::from([("a".into(), "b".into())]), b"data").await
    }

    #[tokio::test]
    async fn a_secret_whose_answer_was_lost_is_found_again() {
        assert_eq!(create(&forgetful("2026-01-01T00:00:01Z", json!({"a": "b"}))).await, Ok("made".into()));
    }

    #[tokio::test]
    async fn a_foreign_secret_of_the_same_name_is_never_adopted() {
        let taken = Err(Error::NameTaken { kind: Kind::Secret, name: "s".into() });
        assert_eq!(create(&forgetful("2025-12-31T00:00:00Z", json!({"a": "b"}))).await, taken, "older");
        assert_eq!(create(&forgetful("2026-01-01T00:00:01Z", json!({}))).await, taken, "other labels");
    }

    #[tokio::test]
    async fn labels_are_written_without_data_and_with_what_is_not_known() {
        let engine = Scripted::new(|asked| match asked.what.as_str() {
            "GET /secrets/s" => {
                let spec =
                    json!({"Name": "s", "Labels": null, "Data": "eA==", "Templating": {"Name": "golang"}});
                ok(json!({"ID": "s", "Version": {"Index": 18_446_744_073_709_551_615_u64}, "Spec": spec}))
            }
            _ => ok(Value::Null),
        });
        let set = |labels: &mut BTreeMap<String, String>| drop(labels.insert("k".into(), "v".into()));
        engine.docker.update_secret_labels("s", set).await.unwrap();
        engine.docker.update_secret_labels("s", |_| ()).await.unwrap();
        let writes: Vec<_> =
            engine.asked().into_iter().filter(|asked| asked.what.starts_with("POST")).collect();
        assert_eq!(writes.len(), 1, "nothing is sent where nothing changes");
        assert_eq!(writes[0].query, "version=18446744073709551615");
        let written = json!({"Name": "s", "Labels": {"k": "v"}, "Templating": {"Name": "golang"}});
        assert_eq!(writes[0].body, written);
    }

    #[tokio::test]
    async fn a_removal_waits_while_a_service_uses_it() {
        let left = Mutex::new(2);
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "DELETE /secrets/s" => {
                let mut left = lock(&left);
                if *left == 0 {
                    return Answer::Json(204, Value::Null);
                }
                *left -= 1;
                refuse(400, IN_USE)
            }
            _ => ok(Value::Null),
        });
        engine.docker.remove_when_unused(Kind::Secret, "s", Duration::from_secs(5)).await.unwrap();
        assert_eq!(engine.count("DELETE /secrets/s"), 3);
    }

    #[tokio::test]
    async fn a_removal_that_waited_in_vain_names_the_service() {
        let engine = Scripted::new(|_| refuse(400, IN_USE));
        let error = engine.docker.remove_when_unused(Kind::Secret, "s", Duration::ZERO).await.unwrap_err();
        assert!(matches!(&error, Error::InUse { .. }) && error.to_string().contains("web"), "{error}");
    }
}
