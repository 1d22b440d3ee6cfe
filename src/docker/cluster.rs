//! The swarm itself: its settings, its tokens, its certificate authority.
//!
//! Reason for requests of ours: an update replaces the whole specification, so whatever a model does not know would be
//! lost; bollard has neither the unlock key nor a type for a token that cannot be printed.

use super::call::{Request, decode};
use super::error::{Error, Kind, Result};
use super::events::wait;
use super::object::{ObjectVersion, engine_object};
use super::pace::Repeat;
use super::{Docker, Node};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A token or key of the swarm. It cannot be printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The text, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Token(Zeroizing::new(text))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input).map(Token::from)
    }
}

/// A swarm, as one of its managers tells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Cluster {
    /// Identifier, 25 characters. A swarm that is made anew has another.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version index.
    pub version: ObjectVersion,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// Its settings.
    pub spec: ClusterSpec,
    /// Its certificate authority.
    #[serde(rename = "TLSInfo")]
    pub tls_info: TlsInfo,
    /// Whether the nodes are getting certificates of a new authority.
    pub root_rotation_in_progress: bool,
    /// Pools of addresses that overlay networks get theirs from.
    #[serde(deserialize_with = "super::object::null_as_default")]
    pub default_addr_pool: Vec<String>,
    /// Length of the network prefix of each overlay network.
    pub subnet_size: i64,
    /// UDP port of the traffic between tasks.
    pub data_path_port: i64,
    /// What a host joins with.
    pub join_tokens: JoinTokens,
}

/// A certificate authority, that of the swarm or the one that a node knows: all of it is public.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TlsInfo {
    /// The root certificate as PEM text.
    pub trust_root: String,
    /// Who has issued the certificates of nodes, in base64.
    pub cert_issuer_subject: String,
    /// With which key, in base64.
    pub cert_issuer_public_key: String,
}

/// How far the nodes are with a new certificate authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RootRotation {
    /// Nodes whose certificate is of the new authority.
    pub certified: usize,
    /// Nodes that trust the new authority alone.
    pub trusting: usize,
    /// All nodes.
    pub nodes: usize,
}

/// What a host joins with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JoinTokens {
    /// For one that becomes a worker.
    pub worker: Token,
    /// For one that becomes a manager.
    pub manager: Token,
}

engine_object! {
    /// The settings of a swarm. An update replaces all of them.
    ClusterSpec {
        /// Labels of the swarm, which nothing but people and programs read.
        labels: BTreeMap<String, String>,
        /// How tasks are kept.
        orchestration: Orchestration,
        /// How the managers agree.
        raft: Raft,
        /// How nodes and managers keep in touch.
        dispatcher: Dispatcher,
        /// Certificates.
        #[serde(rename = "CAConfig")]
        ca_config: CaConfig,
        /// How the managers keep what they know.
        encryption_config: EncryptionConfig,
    }
    /// How tasks are kept.
    Orchestration {
        /// Ended tasks that are kept for each slot.
        task_history_retention_limit: i64,
    }
    /// How the managers agree.
    Raft {
        /// Log entries between two snapshots.
        snapshot_interval: u64,
        /// Snapshots that are kept beside the latest.
        keep_old_snapshots: u64,
        /// Log entries that are kept after a snapshot for managers that are behind.
        log_entries_for_slow_followers: u64,
        /// Ticks without the leader before an election.
        election_tick: i64,
        /// Ticks between two heartbeats of the leader.
        heartbeat_tick: i64,
    }
    /// How nodes and managers keep in touch.
    Dispatcher {
        /// Nanoseconds between two heartbeats of a node.
        heartbeat_period: i64,
    }
    /// Certificates.
    CaConfig {
        /// Nanoseconds for which the certificate of a node is valid.
        node_cert_expiry: i64,
        /// Authorities elsewhere that sign certificates of nodes.
        #[serde(rename = "ExternalCAs")]
        external_cas: Vec<ExternalCa>,
        /// The root certificate that is wanted. Engines take it and never tell it.
        #[serde(rename = "SigningCACert")]
        signing_ca_cert: String,
        /// Its key.
        #[serde(rename = "SigningCAKey")]
        signing_ca_key: Token,
        /// A number whose change makes a new authority.
        force_rotate: u64,
    }
    /// An authority elsewhere that signs certificates of nodes.
    ExternalCa {
        /// How it is talked to.
        protocol: String,
        /// Where it is.
        #[serde(rename = "URL")]
        url: String,
        /// Options of the protocol.
        options: BTreeMap<String, String>,
        /// The root certificate that it signs with, as PEM text.
        #[serde(rename = "CACert")]
        ca_cert: String,
    }
    /// How the managers keep what they know.
    EncryptionConfig {
        /// Whether a manager that was restarted needs the unlock key.
        auto_lock_managers: bool,
    }
}

/// Which tokens and keys an update makes anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotate {
    /// The token that workers join with.
    pub worker_token: bool,
    /// The token that managers join with.
    pub manager_token: bool,
    /// The key that unlocks managers.
    pub unlock_key: bool,
}

impl Docker {
    /// The swarm, with its tokens, as of now.
    ///
    /// # Errors
    /// [`Error::NotManager`], and whatever keeps the Engine from answering.
    pub async fn inspect_cluster(&self) -> Result<Cluster> {
        self.read(&Request::get("/swarm")).await
    }

    /// Changes the swarm's settings: reads them afresh, lets `edit` change them, and writes them if they differ or
    /// something is to be made anew.
    ///
    /// # Errors
    /// [`Error::OutOfSequence`] where others change it all the time, and the Engine's refusals.
    pub async fn update_cluster(
        &self,
        rotate: Rotate,
        mut edit: impl FnMut(&Cluster, &mut ClusterSpec) + Send,
    ) -> Result<()> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        loop {
            match self.update_cluster_once(rotate, &mut edit).await {
                Err(error) => attempts.pause(error).await?,
                done => return done,
            }
        }
    }

    async fn update_cluster_once(
        &self,
        rotate: Rotate,
        edit: &mut (dyn FnMut(&Cluster, &mut ClusterSpec) + Send),
    ) -> Result<()> {
        let read = Request::get("/swarm");
        let found: Cluster = decode(|| read.what(), &self.call_once(&read).await?)?;
        let mut spec = found.spec.clone();
        edit(&found, &mut spec);
        if spec == found.spec && rotate == Rotate::default() {
            return Ok(());
        }
        let write = Request::post("/swarm/update")
            .query("version", found.version.index)
            .query("rotateWorkerToken", rotate.worker_token)
            .query("rotateManagerToken", rotate.manager_token)
            .query("rotateManagerUnlockKey", rotate.unlock_key)
            .about(Kind::Swarm, &found.id);
        self.call_once(&write.json(&spec)?).await.map(drop)
    }

    /// Waits until every node has a certificate of the authority that is wanted.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, and whatever keeps the Engine from answering.
    pub async fn wait_for_root_rotation(&self, limit: Duration) -> Result<()> {
        self.watch_root_rotation(limit, |_| ()).await
    }

    /// The same, telling at each look how far the nodes are.
    ///
    /// # Errors
    /// As [`Docker::wait_for_root_rotation`].
    pub async fn watch_root_rotation(
        &self,
        limit: Duration,
        mut tell: impl FnMut(RootRotation) + Send,
    ) -> Result<()> {
        let started = Instant::now();
        let mut events = self.events();
        loop {
            let cluster = self.inspect_cluster().await?;
            tell(RootRotation::of(&cluster.tls_info, &self.nodes_now().await?));
            if !cluster.root_rotation_in_progress {
                return Ok(());
            }
            if started.elapsed() >= limit {
                let what = "not every node has a certificate of the new authority".to_owned();
                return Err(Error::Timeout { what, after: limit });
            }
            tokio::select! {
                () = self.0.stop.cancelled() => return Err(Error::Stopped),
                _ = wait(&mut events, Duration::from_millis(500), |event| event.service.is_none()) => {}
            }
        }
    }

    /// The key that unlocks managers; empty where managers are not locked.
    ///
    /// # Errors
    /// [`Error::NotManager`], and whatever keeps the Engine from answering.
    pub async fn unlock_key(&self) -> Result<Token> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "UnlockKey", default)]
            key: Token,
        }
        self.read::<Answer>(&Request::get("/swarm/unlockkey")).await.map(|answer| answer.key)
    }

    /// Unlocks a manager that was restarted.
    ///
    /// # Errors
    /// The Engine's refusals, such as that the key is another.
    pub async fn unlock(&self, key: &Token) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Unlock<'a> {
            unlock_key: &'a Token,
        }
        let request = Request::post("/swarm/unlock").json(&Unlock { unlock_key: key })?;
        self.call(Repeat::Write, &request).await?;
        self.forget_membership();
        Ok(())
    }
}

impl RootRotation {
    fn of(wanted: &TlsInfo, nodes: &[Node]) -> Self {
        let issuer = |tls: &TlsInfo| (tls.cert_issuer_subject.clone(), tls.cert_issuer_public_key.clone());
        let count = |is: &dyn Fn(&TlsInfo) -> bool| {
            nodes.iter().filter(|node| is(&node.description.tls_info)).count()
        };
        RootRotation {
            certified: count(&|own| issuer(own) == issuer(wanted)),
            trusting: count(&|own| own.trust_root == wanted.trust_root),
            nodes: nodes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Scripted, ok};
    use super::*;
    use serde_json::{Value, json};

    fn swarm() -> Value {
        json!({
            "ID": "c", "Version": {"Index": 7}, "JoinTokens": {"Worker": "SWMTKN-w", "Manager": "SWMTKN-m"},
            "Spec": {"Name": "default", "Labels": {}, "Raft": {"ElectionTick": 10, "New": 1}, "TaskDefaults": {}},
        })
    }

    #[tokio::test]
    async fn settings_are_written_with_what_is_not_known_and_nothing_is_sent_where_nothing_changes() {
        let engine = Scripted::new(|asked| match asked.what.as_str() {
            "GET /swarm" => ok(swarm()),
            _ => Answer::Json(200, Value::Null),
        });
        let set = |_: &Cluster, spec: &mut ClusterSpec| {
            spec.labels = Some(BTreeMap::from([("k".into(), "v".into())]));
        };
        engine.docker.update_cluster(Rotate::default(), set).await.unwrap();
        engine.docker.update_cluster(Rotate::default(), |_, _| ()).await.unwrap();
        let rotate = Rotate { worker_token: true, ..Rotate::default() };
        engine.docker.update_cluster(rotate, |_, _| ()).await.unwrap();
        let writes: Vec<_> =
            engine.asked().into_iter().filter(|asked| asked.what.starts_with("POST")).collect();
        assert_eq!(writes.len(), 2);
        assert!(writes[0].query.starts_with("version=7&rotateWorkerToken=false"), "{}", writes[0].query);
        assert_eq!(writes[0].body["Raft"], json!({"ElectionTick": 10, "New": 1}));
        assert_eq!(
            (&writes[0].body["Name"], &writes[0].body["Labels"]),
            (&json!("default"), &json!({"k": "v"}))
        );
        assert!(writes[1].query.contains("rotateWorkerToken=true&rotateManagerToken=false"));
    }

    #[tokio::test]
    async fn tokens_are_never_printed() {
        let engine = Scripted::new(|_| ok(swarm()));
        let cluster = engine.docker.inspect_cluster().await.unwrap();
        assert_eq!(cluster.join_tokens.manager.expose(), "SWMTKN-m");
        assert!(!format!("{cluster:?}").contains("SWMTKN"));
    }
}
