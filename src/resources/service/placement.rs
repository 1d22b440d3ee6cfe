//! Which nodes may run the tasks: `TaskTemplate.Placement` of the Engine API.

use super::{rollout::count, scheduling::constraint};
use crate::docker::{Constraint, PlacementPreference, ServiceSpec, Spread};
use crate::terraform::Model;
use std::collections::BTreeSet;

/// Which nodes may run the tasks, and how they are spread over them.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Placement {
    /// What a node must satisfy, such as `node.labels.registry==true` or `node.role!=manager`.
    #[tf(default = BTreeSet::new(), check = constraints)]
    pub constraints: BTreeSet<String>,

    /// Labels over whose values the tasks are spread evenly, the first before the second, such as
    /// `node.labels.zone`.
    #[tf(default = vec![], check = spread)]
    pub spread: Vec<String>,

    /// How many tasks one node may run at most; 0: any number.
    #[tf(default = 0, check = count)]
    pub max_replicas_per_node: i64,
}

fn constraints(constraints: &BTreeSet<String>) -> Result<(), String> {
    constraints.iter().try_for_each(|text| constraint(text).map(drop))
}

/// Swarm understands spreading over labels only, and ignores everything else without a word.
fn spread(labels: &[String]) -> Result<(), String> {
    let known = |label: &String| label.starts_with("node.labels.") || label.starts_with("engine.labels.");
    match labels.iter().find(|label| !known(label)) {
        None => Ok(()),
        Some(label) => Err(format!(
            "`{label}` cannot be spread over: Swarm knows `node.labels.NAME` and `engine.labels.NAME`, and ignores the rest"
        )),
    }
}

impl Placement {
    /// What a specification says of nodes.
    pub fn read(spec: &ServiceSpec) -> Self {
        let Some(placement) = spec.task_template.as_ref().and_then(|task| task.placement.as_ref()) else {
            return Placement::default();
        };
        let spread = placement
            .preferences
            .iter()
            .flatten()
            .filter_map(|preference| preference.spread.as_ref()?.spread_descriptor.clone());
        Placement {
            constraints: placement.constraints.iter().flatten().cloned().collect(),
            spread: spread.collect(),
            max_replicas_per_node: i64::try_from(placement.max_replicas.unwrap_or_default())
                .unwrap_or(i64::MAX),
        }
    }

    /// Says this, unless it is what is said already. Platforms, which the `docker` command fills in, stay.
    pub fn write(&self, spec: &mut ServiceSpec) {
        let before = Self::read(spec);
        if before == *self {
            return;
        }
        let placement = spec.task_template.get_or_insert_default().placement.get_or_insert_default();
        if before.constraints != self.constraints {
            placement.constraints = Some(self.constraints.iter().cloned().collect());
        }
        if before.spread != self.spread {
            let preference = |label: &String| PlacementPreference {
                spread: Some(Spread { spread_descriptor: Some(label.clone()), ..Spread::default() }),
                ..PlacementPreference::default()
            };
            placement.preferences = Some(self.spread.iter().map(preference).collect());
        }
        placement.max_replicas = u64::try_from(self.max_replicas_per_node).ok();
    }

    /// The constraints as the scheduler understands them.
    pub fn parsed(&self) -> Vec<Constraint> {
        self.constraints.iter().filter_map(|text| constraint(text).ok()).collect()
    }
}
