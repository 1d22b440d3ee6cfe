//! What a plan costs end to end, with real Terraform and a real Engine: `cargo bench --bench terraform`, as root.
//!
//! As many objects are refreshed and planned by this provider, by one that does nothing but is built on the same plugin layer
//! (`nothing.rs`), and by Terraform's own `terraform_data`: run by run in turn, so that all of them have the same machine. What
//! is said are medians, the middle half of all runs, and the ratios of runs that followed each other.

#[path = "../terraform.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod terraform;
#[path = "../testbed.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod testbed;

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use terraform::Workspace;
use testbed::{Testbed, root, succeeded};

const RUNS: usize = 11;

/// As many secrets as said, of the provider of that name.
fn hcl(count: usize, provider: &str) -> String {
    format!(
        r#"
terraform {{
  required_providers {{
    {provider} = {{ source = "localhub/{provider}" }}
  }}
}}

resource "swarm_secret" "it" {{
  provider = {provider}
  count    = {count}
  name     = "s${{count.index}}"
  data_wo  = "data ${{count.index}}"
  labels   = {{ part = "of many" }}
}}
"#
    )
}

/// A folder in which Terraform plans, and the program whose memory is looked at.
struct Contender {
    name: &'static str,
    folder: PathBuf,
    program: Option<&'static str>,
}

fn main() {
    let counts: Vec<usize> = match std::env::var("SWARM_BENCH_COUNTS") {
        Ok(counts) => counts.split(',').map(|count| count.parse().expect("numbers")).collect(),
        Err(_) => vec![1000, 5000],
    };
    let nothing = built_nothing();
    let mut report = String::new();
    let mut peaks = BTreeMap::new();
    for &count in &counts {
        let testbed = Testbed::start(&[], &["hubmgr"]);
        let workspace = Workspace::new(&testbed, "");
        fs::write(workspace.path().join("main.tf"), hcl(count, "swarm")).expect("written");
        workspace.run(&["apply", "-auto-approve", "-no-color", "-parallelism=50"]);
        let contenders = contenders(&workspace, &nothing, count);
        let mut times: Vec<Vec<f64>> = vec![vec![]; contenders.len()];
        for _ in 0..RUNS {
            for (contender, times) in contenders.iter().zip(&mut times) {
                let began = Instant::now();
                planned(plan(contender, &testbed));
                times.push(began.elapsed().as_secs_f64());
            }
        }
        report += &format!(
            "refresh and plan of {count} secrets, medians of {RUNS} runs in turn (the middle half)\n"
        );
        for (contender, times) in contenders.iter().zip(&times) {
            let peak = contender.program.map(|program| peak(plan(contender, &testbed), program));
            let memory = peak.map_or_else(String::new, |peak| format!(", {peak:.1} MiB at most"));
            if let Some(peak) = peak {
                peaks.entry(contender.name).or_insert_with(Vec::new).push((count, peak));
            }
            report += &format!("  {:<15} {}{memory}\n", contender.name, spread(times, " s"));
        }
        for other in 1..contenders.len() {
            let ratios: Vec<f64> = times[0].iter().zip(&times[other]).map(|(own, its)| own / its).collect();
            report += &format!("  swarm / {:<15} {}\n", contenders[other].name, spread(&ratios, ""));
        }
    }
    for (name, peaks) in &peaks {
        if let [(few, low), .., (many, high)] = &peaks[..] {
            let slope = (high - low) * 1024.0 / (many - few) as f64;
            report += &format!("{name}: {slope:.2} KiB of memory for each object more\n");
        }
    }
    std::io::stdout().write_all(report.as_bytes()).expect("stdout is open");
}

/// The folder of the provider that does nothing.
fn built_nothing() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--example", "nothing"]).current_dir(root());
    assert!(cargo.status().expect("cargo can be run").success());
    let program =
        Path::new(env!("CARGO_BIN_EXE_terraform-provider-swarm")).with_file_name("examples/nothing");
    let folder = program.with_file_name("nothing-provider");
    fs::create_dir_all(&folder).expect("a folder");
    fs::copy(program, folder.join("terraform-provider-nothing")).expect("the program");
    folder
}

/// The three that are compared, with states that tell of the same objects.
fn contenders(own: &Workspace, nothing: &Path, count: usize) -> Vec<Contender> {
    let state = fs::read_to_string(own.path().join("terraform.tfstate")).expect("a state");
    let idle = own.path().join("nothing");
    fs::create_dir(&idle).expect("a folder");
    fs::write(idle.join("main.tf"), hcl(count, "nothing")).expect("written");
    fs::write(idle.join("terraform.tfstate"), state.replace("localhub/swarm", "localhub/nothing"))
        .expect("written");
    let settings = fs::read_to_string(own.path().join("terraform.rc")).expect("settings");
    let also = format!("dev_overrides {{\n    \"localhub/nothing\" = \"{}\"\n   ", nothing.display());
    fs::write(own.path().join("terraform.rc"), settings.replace("dev_overrides {", &also)).expect("written");
    let data = own.path().join("data");
    fs::create_dir(&data).expect("a folder");
    let body = "input = { name = \"s${count.index}\", labels = { part = \"of many\" } }";
    fs::write(
        data.join("main.tf"),
        format!("resource \"terraform_data\" \"it\" {{\n  count = {count}\n  {body}\n}}\n"),
    )
    .expect("written");
    let contenders = vec![
        Contender { name: "swarm", folder: own.path().to_owned(), program: Some("terraform-provider-swarm") },
        Contender { name: "nothing", folder: idle, program: Some("terraform-provider-nothing") },
        Contender { name: "terraform_data", folder: data, program: None },
    ];
    let mut init = own.command(&["init", "-no-color"]);
    succeeded("terraform init", &init.current_dir(&contenders[2].folder).output().expect("Terraform runs"));
    let mut apply = own.command(&["apply", "-auto-approve", "-no-color"]);
    succeeded("terraform apply", &apply.current_dir(&contenders[2].folder).output().expect("Terraform runs"));
    contenders
}

/// A plan that is under way, with a refresh.
fn plan(contender: &Contender, testbed: &Testbed) -> Child {
    let mut command = Command::new("terraform");
    command.args(["plan", "-detailed-exitcode", "-no-color", "-input=false"]);
    let settings =
        contender.folder.ancestors().map(|folder| folder.join("terraform.rc")).find(|file| file.exists());
    command.env("TF_CLI_CONFIG_FILE", settings.expect("settings")).env("CHECKPOINT_DISABLE", "1");
    command.env("DOCKER_HOST", testbed.docker_host()).current_dir(&contender.folder);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("Terraform runs")
}

/// Waits for a plan, which must find nothing to do.
fn planned(plan: Child) {
    let output = plan.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "not empty: {}", String::from_utf8_lossy(&output.stderr));
}

/// The most memory that a program had while a plan ran, in MiB, as the kernel counts it.
fn peak(plan: Child, program: &str) -> f64 {
    let waiting = thread::spawn(move || planned(plan));
    let mut most: f64 = 0.0;
    while !waiting.is_finished() {
        for process in fs::read_dir("/proc").expect("processes").filter_map(Result::ok) {
            let is_it =
                fs::read_to_string(process.path().join("cmdline")).is_ok_and(|line| line.contains(program));
            let Some(status) =
                is_it.then(|| fs::read_to_string(process.path().join("status")).ok()).flatten()
            else {
                continue;
            };
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
            most = most.max(kib.unwrap_or(0.0) / 1024.0);
        }
        thread::sleep(Duration::from_millis(2));
    }
    waiting.join().expect("the plan is empty");
    most
}

/// The median, and between which two the middle half lies.
fn spread(values: &[f64], unit: &str) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize];
    format!("{:.3}{unit} ({:.3} to {:.3})", at(0.5), at(0.25), at(0.75))
}
