//! Every attribute with real Terraform: set, planned empty, changed in place, planned empty, cleared, planned empty.

use super::{
    distribution::RSA_KEY,
    samples::{SAMPLES, Sample},
};
use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Attributes that can be set together, in one service.
type Groups = BTreeMap<(&'static str, &'static str, bool), Vec<&'static Sample>>;

/// What follows from other attributes.
const DERIVED: [&str; 4] =
    ["config_preview", "config_secret", "storage.redirect", "storage.filesystem.shared"];

/// Services on one Engine.
struct Matrix<'a> {
    testbed: &'a Testbed,
    prefix: String,
    groups: Groups,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Value(usize),
    Cleared,
}

impl<'a> Matrix<'a> {
    fn new(testbed: &'a Testbed, wanted: impl Fn(&Sample) -> bool) -> Self {
        let mut groups = Groups::new();
        for sample in SAMPLES.iter().filter(|sample| wanted(sample)) {
            groups.entry(sample.group()).or_default().push(sample);
        }
        let matrix = Matrix { testbed, prefix: unique("backends"), groups };
        for letter in ["a", "b"] {
            testbed.docker(&["secret", "create", &matrix.secret(letter), "/etc/hostname"]);
        }
        matrix
    }

    fn secret(&self, letter: &str) -> String {
        format!("{}-SECRET-{letter}", self.prefix)
    }

    /// A configuration in which each attribute of a group has its value, or none has one.
    fn config(&self, samples: &[&Sample], stage: Stage) -> Json {
        let Stage::Value(index) = stage else { return samples[0].bare() };
        let mut config = samples[0].base();
        samples.iter().for_each(|sample| sample.set(&mut config, index));
        config
    }

    /// The service of a group; it has no tasks, since most of these stores are not there.
    fn service(&self, at: usize, samples: &[&Sample], stage: Stage, dialect: &str) -> String {
        let config = self.config(samples, stage);
        let sections: Vec<String> =
            config.as_object().unwrap().iter().map(|(name, value)| format!("  {name} = {value}\n")).collect();
        let key = RSA_KEY.replace('\n', "\\n");
        let sections = sections
            .concat()
            .replace("\"RSA", &format!("\"{key}"))
            .replace("UPSTREAM", "https://registry.example.com")
            .replace("SECRET-", &format!("{}-SECRET-", self.prefix));
        format!(
            "resource \"registry_service\" \"g{at}\" {{\n  provider = swarm\n  name = \"{}-{at}\"\n  image = \"registry:2\"\n  distribution = \"{dialect}\"\n  replicas = 0\n  wait_for = {{ replicas = false }}\n{sections}}}\n",
            self.prefix
        )
    }

    fn hcl(&self, stage: Stage) -> String {
        let service = |(at, samples): (usize, &Vec<&Sample>)| {
            let newest = samples.iter().map(|sample| sample.dialect).max().unwrap();
            self.service(at, samples, stage, newest)
        };
        self.groups.values().enumerate().map(service).collect()
    }

    fn runs(&self) {
        let workspace = Workspace::new(self.testbed, &self.hcl(Stage::Value(0)));
        workspace.apply_and_settle();
        workspace.write(&self.hcl(Stage::Value(1)));
        let plan = workspace.plan();
        for (at, samples) in self.groups.values().enumerate() {
            let changed: BTreeSet<&str> = samples
                .iter()
                .filter(|sample| sample.values[0] != sample.values[1])
                .map(|sample| sample.path)
                .collect();
            let paths = plan.differing_paths(&format!("registry_service.g{at}"));
            let differing: BTreeSet<&str> = paths
                .iter()
                .map(String::as_str)
                .filter(|path| !DERIVED.contains(path) || changed.contains(path))
                .collect();
            assert_eq!(differing, changed);
        }
        assert!(plan.changes().iter().all(|(_, action)| action == "update"), "{}", plan.text);
        workspace.apply_and_settle();
        workspace.write(&self.hcl(Stage::Cleared));
        let plan = workspace.plan();
        assert!(plan.changes().iter().all(|(_, action)| action == "update"), "{}", plan.text);
        workspace.apply_and_settle();
    }
}

impl Drop for Matrix<'_> {
    fn drop(&mut self) {
        for letter in ["a", "b"] {
            // A test that fails may leave services behind that use them; the testbed goes down with them.
            self.testbed.try_docker(&["secret", "rm", &self.secret(letter)]);
        }
    }
}

fn is_of_a_cluster_volume(sample: &Sample) -> bool {
    sample.path == "storage.filesystem.cluster_volume"
}

#[test]
fn every_attribute_of_a_backend_on_engine_20_10() {
    Matrix::new(Testbed::shared(), |sample| !is_of_a_cluster_volume(sample)).runs();
}

#[test]
fn a_cluster_volume_under_the_images() {
    let too_old = Matrix::new(Testbed::shared(), is_of_a_cluster_volume);
    let said = Workspace::new(Testbed::shared(), &too_old.hcl(Stage::Value(0))).plan_fails();
    assert!(said.contains("cluster_volume") && said.contains("1.42"), "{said}");
    let testbed = Testbed::start(&["--engine", "28.5"], &["hubmgr"]);
    Matrix::new(&testbed, is_of_a_cluster_volume).runs();
}

#[test]
fn what_an_older_distribution_would_ignore_is_refused_at_its_place() {
    let matrix = Matrix::new(Testbed::shared(), |sample| sample.dialect != "2.8");
    for (at, samples) in matrix.groups.values().enumerate() {
        let older = matrix.service(at, samples, Stage::Value(0), "2.8");
        let said = Workspace::new(matrix.testbed, &older).plan_fails();
        for sample in samples {
            // A version is told by the value that it is of.
            let own = sample.path.trim_end_matches("_version");
            let parents = sample.path.match_indices('.').map(|(end, _)| &sample.path[..end]);
            let mut paths = parents.chain([own]);
            assert!(
                paths.any(|path| said.contains(&format!("Doubtful `{path}`"))),
                "{}: {said}",
                sample.path
            );
        }
    }
}
