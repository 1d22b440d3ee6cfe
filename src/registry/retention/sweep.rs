//! What a rule of retention means for a registry: which tags it has, and how those go that have had their time.

use super::{Rule, Tag};
use crate::registry::{
    client::{Client, Descriptor, Digest, Error, Manifest, Parts, Result},
    copy::is_leftover,
    repository::Repository,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{collections::BTreeSet, time::SystemTime};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// A tag, and what it points to.
#[derive(Clone, Debug)]
struct Found {
    tag: Tag,
    digest: Digest,
}

/// A repository as it was found.
#[derive(Clone, Debug)]
pub struct Survey {
    name: String,
    tags: Vec<Found>,
}

impl Survey {
    /// Looks at all tags of a repository. One that is gone has none.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn of(client: &Client, name: &str) -> Result<Self> {
        let names = Repository { client, name }.tags().await?.names;
        let found = stream::iter(names).map(|tag| find(client, name, tag)).buffer_unordered(AT_ONCE);
        let found: Vec<Option<Found>> = found.try_collect().await?;
        let mut tags: Vec<Found> = found.into_iter().flatten().collect();
        tags.sort_by(|a, b| a.tag.name.cmp(&b.tag.name));
        Ok(Survey { name: name.to_owned(), tags })
    }

    /// The repository's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the tags that have had their time, the oldest first.
    pub fn expired(&self, rule: &Rule, now: SystemTime) -> Vec<String> {
        let tags: Vec<Tag> = self.tags.iter().map(|found| found.tag.clone()).collect();
        rule.expired(&tags, now).into_iter().map(|tag| tag.name).collect()
    }

    /// Deletes tags, and the manifests to which nothing else leads by now. A tag that was moved since the survey stays, and
    /// so does what any other tag leads to when it is looked at anew, right before the deletion. What somebody else
    /// tags between that look and the deletion is lost: no registry deletes on a condition. Answers whether it got to the
    /// end: `go_on` is asked in between.
    ///
    /// # Errors
    /// What the registry refuses; what was deleted before is gone.
    pub async fn delete(
        &self,
        client: &Client,
        tags: &BTreeSet<String>,
        run: u64,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool> {
        let due = self.tags.iter().filter(|found| tags.contains(&found.tag.name));
        let due = due.map(|found| (found.tag.name.clone(), found.digest.clone())).collect();
        Repository { client, name: &self.name }.expire(&due, run, go_on).await
    }
}

/// One tag; none if it is gone by now.
async fn find(client: &Client, repository: &str, tag: String) -> Result<Option<Found>> {
    let manifest = match client.manifest(repository, &tag).await {
        Ok(manifest) => manifest,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let digest = manifest.digest.clone();
    let created = if is_leftover(&manifest, &tag) {
        // The tag was all but taken away, and nothing is in it.
        Some(SystemTime::UNIX_EPOCH)
    } else {
        created(client, repository, manifest).await?
    };
    Ok(Some(Found { tag: Tag { name: tag, created }, digest }))
}

/// When an image was built: the image itself, or the first of an index that says so.
async fn created(client: &Client, repository: &str, manifest: Manifest) -> Result<Option<SystemTime>> {
    let images = match manifest.parts {
        Parts::Image { config, .. } => return said_by(client, repository, &config).await,
        Parts::Index(images) => images,
    };
    for image in images.iter().filter(|image| image.known_platform().is_some()) {
        match client.manifest(repository, image.digest.as_str()).await {
            Ok(Manifest { parts: Parts::Image { config, .. }, .. }) => {
                if let Some(created) = said_by(client, repository, &config).await? {
                    return Ok(Some(created));
                }
            }
            // An index need not have all its images in the registry.
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What an image's configuration says of when it was built; nothing where it is no image's.
async fn said_by(client: &Client, repository: &str, config: &Descriptor) -> Result<Option<SystemTime>> {
    if !config.media_type.contains("image") {
        return Ok(None);
    }
    let config = client.image_config(repository, config).await?;
    let created = config.created.and_then(|created| OffsetDateTime::parse(&created, &Rfc3339).ok());
    // Builds that are to be repeatable give no date, or the beginning of time.
    Ok(created.map(SystemTime::from).filter(|created| *created > SystemTime::UNIX_EPOCH))
}
