//! Asks a registry over HTTP whether it serves, as a client would, and says in words why not.

mod answer;
mod exchange;
#[cfg(test)]
mod tests;

pub use super::trust::Trust;
pub use answer::{Answer, Expectation};

use super::connect::Place;
use super::trust;
use http::{Uri, uri::PathAndQuery};
use rustls::ClientConfig;
use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Longer than a healthy registry ever needs for one answer.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The first pause between two attempts, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// A limit for people: what is left of a longer one is not told to the nanosecond.
fn told(limit: Duration) -> String {
    let whole = Duration::from_secs(limit.as_secs());
    crate::registry::duration::format(if whole.is_zero() { limit } else { whole })
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The URL is none.
    #[error("{url:?} can't be asked: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The authority to trust can't be used.
    #[error("the authority's certificate (CA) can't be used: {0}")]
    Authority(String),
    /// No address is known for the host.
    #[error("no address is known for {host}: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// The resolver's words.
        source: io::Error,
    },
    /// Nobody listens.
    #[error("nothing listens at {0} yet (connection refused)")]
    Refused(String),
    /// The connection could not be made, or broke.
    #[error("the connection to {address} failed: {source}")]
    Connection {
        /// Host and port.
        address: String,
        /// The system's words.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{url} did not answer within {}", told(*.after))]
    TimedOut {
        /// What was asked.
        url: String,
        /// For how long.
        after: Duration,
    },
    /// The server's certificate is refused.
    #[error("the certificate of {host} is refused: {reason}. Clients would refuse it too")]
    Certificate {
        /// The name that it should be for.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The handshake failed for another reason.
    #[error("the TLS handshake with {host} failed: {reason}")]
    Tls {
        /// The name that was asked for.
        host: String,
        /// rustls' words.
        reason: String,
    },
    /// https was asked of a server that speaks http.
    #[error("{0} does not speak TLS: an https url needs tls on the registry, or a proxy in front of it")]
    NotTls(String),
    /// http was asked of a server that speaks https.
    #[error(
        "{0} speaks TLS, but the url is http (400, \"Client sent an HTTP request to an HTTPS server\"); use https"
    )]
    TlsExpected(String),
    /// The answer is no HTTP, or broke off.
    #[error("{url} gave no valid HTTP answer: {reason}")]
    Http {
        /// What was asked.
        url: String,
        /// hyper's words.
        reason: String,
    },
    /// A health check of the registry fails, so that it answers nothing else.
    #[error(
        "{0} answers 503: one of the registry's own health checks fails, most likely its storage can't be reached"
    )]
    Unavailable(String),
    /// 200 without credentials.
    #[error(
        "{0} answers without asking for credentials, although authentication is configured: the registry is open!"
    )]
    Open(String),
    /// 404.
    #[error(
        "{0} answers 404: this is not a registry; the port, the path or a prefix may be wrong, or the registry is down behind \
         a proxy"
    )]
    NotFound(String),
    /// A good status of something else.
    #[error("{url} answers {status}, but not as a registry does (no Docker-Distribution-Api-Version header)")]
    NotARegistry {
        /// What was asked.
        url: String,
        /// What came back.
        status: u16,
    },
    /// Any other status.
    #[error("{url} answers {status} where {expected} is expected")]
    Status {
        /// What was asked.
        url: String,
        /// What came back.
        status: u16,
        /// What should have come back, in words.
        expected: String,
    },
}

impl ProbeError {
    /// Whether waiting can't heal it. A refused connection is only early; a wrong certificate stays wrong.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Url { .. }
            | Self::Authority(_)
            | Self::Certificate { .. }
            | Self::NotTls(_)
            | Self::TlsExpected(_)
            | Self::Open(_) => true,
            // A name may be about to be published, and a proxy answers 404 until it knows its backend.
            Self::Resolve { .. }
            | Self::Refused(_)
            | Self::Connection { .. }
            | Self::TimedOut { .. }
            | Self::Tls { .. }
            | Self::Http { .. }
            | Self::Unavailable(_)
            | Self::NotFound(_)
            | Self::NotARegistry { .. }
            | Self::Status { .. } => false,
        }
    }
}

/// Why waiting ended without success.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// Waiting longer would not help.
    #[error(transparent)]
    Final(ProbeError),
    /// Time is up.
    #[error("the registry did not serve within {}; last: {last}", told(*.after))]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
        /// What the last attempt said.
        last: ProbeError,
    },
    /// Somebody pulled the plug.
    #[error("waiting for the registry was cancelled")]
    Cancelled,
}

/// A URL that can be asked, and whom to trust with it.
#[derive(Clone, Debug)]
pub struct Probe {
    place: Place,
    connect_to: Option<String>,
    tls: Option<Arc<ClientConfig>>,
}

impl Probe {
    /// Prepares to ask `url`, for example `https://hub.docker.local/v2/`; without a path it is `/v2/`.
    ///
    /// The certificate is verified for the URL's host even where `connect_to` (`HOST:PORT`) names another address to
    /// connect to, for names that only clients can resolve.
    ///
    /// # Errors
    /// [`ProbeError::Url`] and [`ProbeError::Authority`]. Nothing is connected yet.
    pub fn new(url: &str, trust: Trust<'_>, connect_to: Option<&str>) -> Result<Self, ProbeError> {
        let mut place = Place::parse(url)?;
        let mut parts = place.url.into_parts();
        parts.path_and_query =
            parts.path_and_query.filter(|path| path != "/").or(Some(PathAndQuery::from_static("/v2/")));
        place.url = Uri::from_parts(parts)
            .map_err(|error| ProbeError::Url { url: url.to_owned(), reason: error.to_string() })?;
        let tls = if place.is_https { Some(trust::config(trust)?) } else { None };
        Ok(Self { place, connect_to: connect_to.map(str::to_owned), tls })
    }

    /// Asks once, without credentials.
    ///
    /// # Errors
    /// [`ProbeError`] where there is no answer at all within `deadline`; what an answer means is for
    /// [`Answer::judge`].
    pub async fn ask(&self, deadline: Duration) -> Result<Answer, ProbeError> {
        let timed_out = || ProbeError::TimedOut { url: self.place.url.to_string(), after: deadline };
        tokio::time::timeout(deadline, exchange::ask(self)).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Asks until the answer is as expected, with pauses that grow from 100 ms to 2 s.
    ///
    /// A connection that is refused, or a health check that fails, is "not yet"; what time can't heal, such as a wrong
    /// certificate or a registry that is open by mistake, ends the wait at once.
    ///
    /// # Errors
    /// [`WaitError`], with the last attempt's words where time runs out.
    pub async fn wait_until_serves(
        &self,
        expected: &Expectation,
        within: Duration,
        cancelled: &CancellationToken,
    ) -> Result<Answer, WaitError> {
        let start = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            let left = within.saturating_sub(start.elapsed());
            let attempt = async { self.ask(ATTEMPT.min(left)).await?.judge(expected) };
            let error = tokio::select! {
                () = cancelled.cancelled() => return Err(WaitError::Cancelled),
                result = attempt => match result {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                },
            };
            tracing::debug!(url = %self.place.url, %error, "registry does not serve yet");
            if error.is_final() {
                return Err(WaitError::Final(error));
            }
            if start.elapsed() + pause >= within {
                return Err(WaitError::TimedOut { after: within, last: error });
            }
            tokio::select! {
                () = cancelled.cancelled() => return Err(WaitError::Cancelled),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 3 / 2).min(PAUSES.1);
        }
    }
}
