//! A host of the plugin protocol in Python, tofusoup's, takes resources through their lives.

use super::{files, python};
use crate::{
    matrix::{
        starts::{Starts, WITH_TLS, WITHOUT_TLS},
        table::{Cell, Table},
    },
    testbed::{Testbed, unique},
};
use serde_json::Value;

/// Steps that there are at least: fewer were cut off.
const STEPS: usize = 50;

/// Lives through everything in that way.
fn drives_the_provider(table: &Table, column: &str, tls: bool) {
    let testbed = Testbed::shared();
    let starts = Starts::new();
    let folder = tempfile::tempdir().unwrap();
    let output = python()
        .arg(files().join("host.py"))
        .arg(starts.program())
        .arg(unique("foreign"))
        .env("DOCKER_HOST", testbed.docker_host())
        .env("PLUGIN_AUTO_MTLS", tls.to_string())
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let steps: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    for step in &steps {
        let why = step["why"].as_str().unwrap().to_owned();
        let cell = if why.is_empty() { Cell::Green } else { Cell::Red(why) };
        table.record(step["row"].as_str().unwrap(), column, cell);
    }
    assert_eq!(table.red(), Vec::<String>::new(), "{said}");
    assert!(output.status.success() && steps.len() >= STEPS, "{} steps\n{said}", steps.len());
    starts.were_all(if tls { WITH_TLS } else { WITHOUT_TLS });
}

#[test]
fn a_host_in_python_drives_the_provider() {
    let table = Table::open("clients");
    drives_the_provider(&table, "tofusoup", true);
    drives_the_provider(&table, "tofusoup without TLS", false);
}
