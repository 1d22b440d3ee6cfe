//! Services of random options, two of each that go together: applied, planned empty, imported into another state, planned
//! empty, destroyed.
//!
//! The seed is in the names of the services, so whatever fails says it; `SWARM_MATRIX_SEED` sets it.

use crate::{
    service_matrix::{self, SAMPLES, Sample, make_what_samples_name, named, needs},
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};
use swarm::docker::ApiVersion;

/// Services at once.
const SERVICES: usize = 40;
/// Options of each at most.
const OPTIONS: usize = 12;

/// What the Engine does not tell, what is for jobs alone, and what needs tasks that run nowhere here.
const LEFT_OUT: [&str; 7] =
    ["job", "registry_auth", "wait_for", "timeouts", "force_update", "replicas", "image"];

/// What an import does not tell, since nobody can tell it from what is there without: the `docker` command says no to `init`
/// where nothing was said to it, the Engine adds the platforms of an image, and an object in which all is as without it is none.
const LEFT_TO_OTHERS: [&str; 4] =
    ["init", "placement.platforms.", "mounts.volume.no_copy", "privileges.no_new_privileges"];

/// Numbers that look random, the same for the same seed (xorshift).
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let seed = std::env::var("SWARM_MATRIX_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
        Random(seed.unwrap_or_else(now).max(1))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// The arguments of a service, by name.
fn arguments(
    random: &mut Random,
    known: &[&Sample],
    prefix: &str,
    number: usize,
) -> BTreeMap<&'static str, String> {
    let mut arguments = BTreeMap::from([
        ("image", "image = \"busybox:1\"".to_owned()),
        ("replicas", "replicas = 0".to_owned()),
        ("command", "command = [\"sleep\", \"600\"]".to_owned()),
    ]);
    for _ in 0..1 + random.below(OPTIONS) {
        let sample = known[random.below(known.len())];
        let own = sample.hcl.split(' ').next().unwrap_or_default();
        let value = sample.values[random.below(2)];
        arguments.insert(own, named(prefix, &sample.hcl.replace("VALUE", value)));
    }
    // Ports of the routing mesh need an address of the service's own; a port belongs to one service.
    let has_no_address = arguments.get("endpoint_mode").is_some_and(|mode| mode.contains("dnsrr"));
    if let Some(publish) = arguments.get_mut("publish") {
        let port = 20_000 + number;
        let start = publish.find("port = ").unwrap() + "port = ".len();
        let end = start + publish[start..].find(|letter: char| !letter.is_ascii_digit()).unwrap();
        publish.replace_range(start..end, &port.to_string());
        if has_no_address {
            arguments.remove("publish");
        }
    }
    arguments
}

fn every_random_service_is_what_it_says(testbed: &Testbed) {
    let newest = testbed.docker(&["version", "--format", "{{.Server.APIVersion}}"]);
    let spoken = newest.parse::<ApiVersion>().unwrap().min(ApiVersion::NEWEST);
    let mut random = Random::seeded();
    let prefix = unique(&format!("random-{}", random.0));
    make_what_samples_name(testbed, &prefix);
    let is_left_out = |sample: &Sample| {
        LEFT_OUT.contains(&sample.hcl.split(' ').next().unwrap_or_default())
            || LEFT_TO_OTHERS.iter().any(|path| sample.path.starts_with(path))
    };
    let known: Vec<&Sample> = SAMPLES
        .iter()
        .filter(|sample| !is_left_out(sample) && needs(sample).is_none_or(|since| since.version <= spoken))
        .collect();
    let (mut hcl, mut imports) = (String::new(), String::new());
    for number in 0..SERVICES {
        let arguments = arguments(&mut random, &known, &prefix, number);
        let lines: Vec<String> = arguments.into_values().map(|line| format!("  {line}\n")).collect();
        hcl += &format!(
            "resource \"swarm_service\" \"s{number}\" {{\n  name = \"{prefix}-{number}\"\n{}}}\n",
            lines.concat()
        );
        imports += &format!("import {{\n  to = swarm_service.s{number}\n  id = \"{prefix}-{number}\"\n}}\n");
    }
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    let other = Workspace::new(testbed, &format!("{hcl}{imports}"));
    let plan = other.plan();
    assert_eq!(plan.changes(), [], "{}\n{hcl}", plan.text);
    other.apply_and_settle();
    other.run(&["state", "rm", "swarm_service.s0"]);
    other.destroy();
    workspace.run(&["plan", "-no-color"]);
    assert_eq!(workspace.plan().changes().len(), SERVICES - 1, "what the other has destroyed is gone");
    workspace.destroy();
    service_matrix::remove_what_samples_name(testbed, &prefix);
}

#[test]
fn on_engine_20_10() {
    every_random_service_is_what_it_says(Testbed::shared());
}

#[test]
#[ignore = "a minute for each Engine: acceptance-tests/run --matrix"]
fn on_engines_26_1_and_28_5() {
    for engine in ["26.1", "28.5"] {
        every_random_service_is_what_it_says(&Testbed::start(&["--engine", engine], &["hubmgr"]));
    }
}
