//! The tags of an image, and what else points to it.

use crate::registry::{
    client::{Client, Digest, Error, Parts, Result},
    copy,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// How many tags are looked at at a time.
const AT_A_TIME: usize = 8;

/// A repository of a registry.
pub struct Repository<'a> {
    pub client: &'a Client,
    pub name: &'a str,
}

/// What a tag points to.
struct Tag {
    name: String,
    digest: Digest,
    /// The manifests of an index.
    children: Vec<Digest>,
}

impl Repository<'_> {
    /// Those of the tags that point to a manifest.
    pub async fn pointing_to(&self, digest: &Digest, tags: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let looked = stream::iter(tags.iter().cloned().map(|tag| async move {
            let head = self.client.head(self.name, &tag).await?;
            Ok((tag, head.is_some_and(|head| head.digest == *digest)))
        }));
        let found: Vec<(String, bool)> = looked.buffer_unordered(AT_A_TIME).try_collect().await?;
        Ok(found.into_iter().filter(|(_, points)| *points).map(|(tag, _)| tag).collect())
    }

    /// All tags that there are.
    pub async fn tags(&self) -> Result<BTreeSet<String>> {
        match self.client.tags(self.name).await {
            Ok(tags) => Ok(with_hidden(tags)),
            Err(Error::NotFound { .. }) => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    /// The images that have a tag, with all their tags.
    pub async fn images(&self) -> Result<BTreeMap<Digest, BTreeSet<String>>> {
        let mut found: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for tag in self.look(self.tags().await?).await? {
            found.entry(tag.digest).or_default().insert(tag.name);
        }
        Ok(found)
    }

    /// Deletes a manifest with the tags that are ours, unless something else needs it; and the manifests of an index that
    /// nothing else needs. Answers the tags for which it was kept.
    pub async fn delete(&self, digest: &Digest, ours: &BTreeSet<String>) -> Result<Vec<String>> {
        let manifest = match self.client.manifest(self.name, digest.as_str()).await {
            Ok(manifest) => manifest,
            Err(Error::NotFound { .. }) => return Ok(vec![]),
            Err(error) => return Err(error),
        };
        let all = self.look(self.tags().await?).await?;
        let others: Vec<&Tag> =
            all.iter().filter(|tag| tag.digest != *digest || !ours.contains(&tag.name)).collect();
        let needed_by = |digest: &Digest| -> Vec<String> {
            let needs = |tag: &&&Tag| tag.digest == *digest || tag.children.contains(digest);
            others.iter().filter(needs).map(|tag| tag.name.clone()).collect()
        };
        let kept_for = needed_by(digest);
        if !kept_for.is_empty() {
            for tag in all.iter().filter(|tag| tag.digest == *digest && ours.contains(&tag.name)) {
                copy::untag(self.client, self.name, &tag.name, digest).await?;
            }
            return Ok(kept_for);
        }
        gone(self.client.delete_manifest(self.name, digest).await)?;
        if let Parts::Index(children) = &manifest.parts {
            for child in children.iter().filter(|child| needed_by(&child.digest).is_empty()) {
                gone(self.client.delete_manifest(self.name, &child.digest).await)?;
            }
        }
        Ok(vec![])
    }

    /// What each of the tags points to. One that has vanished meanwhile points to nothing.
    async fn look(&self, tags: BTreeSet<String>) -> Result<Vec<Tag>> {
        let looked = stream::iter(tags.into_iter().map(|name| async move {
            let Some(head) = self.client.head(self.name, &name).await? else { return Ok(None) };
            let is_index = head.media_type.contains("index") || head.media_type.contains("manifest.list");
            let children = if is_index {
                match self.client.manifest(self.name, head.digest.as_str()).await?.parts {
                    Parts::Index(children) => children.into_iter().map(|child| child.digest).collect(),
                    Parts::Image { .. } => vec![],
                }
            } else {
                vec![]
            };
            Ok(Some(Tag { name, digest: head.digest, children }))
        }));
        let found: Vec<Option<Tag>> = looked.buffer_unordered(AT_A_TIME).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// That it is gone already is as good.
fn gone(deleted: Result<()>) -> Result<()> {
    match deleted {
        Err(Error::NotFound { .. }) => Ok(()),
        deleted => deleted,
    }
}

/// The tags, and what may be hidden among them: Distribution 3.1 leaves out of its list a tag with which another begins, as
/// `3` where there is `3.20`.
fn with_hidden(tags: Vec<String>) -> BTreeSet<String> {
    let beginnings = |tag: &str| -> Vec<String> {
        tag.match_indices(['.', '-', '_'])
            .filter(|(at, _)| *at > 0)
            .map(|(at, _)| tag[..at].to_owned())
            .collect()
    };
    let hidden: Vec<String> = tags.iter().flat_map(|tag| beginnings(tag)).collect();
    tags.into_iter().chain(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_may_hide_is_looked_for() {
        let found = with_hidden(vec!["3.20.1-rc1".to_owned(), "latest".to_owned()]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["3", "3.20", "3.20.1", "3.20.1-rc1", "latest"]);
    }
}
