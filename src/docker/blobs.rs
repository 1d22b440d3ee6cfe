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

/// Whether a write that failed so may have been done nevertheless.
fn may_have_happened(error: &Error) -> bool {
    match error {
        Error::Unreachable { unsent, .. } => !unsent,
        Error::NoQuorum { .. } | Error::Timeout { .. } => true,
        _ => false,
    }
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
                    unsure |= may_have_happened(&error);
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
                    unsure |= may_have_happened(&error);
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
