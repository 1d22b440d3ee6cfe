//! The core of the acceptance tests with every Terraform that is supported, and each way in which it gets to the provider.

mod besides;
mod client;
mod kinds;
mod notes;
mod story;

use super::table::Table;
use crate::testbed::Testbed;
use client::{Client, Column, Version, Way};
use kinds::{KINDS, Kind};
use notes::Notes;
use std::sync::Mutex;
use story::Story;

/// Each release from the oldest to the newest that is supported.
const VERSIONS: &[Version] = &[(1, 8), (1, 9), (1, 10), (1, 11), (1, 12), (1, 13), (1, 14), (1, 15)];

/// Those that are reached in each way; the others are reached as Terraform does by itself.
const IN_EACH_WAY: &[Version] = &[(1, 8), (1, 11), (1, 14), (1, 15)];

/// How many Terraforms work at the same time.
const AT_ONCE: usize = 3;

fn columns() -> Vec<Column> {
    let ways = |version: &Version| match IN_EACH_WAY.contains(version) {
        true => vec![Way::Tls, Way::Plain, Way::Reattached],
        false => vec![Way::Tls],
    };
    let of_version = |version: &Version| {
        let version = *version;
        ways(&version).into_iter().map(move |way| Column { version, way })
    };
    VERSIONS.iter().flat_map(of_version).collect()
}

/// The row and the column of each cell.
pub fn expected() -> Vec<(String, String)> {
    let of_kind =
        |kind: &Kind| story::steps().map(|step| format!("{}: {step}", kind.r#type)).collect::<Vec<_>>();
    let mut rows: Vec<String> = KINDS.iter().flat_map(of_kind).collect();
    rows.extend(besides::BESIDES.iter().map(|(name, _)| (*name).to_owned()));
    let columns = columns();
    let of_row =
        |row: &String| columns.iter().map(|column| (row.clone(), column.to_string())).collect::<Vec<_>>();
    rows.iter().flat_map(of_row).collect()
}

/// Fills a column, with all kinds in one workspace.
fn fill(table: &Table, testbed: &Testbed, column: Column) {
    let client = Client::new(column, testbed);
    let notes = Notes::new(table, column);
    let kinds: Vec<&Kind> = KINDS.iter().collect();
    Story::new(&client, testbed, &kinds, &notes).is_told();
    besides::are_tried(&client, testbed, &notes);
}

/// The core in two ways that Terraform does not take by itself: the other tests take that one.
fn the_core(version: Version, way: Way) {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open_in(folder.path(), "core", "");
    fill(&table, &testbed, Column { version, way });
    assert_eq!(table.red(), Vec::<String>::new());
    assert_eq!(table.cells().len(), KINDS.len() * story::steps().count() + besides::BESIDES.len());
}

#[test]
fn the_core_on_terraform_1_8_without_tls() {
    the_core((1, 8), Way::Plain);
}

#[test]
fn the_core_on_terraform_1_15_with_a_provider_that_runs_already() {
    the_core((1, 15), Way::Reattached);
}

#[test]
#[ignore = "a quarter of an hour: acceptance-tests/run --matrix"]
fn the_whole() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let table = Table::open("versions");
    let left = Mutex::new(columns());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                // The lock is not held while a column is filled.
                while let Some(column) = { left.lock().unwrap().pop() } {
                    fill(&table, &testbed, column);
                }
            });
        }
    });
    assert_eq!(table.red(), Vec::<String>::new());
}
