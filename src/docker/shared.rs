//! Reads that many callers share: one list of a kind answers them all.
//!
//! How old may an answer be? One process of the provider serves one walk of Terraform, and a walk is either a
//! refresh with a plan, or an apply.
//!
//! - During a refresh every object of a kind is asked for within moments. One list answers all: it is a picture
//!   of the swarm as of one time, just as if every object had been asked for at once. It lives until this process
//!   writes an object of that kind, until nobody has asked for [`IDLE`], and at most [`OLDEST`].
//! - During an apply the world changes, also through others that Terraform runs: a machine that has just joined
//!   has to be seen. So whatever decides a write asks for a list that began after the question
//!   ([`Wanted::Fresh`]); those who ask at the same time still share one. And every update of an object starts
//!   from a fresh inspect of that object.

use super::error::Result;
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// How long an answer lives after it was last asked for.
pub(super) const IDLE: Duration = Duration::from_secs(5);
/// How long an answer lives at most.
pub(super) const OLDEST: Duration = Duration::from_secs(60);

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// As old as the current walk's picture.
    Shared,
    /// Begun after the question was asked.
    Fresh,
}

/// A list of one kind, and who waits for it.
pub(super) struct Shared<T> {
    current: Mutex<Option<Current<T>>>,
    /// One list at a time, so that those who want a fresh one meanwhile wait for the same next one.
    line: tokio::sync::Mutex<()>,
}

struct Current<T> {
    flight: Arc<Flight<T>>,
    last_used: Instant,
}

struct Flight<T> {
    created: Instant,
    /// When its request was sent; those who wanted a fresh answer before that may share it.
    sent: Mutex<Option<Instant>>,
    answer: OnceCell<Result<Arc<[T]>>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { current: Mutex::new(None), line: tokio::sync::Mutex::default() }
    }
}

impl<T> Shared<T> {
    /// Answers the list, which `fetch` gets where there is none that is young enough.
    ///
    /// A failure answers those who wait for it, and is not kept.
    pub(super) async fn get<F>(&self, wanted: Wanted, fetch: impl FnOnce() -> F) -> Result<Arc<[T]>>
    where
        F: Future<Output = Result<Vec<T>>>,
    {
        let flight = self.flight(wanted);
        let answer = flight.answer.get_or_init(|| async {
            let _turn = self.line.lock().await;
            *lock(&flight.sent) = Some(Instant::now());
            fetch().await.map(Arc::from)
        });
        let answer = answer.await.clone();
        if answer.is_err() {
            let mut current = lock(&self.current);
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.flight, &flight)) {
                *current = None;
            }
        }
        answer
    }

    /// Forgets the list, since an object of the kind was written.
    pub(super) fn forget(&self) {
        *lock(&self.current) = None;
    }

    fn flight(&self, wanted: Wanted) -> Arc<Flight<T>> {
        let now = Instant::now();
        let mut current = lock(&self.current);
        if let Some(current) = current.as_mut() {
            let young = match wanted {
                Wanted::Shared => {
                    current.flight.answer.get().is_none()
                        || (now.duration_since(current.last_used) < IDLE
                            && now.duration_since(current.flight.created) < OLDEST)
                }
                Wanted::Fresh => lock(&current.flight.sent).is_none(),
            };
            if young {
                current.last_used = now;
                return Arc::clone(&current.flight);
            }
        }
        let flight = Arc::new(Flight { created: now, sent: Mutex::new(None), answer: OnceCell::new() });
        *current = Some(Current { flight: Arc::clone(&flight), last_used: now });
        flight
    }
}

/// What is behind these locks is whole at every moment, so a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::error::Error;
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    async fn slow(count: &AtomicU32) -> Result<Vec<u32>> {
        let number = count.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(vec![number])
    }

    #[tokio::test]
    async fn many_readers_share_one_list_until_a_write() {
        let (shared, count) = (Shared::default(), AtomicU32::new(0));
        let read = || shared.get(Wanted::Shared, || slow(&count));
        let all = futures_util::future::join_all((0..50).map(|_| read())).await;
        assert!(all.iter().all(|answer| answer.as_ref().unwrap()[0] == 0));
        read().await.unwrap();
        assert_eq!(count.load(SeqCst), 1);
        shared.forget();
        assert_eq!(read().await.unwrap()[0], 1);
    }

    #[tokio::test]
    async fn a_list_that_was_under_way_at_a_write_is_not_kept() {
        let (shared, count) = (Shared::default(), AtomicU32::new(0));
        let read = || shared.get(Wanted::Shared, || slow(&count));
        let (early, ()) = tokio::join!(read(), async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            shared.forget();
        });
        assert_eq!((early.unwrap()[0], read().await.unwrap()[0]), (0, 1));
    }

    #[tokio::test]
    async fn a_fresh_answer_began_after_the_question() {
        let (shared, count) = (Shared::default(), AtomicU32::new(0));
        let read = |wanted| shared.get(wanted, || slow(&count));
        read(Wanted::Shared).await.unwrap();
        assert_eq!(read(Wanted::Fresh).await.unwrap()[0], 1);
        let late = || async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            read(Wanted::Fresh).await.unwrap()[0]
        };
        let (first, second, third) = tokio::join!(read(Wanted::Fresh), late(), late());
        assert_eq!((first.unwrap()[0], second, third), (2, 3, 3));
    }

    #[tokio::test]
    async fn failures_are_asked_for_again() {
        let shared = Shared::<u32>::default();
        let failing = shared.get(Wanted::Shared, || async { Err(Error::Stopped) }).await;
        assert_eq!(failing, Err(Error::Stopped));
        assert_eq!(shared.get(Wanted::Shared, || async { Ok(vec![7]) }).await.unwrap()[0], 7);
    }
}
