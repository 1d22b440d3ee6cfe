//! A repository of a registry as a whole: which tags it has, what they lead to, and how some go without harm to others.
//!
//! | module | does |
//! | --- | --- |
//! | `tags` | lists the tags, and finds those that a registry leaves out of its list |
//! | `reach` | walks from tags to all manifests that they lead to |
//! | `hold` | lets one at a time change a repository, and knows what the others have put there |
//! | `removal` | takes away tags, and the manifests that nothing else needs |

#[cfg(test)]
pub(crate) mod fake;
mod hold;
mod reach;
mod removal;
mod tags;
#[cfg(test)]
mod tests;

pub use hold::{Claims, Held};
pub use removal::Kept;
pub use tags::Tags;

use super::{
    client::{Client, Digest, Head, Result},
    copy::leftover,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// A repository of a registry.
#[derive(Clone, Copy, Debug)]
pub struct Repository<'a> {
    /// The registry.
    pub client: &'a Client,
    /// The repository's name in it.
    pub name: &'a str,
}

impl Repository<'_> {
    /// The images that have a tag, with all their tags.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn images(&self) -> Result<BTreeMap<Digest, BTreeSet<String>>> {
        let mut found: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for (tag, head) in self.heads(self.tags().await?.names).await? {
            found.entry(head.digest).or_default().insert(tag);
        }
        Ok(found)
    }

    /// Those of an image's tags that point to it, or that have all but been taken away from it: what is left of such a
    /// one is to go, and is gone only then.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn tags_of(&self, digest: &Digest, tags: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for (tag, head) in self.heads(tags.clone()).await? {
            if head.digest == *digest || leftover(self.client, self.name, &tag).await?.is_some() {
                found.insert(tag);
            }
        }
        Ok(found)
    }

    /// What each of the tags points to. One that is not there points to nothing.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn heads(&self, tags: BTreeSet<String>) -> Result<BTreeMap<String, Head>> {
        let looked = stream::iter(tags.into_iter().map(|tag| async move {
            let head = self.client.head(self.name, &tag).await?;
            Ok(head.map(|head| (tag, head)))
        }));
        let found: Vec<Option<(String, Head)>> = looked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}
