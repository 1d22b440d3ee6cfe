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
    /// The path of an attribute, nested ones with dots between: `update.order`, `publish[0].port`, `env["A"]`.
    pub fn of(dotted: &str) -> Self {
        let mut steps = vec![];
        let mut rest = dotted;
        while !rest.is_empty() {
            let (step, after) = if let Some(keyed) = rest.strip_prefix("[\"") {
                let (key, after) = keyed.split_once("\"]").unwrap_or((keyed, ""));
                (Some(Step::Key(key.to_owned())), after)
            } else if let Some(indexed) = rest.strip_prefix('[') {
                let (index, after) = indexed.split_once(']').unwrap_or((indexed, ""));
                (index.parse().ok().map(Step::Index), after)
            } else {
                let named = rest.trim_start_matches('.');
                let (name, after) = named.split_at(named.find(['.', '[']).unwrap_or(named.len()));
                ((!name.is_empty()).then(|| Step::Attribute(name.to_owned())), after)
            };
            steps.extend(step);
            rest = after;
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
        for text in
            ["name", "update.order", "publish[1].port", "env[\"A\"]", "notifications[\"c.i\"].headers"]
        {
            assert_eq!(Path::of(text).to_string(), text);
        }
        assert_eq!(Path::of("").0, []);
        assert_eq!(Path::of("env").then(Step::Key("A".into())).to_string(), "env[\"A\"]");
    }
}
