//! `storage.gcs`: images in a bucket of Google Cloud Storage.

use super::super::file::{Content, File, Role};
use crate::{
    registry::configuration::{Section, paths},
    resources::service::not_empty,
    terraform::{Model, Sensitive, Size, WriteOnly},
};

/// Images in a bucket of Google Cloud Storage (`storage.gcs`).
///
/// Without a key the registry finds one by itself, by the role of its machine.
#[derive(Clone, Debug, Model)]
pub struct Gcs {
    /// Name of the bucket. It must exist.
    #[tf(check = not_empty)]
    pub bucket: String,

    /// The key of a service account as JSON (`keyfile`). It is kept in the state: better use `key_json_wo`.
    #[tf(check = key)]
    pub key_json: Option<Sensitive<String>>,

    /// The key of a service account as JSON, kept in neither plan nor state.
    #[tf(check = key)]
    pub key_json_wo: WriteOnly<String>,

    /// Raise it to send `key_json_wo` again.
    pub key_json_wo_version: Option<i64>,

    /// ID or name of a secret with such a key.
    #[tf(check = not_empty)]
    pub key_json_secret: Option<String>,

    /// Prefix of all names (`rootdirectory`). Without it the root of the bucket.
    #[tf(check = not_empty)]
    pub root_directory: Option<String>,

    /// Size of the parts of an upload, a multiple of `"256KiB"` (`chunksize`). Without it 16 MiB; in 2.8 5 MiB.
    #[tf(check = chunk)]
    pub chunk_size: Option<Size>,

    /// How many requests may go on at once (`maxconcurrency`), at least 25. Without it 50.
    #[tf(check = concurrency)]
    pub max_concurrency: Option<i64>,

    /// What the registry calls itself (`useragent`). Needs Distribution 3.0.
    #[tf(check = not_empty)]
    pub user_agent: Option<String>,
}

impl Gcs {
    /// `storage.gcs`
    pub(super) fn section(&self) -> Section {
        Section::new()
            .with("bucket", &self.bucket)
            .with("keyfile", self.has_key().then_some(paths::GCS_KEY))
            .with("rootdirectory", &self.root_directory)
            .with("chunksize", self.chunk_size.as_ref().map(Size::bytes))
            .with("maxconcurrency", self.max_concurrency)
            .with("useragent", &self.user_agent)
    }

    /// A version alone says that there is a key too: one that was sent before.
    fn has_key(&self) -> bool {
        self.key_json.is_some()
            || self.key_json_wo.expose().is_some()
            || self.key_json_wo_version.is_some()
            || self.key_json_secret.is_some()
    }

    /// The key, if there is one.
    pub(super) fn files(&self) -> Vec<File> {
        let version = self.key_json_wo_version;
        let key = || Content::secret(&self.key_json, &self.key_json_wo, version, &self.key_json_secret);
        File::all([(Role::GcsKey, "storage.gcs.key_json", self.has_key().then(key))])
    }
}

fn key(json: &str) -> Result<(), String> {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Object(key)) if key.contains_key("type") => Ok(()),
        _ => Err("a key of a service account is a JSON object with a `type`".to_owned()),
    }
}

fn chunk(size: &Size) -> Result<(), String> {
    const STEP: i64 = 256 << 10;
    if size.bytes() > 0 && size.bytes() % STEP == 0 {
        Ok(())
    } else {
        Err("a multiple of 256KiB (S10)".to_owned())
    }
}

fn concurrency(requests: &i64) -> Result<(), String> {
    if *requests >= 25 { Ok(()) } else { Err("25 or more: Distribution takes less for 25".to_owned()) }
}
