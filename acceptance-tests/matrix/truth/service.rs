//! `swarm_service`, by the samples of its own matrix.

use super::case::{Case, Expected, IS_THE_DEFAULT, TERRAFORM_S};
use crate::service_matrix::{SAMPLES, Sample, Stage, arguments, goes_back_to_the_default, needs};
use swarm::docker::ApiVersion;

/// What nobody but Terraform knows, or what the Engine does not tell.
pub fn behind(path: &str) -> Expected {
    let is_terraform_s =
        ["timeouts.", "wait_for.", "registry_auth.", "force_update"].iter().any(|it| path.starts_with(it));
    if is_terraform_s { Expected::Blank(TERRAFORM_S) } else { Expected::Update }
}

/// The cases, and what the Engine is too old for.
pub fn cases(prefix: &str, spoken: ApiVersion) -> (Vec<Case>, Vec<&'static str>) {
    let (newer, samples): (Vec<&Sample>, Vec<&Sample>) =
        SAMPLES.iter().partition(|sample| needs(sample).is_some_and(|since| since.version > spoken));
    let mut cases: Vec<Case> = samples.into_iter().map(|sample| case(prefix, sample)).collect();
    let of = |name: &str, mode: &str| {
        format!(
            "  name = \"{prefix}-{name}\"\n  image = \"busybox:1\"\n  wait_for = {{ replicas = false }}\n{mode}"
        )
    };
    cases.push(
        Case::new(
            "swarm_service",
            "name",
            &of("name-a", "  replicas = 0"),
            &of("name-b", "  replicas = 0"),
            None,
        )
        .replaces(),
    );
    // A global service of no node.
    let nowhere = "  placement = { constraints = [\"node.labels.a == none\"] }\n";
    let (global, replicated) =
        (format!("{nowhere}  mode = \"global\""), format!("{nowhere}  mode = \"replicated\""));
    cases.push(
        Case::new(
            "swarm_service",
            "mode",
            &of("mode", &global),
            &of("mode", &replicated),
            Some(&of("mode", nowhere)),
        )
        .replaces()
        .cleared(Expected::Nothing(IS_THE_DEFAULT)),
    );
    (cases, newer.into_iter().map(|sample| sample.path).collect())
}

fn case(prefix: &str, sample: &Sample) -> Case {
    let [first, second] = [0, 1].map(|index| arguments(prefix, sample, Stage::Value(index)));
    let without = arguments(prefix, sample, Stage::Cleared);
    let case =
        Case::new("swarm_service", sample.path, &first, &second, Some(&without)).behind(behind(sample.path));
    if sample.path == "image" {
        return case.cleared(Expected::Blank(super::case::REQUIRED));
    }
    if goes_back_to_the_default(sample) { case.cleared(Expected::Nothing(IS_THE_DEFAULT)) } else { case }
}
