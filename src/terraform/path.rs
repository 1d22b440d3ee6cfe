//! Where in a resource a value stands.

use std::fmt;

/// The way from a resource to a value in it. Empty: the resource as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into an attribute of an object.
    Attribute(String),
    /// Into an element of a list.
    Index(usize),
    /// Into an element of a map.
    Key(String),
}

impl Path {
    /// The path of an attribute, nested ones with dots between: `update.order`, `publish[0].port`.
    pub fn of(dotted: &str) -> Self {
        let mut steps = vec![];
        for part in dotted.split('.').filter(|part| !part.is_empty()) {
            let (name, index) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
                Some((name, index)) => (name, index.parse().ok()),
                None => (part, None),
            };
            steps.push(Step::Attribute(name.to_owned()));
            steps.extend(index.map(Step::Index));
        }
        Path(steps)
    }

    /// This path, one step further.
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }
}

impl From<&str> for Path {
    fn from(dotted: &str) -> Self {
        Path::of(dotted)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => f.write_str(name)?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_as_they_are_printed() {
        for text in ["name", "update.order", "publish[1].port"] {
            assert_eq!(Path::of(text).to_string(), text);
        }
        assert_eq!(Path::of("").0, []);
        assert_eq!(Path::of("env").then(Step::Key("A".into())).to_string(), "env[\"A\"]");
    }
}
