//! Takes a tag away and nothing else.
//!
//! Distribution can do that from 3.0 on. 2.8 deletes manifests only, and with one all tags that point to it: there the tag is
//! pointed to a manifest that nobody else has, and that one is deleted.

use crate::registry::client::{
    self, Blob, ByteStream, Client, Content, Descriptor, Digest, Error, MANIFESTS, Manifest,
};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// Takes a tag away, if it still points to `digest`.
///
/// # Errors
/// [`Error::NotAllowed`] where the registry deletes nothing, and then the tag is as it was.
pub async fn untag(client: &Client, repository: &str, tag: &str, digest: &Digest) -> client::Result<()> {
    let points_to = client.head(repository, tag).await?;
    if points_to.is_none_or(|head| head.digest != *digest) {
        return Ok(());
    }
    match client.delete_tag_alone(repository, tag).await {
        Ok(true) | Err(Error::NotFound { .. }) => return Ok(()),
        Ok(false) => {}
        Err(error) => return Err(error),
    }
    let nothing = nothing(client, repository, tag).await?;
    // Whether deleting is allowed is found out before the tag is moved.
    client.put_manifest(repository, nothing.digest.as_str(), &nothing).await?;
    client.delete_manifest(repository, &nothing.digest).await?;
    client.put_manifest(repository, tag, &nothing).await?;
    client.delete_manifest(repository, &nothing.digest).await
}

/// A manifest of an image with nothing in it, unlike any other.
async fn nothing(client: &Client, repository: &str, tag: &str) -> client::Result<Manifest> {
    let mut unique = [0; 16];
    aws_lc_rs::rand::fill(&mut unique).map_err(|_| Error::Malformed {
        what: "the system's random numbers".to_owned(),
        reason: "there are none".to_owned(),
    })?;
    let config =
        Bytes::from(json!({"untagged": tag, "unique": u128::from_le_bytes(unique).to_string()}).to_string());
    let descriptor = Descriptor {
        media_type: "application/vnd.oci.image.config.v1+json".to_owned(),
        digest: Digest::of(&config),
        size: config.len() as u64,
        platform: None,
        annotations: BTreeMap::new(),
        urls: vec![],
    };
    let content = Whole(config);
    let blob = Blob { descriptor: &descriptor, mount_from: None, content: &content };
    client.push_blob(repository, &blob, &Arc::default()).await?;
    let document = json!({
        "schemaVersion": 2,
        "mediaType": MANIFESTS[2],
        "config": {
            "mediaType": descriptor.media_type,
            "digest": descriptor.digest.as_str(),
            "size": descriptor.size,
        },
        "layers": [],
    });
    Manifest::read(document.to_string().into(), None)
        .map_err(|reason| Error::Malformed { what: "a manifest of our own".to_owned(), reason })
}

/// Content that is at hand.
struct Whole(Bytes);

#[async_trait]
impl Content for Whole {
    async fn open(&self, offset: u64) -> client::Result<ByteStream> {
        let rest = self.0.slice(usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len())..);
        Ok(Box::pin(futures_util::stream::iter([Ok(rest)])))
    }
}
