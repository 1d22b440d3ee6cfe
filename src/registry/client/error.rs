//! What can go wrong between this client and a registry, in words that a user understands.

use super::Scope;
use crate::registry::probe::ProbeError;
use std::{io, sync::Arc, time::Duration};

/// What a client of a registry may fail with. No text of it holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry can't be reached, or is not who it should be.
    #[error("{0}")]
    Reach(Arc<ProbeError>),
    /// 401, although credentials were sent or since there are none.
    #[error(
        "{registry} asks for a login to {scope}, and {}",
        if *.with_credentials { "refuses the one it was given: the user or the password is wrong" } else { "there is none for it" }
    )]
    Unauthorized {
        /// Host and port.
        registry: String,
        /// What was to be done.
        scope: Scope,
        /// Whether credentials were sent.
        with_credentials: bool,
    },
    /// 403, or a token that does not allow what was asked for.
    #[error(
        "{registry} does not let {} {scope}",
        if *.with_credentials { "this user" } else { "anybody who has not logged in" }
    )]
    Denied {
        /// Host and port.
        registry: String,
        /// What was to be done.
        scope: Scope,
        /// Whether credentials were sent.
        with_credentials: bool,
    },
    /// The registry sends its clients for a token to where credentials must not go.
    #[error("the login at {realm} is refused: {reason}")]
    Realm {
        /// Where the token would have been asked for.
        realm: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// 404: it is not there.
    #[error("{registry} has no {what}")]
    NotFound {
        /// Host and port.
        registry: String,
        /// What was looked for.
        what: String,
    },
    /// 405 to something that is written or deleted.
    #[error("{registry} does not allow it to {what} (405){}", hint(.what))]
    NotAllowed {
        /// Host and port.
        registry: String,
        /// What was to be done.
        what: String,
    },
    /// 429, for longer than it was waited for.
    #[error(
        "{registry} has had too many requests of us (429){}",
        .retry_after.map(|after| format!("; it wants to be asked again in {} s", after.as_secs())).unwrap_or_default()
    )]
    TooManyRequests {
        /// Host and port.
        registry: String,
        /// When the registry wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Any other answer, after several attempts where it was the server's fault.
    #[error("{registry} answers {status} to: {what}{}", .message.as_ref().map(|said| format!(" ({said})")).unwrap_or_default())]
    Status {
        /// Host and port.
        registry: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The registry's own words.
        message: Option<String>,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("the connection with {registry} broke, while it was asked to {what}: {reason}")]
    Broken {
        /// Host and port.
        registry: String,
        /// What was asked for.
        what: String,
        /// hyper's words.
        reason: String,
    },
    /// Silence.
    #[error("{registry} was asked to {what}, and nothing came for {} s", .after.as_secs())]
    Silent {
        /// Host and port.
        registry: String,
        /// What was asked for.
        what: String,
        /// For how long.
        after: Duration,
    },
    /// What came is not what its digest says.
    #[error("{what} is not what its digest says: {wanted} was wanted, and {found} came")]
    Digest {
        /// What was read.
        what: String,
        /// The digest by which it was asked for.
        wanted: String,
        /// That of what came.
        found: String,
    },
    /// More than can be meant.
    #[error("{what} is longer than {limit} bytes, which is the most that is read of it")]
    TooLong {
        /// What was read.
        what: String,
        /// The most.
        limit: usize,
    },
    /// An answer that means nothing.
    #[error("{what} can't be used: {reason}")]
    Malformed {
        /// What was read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What is to be sent can't be read.
    #[error("{what} can't be read: {source}")]
    Local {
        /// The file.
        what: String,
        /// The system's words.
        source: io::Error,
    },
}

impl Error {
    /// Whether it says that the thing is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the registry refuses writing or deleting as such.
    pub fn is_not_allowed(&self) -> bool {
        matches!(self, Self::NotAllowed { .. })
    }

    /// Whether the same may go well a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Reach(reason) => matches!(
                **reason,
                ProbeError::Refused(_) | ProbeError::Connection { .. } | ProbeError::TimedOut { .. }
            ),
            Self::Broken { .. } | Self::Silent { .. } | Self::TooManyRequests { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            _ => false,
        }
    }
}

/// What to do about a 405, which is how Distribution says that it was started so.
fn hint(what: &str) -> &'static str {
    if what.starts_with("delete") {
        ": deleting is off, as it is by default, or the registry is read-only"
    } else {
        ": it is read-only, or a cache of another registry"
    }
}

/// The outcome of what may fail so.
pub type Result<T, E = Error> = std::result::Result<T, E>;
