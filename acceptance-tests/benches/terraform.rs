//! What a plan costs end to end, with real Terraform and a real Engine: `cargo bench --bench terraform`, as root.
//!
//! As many objects are refreshed and planned by this provider, by one that does nothing, and by Terraform's own
//! `terraform_data` (`contenders.rs`): run by run in turn, so that all of them have the same machine. What is said are medians,
//! the middle half of all runs, the ratios of runs that followed each other, and what time and memory become as the number grows.
//!
//! The first object of a kind is made by Terraform, all others by the calls of the Engine alone, and their state is that of the
//! first; each plan must be empty, so it is a state as Terraform would have made it.

#[path = "asked.rs"]
mod asked;
#[path = "contenders.rs"]
#[expect(dead_code, reason = "other benchmarks use more of it")]
mod contenders;
#[path = "engine.rs"]
mod engine;
#[path = "objects.rs"]
#[expect(dead_code, reason = "other benchmarks use more of it")]
mod objects;
#[path = "spread.rs"]
#[expect(dead_code, reason = "other benchmarks use more of it")]
mod spread;
#[path = "../testbed.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod testbed;

use asked::Asked;
use contenders::{Contender, Field, multiplied, of_provider};
use engine::Engine;
use objects::{HOSTS, Made, Objects};
use spread::{growth, median, ratios, spread};
use std::io::Write;
use testbed::Testbed;

/// What is planned unless the command line says otherwise.
const USUAL: [(Objects, &[usize]); 3] = [
    (Objects::Secrets, &[100, 1000, 2000, 5000]),
    (Objects::Labels, &[200, 2000]),
    (Objects::Services, &[50, 500]),
];
/// How often the memory is looked at.
const LOOKS: usize = 3;

/// What the runs of one number of objects came to, for each contender.
struct Outcome {
    count: usize,
    seconds: Vec<Vec<f64>>,
    peaks: Vec<Option<f64>>,
}

fn main() {
    let asked = Asked::or(&USUAL);
    for (objects, counts) in &asked.objects {
        let testbed = Testbed::start(&[], &HOSTS);
        let field = Field::on(&testbed);
        let contenders = [field.swarm(), field.nothing(), field.terraform_data()];
        let mut made = first(*objects, &contenders);
        let states: Vec<_> = contenders.iter().map(Contender::state).collect();
        let mut before: Option<Outcome> = None;
        for &count in counts {
            made.extend(objects.make(&mut Engine::at(&testbed.socket(HOSTS[0])), made.len()..count));
            for (contender, state) in contenders.iter().zip(&states) {
                contender.write(&hcl(*objects, &contender.name, count));
                contender.write_state(&multiplied(state, &made));
            }
            let outcome = outcome(&contenders, count, asked.runs);
            say(&described(*objects, &contenders, &outcome, asked.runs));
            if let Some(before) = &before {
                say(&grown(&contenders, before, &outcome));
            }
            before = Some(outcome);
        }
    }
}

fn say(report: &str) {
    std::io::stdout().write_all(report.as_bytes()).expect("stdout is open");
}

/// The configuration of a contender.
fn hcl(objects: Objects, contender: &str, count: usize) -> String {
    if contender != "terraform_data" {
        return objects.hcl(contender, count);
    }
    let input = "{ name = \"bench-${count.index}\", labels = { part = \"of many\" } }";
    format!("resource \"terraform_data\" \"it\" {{\n  count = {count}\n  input = {input}\n}}\n")
}

/// Has each contender make the first object, and tells of it.
fn first(objects: Objects, contenders: &[Contender; 3]) -> Vec<Made> {
    let [swarm, nothing, data] = contenders;
    swarm.write(&hcl(objects, &swarm.name, 1));
    swarm.apply(&[]);
    let state = swarm.state();
    nothing.write_state(&of_provider(&state, "swarm", "nothing"));
    data.write(&hcl(objects, &data.name, 1));
    data.init();
    data.apply(&[]);
    let id = state["resources"][0]["instances"][0]["attributes"][objects.id()].as_str();
    vec![Made { id: id.expect("an ID").to_owned(), host: HOSTS[0] }]
}

fn outcome(contenders: &[Contender; 3], count: usize, runs: usize) -> Outcome {
    let mut seconds = vec![vec![]; contenders.len()];
    for _ in 0..runs {
        for (contender, seconds) in contenders.iter().zip(&mut seconds) {
            seconds.push(contender.plan());
        }
    }
    let peak = |contender: &Contender| {
        let peaks: Option<Vec<f64>> = (0..LOOKS).map(|_| contender.peak()).collect();
        peaks.map(|peaks| median(&peaks))
    };
    Outcome { count, seconds, peaks: contenders.iter().map(peak).collect() }
}

fn described(objects: Objects, contenders: &[Contender; 3], outcome: &Outcome, runs: usize) -> String {
    let Outcome { count, seconds, peaks } = outcome;
    let mut report = format!(
        "refresh and plan of {count} {}, medians of {runs} runs in turn (the middle half)\n",
        objects.word()
    );
    for ((contender, seconds), peak) in contenders.iter().zip(seconds).zip(peaks) {
        let memory = peak.map_or_else(String::new, |peak| format!(", {peak:.1} MiB at most"));
        report += &format!("  {:<24} {}{memory}\n", contender.name, spread(seconds, " s"));
    }
    for (contender, its) in contenders.iter().zip(seconds).skip(1) {
        report += &format!("  swarm / {:<16} {}\n", contender.name, spread(&ratios(&seconds[0], its), ""));
    }
    report
}

/// What each becomes as the number grows.
fn grown(contenders: &[Contender; 3], before: &Outcome, outcome: &Outcome) -> String {
    let mut report = format!("  from {} to {}:\n", before.count, outcome.count);
    for (index, contender) in contenders.iter().enumerate() {
        let time = |outcome: &Outcome| (outcome.count, median(&outcome.seconds[index]));
        let time = growth(time(before), time(outcome), 1e3, "ms");
        report += &format!("    {:<22} time {time}\n", contender.name);
        if let (Some(few), Some(many)) = (before.peaks[index], outcome.peaks[index]) {
            let memory = growth((before.count, few), (outcome.count, many), 1024.0, "KiB");
            report += &format!("    {:<22} memory {memory}\n", "");
        }
    }
    report
}
