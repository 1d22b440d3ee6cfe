//! What Swarm's scheduler will make of constraints, told before it is asked.

use std::{fmt, str::FromStr};

/// What the scheduler looks at in a node.
pub trait Candidate {
    /// The value of a constraint's key, such as `node.labels.zone`; `None` where the node has none, which equals no
    /// value.
    fn value(&self, key: &str) -> Option<String>;

    /// Whether the node is ready and active, so that it gets tasks at all.
    fn is_available(&self) -> bool;

    /// What people call the node.
    fn name(&self) -> &str;
}

/// A constraint, such as `node.labels.registry==true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    key: String,
    equal: bool,
    value: String,
}

/// The keys that the scheduler knows beside `node.labels.*` and `engine.labels.*` (swarmkit `constraint.go`).
const KEYS: [&str; 6] = ["node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch"];

impl FromStr for Constraint {
    type Err = String;

    /// Swarm takes an unknown key without a word, and then no node ever matches: so it is refused here (check P10).
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, equal, value) = match (text.split_once("=="), text.split_once("!=")) {
            (Some((key, value)), _) => (key, true, value),
            (None, Some((key, value))) => (key, false, value),
            (None, None) => return Err(format!("`{text}` is no constraint: one is written `KEY==VALUE` or `KEY!=VALUE`")),
        };
        let (key, value) = (key.trim(), value.trim());
        let lower = key.to_ascii_lowercase();
        let label = ["node.labels.", "engine.labels."].iter().find_map(|prefix| lower.strip_prefix(prefix));
        match label {
            Some(name) if label_name(name) => {}
            Some(_) => return Err(format!("`{key}` is no label: letters, digits, `-`, `_` and `.`, two or more of them")),
            None if KEYS.contains(&lower.as_str()) => {}
            None => {
                return Err(format!(
                    "`{key}` is nothing that Swarm chooses nodes by, and would match none; it knows {}, `node.labels.NAME` and `engine.labels.NAME`",
                    KEYS.map(|key| format!("`{key}`")).join(", ")
                ));
            }
        }
        if value.is_empty() {
            return Err(format!("`{text}` says nothing to compare with"));
        }
        Ok(Constraint { key: key.to_owned(), equal, value: value.to_owned() })
    }
}

fn label_name(name: &str) -> bool {
    name.len() >= 2 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

impl Constraint {
    /// Whether a node satisfies it. Values are compared without regard to case, as swarmkit does.
    pub fn is_met_by(&self, node: &impl Candidate) -> bool {
        let found = node.value(&self.key).unwrap_or_default();
        found.eq_ignore_ascii_case(&self.value) == self.equal
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.key, if self.equal { "==" } else { "!=" }, self.value)
    }
}

/// The nodes that can get a task, and why the others cannot.
#[derive(Debug, Default)]
pub struct Eligible {
    /// Names of the nodes that can.
    pub nodes: Vec<String>,
    /// For each other node its name and the first reason.
    pub others: Vec<(String, String)>,
}

impl Eligible {
    /// Asks each node.
    pub fn among<'a, N: Candidate + 'a>(nodes: impl IntoIterator<Item = &'a N>, constraints: &[Constraint]) -> Self {
        let mut eligible = Eligible::default();
        for node in nodes {
            let name = node.name().to_owned();
            if !node.is_available() {
                eligible.others.push((name, "is not ready and active".to_owned()));
            } else if let Some(failed) = constraints.iter().find(|constraint| !constraint.is_met_by(node)) {
                eligible.others.push((name, format!("does not satisfy {failed}")));
            } else {
                eligible.nodes.push(name);
            }
        }
        eligible
    }

    /// Why the others cannot, in one line.
    pub fn reasons(&self) -> String {
        self.others.iter().map(|(name, reason)| format!("{name} {reason}")).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(&'static str, bool, &'static [(&'static str, &'static str)]);

    impl Candidate for Fake {
        fn value(&self, key: &str) -> Option<String> {
            self.2.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, value)| (*value).to_owned())
        }
        fn is_available(&self) -> bool {
            self.1
        }
        fn name(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn p10_unknown_keys_and_bad_syntax_are_refused() {
        for good in ["node.labels.registry==true", "node.role != manager", "engine.labels.ssd==1", "NODE.ID==x"] {
            assert!(good.parse::<Constraint>().is_ok(), "{good}");
        }
        for bad in ["node.foo==x", "registry", "node.labels.==x", "node.labels.a==x", "node.id==", "node.role=worker"] {
            assert!(bad.parse::<Constraint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nodes_are_told_apart_with_reasons() {
        let nodes = [
            Fake("a", true, &[("node.labels.zone", "East")]),
            Fake("b", true, &[("node.labels.zone", "west")]),
            Fake("c", false, &[("node.labels.zone", "east")]),
            Fake("d", true, &[]),
        ];
        let east: Constraint = "node.labels.zone==east".parse().unwrap();
        let eligible = Eligible::among(&nodes, &[east]);
        assert_eq!(eligible.nodes, ["a"]);
        assert_eq!(
            eligible.reasons(),
            "b does not satisfy node.labels.zone==east; c is not ready and active; d does not satisfy node.labels.zone==east"
        );
        let not_east: Constraint = "node.labels.zone!=east".parse().unwrap();
        assert_eq!(Eligible::among(&nodes, &[not_east]).nodes, ["b", "d"]);
    }
}
