//! How many tasks there are, and where: `Mode` of the Engine API.

use super::count;
use crate::docker::{Mode, Service, ServiceSpec};
use crate::terraform::Model;

/// How many tasks of a job there are.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Job {
    /// How many tasks run at the same time at most. By default one.
    #[tf(check = some)]
    pub max_concurrent: Option<i64>,

    /// How many tasks have to complete. By default as many as `max_concurrent`.
    #[tf(check = count)]
    pub total_completions: Option<i64>,
}

fn some(count: &i64) -> Result<(), String> {
    if *count > 0 { Ok(()) } else { Err("at least 1".to_owned()) }
}

/// How many tasks a service has, and where.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// So many tasks, or as many as others decide.
    Replicated(Option<i64>),
    /// One task on each node that can have one.
    Global,
    /// So many tasks that are to complete.
    ReplicatedJob(Job),
    /// One task on each node that can have one, that is to complete.
    GlobalJob,
}

impl Scale {
    /// The words of all modes.
    pub const MODES: [&str; 4] = ["replicated", "global", "replicated-job", "global-job"];

    /// What the attributes say together.
    pub fn of(mode: &str, replicas: Option<i64>, job: Option<&Job>) -> Self {
        match mode {
            "global" => Scale::Global,
            "replicated-job" => Scale::ReplicatedJob(job.cloned().unwrap_or_default()),
            "global-job" => Scale::GlobalJob,
            _ => Scale::Replicated(replicas),
        }
    }

    /// What a service has.
    pub fn read(service: &Service) -> Self {
        let whole = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
        let Some(mode) = &service.spec.mode else { return Scale::Replicated(Some(1)) };
        if mode.global.is_some() {
            return Scale::Global;
        }
        if mode.global_job.is_some() {
            return Scale::GlobalJob;
        }
        if let Some(job) = &mode.replicated_job {
            return Scale::ReplicatedJob(Job {
                max_concurrent: whole(job.max_concurrent),
                total_completions: whole(job.total_completions),
            });
        }
        let replicated = mode.replicated.clone().unwrap_or_default();
        Scale::Replicated(Some(whole(replicated.replicas).unwrap_or(1)))
    }

    /// The word of the mode.
    pub fn mode(&self) -> &'static str {
        match self {
            Scale::Replicated(_) => "replicated",
            Scale::Global => "global",
            Scale::ReplicatedJob(_) => "replicated-job",
            Scale::GlobalJob => "global-job",
        }
    }

    /// Whether the tasks are to complete.
    pub fn is_job(&self) -> bool {
        matches!(self, Scale::ReplicatedJob(_) | Scale::GlobalJob)
    }

    /// Whether there is one task on each node.
    pub fn is_global(&self) -> bool {
        matches!(self, Scale::Global | Scale::GlobalJob)
    }

    /// How many tasks run at the same time at least, as far as that does not depend on the nodes.
    pub fn at_once(&self) -> i64 {
        match self {
            Scale::Replicated(replicas) => replicas.unwrap_or(1),
            Scale::ReplicatedJob(job) => job.total_completions.unwrap_or(1).min(1),
            Scale::Global | Scale::GlobalJob => 0,
        }
    }

    /// How many tasks of a job there are, spelt as `spelt` spells it; none where that is what is meant by none.
    pub fn job(&self, spelt: Option<&Job>) -> Option<Job> {
        let Scale::ReplicatedJob(found) = self else { return None };
        let meaning = |job: &Job| {
            let at_once = job.max_concurrent.unwrap_or(1);
            (at_once, job.total_completions.unwrap_or(at_once))
        };
        let Some(spelt) = spelt else {
            return (meaning(found) != meaning(&Job::default())).then(|| found.clone());
        };
        if meaning(spelt) == meaning(found) {
            return Some(spelt.clone());
        }
        // What is left out is what is meant by that, although the other number differs.
        let (at_once, total) = meaning(found);
        Some(Job {
            max_concurrent: (spelt.max_concurrent.is_some() || at_once != 1).then_some(at_once),
            total_completions: (spelt.total_completions.is_some() || total != at_once).then_some(total),
        })
    }

    /// Asks for this many tasks.
    pub fn write(&self, spec: &mut ServiceSpec) {
        let mode = spec.mode.get_or_insert_with(Mode::default);
        let whole = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        match self {
            Scale::Global => {
                mode.global.get_or_insert_default();
            }
            Scale::GlobalJob => {
                mode.global_job.get_or_insert_default();
            }
            Scale::ReplicatedJob(job) => {
                let written = mode.replicated_job.get_or_insert_default();
                let at_once = job.max_concurrent.unwrap_or(1);
                written.max_concurrent = whole(Some(at_once));
                written.total_completions = whole(job.total_completions.or(Some(at_once)));
            }
            Scale::Replicated(replicas) => {
                let replicated = mode.replicated.get_or_insert_default();
                // Whoever scales it has the number from here on.
                replicated.replicas = whole(*replicas).or(replicated.replicas).or(Some(1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{option, prelude::*};

    fn job(max_concurrent: Option<i64>, total_completions: Option<i64>) -> Option<Job> {
        Some(Job { max_concurrent, total_completions })
    }

    #[test]
    fn a_number_that_others_change_shows_alone() {
        let found = |at_once, total| {
            Scale::ReplicatedJob(Job { max_concurrent: Some(at_once), total_completions: Some(total) })
        };
        let spelt = |spelt: Option<Job>, found: Scale| found.job(spelt.as_ref());
        assert_eq!(spelt(job(None, Some(3)), found(1, 2)), job(None, Some(2)));
        assert_eq!(spelt(job(None, Some(3)), found(2, 3)), job(Some(2), Some(3)));
        assert_eq!(spelt(job(Some(3), None), found(2, 2)), job(Some(2), None));
        assert_eq!(spelt(job(Some(3), None), found(3, 4)), job(Some(3), Some(4)));
        assert_eq!(spelt(job(Some(1), None), found(1, 1)), job(Some(1), None));
        // Of what nobody has spelt everything is told, unless it is what is meant by nothing.
        assert_eq!(spelt(None, found(3, 3)), job(Some(3), Some(3)));
        assert_eq!(spelt(None, found(1, 1)), None);
    }

    fn scale() -> impl Strategy<Value = Scale> {
        let number = || 1..i64::MAX;
        prop_oneof![
            (0..i64::MAX).prop_map(|replicas| Scale::Replicated(Some(replicas))),
            Just(Scale::Global),
            Just(Scale::GlobalJob),
            (option::of(number()), option::of(0..i64::MAX)).prop_map(
                |(max_concurrent, total_completions)| {
                    Scale::ReplicatedJob(Job { max_concurrent, total_completions })
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(wanted in scale()) {
            let mut service = Service::default();
            wanted.write(&mut service.spec);
            let read = Scale::read(&service);
            prop_assert_eq!(read.mode(), wanted.mode());
            match &wanted {
                Scale::ReplicatedJob(job) => prop_assert_eq!(read.job(Some(job)), Some(job.clone())),
                _ => prop_assert_eq!(&read, &wanted),
            }
            let once = service.spec.clone();
            wanted.write(&mut service.spec);
            prop_assert_eq!(service.spec, once, "the same is left alone");
        }
    }
}
