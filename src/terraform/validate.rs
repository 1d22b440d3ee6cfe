//! What can be said about a configuration from the schema alone.

use super::{Attribute, Diagnostic, Diagnostics, Kind, Nesting, Object, Path, Schema, Step, Value};

/// Checks a configuration, of which parts may be unknown: they are checked when they are known.
///
/// Terraform before 1.11 would store write-only values, and says so by a capability.
pub(super) fn validate(schema: &Schema, config: &Object, write_only_allowed: bool) -> Diagnostics {
    let mut validator = Validator { write_only_allowed, found: vec![] };
    for (name, attribute) in &schema.attributes {
        validator.attribute(attribute, config.get(name), &Path::of(name));
    }
    validator.found
}

impl Schema {
    /// What is wrong with single values of a configuration that has no write-only ones, such as a provider block.
    pub fn validate(&self, config: &Object) -> Diagnostics {
        validate(self, config, true)
    }
}

struct Validator {
    write_only_allowed: bool,
    found: Diagnostics,
}

impl Validator {
    fn attribute(&mut self, attribute: &Attribute, value: &Value, path: &Path) {
        if value.is_null() {
            return;
        }
        if let Some(instead) = attribute.deprecated {
            self.found.push(
                Diagnostic::warning("Argument is deprecated", format!("`{path}`: {instead}"))
                    .at(path.clone()),
            );
        }
        // One that is not known yet may turn out to be null, as of `var.write_only ? … : null`.
        if attribute.write_only && !self.write_only_allowed && !value.is_unknown() {
            self.found.push(
                Diagnostic::error(
                    "Write-only arguments need Terraform 1.11",
                    format!(
                        "`{path}` is write-only: this Terraform is too old to keep it out of its state. \
                         Use Terraform 1.11 or newer, or the argument's counterpart without `_wo`, which is kept in the state."
                    ),
                )
                .at(path.clone()),
            );
        }
        if value.is_unknown() {
            return;
        }
        for check in &attribute.checks {
            if let Err(rule) = check(value) {
                self.found.push(
                    Diagnostic::error(format!("Invalid value for `{path}`"), sentence(&rule))
                        .at(path.clone()),
                );
            }
        }
        if let Kind::Nested(nesting, members) = &attribute.kind {
            self.nested(*nesting, members, value, path);
        }
    }

    fn nested(
        &mut self,
        nesting: Nesting,
        members: &[(&'static str, Attribute)],
        value: &Value,
        path: &Path,
    ) {
        match (nesting, value) {
            (Nesting::Single, object) => self.object(members, object, path),
            (Nesting::List, Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.object(members, item, &path.then(Step::Index(index)));
                }
            }
            // An element of a set has no path of its own.
            (Nesting::Set, Value::List(items)) => {
                items.iter().for_each(|item| self.object(members, item, path))
            }
            (Nesting::Map, Value::Map(items)) => {
                for (key, item) in items {
                    self.object(members, item, &path.then(Step::Key(key.clone())));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, members: &[(&'static str, Attribute)], value: &Value, path: &Path) {
        if value.is_null() || value.is_unknown() {
            return;
        }
        for (name, member) in members {
            self.attribute(member, value.get(name), &path.then(Step::Attribute((*name).to_owned())));
        }
    }
}

/// A rule, which is a lowercase fragment, as a sentence.
fn sentence(rule: &str) -> String {
    let mut letters = rule.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    let stop = if rule.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}
