//! What the Engine tells by itself: a reason to look again, never a proof.
//!
//! Events of services, nodes, secrets and configs reach every manager; those of containers come from the Engine
//! that is talked to alone, and there are none of tasks. So waits look by themselves as well. One stream serves
//! all waits of a client, and runs as long as anyone waits.

use super::Docker;
use super::shared::lock;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use std::{collections::HashMap, sync::Mutex, time::Duration};
use tokio::sync::broadcast;

/// The kinds of events that waits are about.
const KINDS: [&str; 5] = ["service", "node", "container", "secret", "config"];
/// A label of every container that belongs to a service.
const SERVICE_OF_CONTAINER: &str = "com.docker.swarm.service.id";

/// Something happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The service that it is about, if it is about one.
    pub service: Option<String>,
}

/// The stream, as long as it runs.
#[derive(Default)]
pub(super) struct Events(Mutex<Option<broadcast::Sender<Event>>>);

impl Docker {
    /// Subscribes to events. The stream may come about a little later, or not at all.
    pub(super) fn events(&self) -> broadcast::Receiver<Event> {
        let mut running = lock(&self.0.events.0);
        if let Some(sender) = running.as_ref() {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(256);
        *running = Some(sender.clone());
        tokio::spawn(follow(self.clone(), sender));
        receiver
    }

    /// Ends the stream if nobody listens. A subscription takes the same lock, so none is lost.
    fn unheard(&self, sender: &broadcast::Sender<Event>) -> bool {
        let mut running = lock(&self.0.events.0);
        let unheard = sender.receiver_count() == 0 || self.0.stop.is_cancelled();
        if unheard {
            *running = None;
        }
        unheard
    }
}

async fn follow(docker: Docker, sender: broadcast::Sender<Event>) {
    while !docker.unheard(&sender) {
        if let Err(error) = follow_once(&docker, &sender).await {
            tracing::debug!(%error, "the stream of events ended");
        }
        if docker.unheard(&sender) || docker.sleep(Duration::from_secs(1)).await.is_err() {
            break;
        }
    }
    docker.unheard(&sender);
}

async fn follow_once(docker: &Docker, sender: &broadcast::Sender<Event>) -> super::Result<()> {
    let engines = &docker.0.engines;
    let (engine, bollard) = docker.bollard().await?;
    let filters = HashMap::from([("type", KINDS.to_vec())]);
    let mut stream = Box::pin(bollard.events(Some(EventsOptionsBuilder::new().filters(&filters).build())));
    let mut check = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            next = stream.next() => match next {
                Some(Ok(message)) => {
                    if let Some(event) = event_of(message) {
                        // Without a listener it is for nobody.
                        sender.send(event).ok();
                    }
                }
                Some(Err(error)) => {
                    let error = super::from_bollard(&engine.http, &super::Subject::None, error);
                    engines.moves_on(&engine, &error);
                    return Err(error);
                }
                None => return Ok(()),
            },
            // Another manager may be asked by now; the connection to a host without power says nothing by itself.
            _ = check.tick() => if docker.unheard(sender) || engines.has_moved_from(&engine) { return Ok(()) },
        }
    }
}

fn event_of(message: bollard::models::EventMessage) -> Option<Event> {
    use bollard::models::EventMessageTypeEnum as Type;
    let actor = message.actor.unwrap_or_default();
    let service = match message.typ {
        Some(Type::SERVICE) => actor.id,
        Some(Type::CONTAINER) => {
            // Health checks run in containers all the time; what matters of them is told as `health_status`.
            if message.action.is_some_and(|action| action.starts_with("exec_")) {
                return None;
            }
            Some(actor.attributes?.remove(SERVICE_OF_CONTAINER)?)
        }
        _ => None,
    };
    Some(Event { service })
}

/// Waits for an event that `matters`, for at most `pause`.
pub(super) async fn wait(
    events: &mut broadcast::Receiver<Event>,
    pause: Duration,
    matters: impl Fn(&Event) -> bool,
) -> bool {
    let heard = async {
        loop {
            match events.recv().await {
                Ok(event) if matters(&event) => return true,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    };
    tokio::time::timeout(pause, heard).await.unwrap_or(false)
}
