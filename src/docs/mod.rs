//! The published documentation, made of the schema and the examples: `UPDATE=1 cargo test docs` writes it.

mod page;
mod schema;

use crate::{
    provider::Swarm,
    terraform::{Attribute, Kind, ListFilter, Provider, Schema},
};
use std::{collections::BTreeSet, fs, path::Path};

/// The published pages are those of the types; an alias is explained on the page of its type.
const ALIASES: &[&str] = &["swarm_registry_service"];

/// Every page by its path.
fn pages(provider: &Swarm) -> Vec<(String, String)> {
    let mut pages = vec![("docs/index.md".to_owned(), page::provider(provider.schema()))];
    pages.push(("docs/guides/checks.md".to_owned(), page::checks()));
    let mut add = |folder: &str, name: &str, text: String| {
        let file = name.strip_prefix("swarm_").unwrap_or(name);
        pages.push((format!("docs/{folder}/{file}.md"), text));
    };
    for resource in provider.resources().iter().filter(|it| !ALIASES.contains(&it.type_name())) {
        let name = resource.type_name();
        add("resources", name, page::resource(&**resource));
        if !resource.identity().is_empty() {
            add("list-resources", name, page::list_resource(name, &ListFilter::schema(resource.schema())));
        }
    }
    for source in provider.data_sources() {
        add("data-sources", source.type_name(), page::data_source(&**source));
    }
    for source in provider.ephemeral_resources() {
        add("ephemeral-resources", source.type_name(), page::ephemeral_resource(&**source));
    }
    for action in provider.actions() {
        add("actions", action.type_name(), page::action(&**action));
    }
    for function in provider.functions() {
        add("functions", function.name(), page::function(&**function));
    }
    pages
}

#[test]
fn docs_are_current() {
    for (path, wanted) in pages(&Swarm::default()) {
        let file = root().join(&path);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &wanted).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(found == wanted, "{path} is not what the schema says; `UPDATE=1 cargo test docs` writes it");
    }
}

#[test]
fn docs_and_examples_are_of_what_there_is() {
    let provider = Swarm::default();
    let wanted: BTreeSet<String> = pages(&provider).into_iter().map(|(path, _)| path).collect();
    for kind in ["resources", "list-resources", "data-sources", "ephemeral-resources", "actions", "functions"]
    {
        let folder = format!("docs/{kind}");
        for page in names_in(&folder) {
            let path = format!("{folder}/{page}");
            assert!(wanted.contains(&path), "{path} is about something that the provider does not have");
        }
        for name in names_in(&format!("examples/{kind}")) {
            let page = format!("{folder}/{}.md", name.strip_prefix("swarm_").unwrap_or(&name));
            assert!(
                wanted.contains(&page),
                "examples/{kind}/{name} is of something that the provider does not have"
            );
        }
    }
}

#[test]
fn every_attribute_is_described_in_sentences() {
    fn sentences(name: &str, docs: &str) {
        let last = docs.trim_end();
        assert!(last.ends_with(['.', ')']), "{name}: documentation is sentences: {last}");
    }
    fn walk(name: &str, attributes: &[(&'static str, Attribute)]) {
        for (attribute, facts) in attributes {
            let name = format!("{name}.{attribute}");
            sentences(&name, facts.docs);
            if let Kind::Nested(_, members) = &facts.kind {
                walk(&name, members);
            }
        }
    }
    fn whole(name: &str, schema: &Schema) {
        sentences(name, schema.docs);
        walk(name, &schema.attributes);
    }
    let provider = Swarm::default();
    whole("provider", provider.schema());
    for resource in provider.resources() {
        whole(resource.type_name(), resource.schema());
        whole(&format!("list {}", resource.type_name()), &ListFilter::schema(resource.schema()));
    }
    for source in provider.data_sources() {
        whole(&format!("data {}", source.type_name()), source.schema());
    }
    for source in provider.ephemeral_resources() {
        whole(&format!("ephemeral {}", source.type_name()), source.schema());
    }
    for action in provider.actions() {
        whole(&format!("action {}", action.type_name()), action.schema());
    }
    for function in provider.functions() {
        sentences(function.name(), function.docs());
        walk(function.name(), &function.parameters());
        if let Kind::Nested(_, members) = function.answer() {
            walk(&format!("the answer of {}", function.name()), &members);
        }
    }
}

/// Terraform keeps these names for itself in every block. An attribute that bears one is dropped without a word where the
/// configuration is JSON, and tools that generate code make classes of it that cannot be used.
#[test]
fn no_attribute_bears_a_name_that_terraform_keeps_for_itself() {
    const KEPT: [&str; 11] = [
        "_",
        "alias",
        "connection",
        "count",
        "depends_on",
        "for_each",
        "lifecycle",
        "locals",
        "provider",
        "provisioner",
        "version",
    ];
    let provider = Swarm::default();
    let resources = provider.resources().iter().map(|it| (it.type_name(), it.schema()));
    let sources = provider.data_sources().iter().chain(provider.ephemeral_resources());
    let sources = sources.map(|it| (it.type_name(), it.schema()));
    for (r#type, schema) in resources.chain(sources).chain([("provider", provider.schema())]) {
        for name in KEPT {
            assert!(schema.attribute(name).is_none(), "{type}.{name}");
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return vec![] };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
