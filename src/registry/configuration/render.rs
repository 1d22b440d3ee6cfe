//! From what attributes and texts say to the bytes of the file.

use super::{
    Configuration, ExtraConfig, extra, keys,
    tree::{self, Map, Node, Reader},
};
use crate::registry::{Dialect, Finding, Secret};

/// A rendered configuration file.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The file for the registry. Equal configurations have equal bytes.
    pub yaml: Secret,
    /// The same for people, with `(sensitive)` in place of each secret.
    pub preview: String,
    /// The same for whoever gives the file a name: versioned secrets stand there as their numbers.
    pub named_by: Secret,
}

impl Configuration {
    /// Writes the file. It always succeeds; whether it makes sense is what [`Configuration::inspect`] says.
    pub fn render(&self) -> Rendered {
        let document = |tree: &Map, reader| format!("version: 0.1\n{}", tree::write(tree, reader));
        let yaml = document(&self.merged(|_| true), Reader::Registry).into();
        let seen = self.merged(|extra| extra.hidden().is_none());
        let hidden: String =
            self.extra.iter().filter_map(ExtraConfig::hidden).map(|it| format!("# {it}\n")).collect();
        Rendered {
            yaml,
            preview: hidden.clone() + &document(&seen, Reader::Person),
            named_by: (hidden + &document(&seen, Reader::Namer)).into(),
        }
    }

    /// Checks what only the whole file shows: unknown, overridden and owned keys of the extra configuration, values of
    /// the wrong kind, and that there is exactly one storage driver and at most one kind of authentication
    /// (C9 to C12, S6, A5).
    pub fn inspect(&self, dialect: Dialect) -> Vec<Finding> {
        let mut findings: Vec<_> =
            self.extra.iter().flat_map(|extra| extra.inspect(&self.sections.0, dialect)).collect();
        findings.extend(extra::inspect_choices(&self.merged(|_| true), dialect));
        findings
    }

    /// The dotted paths of what attributes have written although no such key is read in the dialect.
    pub fn unread(&self, dialect: Dialect) -> Vec<String> {
        let tree = Node::Map(self.sections.0.clone());
        let mut leaves = Vec::new();
        tree::leaves(&tree, &mut Vec::new(), &mut leaves);
        let mut unread = Vec::new();
        for (path, leaf) in leaves {
            unread.extend(keys::unread(&path, leaf, dialect));
        }
        unread
    }

    /// The dotted paths of all values in the file, such as `http.debug.addr`.
    pub fn rendered_paths(&self) -> Vec<String> {
        let tree = Node::Map(self.merged(|_| true));
        let mut leaves = Vec::new();
        tree::leaves(&tree, &mut Vec::new(), &mut leaves);
        leaves.iter().map(|(path, _)| path.join(".")).collect()
    }

    fn merged(&self, is_seen: impl Fn(&ExtraConfig) -> bool) -> Map {
        let mut tree = self.sections.0.clone();
        for extra in self.extra.iter().filter(|extra| is_seen(extra)) {
            tree::merge(&mut tree, extra.tree());
        }
        // It is that of the file's own format, and is written once.
        tree.remove("version");
        tree
    }
}
