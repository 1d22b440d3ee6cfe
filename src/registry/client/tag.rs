//! Removing a tag, and nothing else.

use super::{Blob, ByteStream, Client, Content, Descriptor, Digest, Error, Manifest, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Client {
    /// Removes a tag. The image stays, and so do its other tags. That the tag is gone already is a success.
    ///
    /// Distribution 2.8 deletes by digest only, and with a manifest all of its tags. There the tag is first moved to an
    /// image of its own, which has nothing in it, and that is deleted.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] where deleting is off or the registry is read-only; as for any request beside.
    pub async fn remove_tag(&self, repository: &str, tag: &str) -> Result<()> {
        match self.delete_tag_alone(repository, tag).await {
            Ok(true) | Err(Error::NotFound { .. }) => Ok(()),
            Ok(false) => self.remove_by_stand_in(repository, tag).await,
            Err(error) => Err(error),
        }
    }

    async fn remove_by_stand_in(&self, repository: &str, tag: &str) -> Result<()> {
        let Some(head) = self.head(repository, tag).await? else { return Ok(()) };
        let config = Text::of(json!({ "os": "unknown", "architecture": "unknown" }).to_string());
        let descriptor = config.descriptor(CONFIG);
        let blob = Blob { descriptor: &descriptor, mount_from: None, content: &config };
        self.push_blob(repository, &blob, &Arc::default()).await?;
        // What it stands in for is in it, so that no two of them are one manifest.
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "digest": descriptor.digest.as_str(), "size": descriptor.size },
            "layers": [],
            "annotations": { "io.localhub.swarm.removes": format!("{tag}@{}", head.digest) },
        });
        let manifest = Manifest::read(manifest.to_string().into(), Some(MANIFEST))
            .map_err(|reason| Error::Malformed { what: "the stand-in of a tag".to_owned(), reason })?;
        self.put_manifest(repository, tag, &manifest).await?;
        match self.delete_manifest(repository, &manifest.digest).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => {
                // The tag is to lead to its image again, whatever keeps the registry from deleting.
                let image = self.manifest(repository, head.digest.as_str()).await?;
                self.put_manifest(repository, tag, &image).await?;
                Err(error)
            }
        }
    }
}

/// Content that is here.
struct Text(Bytes);

impl Text {
    fn of(text: String) -> Self {
        Text(text.into())
    }

    fn descriptor(&self, media_type: &str) -> Descriptor {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::of(&self.0),
            size: self.0.len() as u64,
            platform: None,
            annotations: BTreeMap::new(),
            urls: vec![],
        }
    }
}

#[async_trait]
impl Content for Text {
    async fn open(&self, offset: u64) -> Result<ByteStream> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        Ok(Box::pin(stream::iter([Ok(self.0.slice(from..))])))
    }
}
