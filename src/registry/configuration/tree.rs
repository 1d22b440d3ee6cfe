//! A configuration file as a tree, and the one way in which it is written.

use crate::registry::Secret;
use std::collections::BTreeMap;

/// The longest key, in bytes, that is written without a mark of its own: YAML has them end within 1024 characters.
const LONGEST_SIMPLE_KEY: usize = 1000;
/// What a secret looks like in a preview.
pub(super) const SENSITIVE: &str = "(sensitive)";

/// A value of the file. Maps are sorted, so that equal meaning gives equal bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Removes the key that it is merged onto.
    Null,
    /// True or false, without quotes.
    Bool(bool),
    /// A number as it is written; never a duration, which is text.
    Number(String),
    /// Text.
    Text(String),
    /// Text that must not be seen.
    Secret(Secret),
    /// Something that must not be seen, and of which only a number tells whether it is another.
    Versioned(Box<Node>, Option<i64>),
    /// A number that must not be seen.
    SecretNumber(Secret),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Map),
}

/// A map of the file.
pub type Map = BTreeMap<String, Node>;

/// Who will read the text.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reader {
    /// The registry, which needs the secrets.
    Registry,
    /// A person, who must not see them.
    Person,
    /// The one who gives the file a name, for whom versioned secrets are their numbers.
    Namer,
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// Lays `over` onto `base`: maps are merged key by key, a null removes, anything else replaces.
pub(super) fn merge(base: &mut Map, over: &Map) {
    for (key, node) in over {
        match (base.get_mut(key), node) {
            (_, Node::Null) => {
                base.remove(key);
            }
            (Some(Node::Map(inner)), Node::Map(over)) => merge(inner, over),
            (_, Node::Map(over)) => {
                let mut fresh = Map::new();
                merge(&mut fresh, over);
                base.insert(key.clone(), Node::Map(fresh));
            }
            (_, node) => {
                base.insert(key.clone(), node.clone());
            }
        }
    }
}

/// Every value below `node` that is not a map with something in it, with its path.
pub(super) fn leaves<'n>(node: &'n Node, path: &mut Vec<&'n str>, found: &mut Vec<(Vec<&'n str>, &'n Node)>) {
    match node {
        Node::Map(map) if !map.is_empty() => {
            for (key, node) in map {
                path.push(key);
                leaves(node, path, found);
                path.pop();
            }
        }
        leaf => found.push((path.clone(), leaf)),
    }
}

/// Writes the tree as a YAML document.
pub(super) fn write(map: &Map, reader: Reader) -> String {
    // Asked for in one piece, so that growing leaves no copies of secrets behind in freed memory.
    let mut text = String::with_capacity(if reader == Reader::Person { 0 } else { size_hint(map) });
    write_map(map, 0, reader, &mut text);
    text
}

/// An upper bound for the text's length: every character may become a 10 byte escape.
fn size_hint(map: &Map) -> usize {
    fn of(node: &Node, depth: usize) -> usize {
        20 + 4 * depth
            + match node {
                Node::Null | Node::Bool(_) => 0,
                Node::Number(text) | Node::Text(text) => text.len() * 10,
                Node::Secret(secret) | Node::SecretNumber(secret) => secret.expose().len() * 10,
                Node::Versioned(inner, _) => of(inner, depth) + 32,
                Node::List(list) => list.iter().map(|node| of(node, depth + 1)).sum(),
                Node::Map(map) => map.iter().map(|(key, node)| 10 * key.len() + of(node, depth + 1)).sum(),
            }
    }
    map.iter().map(|(key, node)| 10 * key.len() + of(node, 0)).sum()
}

fn write_map(map: &Map, depth: usize, reader: Reader, text: &mut String) {
    for (key, node) in map {
        indent(depth, text);
        write_key(key, depth, text);
        write_below(node, depth, reader, text);
    }
}

/// The value after a key: in the same line if it is short, else indented below.
fn write_below(node: &Node, depth: usize, reader: Reader, text: &mut String) {
    match node {
        Node::Versioned(inner, _) if reader == Reader::Registry => write_below(inner, depth, reader, text),
        Node::Map(map) if !map.is_empty() => {
            text.push('\n');
            write_map(map, depth + 1, reader, text);
        }
        Node::List(list) if !list.is_empty() => {
            text.push('\n');
            for node in list {
                indent(depth + 1, text);
                text.push('-');
                write_item(node, depth + 1, reader, text);
            }
        }
        scalar => {
            text.push(' ');
            write_scalar(scalar, reader, text);
            text.push('\n');
        }
    }
}

/// An item of a list. A map's first key stands beside the dash.
fn write_item(node: &Node, depth: usize, reader: Reader, text: &mut String) {
    let Node::Map(map) = node else {
        return write_below(node, depth, reader, text);
    };
    let mut entries = map.iter();
    let Some((key, node)) = entries.next() else {
        return write_below(&Node::Map(Map::new()), depth, reader, text);
    };
    text.push(' ');
    write_key(key, depth + 1, text);
    write_below(node, depth + 1, reader, text);
    for (key, node) in entries {
        indent(depth + 1, text);
        write_key(key, depth + 1, text);
        write_below(node, depth + 1, reader, text);
    }
}

fn write_scalar(node: &Node, reader: Reader, text: &mut String) {
    match node {
        Node::Null => text.push_str("null"),
        Node::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Node::Number(number) => text.push_str(number),
        Node::Text(value) => quote(value, text),
        Node::Secret(_) | Node::SecretNumber(_) | Node::Versioned(..) if reader == Reader::Person => {
            quote(SENSITIVE, text);
        }
        Node::Versioned(_, version) if reader == Reader::Namer => {
            quote(&format!("version {version:?}"), text)
        }
        Node::Versioned(inner, _) => write_scalar(inner, reader, text),
        Node::Secret(secret) => quote(secret.expose(), text),
        Node::SecretNumber(secret) => text.push_str(secret.expose()),
        Node::List(_) => text.push_str("[]"),
        Node::Map(_) => text.push_str("{}"),
    }
}

fn indent(depth: usize, text: &mut String) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// Distribution's own keys are bare words; header names and log fields are whatever their author likes.
fn write_key(key: &str, depth: usize, text: &mut String) {
    // YAML 1.1, which Go's reader speaks, takes these words for booleans and nulls.
    const WORDS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan"];
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !WORDS.contains(&key.to_ascii_lowercase().as_str());
    let start = text.len();
    if is_word {
        text.push_str(key)
    } else {
        quote(key, text)
    }
    if text.len() - start > LONGEST_SIMPLE_KEY {
        text.insert_str(start, "? ");
        text.push('\n');
        indent(depth, text);
    }
    text.push(':');
}

/// A double-quoted string as in JSON, which YAML reads too. Escaped beyond JSON: what YAML calls unprintable, and
/// the characters that YAML 1.1 takes for line breaks.
fn quote(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{fefe}'..='\u{feff}'
            | '\u{fffe}'..='\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            '\u{10000}'.. => text.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Section, extra::read},
        *,
    };
    use proptest::prelude::*;

    fn nodes() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Node::Bool),
            any::<u32>().prop_map(|number| Node::Number(number.to_string())),
            any::<String>().prop_map(Node::Text),
            "[ -~]{0,8}".prop_map(Node::Text),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof!["[a-z]{1,5}", "[ -~]{1,6}", any::<String>()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Node::List),
                prop::collection::btree_map(key, inner, 0..4).prop_map(Node::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(map in prop::collection::btree_map("[a-z]{1,5}", nodes(), 0..5)) {
            let text = write(&map, Reader::Registry);
            let read = read(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(read, map, "{}", text);
        }
    }

    #[test]
    fn nested_lists_and_maps_stand_where_yaml_wants_them() {
        let mut tree = read("{ a: [{ x: ['1', '2'], y: { z: true } }], b: [[1], {}] }").unwrap();
        tree.extend(Section::new().with("yes", Secret::from("s")).0);
        let expected = "a:\n  - x:\n      - \"1\"\n      - \"2\"\n    \"y\":\n      z: true\nb:\n  -\n    - 1\n  - {}\n\"yes\": \"(sensitive)\"\n";
        assert_eq!(write(&tree, Reader::Person), expected);
    }

    #[test]
    fn merging_goes_deep_replaces_lists_and_removes_nulls() {
        let mut base =
            read("{ http: { addr: ':5000', headers: { X: ['1'] } }, log: { level: info } }").unwrap();
        let over =
            read("{ http: { headers: { X: ['2', '3'] } }, log: null, new: { kept: 1, dropped: null } }")
                .unwrap();
        merge(&mut base, &over);
        let expected =
            "http:\n  addr: \":5000\"\n  headers:\n    X:\n      - \"2\"\n      - \"3\"\nnew:\n  kept: 1\n";
        assert_eq!(write(&base, Reader::Registry), expected);
    }
}
