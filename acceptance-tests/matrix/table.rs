//! What a matrix has found: a table whose cells are kept in a file as they come, so that an interrupted run goes on where it
//! was, and whose red cells say why.

use crate::testbed::root;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It is as it should be.
    Green,
    /// It is not, and what was seen instead.
    Red(String),
    /// There is no such thing, and why.
    Blank(String),
}

/// Cells by row and column.
pub type Cells = BTreeMap<String, BTreeMap<String, Cell>>;

/// What there is to say of a cell beside its colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// How many runs it is made of, where that was counted.
    pub runs: usize,
    /// What else is to be known.
    pub remark: String,
}

/// The same by row and column.
pub type Besides = BTreeMap<String, BTreeMap<String, Beside>>;

/// Why cells were red in earlier runs, by row and column.
type Reasons = BTreeMap<(String, String), Vec<String>>;

/// What earlier runs have found.
#[derive(Default)]
struct Found {
    cells: Cells,
    besides: Besides,
    was_red: Reasons,
}

/// A table that remembers.
pub struct Table {
    cells: Mutex<Cells>,
    besides: Mutex<Besides>,
    was_red: Reasons,
    file: Mutex<File>,
}

impl Table {
    /// The table of that name, with the cells that an earlier run of the same sources has found, of the provider and of the
    /// matrix. What others have found is forgotten; what was red is to be tried again, and says so when it is not red any more.
    pub fn open(name: &str) -> Self {
        let matrix = name.split('-').next().unwrap_or_default();
        Self::open_in(&root().join("target/matrix"), name, &super::sources::digest(matrix))
    }

    /// The same in another folder, for other sources.
    pub fn open_in(folder: &Path, name: &str, sources: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        let path = path_in(folder, name);
        let found = read(&path, sources);
        let mut file = match found {
            None => File::create(&path).unwrap(),
            Some(_) => OpenOptions::new().append(true).open(&path).unwrap(),
        };
        let Found { cells, besides, was_red } = found.unwrap_or_else(|| {
            write!(file, "{}", json!({ "sources": sources })).unwrap();
            Found::default()
        });
        // The last line may be cut short where the run was: what comes now is on lines of its own.
        writeln!(file).unwrap();
        Table { cells: Mutex::new(cells), besides: Mutex::new(besides), was_red, file: Mutex::new(file) }
    }

    /// Notes what was found. A cell that is red already stays so in this run: what failed once did fail.
    pub fn record(&self, row: &str, column: &str, cell: Cell) {
        self.record_with(row, column, cell, Beside::default());
    }

    /// The same, with what there is to say beside.
    pub fn record_with(&self, row: &str, column: &str, cell: Cell, mut beside: Beside) {
        let mut cells = self.cells.lock().unwrap();
        let there = cells.entry(row.to_owned()).or_default();
        if matches!(there.get(column), Some(Cell::Red(_))) {
            return;
        }
        let (found, why) = match &cell {
            Cell::Green => ("green", ""),
            Cell::Red(why) => ("red", why.as_str()),
            Cell::Blank(why) => ("blank", why.as_str()),
        };
        // A fault that shows now and then is not gone when it does not show once more.
        if let Some(reasons) =
            self.was_red.get(&(row.to_owned(), column.to_owned())).filter(|_| found != "red")
        {
            let remarks = [beside.remark, format!("red in an earlier run: {}", reasons.join("; "))];
            beside.remark = remarks.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ");
        }
        let Beside { runs, remark } = &beside;
        let line = json!({
            "row": row, "column": column, "cell": found, "why": why, "runs": runs, "remark": remark,
        });
        writeln!(self.file.lock().unwrap(), "{line}").unwrap();
        there.insert(column.to_owned(), cell);
        self.besides.lock().unwrap().entry(row.to_owned()).or_default().insert(column.to_owned(), beside);
    }

    /// Whether something was found there.
    pub fn has(&self, row: &str, column: &str) -> bool {
        self.cells.lock().unwrap().get(row).is_some_and(|cells| cells.contains_key(column))
    }

    /// All that was found.
    pub fn cells(&self) -> Cells {
        self.cells.lock().unwrap().clone()
    }

    /// What there is to say of the cells beside.
    pub fn besides(&self) -> Besides {
        self.besides.lock().unwrap().clone()
    }

    /// What is red, in words.
    pub fn red(&self) -> Vec<String> {
        let cells = self.cells.lock().unwrap();
        let of_row = |(row, cells): (&String, &BTreeMap<String, Cell>)| -> Vec<String> {
            let red = cells.iter().filter_map(|(column, cell)| match cell {
                Cell::Red(why) => Some(format!("{row}, {column}: {why}")),
                Cell::Green | Cell::Blank(_) => None,
            });
            red.collect()
        };
        cells.iter().flat_map(of_row).collect()
    }
}

fn path_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

fn read(path: &Path, sources: &str) -> Option<Found> {
    let mut lines = BufReader::new(File::open(path).ok()?).lines().map_while(Result::ok);
    let first: Value = serde_json::from_str(&lines.next()?).ok()?;
    if first["sources"] != sources {
        return None;
    }
    let mut found = Found::default();
    // A line is cut short where a run was.
    for line in lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok()) {
        found.takes(&line);
    }
    Some(found)
}

impl Found {
    /// Takes a line of the file. A later one of the same cell is what counts.
    fn takes(&mut self, line: &Value) {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let (row, column) = (text("row"), text("column"));
        let cell = match line["cell"].as_str() {
            Some("green") => Cell::Green,
            Some("blank") => Cell::Blank(text("why")),
            Some("red") => return self.takes_red(row, column, text("why")),
            _ => return,
        };
        let runs = line["runs"].as_u64().and_then(|runs| usize::try_from(runs).ok()).unwrap_or_default();
        let beside = Beside { runs, remark: text("remark") };
        self.cells.entry(row.clone()).or_default().insert(column.clone(), cell);
        self.besides.entry(row).or_default().insert(column, beside);
    }

    /// Keeps why a cell was red, and nothing else of it, so that it is tried again.
    fn takes_red(&mut self, row: String, column: String, why: String) {
        if let Some(cells) = self.cells.get_mut(&row) {
            cells.remove(&column);
        }
        if let Some(besides) = self.besides.get_mut(&row) {
            besides.remove(&column);
        }
        let reasons = self.was_red.entry((row, column)).or_default();
        if !reasons.contains(&why) {
            reasons.push(why);
        }
    }
}

#[test]
fn a_table_goes_on_where_it_was_and_red_stays_red() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open_in(folder.path(), "it", "1");
    table.record_with("a", "set", Cell::Green, Beside { runs: 3, remark: String::new() });
    table.record("a", "change", Cell::Red("b changed too".to_owned()));
    table.record("b", "clear", Cell::Blank("it is required".to_owned()));
    drop(table);
    let table = Table::open_in(folder.path(), "it", "1");
    assert!(table.has("a", "set") && table.has("b", "clear") && !table.has("b", "set"));
    assert!(!table.has("a", "change"), "what was red is tried again");
    assert_eq!(table.besides()["a"]["set"].runs, 3);
    table.record("a", "change", Cell::Red("c".to_owned()));
    table.record("a", "change", Cell::Green);
    assert_eq!(table.red(), ["a, change: c"]);
    drop(table);
    assert!(Table::open_in(folder.path(), "it", "2").cells().is_empty());
}

#[test]
fn what_was_red_says_so_when_it_is_green() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Table::open_in(folder.path(), "it", "1");
    let beside = |remark: &str| Beside { runs: 2, remark: remark.to_owned() };
    let table = open();
    table.record("a", "set", Cell::Green);
    table.record("a", "set", Cell::Red("b".to_owned()));
    table.record("a", "clear", Cell::Red("c".to_owned()));
    drop(table);
    let table = open();
    assert!(!table.has("a", "set"), "what was green before it was red is not green");
    table.record_with("a", "set", Cell::Green, beside("d"));
    table.record("a", "clear", Cell::Red("e".to_owned()));
    table.record("a", "change", Cell::Green);
    write!(table.file.lock().unwrap(), "{{\"row\": \"a\", \"col").unwrap();
    drop(table);
    let table = open();
    assert_eq!(table.besides()["a"]["set"], beside("d; red in an earlier run: b"));
    table.record("a", "clear", Cell::Green);
    drop(table);
    let besides = open().besides();
    assert_eq!(besides["a"]["set"], beside("d; red in an earlier run: b"));
    assert_eq!(besides["a"]["clear"].remark, "red in an earlier run: c; e");
    assert_eq!(besides["a"]["change"], Beside::default());
}
