//! The pages, in the layout of the Terraform Registry.

use super::{root, schema};
use crate::registry::checks::{RULES, TOPICS, Weight};
use crate::terraform::{AnyAction, AnyFunction, AnyResource, AnySource, Attribute, Kind, Schema};
use std::fs;

pub(super) fn provider(schema: &Schema) -> String {
    let mut page = front("swarm Provider", "", schema.docs);
    page.push_str(&format!("# swarm Provider\n\n{}\n\n", schema.docs));
    page.push_str(&usage("examples/provider/provider.tf"));
    page.push_str(&schema::section(&schema.attributes));
    page
}

pub(super) fn resource(resource: &dyn AnyResource) -> String {
    let (name, schema) = (resource.type_name(), resource.schema());
    let mut page = block("Resource", name, schema, &format!("examples/resources/{name}/resource.tf"));
    if resource.identity().is_empty() {
        return page;
    }
    page.push_str(
        "## Import\n\nIn Terraform v1.12.0 and later, an `import` block with an `identity` does it:\n\n",
    );
    page.push_str(&hcl(&format!("examples/resources/{name}/import-by-identity.tf")));
    let identity: Vec<(&'static str, Attribute)> =
        schema.attributes.iter().filter(|(own, _)| resource.identity().contains(own)).cloned().collect();
    page.push_str(&schema::identity(&identity));
    page.push_str("In Terraform v1.5.0 and later, an `import` block with an `id` does it:\n\n");
    page.push_str(&hcl(&format!("examples/resources/{name}/import-by-string-id.tf")));
    page.push_str("The command `terraform import` does the same:\n\n");
    page.push_str(&fence("shell", &read(&format!("examples/resources/{name}/import.sh"))));
    page
}

pub(super) fn data_source(source: &dyn AnySource) -> String {
    let name = source.type_name();
    block("Data Source", name, source.schema(), &format!("examples/data-sources/{name}/data-source.tf"))
}

pub(super) fn ephemeral_resource(source: &dyn AnySource) -> String {
    let name = source.type_name();
    let example = format!("examples/ephemeral-resources/{name}/ephemeral-resource.tf");
    block("Ephemeral Resource", name, source.schema(), &example)
}

/// What is said of a list is the same for all types; the rest is on the page of the resource.
pub(super) fn list_resource(name: &str, config: &Schema) -> String {
    let docs = format!(
        "Lists the objects of type `{name}` that there are, whoever made them.\n\n`terraform query` of Terraform v1.14.0 \
         and later shows them, and with `-generate-config-out` writes their configuration with `import` blocks. A list \
         block stands in a file that ends in `.tfquery.hcl`, and always says `provider = swarm`."
    );
    let mut page = front(&format!("{name} List Resource - swarm"), SUBCATEGORY, &docs);
    page.push_str(&format!("# {name} (List Resource)\n\n{docs}\n\n"));
    page.push_str(&usage(&format!("examples/list-resources/{name}/list-resource.tfquery.hcl")));
    if config.attributes.is_empty() {
        page.push_str("## Schema\n\nThere is nothing to set in `config`.\n");
    } else {
        page.push_str(&format!("{}\n\n", config.docs));
        page.push_str(&schema::section(&config.attributes));
    }
    page
}

pub(super) fn action(action: &dyn AnyAction) -> String {
    let name = action.type_name();
    block("Action", name, action.schema(), &format!("examples/actions/{name}/action.tf"))
}

pub(super) fn function(function: &dyn AnyFunction) -> String {
    let (name, docs) = (function.name(), function.docs());
    let mut page = front(&format!("{name} function - swarm"), SUBCATEGORY, docs);
    page.push_str(&format!("# function: {name}\n\n{docs}\n\n"));
    page.push_str(&usage(&format!("examples/functions/{name}/function.tf")));
    let (parameters, answer) = (function.parameters(), function.answer());
    let argument = |(name, parameter): &(&'static str, Attribute)| {
        format!("{name} {}", schema::hcl_type(&parameter.kind.value_type()))
    };
    let arguments: Vec<String> = parameters.iter().map(argument).collect();
    let signature = format!("{name}({}) {}", arguments.join(", "), schema::hcl_type(&answer.value_type()));
    page.push_str(&format!("## Signature\n\n{}## Arguments\n\n", fence("text", &signature)));
    for (position, (name, parameter)) in parameters.iter().enumerate() {
        page.push_str(&format!("{}. {}", position + 1, schema::parameter(name, parameter)));
    }
    if let Kind::Nested(_, members) = &answer {
        page.push_str("\n## Answer\n\n");
        for (name, member) in members {
            page.push_str(&format!("- {}", schema::parameter(name, member)));
        }
    }
    page
}

const SUBCATEGORY: &str = "subcategory: \"\"\n";

/// What the pages of all blocks have in common.
fn block(kind: &str, name: &str, schema: &Schema, example: &str) -> String {
    let mut page = front(&format!("{name} {kind} - swarm"), SUBCATEGORY, schema.docs);
    page.push_str(&format!("# {name} ({kind})\n\n{}\n\n", schema.docs));
    page.push_str(&usage(example));
    page.push_str(&schema::section(&schema.attributes));
    page
}

fn front(title: &str, more: &str, docs: &str) -> String {
    let first = docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    format!(
        "---\n# generated from the schema by `UPDATE=1 cargo test docs`\npage_title: \"{title}\"\n{more}description: |-\n  {first}\n---\n\n"
    )
}

fn usage(example: &str) -> String {
    format!("## Example Usage\n\n{}", hcl(example))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|_| panic!("{path} is missing: the documentation shows it, and tests run it"))
}

fn hcl(path: &str) -> String {
    fence("terraform", &read(path))
}

fn fence(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n\n", text.trim_end())
}

/// The page of all checks.
pub(super) fn checks() -> String {
    let docs = "What a plan is checked for before anything is changed: each check has a short name, which stands in its message.";
    let mut page = front("What is checked", SUBCATEGORY, docs);
    page.push_str(&format!("# What is checked\n\n{CHECKS}"));
    for (letter, topic) in TOPICS {
        page.push_str(&format!("## {topic}\n\n| | | when | what to do |\n| --- | --- | --- | --- |\n"));
        for rule in RULES.iter().filter(|rule| rule.code.starts_with(*letter)) {
            let weight = match rule.weight {
                Weight::Error => "error",
                Weight::Warning => "warning",
                Weight::Either => "error or warning",
                Weight::Live => "warning, then error",
                Weight::Automatic => "done for you",
            };
            page.push_str(&format!("| {} | {weight} | {} | {} |\n", rule.code, rule.when, rule.instead));
        }
        page.push('\n');
    }
    page.push_str(NOT_CHECKED);
    page
}

const CHECKS: &str = "A `registry_service` is checked for what would lose images, open the registry to everybody, or keep it from \
starting or being updated. The checks of nodes and ports are made of a `swarm_service` too. Each message ends in the check's name, \
stands at the attribute that it is about, and says what to do.

An *error* stops the plan. A *warning* lets it go on. What depends on the nodes and services of the swarm is a *warning, then error*: \
at plan a node, label or secret may still be missing that the same apply makes, so it is a warning there; and an error, in the same \
words, before the service is created or changed. What is not known at plan is checked as soon as it is.

";

const NOT_CHECKED: &str = "## What is not checked\n
- Whether the storage can be reached: the registry says it at start or by its health check, and the apply shows its words.
- Whether a folder of the nodes exists on other nodes than the one that the provider talks to (S16): only their own Engines know. \
The task that is rejected says so.
- Whether something else in the configuration means to delete images while `storage.delete` is false: the registry answers such a \
deletion with 405, and the resource that wanted it says what to set.
- Whether an image without a digest has moved: no digest is looked up, and `registry:3` is what each node pulls. Write the digest into \
`image` to pin it.
";
