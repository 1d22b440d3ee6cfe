//! What can go wrong with an Engine.

use super::version::ApiVersion;
use std::{fmt, time::Duration};

/// What a call to the Engine answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A kind of object that the Engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A secret of the swarm.
    Secret,
    /// A config of the swarm.
    Config,
    /// The swarm itself.
    Swarm,
    /// A node of the swarm.
    Node,
    /// A service of the swarm.
    Service,
    /// A task of a service.
    Task,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// An image in a registry.
    Image,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "secret",
            Self::Config => "config",
            Self::Swarm => "swarm",
            Self::Node => "node",
            Self::Service => "service",
            Self::Task => "task",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Image => "image",
        })
    }
}

/// Why an Engine cannot manage the swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotManager {
    /// The Engine is in no swarm.
    NoSwarm,
    /// The Engine is a worker; the managers that it knows, as `address:port` of the swarm's own protocol.
    Worker {
        /// Addresses of the managers, such as `10.0.0.1:2377`.
        managers: Vec<String>,
    },
    /// The swarm is locked and waits for its unlock key.
    Locked,
    /// The certificates of the node have expired.
    CertificatesExpired,
    /// The node is about to be a manager and has not got ready in time; the Engine's own words.
    Settling(String),
    /// The node is joining or leaving a swarm; the Engine's own words.
    Unsettled(String),
}

impl fmt::Display for NotManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSwarm => f.write_str(
                "it is in no swarm. Make one with `docker swarm init` there, or name the Engine of a manager",
            ),
            Self::Worker { managers } if managers.is_empty() => {
                f.write_str("it is a worker of its swarm. Name the Engine of a manager")
            }
            Self::Worker { managers } => write!(
                f,
                "it is a worker of its swarm. Name the Engine of a manager; the managers are at {}",
                managers.join(", ")
            ),
            Self::Locked => f.write_str("its swarm is locked. Unlock it with `docker swarm unlock` there"),
            Self::CertificatesExpired => f.write_str(
                "the certificates of the node have expired. Let the node leave the swarm and join it again",
            ),
            Self::Settling(message) | Self::Unsettled(message) => f.write_str(message),
        }
    }
}

/// A failure of the Engine layer, made to be branched on.
///
/// No variant carries the data of a secret: bodies of requests never get into an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The object does not exist. The only failure that means "gone".
    #[error("there is no {kind} `{name}`")]
    NotFound {
        /// What was looked for.
        kind: Kind,
        /// Its identifier or name as it was asked for.
        name: String,
    },
    /// More than one object answers to a name.
    #[error("{kind} `{name}` is ambiguous: {}. Use the ID", candidates.join("; "))]
    Ambiguous {
        /// What was looked for.
        kind: Kind,
        /// The name as it was asked for.
        name: String,
        /// One line for each object that answers to it.
        candidates: Vec<String>,
    },
    /// Another object already has the name. Names are unique regardless of case.
    #[error("there already is a {kind} named `{name}` (names are compared without regard to case)")]
    NameTaken {
        /// What was to be created.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The object cannot be removed because others use it.
    #[error("the {kind} is in use: {message}")]
    InUse {
        /// What was to be removed.
        kind: Kind,
        /// The Engine's own words, which name the users.
        message: String,
    },
    /// Somebody else has changed the object between our read and our write, again and again.
    #[error("the {kind} `{name}` was changed by somebody else each time we tried to change it")]
    OutOfSequence {
        /// What was to be changed.
        kind: Kind,
        /// Its identifier.
        name: String,
    },
    /// A field that we own has another value than the one that we left there.
    #[error("{what} was changed by somebody else: expected {expected}, found {found}")]
    Changed {
        /// The object and the field.
        what: String,
        /// What we believed to be there, in words.
        expected: String,
        /// What is there, in words.
        found: String,
    },
    /// The Engine answers but cannot manage the swarm.
    #[error("the Engine at {host} cannot manage the swarm: {reason}")]
    NotManager {
        /// The Engine's address.
        host: String,
        /// Why.
        reason: NotManager,
    },
    /// The swarm has no leader: too few managers are running.
    #[error(
        "the swarm has no leader, so too few of its managers are running ({message}). Start managers until more than half run"
    )]
    NoQuorum {
        /// The Engine's own words.
        message: String,
    },
    /// No connection came about, or it broke.
    #[error("cannot reach the Docker Engine at {host} (from {origin}): {cause}{}", Hint(hint))]
    Unreachable {
        /// The Engine's address.
        host: String,
        /// Which setting named the host.
        origin: String,
        /// The innermost causes, joined.
        cause: String,
        /// What to do, where that can be told.
        hint: Option<&'static str>,
        /// Whether the request cannot have reached the Engine.
        unsent: bool,
        /// Whether another attempt may do better, as it may where an Engine is restarting.
        passing: bool,
    },
    /// There are several Engines, and none of them can be used.
    #[error("none of the Docker Engines (from {origin}) can be used{}", Each(failures))]
    NoneOf {
        /// Which setting named the hosts.
        origin: String,
        /// The address of each, and why.
        failures: Vec<(String, Error)>,
    },
    /// Credentials for a registry could not be looked up. The words hold none.
    #[error("{0}")]
    Credentials(String),
    /// The Engine did not answer in time.
    #[error("timed out after {} s: {what}", after.as_secs())]
    Timeout {
        /// What did not come about, in words.
        what: String,
        /// How long.
        after: Duration,
    },
    /// Terraform asked to stop.
    #[error("stopped as Terraform asked")]
    Stopped,
    /// The Engine is too old for something that was asked for.
    #[error("{feature} needs Engine API {needs} or newer, and the Engine has {has}")]
    TooOld {
        /// What was asked for.
        feature: String,
        /// The version that brought it.
        needs: ApiVersion,
        /// The version that is spoken.
        has: ApiVersion,
    },
    /// There is no API version that both sides speak.
    #[error("{}", no_common_version(host, *engine_newest, *engine_oldest))]
    NoCommonVersion {
        /// The Engine's address.
        host: String,
        /// The newest version that the Engine speaks.
        engine_newest: ApiVersion,
        /// The oldest version that the Engine speaks.
        engine_oldest: ApiVersion,
    },
    /// The answer is not what the Engine API says.
    #[error("{what}: the answer is not one of the Docker Engine API: {cause}")]
    Malformed {
        /// The request.
        what: String,
        /// What is wrong with the answer, without its content.
        cause: String,
    },
    /// Any other refusal.
    #[error("the Engine refused with status {status}: {message}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The Engine's own words.
        message: String,
    },
}

fn no_common_version(host: &str, newest: ApiVersion, oldest: ApiVersion) -> String {
    if newest < ApiVersion::OLDEST {
        format!(
            "the Engine at {host} speaks API {newest} at most; {} (Engine 20.10) is the oldest that is supported",
            ApiVersion::OLDEST
        )
    } else {
        format!(
            "the Engine at {host} speaks API {oldest} at least, and this provider {} at most. Use a newer provider",
            ApiVersion::NEWEST
        )
    }
}

struct Hint<'a>(&'a Option<&'static str>);
impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, ". {hint}"))
    }
}

/// Each Engine with its reason, on a line of its own.
struct Each<'a>(&'a [(String, Error)]);
impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (host, error)) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { ":\n" } else { "\n" })?;
            match error {
                Error::Unreachable { cause, hint, .. } => write!(f, "- {host}: {cause}{}", Hint(hint))?,
                Error::NotManager { reason, .. } => write!(f, "- {host}: {reason}")?,
                error => write!(f, "- {host}: {error}")?,
            }
        }
        Ok(())
    }
}

impl Error {
    /// Whether a write that failed so may have been done nevertheless.
    pub(super) fn may_have_happened(&self) -> bool {
        match self {
            Self::Unreachable { unsent, .. } => !unsent,
            Self::NoQuorum { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }

    /// Whether it tells of one Engine alone, so that another manager of the swarm may do better.
    pub(super) fn is_of_one_engine(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NotManager { .. }
                | Self::NoQuorum { .. }
                | Self::NoCommonVersion { .. }
        )
    }

    /// Whether no swarm is there yet: the Engine is in none, or none of several is and one of them says so.
    pub fn is_no_swarm(&self) -> bool {
        match self {
            Self::NotManager { reason: NotManager::NoSwarm, .. } => true,
            Self::NoneOf { failures, .. } => {
                let is_none = |error: &Self| error.is_no_swarm();
                failures.iter().any(|(_, error)| is_none(error))
                    && failures
                        .iter()
                        .all(|(_, error)| is_none(error) || matches!(error, Self::Unreachable { .. }))
            }
            _ => false,
        }
    }

    /// Whether none of several Engines can be used, although one of them is there and says that it manages nothing.
    pub(super) fn some_answer(&self) -> bool {
        let Self::NoneOf { failures, .. } = self else { return false };
        failures.iter().any(|(_, error)| matches!(error, Self::NotManager { .. }) && !error.passes())
    }

    /// The same, of a question that came before the call itself, which cannot have happened then.
    pub(super) fn before_the_call(self) -> Self {
        match self {
            Self::Unreachable { host, origin, cause, hint, passing, .. } => {
                Self::Unreachable { host, origin, cause, hint, unsent: true, passing }
            }
            other => other,
        }
    }
}

/// Makes "not found" an answer, and leaves every other failure a failure.
pub trait Found<T> {
    /// Answers `None` for [`Error::NotFound`] alone.
    ///
    /// # Errors
    /// Every other failure, unchanged.
    fn found(self) -> Result<Option<T>>;
}

impl<T> Found<T> for Result<T> {
    fn found(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_not_found_means_gone() {
        let gone: Result<()> = Err(Error::NotFound { kind: Kind::Secret, name: "x".into() });
        assert_eq!(gone.found(), Ok(None));
        let broken: Result<()> = Err(Error::NoQuorum { message: "m".into() });
        assert!(broken.found().is_err());
    }
}
