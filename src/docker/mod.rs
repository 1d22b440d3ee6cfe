//! The Docker Engine API. Nothing here knows Terraform.
//!
//! Read [`Docker`] first. `endpoint` and `context` say where the Engine is; `connect`, `ssh` and `tls` open
//! connections, and `explain` says why they do not; `call` makes one request of them, `refusal` tells what an Engine
//! means that refuses, and `pace` decides on another attempt. `shared` lets many readers share one list, `events`
//! wakes those who wait, and `converge` waits for services. On top of that lie the kinds of objects, one file each.
//! `scripted` is an Engine for tests, for what real ones cannot be made to say.

mod blobs;
mod call;
mod configs;
mod connect;
mod container;
mod context;
mod converge;
mod endpoint;
mod error;
mod events;
mod explain;
mod label_writer;
mod networks;
mod nodes;
mod object;
mod pace;
mod placement;
mod refusal;
mod registry_image;
#[cfg(test)]
mod scripted;
mod secrets;
mod services;
mod shared;
mod spec;
mod ssh;
mod swarm;
mod tasks;
mod tls;
mod version;

pub use call::RegistryAuth;
pub use configs::Config;
pub use container::*;
pub use converge::{ConvergeFailure, Converged, Progress, Reason, TaskProblem, Wait};
pub use endpoint::{Endpoint, EndpointError, Settings};
pub use error::{Error, Found, Kind, NotManager, Result};
pub use label_writer::Expected;
pub use networks::Network;
pub use nodes::{
    Availability, ManagerStatus, Node, NodeDescription, NodeEngine, NodeSpec, NodeState, NodeStatus, Role,
    find_node, list_of_nodes,
};
pub use object::{Extra, ObjectVersion};
pub use placement::Constraint;
pub use registry_image::RegistryImage;
pub use secrets::Secret;
pub use services::{Endpoint as ServiceEndpoint, JobStatus, Service, UpdateState, UpdateStatus};
pub use spec::*;
pub use swarm::{Info, RemoteManager, SwarmInfo};
pub use tasks::{ContainerStatus, Task, TaskState, TaskStatus};
pub use tls::TlsMaterial;
pub use version::{ApiVersion, NotAVersion};

use call::{Http, Request, decode, from_bollard, to_bollard};
use pace::{Attempts, Patience, Repeat};
use refusal::Subject;
use shared::Shared;
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// How long a write that is under way may go on after Terraform has asked to stop.
const FINISH: Duration = Duration::from_secs(10);

/// A Docker Engine that manages a swarm. Clones are cheap and share everything.
///
/// Making one does no network I/O; the first call that needs the Engine connects. Every call has a deadline, and
/// every call and wait ends with [`Error::Stopped`] once [`Docker::stop`] was called, but for a write that is under
/// way: it gets some seconds to finish, so that what it made is known.
#[derive(Clone)]
pub struct Docker(Arc<Inner>);

struct Inner {
    http: Http,
    patience: Patience,
    stop: CancellationToken,
    /// Other Engines, by what names them.
    others: Mutex<BTreeMap<String, Docker>>,
    version: Arc<OnceCell<ApiVersion>>,
    bollard: OnceLock<bollard::Docker>,
    manager: OnceCell<()>,
    clock: swarm::Clock,
    secrets: Shared<Secret>,
    configs: Shared<Config>,
    networks: Shared<Network>,
    nodes: Shared<Node>,
    services: Shared<Service>,
    labels: label_writer::LabelWriters,
    events: events::Events,
}

impl fmt::Debug for Docker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Docker").field(&self.host()).finish()
    }
}

impl Docker {
    /// Makes a client for an Engine, without any network I/O.
    ///
    /// # Errors
    /// When certificates or keys of the endpoint cannot be used.
    pub fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        Self::with_patience(endpoint, Patience::default())
    }

    fn with_patience(endpoint: &Endpoint, patience: Patience) -> Result<Self, EndpointError> {
        Self::with_stop(endpoint, patience, CancellationToken::new())
    }

    fn with_stop(
        endpoint: &Endpoint,
        patience: Patience,
        stop: CancellationToken,
    ) -> Result<Self, EndpointError> {
        Ok(Self(Arc::new(Inner {
            http: Http::new(endpoint)?,
            patience,
            stop,
            others: Mutex::default(),
            version: Arc::default(),
            bollard: OnceLock::new(),
            manager: OnceCell::new(),
            clock: swarm::Clock::default(),
            secrets: Shared::default(),
            configs: Shared::default(),
            networks: Shared::default(),
            nodes: Shared::default(),
            services: Shared::default(),
            labels: label_writer::LabelWriters::default(),
            events: events::Events::default(),
        })))
    }

    /// Another Engine, such as that of a host which is to join the swarm. What the settings leave out is as it is for
    /// this one. Those who ask for the same one share it, and [`Docker::stop`] ends its calls too.
    ///
    /// # Errors
    /// When the settings mean nothing, or certificates or keys cannot be used.
    pub fn elsewhere(&self, settings: &Settings) -> Result<Self, EndpointError> {
        let key = settings.hosts.join(" ");
        let mut others = shared::lock(&self.0.others);
        if let Some(known) = others.get(&key) {
            return Ok(known.clone());
        }
        let endpoint = Endpoint::at(&settings.hosts, "`connection.host`", false)?;
        let other = Self::with_stop(&endpoint, self.0.patience, self.0.stop.child_token())?;
        others.insert(key, other.clone());
        Ok(other)
    }

    /// The Engine's address as the user knows it.
    pub fn host(&self) -> &str {
        &self.0.http.host
    }

    /// Which setting named the Engine, such as `DOCKER_HOST`.
    pub fn origin(&self) -> &str {
        &self.0.http.origin
    }

    /// Ends all calls and waits of this client, now and later, with [`Error::Stopped`].
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    /// What is cancelled by [`Docker::stop`], for waits on other things than the Engine.
    pub fn stopping(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    /// The version of the API that is spoken, agreed on at first use.
    ///
    /// # Errors
    /// [`Error::NoCommonVersion`], and whatever keeps the Engine from answering.
    pub async fn api_version(&self) -> Result<ApiVersion> {
        let agree = || async {
            // Many may wait here for one failure; each of them trying again would take very long.
            if let Some(error) = self.0.http.contact.recent_failure() {
                return Err(error);
            }
            let mut attempts = self.attempts(Repeat::Read);
            let failed = loop {
                match self.ask_version().await {
                    Err(error) => {
                        if let Err(error) = attempts.pause(error).await {
                            break error;
                        }
                    }
                    agreed => return agreed,
                }
            };
            if failed != Error::Stopped {
                self.0.http.contact.given_up(&failed);
            }
            Err(failed)
        };
        self.0.version.get_or_try_init(agree).await.copied()
    }

    /// Answers [`Error::TooOld`] unless the spoken version is `needs` or newer; `feature` is for people.
    ///
    /// # Errors
    /// That, and those of [`Docker::api_version`].
    pub async fn require_version(&self, feature: &str, needs: ApiVersion) -> Result<()> {
        let has = self.api_version().await?;
        if has >= needs { Ok(()) } else { Err(Error::TooOld { feature: feature.to_owned(), needs, has }) }
    }

    /// Reason for a request of ours: bollard sends no unprefixed requests once versions are agreed on, and
    /// its model of the answer fails as a whole where one enum has a new value.
    async fn ask_version(&self) -> Result<ApiVersion> {
        #[derive(serde::Deserialize)]
        struct Versions {
            #[serde(rename = "ApiVersion")]
            newest: String,
            #[serde(rename = "MinAPIVersion", default)]
            oldest: Option<String>,
        }
        let request = Request::get("/version");
        let limit = self.0.patience.first_call;
        let call = self.0.http.send(None, &request);
        let bytes = self.limited(&request.what(), limit, Duration::ZERO, call).await?;
        let versions: Versions = decode(|| request.what(), &bytes)?;
        let malformed =
            |error: NotAVersion| Error::Malformed { what: request.what(), cause: error.to_string() };
        let oldest = versions.oldest.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose();
        let agreed = version::agree(
            self.host(),
            versions.newest.parse().map_err(malformed)?,
            oldest.map_err(malformed)?,
        )?;
        tracing::debug!(host = self.host(), origin = self.origin(), version = %agreed, "agreed on an API version");
        Ok(agreed)
    }

    /// Sends a request of ours as often as `repeat` allows.
    async fn call(&self, repeat: Repeat, request: &Request) -> Result<bytes::Bytes> {
        let mut attempts = self.attempts(repeat);
        loop {
            match self.call_once(request).await {
                Err(error) => attempts.pause(error).await?,
                answer => return answer,
            }
        }
    }

    async fn call_once(&self, request: &Request) -> Result<bytes::Bytes> {
        let version = self.api_version().await?;
        let finish = if request.method == http::Method::GET { Duration::ZERO } else { FINISH };
        let limit = self.0.patience.call;
        self.limited(&request.what(), limit, finish, self.0.http.send(Some(version), request)).await
    }

    /// Sends a read and decodes its answer.
    async fn read<T: serde::de::DeserializeOwned>(&self, request: &Request) -> Result<T> {
        let bytes = self.call(Repeat::Read, request).await?;
        decode(|| request.what(), &bytes)
    }

    /// Makes a read through bollard, as often as needed.
    async fn through_bollard<T, F>(&self, subject: Subject, make: impl Fn(bollard::Docker) -> F) -> Result<T>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let mut attempts = self.attempts(Repeat::Read);
        loop {
            self.api_version().await?;
            let call = make(self.bollard()?);
            let answer = async { call.await.map_err(|error| from_bollard(&self.0.http, &subject, error)) };
            match self.bounded("a request", answer).await {
                Err(error) => attempts.pause(error).await?,
                answer => return answer,
            }
        }
    }

    /// bollard over our transport. The version has to be agreed on before it is used.
    fn bollard(&self) -> Result<bollard::Docker> {
        if let Some(bollard) = self.0.bollard.get() {
            return Ok(bollard.clone());
        }
        let (http, version) = (self.0.http.clone(), Arc::clone(&self.0.version));
        let transport = move |request: bollard::BollardRequest| {
            let (http, version) = (http.clone(), Arc::clone(&version));
            async move {
                let version = version.get().copied().unwrap_or(ApiVersion::OLDEST);
                http.relay(version, request).await.map_err(to_bollard)
            }
        };
        // bollard's own limit stays above ours, which also covers the body of an answer.
        let seconds = self.0.patience.call.as_secs() * 2;
        let made = bollard::Docker::connect_with_custom_transport(
            transport,
            Some("http://docker"),
            seconds,
            bollard::API_DEFAULT_VERSION,
        );
        let made = made.map_err(|error| from_bollard(&self.0.http, &Subject::None, error))?;
        Ok(self.0.bollard.get_or_init(|| made).clone())
    }

    fn attempts(&self, repeat: Repeat) -> Attempts {
        let contact = Arc::clone(&self.0.http.contact);
        Attempts::new(repeat, self.0.patience, self.0.stop.clone(), contact)
    }

    /// Runs one attempt of a read within its deadline, and until Terraform stops.
    async fn bounded<T>(&self, what: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.limited(what, self.0.patience.call, Duration::ZERO, call).await
    }

    /// Runs one attempt of a call within its deadline. Once it is under way, it may go on for `finish` after
    /// Terraform stops: a write that is cut off leaves an object that nobody knows.
    async fn limited<T>(
        &self,
        what: &str,
        limit: Duration,
        finish: Duration,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let contact = &self.0.http.contact;
        let hopeless = contact.is_hopeless();
        let after = if hopeless { limit.min(self.0.patience.call_when_hopeless) } else { limit };
        let stopped = async {
            self.0.stop.cancelled().await;
            tokio::time::sleep(finish).await;
        };
        let answer = tokio::select! {
            () = stopped => Err(Error::Stopped),
            answer = tokio::time::timeout(after, call) => {
                answer.unwrap_or_else(|_| {
                    let (host, origin) = (self.host(), self.origin());
                    let what = format!("the Docker Engine at {host} (from {origin}) does not answer {what}");
                    Err(Error::Timeout { what, after })
                })
            }
        };
        match &answer {
            Ok(_) => contact.went_well(),
            Err(error @ Error::Timeout { .. }) => contact.given_up(error),
            Err(_) => {}
        }
        answer
    }
}
