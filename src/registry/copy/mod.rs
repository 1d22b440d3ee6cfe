//! Copies images into a registry, over HTTP alone: from another registry, or from files.
//!
//! Nothing is kept on the way: each layer is read, hashed and sent piece by piece, several at a time.
//!
//! | module | does |
//! | --- | --- |
//! | [`layers`], [`manifests`] | bring an image there: its layers, then its manifests from the leaves to the root |
//! | [`Source`] | where an image comes from |
//! | [`Selected`] | which of its platforms, and so which manifests and layers |
//! | `files`, [`Local`] | an OCI layout, a folder or a tar, and the archives of `docker save` |
//! | [`untag`] | takes tags away, even where the registry can only delete what they point to |

mod archive;
mod files;
mod local;
mod selection;
mod source;
#[cfg(test)]
mod tests;
mod untag;

pub use local::{Kind, Local};
pub use selection::Selected;
pub use source::Source;
pub use untag::{is_leftover, leftover, untag};

use super::client::{self, Blob, Client, Descriptor, Head, Manifest, Pushed};
use futures_util::{StreamExt, TryFutureExt, TryStreamExt, stream};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// How many layers are sent at a time.
const AT_A_TIME: usize = 4;
/// How many manifests are looked for at a time.
const HEADS: usize = 8;
/// How often it is said how far it has come.
const REPORT: Duration = Duration::from_secs(5);

/// Why an image could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Where it comes from is at fault.
    #[error("{0}")]
    Source(#[source] client::Error),
    /// Where it goes to is at fault.
    #[error("{0}")]
    Target(#[source] client::Error),
    /// The image is not made for a platform that is wanted.
    #[error(
        "it is not made for {missing}, but for {}",
        if .available.is_empty() { "no platform that it names".to_owned() } else { .available.join(", ") }
    )]
    Platform {
        /// The platform that is wanted.
        missing: String,
        /// Those that there are.
        available: Vec<String>,
    },
    /// There are several images, and it is not said which, or none of that name.
    #[error("{what} has {}{}", sought(.wanted.as_deref()), choice(.available))]
    Choice {
        /// The layout or archive.
        what: String,
        /// The name that was looked for.
        wanted: Option<String>,
        /// Those that there are.
        available: Vec<String>,
    },
}

fn sought(name: Option<&str>) -> String {
    name.map_or_else(|| "not exactly one image".to_owned(), |name| format!("no image {name:?}"))
}

fn choice(available: &[String]) -> String {
    match available {
        [] => ", and names none".to_owned(),
        names => format!(", but these: {}", names.join(", ")),
    }
}

/// Where an image is to be.
#[derive(Clone, Debug)]
pub struct Target {
    /// The registry.
    pub client: Client,
    /// The repository in it.
    pub repository: String,
    /// Another repository in it that may have some of the layers.
    pub mount_from: Option<String>,
}

/// What was done, in bytes and layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Layers that were sent.
    pub sent: usize,
    /// Layers that were taken over from another repository.
    pub mounted: usize,
    /// Layers that were there.
    pub there: usize,
}

/// Brings the layers of an image into a registry, unless it is there with all its manifests. What is there already is not
/// sent again, so that a copy that was cut off goes on where it was.
///
/// # Errors
/// What it failed for, at which end. Layers that have arrived stay until the registry is cleaned.
pub async fn layers(source: &Source, selected: &Selected, target: &Target) -> Result<Report, Error> {
    if missing(selected, target).await?.is_empty() {
        return Ok(Report { there: selected.blobs.len(), ..Report::default() });
    }
    blobs(source, selected, target).await
}

/// Puts the manifests of an image there under their digests, those that are not there yet, once its layers are.
///
/// # Errors
/// The registry does not take them.
pub async fn manifests(selected: &Selected, target: &Target) -> Result<(), Error> {
    for manifest in missing(selected, target).await? {
        let put = target.client.put_manifest(&target.repository, manifest.digest.as_str(), manifest);
        put.await.map_err(Error::Target)?;
    }
    Ok(())
}

/// The manifests that are not there, from the leaves to the root. That the root is there says nothing of those below it.
async fn missing<'a>(selected: &'a Selected, target: &Target) -> Result<Vec<&'a Manifest>, Error> {
    let Target { client, repository, .. } = target;
    let all: Vec<&Manifest> = selected.children.iter().chain([&selected.root]).collect();
    let names: Vec<String> = all.iter().map(|manifest| manifest.digest.to_string()).collect();
    let asked = stream::iter(names).map(|name| async move { client.head(repository, &name).await });
    let heads: Vec<Option<Head>> = asked.buffered(HEADS).try_collect().await.map_err(Error::Target)?;
    Ok(all.into_iter().zip(heads).filter(|(_, head)| head.is_none()).map(|(manifest, _)| manifest).collect())
}

/// Sends layers and configurations, several at a time.
async fn blobs(source: &Source, selected: &Selected, target: &Target) -> Result<Report, Error> {
    let mut waiting: VecDeque<(Descriptor, Arc<AtomicU64>)> =
        selected.blobs.iter().map(|blob| (blob.clone(), Arc::default())).collect();
    let counts: Vec<Arc<AtomicU64>> = waiting.iter().map(|(_, count)| Arc::clone(count)).collect();
    let mut running = JoinSet::new();
    let mut report = Report::default();
    let mut clock = tokio::time::interval(REPORT);
    clock.tick().await;
    loop {
        while running.len() < AT_A_TIME
            && let Some((blob, sent)) = waiting.pop_front()
        {
            running.spawn(push(source.clone(), target.clone(), blob, sent));
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                None => return Ok(report),
                Some(Ok(pushed)) => match pushed? {
                    Pushed::Sent => report.sent += 1,
                    Pushed::Mounted => report.mounted += 1,
                    Pushed::There => report.there += 1,
                },
                // Whoever catches panics is told of this one, too.
                Some(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Ok(report),
                },
            },
            _ = clock.tick() => {
                let sent: u64 = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                tracing::info!(repository = target.repository, sent, of = selected.size, "copying an image");
            }
        }
    }
}

async fn push(
    source: Source,
    target: Target,
    descriptor: Descriptor,
    sent: Arc<AtomicU64>,
) -> Result<Pushed, Error> {
    let content = source.content(&descriptor).map_err(Error::Source)?;
    let own = source.repository_in(&target.client);
    let mount_from = target.mount_from.as_deref().or(own);
    let blob = Blob { descriptor: &descriptor, mount_from, content: &content };
    let pushed = target.client.push_blob(&target.repository, &blob, &sent).map_err(|error| {
        // What the source fails for is told by the way in which it is asked, which is not the target's.
        if content.has_failed() { Error::Source(error) } else { Error::Target(error) }
    });
    let pushed = pushed.await?;
    tracing::debug!(digest = %descriptor.digest, bytes = descriptor.size, ?pushed, "blob");
    Ok(pushed)
}
