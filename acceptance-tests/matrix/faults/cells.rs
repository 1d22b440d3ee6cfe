//! The cells of the table: what is tried for each, and what is made of it.

use super::{
    boundaries::{self, Requests},
    fault::Fault,
    ground::{Ground, Registry},
    operation::Operation,
    proxy::{Blow, Injection, Place},
    subjects::{OF_A_REGISTRY, Subject},
    trial::{Outcome, Trial},
};
use crate::{
    matrix::table::{Beside, Cell, Table},
    testbed::Testbed,
};
use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

/// How many faults of a row that takes long are tried one after the other.
const PART: usize = 4;

/// What came of one fault at all places that were chosen for it.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    places: usize,
    /// How many of the places are writes.
    writes: usize,
    /// How many runs met the fault, and how many of them at a write.
    runs: usize,
    at_writes: usize,
    /// In how many of them an apply said what to do.
    told: usize,
}

/// What is tried, and where.
pub struct Matrix<'a> {
    pub testbed: &'a Testbed,
    pub table: &'a Table,
    pub faults: &'a [Fault],
    /// How many places of an operation are tried at most, whatever the subject says.
    pub most: usize,
    /// Environment variables of Terraform's.
    pub env: &'a [(&'a str, &'a str)],
    /// The Engine that is asked, where it is not that of `hubmgr`.
    pub engine: Option<PathBuf>,
    /// What happens where something real is to.
    pub blow: Option<Blow>,
    /// How many rows are tried at once.
    pub at_once: usize,
    /// A registry, once one is needed.
    pub registry: OnceLock<Registry>,
}

/// An operation on a type.
pub type Row<'a> = (&'a Subject, Operation);

pub fn title((subject, operation): Row<'_>) -> String {
    format!("{} {}", subject.name, operation.title())
}

/// Trials of one row: what it takes to go on after one that went wrong.
struct Trials<'a> {
    matrix: &'a Matrix<'a>,
    row: Row<'a>,
    count: usize,
    ready: Option<(Trial<'a>, Requests)>,
}

impl<'a> Trials<'a> {
    fn new(matrix: &'a Matrix<'a>, row: Row<'a>, count: usize) -> Self {
        Trials { matrix, row, count, ready: None }
    }

    /// The requests of an undisturbed run, and a trial that has had one.
    fn ready(&mut self) -> Result<&(Trial<'a>, Requests), String> {
        if self.ready.is_none() {
            let (subject, operation) = self.row;
            let ground = self.matrix.ground(subject);
            let mut trial = Trial::new(ground, subject, operation, self.count);
            if let Some(blow) = &self.matrix.blow {
                trial.strikes(blow.clone());
            }
            for (name, value) in self.matrix.env {
                trial.set(name, value);
            }
            let requests = trial.undisturbed()?;
            self.ready = Some((trial, requests));
        }
        self.ready.as_ref().ok_or_else(|| "it never got ready".to_owned())
    }

    /// One fault at all places that are chosen for it.
    fn all(&mut self, fault: Fault) -> Result<Found, String> {
        let Subject { most, all_deaths, .. } = *self.row.0;
        let most = self.matrix.most.min(most);
        let places = boundaries::chosen(&self.ready()?.1, fault, most, all_deaths);
        let mut found = Found { places: places.len(), ..Found::default() };
        for at in &places {
            let (trial, requests) = self.ready()?;
            let place = Place::of(*at, &requests.all);
            found.writes += usize::from(matches!(place, Place::Write(_)));
            let injection = Injection { fault, place };
            let outcome = catch_unwind(AssertUnwindSafe(|| trial.with(injection)));
            match outcome.unwrap_or_else(|panic| Err(words_of(&*panic))) {
                Ok(Outcome { injected, told }) => {
                    found.runs += usize::from(injected);
                    found.told += usize::from(told);
                    found.at_writes += usize::from(injected && matches!(place, Place::Write(_)));
                }
                Err(why) => {
                    let met = trial.met();
                    self.ready = None;
                    return Err(format!("at request {at}, {met}: {why}"));
                }
            }
        }
        Ok(found)
    }
}

impl<'a> Matrix<'a> {
    /// One in which every fault that a proxy makes is tried at the manager of a testbed.
    pub fn new(testbed: &'a Testbed, table: &'a Table, faults: &'a [Fault]) -> Self {
        Matrix {
            testbed,
            table,
            faults,
            most: usize::MAX,
            env: &[],
            engine: None,
            blow: None,
            at_once: 4,
            registry: OnceLock::new(),
        }
    }

    fn ground(&self, subject: &Subject) -> Ground<'_> {
        if OF_A_REGISTRY.contains(&subject.kind) {
            return Ground::Registry(self.registry.get_or_init(Registry::start));
        }
        let engine = self.engine.clone().unwrap_or_else(|| self.testbed.socket("hubmgr"));
        Ground::Swarm(self.testbed, engine)
    }

    /// Fills the cells of a row and some faults that nothing is known of yet.
    pub fn fill(&self, row: Row<'_>, faults: &[Fault]) {
        let name = title(row);
        let (mut one, mut two) = (Trials::new(self, row, 1), Trials::new(self, row, row.0.several));
        for fault in faults.iter().filter(|fault| !self.table.has(&name, fault.title())) {
            let reordered = *fault == Fault::Reordered;
            let found = if reordered { two.all(*fault) } else { one.all(*fault) };
            let (cell, beside) = judged(*fault, found);
            self.table.record_with(&name, fault.title(), cell, beside);
        }
    }

    /// Fills all rows, some at a time. Those that are about the same object follow one another, and one that takes long is
    /// filled from several ends.
    pub fn fill_all(&self, rows: &[Row<'_>]) {
        let mut work: VecDeque<(Vec<Row<'_>>, &[Fault])> = VecDeque::new();
        for row in rows {
            match work.back_mut() {
                Some((last, _)) if row.0.unique && last[0].0.kind == row.0.kind => last.push(*row),
                _ if row.0.takes_long => {
                    work.extend(self.faults.chunks(PART).map(|faults| (vec![*row], faults)));
                }
                _ => work.push_back((vec![*row], self.faults)),
            }
        }
        let work = Mutex::new(work);
        std::thread::scope(|scope| {
            for _ in 0..self.at_once {
                scope.spawn(|| {
                    loop {
                        let Some((rows, faults)) = work.lock().unwrap().pop_front() else { return };
                        rows.into_iter().for_each(|row| self.fill(row, faults));
                    }
                });
            }
        });
    }
}

/// What the test itself has to say when it panics, as where it waits in vain.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the test panics: {}", text.unwrap_or("without a word"))
}

fn judged(fault: Fault, found: Result<Found, String>) -> (Cell, Beside) {
    let blank = |why: &str| (Cell::Blank(why.to_owned()), Beside::default());
    let found = match found {
        Err(why) => return (Cell::Red(why), Beside::default()),
        Ok(found) => found,
    };
    match found {
        Found { places: 0, .. } if fault == Fault::Reordered => {
            blank("Never are two of its requests in flight at once.")
        }
        Found { places: 0, .. } => blank("It changes nothing."),
        Found { runs: 0, .. } if fault == Fault::Reordered => {
            blank("None of its requests is overtaken by another.")
        }
        Found { runs: 0, .. } if fault == Fault::Truncated => blank("None of its answers has a body."),
        // How many reads there are depends on how fast something gets ready, but what is to be done does not.
        Found { runs: 0, .. } => (Cell::Red("it never met the fault".to_owned()), Beside::default()),
        Found { writes, at_writes, .. } if at_writes < writes && fault.is_met_everywhere() => {
            let why = format!("only {at_writes} of {writes} writes met the fault");
            (Cell::Red(why), Beside::default())
        }
        Found { runs, told, .. } => {
            let remark = match told {
                0 => String::new(),
                told => format!(
                    "In {told} of the runs the next apply said what to import, since an earlier one had made it without \
                     living to tell."
                ),
            };
            (Cell::Green, Beside { runs, remark })
        }
    }
}

#[test]
fn a_cell_is_green_only_where_each_write_met_its_fault() {
    let found = Found { places: 3, writes: 2, runs: 3, at_writes: 2, told: 0 };
    let cell = |fault, found| judged(fault, Ok(found)).0;
    let lost = Fault::Closed(super::fault::Moment::Done);
    assert_eq!(cell(lost, found), Cell::Green);
    assert!(matches!(cell(lost, Found { at_writes: 1, ..found }), Cell::Red(_)));
    assert!(matches!(cell(Fault::Cut, Found { runs: 0, at_writes: 0, ..found }), Cell::Red(_)));
    assert!(matches!(cell(Fault::Truncated, Found { runs: 0, at_writes: 0, ..found }), Cell::Blank(_)));
    assert!(matches!(cell(lost, Found::default()), Cell::Blank(_)));
    assert!(matches!(judged(lost, Err("lost".to_owned())).0, Cell::Red(_)));
}
