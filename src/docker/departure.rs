//! How a node is taken out of its swarm without a loss: waits until it is no manager, runs nothing, and is forgotten.

use super::call::{Request, segment};
use super::error::{Error, Found, Kind, Result};
use super::events::wait;
use super::nodes::NodeSpec;
use super::pace::Repeat;
use super::tasks::Task;
use super::{Availability, Docker, Node, Role};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// How long the departure of the node that is talked to waits for others to be asked for.
const GATHER: Duration = Duration::from_millis(400);

/// The nodes that are being taken out.
#[derive(Default)]
pub(super) struct Departures {
    under_way: AtomicUsize,
    changed: tokio::sync::Notify,
}

/// A departure that is under way, until it is dropped.
pub struct Departure(Docker);

impl Drop for Departure {
    fn drop(&mut self) {
        self.0.0.departures.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.0.departures.changed.notify_waiters();
    }
}

/// Whether the managers still agree when one of them goes, and in numbers why not.
///
/// # Errors
/// A sentence's beginning, such as "the swarm has 3 managers, of which 2 can be reached: …".
pub fn keeps_quorum(nodes: &[Node], leaving: &str) -> Result<(), String> {
    let managers: Vec<_> =
        nodes.iter().filter_map(|node| Some((node, node.manager_status.as_ref()?))).collect();
    let reachable = |skip: &str| {
        managers.iter().filter(|(node, status)| node.id != skip && status.reachability == "reachable").count()
    };
    let (all, now, then) = (managers.len(), reachable(""), reachable(leaving));
    let left = all.saturating_sub(1);
    let needed = left / 2 + 1;
    if left == 0 {
        return Err("it is the only manager of the swarm".to_owned());
    }
    if then >= needed {
        return Ok(());
    }
    let gone: Vec<_> = managers
        .iter()
        .filter(|(_, status)| status.reachability != "reachable")
        .map(|(node, _)| node.hostname())
        .collect();
    Err(format!(
        "the swarm has {all} managers, of which {now} can be reached. Without this one {left} would be left, of which {then} \
         could be reached, and {needed} are needed to agree on anything: the swarm would be lost. Bring back {} first, or \
         remove it first",
        gone.join(", ")
    ))
}

impl Docker {
    /// Waits until the list of nodes is as wanted. Events wake, and a list of the present proves.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, with `what` is the matter, and whatever keeps the Engine from answering.
    pub async fn wait_for_nodes(
        &self,
        limit: Duration,
        what: impl Fn(&[Node]) -> String,
        wanted: impl Fn(&[Node]) -> bool,
    ) -> Result<()> {
        let started = Instant::now();
        let mut events = self.events();
        let mut pause = Duration::from_millis(50);
        loop {
            let nodes = self.nodes_now().await?;
            if wanted(&nodes) {
                return Ok(());
            }
            if started.elapsed() >= limit {
                return Err(Error::Timeout { what: what(&nodes), after: limit });
            }
            tokio::select! {
                () = self.0.stop.cancelled() => return Err(Error::Stopped),
                _ = wait(&mut events, pause, |event| event.service.is_none()) => {}
            }
            pause = (pause * 3 / 2).min(Duration::from_millis(500));
        }
    }

    /// Makes a node a worker or a manager, and waits until it is one.
    ///
    /// # Errors
    /// The Engine's refusals, [`Error::NotFound`], and [`Error::Timeout`] after `limit`.
    pub async fn set_role(&self, id: &str, role: &Role, limit: Duration) -> Result<()> {
        self.update_node(id, |spec: &mut NodeSpec| {
            spec.role = role.clone();
            Ok(())
        })
        .await?;
        let manages = *role == Role::Manager;
        let done = |node: &Node| match &node.manager_status {
            Some(status) => manages && status.reachability == "reachable",
            None => !manages,
        };
        self.wait_for_nodes(
            limit,
            |_| format!("node {id} is not yet a {role}"),
            |nodes| nodes.iter().find(|node| node.id == id).is_none_or(done),
        )
        .await
    }

    /// Says whether a node takes tasks.
    ///
    /// # Errors
    /// The Engine's refusals, and [`Error::NotFound`].
    pub async fn set_availability(&self, id: &str, availability: &Availability) -> Result<()> {
        self.update_node(id, |spec: &mut NodeSpec| {
            spec.availability = availability.clone();
            Ok(())
        })
        .await
    }

    /// Has the tasks of a node moved elsewhere, and waits until none runs there any more.
    ///
    /// # Errors
    /// The Engine's refusals, [`Error::NotFound`], and [`Error::Timeout`] after `limit`.
    pub async fn drain(&self, id: &str, limit: Duration) -> Result<()> {
        self.set_availability(id, &Availability::Drain).await?;
        let started = Instant::now();
        let mut events = self.events();
        let mut pause = Duration::from_millis(50);
        let request = Request::get("/tasks").filter(&[("node", id)]).about(Kind::Node, id);
        loop {
            let tasks = self.read::<Vec<Task>>(&request).await?;
            let alive = tasks.iter().filter(|task| task.status.state.is_alive()).count();
            if alive == 0 {
                return Ok(());
            }
            if started.elapsed() >= limit {
                return Err(Error::Timeout {
                    what: format!("{alive} tasks still run on node {id}"),
                    after: limit,
                });
            }
            tokio::select! {
                () = self.0.stop.cancelled() => return Err(Error::Stopped),
                _ = wait(&mut events, pause, |_| true) => {}
            }
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }

    /// Removes the record of a node, by `force` even if it is not down. That there is none is a success.
    ///
    /// # Errors
    /// The Engine's refusals: a manager must be demoted first.
    pub async fn remove_node(&self, id: &str, force: bool) -> Result<()> {
        let request = Request::delete(format!("/nodes/{}", segment(id))).query("force", force);
        let removed = self.call(Repeat::Rewrite, &request.about(Kind::Node, id)).await.map(drop).found();
        self.0.nodes.forget();
        removed.map(drop)
    }

    /// Says that a node is being taken out of the swarm, until what is answered is dropped. The departure of the node that
    /// is talked to waits for all others, which are done through it.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn departure(&self, of_this_host: bool) -> Result<Departure> {
        let departures = &self.0.departures;
        if of_this_host {
            self.sleep(GATHER).await?;
            loop {
                let changed = departures.changed.notified();
                if departures.under_way.load(Ordering::SeqCst) == 0 {
                    break;
                }
                tokio::select! {
                    () = changed => {}
                    () = self.0.stop.cancelled() => return Err(Error::Stopped),
                    () = tokio::time::sleep(GATHER) => {}
                }
            }
        }
        departures.under_way.fetch_add(1, Ordering::SeqCst);
        Ok(Departure(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn managers(reachable: &[&str]) -> Vec<Node> {
        let node = |(number, word): (usize, &&str)| {
            serde_json::from_value(serde_json::json!({
                "ID": format!("n{number}"), "Description": {"Hostname": format!("host{number}")},
                "ManagerStatus": {"Reachability": word},
            }))
            .unwrap()
        };
        reachable.iter().enumerate().map(node).collect()
    }

    #[test]
    fn what_would_lose_the_quorum_is_told_in_numbers() {
        let (up, down) = ("reachable", "unreachable");
        assert_eq!(keeps_quorum(&managers(&[up, up]), "n0"), Ok(()));
        assert_eq!(keeps_quorum(&managers(&[up, up, up]), "n0"), Ok(()));
        assert_eq!(keeps_quorum(&managers(&[up, up, down]), "n2"), Ok(()), "the dead one may go");
        let told = keeps_quorum(&managers(&[up, up, down]), "n0").unwrap_err();
        assert!(told.contains("3 managers, of which 2") && told.contains("host2"), "{told}");
        assert!(keeps_quorum(&managers(&[up]), "n0").unwrap_err().contains("only manager"));
    }
}
