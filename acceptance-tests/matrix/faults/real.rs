//! Faults that no proxy makes: an Engine whose host loses its power, the swarm's leader too, a cable that is pulled, and a
//! disk that is full. The proxy only says when.
//!
//! A leader that dies while another manager is asked is in `leader.rs`, an Engine that is stopped and a lost quorum are in
//! `faults.rs`, and a manager that hangs or dies among several is in `connections.rs`.

use super::{
    cells::{Matrix, Row},
    fault::{Fault, Moment},
    is_all_green,
    operation::Operation,
    proxy::Blow,
    report, subject,
};
use crate::{
    hub::{Hub, Layout},
    matrix::table::Table,
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded},
};
use std::{fs, path::Path, process::Command, sync::Arc};

const STRUCK: [Fault; 2] = [Fault::Struck(Moment::Before), Fault::Struck(Moment::Done)];

/// All that changes something, of two types that are made in moments and of one that has secrets of its own.
fn rows() -> Vec<Row<'static>> {
    let operations = [Operation::Create, Operation::Update, Operation::Delete];
    let rows = ["swarm_secret", "swarm_service", "registry_service"].map(subject);
    rows.into_iter().flat_map(|subject| operations.map(|operation| (subject, operation))).collect()
}

/// Fills a table of these rows, in which a blow falls at each write, and demands that it is green.
fn struck(testbed: &Testbed, name: &str, rows: &[Row<'_>], asked: &str, blow: Blow) {
    let table = Table::open(name);
    let (engine, blow) = (Some(testbed.socket(asked)), Some(blow));
    let matrix = Matrix { engine, blow, ..Matrix::new(testbed, &table, &STRUCK) };
    // One after the other: they share the one host that is struck.
    rows.iter().for_each(|row| matrix.fill(*row, matrix.faults));
    report(name, &table);
    is_all_green(&table);
}

fn is_a_swarm(testbed: &Testbed) {
    eventually("the swarm is there again", || {
        testbed.try_docker(&["node", "ls"]).status.success().then_some(())
    });
}

#[test]
#[ignore = "minutes: acceptance-tests/run --matrix"]
fn an_engine_loses_its_power_at_each_write() {
    let testbed = Arc::new(Testbed::start(&[], &["hubmgr"]));
    let host = Arc::clone(&testbed);
    let blow: Blow = Arc::new(move || {
        host.run("kill", &["hubmgr"]);
        host.run("start", &["hubmgr"]);
        is_a_swarm(&host);
    });
    struck(&testbed, "faults-engine", &rows(), "hubmgr", blow);
}

#[test]
#[ignore = "minutes: acceptance-tests/run --matrix"]
fn the_leader_loses_its_power_at_each_write() {
    let managers = ["hubmgr", "hubworker01", "hubworker02"];
    let testbed = Arc::new(Testbed::start(&["--managers", "3"], &managers));
    let swarm = Arc::clone(&testbed);
    let leader = move || {
        let leads = ["node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}"];
        let nodes = swarm.docker_on("hubworker02", &leads);
        let leader = nodes.lines().find_map(|line| line.strip_suffix(" Leader"));
        leader.map(str::to_owned)
    };
    let swarm = Arc::clone(&testbed);
    let blow: Blow = Arc::new(move || {
        // A manager that is not asked itself leads at each blow.
        let struck = eventually("there is a leader", &leader);
        swarm.run("kill", &[&struck]);
        swarm.run("start", &[&struck]);
        is_a_swarm(&swarm);
    });
    // The manager that is asked is not the one that leads, at first.
    struck(&testbed, "faults-leader", &rows(), "hubworker02", blow);
}

#[test]
#[ignore = "minutes: acceptance-tests/run --matrix"]
fn a_host_is_cut_off_while_its_tasks_are_made() {
    let testbed = Arc::new(Testbed::start(&[], &["hubmgr", "hubworker01", "hubworker02"]));
    let swarm = Arc::clone(&testbed);
    let blow: Blow = Arc::new(move || {
        let state = |wanted: &str| {
            let state = ["node", "inspect", "hubworker02", "--format", "{{.Status.State}}"];
            (swarm.docker(&state) == wanted).then_some(())
        };
        swarm.run("cut", &["hubworker02"]);
        eventually("the swarm misses the host", || state("down"));
        swarm.run("heal", &["hubworker02"]);
        eventually("the swarm has the host again", || state("ready"));
    });
    let hub = subject("registry_service that runs");
    let rows = [Operation::Create, Operation::Update, Operation::Delete].map(|operation| (hub, operation));
    struck(&testbed, "faults-host", &rows, "hubmgr", blow);
}

/// A small disk of its own under a folder, until it is dropped.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(folder: &'a Path, size: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mount = ["-t", "tmpfs", "-o", &format!("size={size}"), "disk"];
        succeeded("mount", &Command::new("mount").args(mount).arg(folder).output().unwrap());
        Disk(folder)
    }

    fn grows(&self, size: &str) {
        let mount = ["-o", &format!("remount,size={size}")];
        succeeded("mount", &Command::new("mount").args(mount).arg(self.0).output().unwrap());
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        succeeded("umount", &Command::new("umount").arg("--lazy").arg(self.0).output().unwrap());
    }
}

#[test]
fn a_full_disk_of_a_registry_is_told_and_the_next_apply_goes_on() {
    let hub = Hub::start();
    let images = hub.images();
    let disk = Disk::mount(&images, "6m");
    // Bytes that nobody can compress, so that they are as many on the disk.
    let layer: Vec<u8> =
        (0_u32..2 << 20).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let layout = Layout::new(&["amd64"], &[b"small", &layer]);
    let hcl = format!(
        "resource \"swarm_registry_image\" \"it\" {{\n  registry = {{ url = \"{}\" }}\n  repository = \"team/app\"\n  \
         tags = [\"1\"]\n  source = {{ oci_layout = \"{}\" }}\n}}\n",
        hub.url(),
        layout.path().display()
    );
    let mut workspace = Workspace::without_engine(Path::new("terraform"), &hcl);
    let logins = workspace.path().join("docker").display().to_string();
    workspace.set("DOCKER_CONFIG", &logins);
    let said = workspace.apply_fails();
    assert!(said.contains(&hub.address) && said.contains("500"), "{said}");
    assert_eq!(hub.digest("team/app:1"), None, "there is no half of an image");
    let plan = workspace.plan();
    assert_eq!(plan.changes().len(), 1, "{}", plan.text);

    disk.grows("64m");
    workspace.apply_and_settle();
    let digest = workspace.state("swarm_registry_image.it")["digest"].as_str().map(str::to_owned);
    assert_eq!(hub.digest("team/app:1"), digest);
    workspace.destroy();
    drop(hub);
}
