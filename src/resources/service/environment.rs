//! The environment of the tasks: `ContainerSpec.Env` of the Engine API, a list that means a map.

use super::{container, container_mut};
use crate::docker::ServiceSpec;
use std::collections::BTreeMap;

/// Refuses names that a process could not have.
pub fn names(env: &BTreeMap<String, String>) -> Result<(), String> {
    match env.keys().find(|name| name.is_empty() || name.contains('=')) {
        Some(name) => Err(format!("`{name}` cannot be the name of a variable")),
        None => Ok(()),
    }
}

/// The environment of a specification; of a name that is there twice, the last counts, as in a process.
pub fn read_env(spec: &ServiceSpec) -> BTreeMap<String, String> {
    let lines = container(spec).into_iter().flat_map(|container| container.env.iter().flatten());
    lines.map(|line| split(line)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Sets this environment. What is there already keeps its place, since another order restarts the tasks.
pub fn write_env(wanted: &BTreeMap<String, String>, spec: &mut ServiceSpec) {
    if read_env(spec) == *wanted {
        return;
    }
    let mut rest = wanted.clone();
    let mut lines = vec![];
    for line in container(spec).into_iter().flat_map(|container| container.env.iter().flatten()) {
        let (name, _) = split(line);
        if let Some(value) = rest.remove(name) {
            lines.push(format!("{name}={value}"));
        }
    }
    lines.extend(rest.iter().map(|(name, value)| format!("{name}={value}")));
    container_mut(spec).env = Some(lines);
}

fn split(line: &str) -> (&str, &str) {
    line.split_once('=').unwrap_or((line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(lines: &[&str]) -> ServiceSpec {
        let mut spec = ServiceSpec::default();
        container_mut(&mut spec).env = Some(lines.iter().map(|line| (*line).to_owned()).collect());
        spec
    }

    #[test]
    fn order_is_kept_and_what_means_the_same_is_left_alone() {
        let mut env = spec(&["Z=1", "A=2", "Z=3"]);
        let wanted = BTreeMap::from([("A".to_owned(), "2".to_owned()), ("Z".to_owned(), "3".to_owned())]);
        write_env(&wanted, &mut env);
        assert_eq!(env, spec(&["Z=1", "A=2", "Z=3"]));
        let wanted = BTreeMap::from([("B".to_owned(), "x=y".to_owned()), ("Z".to_owned(), "4".to_owned())]);
        write_env(&wanted, &mut env);
        assert_eq!(env, spec(&["Z=4", "B=x=y"]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            before in proptest::collection::vec("[A-C]{1,2}(=[a-z=]{0,3})?", 0..6),
            wanted in proptest::collection::btree_map("[A-D]{1,2}", "[a-z=]{0,3}", 0..6),
        ) {
            let before: Vec<&str> = before.iter().map(String::as_str).collect();
            let mut env = spec(&before);
            write_env(&wanted, &mut env);
            prop_assert_eq!(read_env(&env), wanted.clone());
            let once = env.clone();
            write_env(&wanted, &mut env);
            prop_assert_eq!(env, once, "the same is left alone");
        }
    }
}
