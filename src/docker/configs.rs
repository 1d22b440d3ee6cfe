//! Configs of the swarm.

use super::blobs::{Creation, creation};
use super::error::{Error, Found, Kind, Result};
use super::refusal::Subject;
use super::shared::Wanted;
use super::{Docker, swarm};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, sync::Arc};

/// A config: a file for services that is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Identifier, 25 characters.
    pub id: String,
    /// Name, unique in the swarm regardless of case, at most 64 characters.
    pub name: String,
    /// Labels, the only part that can be changed.
    pub labels: BTreeMap<String, String>,
    /// Data.
    pub data: Vec<u8>,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When its labels were changed last, in RFC 3339.
    pub updated_at: String,
}

impl From<bollard::models::Config> for Config {
    fn from(theirs: bollard::models::Config) -> Self {
        let spec = theirs.spec.unwrap_or_default();
        // The Engine writes base64, so this decodes; were it not so, there would be nothing to show.
        let data = STANDARD.decode(spec.data.unwrap_or_default()).unwrap_or_default();
        Self {
            data,
            id: theirs.id.unwrap_or_default(),
            name: spec.name.unwrap_or_default(),
            labels: spec.labels.unwrap_or_default().into_iter().collect(),
            created_at: theirs.created_at.unwrap_or_default(),
            updated_at: theirs.updated_at.unwrap_or_default(),
        }
    }
}

impl Docker {
    /// All configs, as old as this walk's picture of the swarm may be.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn configs(&self) -> Result<Arc<[Config]>> {
        self.list_configs(Wanted::Shared).await
    }

    /// All configs, as of now.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn configs_now(&self) -> Result<Arc<[Config]>> {
        self.list_configs(Wanted::Fresh).await
    }

    async fn list_configs(&self, wanted: Wanted) -> Result<Arc<[Config]>> {
        let fetch = || async {
            let call = |bollard: bollard::Docker| async move { bollard.list_configs(None).await };
            let listed = self.through_bollard(Subject::None, call).await?;
            Ok(listed.into_iter().map(Config::from).collect())
        };
        self.0.configs.get(wanted, fetch).await
    }

    /// The config with this ID, out of [`Docker::configs`].
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn config(&self, id: &str) -> Result<Config> {
        let configs = self.configs().await?;
        configs.iter().find(|config| config.id == id).cloned().ok_or_else(|| gone(id))
    }

    /// The config with exactly this ID or name, as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the list.
    pub async fn find_config(&self, id_or_name: &str) -> Result<Config> {
        let configs = self.configs_now().await?;
        let by_id = configs.iter().find(|config| config.id == id_or_name);
        let found = by_id.or_else(|| configs.iter().find(|config| config.name == id_or_name));
        found.cloned().ok_or_else(|| gone(id_or_name))
    }

    /// Creates a config of 1 to 1,023,999 bytes and answers its ID.
    ///
    /// Where the answer gets lost, the config is looked for: one of the same name and labels that is not older than
    /// the attempt is the one that was asked for.
    ///
    /// # Errors
    /// [`Error::NameTaken`], and whatever keeps the Engine from answering.
    pub async fn create_config(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
        data: &[u8],
    ) -> Result<String> {
        let since = self.0.clock.now();
        let created = self.create(&creation(Kind::Config, name, labels, data)?).await;
        self.0.configs.forget();
        match created? {
            Creation::Made(id) => Ok(id),
            Creation::TakenPerhapsByUs => {
                let taken = || Error::NameTaken { kind: Kind::Config, name: name.to_owned() };
                let found = self.find_config(name).await.found()?.ok_or_else(taken)?;
                let ours = found.labels == *labels && swarm::not_older(&found.created_at, since);
                if ours { Ok(found.id) } else { Err(taken()) }
            }
        }
    }

    /// Changes the labels of a config: reads it afresh, lets `edit` change them, and writes them if they differ.
    /// `edit` runs again where somebody else wrote in between.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::OutOfSequence`] where others change it all the time.
    pub async fn update_config_labels(
        &self,
        id: &str,
        mut edit: impl FnMut(&mut BTreeMap<String, String>) + Send,
    ) -> Result<()> {
        let done = self.update_labels(Kind::Config, id, &mut edit).await;
        self.0.configs.forget();
        done
    }

    /// Removes a config. To wait while it is used, see [`Docker::remove_when_unused`].
    ///
    /// # Errors
    /// [`Error::InUse`] while a service's specification names it, [`Error::NotFound`] where it is gone.
    pub async fn remove_config(&self, id: &str) -> Result<()> {
        let removed = self.remove_blob(Kind::Config, id).await;
        self.0.configs.forget();
        removed
    }
}

fn gone(name: &str) -> Error {
    Error::NotFound { kind: Kind::Config, name: name.to_owned() }
}
