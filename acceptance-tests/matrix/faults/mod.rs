//! Every operation on every type, with everything that can go wrong at each of its requests.
//!
//! A proxy stands between the provider and the Engine, counts the requests of an operation, and lets one of them go wrong:
//! the answer comes late, in pieces, not at all or as a refusal, before the Engine has got the request or after it has done
//! what was asked; or the provider or Terraform is killed at that moment. Whatever Terraform says then, the next plan and
//! apply have to converge without the fault, and afterwards the Engine has what it should: nothing twice, nothing that
//! nobody owns, nothing lost. No secret is in the output, the state, the plan, the log or the Engine's labels.
//!
//! # Layout
//! - [`subjects`]: the types; [`operation`]: what is done with them. Together they are the rows.
//! - [`fault`]: what goes wrong, which are the columns; [`boundaries`]: at which requests.
//! - [`proxy`], with [`exchange`], [`processes`] and [`http`]: where it goes wrong.
//! - [`trial`]: one run on its [`ground`], with [`terraform`] under observation and an [`inventory`] of the Engine.
//! - [`cells`]: what is tried for each cell, and what is made of it.
//! - [`real`]: faults that no proxy makes.

mod boundaries;
mod cells;
mod exchange;
mod fault;
mod ground;
mod http;
mod inventory;
mod operation;
mod processes;
mod proxy;
mod real;
mod subjects;
mod terraform;
mod trial;

use super::{
    render::markdown,
    table::{Cell, Table},
};
use crate::testbed::{Testbed, root};
use cells::{Matrix, Row, title};
use fault::{Fault, Moment, Refusal, Victim};
use operation::Operation;
use subjects::{SUBJECTS, Subject, WITHOUT};
use swarm::{provider::Swarm, terraform::Provider as _};

/// Parts of rows' titles, with commas between: only rows that have one of them are tried.
const ROWS: &str = "MATRIX_ROWS";

/// Titles of columns, with semicolons between: only these faults are tried.
const COLUMNS: &str = "MATRIX_COLUMNS";

/// All rows, those first that take longest: so none of them is what is waited for in the end.
fn rows() -> Vec<Row<'static>> {
    let of =
        |subject: &'static Subject| subject.operations.iter().map(move |operation| (subject, *operation));
    let mut rows: Vec<Row<'static>> = SUBJECTS.iter().flat_map(of).collect();
    rows.sort_by_key(|(subject, _)| !subject.takes_long);
    rows
}

/// What has no row of its own, and why: a row that is blank.
fn blank_rows() -> impl Iterator<Item = (String, &'static str)> {
    WITHOUT.iter().flat_map(|(kind, operations, why)| {
        operations.iter().map(move |operation| (format!("{kind} {}", operation.title()), *why))
    })
}

/// The row and the column of each cell.
pub fn expected() -> Vec<(String, &'static str)> {
    let titles = rows().into_iter().map(title).chain(blank_rows().map(|(row, _)| row));
    titles.flat_map(|row| Fault::ALL.map(|fault| (row.clone(), fault.title()))).collect()
}

/// The table as people read it.
pub fn rendered(table: &Table) -> String {
    let columns = Fault::ALL.map(Fault::title);
    markdown("type, operation", &columns, &table.cells(), &table.besides())
}

/// Leaves the table beside what it was made of.
fn report(name: &str, table: &Table) {
    std::fs::write(root().join("target/matrix").join(format!("{name}.md")), rendered(table)).unwrap();
}

#[track_caller]
fn is_all_green(table: &Table) {
    let red = table.red();
    assert!(red.is_empty(), "{} cells are red\n{}\n\n{}", red.len(), red.join("\n"), rendered(table));
}

fn subject(name: &str) -> &'static Subject {
    SUBJECTS.iter().find(|subject| subject.name == name).unwrap()
}

#[test]
#[ignore = "hours: acceptance-tests/run --matrix"]
fn the_whole() {
    let testbed = Testbed::start(&[], &inventory::HOSTS);
    let table = Table::open("faults");
    let some = std::env::var(COLUMNS).ok();
    let is_asked_for =
        |fault: &Fault| some.as_ref().is_none_or(|some| some.split(';').any(|one| one == fault.title()));
    let faults: Vec<Fault> = Fault::ALL.into_iter().filter(is_asked_for).collect();
    let matrix = Matrix { at_once: 8, ..Matrix::new(&testbed, &table, &faults) };
    let some = std::env::var(ROWS).unwrap_or_default();
    let rows: Vec<Row<'_>> =
        rows().into_iter().filter(|row| some.split(',').any(|part| title(*row).contains(part))).collect();
    matrix.fill_all(&rows);
    for (row, why) in blank_rows() {
        faults.iter().for_each(|fault| table.record(&row, fault.title(), Cell::Blank(why.to_owned())));
    }
    report("faults", &table);
    is_all_green(&table);
}

/// A part of it that every run of the tests has time for.
#[test]
fn the_core() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open_in(folder.path(), "core", "this");
    let faults = [
        Fault::Closed(Moment::Done),
        Fault::Cut,
        Fault::Refused(Refusal::Settling, Moment::Before),
        Fault::Killed(Victim::Terraform, Moment::Done),
    ];
    let matrix = Matrix { most: 3, ..Matrix::new(Testbed::shared(), &table, &faults) };
    let rows: Vec<Row<'_>> = ["swarm_secret", "swarm_service"]
        .iter()
        .flat_map(|name| {
            let operations = [Operation::Create, Operation::Update, Operation::Delete];
            operations.map(|operation| (subject(name), operation))
        })
        .collect();
    matrix.fill_all(&rows);
    is_all_green(&table);
    let cells = table.cells();
    let green =
        cells.values().flat_map(std::collections::BTreeMap::values).filter(|cell| **cell == Cell::Green);
    assert_eq!(green.count(), rows.len() * faults.len(), "{}", rendered(&table));
}

#[test]
fn every_operation_of_every_type_has_a_row_or_says_why_not() {
    let provider = Swarm::default();
    for resource in
        provider.resources().iter().filter(|resource| resource.type_name() != "swarm_registry_service")
    {
        let r#type = resource.type_name();
        for operation in Operation::ALL {
            let is_tried = SUBJECTS.iter().any(|it| it.kind == r#type && it.operations.contains(&operation));
            let is_said = blank_rows().any(|(row, _)| row == format!("{type} {}", operation.title()));
            assert!(
                is_tried != is_said,
                "{type}, {operation:?}: tried {is_tried}, and said why not {is_said}"
            );
        }
    }
}

/// The matrix is worth what it notices: answers, for each row, why the cell of refusals is red where the provider tells a lie.
fn noticed<const N: usize>(lie: &str, rows: [(&str, Operation); N]) -> [String; N] {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open_in(folder.path(), "lie", "this");
    let faults = [Fault::Refused(Refusal::Settling, Moment::Before), Fault::Late];
    let env = [("SWARM_PLANT_LIE", lie)];
    let matrix = Matrix { most: 5, env: &env, ..Matrix::new(Testbed::shared(), &table, &faults) };
    let rows = rows.map(|(name, operation)| (subject(name), operation));
    matrix.fill_all(&rows);
    rows.map(|row| {
        let cells = &table.cells()[&title(row)];
        assert_eq!(cells["late"], Cell::Green, "without an error there is no lie");
        match &cells["503"] {
            Cell::Red(why) => why.clone(),
            _ => panic!("nobody noticed the lie\n{}", rendered(&table)),
        }
    })
}

/// A provider that takes an error for "gone".
#[test]
fn a_planted_lie_turns_cells_red() {
    for why in noticed("gone", ["swarm_secret", "swarm_service"].map(|name| (name, Operation::Read))) {
        assert!(why.contains("will be created") || why.contains("has been deleted"), "{why}");
    }
}

/// A provider that says that it has done what the Engine refused.
#[test]
fn a_planted_lie_about_what_was_done_turns_cells_red() {
    let [update, delete] =
        noticed("done", [Operation::Update, Operation::Delete].map(|operation| ("swarm_secret", operation)));
    assert!(update.contains("it says that it succeeded, and then plans"), "{update}");
    assert!(delete.contains("destroying leaves"), "{delete}");
}
