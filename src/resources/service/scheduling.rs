//! What Swarm's scheduler will make of constraints, told before it is asked.

use super::Placement;
use crate::docker::{Constraint, Node};

/// The keys that the scheduler knows beside `node.labels.*` and `engine.labels.*` (swarmkit, `constraint.go`).
const KEYS: [&str; 6] =
    ["node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch"];

/// Refuses what is no constraint, and what Swarm would take without a word although no node could ever match (P10).
pub fn constraint(text: &str) -> Result<Constraint, String> {
    let constraint = Constraint::parse(text)?;
    let key = constraint.key.to_ascii_lowercase();
    let is_label = ["node.labels.", "engine.labels."]
        .iter()
        .any(|prefix| key.strip_prefix(prefix).is_some_and(|name| !name.is_empty()));
    if is_label || KEYS.contains(&key.as_str()) {
        return Ok(constraint);
    }
    Err(format!(
        "`{}` is nothing that Swarm chooses nodes by, and would match none; it knows {}, `node.labels.NAME` and \
         `engine.labels.NAME`",
        constraint.key,
        KEYS.map(|key| format!("`{key}`")).join(", ")
    ))
}

/// The nodes that can get a task, and why the others cannot.
#[derive(Debug, Default)]
pub struct Eligible<'a> {
    /// The nodes that can.
    pub nodes: Vec<&'a Node>,
    /// For each other node its name and the first reason.
    pub others: Vec<(String, String)>,
}

impl<'a> Eligible<'a> {
    /// Looks at each node.
    pub fn among(nodes: impl IntoIterator<Item = &'a Node>, placement: &Placement) -> Self {
        let mut eligible = Eligible::default();
        let constraints = placement.parsed();
        for node in nodes {
            let name = node.hostname().to_owned();
            // What cannot be told, as with addresses, is taken to be satisfied: the scheduler will say.
            let failed = constraints.iter().find(|constraint| constraint.satisfied_by(node) == Some(false));
            match failed {
                _ if !node.takes_tasks() => {
                    eligible.others.push((name, "is not ready and active".to_owned()))
                }
                Some(Constraint { key, equal, value }) => {
                    let operator = if *equal { "==" } else { "!=" };
                    eligible.others.push((name, format!("does not satisfy {key}{operator}{value}")));
                }
                None if !placement.has_platform_of(node) => {
                    eligible.others.push((name, "has none of placement.platforms".to_owned()));
                }
                None => eligible.nodes.push(node),
            }
        }
        eligible
    }

    /// The names of the nodes that can.
    pub fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.hostname().to_owned()).collect()
    }

    /// Why the others cannot, in one line.
    pub fn reasons(&self) -> String {
        self.others.iter().map(|(name, reason)| format!("{name} {reason}")).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(hostname: &str, state: &str, labels: &serde_json::Value) -> Node {
        serde_json::from_value(serde_json::json!({
            "ID": hostname,
            "Spec": { "Labels": labels, "Role": "worker", "Availability": "active" },
            "Description": { "Hostname": hostname },
            "Status": { "State": state },
        }))
        .unwrap()
    }

    #[test]
    fn p10_unknown_keys_and_bad_syntax_are_refused() {
        for good in
            ["node.labels.registry==true", "node.role != manager", "engine.labels.ssd==1", "NODE.ID==x"]
        {
            assert!(constraint(good).is_ok(), "{good}");
        }
        for bad in ["node.foo==x", "registry", "node.labels.==x", "node.id==", "node.role=worker"] {
            assert!(constraint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nodes_are_told_apart_with_reasons() {
        let nodes = [
            node("a", "ready", &serde_json::json!({ "zone": "East" })),
            node("b", "ready", &serde_json::json!({ "zone": "west" })),
            node("c", "down", &serde_json::json!({ "zone": "east" })),
            node("d", "ready", &serde_json::json!({})),
        ];
        let placement =
            Placement { constraints: ["node.labels.zone==east".to_owned()].into(), ..Placement::default() };
        let eligible = Eligible::among(&nodes, &placement);
        assert_eq!(eligible.names(), ["a"]);
        assert_eq!(
            eligible.reasons(),
            "b does not satisfy node.labels.zone==east; c is not ready and active; d does not satisfy node.labels.zone==east"
        );
    }
}
