//! What the tasks may use and what is kept for them: `TaskTemplate.Resources` of the Engine API.

use super::rollout::count;
use crate::docker::ServiceSpec;
use crate::terraform::{Model, Number, Size};

/// What each task may use, and what a node must have free for it.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Resources {
    /// What a task may use at most.
    pub limits: Option<Limits>,

    /// What a node must have free to get a task.
    pub reservations: Option<Reservations>,
}

/// What a task may use at most.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Limits {
    /// Processors, such as `0.5`.
    #[tf(check = cpus)]
    pub cpus: Option<Number>,

    /// Memory, such as `"512MiB"`: at least 4 MiB.
    #[tf(check = memory)]
    pub memory: Option<Size>,

    /// Processes.
    #[tf(check = count)]
    pub pids: Option<i64>,
}

/// What a node must have free to get a task.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Reservations {
    /// Processors, such as `0.25`.
    #[tf(check = cpus)]
    pub cpus: Option<Number>,

    /// Memory, such as `"128MiB"`: at least 4 MiB.
    #[tf(check = memory)]
    pub memory: Option<Size>,
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
        });
        let read = Resources {
            limits: limits
                .filter(|limits| limits.cpus.is_some() || limits.memory.is_some() || limits.pids.is_some()),
            reservations: reservations.filter(|kept| kept.cpus.is_some() || kept.memory.is_some()),
        };
        (read.limits.is_some() || read.reservations.is_some()).then_some(read)
    }

    /// Says this, unless it is what is said already.
    pub fn write(wanted: Option<&Self>, spec: &mut ServiceSpec) {
        if Self::read(spec).as_ref() == wanted {
            return;
        }
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
        }
    }
}
