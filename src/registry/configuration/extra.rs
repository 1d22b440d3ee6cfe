//! Configuration that no attribute has a name for: the user's own YAML, laid over the rest.

use super::{
    keys::{self, Kind, Place},
    tree::{Map, Node},
};
use crate::registry::{Dialect, Finding, Secret, duration};
use std::fmt;

/// A piece of configuration as YAML or JSON text: deep-merged last, `null` removes a key, lists replace.
#[derive(Clone)]
pub struct ExtraConfig {
    attribute: String,
    tree: Map,
    /// Of a text that nobody may see: the number that tells whether it is another.
    hidden: Option<Option<i64>>,
}

/// Why a text is not a piece of configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAConfiguration {
    /// Neither YAML nor JSON. The parser's own words are left out where the text is secret.
    #[error("not YAML or JSON{}: {reason}", at(*.line, *.column))]
    Syntax {
        /// The line, from 1; 0 where it isn't known.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// The parser's words.
        reason: String,
    },
    /// A list or a single value.
    #[error(
        "a map of configuration keys is needed, such as {{ log = {{ level = \"debug\" }} }} through yamlencode()"
    )]
    NotAMap,
}

fn at(line: u64, column: u64) -> String {
    if line == 0 { String::new() } else { format!(" (line {line}, column {column})") }
}

impl ExtraConfig {
    /// Reads the text of `attribute`, for example `extra_config`. An empty text is an empty configuration.
    ///
    /// # Errors
    /// [`NotAConfiguration`]; its words may quote the text.
    pub fn parse(attribute: &str, text: &str) -> Result<Self, NotAConfiguration> {
        let tree = veil_known(read(text)?, &mut Vec::new());
        Ok(Self { attribute: attribute.to_owned(), tree, hidden: None })
    }

    /// The same for text that is secret as a whole, and known by a number alone: nothing of it gets into a preview, a
    /// name or an error.
    ///
    /// # Errors
    /// [`NotAConfiguration`], with a place but without the parser's words.
    pub fn parse_secret(
        attribute: &str,
        text: &Secret,
        version: Option<i64>,
    ) -> Result<Self, NotAConfiguration> {
        let tree = read(text.expose()).map_err(|error| match error {
            NotAConfiguration::Syntax { line, column, .. } => NotAConfiguration::Syntax {
                line,
                column,
                reason: "its words would show the secret text".to_owned(),
            },
            other => other,
        })?;
        let tree = tree.into_iter().map(|(key, node)| (key, veil(node))).collect();
        Ok(Self { attribute: attribute.to_owned(), tree, hidden: Some(version) })
    }

    /// What is merged, with the values of keys that are known to be secret veiled.
    pub(super) fn tree(&self) -> &Map {
        &self.tree
    }

    /// What stands in place of a text that nobody may see.
    pub(super) fn hidden(&self) -> Option<String> {
        let version = self.hidden?.map_or_else(String::new, |version| format!(", version {version},"));
        Some(format!("{}{version} is laid over this", self.attribute))
    }

    /// Checks each key and value for itself, and against what typed attributes have set.
    pub(super) fn inspect(&self, typed: &Map, dialect: Dialect) -> Vec<Finding> {
        let mut inspector = Inspector { extra: self, typed, dialect, findings: Vec::new() };
        inspector.section(&self.tree, &mut Vec::new());
        inspector.findings
    }
}

impl fmt::Debug for ExtraConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The user may have written secrets anywhere in it.
        f.debug_struct("ExtraConfig").field("attribute", &self.attribute).finish_non_exhaustive()
    }
}

/// Reads a document whose root is a map, with nothing veiled.
pub(super) fn read(text: &str) -> Result<Map, NotAConfiguration> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let value: serde_json::Value =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| NotAConfiguration::Syntax {
            line: error.location().map_or(0, |location| location.line()),
            column: error.location().map_or(0, |location| location.column()),
            reason: error.to_string(),
        })?;
    match value {
        serde_json::Value::Object(object) => {
            Ok(object.into_iter().map(|(key, value)| (key, Node::from(value))).collect())
        }
        serde_json::Value::Null => Ok(Map::new()),
        _ => Err(NotAConfiguration::NotAMap),
    }
}

impl From<serde_json::Value> for Node {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Number(number.to_string()),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(object) => {
                Self::Map(object.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}

/// Veils the values of keys that are known to be secret in any dialect.
fn veil_known(map: Map, path: &mut Vec<String>) -> Map {
    let veiled = map.into_iter().map(|(key, node)| {
        path.push(key.clone());
        let node = match node {
            node if keys::is_secret(path) => veil(node),
            Node::Map(map) => Node::Map(veil_known(map, path)),
            Node::List(list) => {
                path.push("[]".to_owned());
                let list = list.into_iter().map(|node| match node {
                    Node::Map(map) => Node::Map(veil_known(map, path)),
                    other => other,
                });
                let list = list.collect();
                path.pop();
                Node::List(list)
            }
            other => other,
        };
        path.pop();
        (key, node)
    });
    veiled.collect()
}

/// Hides every text and number below a node; what is true or false tells nothing.
fn veil(node: Node) -> Node {
    match node {
        Node::Text(text) => Node::Secret(text.into()),
        Node::Number(number) => Node::SecretNumber(number.into()),
        Node::List(list) => Node::List(list.into_iter().map(veil).collect()),
        Node::Map(map) => Node::Map(map.into_iter().map(|(key, node)| (key, veil(node))).collect()),
        other => other,
    }
}

/// Keys whose values follow from what the provider mounts, publishes and checks, and the attributes that set them.
const OWNED: [(&[&str], &str); 7] = [
    (&["http", "addr"], "http.port"),
    (&["http", "net"], "http.port"),
    (&["http", "secret"], "http.secret"),
    (&["http", "debug", "addr"], "metrics.port"),
    (&["http", "tls", "certificate"], "tls.certificate"),
    (&["http", "tls", "key"], "tls.private_key"),
    (&["http", "tls", "clientcas"], "tls.client_ca"),
];

/// The same, as long as the typed attribute is used at all; else the file may come from elsewhere.
const OWNED_IF_SET: [(&[&str], &str); 1] = [(&["auth", "htpasswd", "path"], "auth.htpasswd")];

struct Inspector<'a> {
    extra: &'a ExtraConfig,
    typed: &'a Map,
    dialect: Dialect,
    findings: Vec<Finding>,
}

impl<'a> Inspector<'a> {
    fn section(&mut self, map: &'a Map, path: &mut Vec<&'a str>) {
        for (key, node) in map {
            path.push(key);
            self.key(node, path);
            path.pop();
        }
    }

    fn key(&mut self, node: &'a Node, path: &mut Vec<&'a str>) {
        if let Some(attribute) = self.owner(node, path) {
            let verb = if *node == Node::Null { "removes" } else { "sets" };
            return self.error(
                "C12",
                format!(
                    "{verb} \"{}\", which follows from what this resource mounts and publishes; use the attribute \
                     \"{attribute}\" instead.",
                    path.join(".")
                ),
            );
        }
        if path[..] == ["version"] {
            return self.error(
                "C12",
                "sets \"version\", which is the version of the file's own format and is written by this resource; leave it \
                 out."
                    .to_owned(),
            );
        }
        match (keys::find(path, self.dialect), node) {
            (Place::Unknown { elsewhere, similar }, _) => self.unknown(path, elsewhere, similar),
            (_, Node::Null) => self.removal(path),
            (Place::Section, Node::Map(map)) => self.section(map, path),
            (Place::List, Node::List(list)) => self.list(list, path),
            (Place::Value(kind), node) => self.value(kind, node, path),
            (Place::Section, _) => self.wrong(path, "a map of keys", node),
            (Place::List, _) => self.wrong(path, "a list of maps", node),
        }
    }

    fn list(&mut self, list: &'a [Node], path: &mut Vec<&'a str>) {
        path.push("[]");
        for node in list {
            match node {
                Node::Map(map) => self.section(map, path),
                other => self.wrong(path, "a map of keys", other),
            }
        }
        path.pop();
    }

    /// The attribute behind an owned key that is set here, or that goes away with a section that is removed here.
    fn owner(&self, node: &Node, path: &[&str]) -> Option<&'static str> {
        let is_touched = |owned: &[&str]| {
            path == owned
                || (*node == Node::Null && owned.starts_with(path) && typed(self.typed, owned).is_some())
        };
        let always = OWNED.iter().find(|(owned, _)| is_touched(owned));
        let if_set =
            || OWNED_IF_SET.iter().find(|(owned, _)| typed(self.typed, owned).is_some() && is_touched(owned));
        always.or_else(if_set).map(|(_, attribute)| *attribute)
    }

    fn unknown(&mut self, path: &[&str], elsewhere: Option<&str>, similar: Option<&str>) {
        if let ([section @ ("reporting" | "compatibility"), ..], true) = (path, self.dialect.is_3()) {
            return self.error(
                "S7",
                format!(
                    "has the section \"{section}\", which was removed in Distribution 3. Leave it out, or stay on an image of \
                     2.8."
                ),
            );
        }
        let mut message = format!(
            "has the key \"{}\", which Distribution {} does not read: it would be ignored without a word.",
            path.join("."),
            self.dialect
        );
        if let Some(elsewhere) = elsewhere {
            message.push_str(&format!(" It is known to Distribution {elsewhere}."));
        }
        if let Some(similar) = similar {
            let mut guess = path.to_vec();
            guess.pop();
            guess.push(similar);
            message.push_str(&format!(" Did you mean \"{}\"?", guess.join(".")));
        }
        self.warning("C10", message);
    }

    fn removal(&mut self, path: &[&str]) {
        if typed(self.typed, path).is_some() {
            self.warning(
                "C11",
                format!("removes \"{}\", which an attribute of this resource sets.", path.join(".")),
            );
        }
    }

    fn value(&mut self, kind: Kind, node: &Node, path: &[&str]) {
        if let Some(problem) = misfit(kind, node) {
            return self.error("C9", format!("sets \"{}\" to {problem}", path.join(".")));
        }
        match typed(self.typed, path) {
            Some(Node::Map(_)) | None => {}
            Some(set) if set == node => {}
            Some(_) => self.warning(
                "C11",
                format!("overrides \"{}\", which an attribute of this resource sets.", path.join(".")),
            ),
        }
    }

    fn wrong(&mut self, path: &[&str], expected: &str, node: &Node) {
        let message =
            format!("sets \"{}\" to {}; Distribution expects {expected} there.", path.join("."), name(node));
        self.error("C9", message);
    }

    fn error(&mut self, code: &'static str, message: String) {
        let attribute = &self.extra.attribute;
        self.findings.push(Finding::error(code, attribute, format!("{attribute} {message}")));
    }

    fn warning(&mut self, code: &'static str, message: String) {
        let attribute = &self.extra.attribute;
        self.findings.push(Finding::warning(code, attribute, format!("{attribute} {message}")));
    }
}

/// What typed attributes have put at a path.
fn typed<'t>(tree: &'t Map, path: &[&str]) -> Option<&'t Node> {
    let (first, rest) = path.split_first()?;
    match (tree.get(*first)?, rest) {
        (node, []) => Some(node),
        (Node::Map(map), rest) => typed(map, rest),
        _ => None,
    }
}

/// What is wrong with a value for its kind of key, if anything. Values are not quoted: they may be secret.
fn misfit(kind: Kind, node: &Node) -> Option<String> {
    let is_text = matches!(node, Node::Text(_) | Node::Secret(_) | Node::Versioned(..));
    let is_scalar = is_text || matches!(node, Node::Number(_) | Node::SecretNumber(_) | Node::Bool(_));
    let expects = |what: &str| Some(format!("{}; Distribution expects {what} there.", name(node)));
    match (kind, node) {
        (Kind::Bool, Node::Bool(_)) => None,
        (Kind::Bool, node) if is_text => Some(format!(
            "{}; Distribution takes true and false without quotes only, and reads this as off or refuses to start.",
            name(node)
        )),
        (Kind::Bool, _) => expects("true or false"),
        (Kind::Duration, Node::Text(text)) => duration::parse(text).err().map(|error| format!("no duration: {error}.")),
        (Kind::Duration, Node::Secret(text)) => duration::parse(text.expose())
            .err()
            .map(|_| "no duration; write for example \"30s\" or \"1h30m\".".to_owned()),
        (Kind::Duration, Node::Number(_) | Node::SecretNumber(_)) => Some(
            "a bare number, which Distribution takes for nanoseconds; write a text with a unit, such as \"30s\"."
                .to_owned(),
        ),
        (Kind::Duration, _) => expects("a duration such as \"30s\""),
        (Kind::Number, Node::Number(_) | Node::SecretNumber(_)) => None,
        (Kind::Number, _) => expects("a number"),
        (Kind::Text | Kind::Secret, _) if is_scalar => None,
        (Kind::Text | Kind::Secret, _) => expects("a text"),
        (Kind::Texts, Node::List(_)) => None,
        (Kind::Texts, _) => expects("a list of texts"),
        (Kind::Map, Node::Map(_)) => None,
        (Kind::Map, _) => expects("a map, which may be empty"),
        (Kind::Headers, Node::Map(headers)) => headers
            .values()
            .any(|values| !matches!(values, Node::List(_) | Node::Null))
            .then(|| "a header whose value is not a list; write each header as a list of texts.".to_owned()),
        (Kind::Headers, _) => expects("a map of header names to lists of texts"),
        (Kind::Free | Kind::FreeSecret, Node::Map(_)) => None,
        (Kind::Free | Kind::FreeSecret, _) => expects("a map"),
    }
}

fn name(node: &Node) -> &'static str {
    match node {
        Node::Null => "nothing",
        Node::Bool(_) => "a boolean",
        Node::Number(_) | Node::SecretNumber(_) => "a number",
        Node::Text(_) | Node::Secret(_) | Node::Versioned(..) => "a text",
        Node::List(_) => "a list",
        Node::Map(_) => "a map",
    }
}

/// What only the merged file shows: one storage driver, at most one kind of authentication.
pub(super) fn inspect_choices(merged: &Map, dialect: Dialect) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names = |section: &str, is_choice: fn(&str) -> bool| match merged.get(section) {
        Some(Node::Map(map)) => map.keys().map(String::as_str).filter(|key| is_choice(key)).collect(),
        _ => Vec::new(),
    };
    let drivers: Vec<&str> = names("storage", keys::is_storage_driver);
    match drivers.as_slice() {
        [] => findings.push(Finding::error(
            "S6",
            "storage",
            "No storage driver is configured; choose exactly one, for example storage = { filesystem = { volume = \
             \"registry\" } }.",
        )),
        [driver @ ("swift" | "oss")] if dialect.is_3() => findings.push(Finding::error(
            "S7",
            "storage",
            format!("The storage driver {driver} was removed in Distribution 3; stay on registry:2 or migrate."),
        )),
        [_] => {}
        several => findings.push(Finding::error(
            "S6",
            "storage",
            format!("Exactly one storage driver may be configured, here are {}: {}.", several.len(), several.join(", ")),
        )),
    }
    findings.extend(partial_purging(merged));
    let auth: Vec<&str> = names("auth", |_| true);
    if auth.len() > 1 {
        findings.push(Finding::error(
            "A5",
            "auth",
            format!(
                "Only one kind of authentication may be configured, here are {}: {}. The registry would pick one at \
                 random at each start.",
                auth.len(),
                auth.join(", ")
            ),
        ));
    }
    findings
}

/// C7: with fewer than four keys the registry panics, unless the first of them switches the rest off.
fn partial_purging(merged: &Map) -> Option<Finding> {
    let purging = match typed(merged, &["storage", "maintenance", "uploadpurging"])? {
        Node::Map(purging) => purging,
        _ => return None,
    };
    let missing =
        ["enabled", "age", "interval", "dryrun"].into_iter().find(|key| !purging.contains_key(*key))?;
    (purging.get("enabled") != Some(&Node::Bool(false))).then(|| {
        let message = format!(
            "storage.maintenance.uploadpurging has no \"{missing}\" any more, and Distribution panics without all four of its \
             keys. Leave it in, or set enabled to false."
        );
        Finding::error("C7", "extra_config", message)
    })
}
