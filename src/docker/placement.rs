//! Which nodes a service's tasks may be on: constraints and platforms, as the scheduler reads them.

use super::nodes::Node;
use super::spec::{Placement, Platform};

/// A placement constraint: `KEY==VALUE` or `KEY!=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// What is compared, such as `node.labels.registry`.
    pub key: String,
    /// Whether it has to be equal.
    pub equal: bool,
    /// What it is compared with, without regard to case.
    pub value: String,
}

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (at, equal) = match (text.find("=="), text.find("!=")) {
            (Some(equal), Some(unequal)) if unequal < equal => (unequal, false),
            (Some(equal), _) => (equal, true),
            (None, Some(unequal)) => (unequal, false),
            (None, None) => return Err(format!("`{text}` needs one of the operators == and !=")),
        };
        let (key, value) = (text[..at].trim(), text[at + 2..].trim());
        let first = key.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        let rest = key.chars().all(|next| next.is_ascii_alphanumeric() || "-_.".contains(next));
        if !first || !rest || key.len() < 2 {
            return Err(format!(
                "the key `{key}` has to begin with a letter, and to hold letters, digits, `.`, `_` and `-` only"
            ));
        }
        let allowed = |next: char| next.is_ascii_alphanumeric() || ":-_./\\* ()?+[]^$|".contains(next);
        if value.is_empty() || !value.chars().all(allowed) {
            return Err(format!("`{value}` cannot be the value of a constraint"));
        }
        Ok(Self { key: key.to_owned(), equal, value: value.to_owned() })
    }

    /// Whether a node satisfies it; `None` where that cannot be told, as with addresses.
    pub fn satisfied_by(&self, node: &Node) -> Option<bool> {
        let description = &node.description;
        let platform = &description.platform;
        let label = |prefix: &str| {
            let (found, key) = self.key.split_at_checked(prefix.len())?;
            (found.eq_ignore_ascii_case(prefix) && !key.is_empty()).then_some(key)
        };
        let found = if let Some(key) = label("node.labels.") {
            node.spec.labels.get(key).map(String::as_str)
        } else if let Some(key) = label("engine.labels.") {
            description.engine.labels.get(key).map(String::as_str)
        } else {
            match self.key.to_ascii_lowercase().as_str() {
                "node.id" => Some(node.id.as_str()),
                "node.hostname" => Some(node.hostname()),
                "node.role" => Some(node.spec.role.as_str()),
                "node.platform.os" => platform.os.as_deref(),
                "node.platform.arch" => platform.architecture.as_deref(),
                "node.ip" => return None,
                // The Engine takes any other key, which then never matches.
                _ => return Some(false),
            }
        };
        let arch = self.key.eq_ignore_ascii_case("node.platform.arch");
        let normal = |text: &str| {
            if arch { architecture(&text.to_ascii_lowercase()).to_owned() } else { text.to_lowercase() }
        };
        Some((normal(found.unwrap_or_default()) == normal(&self.value)) == self.equal)
    }
}

/// Names of one architecture differ: machines say `x86_64`, images `amd64`.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Placement {
    /// Whether a node may have tasks, by constraints and platforms; `None` where that cannot be told.
    pub fn admits(&self, node: &Node) -> Option<bool> {
        let mut known = true;
        for constraint in self.constraints.iter().flatten() {
            match Constraint::parse(constraint).ok().and_then(|constraint| constraint.satisfied_by(node)) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => known = false,
            }
        }
        if !admitted(self.platforms.as_deref().unwrap_or_default(), &node.description.platform) {
            return Some(false);
        }
        known.then_some(true)
    }
}

fn admitted(platforms: &[Platform], of_node: &Platform) -> bool {
    let same = |wanted: &Option<String>, found: &Option<String>| match (wanted, found) {
        (Some(wanted), Some(found)) if !wanted.is_empty() => {
            let (wanted, found) = (wanted.to_lowercase(), found.to_lowercase());
            architecture(&wanted) == architecture(&found)
        }
        _ => true,
    };
    platforms.is_empty()
        || platforms
            .iter()
            .any(|wanted| same(&wanted.os, &of_node.os) && same(&wanted.architecture, &of_node.architecture))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(key in "[a-z_][a-z._-]{1,9}", equal: bool, value in "[a-z0-9:/.-]{1,9}", space in " {0,2}") {
            let operator = if equal { "==" } else { "!=" };
            let read = Constraint::parse(&format!("{key}{space}{operator}{space}{value}"));
            prop_assert_eq!(read, Ok(Constraint { key, equal, value }));
        }

        #[test]
        fn what_is_read_is_what_is_written(text in "[=!ab.é ]{0,12}") {
            if let Ok(Constraint { key, equal, value }) = Constraint::parse(&text) {
                let operator = if equal { "==" } else { "!=" };
                let without_spaces = |text: &str| text.replace(' ', "");
                prop_assert_eq!(without_spaces(&text), without_spaces(&format!("{key}{operator}{value}")));
            }
        }
    }

    fn node() -> Node {
        serde_json::from_value(serde_json::json!({
            "ID": "n1",
            "Spec": {"Role": "worker", "Availability": "active", "Labels": {"registry": "True"}},
            "Description": {
                "Hostname": "hub", "Platform": {"Architecture": "x86_64", "OS": "linux"},
                "Engine": {"Labels": {"disk": "ssd"}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn constraints_are_read_as_the_scheduler_does() {
        let node = node();
        let cases = [
            ("node.labels.registry==true", Some(true)),
            ("node.labels.registry != true", Some(false)),
            ("node.labels.other!=x", Some(true)),
            ("node.labels.Registry==true", Some(false)),
            ("engine.labels.disk == SSD", Some(true)),
            ("node.role==manager", Some(false)),
            ("node.platform.arch==amd64", Some(true)),
            ("node.foo==x", Some(false)),
            ("node.ip==10.0.0.1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Constraint::parse(text).unwrap().satisfied_by(&node), expected, "{text}");
        }
        for wrong in ["node.role=manager", "a==b", "node.role==", "1x==y", "node.labels.x==a,b"] {
            assert!(Constraint::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_node_of_another_platform_is_not_admitted() {
        let admits = |json: &str| serde_json::from_str::<Placement>(json).unwrap().admits(&node());
        assert_eq!(admits(r#"{"Platforms": [{"Architecture": "amd64", "OS": "linux"}, {}]}"#), Some(true));
        assert_eq!(admits(r#"{"Platforms": [{"Architecture": "arm64", "OS": "linux"}]}"#), Some(false));
        assert_eq!(admits("{}"), Some(true));
    }
}
