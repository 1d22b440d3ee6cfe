//! What a rule of retention means for a registry: which tags it has, and how those go that have had their time.

use super::{Rule, Tag, unreachable};
use crate::registry::{
    client::{Client, Descriptor, Digest, Error, Manifest, Parts, Result},
    copy::untag,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{collections::BTreeSet, time::SystemTime};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// A tag of a repository with all that it leads to.
#[derive(Clone, Debug)]
struct Found {
    tag: Tag,
    /// Its own manifest first, then those of an index.
    digests: Vec<String>,
}

/// A repository as it was found.
#[derive(Clone, Debug)]
pub struct Repository {
    name: String,
    tags: Vec<Found>,
}

impl Repository {
    /// Looks at all tags of a repository. One that is gone has none.
    ///
    /// # Errors
    /// The registry does not tell.
    pub async fn survey(client: &Client, name: &str) -> Result<Self> {
        let names = match client.tags(name).await {
            Ok(names) => names,
            Err(Error::NotFound { .. }) => vec![],
            Err(error) => return Err(error),
        };
        let found = stream::iter(names).map(|tag| find(client, name, tag)).buffer_unordered(AT_ONCE);
        let found: Vec<Option<Found>> = found.try_collect().await?;
        let mut tags: Vec<Found> = found.into_iter().flatten().collect();
        tags.sort_by(|a, b| a.tag.name.cmp(&b.tag.name));
        Ok(Repository { name: name.to_owned(), tags })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the tags that have had their time, the oldest first.
    pub fn expired(&self, rule: &Rule, now: SystemTime) -> Vec<String> {
        let tags: Vec<Tag> = self.tags.iter().map(|found| found.tag.clone()).collect();
        rule.expired(&tags, now).into_iter().map(|tag| tag.name).collect()
    }

    /// Deletes tags, and the manifests to which nothing else leads. A tag that was moved meanwhile stays.
    ///
    /// # Errors
    /// What the registry refuses; what was deleted before is gone.
    pub async fn delete(&self, client: &Client, tags: &BTreeSet<String>) -> Result<()> {
        let expired: Vec<&Found> = self.tags.iter().filter(|found| tags.contains(&found.tag.name)).collect();
        let mut moved = BTreeSet::new();
        for found in &expired {
            let now = client.head(&self.name, &found.tag.name).await?;
            if now.is_some_and(|now| Some(now.digest.as_str()) != found.digests.first().map(String::as_str)) {
                moved.insert(found.tag.name.as_str());
            }
        }
        let goes = |name: &str| tags.contains(name) && !moved.contains(name);
        let all = self.tags.iter().map(|found| (found.tag.name.as_str(), found.digests.as_slice()));
        let unreachable = unreachable(all, goes);
        // A manifest goes after what leads to it, so that no index leads nowhere in between.
        for found in expired.iter().filter(|found| goes(&found.tag.name)) {
            let own = found.digests.first().map(String::as_str).unwrap_or_default();
            if let (false, Ok(own)) = (unreachable.contains(own), own.parse::<Digest>()) {
                untag(client, &self.name, &found.tag.name, &own).await?;
            }
        }
        let (own, below) = self.in_order(&unreachable);
        for digest in own.into_iter().chain(below) {
            let Ok(digest) = digest.parse::<Digest>() else { continue };
            match client.delete_manifest(&self.name, &digest).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What tags are of, and then what only indexes lead to.
    fn in_order<'a>(&'a self, digests: &BTreeSet<&'a str>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
        let own: BTreeSet<&str> =
            self.tags.iter().filter_map(|found| found.digests.first().map(String::as_str)).collect();
        (digests & &own, digests - &own)
    }
}

/// One tag; none if it is gone by now.
async fn find(client: &Client, repository: &str, tag: String) -> Result<Option<Found>> {
    let manifest = match client.manifest(repository, &tag).await {
        Ok(manifest) => manifest,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut digests = vec![manifest.digest.to_string()];
    if let Parts::Index(manifests) = &manifest.parts {
        digests.extend(manifests.iter().map(|descriptor| descriptor.digest.to_string()));
    }
    let created = created(client, repository, manifest).await?;
    Ok(Some(Found { tag: Tag { name: tag, created }, digests }))
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
