//! Where an image comes from.

use super::{Error, Local};
use crate::registry::client::{self, ByteStream, Client, Content, Descriptor, Digest};
use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// How often a layer that breaks off is gone on with, without a byte in between.
const ATTEMPTS: u32 = 5;
/// The first pause before that; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);

/// Where an image comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A registry.
    Registry {
        /// The registry.
        client: Client,
        /// The repository in it.
        repository: String,
        /// Tag or digest of the image.
        reference: String,
    },
    /// Files.
    Local(Box<Local>),
}

/// The content of a blob, and whether it was at fault.
pub(super) struct Blob {
    content: Box<dyn Content>,
    failed: AtomicBool,
}

impl Blob {
    /// Whether reading has failed, so that it is not the target's fault.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Source {
    /// The content of a layer or a configuration.
    pub(super) fn content(&self, blob: &Descriptor) -> client::Result<std::sync::Arc<Blob>> {
        let content: Box<dyn Content> = match self {
            Source::Registry { client, repository, .. } => Box::new(Remote {
                client: client.clone(),
                repository: repository.clone(),
                digest: blob.digest.clone(),
            }),
            Source::Local(local) => Box::new(local.place(&blob.digest).map_err(|error| match error {
                Error::Source(error) | Error::Target(error) => error,
                other => {
                    client::Error::Malformed { what: blob.digest.to_string(), reason: other.to_string() }
                }
            })?),
        };
        Ok(std::sync::Arc::new(Blob { content, failed: AtomicBool::new(false) }))
    }

    /// The source's repository, if it is in that registry, so that layers can be taken over from it.
    pub(super) fn repository_in(&self, registry: &Client) -> Option<&str> {
        match self {
            Source::Registry { client, repository, .. } => {
                client.is_same_registry(registry).then_some(repository.as_str())
            }
            Source::Local(_) => None,
        }
    }
}

#[async_trait]
impl Content for std::sync::Arc<Blob> {
    async fn open(&self, offset: u64) -> client::Result<ByteStream> {
        let noted = |blob: &Blob| blob.failed.store(true, Ordering::Relaxed);
        let stream = self.content.open(offset).await.inspect_err(|_| noted(self))?;
        let blob = std::sync::Arc::clone(self);
        Ok(Box::pin(stream.inspect(move |piece| {
            if piece.is_err() {
                noted(&blob);
            }
        })))
    }
}

/// A blob of a registry, which is gone on with where the connection breaks.
#[derive(Clone)]
struct Remote {
    client: Client,
    repository: String,
    digest: Digest,
}

struct Reading {
    remote: Remote,
    at: u64,
    stream: Option<BoxStream<'static, client::Result<bytes::Bytes>>>,
    failures: u32,
}

#[async_trait]
impl Content for Remote {
    async fn open(&self, offset: u64) -> client::Result<ByteStream> {
        let stream = self.client.blob_from(&self.repository, &self.digest, offset).await?;
        let state = Reading { remote: self.clone(), at: offset, stream: Some(stream), failures: 0 };
        Ok(Box::pin(futures_util::stream::try_unfold(state, |mut state| async move {
            loop {
                let remote = &state.remote;
                let next = match &mut state.stream {
                    Some(stream) => stream.next().await.transpose(),
                    None => match remote.client.blob_from(&remote.repository, &remote.digest, state.at).await
                    {
                        Ok(stream) => {
                            state.stream = Some(stream);
                            continue;
                        }
                        Err(error) => Err(error),
                    },
                };
                match next {
                    Ok(None) => return Ok(None),
                    Ok(Some(piece)) => {
                        state.at += piece.len() as u64;
                        state.failures = 0;
                        return Ok(Some((piece, state)));
                    }
                    Err(error) if error.is_passing() && state.failures < ATTEMPTS => {
                        tracing::debug!(%error, at = state.at, "reading goes on");
                        tokio::time::sleep(PAUSE * 2_u32.pow(state.failures)).await;
                        state.failures += 1;
                        state.stream = None;
                    }
                    Err(error) => return Err(error),
                }
            }
        })))
    }
}
