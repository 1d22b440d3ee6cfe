//! What the kernel allows the tasks: `ContainerSpec.CapabilityAdd`, `CapabilityDrop`, `Ulimits` and `Sysctls` of the
//! Engine API.

use super::{container, container_mut};
use crate::docker::{self, ServiceSpec};
use crate::terraform::{Model, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A limit of the kernel. -1 is no limit.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Ulimit {
    /// Where the limit begins to count.
    pub soft: i64,

    /// How far the tasks may raise it.
    pub hard: i64,
}

/// A capability as the `docker` command writes it: `CAP_NET_ADMIN`, and `ALL`. The Engine keeps every spelling.
fn canonical(capability: &str) -> String {
    let upper = capability.to_ascii_uppercase();
    if upper == "ALL" || upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") }
}

fn all_canonical<'a>(capabilities: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    capabilities.into_iter().map(|capability| canonical(capability)).collect()
}

/// `NET_ADMIN` and `cap_net_admin` are one capability.
pub fn same(a: &Value, b: &Value) -> bool {
    let set = |value: &Value| match value {
        Value::List(items) => {
            items.iter().map(|item| item.as_str().map(canonical)).collect::<Option<BTreeSet<_>>>()
        }
        _ => None,
    };
    set(a).is_some_and(|a| set(b) == Some(a))
}

/// The capabilities of a specification: those that are added, and those that are taken away.
pub fn read_capabilities(spec: &ServiceSpec) -> (BTreeSet<String>, BTreeSet<String>) {
    let read = |list: Option<&Vec<String>>| list.into_iter().flatten().cloned().collect();
    let container = container(spec);
    (
        read(container.and_then(|container| container.capability_add.as_ref())),
        read(container.and_then(|container| container.capability_drop.as_ref())),
    )
}

/// Adds and takes away these capabilities and no others.
pub fn write_capabilities(add: &BTreeSet<String>, drop: &BTreeSet<String>, spec: &mut ServiceSpec) {
    let (added, dropped) = read_capabilities(spec);
    let list = |wanted: &BTreeSet<String>| Some(all_canonical(wanted).into_iter().collect());
    if all_canonical(&added) != all_canonical(add) {
        container_mut(spec).capability_add = list(add);
    }
    if all_canonical(&dropped) != all_canonical(drop) {
        container_mut(spec).capability_drop = list(drop);
    }
}

impl Ulimit {
    /// The limits of a specification.
    pub fn read(spec: &ServiceSpec) -> BTreeMap<String, Self> {
        let limits = container(spec).into_iter().flat_map(|container| container.ulimits.iter().flatten());
        let of = |limit: &docker::Ulimit| Ulimit {
            soft: limit.soft.unwrap_or_default(),
            hard: limit.hard.unwrap_or_default(),
        };
        limits.map(|limit| (limit.name.clone().unwrap_or_default(), of(limit))).collect()
    }

    /// Sets these limits and no others. What is set already keeps its place.
    pub fn write(wanted: &BTreeMap<String, Self>, spec: &mut ServiceSpec) {
        if Self::read(spec) == *wanted {
            return;
        }
        let limits = wanted.iter().map(|(name, limit)| docker::Ulimit {
            name: Some(name.clone()),
            soft: Some(limit.soft),
            hard: Some(limit.hard),
            ..docker::Ulimit::default()
        });
        container_mut(spec).ulimits = Some(limits.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        collection::{btree_map, btree_set},
        prelude::*,
    };

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn another_spelling_of_a_capability_is_left_alone() {
        let mut spec = ServiceSpec::default();
        container_mut(&mut spec).capability_add = Some(vec!["net_admin".into(), "CAP_SYS_TIME".into()]);
        let before = spec.clone();
        write_capabilities(&set(&["CAP_NET_ADMIN", "SYS_TIME"]), &set(&[]), &mut spec);
        assert_eq!(spec, before);
        write_capabilities(&set(&["net_admin"]), &set(&["all"]), &mut spec);
        assert_eq!(read_capabilities(&spec), (set(&["CAP_NET_ADMIN"]), set(&["ALL"])));
    }

    proptest! {
        #[test]
        fn limits_that_are_written_are_read(before in limits(), wanted in limits()) {
            let mut spec = ServiceSpec::default();
            Ulimit::write(&before, &mut spec);
            Ulimit::write(&wanted, &mut spec);
            prop_assert_eq!(Ulimit::read(&spec), wanted.clone());
            let once = spec.clone();
            Ulimit::write(&wanted, &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }

        #[test]
        fn capabilities_that_are_written_are_read(before in capabilities(), add in capabilities(), drop in capabilities()) {
            let mut spec = ServiceSpec::default();
            write_capabilities(&before, &before, &mut spec);
            write_capabilities(&add, &drop, &mut spec);
            let (added, dropped) = read_capabilities(&spec);
            prop_assert_eq!(all_canonical(&added), all_canonical(&add));
            prop_assert_eq!(all_canonical(&dropped), all_canonical(&drop));
            let once = spec.clone();
            write_capabilities(&add, &drop, &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }

    fn limits() -> impl Strategy<Value = BTreeMap<String, Ulimit>> {
        let limit = (any::<i64>(), any::<i64>()).prop_map(|(soft, hard)| Ulimit { soft, hard });
        btree_map("[a-z]{1,3}", limit, 0..3)
    }

    fn capabilities() -> impl Strategy<Value = BTreeSet<String>> {
        btree_set("(CAP_|cap_)?(NET_ADMIN|sys_time)|all|ALL", 0..4)
    }
}
