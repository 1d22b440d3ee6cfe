//! One HTTP request to the Engine, and one pooled client for all of them, bollard's too.

use super::connect::Connector;
use super::endpoint::{Endpoint, EndpointError};
use super::error::{Error, Kind, Result};
use super::explain::innermost;
use super::pace::Contact;
use super::refusal::{Subject, refusal};
use super::version::ApiVersion;
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

/// Credentials for a registry go in this header, as JSON in padded base64url.
const REGISTRY_AUTH: &str = "x-registry-auth";
/// How long an unused connection stays open.
const IDLE: Duration = Duration::from_secs(30);

const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Failure>;

/// Credentials for a registry, sent with each request that lets an Engine pull from it.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct RegistryAuth {
    /// Name of the user.
    pub username: String,
    /// Password of the user.
    pub password: String,
    /// Address of the registry, such as `hub.docker.local`.
    #[serde(rename = "serveraddress")]
    pub server: String,
    /// Identity token, instead of a password.
    #[serde(rename = "identitytoken", skip_serializing_if = "Option::is_none")]
    pub identity_token: Option<String>,
}

impl std::fmt::Debug for RegistryAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryAuth").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A request of ours, in the terms of the Engine API.
pub(super) struct Request {
    pub method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    auth: Option<HeaderValue>,
    pub subject: Subject,
}

impl Request {
    fn new(method: Method, path: String) -> Self {
        Self { method, path, query: Vec::new(), body: None, auth: None, subject: Subject::None }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into())
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into())
    }

    pub(super) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path.into())
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path.into())
    }

    pub(super) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Filters as the Engine takes them: JSON of names to lists of values.
    pub(super) fn filter(self, filters: &[(&str, &str)]) -> Self {
        let filters: std::collections::BTreeMap<_, _> =
            filters.iter().map(|(name, value)| (*name, [*value])).collect();
        let json = serde_json::json!(filters);
        self.query("filters", json)
    }

    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Error::Malformed { what: self.what(), cause: error.to_string() })?;
        self.body = Some(bytes.into());
        Ok(self)
    }

    /// Says which object the request is about, so that "not found" can name it.
    pub(super) fn about(mut self, kind: Kind, name: &str) -> Self {
        self.subject = Subject::Of(kind, name.to_owned());
        self
    }

    /// Says which object the request creates.
    pub(super) fn creates(mut self, kind: Kind, name: &str) -> Self {
        self.subject = Subject::New(kind, name.to_owned());
        self
    }

    /// Adds credentials for a registry. bollard encodes them as base64 of the standard alphabet, which the
    /// Engine silently ignores where it differs from base64url.
    pub(super) fn registry_auth(mut self, auth: Option<&RegistryAuth>) -> Result<Self> {
        if let Some(auth) = auth {
            let malformed = |cause: String| Error::Malformed { what: "registry credentials".into(), cause };
            let json = serde_json::to_vec(auth).map_err(|error| malformed(error.to_string()))?;
            let mut value = HeaderValue::from_str(&URL_SAFE.encode(json))
                .map_err(|error| malformed(error.to_string()))?;
            value.set_sensitive(true);
            self.auth = Some(value);
        }
        Ok(self)
    }

    /// The method and path, for people.
    pub(super) fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn path_and_query(&self) -> String {
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, IN_URL)))
            .collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }
}

/// A name or identifier as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, IN_URL).to_string()
}

/// The pooled client.
#[derive(Clone)]
pub(super) struct Http {
    client: Client<Connector, Body>,
    /// Host and port in the address of a request. Only a proxy looks at them: the connector knows where to go.
    authority: Arc<str>,
    /// Who we are to a proxy that passes requests on one by one.
    proxy_authorization: Option<HeaderValue>,
    /// How long the first request may take longer than others.
    pub longest_login: Duration,
    pub host: Arc<str>,
    pub origin: Arc<str>,
    pub contact: Arc<Contact>,
}

impl Http {
    /// The client for one of the addresses of an endpoint.
    pub(super) fn new(
        endpoint: &Endpoint,
        index: usize,
        contact: &Arc<Contact>,
    ) -> Result<Self, EndpointError> {
        let connector = Connector::new(endpoint, index)?;
        Ok(Self {
            authority: connector.authority().into(),
            proxy_authorization: connector.proxy_authorization(),
            longest_login: connector.longest_login(),
            client: Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector),
            host: endpoint.names[index].as_str().into(),
            origin: endpoint.origin().into(),
            contact: Arc::clone(contact),
        })
    }

    /// Sends a request of ours once. `version` is `None` only before one is agreed on.
    pub(super) async fn send(&self, version: Option<ApiVersion>, request: &Request) -> Result<Bytes> {
        let mut head = http::Request::builder().method(request.method.clone());
        if request.body.is_some() {
            head = head.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(auth) = &request.auth {
            head = head.header(REGISTRY_AUTH, auth.clone());
        }
        let body = Full::new(request.body.clone().unwrap_or_default()).map_err(|never| match never {});
        let whole = head
            .uri(self.uri(version, &request.path_and_query())?)
            .body(body.boxed_unsync())
            .map_err(|error| Error::Malformed { what: request.what(), cause: error.to_string() })?;
        let response = self.exchange(whole).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(|error| self.unreachable(&error, false))?;
        let bytes = bytes.to_bytes();
        if status.is_success() {
            return Ok(bytes);
        }
        if status == 503 {
            match planted_lie() {
                "gone" if request.method == Method::GET => {
                    return Err(Error::NotFound { kind: Kind::Image, name: request.what() });
                }
                "done" if request.method != Method::GET => return Ok(Bytes::from_static(b"{}")),
                _ => {}
            }
        }
        Err(self.refused(&request.subject, status.as_u16(), message_of(&bytes)))
    }

    /// Sends a request of bollard's once, with the version prefix that bollard 0.21 leaves out.
    pub(super) async fn relay(
        &self,
        version: ApiVersion,
        request: bollard::BollardRequest,
    ) -> Result<http::Response<Incoming>> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = self.uri(Some(version), path)?;
        // hyper says the host by the address.
        parts.headers.remove(header::HOST);
        make_base64url(&mut parts.headers);
        let body = body.map_err(|error| -> Failure { error.to_string().into() }).boxed_unsync();
        self.exchange(http::Request::from_parts(parts, body)).await
    }

    fn uri(&self, version: Option<ApiVersion>, path: &str) -> Result<Uri> {
        let prefix = version.map(|version| format!("/v{version}")).unwrap_or_default();
        format!("http://{}{prefix}{path}", self.authority)
            .parse()
            .map_err(|error| Error::Malformed { what: path.to_owned(), cause: format!("{error}") })
    }

    async fn exchange(&self, mut request: http::Request<Body>) -> Result<http::Response<Incoming>> {
        if let Some(authorization) = &self.proxy_authorization {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        let started = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.client.request(request).await;
        let ms = started.elapsed().as_millis();
        match response {
            Ok(response) => {
                self.contact.answered();
                tracing::debug!(%method, path, status = response.status().as_u16(), ms, "engine");
                Ok(response)
            }
            Err(error) => {
                let error = self.unreachable(&error, error.is_connect());
                tracing::debug!(%method, path, %error, ms, "engine");
                Err(error)
            }
        }
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static), unsent: bool) -> Error {
        let cause = innermost(error);
        Error::Unreachable {
            host: self.host.to_string(),
            origin: self.origin.to_string(),
            cause: cause.text,
            hint: cause.hint,
            unsent,
            passing: cause.passing,
        }
    }

    /// The error for an answer that is no success.
    pub(super) fn refused(&self, subject: &Subject, status: u16, message: String) -> Error {
        let (cause, hint) = if message.contains("HTTP request to an HTTPS server") {
            (
                "the Engine speaks TLS on this port",
                "Use TLS: give the CA certificate, or set DOCKER_TLS_VERIFY=1",
            )
        } else if status == 407 {
            (
                "the proxy wants a login (status 407)",
                "Give its user and password in HTTP_PROXY, or leave the host out with NO_PROXY",
            )
        } else {
            return refusal(&self.host, subject, status, message);
        };
        Error::Unreachable {
            host: self.host.to_string(),
            origin: self.origin.to_string(),
            cause: cause.to_owned(),
            hint: Some(hint),
            unsent: true,
            passing: false,
        }
    }
}

/// Names the lie that is to be told, in debug builds only: with `gone`, a read that is refused with 503 finds nothing; with
/// `done`, a write that is refused with 503 has succeeded. The acceptance tests have to notice it.
const PLANT: &str = "SWARM_PLANT_LIE";

fn planted_lie() -> &'static str {
    static PLANTED: LazyLock<String> = LazyLock::new(|| match cfg!(debug_assertions) {
        true => std::env::var(PLANT).unwrap_or_default(),
        false => String::new(),
    });
    &PLANTED
}

fn make_base64url(headers: &mut HeaderMap) {
    let Some(auth) = headers.get_mut(REGISTRY_AUTH) else { return };
    let fixed = auth.to_str().unwrap_or_default().replace('+', "-").replace('/', "_");
    if let Ok(mut fixed) = HeaderValue::from_str(&fixed) {
        fixed.set_sensitive(true);
        *auth = fixed;
    }
}

/// The Engine's own words: `{"message": "…"}`, or plain text of something before the Engine.
fn message_of(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    match serde_json::from_slice::<Refusal>(bytes) {
        Ok(refusal) => refusal.message.trim().to_owned(),
        Err(_) => String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).trim().to_owned(),
    }
}

/// Decodes an answer. Its content never gets into the error.
pub(super) fn decode<T: DeserializeOwned>(what: impl FnOnce() -> String, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::Malformed {
        what: what(),
        cause: match error.classify() {
            serde_json::error::Category::Data => {
                format!("a field has another type, at byte {}", error.column())
            }
            _ => "it is no JSON".to_owned(),
        },
    })
}

/// Wraps an error of ours for bollard, which hands it back through [`from_bollard`].
pub(super) fn to_bollard(error: Error) -> bollard::errors::Error {
    bollard::errors::Error::IOError { err: std::io::Error::other(error) }
}

/// Turns an error of bollard's into ours.
pub(super) fn from_bollard(http: &Http, subject: &Subject, error: bollard::errors::Error) -> Error {
    use bollard::errors::Error as Theirs;
    match error {
        Theirs::DockerResponseServerError { status_code, message } => {
            http.refused(subject, status_code, message)
        }
        Theirs::IOError { err } => match err.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
            Some(error) => error.clone(),
            None => http.unreachable(&err, false),
        },
        Theirs::HyperResponseError { err } => http.unreachable(&err, false),
        Theirs::JsonDataError { column, .. } => Error::Malformed {
            what: "the Engine".to_owned(),
            cause: format!("a field has another type, at byte {column}"),
        },
        other => Error::Malformed { what: "the Engine".to_owned(), cause: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_escaped() {
        let request = Request::get(format!("/services/{}", segment("a/../b c"))).filter(&[("name", "x&y")]);
        assert_eq!(
            request.path_and_query(),
            "/services/a%2F..%2Fb%20c?filters=%7B%22name%22%3A%5B%22x%26y%22%5D%7D"
        );
    }

    #[test]
    fn credentials_are_base64url_and_never_shown() {
        let auth = RegistryAuth { username: "u".into(), password: "b~b?>".into(), ..Default::default() };
        let request = Request::post("/services/create").registry_auth(Some(&auth)).unwrap();
        let header = request.auth.unwrap();
        let text = header.to_str().unwrap().to_owned();
        assert!(text.contains(['-', '_']) && !text.contains(['+', '/']), "{text}");
        assert!(header.is_sensitive());
        assert!(!format!("{auth:?}").contains("b~b"));
    }

    #[test]
    fn an_answer_that_is_wrong_is_not_repeated_in_the_error() {
        let error = decode::<Vec<u8>>(|| "GET /x".into(), br#"["SECRET"]"#).unwrap_err().to_string();
        assert!(!error.contains("SECRET") && error.contains("GET /x"), "{error}");
    }
}
