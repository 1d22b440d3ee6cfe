//! The rows: every attribute of every resource type that a configuration can set, as the schemas have them.

use std::collections::BTreeMap;
use swarm::{
    provider::Swarm,
    terraform::{Attribute, Kind, Provider, Unset},
};

/// What the schema says of one attribute.
#[derive(Clone, Debug)]
pub struct Row {
    /// For each step of the path, whether the object before it, or the resource, cannot be without it.
    pub needed: Vec<bool>,
    /// Whether a plan cannot see it: it is kept nowhere.
    pub write_only: bool,
    /// Whether it, or an object that it is in, makes another object of the resource.
    pub replaces: bool,
    /// Whether it stays as it is where the configuration does not set it.
    pub left_alone: bool,
}

impl Row {
    /// Whether it, and every object that it is in, must be set.
    pub fn is_required(&self) -> bool {
        self.needed.iter().all(|needed| *needed)
    }
}

/// The rows of all types, by type and path.
pub type Rows = BTreeMap<(String, String), Row>;

/// Which steps of a path are needed: see [`Row::needed`].
pub fn needed<'a>(rows: &'a Rows, r#type: &str, path: &str) -> &'a [bool] {
    let row = rows.get(&(r#type.to_owned(), path.to_owned()));
    &row.unwrap_or_else(|| panic!("the schema of {type} does not have {path} any more")).needed
}

/// The rows of all types.
pub fn all() -> Rows {
    let mut rows = Rows::new();
    for resource in Swarm::default().resources() {
        // The second name of a type has the same schema.
        if resource.type_name() != "swarm_registry_service" {
            let top = Row { needed: vec![], write_only: false, replaces: false, left_alone: false };
            walk(resource.type_name(), &resource.schema().attributes, "", &top, &mut rows);
        }
    }
    rows
}

fn walk(r#type: &str, members: &[(&'static str, Attribute)], above: &str, outer: &Row, rows: &mut Rows) {
    for (name, attribute) in members.iter().filter(|(_, own)| own.required || own.optional) {
        let path = if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") };
        let row = Row {
            needed: [outer.needed.as_slice(), &[attribute.required]].concat(),
            write_only: outer.write_only || attribute.write_only,
            replaces: outer.replaces || attribute.replace,
            left_alone: outer.left_alone || attribute.computed && attribute.unset == Unset::Prior,
        };
        match &attribute.kind {
            Kind::Nested(_, members) if !members.is_empty() => walk(r#type, members, &path, &row, rows),
            _ => drop(rows.insert((r#type.to_owned(), path), row)),
        }
    }
}
