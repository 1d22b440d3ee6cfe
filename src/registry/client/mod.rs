//! A client of a registry: OCI Distribution's HTTP API, as far as images are copied, listed and deleted by it.
//!
//! | module | does |
//! | --- | --- |
//! | [`Client`] | knows one registry, and who logs in there |
//! | `connector` | connects: TLS, an address beside the name, proxies of the environment |
//! | `auth` | answers what the registry asks of who comes |
//! | `request` | sends, tries again, follows, and says what a status means |
//! | `absent` | tells a registry that has no such thing from no registry at all |
//! | `manifest`, `image_config` | read, write and delete manifests, and say what an image is |
//! | `lists` | lists repositories and tags |
//! | `blob`, `upload` | read and write layers, piece by piece, from where it broke off |
//!
//! Manifests and configurations are checked against their digests when they are read, layers while they are passed on; which
//! digest a tag has is the registry's word. Credentials are sent to the registry and to the server that it names for its tokens,
//! and to nobody else, wherever an answer leads.

mod absent;
mod auth;
mod blob;
mod connector;
mod digest;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod image_config;
mod lists;
mod manifest;
mod request;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
mod upload;

pub use auth::{Credentials, Scope};
pub use blob::{ByteStream, Content};
pub use digest::{Digest, NotADigest};
pub use error::{Error, Result};
pub use image_config::{ImageConfig, platforms};
pub use manifest::{Descriptor, Head, MANIFESTS, Manifest, Parts, Platform};
pub use upload::{Blob, Pushed};

pub(crate) use digest::Hasher;

use super::{Trust, connect::Place, probe::ProbeError, trust};
use connector::Connector;
use http::{HeaderValue, Method, Uri};
use hyper_util::{
    client::{legacy, proxy::matcher::Matcher},
    rt::{TokioExecutor, TokioTimer},
};
use request::{Body, Call};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(20);
/// The most time between two looks at whether a registry serves.
const LOOK: Duration = Duration::from_secs(2);

/// A registry that is asked over HTTP. Clones share connections and logins.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    /// Scheme, host and port.
    base: Uri,
    /// Host and port as written, by which the registry is known.
    name: String,
    credentials: Option<Credentials>,
    connector: Connector,
    http: legacy::Client<Connector, Body>,
    /// What answered the last challenge: of a scope, or of all.
    authorizations: Mutex<BTreeMap<Option<Scope>, HeaderValue>>,
    /// How much of a blob is sent by one request.
    piece: u64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.0.base)
    }
}

impl Client {
    /// A client of the registry at `url`, such as `https://hub.example.com`. Nothing is connected yet.
    ///
    /// The certificate is verified for the URL's host even where `connect_to` (`HOST:PORT`) names another address. The proxies
    /// of the environment are used, but not to such an address, nor to this machine.
    ///
    /// # Errors
    /// The URL, or the authorities that are to be trusted, mean nothing.
    pub fn new(
        url: &str,
        trust: Trust<'_>,
        connect_to: Option<&str>,
        credentials: Option<Credentials>,
    ) -> Result<Self, ProbeError> {
        Self::through(Matcher::from_env(), url, trust, connect_to, credentials)
    }

    /// The same, through these proxies.
    fn through(
        proxies: Matcher,
        url: &str,
        trust: Trust<'_>,
        connect_to: Option<&str>,
        credentials: Option<Credentials>,
    ) -> Result<Self, ProbeError> {
        let place = Place::parse(url)?;
        let refuse = |reason: &str| ProbeError::Url { url: url.to_owned(), reason: reason.to_owned() };
        if !matches!(place.url.path(), "" | "/" | "/v2" | "/v2/") || place.url.query().is_some() {
            return Err(refuse("the clients of a registry know no path: leave it out"));
        }
        let name = place.url.authority().map(|it| it.as_str().to_owned()).unwrap_or_default();
        let scheme = if place.is_https { "https" } else { "http" };
        let base = Uri::builder().scheme(scheme).authority(name.as_str()).path_and_query("/").build();
        let base = base.map_err(|_| refuse("it is not a URL"))?;
        let connector = Connector::new(place, connect_to, trust::config(trust)?, proxies);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector.clone());
        let (authorizations, piece) = (Mutex::default(), upload::PIECE);
        Ok(Self(Arc::new(Inner { base, name, credentials, connector, http, authorizations, piece })))
    }

    /// The registry's host, with its port where one is written: the beginning of its images' names.
    pub fn registry(&self) -> &str {
        &self.0.name
    }

    fn base(&self) -> &Uri {
        &self.0.base
    }

    fn is_https(&self) -> bool {
        self.0.base.scheme_str() == Some("https")
    }

    /// Whether both ask the same registry, so that one can take over layers of the other.
    pub fn is_same_registry(&self, other: &Self) -> bool {
        auth::is_same_origin(&self.0.base, &other.0.base)
    }

    /// What tells the registry from others: its scheme, host and port.
    pub fn origin(&self) -> String {
        let (scheme, port) = if self.is_https() { ("https", 443) } else { ("http", 80) };
        let host = self.0.base.host().unwrap_or_default().to_ascii_lowercase();
        format!("{scheme}://{host}:{}", self.0.base.port_u16().unwrap_or(port))
    }

    /// A URL of the registry.
    fn uri(&self, path_and_query: &str) -> Result<Uri> {
        let authority = self.0.base.authority().map_or("", |authority| authority.as_str());
        Uri::builder()
            .scheme(if self.is_https() { "https" } else { "http" })
            .authority(authority)
            .path_and_query(path_and_query)
            .build()
            .map_err(|_| Error::Malformed {
                what: format!("`{path_and_query}`"),
                reason: "it can't stand in a URL".to_owned(),
            })
    }

    /// Sees that a registry answers, and that it lets in who comes.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        let call =
            Call::new(Method::GET, self.uri("/v2/")?, Scope::Ping, "say that it is a registry".to_owned());
        let response = self.send(&call).await?;
        if response.status() == http::StatusCode::NOT_FOUND {
            return Err(Error::Reach(Arc::new(ProbeError::NotFound(call.uri.to_string()))));
        }
        self.expect(&call, response, &[200]).await.map(drop)
    }

    /// Waits until a registry serves that has just been started, and no longer where waiting cannot help.
    ///
    /// # Errors
    /// What the last look saw.
    pub async fn wait_until_serves(&self, within: Duration) -> Result<()> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            let error = match self.ping().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let may_come = match &error {
                Error::Reach(reason) => !reason.is_final(),
                error => error.is_passing(),
            };
            if !may_come || start.elapsed() + pause >= within {
                return Err(error);
            }
            tracing::debug!(registry = self.registry(), %error, "the registry does not serve yet");
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LOOK);
        }
    }
}
