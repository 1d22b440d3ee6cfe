//! The tags of a repository, all of them.
//!
//! Distribution 3.1.0 and 3.1.1 list the tags on S3 by a walk that skips whatever begins with the tag before: `1` hides `10`,
//! and `0.1.2` hides `0.1.20`. The hidden tags work in all else, so that whoever deletes what the listed ones do not need
//! deletes their images. A list from a place on begins anew and has not skipped anything yet: asked for the first tag after
//! each one that is known, such a registry tells them all.

use super::{AT_ONCE, Repository};
use crate::registry::client::{Error, Result};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;

/// What the place after all files of a tag is called: they are `current` and `index`, which sort before it.
const BEHIND: &str = "/~";

/// The tags of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Their names.
    pub names: BTreeSet<String>,
    /// Whether these are known to be all.
    pub are_all: bool,
}

impl Repository<'_> {
    /// All tags that there are, those that the registry leaves out of its list among them.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn tags(&self) -> Result<Tags> {
        let listed = match self.client.tags(self.name).await {
            Ok(listed) => listed,
            Err(Error::NotFound { .. }) => vec![],
            Err(error) => return Err(error),
        };
        if skips_nothing(&listed) {
            return Ok(Tags { names: listed.into_iter().collect(), are_all: true });
        }
        self.with_hidden(listed).await
    }

    async fn with_hidden(&self, listed: Vec<String>) -> Result<Tags> {
        let mut names: BTreeSet<String> = listed.iter().cloned().collect();
        let mut waiting = listed;
        while !waiting.is_empty() {
            let places = waiting
                .drain(..)
                .map(|tag| async move { self.client.tags_after(self.name, &format!("{tag}{BEHIND}")).await });
            let mut answers = stream::iter(places.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
            let mut found = vec![];
            while let Some(answer) = answers.next().await {
                match answer?.as_deref() {
                    Some([]) => {}
                    Some([tag]) => found.push(tag.clone()),
                    // It knows no pages, and so lists in another way.
                    Some(_) => return Ok(Tags { names, are_all: true }),
                    None => return Ok(Tags { names, are_all: false }),
                }
            }
            for tag in found {
                // The list from a place on leaves out a tag with which that place begins.
                let shorter =
                    self.heads(beginnings(&tag).filter(|tag| !names.contains(tag)).collect()).await?;
                for tag in shorter.into_keys().chain([tag]) {
                    if names.insert(tag.clone()) {
                        waiting.push(tag);
                    }
                }
            }
        }
        Ok(Tags { names, are_all: true })
    }
}

/// Whether a list shows that what begins with the tag before is not skipped in it.
fn skips_nothing(listed: &[String]) -> bool {
    let mut before = BTreeSet::new();
    listed.iter().any(|tag| {
        let is_longer = (1..tag.len()).any(|end| tag.get(..end).is_some_and(|start| before.contains(start)));
        before.insert(tag.as_str());
        is_longer
    })
}

/// The tags that a tag begins with and that sort after it among the files of S3, since `-` and `.` sort before `/`.
fn beginnings(tag: &str) -> impl Iterator<Item = String> {
    tag.match_indices(['.', '-']).filter(|(at, _)| *at > 0).map(|(at, _)| tag[..at].to_owned())
}
