//! Takes a tag away and nothing else.
//!
//! Distribution can do that from 3.0 on. 2.8 deletes manifests only, and with one all tags that point to it: there the tag is
//! pointed to a manifest that nobody else has, and that one is deleted.

use crate::registry::client::{
    self, Blob, ByteStream, Client, Content, Descriptor, Digest, Error, MANIFESTS, Manifest,
};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// What is said of a manifest that was made to take a tag away, with the tag.
const UNTAGGED: &str = "untagged";

/// Takes a tag away, if it still points to `digest`, or to what taking it away has left behind when it was broken off.
///
/// # Errors
/// [`Error::NotAllowed`] where the registry deletes nothing, and then the tag is as it was.
pub async fn untag(client: &Client, repository: &str, tag: &str, digest: &Digest) -> client::Result<()> {
    let Some(points_to) = client.head(repository, tag).await?.map(|head| head.digest) else { return Ok(()) };
    if points_to != *digest {
        return match leftover(client, repository, tag).await? {
            Some(nothing) => gone(client.delete_manifest(repository, &nothing).await),
            None => Ok(()),
        };
    }
    match client.delete_tag_alone(repository, tag).await {
        Ok(true) | Err(Error::NotFound { .. }) => return Ok(()),
        Ok(false) => {}
        Err(error) => return Err(error),
    }
    let nothing = nothing(client, repository, tag).await?;
    // Whether deleting is allowed is found out before the tag is moved.
    client.put_manifest(repository, nothing.digest.as_str(), &nothing).await?;
    gone(client.delete_manifest(repository, &nothing.digest).await)?;
    client.put_manifest(repository, tag, &nothing).await?;
    gone(client.delete_manifest(repository, &nothing.digest).await)
}

/// The empty image to which a tag points whose taking away was broken off, if it does.
///
/// # Errors
/// The registry does not tell.
pub async fn leftover(client: &Client, repository: &str, tag: &str) -> client::Result<Option<Digest>> {
    match client.manifest(repository, tag).await {
        Ok(manifest) => Ok(is_leftover(&manifest, tag).then_some(manifest.digest)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a manifest was made to take this tag away.
pub fn is_leftover(manifest: &Manifest, tag: &str) -> bool {
    let document: Option<Value> = serde_json::from_slice(&manifest.bytes).ok();
    document.is_some_and(|document| document["annotations"][UNTAGGED] == tag)
}

/// A deletion that was sent again, since its answer got lost, finds nothing any more.
fn gone(deleted: client::Result<()>) -> client::Result<()> {
    match deleted {
        Err(Error::NotFound { .. }) => Ok(()),
        deleted => deleted,
    }
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
        "annotations": {UNTAGGED: tag},
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
