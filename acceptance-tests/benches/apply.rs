//! What an apply costs end to end, with real Terraform and a real Engine: `cargo bench --bench apply`, as root.
//!
//! As many objects are made by this provider, by one that does nothing (`contenders.rs`), both with Terraform's default
//! parallelism and with a hundred at a time, and by a bare loop: the same calls of the Engine, one after another over one
//! connection, without Terraform, a plan or a state. For each label the loop reads the node and updates it, as the scripts
//! that people write do by `docker node update --label-add`. All of them take turns. What is said are medians, the middle half
//! of all runs, the ratios of runs that followed each other, and what time becomes as the number grows.

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
mod spread;
#[path = "../testbed.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod testbed;

use asked::Asked;
use contenders::{Contender, Field};
use engine::Engine;
use objects::{HOSTS, Objects};
use spread::{differences, growth, median, ratios, spread};
use std::{io::Write, time::Instant};
use testbed::Testbed;

/// What is applied unless the command line says otherwise.
const USUAL: [(Objects, &[usize]); 2] = [(Objects::Labels, &[30, 300]), (Objects::Secrets, &[30, 300])];
/// Many at a time.
const MANY: &[&str] = &["-parallelism=100"];

/// What is timed, in the order of the turns.
const NAMES: [&str; 5] =
    ["swarm", "nothing", "swarm, 100 at a time", "nothing, 100 at a time", "a bare loop"];

fn main() {
    let asked = Asked::or(&USUAL);
    for (objects, counts) in &asked.objects {
        let testbed = Testbed::start(&[], &HOSTS);
        let field = Field::on(&testbed);
        let mut before: Option<(usize, [Vec<f64>; 5])> = None;
        for &count in counts {
            let times = times(*objects, count, asked.runs, &field, &testbed);
            let mut report = described(*objects, count, &times, asked.runs);
            if let Some((few, before)) = &before {
                report += &format!("  from {few} to {count}:\n");
                for (name, (few_times, times)) in NAMES.iter().zip(before.iter().zip(&times)) {
                    let time = growth((*few, median(few_times)), (count, median(times)), 1e3, "ms");
                    report += &format!("    {name:<34} time {time}\n");
                }
            }
            std::io::stdout().write_all(report.as_bytes()).expect("stdout is open");
            before = Some((count, times));
        }
    }
}

fn times(objects: Objects, count: usize, runs: usize, field: &Field, testbed: &Testbed) -> [Vec<f64>; 5] {
    let (swarm, nothing) = (field.swarm(), field.nothing());
    for contender in [&swarm, &nothing] {
        contender.write(&objects.hcl(&contender.name, count));
    }
    let engine = || Engine::at(&testbed.socket(HOSTS[0]));
    let by_terraform = |contender: &Contender, more: &[&str]| {
        let seconds = contender.apply(more);
        contender.forget();
        objects.remove_all(&mut engine());
        seconds
    };
    let by_a_loop = || {
        let began = Instant::now();
        objects.make(&mut engine(), 0..count);
        let seconds = began.elapsed().as_secs_f64();
        objects.remove_all(&mut engine());
        seconds
    };
    let mut times = <[Vec<f64>; 5]>::default();
    for _ in 0..runs {
        let turn = [
            by_terraform(&swarm, &[]),
            by_terraform(&nothing, &[]),
            by_terraform(&swarm, MANY),
            by_terraform(&nothing, MANY),
            by_a_loop(),
        ];
        for (times, time) in times.iter_mut().zip(turn) {
            times.push(time);
        }
    }
    times
}

fn described(objects: Objects, count: usize, times: &[Vec<f64>; 5], runs: usize) -> String {
    let mut report =
        format!("apply of {count} {}, medians of {runs} runs in turn (the middle half)\n", objects.word());
    for (name, times) in NAMES.iter().zip(times) {
        report += &format!("  {name:<36} {}\n", spread(times, " s"));
    }
    let [swarm, nothing, many, nothing_of_many, script] = times;
    for (name, own, idle) in [("swarm", swarm, nothing), ("swarm, 100 at a time,", many, nothing_of_many)] {
        let beyond = differences(own, idle);
        for (what, values) in [
            (format!("{name} / nothing"), ratios(own, idle)),
            (format!("{name} / the loop"), ratios(own, script)),
            (format!("({name} - nothing) / the loop"), ratios(&beyond, script)),
        ] {
            report += &format!("  {what:<48} {}\n", spread(&values, ""));
        }
    }
    report
}
