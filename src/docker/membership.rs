//! How a host becomes a part of a swarm, and how it stops being one.

use super::call::Request;
use super::error::{Error, NotManager, Result};
use super::pace::Repeat;
use super::shared::lock;
use super::swarm::SwarmInfo;
use super::{Availability, Docker, FINISH, Settings, Token};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::MutexGuard;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Where a member of a swarm listens, unless it is told otherwise.
const LISTEN: &str = "0.0.0.0:2377";
/// How often a host asks again to join, where the managers were busy with another one.
const JOINS: u32 = 4;
/// How long it waits in between.
const BETWEEN_JOINS: Duration = Duration::from_secs(1);

/// How a host makes a swarm. Empty is for the Engine to choose.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Init {
    /// Where it listens.
    pub listen_addr: String,
    /// Where others reach it.
    pub advertise_addr: String,
    /// Where the traffic between tasks goes.
    pub data_path_addr: String,
    /// UDP port of that traffic; 0 for the usual one.
    pub data_path_port: i64,
    /// Pools of addresses for overlay networks.
    pub default_addr_pool: Vec<String>,
    /// Length of the network prefix of each overlay network; 0 for the usual one.
    pub subnet_size: i64,
    /// Whether a swarm that lost its managers goes on with this one alone.
    pub force_new_cluster: bool,
    /// Whether the host takes tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
}

/// How a host joins a swarm. Empty is for the Engine to choose.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Join {
    /// Where it listens.
    pub listen_addr: String,
    /// Where others reach it.
    pub advertise_addr: String,
    /// Where the traffic between tasks goes.
    pub data_path_addr: String,
    /// Managers of the swarm, such as `10.0.0.1:2377`.
    pub remote_addrs: Vec<String>,
    /// The token, which says what the host becomes.
    pub join_token: Token,
    /// Whether the host takes tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
}

impl SwarmInfo {
    /// Whether the host is in no swarm, as it says itself.
    pub fn is_in_none(&self) -> bool {
        matches!(self.local_node_state.as_str(), "inactive" | "")
    }

    /// Whether the host is a part of a swarm and can talk to it.
    pub fn is_active(&self) -> bool {
        self.local_node_state == "active"
    }

    /// Whether the host can manage its swarm.
    pub fn is_manager(&self) -> bool {
        self.is_active() && self.control_available
    }

    /// Whether the host waits for the key that unlocks it.
    pub fn is_locked(&self) -> bool {
        self.local_node_state == "locked"
    }

    /// The identifier of the swarm, which only managers know.
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster.as_ref().map(|cluster| cluster.id.as_str()).filter(|id| !id.is_empty())
    }
}

impl Docker {
    /// Makes a swarm whose first manager is this host.
    ///
    /// # Errors
    /// The Engine's refusals.
    pub async fn init_swarm(&self, mut init: Init) -> Result<()> {
        or_listen(&mut init.listen_addr);
        let made = self.call(Repeat::Write, &Request::post("/swarm/init").json(&init)?).await;
        self.forget_membership();
        made.map(drop)
    }

    /// Makes this host a part of a swarm, and waits until it says that it is one. A host that could not join is left in
    /// no swarm.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, and the Engine's refusals.
    pub async fn join_swarm(&self, mut join: Join, limit: Duration) -> Result<()> {
        or_listen(&mut join.listen_addr);
        let request = Request::post("/swarm/join").json(&join)?;
        let started = Instant::now();
        let mut tried = 0;
        let failed = loop {
            tried += 1;
            let asked = self.call(Repeat::Write, &request).await;
            self.forget_membership();
            let failed = match asked {
                Ok(_) => match self.wait_until_member(limit.saturating_sub(started.elapsed())).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                // It was not waited for to the end.
                Err(error @ (Error::Stopped | Error::Timeout { .. })) => break error,
                Err(error) if !goes_on(&error) => return Err(error),
                // The Engine goes on trying after it has answered so.
                Err(error) => match self.wait_until_member(limit.saturating_sub(started.elapsed())).await {
                    Ok(()) => return Ok(()),
                    Err(_) => error,
                },
            };
            if tried == JOINS || started.elapsed() + BETWEEN_JOINS > limit || failed == Error::Stopped {
                break failed;
            }
            tracing::debug!(error = %failed, host = self.host(), "joins again");
            self.leave_swarm(true).await?;
            self.sleep(BETWEEN_JOINS).await?;
        };
        // What is half joined would stand in the way of the next attempt.
        let left = match failed {
            Error::Stopped => self.leave_half_joined().await,
            _ => self.leave_swarm(true).await,
        };
        if let Err(error) = left {
            tracing::debug!(%error, host = self.host(), "left half joined");
        }
        Err(failed)
    }

    /// Leaves although Terraform has asked to stop, unless the host has become a member after all: the next attempt finds
    /// it so. It takes no longer than a write may then.
    async fn leave_half_joined(&self) -> Result<()> {
        let Ok(fresh) = Self::with_stop(&self.0.endpoint, self.0.patience, CancellationToken::new()) else {
            return Err(Error::Stopped);
        };
        let leave = async {
            if fresh.info().await?.swarm.is_active() { Ok(()) } else { fresh.leave_swarm(true).await }
        };
        tokio::time::timeout(FINISH, leave).await.unwrap_or(Err(Error::Stopped))
    }

    /// Lets this host leave its swarm. A host that is in none has left.
    ///
    /// # Errors
    /// The Engine's refusals: a manager leaves by `force` only.
    pub async fn leave_swarm(&self, force: bool) -> Result<()> {
        let left = self.call(Repeat::Write, &Request::post("/swarm/leave").query("force", force)).await;
        self.forget_membership();
        match left {
            Err(error) if error.is_no_swarm() => Ok(()),
            left => left.map(drop),
        }
    }

    /// Waits until this host is a part of a swarm.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, and what the host says where it gave up.
    pub async fn wait_until_member(&self, limit: Duration) -> Result<()> {
        let joined = self.wait_for_swarm_info(limit, |swarm| swarm.local_node_state != "pending").await?;
        match joined {
            swarm if swarm.is_active() => Ok(()),
            swarm => {
                let text = if swarm.error.is_empty() {
                    format!("the state of the node is `{}`", swarm.local_node_state)
                } else {
                    swarm.error
                };
                Err(Error::NotManager { host: self.host().to_owned(), reason: NotManager::Unsettled(text) })
            }
        }
    }

    /// Waits until what this host says of itself is as wanted. No event tells of that.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, and whatever keeps the Engine from answering.
    pub async fn wait_for_swarm_info(
        &self,
        limit: Duration,
        wanted: impl Fn(&SwarmInfo) -> bool,
    ) -> Result<SwarmInfo> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(25);
        loop {
            let swarm = self.info().await?.swarm;
            if wanted(&swarm) {
                return Ok(swarm);
            }
            if started.elapsed() + pause > limit {
                let state = &swarm.local_node_state;
                let what = format!("the host at {} is `{state}` in its swarm", self.host());
                return Err(Error::Timeout { what, after: limit });
            }
            self.sleep(pause).await?;
            pause = (pause * 3 / 2).min(Duration::from_millis(250));
        }
    }

    /// Forgets what was known of the swarm, since the host has joined or left one.
    pub fn forget_membership(&self) {
        *lock(&self.0.manager) = std::sync::Arc::default();
        self.0.secrets.forget();
        self.0.configs.forget();
        self.0.networks.forget();
        self.0.nodes.forget();
        self.0.services.forget();
    }

    /// Waits for the turn to change who the managers are: they change one at a time.
    pub async fn changing_managers(&self) -> MutexGuard<'_, ()> {
        self.0.managers_change.lock().await
    }

    /// One client for each address of this one, which otherwise tries them in turn.
    pub fn each_host(&self) -> Vec<Docker> {
        let hosts: Vec<&str> = self.host().split(", ").collect();
        if hosts.len() == 1 {
            return vec![self.clone()];
        }
        let at = |host: &str| Settings { hosts: vec![host.to_owned()], ..Settings::default() };
        hosts.into_iter().filter_map(|host| self.elsewhere(&at(host)).ok()).collect()
    }

    /// The other Engines that were asked for until now; see [`Docker::elsewhere`].
    pub fn others(&self) -> Vec<Docker> {
        lock(&self.0.others).iter().map(|(_, other)| other.clone()).collect()
    }
}

fn or_listen(address: &mut String) {
    if address.is_empty() {
        LISTEN.clone_into(address);
    }
}

/// Whether the Engine may still be joining, or may be let in when the managers are done with another host.
fn goes_on(error: &Error) -> bool {
    match error {
        Error::NoQuorum { .. } => true,
        Error::Api { message, .. } => {
            let message = message.to_lowercase();
            message.contains("timeout was reached") || message.contains("can't initialize raft node")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok, refuse};
    use super::*;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    fn join() -> Join {
        Join {
            listen_addr: String::new(),
            advertise_addr: String::new(),
            data_path_addr: String::new(),
            remote_addrs: vec!["10.0.0.1:2377".into()],
            join_token: Token::from("SWMTKN-secret".to_owned()),
            availability: None,
        }
    }

    #[tokio::test]
    async fn a_host_that_comes_together_with_another_asks_again() {
        let joins = AtomicU32::new(0);
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "POST /swarm/join" if joins.fetch_add(1, SeqCst) == 0 => {
                refuse(500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded")
            }
            "GET /info" if joins.load(SeqCst) < 2 => ok(json!({"Swarm": {"LocalNodeState": "inactive"}})),
            "GET /info" => ok(json!({"Swarm": {"LocalNodeState": "active"}})),
            _ => Answer::Json(200, Value::Null),
        });
        engine.docker.join_swarm(join(), Duration::from_secs(20)).await.unwrap();
        assert_eq!((engine.count("POST /swarm/join"), engine.count("POST /swarm/leave")), (2, 1));
        let asked = engine.asked();
        let sent = asked.iter().find(|asked| asked.what == "POST /swarm/join").map(|asked| &asked.body);
        assert_eq!(sent.map(|sent| &sent["ListenAddr"]), Some(&json!("0.0.0.0:2377")));
        assert_eq!(sent.map(|sent| &sent["JoinToken"]), Some(&json!("SWMTKN-secret")));
        assert!(!format!("{:?}", join()).contains("secret"));
    }

    #[tokio::test]
    async fn a_host_that_is_stopped_while_it_joins_is_not_left_half_joined() {
        for (state, leaves) in [("pending", 1), ("active", 0)] {
            let stopped = AtomicU32::new(0);
            let engine = Scripted::new(move |asked| match asked.what.as_str() {
                // It becomes a member at the last moment, if it does.
                "GET /info" if stopped.fetch_add(1, SeqCst) < 3 => {
                    ok(json!({"Swarm": {"LocalNodeState": "pending"}}))
                }
                "GET /info" => ok(json!({"Swarm": {"LocalNodeState": state}})),
                _ => Answer::Json(200, Value::Null),
            });
            let stop = async {
                while engine.count("GET /info") < 3 {
                    tokio::task::yield_now().await;
                }
                engine.docker.stop();
            };
            let (joined, ()) = tokio::join!(engine.docker.join_swarm(join(), Duration::from_secs(20)), stop);
            assert_eq!((joined, engine.count("POST /swarm/leave")), (Err(Error::Stopped), leaves), "{state}");
        }
    }

    #[tokio::test]
    async fn a_refusal_of_the_token_is_final() {
        let engine = Scripted::new(|_| refuse(400, "A valid join token is necessary to join this cluster"));
        engine.docker.join_swarm(join(), Duration::from_secs(20)).await.unwrap_err();
        assert_eq!(engine.count("POST /swarm/join"), 1);
    }

    #[tokio::test]
    async fn a_host_that_is_in_no_swarm_has_left_and_is_no_manager_any_more() {
        let gone = AtomicU32::new(0);
        let engine = Scripted::new(move |asked| match asked.what.as_str() {
            "GET /nodes" if gone.load(SeqCst) == 0 => ok(json!([])),
            "GET /nodes" => refuse(503, "This node is not a swarm manager. Use \"docker swarm init\""),
            "GET /info" => ok(json!({"Swarm": {"LocalNodeState": "inactive"}})),
            _ => {
                gone.store(1, SeqCst);
                refuse(503, "This node is not part of a swarm")
            }
        });
        engine.docker.require_manager().await.unwrap();
        engine.docker.leave_swarm(true).await.unwrap();
        assert!(engine.docker.require_manager().await.unwrap_err().is_no_swarm());
    }
}
