//! The published documentation, made of the schema and the examples: `UPDATE=1 cargo test docs` writes it.

use crate::{
    provider::Swarm,
    terraform::{Attribute, Kind, Nesting, Provider, Schema, Type, Unset, Value},
};
use std::{fs, path::Path};

/// The published pages are those of the types; an alias is explained on the page of its type.
const ALIASES: &[&str] = &["swarm_registry_service"];

#[test]
fn docs_are_current() {
    let provider = Swarm::default();
    check("docs/index.md", &provider_page(provider.schema()));
    for resource in provider.resources() {
        let name = resource.type_name();
        if !ALIASES.contains(&name) {
            let page = name.strip_prefix("swarm_").unwrap_or(name);
            check(&format!("docs/resources/{page}.md"), &resource_page(name, resource.schema()));
        }
    }
}

#[test]
fn every_attribute_is_described_in_sentences() {
    fn walk(name: &str, attributes: &[(&'static str, Attribute)]) {
        for (attribute, facts) in attributes {
            let last = facts.docs.trim_end();
            assert!(last.ends_with(['.', ')']), "{name}.{attribute}: documentation is sentences: {last}");
            if let Kind::Nested(_, members) = &facts.kind {
                walk(&format!("{name}.{attribute}"), members);
            }
        }
    }
    let provider = Swarm::default();
    walk("provider", &provider.schema().attributes);
    provider
        .resources()
        .iter()
        .for_each(|resource| walk(resource.type_name(), &resource.schema().attributes));
}

/// Compares a generated file with the committed one, or writes it under `UPDATE=1`.
fn check(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is not what the schema says; `UPDATE=1 cargo test docs` writes it");
}

fn provider_page(schema: &Schema) -> String {
    let mut page = front("swarm Provider", "", schema.docs);
    page.push_str(&format!("# swarm Provider\n\n{}\n\n## Example Usage\n\n", schema.docs));
    page.push_str(&hcl("examples/provider/provider.tf"));
    page.push_str(&schema_section(&schema.attributes));
    page
}

fn resource_page(name: &str, schema: &Schema) -> String {
    let mut page = front(&format!("{name} Resource - swarm"), "subcategory: \"\"\n", schema.docs);
    page.push_str(&format!("# {name} (Resource)\n\n{}\n\n## Example Usage\n\n", schema.docs));
    page.push_str(&hcl(&format!("examples/resources/{name}/resource.tf")));
    page.push_str(&schema_section(&schema.attributes));
    page.push_str("## Import\n\nIn Terraform v1.5.0 and later, an `import` block does it:\n\n");
    page.push_str(&hcl(&format!("examples/resources/{name}/import-by-string-id.tf")));
    page.push_str("The command `terraform import` does the same:\n\n");
    page.push_str(&fence("shell", &read(&format!("examples/resources/{name}/import.sh"))));
    page
}

fn front(title: &str, more: &str, docs: &str) -> String {
    let first = docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    format!(
        "---\n# generated from the schema by `UPDATE=1 cargo test docs`\npage_title: \"{title}\"\n{more}description: |-\n  {first}\n---\n\n"
    )
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|_| panic!("{path} is missing"))
}

fn hcl(path: &str) -> String {
    fence("terraform", &read(path))
}

fn fence(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n\n", text.trim_end())
}

fn schema_section(attributes: &[(&'static str, Attribute)]) -> String {
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
