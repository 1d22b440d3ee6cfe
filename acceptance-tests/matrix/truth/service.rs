//! `swarm_service`, by the samples of its own matrix.

use super::{
    case::{Case, Expected, REQUIRED, TERRAFORM_S},
    rows::{self, Rows},
    without::{Without, parsed},
};
use crate::service_matrix::{SAMPLES, Sample, Stage, arguments, goes_back_to_the_default, named, needs};
use swarm::docker::ApiVersion;

/// What goes back to the default where the rest of its object stays.
pub const IN_ITS_OBJECT: [&str; 4] =
    ["mounts.bind_non_recursive", "mounts.read_only", "mounts.volume.no_copy", "publish.mode"];

/// What something else in its argument needs.
const NEEDED: [&str; 2] = ["privileges.seccomp.profile", "registry_auth.password"];

/// What nobody but Terraform knows, or what the Engine does not tell.
pub fn behind(path: &str) -> Expected {
    let is_terraform_s =
        ["timeouts.", "wait_for.", "registry_auth.", "force_update"].iter().any(|it| path.starts_with(it));
    if is_terraform_s { Expected::Blank(TERRAFORM_S) } else { Expected::Update }
}

/// The cases, and what the Engine is too old for.
pub fn cases(prefix: &str, spoken: ApiVersion, rows: &Rows) -> (Vec<Case>, Vec<&'static str>) {
    let (newer, samples): (Vec<&Sample>, Vec<&Sample>) =
        SAMPLES.iter().partition(|sample| needs(sample).is_some_and(|since| since.version > spoken));
    let mut cases: Vec<Case> = samples.into_iter().map(|sample| case(prefix, sample, rows)).collect();
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
        .back_to_default(),
    );
    (cases, newer.into_iter().map(|sample| sample.path).collect())
}

/// An argument without the attribute; where something else in there needs it, all of the argument goes.
pub fn without(path: &str, hcl: &str, needed: &[bool]) -> Without {
    let mut needed = needed.to_vec();
    if NEEDED.contains(&path) {
        needed.fill(true);
    }
    Without::of(parsed(hcl), path, &needed)
}

fn case(prefix: &str, sample: &Sample, rows: &Rows) -> Case {
    let [first, second] = [0, 1].map(|index| arguments(prefix, sample, Stage::Value(index)));
    let left = without(sample.path, sample.hcl, rows::needed(rows, "swarm_service", sample.path));
    let cleared = format!("{}\n{}", arguments(prefix, sample, Stage::Cleared), named(prefix, &left.lines()));
    let case = Case::new("swarm_service", sample.path, &first, &second, Some(&cleared))
        .whole(left.whole)
        .behind(behind(sample.path));
    if sample.path == "image" {
        return case.cleared(Expected::Blank(REQUIRED));
    }
    if goes_back_to_the_default(sample) || IN_ITS_OBJECT.contains(&sample.path) {
        return case.back_to_default();
    }
    case
}
