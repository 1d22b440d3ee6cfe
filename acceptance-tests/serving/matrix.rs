//! Every attribute with real Terraform: set, planned empty, changed in place, planned empty, cleared, planned empty.

use super::samples::{SAMPLES, Sample};
use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What follows from other attributes.
const DERIVED: [&str; 4] = ["config_preview", "config_secret", "stop_grace_period", "healthcheck.command"];

/// Whose second value is what is meant without one.
const BY_DEFAULT: [&str; 4] = ["http.http2", "http.h2c", "notification_references", "behind_tls_proxy"];

/// A service for each sample; it has no tasks, since it is its specification that is looked at.
struct Matrix<'a> {
    testbed: &'a Testbed,
    prefix: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Value(usize),
    Cleared,
}

impl<'a> Matrix<'a> {
    fn new(testbed: &'a Testbed) -> Self {
        let matrix = Matrix { testbed, prefix: unique("serving") };
        for letter in ["a", "b"] {
            testbed.docker(&["secret", "create", &matrix.secret(letter), "/etc/hostname"]);
        }
        matrix
    }

    fn secret(&self, letter: &str) -> String {
        format!("{}-SECRET-{letter}", self.prefix)
    }

    fn address(sample: &Sample) -> String {
        format!("registry_service.{}", sample.path.replace('.', "__"))
    }

    fn service(&self, sample: &Sample, stage: Stage, dialect: &str) -> String {
        let config = match stage {
            Stage::Value(index) => sample.config(index),
            Stage::Cleared => Json::Object(serde_json::Map::new()),
        };
        let sections: String =
            config.as_object().unwrap().iter().map(|(name, value)| format!("  {name} = {value}\n")).collect();
        let resource = sample.path.replace('.', "__");
        let at = SAMPLES.iter().position(|other| other.path == sample.path).unwrap();
        // An authority asks at port 443; in host mode each service can have it.
        let publish = match sample.path.starts_with("tls.lets_encrypt") {
            true => "  publish = [{ port = 443, mode = \"host\" }]\n",
            false => "",
        };
        format!(
            "resource \"registry_service\" \"{resource}\" {{\n  provider = swarm\n  name = \"{}-{at}\"\n  image = \"registry:2\"\n  distribution = \"{dialect}\"\n  replicas = 0\n  wait_for = {{ replicas = false }}\n  storage = {{ filesystem = {{ volume = \"images\" }} }}\n{publish}{}}}\n",
            self.prefix,
            sections.replace("SECRET-", &format!("{}-SECRET-", self.prefix))
        )
    }

    fn hcl(&self, stage: Stage) -> String {
        SAMPLES.iter().map(|sample| self.service(sample, stage, sample.dialects.last().unwrap())).collect()
    }

    fn runs(&self) {
        let workspace = Workspace::new(self.testbed, &self.hcl(Stage::Value(0)));
        workspace.apply_and_settle();
        workspace.write(&self.hcl(Stage::Value(1)));
        let plan = workspace.plan();
        let changes: BTreeMap<String, String> = plan.changes().into_iter().collect();
        for sample in SAMPLES {
            let address = Self::address(sample);
            assert_eq!(changes.get(&address).map(String::as_str), Some("update"), "{address}: {}", plan.text);
            let mut differing = plan.differing_paths(&address);
            differing.retain(|path| !DERIVED.contains(&path.as_str()));
            let own = sample.differs_at();
            assert!(
                !differing.is_empty() && differing.iter().all(|path| path.starts_with(&own)),
                "{address}: {differing:?}"
            );
        }
        workspace.apply_and_settle();
        workspace.write(&self.hcl(Stage::Cleared));
        let plan = workspace.plan();
        let changes: BTreeMap<String, String> = plan.changes().into_iter().collect();
        for sample in SAMPLES {
            let address = Self::address(sample);
            let expected = (!BY_DEFAULT.contains(&sample.path)).then_some("update");
            assert_eq!(changes.get(&address).map(String::as_str), expected, "{address}: {}", plan.text);
        }
        workspace.apply_and_settle();
        self.nothing_is_left(&workspace);
    }

    /// What is left is what a registry of that dialect has of which nothing is said.
    fn nothing_is_left(&self, workspace: &Workspace) {
        let json: Json = serde_json::from_str(&workspace.run(&["show", "-json"])).unwrap();
        let resources = json["values"]["root_module"]["resources"].as_array().unwrap();
        let mut previews: BTreeMap<&str, &Json> = BTreeMap::new();
        for resource in resources {
            let values = &resource["values"];
            let preview = previews.entry(values["distribution"].as_str().unwrap()).or_insert(values);
            for name in ["config_preview", "http", "healthcheck", "stop_grace_period", "env", "mounts"] {
                assert_eq!(preview[name], values[name], "{} of {}", name, resource["address"]);
            }
        }
        let inspected =
            self.testbed.docker(&["service", "ls", "--quiet", "--filter", &format!("name={}", self.prefix)]);
        let mut inspect = vec!["service", "inspect", "--format", "{{json .Spec.TaskTemplate.ContainerSpec}}"];
        inspect.extend(inspected.lines());
        for spec in self.testbed.docker(&inspect).lines() {
            let spec: Json = serde_json::from_str(spec).unwrap();
            assert_eq!(spec["Secrets"].as_array().map(Vec::len), Some(1), "{spec}");
            assert_eq!(spec["Mounts"].as_array().map(Vec::len), Some(1), "{spec}");
        }
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

#[test]
fn every_attribute_of_serving_on_engine_20_10() {
    Matrix::new(Testbed::shared()).runs();
}

#[test]
fn what_another_distribution_would_ignore_is_refused_at_its_place() {
    let matrix = Matrix::new(Testbed::shared());
    let others: Vec<&Sample> = SAMPLES.iter().filter(|sample| sample.dialects.len() < 3).collect();
    let wrong =
        |sample: &&&Sample| ["2.8", "3.0", "3.1"].into_iter().find(|it| !sample.dialects.contains(it));
    let hcl: String = others
        .iter()
        .map(|sample| matrix.service(sample, Stage::Value(0), wrong(&sample).unwrap()))
        .collect();
    let said = Workspace::new(matrix.testbed, &hcl).plan_fails();
    for sample in others {
        let resource = sample.path.replace('.', "__");
        let parents = sample.path.match_indices('.').map(|(end, _)| &sample.path[..end]);
        let mut paths: Vec<&str> = parents.chain([sample.path]).collect();
        paths.retain(|path| {
            said.split("Error:").any(|part| {
                part.contains(&format!("Doubtful `{path}`")) && part.contains(&format!("\"{resource}\""))
            })
        });
        assert!(!paths.is_empty(), "{}: {said}", sample.path);
    }
}
