//! The steps that many cases take together, each with a cell of its own in the table.

use super::{
    case::{Case, Expected, FIXED, STAYS, Stage},
    rows::Rows,
    said::{self, Change, Errors},
};
use crate::{
    matrix::table::{Cell, Table},
    terraform::Workspace,
    testbed::Testbed,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// What a row is asked, in this order: each is a column.
pub const STEPS: [&str; 8] =
    ["set", "set empty", "change", "change empty", "behind", "healed", "clear", "clear empty"];

/// Those of them that another value has been applied for.
const APPLIED: [&str; 4] = ["change empty", "behind", "healed", "clear empty"];

/// Cases that are tried together.
pub struct Batch<'a> {
    table: &'a Table,
    rows: &'a Rows,
    cases: Vec<Case>,
    /// Addresses of what has failed, and is left out from then on.
    failed: BTreeSet<String>,
    pub(super) workspace: Workspace,
    /// Another folder, whose state stays empty.
    pub(super) elsewhere: Workspace,
}

impl<'a> Batch<'a> {
    pub fn new(testbed: &Testbed, table: &'a Table, rows: &'a Rows, cases: Vec<Case>) -> Self {
        let (workspace, elsewhere) = (Workspace::new(testbed, ""), Workspace::new(testbed, ""));
        Batch { table, rows, cases, failed: BTreeSet::new(), workspace, elsewhere }
    }

    /// Sets an environment variable of the provider.
    pub fn set(&mut self, name: &str, value: &str) {
        self.workspace.set(name, value);
        self.elsewhere.set(name, value);
    }

    /// Goes through all steps.
    pub fn run(mut self) {
        self.applies("set", |_| Stage::First);
        self.is_empty("set empty");

        self.plans("change", |_| Stage::Second, |case| case.change.clone());
        self.applies("change empty", |case| case.after(Stage::Second));
        self.is_empty("change empty");

        self.others();
        self.plans("behind", |case| case.after(Stage::Second), |case| case.behind.clone());
        self.imports();
        self.applies("healed", |case| case.after(Stage::Second));
        self.is_empty("healed");

        let rows = self.rows;
        self.plans("clear", |_| Stage::Cleared, |case| clear(rows, case));
        self.applies("clear empty", |case| case.after(Stage::Cleared));
        self.is_empty("clear empty");
        self.blanks();
    }

    pub(super) fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| !self.failed.contains(&case.address()))
    }

    fn hcl(&self, stage: impl Fn(&Case) -> Stage) -> String {
        self.cases().map(|case| case.hcl(stage(case))).collect()
    }

    pub(super) fn record(&self, case: &Case, step: &str, cell: &Cell) {
        // An import reads what was applied, whatever it is.
        let is_applied = APPLIED.contains(&step) && !(step == "behind" && case.behind == Expected::Imported);
        let cell = match case.only_planned {
            Some(why) if *cell == Cell::Green && is_applied => &Cell::Blank(why.to_owned()),
            _ => cell,
        };
        for path in &case.paths {
            self.table.record(&format!("{} {path}", case.r#type), step, cell.clone());
        }
    }

    /// Notes errors; what they are about is left out from then on. Errors about nothing in particular are about all.
    pub(super) fn errors(&mut self, step: &str, errors: &Errors) {
        let of = |case: &Case| {
            let address = case.address();
            let about = |(own, error): (&String, &String)| {
                // What Terraform itself finds wrong with an answer has the address in its words alone.
                (*own == address || own.is_empty() && error.contains(&format!("{address},")))
                    .then(|| error.clone())
            };
            errors.iter().find_map(about)
        };
        let failed: Vec<(Case, String)> =
            self.cases().filter_map(|case| Some((case.clone(), of(case)?))).collect();
        if failed.is_empty() {
            // It is about something beside the cases, without which none of them can be.
            let all: Vec<Case> = self.cases().cloned().collect();
            for case in all {
                self.fails(&case, step, format!("{errors:?}"));
            }
        }
        for (case, error) in failed {
            self.fails(&case, step, error);
        }
    }

    fn fails(&mut self, case: &Case, step: &str, why: String) {
        self.record(case, step, &Cell::Red(why));
        self.failed.insert(case.address());
    }

    /// Writes what is still tried, and does something until there is no error any more.
    fn without_errors<T>(
        &mut self,
        step: &str,
        stage: impl Fn(&Case) -> Stage + Copy,
        run: impl Fn(&Workspace) -> Result<T, Errors>,
    ) -> Option<T> {
        while self.cases().next().is_some() {
            self.workspace.write(&self.hcl(stage));
            match run(&self.workspace) {
                Ok(done) => return Some(done),
                Err(errors) => self.errors(step, &errors),
            }
        }
        None
    }

    /// Applies, which must succeed.
    fn applies(&mut self, step: &str, stage: impl Fn(&Case) -> Stage + Copy) {
        let done = self.without_errors(step, stage, |workspace| {
            let errors = said::errors(workspace, &["apply", "-auto-approve", "-input=false", "-json"]);
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        });
        if done.is_some() && !step.ends_with("empty") {
            self.cases().for_each(|case| self.record(case, step, &Cell::Green));
        }
    }

    /// Plans, which must find nothing to do, and nothing else than what is in the state.
    fn is_empty(&mut self, step: &str) {
        let planned = match said::plan(&self.workspace) {
            Ok(planned) => planned,
            Err(errors) => return self.errors(step, &errors),
        };
        for case in self.cases() {
            let address = case.address();
            let cell = match (planned.changes.get(&address), planned.drift.get(&address)) {
                (Some(change), _) => Cell::Red(format!("not empty: {change:?}")),
                (None, Some(drift)) => Cell::Red(drift.clone()),
                (None, None) => Cell::Green,
            };
            self.record(case, step, &cell);
        }
    }

    /// Plans, which must show what is expected of each.
    fn plans(
        &mut self,
        step: &str,
        stage: impl Fn(&Case) -> Stage + Copy,
        expected: impl Fn(&Case) -> Expected,
    ) {
        let expected: BTreeMap<String, Expected> =
            self.cases().map(|case| (case.address(), expected(case))).collect();
        let Some(planned) = self.without_errors(step, stage, said::plan) else { return };
        for case in self.cases() {
            let address = case.address();
            let change = planned.changes.get(&address);
            let cell = match (&expected[&address], change) {
                (Expected::Blank(why), None) => Cell::Blank((*why).to_owned()),
                // Nobody has changed anything.
                (Expected::Blank(_) | Expected::Imported, Some(change)) => {
                    Cell::Red(format!("not empty: {change:?}"))
                }
                // That is asked of an import.
                (Expected::Imported, None) => continue,
                (Expected::Nothing(_), None) => Cell::Green,
                (Expected::Nothing(why), Some(change)) => Cell::Red(format!("{change:?}, although {why}")),
                (Expected::Update | Expected::Replace, None) => Cell::Red("it does not show".to_owned()),
                (Expected::Update, Some(change)) => updates(case, change, step),
                (Expected::Replace, Some(change)) => replaces(case, change),
            };
            self.record(case, step, &cell);
        }
    }

    /// Somebody else, who has the same objects in a state of their own, puts the first values back.
    fn others(&mut self) {
        let stage = |case: &Case| match case.behind {
            Expected::Update | Expected::Replace | Expected::Nothing(_) => Stage::First,
            Expected::Blank(_) | Expected::Imported => case.after(Stage::Second),
        };
        let folder = self.workspace.path().join("others");
        fs::create_dir_all(&folder).unwrap();
        fs::copy(self.workspace.path().join("terraform.tfstate"), folder.join("terraform.tfstate")).unwrap();
        self.workspace.write(&self.hcl(stage));
        fs::copy(self.workspace.path().join("main.tf"), folder.join("main.tf")).unwrap();
        let errors = said::errors(
            &self.workspace,
            &[&format!("-chdir={}", folder.display()), "apply", "-auto-approve", "-input=false", "-json"],
        );
        if !errors.is_empty() {
            self.errors("behind", &errors);
        }
    }

    /// What cannot be tried is blank in the steps that follow from it too.
    fn blanks(&self) {
        for case in self.cases() {
            let healed = match case.behind {
                Expected::Blank(why) => Some(why),
                Expected::Imported => Some(FIXED),
                _ => None,
            };
            if let Some(why) = healed {
                self.record(case, "healed", &Cell::Blank(why.to_owned()));
            }
            if let Expected::Blank(why) = case.clear {
                self.record(case, "clear empty", &Cell::Blank(why.to_owned()));
            }
        }
    }
}

/// What the plan without the attributes has to be: what is left alone stays, whatever a case says.
fn clear(rows: &Rows, case: &Case) -> Expected {
    let left_alone =
        |path: &String| rows.get(&(case.r#type.to_owned(), path.clone())).is_some_and(|row| row.left_alone);
    match case.clear {
        Expected::Update | Expected::Replace if case.paths.iter().all(left_alone) => Expected::Nothing(STAYS),
        _ => case.clear.clone(),
    }
}

/// An update must show one of the attributes at least, and nothing else but what follows.
fn updates(case: &Case, change: &Change, step: &str) -> Cell {
    let clears = step == "clear";
    let is_own = |path: &&String| case.is_own(path) || clears && case.is_beside(path);
    let others: Vec<&String> =
        change.differing.iter().filter(|path| !is_own(path) && !case.is_consequence(path)).collect();
    let unseen: Vec<&String> = case
        .paths
        .iter()
        .filter(|path| {
            let alone = Case { paths: vec![(*path).clone()], ..case.clone() };
            !change.differing.iter().any(|differing| {
                alone.is_own(differing) || clears && alone.is_beside(differing)
                    // What the Engine gives to nobody shows by what was made of it.
                    || step == "behind" && alone.is_consequence(differing)
            })
        })
        .collect();
    if change.action != "update" {
        Cell::Red(format!("no update: {change:?}"))
    } else if !others.is_empty() {
        Cell::Red(format!("{others:?} differs too"))
    } else if !unseen.is_empty() {
        Cell::Red(format!("{unseen:?} does not show in {:?}", change.differing))
    } else {
        Cell::Green
    }
}

/// Another object must be because of the attributes and nothing else.
fn replaces(case: &Case, change: &Change) -> Cell {
    if change.action != "delete+create" {
        Cell::Red(format!("no replacement: {change:?}"))
    } else if change.replacing.is_empty() || !change.replacing.iter().all(|path| case.is_own(path)) {
        Cell::Red(format!("replaced because of {:?}", change.replacing))
    } else {
        Cell::Green
    }
}
