//! Secrets of the swarm.

use super::blobs::{Creation, creation};
use super::error::{Error, Found, Kind, Result};
use super::refusal::Subject;
use super::shared::Wanted;
use super::{Docker, swarm};
use std::{collections::BTreeMap, sync::Arc};

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
        secrets.iter().find(|secret| secret.id == id).cloned().ok_or_else(|| gone(id))
    }

    /// The secret with exactly this ID or name, as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn find_secret(&self, id_or_name: &str) -> Result<Secret> {
        let secrets = self.secrets_now().await?;
        let by_id = secrets.iter().find(|secret| secret.id == id_or_name);
        let found = by_id.or_else(|| secrets.iter().find(|secret| secret.name == id_or_name));
        found.cloned().ok_or_else(|| gone(id_or_name))
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
        let created = self.create(&creation(Kind::Secret, name, labels, data)?).await;
        self.0.secrets.forget();
        match created? {
            Creation::Made(id) => Ok(id),
            Creation::TakenPerhapsByUs => {
                let taken = || Error::NameTaken { kind: Kind::Secret, name: name.to_owned() };
                let found = self.find_secret(name).await.found()?.ok_or_else(taken)?;
                let ours = found.labels == *labels && swarm::not_older(&found.created_at, since);
                if ours { Ok(found.id) } else { Err(taken()) }
            }
        }
    }

    /// Changes the labels of a secret: reads it afresh, lets `edit` change them, and writes them if they differ.
    /// `edit` runs again where somebody else wrote in between.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::OutOfSequence`] where others change it all the time.
    pub async fn update_secret_labels(
        &self,
        id: &str,
        mut edit: impl FnMut(&mut BTreeMap<String, String>) + Send,
    ) -> Result<()> {
        let done = self.update_labels(Kind::Secret, id, &mut edit).await;
        self.0.secrets.forget();
        done
    }

    /// Removes a secret. To wait while it is used, see [`Docker::remove_when_unused`].
    ///
    /// # Errors
    /// [`Error::InUse`] while a service's specification names it, [`Error::NotFound`] where it is gone.
    pub async fn remove_secret(&self, id: &str) -> Result<()> {
        let removed = self.remove_blob(Kind::Secret, id).await;
        self.0.secrets.forget();
        removed
    }
}

fn gone(name: &str) -> Error {
    Error::NotFound { kind: Kind::Secret, name: name.to_owned() }
}
