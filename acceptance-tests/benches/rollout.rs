//! How soon a rollout is seen to have converged: `cargo bench --bench rollout`, as root.
//!
//! First by the provider's own wait, from the time that the last task itself says it began to run at. Then end to end: from that
//! time until `terraform apply` has ended. What Terraform itself does after the last answer of a provider is told apart by one
//! that does nothing (`contenders.rs`), from its answer to the end of its apply, run by run in turn.
//!
//! A Swarm of several hosts runs on this machine, so the manager's clock, the worker's and ours are one.

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

use contenders::Field;
use engine::Engine;
use objects::HOSTS;
use spread::{at, differences, spread};
use std::{
    collections::BTreeMap,
    io::Write,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use swarm::docker::{ContainerSpec, Docker, Endpoint, ServiceSpec, Settings, TaskSpec, Wait};
use testbed::Testbed;

const ROLLOUTS: usize = 20;
/// How often with Terraform.
const APPLIES: usize = 11;

/// Seconds since 1970 of a time such as `2026-11-25T03:32:07.370767360Z`, as `date` reads it.
fn seconds(time: &str) -> f64 {
    let output = Command::new("date").args(["--date", time, "+%s.%N"]).output().expect("date runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("date prints a number")
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

fn spec(name: &str, generation: usize) -> ServiceSpec {
    ServiceSpec {
        name: Some(name.to_owned()),
        task_template: Some(TaskSpec {
            container_spec: Some(ContainerSpec {
                image: Some("busybox:1".to_owned()),
                args: Some(["sleep", "600"].map(str::to_owned).to_vec()),
                labels: Some(BTreeMap::from([("generation".to_owned(), generation.to_string())])),
                stop_grace_period: Some(0),
                ..ContainerSpec::default()
            }),
            ..TaskSpec::default()
        }),
        ..ServiceSpec::default()
    }
}

/// How many milliseconds after the task's time the provider sees that it runs.
async fn seen_after(docker: &Docker) -> Vec<f64> {
    let mut lags = vec![];
    for generation in 0..ROLLOUTS {
        let id = docker.create_service(&spec("rollout", generation), None).await.expect("a service");
        let began = now();
        let converged =
            docker.converge(&id, Wait::at_most(Duration::from_secs(120))).await.expect("it converges");
        let since = converged.since.expect("a task's time");
        lags.push((began + converged.seen_after.as_secs_f64() - seconds(&since)) * 1e3);
        docker.remove_service(&id).await.expect("it can be removed");
        docker.wait_service_gone(&id, "rollout", Duration::from_secs(60)).await.expect("it goes");
    }
    lags
}

/// A service with a task on each host.
fn hcl(provider: &str) -> String {
    format!(
        r#"terraform {{
  required_providers {{
    {provider} = {{ source = "localhub/{provider}" }}
  }}
}}

resource "swarm_service" "it" {{
  provider          = {provider}
  name              = "converged"
  image             = "busybox:1"
  args              = ["sleep", "600"]
  replicas          = {}
  stop_grace_period = "0s"
}}
"#,
        HOSTS.len()
    )
}

/// When the last task of the service began to run.
fn last_task(engine: &mut Engine) -> f64 {
    let tasks = engine.get("/tasks");
    let tasks = tasks.as_array().expect("a list");
    let running = tasks.iter().filter(|task| task["Status"]["State"] == "running");
    let times: Vec<f64> =
        running.map(|task| seconds(task["Status"]["Timestamp"].as_str().expect("a time"))).collect();
    assert_eq!(times.len(), HOSTS.len(), "an apply ends when the tasks run");
    at(&times, 1.0)
}

/// How many milliseconds after the last task's time an apply has ended, and how many after its provider's answer one has that
/// does nothing.
fn ended_after(testbed: &Testbed) -> (Vec<f64>, Vec<f64>) {
    let field = Field::on(testbed);
    let (swarm, nothing) = (field.swarm(), field.nothing());
    let mut engine = Engine::at(&testbed.socket(HOSTS[0]));
    let (mut own, mut idle) = (vec![], vec![]);
    for contender in [&swarm, &nothing] {
        contender.write(&hcl(&contender.name));
    }
    for _ in 0..APPLIES {
        swarm.apply(&[]);
        let ended = now();
        own.push((ended - last_task(&mut engine)) * 1e3);
        swarm.run(&["destroy", "-auto-approve"]);

        nothing.apply(&[]);
        let ended = now();
        let answered = nothing.state()["resources"][0]["instances"][0]["attributes"]["id"].clone();
        let answered: f64 = answered.as_str().and_then(|nanos| nanos.parse().ok()).expect("a time");
        idle.push((ended - answered / 1e9) * 1e3);
        nothing.forget();
    }
    (own, idle)
}

fn main() {
    let testbed = Testbed::start(&[], &HOSTS);
    let settings = Settings { hosts: vec![testbed.docker_host()], ..Settings::default() };
    let endpoint = Endpoint::resolve(&settings, &|_| None, None).expect("an endpoint");
    let lags = tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async { seen_after(&Docker::new(&endpoint).expect("a client")).await });
    let mut report = format!(
        "{ROLLOUTS} rollouts, seen after the task's own time: median {:.0} ms, 95th percentile {:.0} ms, longest {:.0} ms (goal: 350 ms)\n",
        at(&lags, 0.5),
        at(&lags, 0.95),
        at(&lags, 1.0)
    );
    let (own, idle) = ended_after(&testbed);
    let taken = differences(&own, &idle);
    // That long tasks must go on running until they are believed: meant, and no delay.
    let watched = Wait::at_most(Duration::ZERO).stability.as_secs_f64() * 1e3;
    let left: Vec<f64> = taken.iter().map(|taken| taken - watched).collect();
    report +=
        &format!("{APPLIES} applies of a service of {} tasks, medians (the middle half)\n", HOSTS.len());
    for (what, values) in [
        ("from the last task's own time to the end of the apply", &own),
        ("from the answer of a provider that does nothing to the end", &idle),
        ("the difference: what this provider takes", &taken),
        ("and without the time for which it watches that tasks go on", &left),
    ] {
        report += &format!("  {what:<60} {}\n", spread(values, " ms"));
    }
    std::io::stdout().write_all(report.as_bytes()).expect("stdout is open");
}
