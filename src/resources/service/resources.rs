//! What the tasks may use and what is kept for them: `TaskTemplate.Resources` of the Engine API.

use crate::docker::{DiscreteResource, GenericResource, NamedResource, ServiceSpec};
use crate::terraform::{Model, Number, Size, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What each task may use, and what a node must have free for it.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Resources {
    /// What a task may use at most.
    pub limits: Option<Limits>,

    /// What a node must have free to get a task.
    pub reservations: Option<Reservations>,

    /// Swap space that a task may use beside its memory, such as `"64MiB"`, `"0"` or `"unlimited"`. It needs
    /// `limits.memory`, and Engine 29 (API 1.52).
    #[tf(check = swap, same = same_swap)]
    pub memory_swap: Option<String>,

    /// How readily the kernel swaps the memory of a task, from 0 to 100. Needs Engine 29 (API 1.52).
    #[tf(check = swappiness)]
    pub memory_swappiness: Option<i64>,
}

/// What a task may use at most.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Limits {
    /// Processors, such as `0.5`.
    #[tf(check = cpus)]
    pub cpus: Option<Number>,

    /// Memory, such as `"512MiB"`: at least 4 MiB.
    #[tf(check = memory)]
    pub memory: Option<Size>,

    /// Processes.
    #[tf(check = processes)]
    pub pids: Option<i64>,
}

/// What a node must have free to get a task.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Reservations {
    /// Processors, such as `0.25`.
    #[tf(check = cpus)]
    pub cpus: Option<Number>,

    /// Memory, such as `"128MiB"`: at least 4 MiB.
    #[tf(check = memory)]
    pub memory: Option<Size>,

    /// Resources that the administrator of a node has named.
    pub generic_resources: Option<GenericResources>,
}

/// Resources that the administrator of a node has named.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct GenericResources {
    /// How many of each kind, such as `{ SSD = 2 }`.
    #[tf(default = BTreeMap::new())]
    pub discrete: BTreeMap<String, i64>,

    /// Which of each kind, such as `{ GPU = ["UUID1"] }`.
    #[tf(default = BTreeMap::new())]
    pub named: BTreeMap<String, BTreeSet<String>>,
}

/// The Engine counts in thousand-millionths of a processor, and wants at least a thousandth.
fn cpus(cpus: &Number) -> Result<(), String> {
    match cpus.scaled(9) {
        Some(nano) if nano >= 1_000_000 => Ok(()),
        _ => {
            Err("processors are a number of at least 0.001 with at most nine digits after the point"
                .to_owned())
        }
    }
}

/// The Engine refuses less than 4 MiB (swarmkit's `validateResources`).
fn memory(memory: &Size) -> Result<(), String> {
    if memory.bytes() >= 4 << 20 { Ok(()) } else { Err("memory is at least 4MiB".to_owned()) }
}

/// The Engine takes nought for no limit, which it does not tell.
fn processes(count: &i64) -> Result<(), String> {
    if *count > 0 { Ok(()) } else { Err("at least 1; for no limit, leave it out".to_owned()) }
}

/// Bytes of swap as the Engine counts: -1 is no limit.
fn swap_bytes(swap: &str) -> Option<i64> {
    if swap == "unlimited" { Some(-1) } else { swap.parse::<Size>().ok().map(|size| size.bytes()) }
}

fn swap(swap: &str) -> Result<(), String> {
    match swap_bytes(swap) {
        Some(_) => Ok(()),
        None => Err("a size such as \"64MiB\", or `unlimited`".to_owned()),
    }
}

fn same_swap(a: &Value, b: &Value) -> bool {
    let bytes = |value: &Value| value.as_str().and_then(swap_bytes);
    bytes(a).is_some() && bytes(a) == bytes(b)
}

fn swappiness(swappiness: &i64) -> Result<(), String> {
    if (0..=100).contains(swappiness) { Ok(()) } else { Err("a number from 0 to 100".to_owned()) }
}

impl GenericResources {
    fn read(resources: &[GenericResource]) -> Option<Self> {
        let mut read = GenericResources::default();
        for resource in resources {
            if let Some(DiscreteResource { kind: Some(kind), value: Some(value), .. }) =
                &resource.discrete_resource_spec
            {
                read.discrete.insert(kind.clone(), *value);
            }
            if let Some(NamedResource { kind: Some(kind), value: Some(value), .. }) =
                &resource.named_resource_spec
            {
                read.named.entry(kind.clone()).or_default().insert(value.clone());
            }
        }
        (read != GenericResources::default()).then_some(read)
    }

    fn engine(&self) -> Vec<GenericResource> {
        let discrete = self.discrete.iter().map(|(kind, value)| GenericResource {
            discrete_resource_spec: Some(DiscreteResource {
                kind: Some(kind.clone()),
                value: Some(*value),
                ..DiscreteResource::default()
            }),
            ..GenericResource::default()
        });
        let named = self.named.iter().flat_map(|(kind, values)| {
            values.iter().map(move |value| GenericResource {
                named_resource_spec: Some(NamedResource {
                    kind: Some(kind.clone()),
                    value: Some(value.clone()),
                    ..NamedResource::default()
                }),
                ..GenericResource::default()
            })
        });
        discrete.chain(named).collect()
    }
}

impl Resources {
    /// The resources of a specification; an object without members where it says nothing.
    pub fn read(spec: &ServiceSpec) -> Option<Self> {
        let resources = spec.task_template.as_ref()?.resources.as_ref()?;
        let some = |amount: Option<i64>| amount.filter(|amount| *amount != 0);
        let cpus = |amount: Option<i64>| some(amount).map(|nano| Number::unscaled(nano, 9));
        let memory = |amount: Option<i64>| some(amount).map(Size::from_bytes);
        let limits = resources.limits.as_ref().map(|limits| Limits {
            cpus: cpus(limits.nano_cpus),
            memory: memory(limits.memory_bytes),
            pids: some(limits.pids),
        });
        let reservations = resources.reservations.as_ref().map(|reservations| Reservations {
            cpus: cpus(reservations.nano_cpus),
            memory: memory(reservations.memory_bytes),
            generic_resources: GenericResources::read(
                reservations.generic_resources.as_deref().unwrap_or_default(),
            ),
        });
        let read = Resources {
            limits: limits.filter(|limits| *limits != Limits::default()),
            reservations: reservations.filter(|kept| *kept != Reservations::default()),
            memory_swap: resources.swap_bytes.map(swap_text),
            memory_swappiness: resources.memory_swappiness,
        };
        (read != Resources::default()).then_some(read)
    }

    /// Says this, unless it is what is said already.
    pub fn write(wanted: Option<&Self>, spec: &mut ServiceSpec) {
        let normal = wanted.map(Self::normal).filter(|wanted| *wanted != Resources::default());
        if Self::read(spec) == normal {
            return;
        }
        let wanted = normal.as_ref();
        let resources = spec.task_template.get_or_insert_default().resources.get_or_insert_default();
        let limits = wanted.and_then(|wanted| wanted.limits.as_ref());
        let reservations = wanted.and_then(|wanted| wanted.reservations.as_ref());
        if limits.is_some() || resources.limits.is_some() {
            let amount = resources.limits.get_or_insert_default();
            amount.nano_cpus = limits.and_then(|limits| limits.cpus.as_ref()?.scaled(9));
            amount.memory_bytes = limits.and_then(|limits| limits.memory.as_ref().map(Size::bytes));
            amount.pids = limits.and_then(|limits| limits.pids);
        }
        if reservations.is_some() || resources.reservations.is_some() {
            let amount = resources.reservations.get_or_insert_default();
            amount.nano_cpus = reservations.and_then(|kept| kept.cpus.as_ref()?.scaled(9));
            amount.memory_bytes = reservations.and_then(|kept| kept.memory.as_ref().map(Size::bytes));
            amount.generic_resources =
                reservations.and_then(|kept| kept.generic_resources.as_ref().map(GenericResources::engine));
        }
        resources.swap_bytes = wanted.and_then(|wanted| swap_bytes(wanted.memory_swap.as_ref()?));
        resources.memory_swappiness = wanted.and_then(|wanted| wanted.memory_swappiness);
    }

    /// The same, as it would be read back.
    fn normal(&self) -> Self {
        let mut normal = self.clone();
        if let Some(kept) = &mut normal.reservations {
            kept.generic_resources.take_if(|generic| *generic == GenericResources::default());
        }
        normal.limits.take_if(|limits| *limits == Limits::default());
        normal.reservations.take_if(|kept| *kept == Reservations::default());
        normal.memory_swap = normal.memory_swap.as_deref().and_then(swap_bytes).map(swap_text);
        normal
    }
}

fn swap_text(bytes: i64) -> String {
    if bytes < 0 { "unlimited".to_owned() } else { Size::from_bytes(bytes).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        collection::{btree_map, btree_set},
        option,
        prelude::*,
        sample::select,
    };

    fn cpus() -> impl Strategy<Value = Number> {
        (1_000_000..9_000_000_000_i64)
            .prop_map(|nano| format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000).parse().unwrap())
    }

    fn size() -> impl Strategy<Value = Size> {
        ((4 << 20)..i64::MAX).prop_map(Size::from_bytes)
    }

    fn limits() -> impl Strategy<Value = Limits> {
        (option::of(cpus()), option::of(size()), option::of(1..i64::MAX))
            .prop_map(|(cpus, memory, pids)| Limits { cpus, memory, pids })
    }

    fn reservations() -> impl Strategy<Value = Reservations> {
        let discrete = btree_map("[a-z]{1,3}", any::<i64>(), 0..3);
        let named = btree_map("[A-Z]{1,3}", btree_set("[a-z0-9]{1,3}", 1..3), 0..3);
        let generic = (discrete, named).prop_map(|(discrete, named)| GenericResources { discrete, named });
        (option::of(cpus()), option::of(size()), option::of(generic))
            .prop_map(|(cpus, memory, generic_resources)| Reservations { cpus, memory, generic_resources })
    }

    fn resources() -> impl Strategy<Value = Option<Resources>> {
        let swap = select(vec!["unlimited", "0", "64MiB", "1GiB"]).prop_map(str::to_owned);
        let swap = (option::of(swap), option::of(0..=100_i64));
        let resources = (option::of(limits()), option::of(reservations()), swap).prop_map(
            |(limits, reservations, (memory_swap, memory_swappiness))| Resources {
                limits,
                reservations,
                memory_swap,
                memory_swappiness,
            },
        );
        option::of(resources)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in resources(), wanted in resources()) {
            let mut spec = ServiceSpec::default();
            Resources::write(before.as_ref(), &mut spec);
            Resources::write(wanted.as_ref(), &mut spec);
            // Empty objects say as much as none.
            let normal = wanted.as_ref().map(Resources::normal).filter(|normal| *normal != Resources::default());
            prop_assert_eq!(Resources::read(&spec), normal);
            let once = spec.clone();
            Resources::write(wanted.as_ref(), &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
