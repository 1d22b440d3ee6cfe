//! The Engines that a client may ask: managers of one swarm, one of which is asked until it is gone.
//!
//! Each has connections of its own, and a version of the API of its own, for managers may be of other releases. Where
//! there are several, the first that manages a swarm is asked, and remembered. When it cannot be connected to, when its
//! connection breaks or it falls silent, and when it turns out to manage nothing, the next is chosen. Whether a call that
//! was under way then is made again there is for [`pace`](super::pace) to say, if it may have happened.

use super::call::{Http, Request, decode, from_bollard, to_bollard};
use super::endpoint::{Endpoint, EndpointError};
use super::error::{Error, Result};
use super::pace::{Contact, Repeat};
use super::refusal::Subject;
use super::shared::lock;
use super::swarm::{Info, not_manager};
use super::version::{self, ApiVersion, NotAVersion};
use super::{Docker, FINISH};
use std::{
    future::Future,
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// How long an Engine that failed is asked after all others only.
const SHUNNED: Duration = Duration::from_secs(30);
/// How long one of several Engines may take to say which versions it speaks.
const PROBE: Duration = Duration::from_secs(6);
/// How often one of several Engines that owes an answer is asked whether it still lives, and how long it may take to say.
const WATCH: Duration = Duration::from_secs(2);
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// One Engine.
pub(super) struct Engine {
    pub http: Http,
    version: OnceCell<ApiVersion>,
    /// How agreeing on a version failed last: all who waited for it fail with it.
    disagreed: Mutex<Option<(Instant, Error)>>,
    bollard: OnceLock<bollard::Docker>,
    /// When it could not be used, last.
    failed: Mutex<Option<Instant>>,
}

/// The Engines of one client.
pub(super) struct Engines {
    all: Vec<Arc<Engine>>,
    pub contact: Arc<Contact>,
    /// The manager that is asked, where there are several Engines.
    current: Mutex<Option<Choice>>,
    /// One chooses at a time, and those who waited meanwhile take what came of it.
    choosing: tokio::sync::Mutex<Option<(Instant, Result<Choice>)>>,
}

/// The Engine to ask.
#[derive(Clone)]
pub(super) struct Choice {
    pub engine: Arc<Engine>,
    pub version: ApiVersion,
    /// Why none can manage a swarm, each with its reason; empty where this one can.
    pub why_none: Vec<(String, Error)>,
}

impl Engine {
    /// bollard over our transport.
    pub(super) fn bollard(&self, version: ApiVersion, seconds: u64) -> Result<bollard::Docker> {
        if let Some(bollard) = self.bollard.get() {
            return Ok(bollard.clone());
        }
        let http = self.http.clone();
        let transport = move |request: bollard::BollardRequest| {
            let http = http.clone();
            async move { http.relay(version, request).await.map_err(to_bollard) }
        };
        let made = bollard::Docker::connect_with_custom_transport(
            transport,
            Some("http://docker"),
            seconds,
            bollard::API_DEFAULT_VERSION,
        );
        let made = made.map_err(|error| from_bollard(&self.http, &Subject::None, error))?;
        Ok(self.bollard.get_or_init(|| made).clone())
    }

    fn is_shunned(&self) -> bool {
        lock(&self.failed).is_some_and(|at| at.elapsed() < SHUNNED)
    }

    fn shun(&self) {
        *lock(&self.failed) = Some(Instant::now());
    }
}

impl Engines {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let contact = Arc::<Contact>::default();
        let all = (0..endpoint.addresses.len()).map(|index| {
            Ok(Arc::new(Engine {
                http: Http::new(endpoint, index, &contact)?,
                version: OnceCell::new(),
                disagreed: Mutex::default(),
                bollard: OnceLock::new(),
                failed: Mutex::default(),
            }))
        });
        let all = all.collect::<Result<_, EndpointError>>()?;
        Ok(Self { all, contact, current: Mutex::default(), choosing: tokio::sync::Mutex::default() })
    }

    pub(super) fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    fn current(&self) -> Option<Choice> {
        lock(&self.current).clone()
    }

    /// Whether this Engine is no longer the one that is asked.
    pub(super) fn has_moved_from(&self, engine: &Arc<Engine>) -> bool {
        let current = lock(&self.current);
        self.are_several() && !current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.engine, engine))
    }

    /// Takes note of a failure that is this Engine's alone, so that the next is asked from now on. Answers whether it is.
    pub(super) fn moves_on(&self, engine: &Arc<Engine>, error: &Error) -> bool {
        let moves = self.are_several() && error.is_of_one_engine();
        if moves {
            engine.shun();
            let mut current = lock(&self.current);
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.engine, engine)) {
                *current = None;
            }
        }
        moves
    }
}

impl Docker {
    /// Makes one attempt of a call on the Engine that is asked now. Where that one is gone, the next is asked, unless
    /// the call may have happened and is no read.
    pub(super) async fn ask<T, F>(
        &self,
        what: &str,
        repeat: Repeat,
        call: impl Fn(Arc<Engine>, ApiVersion) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let engines = &self.0.engines;
        let is_read = repeat == Repeat::Read;
        let finish = if is_read { Duration::ZERO } else { FINISH };
        let mut failures = Vec::new();
        loop {
            let Choice { engine, version, why_none } = self.engine().await?;
            let answer = self
                .limited(&engine, what, self.0.patience.call, finish, async {
                    let call = call(Arc::clone(&engine), version);
                    if !engines.are_several() {
                        return call.await;
                    }
                    tokio::select! {
                        answer = call => answer,
                        gone = fell_silent(&engine) => Err(gone),
                    }
                })
                .await;
            let Err(error) = answer else { return answer };
            if !why_none.is_empty() && matches!(error, Error::NotManager { .. }) {
                return Err(self.none_of(why_none));
            }
            if !engines.moves_on(&engine, &error) {
                return Err(error);
            }
            if !is_read && error.may_have_happened() {
                return Err(error);
            }
            tracing::debug!(%error, "asking the next manager");
            failures.push((engine.http.host.to_string(), error));
            if failures.len() >= engines.all.len() {
                return Err(self.none_of(failures));
            }
        }
    }

    /// The Engine that is asked now, and the version of the API that is spoken with it.
    pub(super) async fn engine(&self) -> Result<Choice> {
        let engines = &self.0.engines;
        let asked = Instant::now();
        if let [engine] = &engines.all[..] {
            let version = self.agreed(engine).await?;
            return Ok(Choice { engine: Arc::clone(engine), version, why_none: Vec::new() });
        }
        if let Some(current) = engines.current() {
            return Ok(current);
        }
        let mut last = engines.choosing.lock().await;
        if let Some(current) = engines.current() {
            return Ok(current);
        }
        if let Some((at, outcome)) = &*last
            && *at >= asked
        {
            return outcome.clone();
        }
        // Terraform asks for hundreds of objects: when all Engines are gone, not each of them is to try them all.
        if let Some(error) = engines.contact.recent_failure() {
            return Err(error);
        }
        let outcome = self.choose().await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }

    /// Chooses the first Engine that manages a swarm. Where none does, it is the first that answers, for what can be
    /// asked of any Engine; another may manage a swarm the next time.
    async fn choose(&self) -> Result<Choice> {
        let engines = &self.0.engines;
        let mut order: Vec<_> = engines.all.iter().collect();
        order.sort_by_key(|engine| engine.is_shunned());
        let (mut failures, mut willing) = (Vec::new(), None);
        for engine in order {
            let host = engine.http.host.to_string();
            match self.probe(engine).await {
                Ok((version, None)) => {
                    tracing::debug!(host, "this manager is asked from now on");
                    let choice = Choice { engine: Arc::clone(engine), version, why_none: Vec::new() };
                    *lock(&engines.current) = Some(choice.clone());
                    return Ok(choice);
                }
                Ok((version, Some(reason))) => {
                    willing.get_or_insert((Arc::clone(engine), version));
                    failures.push((host, reason));
                }
                Err(Error::Stopped) => return Err(Error::Stopped),
                Err(error) => {
                    tracing::debug!(%error, "asking the next manager");
                    engine.shun();
                    failures.push((host, error));
                }
            }
        }
        match willing {
            Some((engine, version)) => Ok(Choice { engine, version, why_none: failures }),
            None => Err(self.none_of(failures)),
        }
    }

    /// The version that an Engine speaks, and why it cannot manage a swarm, if it cannot.
    async fn probe(&self, engine: &Arc<Engine>) -> Result<(ApiVersion, Option<Error>)> {
        let version = self.agreed(engine).await?;
        let request = Request::get("/info");
        // A manager takes its time to answer this while the managers agree on a leader: then there is no better one.
        let call = async {
            tokio::select! {
                answer = engine.http.send(Some(version), &request) => answer,
                gone = fell_silent(engine) => Err(gone),
            }
        };
        let limit = self.0.patience.call;
        let bytes = self.limited(engine, &request.what(), limit, Duration::ZERO, call).await;
        let info: Info = decode(|| request.what(), &bytes.map_err(Error::before_the_call)?)?;
        let host = engine.http.host.to_string();
        Ok((version, not_manager(&info.swarm).map(|reason| Error::NotManager { host, reason })))
    }

    /// That none of the Engines can be used, in the order of the user.
    pub(super) fn none_of(&self, mut failures: Vec<(String, Error)>) -> Error {
        let place = |host: &str| self.0.engines.all.iter().position(|engine| *engine.http.host == *host);
        failures.sort_by_key(|(host, _)| place(host));
        Error::NoneOf { origin: self.origin().to_owned(), failures }
    }

    /// The version of the API that is spoken with an Engine, agreed on at first use.
    async fn agreed(&self, engine: &Arc<Engine>) -> Result<ApiVersion> {
        let asked = Instant::now();
        let agree = || async {
            // Many may wait here for one failure; each of them trying by itself would take very long.
            if let Some((at, error)) = &*lock(&engine.disagreed)
                && *at >= asked
            {
                return Err(error.clone());
            }
            if !self.0.engines.are_several()
                && let Some(error) = self.0.engines.contact.recent_failure()
            {
                return Err(error);
            }
            let answer = self.ask_version(engine).await.map_err(Error::before_the_call);
            if let Err(error) = &answer {
                *lock(&engine.disagreed) = Some((Instant::now(), error.clone()));
            }
            answer
        };
        engine.version.get_or_try_init(agree).await.copied()
    }

    /// Reason for a request of ours: bollard sends no unprefixed requests once versions are agreed on, and
    /// its model of the answer fails as a whole where one enum has a new value.
    async fn ask_version(&self, engine: &Arc<Engine>) -> Result<ApiVersion> {
        #[derive(serde::Deserialize)]
        struct Versions {
            #[serde(rename = "ApiVersion")]
            newest: String,
            #[serde(rename = "MinAPIVersion", default)]
            oldest: Option<String>,
        }
        let request = Request::get("/version");
        let first = self.0.patience.first_call;
        let answer = if self.0.engines.are_several() { first.min(PROBE) } else { first };
        // A login that fails is to be told by the step that failed, not by our own impatience.
        let limit = answer + engine.http.longest_login;
        let call = engine.http.send(None, &request);
        let bytes = self.limited(engine, &request.what(), limit, Duration::ZERO, call).await?;
        let versions: Versions = decode(|| request.what(), &bytes)?;
        let malformed =
            |error: NotAVersion| Error::Malformed { what: request.what(), cause: error.to_string() };
        let oldest = versions.oldest.filter(|text| !text.is_empty()).map(|text| text.parse()).transpose();
        let host = &engine.http.host;
        let agreed =
            version::agree(host, versions.newest.parse().map_err(malformed)?, oldest.map_err(malformed)?)?;
        tracing::debug!(%host, origin = self.origin(), version = %agreed, "agreed on an API version");
        Ok(agreed)
    }
}

/// Ends when an Engine that owes an answer shows no other sign of life either. A host that loses its power says no
/// goodbye, so its connections look alive for many minutes; and an answer may take long, since an Engine waits for a
/// leader of its swarm.
async fn fell_silent(engine: &Engine) -> Error {
    let request = Request::get("/_ping");
    loop {
        tokio::time::sleep(WATCH).await;
        let cause = match tokio::time::timeout(SIGN_OF_LIFE, engine.http.send(None, &request)).await {
            Ok(Err(Error::Unreachable { cause, .. })) => cause,
            Ok(_) => continue,
            Err(_) => "it does not answer any more".to_owned(),
        };
        return Error::Unreachable {
            host: engine.http.host.to_string(),
            origin: engine.http.origin.to_string(),
            cause,
            hint: None,
            unsent: false,
            passing: true,
        };
    }
}

#[cfg(test)]
mod tests;
