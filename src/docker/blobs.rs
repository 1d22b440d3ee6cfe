//! Secrets and configs: data under a name, of which only the labels can be changed.
//!
//! The Engine has the two under paths of their own and treats them alike, but that it never gives the data of a
//! secret back.

use super::call::{Request, segment};
use super::creation::Creation;
use super::error::{Error, Found, Kind, Result};
use super::object::{Extra, ObjectVersion, null_as_default};
use super::pace::Repeat;
use super::shared::{Shared, Wanted};
use super::spec::{Driver, Labels};
use super::{Docker, decode, swarm};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// Secrets, whose data never comes back.
    Secret,
    /// Configs.
    Config,
}

impl From<BlobKind> for Kind {
    fn from(kind: BlobKind) -> Self {
        match kind {
            BlobKind::Secret => Self::Secret,
            BlobKind::Config => Self::Config,
        }
    }
}

impl fmt::Display for BlobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Kind::from(*self).fmt(f)
    }
}

/// A secret or a config.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Listed")]
pub struct Blob {
    /// Identifier, 25 characters.
    pub id: String,
    /// Name, unique in the swarm regardless of case, at most 64 characters.
    pub name: String,
    /// Labels, the only part that can be changed.
    pub labels: Labels,
    /// Data; of a secret it is empty, since it never comes back.
    pub data: Vec<u8>,
    /// The plugin that has the data of a secret, if the swarm itself has not.
    pub driver: Option<Driver>,
    /// What fills in templates in the data.
    pub templating: Option<Driver>,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When its labels were changed last, in RFC 3339.
    pub updated_at: String,
}

/// A [`Blob`] as it comes over the wire.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    updated_at: String,
    #[serde(default)]
    spec: ListedSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedSpec {
    name: String,
    #[serde(deserialize_with = "null_as_default")]
    labels: Labels,
    #[serde(deserialize_with = "null_as_default")]
    data: String,
    driver: Option<Driver>,
    templating: Option<Driver>,
}

impl From<Listed> for Blob {
    fn from(Listed { id, created_at, updated_at, spec }: Listed) -> Self {
        // The Engine writes base64, so this decodes; were it not so, there would be nothing to show.
        let data = STANDARD.decode(spec.data).unwrap_or_default();
        let (driver, templating) = (spec.driver, spec.templating);
        Blob { id, name: spec.name, labels: spec.labels, data, driver, templating, created_at, updated_at }
    }
}

/// A secret or a config that is to be.
#[derive(Clone, Copy)]
pub struct NewBlob<'a> {
    /// Name.
    pub name: &'a str,
    /// Labels.
    pub labels: &'a Labels,
    /// Data, 1 to 511,999 bytes of a secret and 1 to 1,023,999 of a config; none where a plugin has it.
    pub data: &'a [u8],
    /// The plugin that has the data of a secret.
    pub driver: Option<&'a Driver>,
    /// What fills in templates in the data.
    pub templating: Option<&'a Driver>,
}

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
    labels: Labels,
    #[serde(flatten)]
    extra: Extra,
}

/// The request that creates a secret or config.
///
/// Reason for a request of ours: bollard takes the data as a plain `String`, and logs bodies.
fn creation(kind: BlobKind, new: &NewBlob<'_>) -> Result<Request> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Spec<'a> {
        name: &'a str,
        labels: &'a Labels,
        #[serde(skip_serializing_if = "str::is_empty")]
        data: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        driver: Option<&'a Driver>,
        #[serde(skip_serializing_if = "Option::is_none")]
        templating: Option<&'a Driver>,
    }
    let data = Zeroizing::new(STANDARD.encode(new.data));
    let request = Request::post(format!("/{kind}s/create")).creates(kind.into(), new.name);
    let NewBlob { name, labels, driver, templating, .. } = *new;
    request.json(&Spec { name, labels, data: &data, driver, templating })
}

impl Docker {
    /// All secrets, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn secrets(&self) -> Result<Arc<[Blob]>> {
        self.blobs(BlobKind::Secret).await
    }

    /// All configs, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn configs(&self) -> Result<Arc<[Blob]>> {
        self.blobs(BlobKind::Config).await
    }

    /// All secrets or configs, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn blobs(&self, kind: BlobKind) -> Result<Arc<[Blob]>> {
        self.list_blobs(kind, Wanted::Shared).await
    }

    /// All secrets or configs, as of now.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn blobs_now(&self, kind: BlobKind) -> Result<Arc<[Blob]>> {
        self.list_blobs(kind, Wanted::Fresh).await
    }

    async fn list_blobs(&self, kind: BlobKind, wanted: Wanted) -> Result<Arc<[Blob]>> {
        let fetch = || async { self.read(&Request::get(format!("/{kind}s"))).await };
        self.shared_blobs(kind).get(wanted, fetch).await
    }

    fn shared_blobs(&self, kind: BlobKind) -> &Shared<Blob> {
        match kind {
            BlobKind::Secret => &self.0.secrets,
            BlobKind::Config => &self.0.configs,
        }
    }

    /// The secret or config with this ID, out of [`Docker::blobs`].
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn blob(&self, kind: BlobKind, id: &str) -> Result<Blob> {
        let blobs = self.blobs(kind).await?;
        blobs.iter().find(|blob| blob.id == id).cloned().ok_or_else(|| gone(kind, id))
    }

    /// The secret or config with exactly this ID or name, as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn find_blob(&self, kind: BlobKind, id_or_name: &str) -> Result<Blob> {
        let blobs = self.blobs_now(kind).await?;
        let by_id = blobs.iter().find(|blob| blob.id == id_or_name);
        let found = by_id.or_else(|| blobs.iter().find(|blob| blob.name == id_or_name));
        found.cloned().ok_or_else(|| gone(kind, id_or_name))
    }

    /// Creates a secret or config and answers its ID.
    ///
    /// Where the answer gets lost, it is looked for: one of the same name and labels that is not older than the attempt
    /// is the one that was asked for.
    ///
    /// # Errors
    /// [`Error::NameTaken`], and whatever keeps the Engine from answering.
    pub async fn create_blob(&self, kind: BlobKind, new: &NewBlob<'_>) -> Result<String> {
        let since = self.clock().await;
        let created = self.create(&creation(kind, new)?).await;
        self.shared_blobs(kind).forget();
        match created? {
            Creation::Made(id) => Ok(id),
            Creation::TakenPerhapsByUs => {
                let taken = || Error::NameTaken { kind: kind.into(), name: new.name.to_owned() };
                let found = self.find_blob(kind, new.name).await.found()?.ok_or_else(taken)?;
                let ours = found.labels == *new.labels && swarm::not_older(&found.created_at, since);
                if ours { Ok(found.id) } else { Err(taken()) }
            }
        }
    }

    /// Changes the labels of a secret or config: reads it afresh, lets `edit` change them, and writes them if they
    /// differ. `edit` runs again where somebody else wrote in between.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::OutOfSequence`] where others change it all the time.
    pub async fn update_blob_labels(
        &self,
        kind: BlobKind,
        id: &str,
        mut edit: impl FnMut(&mut Labels) + Send,
    ) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let done = loop {
            match self.update_labels_once(kind, id, &mut edit).await {
                Err(error) => {
                    if let Err(error) = attempts.pause(error).await {
                        break Err(error);
                    }
                }
                done => break done,
            }
        };
        self.shared_blobs(kind).forget();
        done
    }

    /// Reason for requests of ours: the specification is written back with every field that was read, known or not,
    /// but never with `Data`, which an Engine would take for a change and refuse.
    async fn update_labels_once(
        &self,
        kind: BlobKind,
        id: &str,
        edit: &mut (dyn FnMut(&mut Labels) + Send),
    ) -> Result<()> {
        let path = format!("/{kind}s/{}", segment(id));
        let read = Request::get(path.as_str()).about(kind.into(), id);
        let Versioned { version, spec: before } = decode(|| read.what(), &self.call_once(&read).await?)?;
        let mut after = before.clone();
        edit(&mut after.labels);
        if after == before {
            return Ok(());
        }
        after.extra.remove("Data");
        let write =
            Request::post(format!("{path}/update")).query("version", version.index).about(kind.into(), id);
        self.call_once(&write.json(&after)?).await.map(drop)
    }

    /// Removes a secret or config.
    ///
    /// # Errors
    /// [`Error::InUse`] while a service's specification names it, [`Error::NotFound`] where it is gone.
    pub async fn remove_blob(&self, kind: BlobKind, id: &str) -> Result<()> {
        let request = Request::delete(format!("/{kind}s/{}", segment(id))).about(kind.into(), id);
        let removed = self.remove(&request).await;
        self.shared_blobs(kind).forget();
        removed
    }

    /// Removes a secret or config, and waits up to `limit` while a service uses it.
    ///
    /// # Errors
    /// [`Error::InUse`] after `limit`, [`Error::NotFound`] where it is gone, and whatever keeps the Engine from
    /// answering.
    pub async fn remove_blob_when_unused(&self, kind: BlobKind, id: &str, limit: Duration) -> Result<()> {
        self.remove_when_unused(limit, || self.remove_blob(kind, id)).await
    }
}

fn gone(kind: BlobKind, name: &str) -> Error {
    Error::NotFound { kind: kind.into(), name: name.to_owned() }
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
        let labels = Labels::from([("a".into(), "b".into())]);
        let new = NewBlob { name: "s", labels: &labels, data: b"data", driver: None, templating: None };
        engine.docker.create_blob(BlobKind::Secret, &new).await
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
        let set = |labels: &mut Labels| drop(labels.insert("k".into(), "v".into()));
        engine.docker.update_blob_labels(BlobKind::Secret, "s", set).await.unwrap();
        engine.docker.update_blob_labels(BlobKind::Secret, "s", |_| ()).await.unwrap();
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
        engine.docker.remove_blob_when_unused(BlobKind::Secret, "s", Duration::from_secs(5)).await.unwrap();
        assert_eq!(engine.count("DELETE /secrets/s"), 3);
    }

    #[tokio::test]
    async fn a_removal_that_waited_in_vain_names_the_service() {
        let engine = Scripted::new(|_| refuse(400, IN_USE));
        let error =
            engine.docker.remove_blob_when_unused(BlobKind::Secret, "s", Duration::ZERO).await.unwrap_err();
        assert!(matches!(&error, Error::InUse { .. }) && error.to_string().contains("web"), "{error}");
    }
}
