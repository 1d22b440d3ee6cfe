//! What the Engine says about itself and its swarm.

use super::call::Request;
use super::error::{Error, NotManager, Result};
use super::object::null_as_default;
use super::shared::lock;
use super::{Docker, Node, decode, pace::Repeat};
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The part of `GET /info` that matters here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Host name of the Engine.
    pub name: String,
    /// Version of the Engine, as free text.
    pub server_version: String,
    /// The Engine's clock, in RFC 3339.
    pub system_time: String,
    /// The Engine's part in a swarm.
    pub swarm: SwarmInfo,
}

/// The Engine's part in a swarm.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SwarmInfo {
    /// Identifier of this node.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// `inactive`, `pending`, `active`, `error` or `locked`.
    pub local_node_state: String,
    /// Whether this node can manage the swarm.
    pub control_available: bool,
    /// Why not, in the Engine's words.
    pub error: String,
    /// The managers that this node knows.
    #[serde(deserialize_with = "null_as_default")]
    pub remote_managers: Vec<RemoteManager>,
    /// The address by which the others know this node.
    pub node_addr: String,
    /// The swarm, where this is a manager.
    pub cluster: Option<ClusterInfo>,
}

/// Which swarm it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ClusterInfo {
    /// Identifier of the swarm.
    #[serde(rename = "ID")]
    pub id: String,
}

/// A manager that a node knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RemoteManager {
    /// Identifier of the node.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Address and port of the swarm's own protocol.
    pub addr: String,
}

impl Docker {
    /// What the Engine says about itself.
    ///
    /// Reason for a request of ours: of bollard's model one new enum value makes the whole answer unreadable.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn info(&self) -> Result<Info> {
        let request = Request::get("/info");
        let mut attempts = self.attempts(Repeat::Read);
        let (before, bytes) = loop {
            // What tells the Engine's clock is the attempt that was answered, and not those before it.
            let attempt = self.ask("GET /info", Repeat::Read, |engine, version| {
                let (before, request) = (SystemTime::now(), &request);
                async move { Ok((before, engine.http.send(Some(version), request).await?)) }
            });
            match attempt.await {
                Err(error) => attempts.pause(error).await?,
                Ok(answer) => break answer,
            }
        };
        let info: Info = decode(|| request.what(), &bytes)?;
        self.0.clock.set(&info.system_time, before);
        Ok(info)
    }

    /// The Engine's clock as it is now. The Engine is asked for it if it was not read yet, by one for all; `None` where it does
    /// not say, and then it is left alone for a while.
    pub(super) async fn clock(&self) -> Option<Moment> {
        let clock = &self.0.clock;
        if clock.now().is_none() {
            let mut asked = clock.asked.lock().await;
            if clock.now().is_none() && asked.is_none_or(|asked| asked.elapsed() > UNTOLD) {
                if let Err(error) = self.info().await {
                    tracing::debug!(%error, "the Engine does not say what time it is");
                }
                *asked = Some(Instant::now());
            }
        }
        clock.now()
    }

    /// Makes sure, once, that the Engine is a manager of a swarm that has a leader (P19).
    ///
    /// Only where it refuses, it is asked what it is: to say all that it is, an Engine starts `docker-init` and `runc`, for their
    /// versions.
    ///
    /// # Errors
    /// [`Error::NotManager`] with the reason (and a worker's managers), [`Error::NoQuorum`], and
    /// whatever keeps the Engine from answering.
    pub async fn require_manager(&self) -> Result<()> {
        // Only a question to the swarm itself shows whether it has a leader. A leader that has lost the other
        // managers still answers reads out of its memory, so what it says of them counts as well.
        let ask = || async {
            let nodes = self.nodes_now().await?;
            lost_quorum(&nodes).map_or(Ok(()), |message| Err(Error::NoQuorum { message }))
        };
        let check = || async {
            match ask().await {
                // Only where it says all of itself, a worker says who is a manager, and an Engine whose part in the swarm
                // has failed why.
                Err(Error::NotManager {
                    host,
                    reason: said @ (NotManager::Worker { .. } | NotManager::NoSwarm),
                }) => {
                    match self.info().await.map(|info| not_manager(&info.swarm)) {
                        Ok(Some(reason)) => Err(Error::NotManager { host, reason }),
                        // It has become one meanwhile.
                        Ok(None) => ask().await,
                        Err(_) => Err(Error::NotManager { host, reason: said }),
                    }
                }
                answer => answer,
            }
        };
        let manager = Arc::clone(&lock(&self.0.manager));
        manager.get_or_try_init(check).await.copied()
    }
}

pub(super) fn not_manager(swarm: &SwarmInfo) -> Option<NotManager> {
    match swarm.local_node_state.as_str() {
        "locked" => Some(NotManager::Locked),
        "inactive" | "" => Some(NotManager::NoSwarm),
        "active" if swarm.control_available => None,
        "active" => {
            let managers = swarm.remote_managers.iter().map(|manager| manager.addr.clone()).collect();
            Some(NotManager::Worker { managers })
        }
        state if swarm.error.is_empty() => {
            Some(NotManager::Unsettled(format!("the state of the node is `{state}`")))
        }
        _ => Some(NotManager::Unsettled(swarm.error.clone())),
    }
}

/// Says so, if half of the managers or more cannot be reached.
fn lost_quorum(nodes: &[Node]) -> Option<String> {
    let managers: Vec<_> = nodes.iter().filter_map(|node| node.manager_status.as_ref()).collect();
    let gone = managers.iter().filter(|manager| manager.reachability == "unreachable").count();
    let lost = gone > 0 && 2 * gone >= managers.len();
    lost.then(|| format!("{gone} of its {} managers cannot be reached", managers.len()))
}

/// A time on the Engine's clock, as the time since 1970.
pub(super) type Moment = Duration;

/// How far clocks of managers may be apart.
const SKEW: Duration = Duration::from_secs(5);

/// How long an Engine is not asked again what time it is, that did not say so.
const UNTOLD: Duration = Duration::from_secs(10);

/// The Engine's clock, as far as it is known.
#[derive(Default)]
pub(super) struct Clock {
    /// By how many seconds it is ahead of the one here.
    ahead: Mutex<Option<f64>>,
    /// When it was last asked for.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

impl Clock {
    fn set(&self, engine: &str, before: SystemTime) {
        let after = SystemTime::now();
        let (Some(engine), Ok(before), Ok(after)) =
            (parse_time(engine), before.duration_since(UNIX_EPOCH), after.duration_since(UNIX_EPOCH))
        else {
            return;
        };
        let here = (before.as_secs_f64() + after.as_secs_f64()) / 2.0;
        *lock(&self.ahead) = Some(engine.as_secs_f64() - here);
    }

    /// The time there, if the clock was ever read.
    pub(super) fn now(&self) -> Option<Moment> {
        let ahead = (*lock(&self.ahead))?;
        let here = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Duration::try_from_secs_f64(here.as_secs_f64() + ahead).ok()
    }
}

/// Whether something that was created at `created_at` is not older than a moment; never, where that is not known.
pub(super) fn not_older(created_at: &str, moment: Option<Moment>) -> bool {
    match (parse_time(created_at), moment) {
        (Some(created), Some(moment)) => created + SKEW >= moment,
        _ => false,
    }
}

/// Parses RFC 3339, as Go writes it, into the time since 1970.
pub(super) fn parse_time(text: &str) -> Option<Moment> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let rest = text.get(19..)?;
    let digits = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let nanos = format!("{:0<9.9}", rest.get(1..1 + digits).unwrap_or_default()).parse::<u32>().ok()?;
    let zone = if digits > 0 { rest.get(1 + digits..)? } else { rest };
    let offset = match (zone.get(..1)?, zone.get(1..)?.split_once(':')) {
        ("Z", _) => 0,
        (sign @ ("+" | "-"), Some((hours, minutes))) => {
            let seconds =
                i64::from(hours.parse::<u8>().ok()?) * 3600 + i64::from(minutes.parse::<u8>().ok()?) * 60;
            if sign == "+" { seconds } else { -seconds }
        }
        _ => return None,
    };
    // Days since 1970 with years that begin in March, so that the leap day is the last of its year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = i64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()? - offset;
    Some(Duration::new(u64::try_from(seconds).ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_go_on_as_they_are_written(
            days in 0..365_i64, seconds in 0..86_399_u32, nanos in 0..1_000_000_000_u32, hours in 0..14_i64,
        ) {
            let day = |days: i64| {
                // 2023 is no leap year.
                let (mut month, mut left) = (1, days);
                for length in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                    if left < length {
                        break;
                    }
                    (month, left) = (month + 1, left - length);
                }
                format!("2023-{month:02}-{:02}", left + 1)
            };
            let at = |seconds: u32| format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            let utc = parse_time(&format!("{}T{}.{nanos:09}Z", day(days), at(seconds))).unwrap();
            prop_assert_eq!(utc.subsec_nanos(), nanos);
            let next = parse_time(&format!("{}T{}.{nanos:09}Z", day(days), at(seconds + 1))).unwrap();
            prop_assert_eq!(next.checked_sub(utc), Some(Duration::from_secs(1)));
            let east = parse_time(&format!("{}T{}.{nanos:09}+{hours:02}:00", day(days), at(seconds))).unwrap();
            prop_assert_eq!(utc.as_secs().checked_sub(east.as_secs()), u64::try_from(hours * 3600).ok());
        }

        #[test]
        fn no_text_is_too_much(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:+]{0,9}[.Z+-]{0,2}[0-9:]{0,20}") {
            parse_time(&text);
        }
    }

    #[test]
    fn times_are_read_as_go_writes_them() {
        let parse = |text| parse_time(text).map(|time| (time.as_secs(), time.subsec_nanos()));
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(parse("2026-11-25T01:02:03.5Z"), Some((1_795_568_523, 500_000_000)));
        assert_eq!(parse("2024-02-29T23:59:59.123456789+01:30"), Some((1_709_245_799, 123_456_789)));
        let far = "2026-11-25T01:02:03+9999999999999999:00";
        for wrong in
            ["", far, "0001-01-01T00:00:00Z", "2026-11-25", "2026-11-25T01:02:03", "2026-13-25T01:02:03Z"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_swarm_without_most_of_its_managers_is_told() {
        let nodes = |reachable: &[&str]| -> Vec<Node> {
            let node = |word: &&str| serde_json::json!({"ManagerStatus": {"Reachability": word}});
            let mut all: Vec<_> = reachable.iter().map(node).collect();
            all.push(serde_json::json!({"ID": "a worker"}));
            all.into_iter().map(|node| serde_json::from_value(node).unwrap()).collect()
        };
        let lost = lost_quorum(&nodes(&["reachable", "unreachable", "unreachable"]));
        assert_eq!(lost.as_deref(), Some("2 of its 3 managers cannot be reached"));
        assert!(lost_quorum(&nodes(&["reachable", "unreachable"])).is_some());
        assert!(lost_quorum(&nodes(&["reachable", "reachable", "unreachable"])).is_none());
        assert!(lost_quorum(&nodes(&["reachable"])).is_none());
    }

    #[test]
    fn p19_each_reason_not_to_manage_is_told() {
        let reason = |json: &str| not_manager(&serde_json::from_str(json).unwrap());
        assert_eq!(
            reason(r#"{"LocalNodeState":"inactive","RemoteManagers":null}"#),
            Some(NotManager::NoSwarm)
        );
        assert_eq!(reason(r#"{"LocalNodeState":"locked"}"#), Some(NotManager::Locked));
        assert_eq!(reason(r#"{"LocalNodeState":"active","ControlAvailable":true}"#), None);
        let worker =
            r#"{"LocalNodeState":"active","RemoteManagers":[{"NodeID":"a","Addr":"10.0.0.1:2377"}]}"#;
        assert_eq!(reason(worker), Some(NotManager::Worker { managers: vec!["10.0.0.1:2377".into()] }));
    }
}
