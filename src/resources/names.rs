//! What Swarm allows as a name, so that a plan refuses what an apply could not do.

use super::generation::OWN_LABELS;
use std::collections::BTreeMap;

/// A name of a secret or a config: at most 64 letters, digits, `-`, `_` and `.`, beginning and ending with a
/// letter or digit (swarmkit's rule for both).
pub fn object_name(name: &str) -> Result<(), String> {
    rule(name, 64, &['-', '_', '.'])
}

/// A name of a service (T17): at most 63 letters, digits, `-` and `_`, beginning and ending with a letter or digit,
/// since it becomes a DNS name.
pub fn service_name(name: &str) -> Result<(), String> {
    rule(name, 63, &['-', '_'])
}

/// A name of a network: of the swarm it follows the rule for services.
pub fn network_name(name: &str) -> Result<(), String> {
    service_name(name)
}

/// A name of a volume, at least two characters.
pub fn volume_name(name: &str) -> Result<(), String> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c));
    if first && rest && name.len() >= 2 {
        return Ok(());
    }
    Err("a name of a volume has at least two characters, letters, digits, `-`, `_` and `.`, and begins with a letter \
         or digit"
        .to_owned())
}

/// What fills in templates: the Engine has one.
pub fn template_driver(name: &str) -> Result<(), String> {
    if name == "golang" { Ok(()) } else { Err("the Engine knows only `golang`".to_owned()) }
}

fn rule(name: &str, longest: usize, separators: &[char]) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || separators.contains(&c);
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if name.len() > longest
        || !name.chars().all(inner)
        || !edge(name.chars().next())
        || !edge(name.chars().last())
    {
        let separators: Vec<String> = separators.iter().map(|c| format!("`{c}`")).collect();
        return Err(format!(
            "a name has 1 to {longest} characters, letters, digits and {}, and begins and ends with a letter or digit",
            separators.join(", ")
        ));
    }
    Ok(())
}

/// Labels of which none is one of the provider's own: those it would not find again.
pub fn labels(labels: &BTreeMap<String, String>) -> Result<(), String> {
    if labels.keys().any(|key| key.starts_with(OWN_LABELS)) {
        return Err(format!("keys that begin with `{OWN_LABELS}` are the provider's own"));
    }
    Ok(())
}

/// A key of a label: anything but nothing, and not one of the provider's own.
pub fn label_key(key: &str) -> Result<(), String> {
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err("a key is not empty and has no spaces in it".to_owned());
    }
    if key.starts_with(OWN_LABELS) {
        return Err(format!("keys that begin with `{OWN_LABELS}` are the provider's own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t17_names_as_the_engine_has_them() {
        let ok = |name: &str| object_name(name).is_ok();
        assert!(ok("localhub.crt") && ok("a") && ok(&"a".repeat(64)));
        assert!(!ok("") && !ok(".a") && !ok("a-") && !ok("a b") && !ok(&"a".repeat(65)) && !ok("ä"));
        let ok = |name: &str| service_name(name).is_ok();
        let labels = |key: &str| labels(&BTreeMap::from([(key.to_owned(), String::new())]));
        assert!(labels("com.example.a").is_ok() && labels("io.localhub.swarm.service").is_err());
        assert!(ok("my_registry-1") && !ok("a.b") && !ok(&"a".repeat(64)));
    }
}
