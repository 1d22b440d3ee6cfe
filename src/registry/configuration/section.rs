//! How a part of the file is put together: a key and a value a line.

use super::tree::{Map, Node};
use crate::registry::{Secret, duration};
use std::{collections::BTreeMap, time::Duration};

/// A map of the file, such as `http` or `storage.s3`, in Distribution's own keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section(pub(super) Map);

impl Section {
    /// A section with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. What is not set, and what is empty, is left to Distribution.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Setting) -> Self {
        if let Some(node) = value.node() {
            self.0.insert(key.to_owned(), node);
        }
        self
    }

    /// Adds a map even where it is empty, such as `storage.inmemory`.
    #[must_use]
    pub fn with_map(mut self, key: &str, map: Section) -> Self {
        self.0.insert(key.to_owned(), map.0.into());
        self
    }

    /// Adds the keys of another section to this one.
    #[must_use]
    pub fn and(mut self, other: Section) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// A secret text of the file whose owner says by a number when it is another: a write-only value.
///
/// It gives a file no other name as long as the number is the same, so that a value that differs at each run, such as a
/// short-lived token, changes nothing by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned {
    /// The text.
    pub value: Secret,
    /// The number.
    pub version: Option<i64>,
}

/// A secret text of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Hidden {
    /// One that its owner keeps, and whose every change is one of the file.
    Kept(Secret),
    /// One that only its number is known of.
    Versioned(Versioned),
}

impl Setting for Hidden {
    fn node(self) -> Option<Node> {
        match self {
            Hidden::Kept(secret) => secret.node(),
            Hidden::Versioned(versioned) => versioned.node(),
        }
    }
}

/// What a key can be set to. `None` leaves the key out.
pub trait Setting {
    /// The value in the file.
    fn node(self) -> Option<Node>;
}

impl Setting for Node {
    fn node(self) -> Option<Node> {
        Some(self)
    }
}

impl Setting for bool {
    fn node(self) -> Option<Node> {
        Some(Node::Bool(self))
    }
}

impl Setting for i64 {
    fn node(self) -> Option<Node> {
        Some(Node::Number(self.to_string()))
    }
}

impl Setting for &str {
    fn node(self) -> Option<Node> {
        Some(Node::Text(self.to_owned()))
    }
}

impl Setting for String {
    fn node(self) -> Option<Node> {
        Some(Node::Text(self))
    }
}

impl Setting for Duration {
    fn node(self) -> Option<Node> {
        Some(Node::Text(duration::format(self)))
    }
}

impl Setting for Secret {
    fn node(self) -> Option<Node> {
        Some(Node::Secret(self))
    }
}

impl Setting for Versioned {
    fn node(self) -> Option<Node> {
        Some(Node::Versioned(Node::Secret(self.value).into(), self.version))
    }
}

/// Headers whose values are secret. Of write-only ones nothing is seen, not even the names.
#[derive(Clone, Debug, PartialEq)]
pub enum HiddenHeaders {
    /// Those that their owner keeps.
    Kept(BTreeMap<String, Vec<Secret>>),
    /// Those of which only a number is known.
    Versioned(BTreeMap<String, Vec<Secret>>, Option<i64>),
}

impl Setting for HiddenHeaders {
    fn node(self) -> Option<Node> {
        let node = |headers: BTreeMap<String, Vec<Secret>>| {
            let list = |values: Vec<Secret>| Node::List(values.into_iter().map(Node::Secret).collect());
            Node::Map(headers.into_iter().map(|(name, values)| (name, list(values))).collect())
        };
        match self {
            HiddenHeaders::Kept(headers) => Some(node(headers)),
            HiddenHeaders::Versioned(headers, version) => {
                Some(Node::Versioned(node(headers).into(), version))
            }
        }
    }
}

impl Setting for Section {
    fn node(self) -> Option<Node> {
        (!self.0.is_empty()).then_some(Node::Map(self.0))
    }
}

impl Setting for Vec<Section> {
    fn node(self) -> Option<Node> {
        let items: Vec<Node> = self.into_iter().map(|section| Node::Map(section.0)).collect();
        (!items.is_empty()).then_some(Node::List(items))
    }
}

impl<'a, I: IntoIterator<Item = &'a String>> Setting for Texts<I> {
    fn node(self) -> Option<Node> {
        let items: Vec<Node> = self.0.into_iter().map(|text| Node::Text(text.clone())).collect();
        (!items.is_empty()).then_some(Node::List(items))
    }
}

/// A list of texts, from whatever collection it is in.
pub struct Texts<I>(pub I);

impl Setting for &BTreeMap<String, String> {
    fn node(self) -> Option<Node> {
        let map: Map = self.iter().map(|(key, value)| (key.clone(), Node::Text(value.clone()))).collect();
        (!map.is_empty()).then_some(Node::Map(map))
    }
}

/// Names of headers and their values; a header without values is written all the same.
impl Setting for &BTreeMap<String, Vec<String>> {
    fn node(self) -> Option<Node> {
        let list = |values: &Vec<String>| Node::List(values.iter().cloned().map(Node::Text).collect());
        let map: Map = self.iter().map(|(name, values)| (name.clone(), list(values))).collect();
        (!map.is_empty()).then_some(Node::Map(map))
    }
}

impl Setting for &String {
    fn node(self) -> Option<Node> {
        self.as_str().node()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn node(self) -> Option<Node> {
        self?.node()
    }
}

impl<'a, T> Setting for &'a Option<T>
where
    &'a T: Setting,
{
    fn node(self) -> Option<Node> {
        self.as_ref()?.node()
    }
}

impl Setting for &bool {
    fn node(self) -> Option<Node> {
        (*self).node()
    }
}

impl Setting for &i64 {
    fn node(self) -> Option<Node> {
        (*self).node()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_or_empty_is_left_out() {
        let section = Section::new()
            .with("none", None::<i64>)
            .with("list", Texts(&Vec::new()))
            .with("map", Section::new())
            .with("headers", &BTreeMap::from([("X".to_owned(), Vec::new())]))
            .with("number", Some(3))
            .with_map("inmemory", Section::new());
        assert_eq!(section.0.keys().collect::<Vec<_>>(), ["headers", "inmemory", "number"]);
    }
}
