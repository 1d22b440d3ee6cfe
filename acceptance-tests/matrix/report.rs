//! What all matrices have found, as pages of the documentation.

use super::{
    faults,
    render::markdown,
    table::{Beside, Besides, Cell, Cells, Table},
    truth,
};
use crate::testbed::root;
use std::{collections::BTreeSet, fs};

const HOW: &str = "Made by `acceptance-tests/run --matrix`: ✓ is as it should be, ✗ is not, – cannot be tried, with the reason.";

/// The tables of faults, and what they are of.
const FAULTS: [(&str, &str); 4] = [
    (
        "faults",
        "Every operation of every type, with everything that can go wrong between the provider and the Engine: at each write, and \
         at the first, the last and some other reads. A number is how many runs stand behind a cell.",
    ),
    ("faults-engine", "The same, while the host of the Engine loses its power at each write."),
    ("faults-leader", "The same, while the host of the swarm's leader loses its power at each write."),
    ("faults-host", "The same, while another host is cut off from the network until the swarm misses it."),
];

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
        Some((_, why)) if blank.len() == found.len() => Some((Cell::Blank((*why).clone()), String::new())),
        _ => {
            let remarks: Vec<String> =
                blank.iter().map(|(engine, why)| format!("not on Engine {engine}: {why}")).collect();
            (!found.is_empty()).then(|| (Cell::Green, remarks.join("; ")))
        }
    }
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
         | behind | Somebody else puts the first value back: the plan shows that and nothing else. |\n\
         | healed | It is applied, and the plan is empty. |\n\
         | clear | The plan without a value shows that and nothing else. |\n\
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
    let faults = FAULTS.map(|(name, _)| Table::open(name));
    let page_of =
        |((_, about), table): (&(&str, &str), &Table)| format!("{about}\n\n{}", faults::rendered(table));
    let pages: Vec<String> = FAULTS.iter().zip(&faults).map(page_of).collect();
    fs::write(folder.join("faults.md"), format!("# The fault matrix\n\n{HOW}\n\n{}", pages.join("\n")))
        .unwrap();
    let versions = Table::open("versions");
    let about =
        "The core of the acceptance tests on several versions of Terraform, with and without mutual TLS.";
    fs::write(folder.join("versions.md"), page("The version matrix", about, &versions, "what")).unwrap();
    let all = tables.iter().map(|(_, table)| table).chain(&faults).chain([&versions]);
    for table in all {
        assert!(!table.cells().is_empty(), "a matrix has not run");
        assert_eq!(table.red(), [""; 0]);
    }
}

#[test]
fn engines_make_one_cell() {
    let (green, red, old) = (Cell::Green, Cell::Red("no".to_owned()), Cell::Blank("old".to_owned()));
    let said = |found: &[(&str, &Cell)]| one(found);
    assert_eq!(said(&[("1", &green), ("2", &green)]), Some((Cell::Green, String::new())));
    assert_eq!(said(&[("1", &old), ("2", &green)]), Some((Cell::Green, "not on Engine 1: old".to_owned())));
    assert_eq!(said(&[("1", &old), ("2", &old)]), Some((old.clone(), String::new())));
    assert_eq!(
        said(&[("1", &green), ("2", &red)]),
        Some((Cell::Red("Engine 2: no".to_owned()), String::new()))
    );
    assert_eq!(said(&[]), None);
}
