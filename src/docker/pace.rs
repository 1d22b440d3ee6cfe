//! How long to wait before another attempt.

use super::error::{Error, Result};
use super::shared::lock;
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// One request and its answer. An Engine waits up to 20 s for a leader of its swarm before it answers.
    pub call: Duration,
    /// One request to an Engine that has just not answered another in time.
    pub call_when_hopeless: Duration,
    /// The first request, which no leader is waited for with.
    pub first_call: Duration,
    /// All attempts of one call together.
    pub attempts: Duration,
    /// Attempts to connect to an Engine that has never answered.
    pub first_contact: Duration,
    /// Attempts to connect to an Engine that has answered before, and that may be restarting.
    pub reconnect: Duration,
    /// Attempts after one of several Engines was lost, where there are several.
    pub one_of_several: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(45),
            call_when_hopeless: Duration::from_secs(5),
            first_call: Duration::from_secs(15),
            attempts: Duration::from_secs(60),
            first_contact: Duration::from_secs(1),
            reconnect: Duration::from_secs(10),
            one_of_several: None,
        }
    }
}

/// What may be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// A read: always.
    Read,
    /// A write: only what cannot have reached the Engine.
    Write,
    /// A read, an edit and a write that starts over with the read: always, out-of-sequence writes too.
    Rewrite,
}

/// How long no call tries again after one has tried in vain for as long as it may.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// How long the failure of one first contact answers all who wait for it.
const RECENT: Duration = Duration::from_secs(10);

/// Writes that may be out of sequence before it is given up; two steady writers never needed more than a few.
const CONFLICTS: u32 = 10;

/// The attempts of one call.
pub(super) struct Attempts {
    repeat: Repeat,
    patience: Patience,
    stop: CancellationToken,
    contact: Arc<Contact>,
    started: Instant,
    tried: u32,
    conflicts: u32,
}

/// How it went with the Engine until now.
#[derive(Debug, Default)]
pub(super) struct Contact(Mutex<History>);

#[derive(Debug, Default)]
struct History {
    /// Whether it has ever answered.
    answered: bool,
    /// How the last call failed that has tried for as long as it may, unless one went well since.
    failure: Option<(Instant, Error)>,
}

impl Contact {
    /// The Engine has answered.
    pub(super) fn answered(&self) {
        lock(&self.0).answered = true;
    }

    /// A call did what it was to do.
    pub(super) fn went_well(&self) {
        lock(&self.0).failure = None;
    }

    /// A call has tried for as long as it may.
    pub(super) fn given_up(&self, error: &Error) {
        lock(&self.0).failure = Some((Instant::now(), error.clone()));
    }

    /// Whether a call has just tried for as long as it may. Terraform asks for hundreds of objects, and each of
    /// them trying as long again would keep a person waiting for many minutes.
    pub(super) fn is_hopeless(&self) -> bool {
        lock(&self.0).failure.as_ref().is_some_and(|(at, _)| at.elapsed() < GIVEN_UP)
    }

    /// How a call has failed within the last moments.
    pub(super) fn recent_failure(&self) -> Option<Error> {
        let history = lock(&self.0);
        history.failure.as_ref().filter(|(at, _)| at.elapsed() < RECENT).map(|(_, error)| error.clone())
    }

    fn known(&self) -> bool {
        lock(&self.0).answered
    }
}

impl Attempts {
    pub(super) fn new(
        repeat: Repeat,
        patience: Patience,
        stop: CancellationToken,
        contact: Arc<Contact>,
    ) -> Self {
        Self { repeat, patience, stop, contact, started: Instant::now(), tried: 0, conflicts: 0 }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// `error` itself where another attempt is of no use, and [`Error::Stopped`].
    pub(super) async fn pause(&mut self, error: Error) -> Result<()> {
        let Some(pause) = self.next(&error) else { return Err(error) };
        tracing::debug!(%error, attempt = self.tried, pause_ms = pause.as_millis(), "trying again");
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.cancelled() => Err(Error::Stopped),
        }
    }

    fn next(&mut self, error: &Error) -> Option<Duration> {
        self.tried += 1;
        let some_answer = error.some_answer();
        let (limit, ms) = match error {
            Error::OutOfSequence { .. } if self.repeat == Repeat::Rewrite => {
                self.conflicts += 1;
                (if self.conflicts > CONFLICTS { Duration::ZERO } else { self.patience.attempts }, 10)
            }
            // Each Engine was asked: the most hopeful of their reasons decides.
            Error::NoneOf { failures, .. } => {
                let limits = failures.iter().filter_map(|(_, error)| self.limit(error, None));
                let (limit, ms) = limits.max_by_key(|(limit, _)| *limit)?;
                (if some_answer { limit.min(self.patience.first_contact) } else { limit }, ms)
            }
            error => self.limit(error, self.patience.one_of_several)?,
        };
        let pause = Duration::from_millis(ms) + jitter(Duration::from_millis(ms * 4 / 5 + 20));
        let conflict = matches!(error, Error::OutOfSequence { .. });
        if !conflict && self.contact.is_hopeless() {
            return None;
        }
        if self.started.elapsed() + pause < limit {
            return Some(pause);
        }
        if !conflict && !some_answer {
            self.contact.given_up(error);
        }
        None
    }

    /// How long attempts may go on after such a failure, and how many milliseconds to wait, if it may pass by itself.
    fn limit(&self, error: &Error, one_of_several: Option<Duration>) -> Option<(Duration, u64)> {
        let growing = |first: u64, most: u64| first.saturating_mul(1 << self.tried.min(10)).min(most);
        let Patience { attempts, first_contact, reconnect, .. } = self.patience;
        match error {
            Error::Unreachable { unsent, passing, .. }
                if (*passing || one_of_several.is_some()) && (*unsent || self.repeat != Repeat::Write) =>
            {
                let alone = if self.contact.known() { reconnect } else { first_contact };
                Some((one_of_several.unwrap_or(alone), growing(50, 2_000)))
            }
            error if error.passes() && self.repeat != Repeat::Write => Some((attempts, growing(125, 3_000))),
            _ => None,
        }
    }
}

/// A random share of `most`, so that those who failed together do not try together again.
pub(super) fn jitter(most: Duration) -> Duration {
    most.mul_f64((random() % 1000) as f64 / 1000.0)
}

/// A random number, not for secrets.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(std::time::SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::super::error::Kind;
    use super::*;

    fn attempts(repeat: Repeat) -> Attempts {
        Attempts::new(repeat, Patience::default(), CancellationToken::new(), Arc::default())
    }

    fn unreachable(unsent: bool) -> Error {
        Error::Unreachable {
            host: "h".into(),
            origin: "o".into(),
            cause: "c".into(),
            hint: None,
            unsent,
            passing: true,
        }
    }

    #[test]
    fn a_write_is_repeated_only_where_it_cannot_have_happened() {
        assert!(attempts(Repeat::Write).next(&unreachable(true)).is_some());
        assert!(attempts(Repeat::Write).next(&unreachable(false)).is_none());
        assert!(attempts(Repeat::Write).next(&Error::NoQuorum { message: "m".into() }).is_none());
        assert!(attempts(Repeat::Read).next(&unreachable(false)).is_some());
    }

    #[test]
    fn conflicts_end_some_time() {
        let conflict = Error::OutOfSequence { kind: Kind::Node, name: "n".into() };
        let mut rewriting = attempts(Repeat::Rewrite);
        let tried = std::iter::from_fn(|| rewriting.next(&conflict)).take(100).count();
        assert_eq!(tried, 10);
        assert!(attempts(Repeat::Read).next(&conflict).is_none());
    }

    #[test]
    fn after_one_call_has_tried_in_vain_the_others_fail_at_once() {
        let impatient = Patience { first_contact: Duration::ZERO, ..Patience::default() };
        let contact = Arc::<Contact>::default();
        let next = |patience| {
            let stop = CancellationToken::new();
            Attempts::new(Repeat::Read, patience, stop, Arc::clone(&contact)).next(&unreachable(true))
        };
        assert!(next(Patience::default()).is_some());
        assert!(next(impatient).is_none());
        assert!(next(Patience::default()).is_none());
        contact.went_well();
        assert!(next(Patience::default()).is_some());
    }

    #[tokio::test]
    async fn a_pause_ends_when_terraform_stops() {
        let mut waiting = attempts(Repeat::Read);
        waiting.stop.cancel();
        assert_eq!(waiting.pause(unreachable(true)).await, Err(Error::Stopped));
    }
}
