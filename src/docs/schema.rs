//! The part of a page that tells the attributes.

use crate::terraform::{Attribute, Kind, Nesting, Type, Unset, Value};

/// The attributes of a block, and those of the objects in it.
pub(super) fn section(attributes: &[(&'static str, Attribute)]) -> String {
    let mut text = "## Schema\n\n".to_owned();
    let mut nested = vec![];
    text.push_str(&groups(attributes, "", "###", &mut nested));
    while !nested.is_empty() {
        let (path, members): (String, Vec<(&'static str, Attribute)>) = nested.remove(0);
        text.push_str(&format!(
            "<a id=\"nestedatt--{}\"></a>\n### Nested Schema for `{path}`\n\n",
            anchor(&path)
        ));
        let mut deeper = vec![];
        text.push_str(&groups(&members, &path, "####", &mut deeper));
        // What is in an object comes right after it.
        nested.splice(0..0, deeper);
    }
    text
}

/// The attributes that are an identity.
pub(super) fn identity(attributes: &[(&'static str, Attribute)]) -> String {
    let lines: String = attributes.iter().map(|(name, it)| format!("- {}", parameter(name, it))).collect();
    format!("### Identity Schema\n\n#### Required\n\n{lines}\n")
}

/// An attribute that stands for itself: its name, its type and what it is.
pub(super) fn parameter(name: &str, attribute: &Attribute) -> String {
    format!("`{name}` ({}) {}\n", type_name(&attribute.kind), attribute.docs.replace('\n', " "))
}

fn anchor(path: &str) -> String {
    path.replace('.', "--")
}

type Nested = Vec<(String, Vec<(&'static str, Attribute)>)>;

fn groups(
    attributes: &[(&'static str, Attribute)],
    parent: &str,
    heading: &str,
    nested: &mut Nested,
) -> String {
    type Belongs = fn(&Attribute) -> bool;
    let groups: [(&str, Belongs); 3] = [
        ("Required", |attribute| attribute.required),
        ("Optional", |attribute| attribute.optional),
        ("Read-Only", |attribute| !attribute.required && !attribute.optional),
    ];
    let mut text = String::new();
    for (title, belongs) in groups {
        let mut lines = String::new();
        for (name, attribute) in attributes.iter().filter(|(_, attribute)| belongs(attribute)) {
            let path = if parent.is_empty() { (*name).to_owned() } else { format!("{parent}.{name}") };
            lines.push_str(&line(name, attribute, &path));
            if let Kind::Nested(_, members) = &attribute.kind {
                nested.push((path, members.clone()));
            }
        }
        if !lines.is_empty() {
            text.push_str(&format!("{heading} {title}\n\n{lines}\n"));
        }
    }
    text
}

fn line(name: &str, attribute: &Attribute, path: &str) -> String {
    let mut flags = vec![type_name(&attribute.kind)];
    if attribute.sensitive {
        flags.push("Sensitive".to_owned());
    }
    if attribute.write_only {
        flags.push("Write-only".to_owned());
    }
    if attribute.deprecated.is_some() {
        flags.push("Deprecated".to_owned());
    }
    let mut text = format!("- `{name}` ({}) {}", flags.join(", "), attribute.docs.replace('\n', " "));
    if let Unset::Default(value) = &attribute.unset
        && let Some(value) = literal(value)
    {
        text.push_str(&format!(" Default: `{value}`."));
    }
    if attribute.replace {
        text.push_str(" Changing it replaces the resource.");
    }
    if let Some(instead) = attribute.deprecated {
        text.push_str(&format!(" Deprecated: {instead}"));
    }
    if matches!(attribute.kind, Kind::Nested(..)) {
        text.push_str(&format!(" (see [below for nested schema](#nestedatt--{}))", anchor(path)));
    }
    text.push('\n');
    text
}

/// A default as HCL, if it is short enough to be told in a line.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(format!("{value:?}")),
        Value::List(items) => {
            Some(format!("[{}]", items.iter().map(literal).collect::<Option<Vec<_>>>()?.join(", ")))
        }
        Value::Map(items) if items.is_empty() => Some("{}".to_owned()),
        _ => None,
    }
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Nested(Nesting::Single, _) => "Attributes".to_owned(),
        Kind::Nested(Nesting::List, _) => "Attributes List".to_owned(),
        Kind::Nested(Nesting::Set, _) => "Attributes Set".to_owned(),
        Kind::Nested(Nesting::Map, _) => "Attributes Map".to_owned(),
        Kind::Plain(plain) => plain_name(plain),
    }
}

fn plain_name(plain: &Type) -> String {
    match plain {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(item) => format!("List of {}", plain_name(item)),
        Type::Set(item) => format!("Set of {}", plain_name(item)),
        Type::Map(item) => format!("Map of {}", plain_name(item)),
        Type::Tuple(_) => "Tuple".to_owned(),
        Type::Object(_) => "Object".to_owned(),
    }
}

/// A type as HCL writes it.
pub(super) fn hcl_type(r#type: &Type) -> String {
    match r#type {
        Type::Bool => "bool".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Dynamic => "dynamic".to_owned(),
        Type::List(item) => format!("list of {}", hcl_type(item)),
        Type::Set(item) => format!("set of {}", hcl_type(item)),
        Type::Map(item) => format!("map of {}", hcl_type(item)),
        Type::Tuple(_) => "tuple".to_owned(),
        Type::Object(_) => "object".to_owned(),
    }
}
