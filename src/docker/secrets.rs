//! Secrets of the swarm.

use super::call::{Request, segment};
use super::error::{Error, Found, Kind, Result, Subject};
use super::object::null_as_default;
use super::pace::Repeat;
use super::shared::Wanted;
use super::{Docker, decode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use zeroize::Zeroizing;

/// A secret. Its data never comes back from the Engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Identifier, 25 characters.
    pub id: String,
    /// Name, unique in the swarm regardless of case, at most 64 characters.
    pub name: String,
    /// Labels, the only part that can be changed.
    pub labels: BTreeMap<String, String>,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When its labels were changed last, in RFC 3339.
    pub updated_at: String,
}

impl From<bollard::models::Secret> for Secret {
    fn from(theirs: bollard::models::Secret) -> Self {
        let spec = theirs.spec.unwrap_or_default();
        Self {
            id: theirs.id.unwrap_or_default(),
            name: spec.name.unwrap_or_default(),
            labels: spec.labels.unwrap_or_default().into_iter().collect(),
            created_at: theirs.created_at.unwrap_or_default(),
            updated_at: theirs.updated_at.unwrap_or_default(),
        }
    }
}

/// A secret or config as an update needs it: the version, and the whole specification, data kept out.
#[derive(Deserialize)]
pub(super) struct Versioned {
    #[serde(rename = "Version")]
    version: super::ObjectVersion,
    #[serde(rename = "Spec")]
    spec: LabelledSpec,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct LabelledSpec {
    #[serde(rename = "Labels", default, deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
    #[serde(flatten)]
    extra: super::Extra,
}

impl Docker {
    /// All secrets, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn secrets(&self) -> Result<Arc<[Secret]>> {
        self.list_secrets(Wanted::Shared).await
    }

    /// All secrets, as of now.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn secrets_now(&self) -> Result<Arc<[Secret]>> {
        self.list_secrets(Wanted::Fresh).await
    }

    async fn list_secrets(&self, wanted: Wanted) -> Result<Arc<[Secret]>> {
        let fetch = || async {
            let call = |bollard: bollard::Docker| async move { bollard.list_secrets(None).await };
            let listed = self.through_bollard(Subject::None, call).await?;
            Ok(listed.into_iter().map(Secret::from).collect())
        };
        self.0.secrets.get(wanted, fetch).await
    }

    /// The secret with this ID, out of [`Docker::secrets`].
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn secret(&self, id: &str) -> Result<Secret> {
        let secrets = self.secrets().await?;
        let found = secrets.iter().find(|secret| secret.id == id);
        found.cloned().ok_or_else(|| Error::NotFound { kind: Kind::Secret, name: id.to_owned() })
    }

    /// The secret with exactly this ID or name, as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn find_secret(&self, id_or_name: &str) -> Result<Secret> {
        let secrets = self.secrets_now().await?;
        let by_id = secrets.iter().find(|secret| secret.id == id_or_name);
        let found = by_id.or_else(|| secrets.iter().find(|secret| secret.name == id_or_name));
        found.cloned().ok_or_else(|| Error::NotFound { kind: Kind::Secret, name: id_or_name.to_owned() })
    }

    /// Creates a secret of 1 to 511,999 bytes and answers its ID.
    ///
    /// Where the answer gets lost, the secret is looked for: one of the same name and labels that is not older than
    /// the attempt is the one that was asked for.
    ///
    /// # Errors
    /// [`Error::NameTaken`], and whatever keeps the Engine from answering.
    pub async fn create_secret(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
        data: &[u8],
    ) -> Result<String> {
        let since = self.0.clock.now();
        let request = secret_request(name, labels, data)?;
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        let created = loop {
            match self.create(&request).await {
                Err(Error::NameTaken { .. }) if unsure => break self.lost_secret(name, labels, since).await,
                Err(error) => {
                    unsure |= may_have_happened(&error);
                    if let Err(error) = attempts.pause(error).await {
                        break Err(error);
                    }
                }
                created => break created,
            }
        };
        self.0.secrets.forget();
        created
    }

    /// Sends one create and answers the new identifier.
    ///
    /// Reason for a request of ours: bollard takes the data as a plain `String` and logs bodies.
    pub(super) async fn create(&self, request: &Request) -> Result<String> {
        #[derive(Deserialize)]
        struct Created {
            #[serde(rename = "ID")]
            id: String,
        }
        let bytes = self.call_once(request).await?;
        Ok(decode::<Created>(|| request.what(), &bytes)?.id)
    }

    async fn lost_secret(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
        since: Option<super::swarm::Moment>,
    ) -> Result<String> {
        let taken = || Error::NameTaken { kind: Kind::Secret, name: name.to_owned() };
        let secret = self.find_secret(name).await.found()?.ok_or_else(taken)?;
        let ours = secret.labels == *labels && super::swarm::not_older(&secret.created_at, since);
        if ours { Ok(secret.id) } else { Err(taken()) }
    }

    /// Changes the labels of a secret: reads it afresh, lets `edit` change the labels, and writes them if they differ.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::OutOfSequence`] where others change it all the time.
    pub async fn update_secret_labels(
        &self,
        id: &str,
        mut edit: impl FnMut(&mut BTreeMap<String, String>) + Send,
    ) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let done = loop {
            match self.rewrite_labels(Kind::Secret, "/secrets", id, &mut edit).await {
                Err(error) => {
                    if let Err(error) = attempts.pause(error).await {
                        break Err(error);
                    }
                }
                done => break done,
            }
        };
        self.0.secrets.forget();
        done
    }

    /// Reason for requests of ours: the specification is written back with every field that was read, known or not,
    /// but never with `Data`, which an Engine would take for a change and refuse.
    pub(super) async fn rewrite_labels(
        &self,
        kind: Kind,
        path: &str,
        id: &str,
        edit: &mut (dyn FnMut(&mut BTreeMap<String, String>) + Send),
    ) -> Result<()> {
        let path = format!("{path}/{}", segment(id));
        let read = Request::get(path.as_str()).about(kind, id);
        let bytes = self.call_once(&read).await?;
        let Versioned { version, spec: before } = decode(|| read.what(), &bytes)?;
        let mut after = before.clone();
        edit(&mut after.labels);
        if after == before {
            return Ok(());
        }
        after.extra.remove("Data");
        let write = Request::post(format!("{path}/update")).query("version", version.index).about(kind, id);
        self.call_once(&write.json(&after)?).await.map(drop)
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// [`Error::InUse`] while a service's specification names it, [`Error::NotFound`] where it is gone.
    pub async fn remove_secret(&self, id: &str) -> Result<()> {
        let request = Request::delete(format!("/secrets/{}", segment(id))).about(Kind::Secret, id);
        let removed = self.remove(&request).await;
        self.0.secrets.forget();
        removed
    }

    /// Sends a removal until it is answered. Where an answer gets lost, "not found" on the next attempt is success.
    pub(super) async fn remove(&self, request: &Request) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        loop {
            match self.call_once(request).await {
                Ok(_) => return Ok(()),
                Err(Error::NotFound { .. }) if unsure => return Ok(()),
                Err(error) => {
                    unsure |= may_have_happened(&error);
                    attempts.pause(error).await?;
                }
            }
        }
    }
}

fn secret_request(name: &str, labels: &BTreeMap<String, String>, data: &[u8]) -> Result<Request> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Spec<'a> {
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
        data: &'a str,
    }
    let data = Zeroizing::new(STANDARD.encode(data));
    Request::post("/secrets/create").creates(Kind::Secret, name).json(&Spec { name, labels, data: &data })
}

/// Whether a write that failed so may have been done nevertheless.
pub(super) fn may_have_happened(error: &Error) -> bool {
    match error {
        Error::Unreachable { unsent, .. } => !unsent,
        Error::NoQuorum { .. } | Error::Timeout { .. } => true,
        _ => false,
    }
}
