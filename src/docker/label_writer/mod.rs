//! Labels of nodes: one writer for each node, which sends everything that waits in one update.
//!
//! Terraform changes each label by itself and ten at a time, but an update replaces the whole specification of a
//! node. Sent one by one, the updates of one node would trip over each other. So whoever wants a label changed
//! queues up at the node; the first starts a writer, which waits until no request has come for a moment,
//! takes all that have come, and sends them as one update of a fresh read. Once it is known how many come at once,
//! none is waited for that cannot come.

mod queues;

use super::error::{Error, Result};
use super::shared::lock;
use super::{Docker, nodes::NodeSpec};
use queues::{Queues, Wish};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::sync::{Notify, OwnedMutexGuard, oneshot};

/// What a caller believes to be at a label's key, so that a change by others is told and not overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It does not matter.
    Anything,
    /// Nothing.
    Absent,
    /// This value.
    Value(String),
}

/// The queues of all nodes.
#[derive(Default)]
pub(super) struct LabelWriters {
    queues: Mutex<Queues>,
    /// Told when as many wait as ever came at once.
    all_are_there: Notify,
}

impl LabelWriters {
    /// Waits for the turn to update a node, so that never two updates of one node are in flight.
    pub(super) async fn writing(&self, node: &str) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(&lock(&self.queues).nodes.entry(node.to_owned()).or_default().turn);
        turn.lock_owned().await
    }

    /// Queues a wish, and answers whether a writer has to be started.
    fn queue(&self, node: &str, wish: Wish) -> bool {
        let mut queues = lock(&self.queues);
        queues.arrive(Instant::now());
        let queue = queues.nodes.entry(node.to_owned()).or_default();
        queue.waiting.push(wish);
        let is_first = !std::mem::replace(&mut queue.writing, true);
        queues.arrived();
        self.tell(&queues);
        is_first
    }

    /// Takes all wishes of a node; where there are none, the writer is to end.
    fn take(&self, node: &str) -> Vec<Wish> {
        lock(&self.queues).take(node)
    }

    /// So many that were taken are about to have their answers.
    fn answered(&self, wishes: usize) {
        let mut queues = lock(&self.queues);
        queues.sent -= wishes;
        self.tell(&queues);
    }

    /// Wakes the writers that wait for longer than they have to.
    fn tell(&self, queues: &Queues) {
        if queues.are_all_there() {
            self.all_are_there.notify_waiters();
        }
    }

    /// Waits until no request came for a moment. What it finds then is found for the writers of all nodes.
    async fn gather(&self, node: &str) {
        let started = Instant::now();
        loop {
            let all_are_there = self.all_are_there.notified();
            let left = {
                let mut queues = lock(&self.queues);
                if queues.nodes.get(node).is_some_and(|queue| queue.gathered) {
                    return;
                }
                let wanted = queues.quiet();
                let quiet = queues.latest.map_or(wanted, |latest| latest.elapsed());
                if quiet >= wanted {
                    queues.gathered();
                    return;
                }
                if started.elapsed() >= queues.longest() {
                    return;
                }
                wanted - quiet
            };
            tokio::select! {
                () = all_are_there => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}

impl Docker {
    /// Sets a label of a node, or removes it where `value` is `None`. Other labels are not touched.
    ///
    /// `node_id` is the identifier. Changes to one node that are asked for at the same time become one update.
    /// A label that is as wanted already is left alone, whatever was expected.
    ///
    /// # Errors
    /// [`Error::Changed`] where something else is there than `expected`, [`Error::NotFound`] where the node is gone,
    /// and [`Error::OutOfSequence`] where others change the node all the time.
    pub async fn set_node_label(
        &self,
        node_id: &str,
        key: &str,
        value: Option<&str>,
        expected: Expected,
    ) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let wish = Wish { key: key.to_owned(), value: value.map(str::to_owned), expected, answer };
        if self.0.labels.queue(node_id, wish) {
            // A task of its own, so that it goes on for the others where the one who started it goes away.
            tokio::spawn(write_labels(self.clone(), node_id.to_owned()));
        }
        answered.await.unwrap_or(Err(Error::Stopped))
    }
}

async fn write_labels(docker: Docker, node: String) {
    loop {
        tokio::select! {
            () = docker.0.labels.gather(&node) => {}
            // Who is to end waits for nobody else: the write itself says so then.
            () = docker.0.stop.cancelled() => {}
        }
        let turn = docker.0.labels.writing(&node).await;
        let wishes = docker.0.labels.take(&node);
        if wishes.is_empty() {
            return;
        }
        let mut refused = Vec::new();
        let mut edit = |spec: &mut NodeSpec| {
            // The specification is read again at each attempt, so the answers of the last attempt count.
            refused = wishes.iter().map(|wish| apply(&node, spec, wish).err()).collect();
            Ok(())
        };
        let written = docker.rewrite_node(&node, &mut edit).await;
        drop(turn);
        tracing::debug!(node, labels = wishes.len(), "wrote labels of a node");
        refused.resize(wishes.len(), None);
        // Before the answers, since those bring the next ones.
        docker.0.labels.answered(wishes.len());
        for (wish, refused) in wishes.into_iter().zip(refused) {
            let answer = match (&written, refused) {
                (Ok(()), Some(error)) => Err(error),
                (written, _) => written.clone(),
            };
            if wish.answer.send(answer).is_err() {
                tracing::debug!(node, key = wish.key, "nobody waits for this label any more");
            }
        }
    }
}

fn apply(node: &str, spec: &mut NodeSpec, wish: &Wish) -> Result<()> {
    let found = spec.labels.get(&wish.key);
    if found == wish.value.as_ref() {
        return Ok(());
    }
    let as_expected = match &wish.expected {
        Expected::Anything => true,
        Expected::Absent => found.is_none(),
        Expected::Value(value) => found == Some(value),
    };
    if !as_expected {
        let in_words = |value: Option<&String>| match value {
            Some(value) => format!("`{value}`"),
            None => "no such label".to_owned(),
        };
        let expected = match &wish.expected {
            Expected::Value(value) => Some(value),
            Expected::Anything | Expected::Absent => None,
        };
        return Err(Error::Changed {
            what: format!("label `{}` of node {node}", wish.key),
            expected: in_words(expected),
            found: in_words(found),
        });
    }
    match &wish.value {
        Some(value) => spec.labels.insert(wish.key.clone(), value.clone()),
        None => spec.labels.remove(&wish.key),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok, refuse};
    use super::*;
    use futures_util::future::join_all;
    use serde_json::{Value, json};
    use std::{
        collections::HashMap,
        sync::atomic::{AtomicU32, Ordering::SeqCst},
    };

    /// A swarm of nodes that keep labels and versions, and refuse what is out of sequence: at first as often as told.
    fn swarm(conflicts: u32) -> Scripted {
        let nodes = Mutex::new(HashMap::<String, (u64, Value)>::new());
        let conflicts = AtomicU32::new(conflicts);
        Scripted::new(move |asked| {
            let mut nodes = lock(&nodes);
            let id = asked.what.split('/').nth(2).unwrap().to_owned();
            let spec = json!({"Role": "worker", "Availability": "active", "Labels": {"mine": "1"}, "New": 7});
            let (version, spec) = nodes.entry(id.clone()).or_insert((10, spec));
            if asked.what.starts_with("GET") {
                return ok(json!({"ID": id, "Version": {"Index": *version}, "Spec": spec}));
            }
            let conflict = conflicts.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            if conflict || asked.query != format!("version={version}") {
                *version += 1;
                return refuse(500, "rpc error: code = Unknown desc = update out of sequence");
            }
            assert_eq!(asked.body["New"], 7, "what is not known is written back");
            (*version, *spec) = (*version + 1, asked.body.clone());
            Answer::Json(200, Value::Null)
        })
    }

    #[tokio::test]
    async fn what_comes_together_is_sent_together() {
        let swarm = swarm(0);
        let all = (0..300).map(|number| {
            let docker = swarm.docker.clone();
            async move {
                let (node, key) = (format!("n{}", number % 3), format!("k{number}"));
                docker.set_node_label(&node, &key, Some("v"), Expected::Absent).await
            }
        });
        assert!(join_all(all).await.into_iter().all(|done| done.is_ok()));
        let updates = swarm.asked().iter().filter(|asked| asked.what.starts_with("POST")).count();
        assert_eq!(updates, 3);
        let labels = swarm.docker.inspect_node("n0").await.unwrap().spec.labels;
        assert_eq!((labels.len(), labels["mine"].as_str(), labels["k3"].as_str()), (101, "1", "v"));
    }

    #[tokio::test]
    async fn a_write_out_of_sequence_is_written_again_on_a_fresh_read() {
        let swarm = swarm(2);
        swarm.docker.set_node_label("n", "k", Some("v"), Expected::Anything).await.unwrap();
        assert_eq!((swarm.count("GET /nodes/n"), swarm.count("POST /nodes/n/update")), (3, 3));
    }

    #[tokio::test]
    async fn a_foreign_change_is_told_to_its_owner_alone() {
        let swarm = swarm(0);
        let set = |key, value, expected| swarm.docker.set_node_label("n", key, value, expected);
        let (bad, good, same) = tokio::join!(
            set("mine", Some("2"), Expected::Value("0".into())),
            set("other", Some("x"), Expected::Absent),
            set("gone", None, Expected::Value("y".into())),
        );
        let error = bad.unwrap_err().to_string();
        assert_eq!(error, "label `mine` of node n was changed by somebody else: expected `0`, found `1`");
        assert_eq!((good, same), (Ok(()), Ok(())));
        assert_eq!(swarm.count("POST /nodes/n/update"), 1);
    }

    #[tokio::test]
    async fn nothing_is_sent_where_nothing_changes() {
        let swarm = swarm(0);
        swarm.docker.set_node_label("n", "mine", Some("1"), Expected::Absent).await.unwrap();
        assert_eq!(swarm.count("POST /nodes/n/update"), 0);
    }
}
