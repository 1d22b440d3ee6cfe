//! What every call has in common: a span, a panic that becomes a diagnostic, and an answer even then.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use tonic::Status;
use tracing::Instrument;

use super::super::connection::Live;
use super::super::crash;
use super::pb;
use crate::terraform::{Diagnostic, Result};

/// A request, and how it is answered when it cannot be fulfilled.
pub(super) trait Call: Clone + Send + 'static {
    /// The name of the call in the protocol.
    const NAME: &'static str;
    /// The response, or the list of events of a stream.
    type Answer: Send + 'static;

    /// The type of resource, data source or so that the call is about, if it is about one.
    fn subject(&self) -> &str {
        ""
    }

    /// The answer that says why not, and keeps what Terraform would otherwise forget.
    fn refuse(self, reason: Diagnostic) -> Self::Answer;

    /// What the answer tells the user.
    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic];
}

/// Makes requests [`Call`]s that are refused with diagnostics and nothing else:
/// `message "Name"`, and the field that says what it is about.
macro_rules! refusing {
    ($($message:ident $name:literal $(about $subject:ident)?;)*) => {$(
        impl $crate::plugin::server::call::Call for $crate::plugin::proto::tfplugin6::$message::Request {
            const NAME: &'static str = $name;
            type Answer = $crate::plugin::proto::tfplugin6::$message::Response;
            $(fn subject(&self) -> &str { &self.$subject })?
            // Some responses have nothing but diagnostics.
            #[allow(clippy::needless_update)]
            fn refuse(self, reason: $crate::terraform::Diagnostic) -> Self::Answer {
                let diagnostics = vec![$crate::plugin::convert::diagnostic(reason)];
                Self::Answer { diagnostics, ..Default::default() }
            }
            fn diagnostics(answer: &Self::Answer) -> &[$crate::plugin::proto::tfplugin6::Diagnostic] {
                &answer.diagnostics
            }
        }
    )*};
}
pub(super) use refusing;

/// The events of a stream.
pub(super) type Events<T> = Pin<Box<dyn Stream<Item = std::result::Result<T, Status>> + Send>>;

/// A stream of events that are all known.
pub(super) fn events<T: Send + 'static>(events: Vec<T>) -> Events<T> {
    Box::pin(stream::iter(events.into_iter().map(Ok)))
}

/// What is around every call.
pub(super) struct Frame {
    calls: Live,
    /// Counts calls, so that log lines of concurrent ones can be told apart.
    next: AtomicU64,
    /// The call that panics, for tests.
    planted: Option<String>,
}

/// Names the call that is to panic, in debug builds only.
const PLANT: &str = "SWARM_PLANT_PANIC";

impl Frame {
    pub(super) fn new(calls: Live) -> Self {
        let planted = if cfg!(debug_assertions) { std::env::var(PLANT).ok() } else { None };
        Frame { calls, next: AtomicU64::new(0), planted }
    }

    #[cfg(test)]
    pub(super) fn plant(&mut self, call: &str) {
        self.planted = Some(call.to_owned());
    }

    /// Answers a call, which begins at once.
    ///
    /// The handler runs in a task of its own: when the host gives up on the call, what it does is not torn in the
    /// middle, and a panic is contained.
    ///
    /// # Errors
    ///
    /// Only when the runtime is shutting down.
    pub(super) fn answer<P, C, H, F>(
        &self,
        provider: &Arc<P>,
        request: C,
        handle: H,
    ) -> impl Future<Output = Result<C::Answer, Status>> + Send + use<P, C, H, F>
    where
        P: Send + Sync + 'static,
        C: Call,
        H: FnOnce(Arc<P>, C) -> F + Send + 'static,
        F: Future<Output = Result<C::Answer>> + Send + 'static,
    {
        let span = self.span(&request);
        let (provider, running, kept) = (provider.clone(), self.calls.one(), request.clone());
        let planted = self.planted.as_deref() == Some(C::NAME);
        let handler = async move {
            let _running = running;
            if planted {
                panic!("planted by {PLANT}");
            }
            handle(provider, request).await
        };
        let began = Instant::now();
        let running = tokio::spawn(handler.instrument(span.clone()));
        async move {
            let answer = match running.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(reason)) => kept.refuse(reason),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => kept.refuse(bug(C::NAME, crash::message(&*panic))),
                    Err(_) => return Err(Status::unavailable("the provider is shutting down")),
                },
            };
            log(&span, began.elapsed(), C::diagnostics(&answer));
            Ok(answer)
        }
    }

    /// At the level of errors, so that its fields are there whatever the level of a line within.
    fn span<C: Call>(&self, request: &C) -> tracing::Span {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", std::process::id());
        let subject = match request.subject() {
            "" => None,
            subject => Some(subject),
        };
        tracing::error_span!("rpc", tf_rpc = C::NAME, tf_req_id = id, tf_resource_type = subject)
    }
}

fn log(span: &tracing::Span, took: Duration, diagnostics: &[pb::Diagnostic]) {
    let of = |wanted: pb::diagnostic::Severity| {
        diagnostics.iter().filter(|diagnostic| diagnostic.severity() == wanted).count()
    };
    tracing::debug!(
        parent: span,
        tf_req_duration_ms = took.as_micros() as f64 / 1e3,
        diagnostic_error_count = of(pb::diagnostic::Severity::Error),
        diagnostic_warning_count = of(pb::diagnostic::Severity::Warning),
        "answered"
    );
}

fn bug(call: &str, message: &str) -> Diagnostic {
    Diagnostic::bug(format!("It panicked in {call}: {message}."))
}
