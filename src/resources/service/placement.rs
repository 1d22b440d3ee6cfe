//! Which nodes may run the tasks: `TaskTemplate.Placement` of the Engine API.

use super::{not_empty, rollout::count, scheduling::constraint};
use crate::docker::{self, Constraint, PlacementPreference, ServiceSpec, Spread};
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

    /// The platforms on which the image runs, in any order. Without it they are left to others: the `docker` command
    /// says them of the images that it looks up.
    #[tf(unordered)]
    pub platforms: Option<Vec<Platform>>,
}

/// A platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Model)]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,

    /// The architecture, such as `amd64`. Without it any.
    #[tf(check = not_empty)]
    pub architecture: Option<String>,
}

/// Refuses what the scheduler does not understand.
pub fn constraints(constraints: &BTreeSet<String>) -> Result<(), String> {
    constraints.iter().try_for_each(|text| constraint(text).map(drop))
}

/// Swarm understands spreading over labels only, and ignores everything else without a word (P10).
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
    /// What a specification says of nodes; of platforms only where that is asked for.
    pub fn read(spec: &ServiceSpec, with_platforms: bool) -> Self {
        let Some(placement) = spec.task_template.as_ref().and_then(|task| task.placement.as_ref()) else {
            return Placement { platforms: with_platforms.then(Vec::new), ..Placement::default() };
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
            platforms: with_platforms
                .then(|| placement.platforms.iter().flatten().map(Platform::of).collect::<BTreeSet<_>>())
                .map(|platforms| platforms.into_iter().collect()),
        }
    }

    /// Says this, unless it is what is said already. Platforms stay unless they were said here `before`.
    pub fn write(&self, had: Option<&Self>, spec: &mut ServiceSpec) {
        let with_platforms = self.platforms.is_some() || had.is_some_and(|had| had.platforms.is_some());
        let wanted = self.platforms.clone().unwrap_or_default().into_iter().collect::<BTreeSet<_>>();
        let sorted = with_platforms.then(|| wanted.iter().cloned().collect());
        let before = Self::read(spec, with_platforms);
        if before == (Placement { platforms: sorted, ..self.clone() }) {
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
        if before.max_replicas_per_node != self.max_replicas_per_node {
            placement.max_replicas = u64::try_from(self.max_replicas_per_node).ok();
        }
        if with_platforms {
            placement.platforms = Some(wanted.iter().map(Platform::engine).collect());
        }
    }

    /// Whether a node is of one of the platforms, if any are named.
    pub fn has_platform_of(&self, node: &docker::Node) -> bool {
        let platforms = self.platforms.iter().flatten().map(Platform::engine).collect();
        let placement = docker::Placement { platforms: Some(platforms), ..docker::Placement::default() };
        placement.admits(node) != Some(false)
    }

    /// The constraints as the scheduler understands them.
    pub fn parsed(&self) -> Vec<Constraint> {
        self.constraints.iter().filter_map(|text| constraint(text).ok()).collect()
    }
}

impl Platform {
    fn of(platform: &docker::Platform) -> Self {
        Platform {
            os: platform.os.clone().unwrap_or_default(),
            architecture: platform.architecture.clone().filter(|name| !name.is_empty()),
        }
    }

    fn engine(&self) -> docker::Platform {
        docker::Platform {
            os: Some(self.os.clone()),
            architecture: self.architecture.clone(),
            ..docker::Platform::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        collection::{btree_set, vec},
        option,
        prelude::*,
        sample::select,
    };

    fn placement() -> impl Strategy<Value = Placement> {
        let platform = (select(vec!["linux", "windows"]), option::of(select(vec!["amd64", "arm64"])));
        let platform = platform
            .prop_map(|(os, name)| Platform { os: os.to_owned(), architecture: name.map(str::to_owned) });
        let constraints = btree_set("node\\.labels\\.[a-z]{1,2}(==|!=)[a-z]{1,2}", 0..3);
        let spread = vec("node\\.labels\\.[a-z]{1,2}", 0..3);
        (constraints, spread, 0..i64::MAX, option::of(vec(platform, 0..4))).prop_map(
            |(constraints, spread, max_replicas_per_node, platforms)| Placement {
                constraints,
                spread,
                max_replicas_per_node,
                platforms,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in placement(), wanted in placement()) {
            let mut spec = ServiceSpec::default();
            before.write(None, &mut spec);
            wanted.write(Some(&before), &mut spec);
            let mut platforms = wanted.platforms.clone();
            if let Some(platforms) = &mut platforms {
                platforms.sort();
                platforms.dedup();
            }
            let meant = Placement { platforms, ..wanted.clone() };
            prop_assert_eq!(Placement::read(&spec, wanted.platforms.is_some()), meant);
            if wanted.platforms.is_none() {
                let left = Placement::read(&spec, true).platforms;
                prop_assert_eq!(left, Some(vec![]), "none of them stay that were said here");
            }
            let once = spec.clone();
            wanted.write(Some(&wanted), &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
