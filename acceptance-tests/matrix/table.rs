//! What a matrix has found: a table whose cells are kept in a file as they come, so that an interrupted run goes on where it
//! was, and whose red cells say why.

use crate::testbed::root;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
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

/// A table that remembers.
pub struct Table {
    cells: Mutex<Cells>,
    besides: Mutex<Besides>,
    file: Mutex<File>,
}

impl Table {
    /// The table of that name, with the cells that an earlier run of the same build of the provider has found. What another
    /// build has found is forgotten; what was red is to be tried again.
    pub fn open(name: &str) -> Self {
        Self::open_in(&root().join("target/matrix"), name, &build())
    }

    /// The same in another folder, for another build.
    pub fn open_in(folder: &Path, name: &str, build: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        let path = path_in(folder, name);
        let found = read(&path, build);
        let mut file = match found {
            None => File::create(&path).unwrap(),
            Some(_) => OpenOptions::new().append(true).open(&path).unwrap(),
        };
        let (cells, besides) = found.unwrap_or_else(|| {
            writeln!(file, "{}", json!({ "build": build })).unwrap();
            Default::default()
        });
        Table { cells: Mutex::new(cells), besides: Mutex::new(besides), file: Mutex::new(file) }
    }

    /// Notes what was found. A cell that is red already stays so in this run: what failed once did fail.
    pub fn record(&self, row: &str, column: &str, cell: Cell) {
        self.record_with(row, column, cell, Beside::default());
    }

    /// The same, with what there is to say beside.
    pub fn record_with(&self, row: &str, column: &str, cell: Cell, beside: Beside) {
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

/// What tells one build of the provider from another.
fn build() -> String {
    let mut hasher = DefaultHasher::new();
    fs::read(env!("CARGO_BIN_EXE_terraform-provider-swarm")).unwrap().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn read(path: &Path, build: &str) -> Option<(Cells, Besides)> {
    let mut lines = BufReader::new(File::open(path).ok()?).lines().map_while(Result::ok);
    let first: Value = serde_json::from_str(&lines.next()?).ok()?;
    if first["build"] != build {
        return None;
    }
    let (mut cells, mut besides) = (Cells::new(), Besides::new());
    // The last line may be cut short where the run was.
    for line in lines.map_while(|line| serde_json::from_str::<Value>(&line).ok()) {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let cell = match line["cell"].as_str() {
            Some("green") => Cell::Green,
            Some("blank") => Cell::Blank(text("why")),
            _ => continue,
        };
        cells.entry(text("row")).or_default().insert(text("column"), cell);
        let runs = line["runs"].as_u64().and_then(|runs| usize::try_from(runs).ok()).unwrap_or_default();
        let beside = Beside { runs, remark: text("remark") };
        besides.entry(text("row")).or_default().insert(text("column"), beside);
    }
    Some((cells, besides))
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
