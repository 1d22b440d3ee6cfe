//! Reading layers and configurations: in pieces, and from anywhere on.

use super::{
    Client, Descriptor, Digest, Error, Result, Scope,
    request::{Call, SILENCE},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::pin::Pin;

/// Content, piece by piece.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Content that can be read from anywhere on, more than once.
#[async_trait]
pub trait Content: Send + Sync {
    /// The content from a byte on.
    ///
    /// # Errors
    /// It cannot be read.
    async fn open(&self, offset: u64) -> Result<ByteStream>;
}

impl Client {
    /// Whether a repository has a blob.
    ///
    /// # Errors
    /// Whatever keeps it from being known.
    pub async fn has_blob(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let scope = Scope::Push { to: repository.to_owned(), from: None };
        let call = self.blob_call(Method::HEAD, repository, digest, scope)?;
        let response = self.send(&call).await?;
        // Whoever says so: one that is no registry does not take the blob either.
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        self.expect(&call, response, &[200, 204]).await.map(|_| true)
    }

    /// A blob from a byte on. It is not checked yet, since only the whole has a digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, and whatever keeps it from being read.
    pub async fn blob_from(&self, repository: &str, digest: &Digest, offset: u64) -> Result<ByteStream> {
        let call = self.blob_call(Method::GET, repository, digest, Scope::Pull(repository.to_owned()))?;
        let call = if offset > 0 { call.header(header::RANGE, &format!("bytes={offset}-")) } else { call };
        let response = self.look_for(&call, &format!("blob {repository}@{digest}")).await?;
        let response = self.expect(&call, response, &[200, 206]).await?;
        // A server that knows no ranges begins at the beginning.
        let skip = if response.status() == StatusCode::OK { offset } else { 0 };
        Ok(self.stream(response.into_body(), skip, call.what))
    }

    /// A small blob as a whole, such as a configuration; checked.
    ///
    /// # Errors
    /// As [`Client::blob_from`], [`Error::TooLong`] and [`Error::Digest`].
    pub async fn small_blob(&self, repository: &str, blob: &Descriptor, limit: usize) -> Result<Bytes> {
        let what = || format!("the blob {repository}@{}", blob.digest);
        let mut stream = self.blob_from(repository, &blob.digest, 0).await?;
        let mut all = Vec::new();
        while let Some(piece) = stream.next().await {
            all.extend_from_slice(&piece?);
            if all.len() > limit {
                return Err(Error::TooLong { what: what(), limit });
            }
        }
        if !blob.digest.is_of(&all) {
            let found = Digest::of(&all).to_string();
            return Err(Error::Digest { what: what(), wanted: blob.digest.to_string(), found });
        }
        Ok(all.into())
    }

    fn blob_call(&self, method: Method, repository: &str, digest: &Digest, scope: Scope) -> Result<Call> {
        let uri = self.uri(&format!("/v2/{repository}/blobs/{digest}"))?;
        Ok(Call::new(method, uri, scope, format!("give the blob {repository}@{digest}")))
    }

    fn stream(&self, body: Incoming, skip: u64, what: String) -> ByteStream {
        let state = (self.clone(), body, skip, what);
        Box::pin(futures_util::stream::try_unfold(state, |(client, mut body, mut skip, what)| async move {
            loop {
                let frame = tokio::time::timeout(SILENCE, body.frame()).await;
                let frame = frame.map_err(|_| client.silent(what.clone()))?;
                let Some(frame) = frame else { return Ok(None) };
                let frame = frame.map_err(|error| client.broken(what.clone(), &error))?;
                let Ok(mut piece) = frame.into_data() else { continue };
                let skipped = skip.min(piece.len() as u64);
                skip -= skipped;
                // Never more than there is, so that it fits.
                let piece = piece.split_off(usize::try_from(skipped).unwrap_or(usize::MAX));
                if !piece.is_empty() {
                    return Ok(Some((piece, (client, body, skip, what))));
                }
            }
        }))
    }
}
