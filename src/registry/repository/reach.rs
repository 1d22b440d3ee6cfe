//! What a tag leads to: its manifest, and where that is an index, the manifests below it, however deep.

use super::{AT_ONCE, Repository};
use crate::registry::client::{Digest, Error, Parts, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// A manifest, and what it is said to be.
pub(super) type Pointer = (Digest, String);

/// What indexes point to. It is read once, since an index of a digest is always the same.
#[derive(Debug, Default)]
pub(super) struct Graph(BTreeMap<Digest, Vec<Digest>>);

impl Graph {
    /// Reads all indexes from here on.
    pub async fn walk(&mut self, repository: &Repository<'_>, from: Vec<Pointer>) -> Result<()> {
        let mut waiting = from;
        loop {
            let unknown: BTreeSet<Digest> = waiting
                .drain(..)
                .filter(|(digest, media_type)| may_be_index(media_type) && !self.0.contains_key(digest))
                .map(|(digest, _)| digest)
                .collect();
            if unknown.is_empty() {
                return Ok(());
            }
            let asked = stream::iter(unknown.into_iter().map(|digest| async move {
                let below = repository.below(&digest).await?;
                Ok(below.map(|below| (digest, below)))
            }));
            let found: Vec<Option<(Digest, Vec<Pointer>)>> =
                asked.buffer_unordered(AT_ONCE).try_collect().await?;
            for (digest, below) in found.into_iter().flatten() {
                self.0.insert(digest, below.iter().map(|(digest, _)| digest.clone()).collect());
                waiting.extend(below);
            }
        }
    }

    /// A manifest and all that it leads to, as far as that was walked: what leads there first.
    pub fn reach(&self, digest: &Digest) -> Vec<Digest> {
        let mut found = vec![digest.clone()];
        let mut at = 0;
        while let Some(digest) = found.get(at) {
            let below: Vec<Digest> = self.0.get(digest).into_iter().flatten().cloned().collect();
            for digest in below {
                if !found.contains(&digest) {
                    found.push(digest);
                }
            }
            at += 1;
        }
        found
    }
}

impl Repository<'_> {
    /// Whether a manifest is there with all that it leads to.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn is_whole(&self, digest: &Digest) -> Result<bool> {
        let Some(root) = self.client.head(self.name, digest.as_str()).await? else { return Ok(false) };
        let mut known = BTreeSet::new();
        let mut waiting = vec![(root.digest, root.media_type)];
        while let Some((digest, media_type)) = waiting.pop() {
            if !may_be_index(&media_type) || !known.insert(digest.clone()) {
                continue;
            }
            let Some(below) = self.below(&digest).await? else { return Ok(false) };
            // An index that is not there shows when it is read.
            let leaves = below.iter().filter(|(_, media_type)| !may_be_index(media_type));
            let looked = stream::iter(leaves.map(|(digest, _)| digest.to_string()).collect::<Vec<_>>())
                .map(|digest| async move { self.client.head(self.name, &digest).await });
            let heads: Vec<_> = looked.buffer_unordered(AT_ONCE).try_collect().await?;
            if heads.iter().any(Option::is_none) {
                return Ok(false);
            }
            waiting.extend(below);
        }
        Ok(true)
    }

    /// What a manifest points to; nothing of one that is not there.
    async fn below(&self, digest: &Digest) -> Result<Option<Vec<Pointer>>> {
        match self.client.manifest(self.name, digest.as_str()).await.map(|manifest| manifest.parts) {
            Ok(Parts::Index(below)) => {
                Ok(Some(below.into_iter().map(|it| (it.digest, it.media_type)).collect()))
            }
            Ok(Parts::Image { .. }) => Ok(Some(vec![])),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a manifest of this kind points to others; one of which nothing is said may.
fn may_be_index(media_type: &str) -> bool {
    media_type.is_empty() || media_type.contains("index") || media_type.contains("manifest.list")
}
