//! One request: who is asked, with which credentials, how often it is tried again, and what a status means.

use super::{Client, Error, Result, Scope, auth, connector::Unreached};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use serde::Deserialize;
use std::{
    error::Error as _,
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How long a registry may be silent. Finishing a large layer takes it long on some storages.
pub(super) const SILENCE: Duration = Duration::from_secs(120);
/// How often it is tried in all, where trying again may help.
const ATTEMPTS: u32 = 5;
/// The first pause between two attempts; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that a registry may ask for (`Retry-After`).
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How many times an answer may lead elsewhere.
const REDIRECTS: usize = 5;
/// The longest explanation of an error that is read.
const EXPLANATION: usize = 64 * 1024;

/// What a request sends.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A body that is at hand.
pub(super) fn bytes(content: Bytes) -> Body {
    Full::new(content).map_err(|never| match never {}).boxed_unsync()
}

/// A request in the making.
pub(super) struct Call {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub content: Bytes,
    pub scope: Scope,
    /// What it does, as in "it was asked to …".
    pub what: String,
}

impl Call {
    pub(super) fn new(method: Method, uri: Uri, scope: Scope, what: String) -> Self {
        Self { method, uri, headers: HeaderMap::new(), content: Bytes::new(), scope, what }
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    pub(super) fn content(mut self, content: Bytes) -> Self {
        self.content = content;
        self
    }
}

/// The pauses between attempts.
pub(super) struct Patience {
    left: u32,
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { left: ATTEMPTS - 1, pause: PAUSE }
    }
}

impl Patience {
    /// Waits where trying again may help.
    ///
    /// # Errors
    /// The error itself, where it may not, or has not helped often enough.
    pub(super) async fn after(&mut self, error: Error) -> Result<()> {
        let asked = match &error {
            Error::TooManyRequests { retry_after, .. } => *retry_after,
            _ => None,
        };
        if self.left == 0 || !error.is_passing() || asked.is_some_and(|asked| asked > LONGEST_PAUSE) {
            return Err(error);
        }
        let pause = asked.unwrap_or(self.pause).max(self.pause);
        tracing::debug!(%error, ?pause, "trying again");
        tokio::time::sleep(pause).await;
        self.left -= 1;
        self.pause *= 2;
        Ok(())
    }
}

/// What a registry says in the body of an error.
#[derive(Deserialize)]
struct Explanation {
    errors: Vec<Explained>,
}

/// One thing that it says.
#[derive(Deserialize)]
pub(super) struct Explained {
    /// One of the words of the specification, such as `NAME_UNKNOWN`.
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    message: String,
}

impl Client {
    /// Sends a request until it is answered with something else than "later" or "who are you", and follows where it leads.
    ///
    /// # Errors
    /// No answer, or no login. Any other status is an answer, for [`Client::expect`] to judge.
    pub(super) async fn send(&self, call: &Call) -> Result<Response<Incoming>> {
        let mut patience = Patience::default();
        loop {
            match self.send_once(call).await {
                Err(error) => patience.after(error).await?,
                Ok(response) if is_later(response.status()) => {
                    patience.after(self.failure(response, &call.scope, &call.what).await).await?;
                }
                Ok(response) => return Ok(response),
            }
        }
    }

    async fn send_once(&self, call: &Call) -> Result<Response<Incoming>> {
        let mut uri = call.uri.clone();
        let mut has_logged_in = false;
        let mut redirects = 0;
        loop {
            let response = self.attempt(call, &uri, bytes(call.content.clone()), &call.headers, None).await?;
            let is_own = auth::is_same_origin(&uri, self.base());
            match response.status() {
                StatusCode::UNAUTHORIZED if is_own && !has_logged_in => {
                    self.log_in(response.headers(), &call.scope).await?;
                    has_logged_in = true;
                }
                status if status.is_redirection() && call.method != Method::PUT => {
                    redirects += 1;
                    if redirects > REDIRECTS {
                        return Err(self.malformed("its answer leads from place to place without an end"));
                    }
                    uri = self.location(response.headers(), &uri)?;
                }
                _ => return Ok(response),
            }
        }
    }

    /// One request and its answer, of whatever status. Only the registry itself sees credentials.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        uri: &Uri,
        body: Body,
        headers: &HeaderMap,
        moved: Option<&AtomicU64>,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder().method(call.method.clone()).uri(uri.clone());
        if let Some(all) = request.headers_mut() {
            all.extend(headers.clone());
            if auth::is_same_origin(uri, self.base())
                && let Some(authorization) = self.authorization(&call.scope)
            {
                all.insert(header::AUTHORIZATION, authorization);
            }
        }
        let request = request.body(body).map_err(|error| self.malformed(&error.to_string()))?;
        self.exchange(request, &|| call.what.clone(), moved).await
    }

    /// One request as it stands. As long as what is `moved` grows, it goes on.
    pub(super) async fn exchange(
        &self,
        mut request: Request<Body>,
        what: &(dyn Fn() -> String + Sync),
        moved: Option<&AtomicU64>,
    ) -> Result<Response<Incoming>> {
        let agent = concat!("terraform-provider-swarm/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(agent));
        if let Some(authorization) = self.0.connector.proxy_authorization(request.uri()) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization);
        }
        let mut request = self.0.http.request(request);
        let count = || moved.map_or(0, |moved| moved.load(Ordering::Relaxed));
        let answer = loop {
            let before = count();
            match tokio::time::timeout(SILENCE, &mut request).await {
                Ok(answer) => break answer,
                Err(_) if count() > before => {}
                Err(_) => return Err(self.silent(what())),
            }
        };
        answer.map_err(|error| match error.source().and_then(|source| source.downcast_ref::<Unreached>()) {
            Some(Unreached(reason)) => Error::Reach(reason.clone()),
            None => self.broken(what(), &error),
        })
    }

    pub(super) fn broken(&self, what: String, error: &dyn std::error::Error) -> Error {
        // hyper says what it did; what went wrong is at the end of the chain.
        let mut reason: &dyn std::error::Error = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        Error::Broken { registry: self.registry().to_owned(), what, reason: reason.to_string() }
    }

    pub(super) fn malformed(&self, reason: &str) -> Error {
        Error::Malformed { what: format!("the answer of {}", self.registry()), reason: reason.to_owned() }
    }

    /// Where an answer leads. It may be elsewhere, but not out of TLS.
    pub(super) fn location(&self, answer: &HeaderMap, asked: &Uri) -> Result<Uri> {
        let text = answer.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let text = text.ok_or_else(|| self.malformed("it does not say where to go on (Location)"))?;
        let found = resolve(text, asked).ok_or_else(|| self.malformed("it leads to what is no URL"))?;
        if asked.scheme_str() == Some("https") && found.scheme_str() != Some("https") {
            return Err(self.malformed(
                "it leads from https to plain http. A registry behind a proxy with TLS has to answer with relative \
                 addresses (`http.relativeurls`), or to know its own (`http.host`)",
            ));
        }
        Ok(found)
    }

    /// The whole body of an answer, of at most `limit` bytes.
    pub(super) async fn body(
        &self,
        response: Response<Incoming>,
        limit: usize,
        what: &(dyn Fn() -> String + Sync),
    ) -> Result<Bytes> {
        let collected = tokio::time::timeout(SILENCE, Limited::new(response.into_body(), limit).collect());
        match collected.await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(Error::TooLong { what: format!("the answer to \"{}\"", what()), limit })
            }
            Ok(Err(error)) => Err(self.broken(what(), &*error)),
            Err(_) => Err(self.silent(what())),
        }
    }

    pub(super) fn silent(&self, what: String) -> Error {
        Error::Silent { registry: self.registry().to_owned(), what, after: SILENCE }
    }

    /// The answer, if its status is one of those that are right.
    ///
    /// # Errors
    /// What any other means.
    pub(super) async fn expect(
        &self,
        call: &Call,
        response: Response<Incoming>,
        right: &[u16],
    ) -> Result<Response<Incoming>> {
        if right.contains(&response.status().as_u16()) {
            return Ok(response);
        }
        Err(self.failure(response, &call.scope, &call.what).await)
    }

    /// What a status means that is not the one that was hoped for.
    pub(super) async fn failure(&self, response: Response<Incoming>, scope: &Scope, what: &str) -> Error {
        let registry = self.registry().to_owned();
        let (scope, what) = (scope.clone(), what.to_owned());
        let with_credentials = self.0.credentials.is_some();
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let is_token =
            self.authorization(&scope).is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
        match status {
            // A token that was given and does not suffice: the user is known, and may not.
            401 if is_token => Error::Denied { registry, scope, with_credentials },
            401 => Error::Unauthorized { registry, scope, with_credentials },
            403 => Error::Denied { registry, scope, with_credentials },
            405 => Error::NotAllowed { registry, what },
            429 => Error::TooManyRequests { registry, retry_after },
            _ => {
                let message = self.explanation(response).await;
                Error::Status { registry, what, status, message }
            }
        }
    }

    /// What the registry says in the body of an error, in one line.
    async fn explanation(&self, response: Response<Incoming>) -> Option<String> {
        let all = self.explained(response).await.into_iter().map(|Explained { code, message }| {
            if message.is_empty() { code } else { format!("{code}: {message}") }
        });
        let text = all.collect::<Vec<_>>().join("; ");
        let printable: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
        (!printable.is_empty()).then_some(printable)
    }

    /// What the registry says in the body of an error; nothing where that is not a registry's.
    pub(super) async fn explained(&self, response: Response<Incoming>) -> Vec<Explained> {
        let Ok(body) = self.body(response, EXPLANATION, &String::new).await else { return vec![] };
        serde_json::from_slice(&body).map_or_else(|_| vec![], |said: Explanation| said.errors)
    }
}

/// Statuses that may be another one a moment later.
fn is_later(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

/// What a `Location` means that was answered to a request of `asked`.
pub(super) fn resolve(location: &str, asked: &Uri) -> Option<Uri> {
    if location.contains("://") {
        return location.parse().ok().filter(|found: &Uri| found.authority().is_some());
    }
    let path = match location {
        "" => return None,
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        query if query.starts_with('?') => format!("{}{query}", asked.path()),
        relative => format!("{}/{relative}", asked.path().rsplit_once('/').map_or("", |(folder, _)| folder)),
    };
    Uri::builder()
        .scheme(asked.scheme_str()?)
        .authority(asked.authority()?.as_str())
        .path_and_query(path)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_where_they_lead_to() {
        let asked: Uri = "https://hub:5000/v2/a/blobs/uploads/?x=1".parse().unwrap();
        let to = |location: &str| resolve(location, &asked).map(|uri| uri.to_string());
        for (location, wanted) in [
            ("/v2/a/blobs/uploads/1?_state=x", "https://hub:5000/v2/a/blobs/uploads/1?_state=x"),
            ("https://other/x", "https://other/x"),
            ("?_state=y", "https://hub:5000/v2/a/blobs/uploads/?_state=y"),
            ("2", "https://hub:5000/v2/a/blobs/uploads/2"),
        ] {
            assert_eq!(to(location).as_deref(), Some(wanted), "{location}");
        }
        assert_eq!(to(""), None);
    }
}
