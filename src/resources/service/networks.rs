//! The networks that the tasks join: `TaskTemplate.Networks` of the Engine API.

use crate::docker::{self, NetworkAttachment, ServiceSpec};
use crate::terraform::Model;
use std::collections::{BTreeMap, BTreeSet};

/// A network that the tasks join.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Model)]
pub struct Network {
    /// Name or ID of the network.
    pub network: String,

    /// More names under which the tasks are found in that network.
    #[tf(default = BTreeSet::new())]
    pub aliases: BTreeSet<String>,

    /// Options for the network's driver.
    #[tf(default = BTreeMap::new())]
    pub driver_options: BTreeMap<String, String>,
}

impl Network {
    /// The networks of a specification, spelt as `spelt` spells them; `known` are those that there are.
    pub fn read(spec: &ServiceSpec, known: &[docker::Network], spelt: &[Self]) -> Vec<Self> {
        let attached = spec.task_template.iter().flat_map(|task| task.networks.iter().flatten());
        let mut networks: Vec<Self> = attached
            .map(|attachment| {
                let id = attachment.target.clone().unwrap_or_default();
                let name = known.iter().find(|network| network.id == id).map(|network| network.name.clone());
                let own = |network: &&Self| network.network == id || Some(&network.network) == name.as_ref();
                let spelt = spelt.iter().find(own).map(|network| network.network.clone());
                Network {
                    network: spelt.or(name).unwrap_or(id),
                    aliases: attachment.aliases.iter().flatten().cloned().collect(),
                    driver_options: attachment.driver_opts.clone().unwrap_or_default(),
                }
            })
            .collect();
        networks.sort();
        networks
    }

    /// Joins these networks and no others. What is joined already stays as it is.
    pub fn write(wanted: &[Self], spec: &mut ServiceSpec, known: &[docker::Network]) {
        let mut wanted = wanted.to_vec();
        wanted.sort();
        if Self::read(spec, known, &wanted) == wanted {
            return;
        }
        let task = spec.task_template.get_or_insert_default();
        let before = task.networks.take().unwrap_or_default();
        let attach = |network: &Self| {
            let found =
                known.iter().find(|known| known.id == network.network || known.name == network.network);
            let target = found.map_or(network.network.clone(), |found| found.id.clone());
            let kept = before.iter().find(|before| before.target.as_ref() == Some(&target)).cloned();
            NetworkAttachment {
                target: Some(target),
                aliases: Some(network.aliases.iter().cloned().collect()),
                driver_opts: (!network.driver_options.is_empty()).then(|| network.driver_options.clone()),
                ..kept.unwrap_or_default()
            }
        };
        task.networks = Some(wanted.iter().map(attach).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        collection::{btree_map, btree_set},
        prelude::*,
        sample::subsequence,
    };

    fn known() -> Vec<docker::Network> {
        let network = |name: &str| {
            serde_json::from_value(serde_json::json!({ "Id": format!("id-{name}"), "Name": name }))
        };
        ["a", "b", "c"].map(|name| network(name).unwrap()).into()
    }

    /// Some networks, each by its name or its ID.
    fn networks() -> impl Strategy<Value = Vec<Network>> {
        let network = |name: &'static str| {
            let options = btree_map("[a-z]{1,3}", "[a-z=]{0,3}", 0..3);
            (any::<bool>(), btree_set("[a-z]{1,3}", 0..3), options).prop_map(
                move |(by_id, aliases, driver_options)| Network {
                    network: if by_id { format!("id-{name}") } else { name.to_owned() },
                    aliases,
                    driver_options,
                },
            )
        };
        subsequence(vec!["a", "b", "c"], 0..=3)
            .prop_flat_map(move |names| names.into_iter().map(network).collect::<Vec<_>>())
            .prop_shuffle()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in networks(), wanted in networks()) {
            let known = known();
            let mut spec = ServiceSpec::default();
            Network::write(&before, &mut spec, &known);
            Network::write(&wanted, &mut spec, &known);
            let mut sorted = wanted.clone();
            sorted.sort();
            prop_assert_eq!(Network::read(&spec, &known, &wanted), sorted);
            let once = spec.clone();
            Network::write(&wanted, &mut spec, &known);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
