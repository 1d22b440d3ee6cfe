//! What a Terraform can do, from which version on, and what came of it.

use super::client::{Column, Version};
use crate::matrix::table::{Cell, Table};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What came later than Terraform 1.8, the oldest that is supported.
const SINCE: &[(&str, Version)] = &[
    ("ephemeral resources", (1, 10)),
    ("write-only data", (1, 11)),
    ("identity", (1, 12)),
    ("import by identity", (1, 12)),
    ("query", (1, 14)),
    ("actions", (1, 14)),
    ("a state of Terraform 1.8 goes on", (1, 9)),
];

/// What there is only before something came.
const UNTIL: &[(&str, Version)] = &[("write-only data is refused", (1, 11))];

/// The notes of one column.
pub struct Notes<'a> {
    table: &'a Table,
    column: Column,
}

/// Something went wrong, and what builds on it is not tried.
pub struct Stopped;

impl<'a> Notes<'a> {
    pub fn new(table: &'a Table, column: Column) -> Self {
        Notes { table, column }
    }

    /// Whether these rows were found before.
    pub fn have(&self, rows: &[String]) -> bool {
        rows.iter().all(|row| self.table.has(row, &self.column.to_string()))
    }

    /// Does a step, and notes for each of these rows what came of it: a panic makes them red.
    pub fn step(&self, rows: &[String], step: &str, body: impl FnOnce()) -> Result<(), Stopped> {
        let cell = match missing(step, self.column.version) {
            Some(why) => Cell::Blank(why),
            None => match catch_unwind(AssertUnwindSafe(body)) {
                Ok(()) => Cell::Green,
                Err(panic) => Cell::Red(said(&*panic)),
            },
        };
        for row in rows {
            self.table.record(row, &self.column.to_string(), cell.clone());
        }
        if matches!(cell, Cell::Red(_)) { Err(Stopped) } else { Ok(()) }
    }
}

/// Why that version has no such thing.
fn missing(step: &str, version: Version) -> Option<String> {
    let of = |list: &[(&str, Version)]| list.iter().find(|(name, _)| *name == step).map(|(_, it)| *it);
    if let Some((major, minor)) = of(SINCE).filter(|since| version < *since) {
        return Some(format!("from Terraform {major}.{minor} on"));
    }
    let (major, minor) = of(UNTIL).filter(|until| version >= *until)?;
    Some(format!("before Terraform {major}.{minor}"))
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

#[test]
fn a_step_is_noted_as_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open_in(folder.path(), "notes", "");
    let column = Column { version: (1, 8), way: super::client::Way::Plain };
    let notes = Notes::new(&table, column);
    let row = |name: &str| vec![format!("a: {name}"), format!("b: {name}")];
    assert!(notes.step(&row("create"), "create", || ()).is_ok());
    assert!(notes.step(&row("query"), "query", || panic!("it is not tried")).is_ok());
    assert!(notes.step(&row("update"), "update", || panic!("it has {}", "changed")).is_err());
    assert!(notes.have(&row("query")) && !notes.have(&row("destroy")));
    let cell = |row: &str| table.cells()[row]["1.8 without TLS"].clone();
    assert_eq!(cell("b: create"), Cell::Green);
    assert_eq!(cell("a: query"), Cell::Blank("from Terraform 1.14 on".to_owned()));
    assert_eq!(cell("a: update"), Cell::Red("it has changed".to_owned()));
    assert!(missing("write-only data is refused", (1, 10)).is_none());
    assert!(missing("write-only data is refused", (1, 11)).is_some());
}
