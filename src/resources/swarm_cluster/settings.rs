//! The settings of a swarm, one object for each part of `ClusterSpec` of the Engine API.
//!
//! What is not set is left alone, on the way there and on the way back.

use super::SwarmCluster;
use crate::docker::{self, Cluster, ClusterSpec, Token};
use crate::terraform::{Duration, Model, Value, WriteOnly};
use std::collections::BTreeMap;

/// How the managers agree on what is.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Raft {
    /// Log entries between two snapshots.
    #[tf(check = positive)]
    pub snapshot_interval: Option<i64>,

    /// Snapshots that are kept beside the latest.
    #[tf(check = not_negative)]
    pub keep_old_snapshots: Option<i64>,

    /// Log entries that are kept after a snapshot, for managers that are behind.
    #[tf(check = not_negative)]
    pub log_entries_for_slow_followers: Option<i64>,

    /// Ticks between two heartbeats of the leader. A manager takes a change up when it is restarted.
    #[tf(check = positive)]
    pub heartbeat_tick: Option<i64>,

    /// Ticks without a heartbeat before a new leader is elected. A manager takes a change up when it is restarted.
    #[tf(check = positive)]
    pub election_tick: Option<i64>,
}

/// How nodes and managers keep in touch.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Dispatcher {
    /// Time between two heartbeats of a node, such as `"5s"`. A node that misses three is down.
    pub heartbeat_period: Option<Duration>,
}

/// The certificate authority, by which the nodes know each other.
#[derive(Clone, Debug, Model)]
pub struct Ca {
    /// How long the certificate of a node is valid, such as `"2160h"`; an hour at least.
    pub node_cert_expiry: Option<Duration>,

    /// Authorities elsewhere that sign the certificates of nodes.
    pub external_cas: Option<Vec<ExternalCa>>,

    /// Root certificate as PEM text, instead of one that the swarm makes by itself. A change gives every node a new
    /// certificate.
    #[tf(same = same_pem)]
    pub signing_ca_cert: Option<String>,

    /// Private key of `signing_ca_cert` as PEM text, kept in neither plan nor state. It is sent when the certificate or
    /// `rotate_ca` changes. Needs Terraform 1.11.
    pub signing_ca_key_wo: WriteOnly<String>,
}

/// An authority elsewhere that signs the certificates of nodes.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct ExternalCa {
    /// How it is talked to.
    #[tf(default = "cfssl")]
    pub protocol: String,

    /// Where it signs, such as `"https://ca.example.com/sign"`.
    pub url: String,

    /// Options of the protocol.
    #[tf(default = BTreeMap::new())]
    pub options: BTreeMap<String, String>,

    /// Root certificate that it signs with, as PEM text. Without it that is the swarm's.
    pub ca_cert: Option<String>,
}

impl SwarmCluster {
    /// Lays what is set over a specification.
    pub(super) fn write(&self, rotate_ca: bool, found: &Cluster, spec: &mut ClusterSpec) {
        if let Some(labels) = &self.labels {
            spec.labels = Some(labels.clone());
        }
        if let Some(limit) = self.task_history_retention_limit {
            spec.orchestration.get_or_insert_default().task_history_retention_limit = Some(limit);
        }
        if let Some(raft) = &self.raft {
            raft.write(spec.raft.get_or_insert_default());
        }
        if let Some(period) = self.dispatcher.as_ref().and_then(|own| own.heartbeat_period.as_ref()) {
            spec.dispatcher.get_or_insert_default().heartbeat_period = Some(period.nanos());
        }
        if let Some(autolock) = self.autolock {
            spec.encryption_config.get_or_insert_default().auto_lock_managers = Some(autolock);
        }
        self.write_ca(rotate_ca, found, spec);
    }

    fn write_ca(&self, rotate: bool, found: &Cluster, spec: &mut ClusterSpec) {
        let own = self.ca.as_ref();
        if own.is_none() && !rotate {
            return;
        }
        let theirs = spec.ca_config.get_or_insert_default();
        if let Some(expiry) = own.and_then(|own| own.node_cert_expiry.as_ref()) {
            theirs.node_cert_expiry = Some(expiry.nanos());
        }
        if let Some(external) = own.and_then(|own| own.external_cas.as_ref()) {
            let before = theirs.external_cas.take().unwrap_or_default();
            // What Engines leave out is the same as nothing.
            theirs.external_cas = (!external.is_empty()).then(|| {
                external.iter().enumerate().map(|(index, ca)| ca.written(before.get(index))).collect()
            });
        }
        let wanted = own.and_then(|own| own.signing_ca_cert.as_deref());
        if rotate || wanted.is_some_and(|wanted| pem(wanted) != pem(&found.tls_info.trust_root)) {
            let key = own.and_then(|own| own.signing_ca_key_wo.expose().cloned());
            theirs.signing_ca_cert = wanted.map(str::to_owned);
            theirs.signing_ca_key = key.map(Token::from);
        }
        if rotate {
            // Any other number rotates.
            theirs.force_rotate = Some(theirs.force_rotate.unwrap_or_default().wrapping_add(1));
        }
    }

    /// Reads back what is set, and leaves the rest alone.
    pub(super) fn read_settings(&mut self, found: &Cluster) {
        let spec = &found.spec;
        if let Some(labels) = &mut self.labels {
            *labels = spec.labels.clone().unwrap_or_default();
        }
        if self.task_history_retention_limit.is_some() {
            self.task_history_retention_limit =
                spec.orchestration.as_ref().and_then(|theirs| theirs.task_history_retention_limit);
        }
        if let Some(raft) = &mut self.raft {
            raft.read(&spec.raft.clone().unwrap_or_default());
        }
        if let Some(period) = self.dispatcher.as_mut().and_then(|own| own.heartbeat_period.as_mut()) {
            let theirs = spec.dispatcher.as_ref().and_then(|theirs| theirs.heartbeat_period);
            *period = Duration::from_nanos(theirs.unwrap_or_default());
        }
        if let Some(autolock) = &mut self.autolock {
            let theirs = spec.encryption_config.as_ref().and_then(|theirs| theirs.auto_lock_managers);
            *autolock = theirs.unwrap_or_default();
        }
        self.read_ca(found);
    }

    fn read_ca(&mut self, found: &Cluster) {
        let Some(own) = &mut self.ca else { return };
        let theirs = found.spec.ca_config.clone().unwrap_or_default();
        if let Some(expiry) = &mut own.node_cert_expiry {
            *expiry = Duration::from_nanos(theirs.node_cert_expiry.unwrap_or_default());
        }
        if let Some(external) = &mut own.external_cas {
            let before = std::mem::take(external);
            let theirs = theirs.external_cas.unwrap_or_default();
            *external = theirs
                .iter()
                .enumerate()
                .map(|(index, ca)| ExternalCa::read(ca, before.get(index)))
                .collect();
        }
        if let Some(cert) = &mut own.signing_ca_cert {
            cert.clone_from(&found.tls_info.trust_root);
        }
    }
}

impl Raft {
    fn write(&self, theirs: &mut docker::Raft) {
        let unsigned = |own: Option<i64>, theirs: &mut Option<u64>| {
            if let Some(own) = own {
                *theirs = u64::try_from(own).ok();
            }
        };
        unsigned(self.snapshot_interval, &mut theirs.snapshot_interval);
        unsigned(self.keep_old_snapshots, &mut theirs.keep_old_snapshots);
        unsigned(self.log_entries_for_slow_followers, &mut theirs.log_entries_for_slow_followers);
        theirs.heartbeat_tick = self.heartbeat_tick.or(theirs.heartbeat_tick);
        theirs.election_tick = self.election_tick.or(theirs.election_tick);
    }

    fn read(&mut self, theirs: &docker::Raft) {
        let unsigned = |own: &mut Option<i64>, theirs: Option<u64>| {
            if own.is_some() {
                *own = i64::try_from(theirs.unwrap_or_default()).ok();
            }
        };
        unsigned(&mut self.snapshot_interval, theirs.snapshot_interval);
        unsigned(&mut self.keep_old_snapshots, theirs.keep_old_snapshots);
        unsigned(&mut self.log_entries_for_slow_followers, theirs.log_entries_for_slow_followers);
        self.heartbeat_tick = self.heartbeat_tick.and(theirs.heartbeat_tick);
        self.election_tick = self.election_tick.and(theirs.election_tick);
    }
}

impl ExternalCa {
    fn written(&self, before: Option<&docker::ExternalCa>) -> docker::ExternalCa {
        docker::ExternalCa {
            protocol: Some(self.protocol.clone()),
            url: Some(self.url.clone()),
            options: (!self.options.is_empty()).then(|| self.options.clone()),
            // Without a certificate of its own, the Engine notes the swarm's.
            ca_cert: self.ca_cert.clone().or_else(|| before?.ca_cert.clone()),
            extra: before.map(|before| before.extra.clone()).unwrap_or_default(),
        }
    }

    fn read(theirs: &docker::ExternalCa, own: Option<&Self>) -> Self {
        let theirs_cert = theirs.ca_cert.clone().filter(|cert| !cert.is_empty());
        ExternalCa {
            protocol: theirs.protocol.clone().unwrap_or_default(),
            url: theirs.url.clone().unwrap_or_default(),
            options: theirs.options.clone().unwrap_or_default(),
            ca_cert: match own.and_then(|own| own.ca_cert.as_deref()) {
                Some(own) if theirs_cert.as_deref().is_some_and(|theirs| pem(theirs) == pem(own)) => {
                    Some(own.to_owned())
                }
                Some(_) => theirs_cert,
                None => None,
            },
        }
    }
}

/// PEM text without what means nothing in it.
pub(super) fn pem(text: &str) -> String {
    text.split_whitespace().collect()
}

fn same_pem(a: &Value, b: &Value) -> bool {
    matches!((a.as_str(), b.as_str()), (Some(a), Some(b)) if pem(a) == pem(b))
}

fn positive(number: &i64) -> Result<(), String> {
    if *number > 0 { Ok(()) } else { Err("a number above 0 is wanted".to_owned()) }
}

pub(super) fn not_negative(number: &i64) -> Result<(), String> {
    if *number >= 0 { Ok(()) } else { Err("a number of at least 0 is wanted".to_owned()) }
}
