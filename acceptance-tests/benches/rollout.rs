//! How long after the task's own time a rollout is seen to have converged: `cargo bench --bench rollout`, as root.
//!
//! A Swarm of two hosts runs on this machine, so the manager's clock, the worker's and ours are one.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use swarm::docker::{ContainerSpec, Docker, Endpoint, ServiceSpec, Settings, TaskSpec, Wait};

const ROLLOUTS: usize = 20;

fn testbed(arguments: &[&str]) {
    let command = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance-tests/testbed/testbed");
    let status = Command::new(command).args(arguments).status().expect("the testbed can be run");
    assert!(status.success(), "testbed {arguments:?}");
}

/// Seconds since 1970 of a time such as `2026-11-25T03:32:07.370767360Z`, as `date` reads it.
fn seconds(time: &str) -> f64 {
    let output = Command::new("date").args(["--date", time, "+%s.%N"]).output().expect("date runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("date prints a number")
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

async fn measure(docker: &Docker) -> Vec<f64> {
    let mut lags = vec![];
    for generation in 0..ROLLOUTS {
        let id = docker.create_service(&spec("rollout", generation), None).await.expect("a service");
        let began = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        let converged =
            docker.converge(&id, Wait::at_most(Duration::from_secs(120))).await.expect("it converges");
        let since = converged.since.expect("a task's time");
        lags.push((began + converged.seen_after.as_secs_f64() - seconds(&since)) * 1e3);
        docker.remove_service(&id).await.expect("it can be removed");
        docker.wait_service_gone(&id, "rollout", Duration::from_secs(60)).await.expect("it goes");
    }
    lags.sort_by(f64::total_cmp);
    lags
}

#[tokio::main]
async fn main() {
    let folder = std::env::temp_dir().join(format!("rollout-{}", std::process::id()));
    let folder = folder.to_str().expect("a path in UTF-8");
    let owner = std::process::id().to_string();
    testbed(&["up", folder, "--owner", &owner, "manager", "worker"]);
    let settings = Settings { hosts: vec![format!("unix://{folder}/manager.sock")], ..Settings::default() };
    let endpoint = Endpoint::resolve(&settings, &|_| None, None).expect("an endpoint");
    let lags = measure(&Docker::new(&endpoint).expect("a client")).await;
    testbed(&["down", folder]);
    let at = |part: f64| lags[((lags.len() - 1) as f64 * part).round() as usize];
    let report = format!(
        "{ROLLOUTS} rollouts, seen after the task's own time: median {:.0} ms, 95th percentile {:.0} ms, longest {:.0} ms (goal: 350 ms)\n",
        at(0.5),
        at(0.95),
        at(1.0)
    );
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("stdout is open");
}
