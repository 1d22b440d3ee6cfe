//! Writing layers: what is there is not sent, what another repository has is taken over, the rest goes in pieces, and goes
//! on where it broke off if the registry still knows how far it came.

use super::{
    ByteStream, Client, Content, Descriptor, Digest, Error, Hasher, Result, Scope, auth,
    request::{Body, Call, Patience},
};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// What is sent in one request: little enough for a proxy's limit, and for what is sent twice after a broken connection.
pub(super) const PIECE: u64 = 64 * 1024 * 1024;

/// What is to be in a repository.
pub struct Blob<'a> {
    /// What it is called, and how long it is.
    pub descriptor: &'a Descriptor,
    /// Another repository of the same registry that may have it.
    pub mount_from: Option<&'a str>,
    /// The content.
    pub content: &'a dyn Content,
}

/// How a blob came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    There,
    /// It was taken over from another repository.
    Mounted,
    /// It was sent.
    Sent,
}

/// An upload under way.
struct Session {
    uri: Uri,
    offset: u64,
    /// Of all that is before the offset.
    hasher: Hasher,
}

/// What is sent by one request, seen by both ends of it.
#[derive(Clone)]
struct Passing {
    hasher: Arc<Mutex<Hasher>>,
    failure: Arc<Mutex<Option<Error>>>,
    sent: Arc<AtomicU64>,
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Sees to it that a repository has a blob. `sent` is how many bytes of it have been sent until now.
    ///
    /// # Errors
    /// The content cannot be read or is not what its digest says, or the registry does not take it.
    pub async fn push_blob(
        &self,
        repository: &str,
        blob: &Blob<'_>,
        sent: &Arc<AtomicU64>,
    ) -> Result<Pushed> {
        if self.has_blob(repository, &blob.descriptor.digest).await? {
            return Ok(Pushed::There);
        }
        let mut patience = Patience::default();
        loop {
            sent.store(0, Ordering::Relaxed);
            match self.upload(repository, blob, sent).await {
                Ok(pushed) => return Ok(pushed),
                // It begins anew.
                Err(error) => patience.after(error).await?,
            }
        }
    }

    async fn upload(&self, repository: &str, blob: &Blob<'_>, sent: &Arc<AtomicU64>) -> Result<Pushed> {
        let Descriptor { digest, size, .. } = blob.descriptor;
        let Some(mut session) = self.begin(repository, blob).await? else { return Ok(Pushed::Mounted) };
        let scope = Scope::Push { to: repository.to_owned(), from: None };
        let what = format!("take the blob {repository}@{digest}");
        let most = self.0.piece;
        if *size > most {
            let mut patience = Patience::default();
            while session.offset < *size {
                let piece = most.min(size - session.offset);
                let offset = session.offset;
                let call = Call::new(Method::PATCH, session.uri.clone(), scope.clone(), what.clone())
                    .header(header::CONTENT_RANGE, &format!("{offset}-{}", offset + piece - 1));
                match self.send_piece(&mut session, &call, piece, blob.content, sent).await {
                    Ok(()) => patience = Patience::default(),
                    Err(error) => {
                        patience.after(error).await?;
                        self.find_place(&mut session, &call, blob.content, *size).await?;
                        sent.store(session.offset, Ordering::Relaxed);
                    }
                }
            }
        }
        let rest = size - session.offset;
        let joint = if session.uri.query().is_some() { '&' } else { '?' };
        let last = format!("{}{joint}digest={}", session.uri, auth::query(digest.as_str()));
        let last: Uri = last.parse().map_err(|_| self.malformed("it leads to what is no URL"))?;
        if rest == 0 {
            check(&session.hasher, blob)?;
        }
        let call = Call::new(Method::PUT, last, scope, what);
        self.send_piece(&mut session, &call, rest, blob.content, sent).await?;
        Ok(Pushed::Sent)
    }

    /// Begins an upload, unless the blob can be taken over.
    async fn begin(&self, repository: &str, blob: &Blob<'_>) -> Result<Option<Session>> {
        let digest = &blob.descriptor.digest;
        let mount = blob.mount_from.filter(|from| *from != repository);
        let from =
            mount.map(|from| format!("?mount={}&from={}", auth::query(digest.as_str()), auth::query(from)));
        let uri = self.uri(&format!("/v2/{repository}/blobs/uploads/{}", from.unwrap_or_default()))?;
        let scope = Scope::Push { to: repository.to_owned(), from: mount.map(str::to_owned) };
        let call =
            Call::new(Method::POST, uri.clone(), scope, format!("take the blob {repository}@{digest}"))
                .header(header::CONTENT_LENGTH, "0");
        let response = match self.send(&call).await {
            Ok(response) => self.expect(&call, response, &[201, 202]).await,
            Err(error) => Err(error),
        };
        if let (Err(error), true) = (&response, mount.is_some()) {
            // Who may not read there can still send it.
            tracing::debug!(%digest, %error, "not taken over");
            let alone = Blob { mount_from: None, ..*blob };
            return Box::pin(self.begin(repository, &alone)).await;
        }
        let response = response?;
        if response.status() == StatusCode::CREATED {
            return Ok(None);
        }
        let uri = self.location(response.headers(), &uri)?;
        Ok(Some(Session { uri, offset: 0, hasher: digest.hasher() }))
    }

    /// Sends the next piece, and the last one with what ends the upload.
    async fn send_piece(
        &self,
        session: &mut Session,
        call: &Call,
        piece: u64,
        content: &dyn Content,
        sent: &Arc<AtomicU64>,
    ) -> Result<()> {
        let mut has_logged_in = false;
        loop {
            let passing = Passing {
                hasher: Arc::new(Mutex::new(session.hasher.clone())),
                failure: Arc::default(),
                sent: Arc::clone(sent),
            };
            sent.store(session.offset, Ordering::Relaxed);
            let mut headers = call.headers.clone();
            headers.insert(header::CONTENT_TYPE, octets());
            headers.insert(header::CONTENT_LENGTH, piece.into());
            let body = match piece {
                0 => super::request::bytes(Bytes::new()),
                _ => Flow::new(content.open(session.offset).await?, piece, passing.clone()).boxed_unsync(),
            };
            let answer = self.attempt(call, &call.uri, body, &headers, Some(sent)).await;
            // That the source broke is why the connection did.
            if let Some(failure) = locked(&passing.failure).take() {
                return Err(failure);
            }
            let answer = answer?;
            if answer.status() == StatusCode::UNAUTHORIZED
                && !has_logged_in
                && auth::is_same_origin(&call.uri, self.base())
            {
                // A token lives for some minutes, and an upload may take longer.
                self.log_in(answer.headers(), &call.scope).await?;
                has_logged_in = true;
                continue;
            }
            // In this order: what is counted is hashed.
            let is_whole = sent.load(Ordering::Acquire) == session.offset + piece;
            let hasher = locked(&passing.hasher).clone();
            if call.method == Method::PUT {
                self.ended(call, answer, &hasher.finish(), is_whole).await?;
            } else {
                let answer = self.expect(call, answer, &[202, 201, 204]).await?;
                session.uri = self.location(answer.headers(), &call.uri)?;
                session.hasher = hasher;
            }
            session.offset += piece;
            sent.store(session.offset, Ordering::Relaxed);
            return Ok(());
        }
    }

    /// What the answer to the last request of an upload means. It may come before all was sent, as a refusal does.
    async fn ended(
        &self,
        call: &Call,
        answer: http::Response<hyper::body::Incoming>,
        found: &Digest,
        is_whole: bool,
    ) -> Result<()> {
        let right = [201, 204, 200, 202];
        let wanted = call.uri.query().and_then(|query| query.rsplit_once("digest="));
        let wanted = wanted.map(|(_, digest)| digest.replace("%3A", ":")).unwrap_or_default();
        let is_good = right.contains(&answer.status().as_u16());
        // Of a part, no digest is right, and none can say why it was refused.
        if (is_whole || is_good) && found.as_str() != wanted {
            let what = format!("what was sent to {}", self.registry());
            return Err(Error::Digest { what, wanted, found: found.to_string() });
        }
        self.expect(call, answer, &right).await.map(drop)
    }

    /// Asks a registry how far an upload has come, after the connection broke.
    ///
    /// # Errors
    /// It does not know: a passing one, since the upload can begin anew. Distribution forgets an upload whose connection
    /// broke amid a request, and knows those that broke between two.
    async fn find_place(
        &self,
        session: &mut Session,
        call: &Call,
        content: &dyn Content,
        size: u64,
    ) -> Result<()> {
        let ask = Call::new(Method::GET, session.uri.clone(), call.scope.clone(), call.what.clone());
        let response = self.send(&ask).await?;
        let forgotten = |registry: &str| Error::Broken {
            registry: registry.to_owned(),
            what: call.what.clone(),
            reason: "it does not know any more how far the upload came".to_owned(),
        };
        if response.status() != StatusCode::NO_CONTENT {
            return Err(forgotten(self.registry()));
        }
        let reached = reached(response.headers()).filter(|reached| *reached <= size);
        let reached = reached.ok_or_else(|| forgotten(self.registry()))?;
        if response.headers().contains_key(header::LOCATION) {
            session.uri = self.location(response.headers(), &ask.uri)?;
        }
        if reached < session.offset {
            return Err(forgotten(self.registry()));
        }
        // What arrived of the piece counts, so it is part of the digest too.
        let mut left = reached - session.offset;
        let mut stream = content.open(session.offset).await?;
        while left > 0 {
            let Some(piece) = stream.next().await else { return Err(forgotten(self.registry())) };
            let piece = piece?;
            let counted = left.min(piece.len() as u64);
            session.hasher.update(&piece[..usize::try_from(counted).unwrap_or(piece.len())]);
            left -= counted;
        }
        session.offset = reached;
        Ok(())
    }
}

fn octets() -> http::HeaderValue {
    http::HeaderValue::from_static("application/octet-stream")
}

fn check(hasher: &Hasher, blob: &Blob<'_>) -> Result<()> {
    let (found, wanted) = (hasher.clone().finish(), &blob.descriptor.digest);
    if found == *wanted {
        return Ok(());
    }
    Err(Error::Digest {
        what: "the content that was to be sent".to_owned(),
        wanted: wanted.to_string(),
        found: found.to_string(),
    })
}

/// How many bytes have arrived: `Range: 0-1023` is 1024 of them, and `0-0` stands for none.
pub(super) fn reached(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RANGE)?.to_str().ok()?;
    let last: u64 = text.strip_prefix("bytes=").unwrap_or(text).strip_prefix("0-")?.trim().parse().ok()?;
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

/// The body of a request that is read while it is sent: hashed, counted, and exactly as long as was said.
struct Flow {
    stream: ByteStream,
    left: u64,
    passing: Passing,
}

impl Flow {
    fn new(stream: ByteStream, length: u64, passing: Passing) -> Self {
        Self { stream, left: length, passing }
    }

    fn fails(&self, error: Error) -> io::Error {
        *locked(&self.passing.failure) = Some(error);
        io::Error::other("what is to be sent cannot be read")
    }
}

impl hyper::body::Body for Flow {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = match std::task::ready!(this.stream.as_mut().poll_next(context)) {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => return Poll::Ready(Some(Err(this.fails(error)))),
            None => {
                let error = Error::Malformed {
                    what: "the content that is to be sent".to_owned(),
                    reason: "it is shorter than its manifest says".to_owned(),
                };
                return Poll::Ready(Some(Err(this.fails(error))));
            }
        };
        piece.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
        this.left -= piece.len() as u64;
        locked(&this.passing.hasher).update(&piece);
        this.passing.sent.fetch_add(piece.len() as u64, Ordering::Release);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// What hyper takes.
const _: fn(Flow) -> Body = |flow| flow.boxed_unsync();
