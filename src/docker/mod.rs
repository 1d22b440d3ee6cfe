//! The Docker Engine API. Nothing here knows Terraform.
//!
//! Read [`Docker`] first. `endpoint` and `context` say where the Engine is; `connect`, `proxy`, `ssh` and `tls` open
//! connections, and `explain` says why they do not; `call` makes one request of them, `engines` chooses the manager that
//! is asked, `refusal` tells what an Engine means that refuses, and `pace` decides on another attempt. `shared` lets many readers share one list, `events`
//! wakes those who wait, and `converge` waits for services. On top of that lie the kinds of objects, one file each.
//! `scripted` is an Engine for tests, for what real ones cannot be made to say.

mod blobs;
mod call;
mod cluster;
mod connect;
mod container;
mod context;
mod converge;
mod creation;
mod credentials;
mod departure;
mod endpoint;
mod engines;
mod error;
mod events;
mod explain;
mod folder;
mod jobs;
mod label_writer;
mod logs;
mod membership;
mod needed;
mod networks;
mod nodes;
mod object;
mod pace;
mod placement;
mod proxy;
mod refusal;
mod registry_image;
mod removal;
#[cfg(test)]
pub(crate) mod scripted;
mod services;
mod shared;
mod spec;
mod ssh;
mod ssh_files;
mod swarm;
mod tasks;
mod tls;
mod version;
mod volumes;

pub use blobs::{Blob, BlobKind, NewBlob};
pub use call::RegistryAuth;
pub use cluster::*;
pub use container::*;
pub use converge::{ConvergeFailure, Converged, Progress, Reason, TaskProblem, Wait};
pub use departure::{Departure, keeps_quorum};
pub use endpoint::{Endpoint, EndpointError, Settings, check_address};
pub use error::{Error, Found, Kind, NotManager, Result};
pub use jobs::{Ended, JobFailure};
pub use label_writer::Expected;
pub use membership::{Init, Join};
pub use networks::{Ipam, IpamConfig, Network, NetworkReference, NetworkSpec};
pub use nodes::{
    Availability, ManagerStatus, Node, NodeDescription, NodeEngine, NodeSpec, NodeState, NodeStatus, Role,
    find_node, list_of_nodes, manager_addresses,
};
pub use object::{Extra, ObjectVersion};
pub use placement::Constraint;
pub use registry_image::RegistryImage;
pub use services::{
    Change, Endpoint as ServiceEndpoint, JobStatus, Service, ServiceStatus, UpdateState, UpdateStatus,
    VirtualIp,
};
pub use spec::*;
pub use ssh_files::{SshSettings, check_host_key};
pub use swarm::{ClusterInfo, Info, RemoteManager, SwarmInfo};
pub use tasks::{ContainerStatus, Task, TaskState, TaskStatus};
pub use tls::TlsMaterial;
pub use version::{ApiVersion, NotAVersion};
pub use volumes::*;

use call::{Request, decode, from_bollard};
use pace::{Attempts, Patience, Repeat};
use refusal::Subject;
use shared::Shared;
use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
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
    number: u64,
    engines: engines::Engines,
    endpoint: Endpoint,
    host: String,
    patience: Patience,
    stop: CancellationToken,
    /// Other Engines, by what names them.
    others: Mutex<Vec<(Settings, Docker)>>,
    credentials: credentials::Cache,
    /// Whether this is a manager, once it is; until the host joins or leaves a swarm.
    manager: Mutex<Arc<OnceCell<()>>>,
    managers_change: tokio::sync::Mutex<()>,
    departures: departure::Departures,
    clock: swarm::Clock,
    secrets: Shared<Blob>,
    configs: Shared<Blob>,
    networks: Shared<Network>,
    nodes: Shared<Node>,
    services: Shared<Service>,
    volumes: Shared<Volume>,
    counted_services: Shared<Service>,
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
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            engines: engines::Engines::new(endpoint)?,
            endpoint: endpoint.clone(),
            host: endpoint.host(),
            patience,
            stop,
            others: Mutex::default(),
            credentials: credentials::Cache::default(),
            manager: Mutex::default(),
            managers_change: tokio::sync::Mutex::default(),
            departures: departure::Departures::default(),
            clock: swarm::Clock::default(),
            secrets: Shared::default(),
            configs: Shared::default(),
            networks: Shared::default(),
            nodes: Shared::default(),
            services: Shared::default(),
            volumes: Shared::default(),
            counted_services: Shared::default(),
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
        let mut others = shared::lock(&self.0.others);
        if let Some((_, known)) = others.iter().find(|(known, _)| known == settings) {
            return Ok(known.clone());
        }
        let endpoint = self.0.endpoint.elsewhere(settings)?;
        let other = Self::with_stop(&endpoint, self.0.patience, self.0.stop.child_token())?;
        others.push((settings.clone(), other.clone()));
        Ok(other)
    }

    /// Which one it is of those that this process has made: each run of Terraform has one of its own, even where a provider
    /// serves several runs.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Whether both are clones of one client.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it may be any of several managers that is asked: what one host has cannot be asked for then.
    pub fn is_one_of_several(&self) -> bool {
        self.0.engines.are_several()
    }

    /// The Engine's address as the user knows it.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Which setting named the Engine, such as `DOCKER_HOST`.
    pub fn origin(&self) -> &str {
        self.0.endpoint.origin()
    }

    /// Ends all calls and waits of this client, now and later, with [`Error::Stopped`].
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    /// The same Engine for what has to be done even after [`Docker::stop`]: to leave behind what is as it was found. It
    /// shares nothing with this one, so that nothing of it is stopped already.
    ///
    /// # Errors
    /// As [`Docker::new`].
    pub fn afterwards(&self) -> Result<Self, EndpointError> {
        Self::with_patience(&self.0.endpoint, self.0.patience)
    }

    /// What is cancelled by [`Docker::stop`], for waits on other things than the Engine.
    pub fn stopping(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    /// The version of the API that is spoken with the Engine that is asked now, agreed on at first use.
    ///
    /// # Errors
    /// [`Error::NoCommonVersion`], and whatever keeps the Engine from answering.
    pub async fn api_version(&self) -> Result<ApiVersion> {
        let mut attempts = self.attempts(Repeat::Read);
        loop {
            match self.engine().await {
                Ok(choice) => return Ok(choice.version),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    /// Answers [`Error::TooOld`] unless the spoken version is `needs` or newer; `feature` is for people.
    ///
    /// # Errors
    /// That, and those of [`Docker::api_version`].
    pub async fn require_version(&self, feature: &str, needs: ApiVersion) -> Result<()> {
        let has = self.api_version().await?;
        if has >= needs { Ok(()) } else { Err(Error::TooOld { feature: feature.to_owned(), needs, has }) }
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

    /// Sends a request of ours once, or to one manager after another until it can have happened.
    async fn call_once(&self, request: &Request) -> Result<bytes::Bytes> {
        let repeat = if request.method == http::Method::GET { Repeat::Read } else { Repeat::Write };
        self.ask(&request.what(), repeat, |engine, version| async move {
            engine.http.send(Some(version), request).await
        })
        .await
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
        // bollard's own limit stays above ours, which also covers the body of an answer.
        let seconds = self.0.patience.call.as_secs() * 2;
        loop {
            let answer = self.ask("a request", Repeat::Read, |engine, version| {
                let call = engine.bollard(version, seconds).map(&make);
                let subject = &subject;
                async move { call?.await.map_err(|error| from_bollard(&engine.http, subject, error)) }
            });
            match answer.await {
                Err(error) => attempts.pause(error).await?,
                answer => return answer,
            }
        }
    }

    /// bollard over our transport, to the Engine that is asked now.
    async fn bollard(&self) -> Result<(Arc<engines::Engine>, bollard::Docker)> {
        let choice = self.engine().await?;
        let bollard = choice.engine.bollard(choice.version, self.0.patience.call.as_secs() * 2)?;
        Ok((choice.engine, bollard))
    }

    fn attempts(&self, repeat: Repeat) -> Attempts {
        let contact = Arc::clone(&self.0.engines.contact);
        Attempts::new(repeat, self.patience(), self.0.stop.clone(), contact)
    }

    /// Where there are several managers, another may answer as long as a call may take.
    fn patience(&self) -> Patience {
        let several = self.0.engines.are_several();
        let patience = self.0.patience;
        Patience { one_of_several: several.then_some(patience.attempts), ..patience }
    }

    /// Runs one attempt of a call within its deadline. Once it is under way, it may go on for `finish` after
    /// Terraform stops: a write that is cut off leaves an object that nobody knows.
    async fn limited<T>(
        &self,
        engine: &engines::Engine,
        what: &str,
        limit: Duration,
        finish: Duration,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let contact = &self.0.engines.contact;
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
                    let (host, origin) = (&engine.http.host, self.origin());
                    let what = format!("the Docker Engine at {host} (from {origin}) does not answer {what}");
                    Err(Error::Timeout { what, after })
                })
            }
        };
        match &answer {
            Ok(_) => contact.went_well(),
            // Where there are several Engines, another may well answer.
            Err(error @ Error::Timeout { .. }) if !self.0.engines.are_several() => contact.given_up(error),
            Err(_) => {}
        }
        answer
    }
}
