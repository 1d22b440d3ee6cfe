//! What all matrices have found, as pages of the documentation.

use super::{
    faults,
    render::markdown,
    table::{Beside, Besides, Cell, Cells, Table},
    truth, versions,
};
use crate::testbed::root;
use std::{collections::BTreeSet, fs};

const HOW: &str = "Made by `acceptance-tests/run --matrix`: ✓ is as it should be, ✗ is not, – cannot be tried, with the reason.";

/// Types that something real happens to, each while it is created, updated and deleted.
const STRUCK: &[&str] = &["swarm_secret", "swarm_service", "registry_service"];

/// The tables of faults, what they are of, and the types that something real happens to, where it is that.
const FAULTS: [(&str, &str, &[&str]); 4] = [
    (
        "faults",
        "Every operation of every type, with everything that can go wrong between the provider and the Engine: at each write, or at \
         one of each kind where there are many; at the first read of each kind where it is the answer that goes wrong; and at the \
         first, the last and some other reads. Where Terraform says that it has succeeded, the next plan is empty at once. A \
         number is how many runs stand behind a cell.",
        &[],
    ),
    ("faults-engine", "The same, while the host of the Engine loses its power at each write.", STRUCK),
    (
        "faults-leader",
        "The same, while the host of the swarm's leader loses its power at each write.",
        STRUCK,
    ),
    (
        "faults-host",
        "The same, while another host is cut off from the network until the swarm misses it.",
        &["registry_service that runs"],
    ),
];

/// A cell that there has to be: its row and its column.
type Wanted = (String, String);

fn each(rows: &[String], columns: &[&str]) -> Vec<Wanted> {
    let of_row =
        |row: &String| columns.iter().map(|column| (row.clone(), (*column).to_owned())).collect::<Vec<_>>();
    rows.iter().flat_map(of_row).collect()
}

/// The cells of a table of faults.
fn of_faults(struck: &[&str]) -> Vec<Wanted> {
    if struck.is_empty() {
        return faults::expected().into_iter().map(|(row, column)| (row, column.to_owned())).collect();
    }
    let of_type = |name: &&str| ["create", "update", "delete"].map(|operation| format!("{name} {operation}"));
    let rows: Vec<String> = struck.iter().flat_map(of_type).collect();
    each(&rows, &["struck", "struck, done"])
}

/// The cells that are wanted and of which nothing is known, as where a run was broken off.
fn missing(cells: &Cells, wanted: &[Wanted]) -> Vec<String> {
    let is_missing = |(row, column): &&Wanted| cells.get(row).is_none_or(|cells| !cells.contains_key(column));
    wanted.iter().filter(is_missing).map(|(row, column)| format!("{row}, {column}")).collect()
}

/// The tables of several Engines as one. A cell is green where all that can be tried is; what cannot be tried on one of them is
/// said beside.
fn merged(engines: &[(&str, Cells)]) -> (Cells, Besides) {
    let rows: BTreeSet<&String> = engines.iter().flat_map(|(_, cells)| cells.keys()).collect();
    let (mut cells, mut besides) = (Cells::new(), Besides::new());
    for row in rows {
        for column in truth::STEPS {
            let found: Vec<(&str, &Cell)> = engines
                .iter()
                .filter_map(|(engine, cells)| Some((*engine, cells.get(row)?.get(column)?)))
                .collect();
            let Some((cell, remark)) = one(&found) else { continue };
            cells.entry(row.clone()).or_default().insert(column.to_owned(), cell);
            let beside = Beside { runs: 0, remark };
            besides.entry(row.clone()).or_default().insert(column.to_owned(), beside);
        }
    }
    (cells, besides)
}

/// What several Engines make together, and what there is to say beside.
fn one(found: &[(&str, &Cell)]) -> Option<(Cell, String)> {
    let red: Vec<String> = found
        .iter()
        .filter_map(|(engine, cell)| match cell {
            Cell::Red(why) => Some(format!("Engine {engine}: {why}")),
            Cell::Green | Cell::Blank(_) => None,
        })
        .collect();
    if !red.is_empty() {
        return Some((Cell::Red(red.join("; ")), String::new()));
    }
    let blank: Vec<(&str, &String)> = found
        .iter()
        .filter_map(|(engine, cell)| match cell {
            Cell::Blank(why) => Some((*engine, why)),
            Cell::Green | Cell::Red(_) => None,
        })
        .collect();
    match blank.first() {
        Some((_, why)) if blank.len() == found.len() => {
            let one = blank.iter().all(|(_, other)| other == why);
            let each = || of_each("Engine", &blank);
            Some((Cell::Blank(if one { (*why).clone() } else { each() }), String::new()))
        }
        _ => (!found.is_empty()).then(|| (Cell::Green, of_each("not on Engine", &blank))),
    }
}

/// What is to be said of each Engine.
fn of_each(before: &str, said: &[(&str, &String)]) -> String {
    said.iter().map(|(engine, why)| format!("{before} {engine}: {why}")).collect::<Vec<_>>().join("; ")
}

/// The page of the truth matrix: a table for each type.
fn truth(engines: &[(&str, Cells)]) -> String {
    let (cells, besides) = merged(engines);
    let names: Vec<&str> = engines.iter().map(|(engine, _)| *engine).collect();
    let mut text = format!(
        "# The truth matrix\n\nEvery attribute of every resource type that a configuration can set, on Engines {}. {HOW}\n\n{}\n",
        names.join(", "),
        "| column | what is tried |\n| --- | --- |\n\
         | set | It is applied with a first value. |\n\
         | set empty | Then the plan is empty, and reading changes nothing. |\n\
         | change | The plan of a second value shows it and nothing else. |\n\
         | change empty | It is applied, and the plan is empty. |\n\
         | behind | Somebody else puts the first value back: the plan shows that and nothing else. What nobody can change in what \
         is there is imported into an empty state instead: the plan is empty, but for what no import can know. |\n\
         | healed | It is applied, and the plan is empty. |\n\
         | clear | The plan without it shows that and nothing else; where its argument cannot be without it, the whole argument \
         goes. |\n\
         | clear empty | It is applied, and the plan is empty. |\n"
    );
    let types: BTreeSet<&str> = cells.keys().filter_map(|row| row.split(' ').next()).collect();
    for r#type in types {
        let own = |row: &String| row.strip_prefix(&format!("{type} ")).map(|path| format!("`{path}`"));
        let of_type =
            cells.iter().filter_map(|(row, cells)| Some((own(row)?, cells.clone()))).collect::<Cells>();
        let beside = besides
            .iter()
            .filter_map(|(row, besides)| Some((own(row)?, besides.clone())))
            .collect::<Besides>();
        // Footnotes are numbered through the whole page.
        let table =
            markdown("attribute", &truth::STEPS, &of_type, &beside).replace("[^", &format!("[^{type}-"));
        text += &format!("## {type}\n\n{table}\n");
    }
    text
}

fn page(title: &str, about: &str, table: &Table, corner: &str) -> String {
    format!("# {title}\n\n{about} {HOW}\n\n{}", markdown(corner, &[], &table.cells(), &table.besides()))
}

/// Writes the pages, which `acceptance-tests/run --matrix` prints, and fails where something is red or missing.
#[test]
#[ignore = "it tells what the others have found: acceptance-tests/run --matrix"]
fn the_tables() {
    let folder = root().join("docs/matrix");
    fs::create_dir_all(&folder).unwrap();
    let tables = truth::ENGINES.map(|engine| (engine, Table::open(&format!("truth-{engine}"))));
    let engines: Vec<(&str, Cells)> = tables.iter().map(|(engine, table)| (*engine, table.cells())).collect();
    fs::write(folder.join("truth.md"), truth(&engines)).unwrap();
    let faults = FAULTS.map(|(name, ..)| Table::open(name));
    let page_of = |((_, about, _), table): (&(&str, &str, &[&str]), &Table)| {
        format!("{about}\n\n{}", faults::rendered(table))
    };
    let pages: Vec<String> = FAULTS.iter().zip(&faults).map(page_of).collect();
    fs::write(folder.join("faults.md"), format!("# The fault matrix\n\n{HOW}\n\n{}", pages.join("\n")))
        .unwrap();
    let versions = Table::open("versions");
    let about =
        "The core of the acceptance tests on several versions of Terraform, with and without mutual TLS.";
    fs::write(folder.join("versions.md"), page("The version matrix", about, &versions, "what")).unwrap();
    let of_truth = each(&truth::titles(), &truth::STEPS);
    let all = tables.iter().map(|(engine, table)| (*engine, table, of_truth.clone()));
    let all = all.chain(
        FAULTS.iter().zip(&faults).map(|((name, _, struck), table)| (*name, table, of_faults(struck))),
    );
    for (name, table, wanted) in all.chain([("versions", &versions, versions::expected())]) {
        // Where something is red, what builds on it is missing, too.
        assert_eq!(table.red(), [""; 0]);
        assert_eq!(missing(&table.cells(), &wanted), [""; 0], "a matrix has not run to its end: {name}");
    }
}

#[test]
fn a_cell_that_was_not_tried_is_missed() {
    let rows = ["a".to_owned(), "b".to_owned()];
    let wanted = each(&rows, &["set", "clear"]);
    let found = |columns: &[&str]| columns.iter().map(|column| ((*column).to_owned(), Cell::Green)).collect();
    let mut cells = Cells::from([("a".to_owned(), found(&["set", "clear"]))]);
    assert_eq!(missing(&cells, &wanted), ["b, set", "b, clear"]);
    cells.insert("b".to_owned(), found(&["clear"]));
    assert_eq!(missing(&cells, &wanted), ["b, set"]);
    cells.insert("b".to_owned(), found(&["set", "clear", "healed"]));
    assert_eq!(missing(&cells, &wanted), [""; 0]);
    for (name, _, struck) in FAULTS {
        assert!(!of_faults(struck).is_empty(), "{name}");
    }
}

#[test]
fn engines_make_one_cell() {
    let (green, red, old) = (Cell::Green, Cell::Red("no".to_owned()), Cell::Blank("old".to_owned()));
    let said = |found: &[(&str, &Cell)]| one(found);
    assert_eq!(said(&[("1", &green), ("2", &green)]), Some((Cell::Green, String::new())));
    assert_eq!(said(&[("1", &old), ("2", &green)]), Some((Cell::Green, "not on Engine 1: old".to_owned())));
    assert_eq!(said(&[("1", &old), ("2", &old)]), Some((old.clone(), String::new())));
    let other = Cell::Blank("other".to_owned());
    assert_eq!(
        said(&[("1", &old), ("2", &other)]),
        Some((Cell::Blank("Engine 1: old; Engine 2: other".to_owned()), String::new()))
    );
    assert_eq!(
        said(&[("1", &green), ("2", &red)]),
        Some((Cell::Red("Engine 2: no".to_owned()), String::new()))
    );
    assert_eq!(said(&[]), None);
}
