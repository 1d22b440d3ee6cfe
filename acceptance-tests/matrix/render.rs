//! A table as people read it: Markdown, with a footnote for what a mark alone does not say.

use super::table::{Beside, Besides, Cell, Cells};
use std::{collections::BTreeSet, fmt::Write};

/// The table, with `corner` above its rows. The columns come in the order of `columns`; those that it does not name come
/// last. Beside a mark stands how many runs it is made of, where that was counted.
pub fn markdown(corner: &str, columns: &[&str], cells: &Cells, besides: &Besides) -> String {
    let columns = in_order(columns, cells);
    let mut notes = Notes::default();
    let mut lines = String::new();
    for (row, found) in cells {
        let marks = columns.iter().map(|column| {
            let beside = besides.get(row).and_then(|besides| besides.get(*column)).cloned();
            found.get(*column).map_or(String::new(), |cell| notes.mark(cell, &beside.unwrap_or_default()))
        });
        line(&mut lines, std::iter::once(row.clone()).chain(marks));
    }
    let mut text = format!("{}\n\n", summary(cells, besides));
    line(&mut text, std::iter::once(corner).chain(columns.iter().copied()));
    line(&mut text, std::iter::repeat_n("---", columns.len() + 1));
    text.push_str(&lines);
    if !notes.0.is_empty() {
        text.push('\n');
    }
    for (at, note) in notes.0.iter().enumerate() {
        writeln!(text, "[^{}]: {note}", at + 1).unwrap();
    }
    text
}

fn in_order<'a>(columns: &[&'a str], cells: &'a Cells) -> Vec<&'a str> {
    let there: BTreeSet<&str> = cells.values().flat_map(|row| row.keys().map(String::as_str)).collect();
    let mut order: Vec<&str> = columns.iter().filter(|column| there.contains(*column)).copied().collect();
    order.extend(there.iter().filter(|column| !columns.contains(column)));
    order
}

fn line(text: &mut String, parts: impl Iterator<Item = impl AsRef<str>>) {
    for part in parts {
        write!(text, "| {} ", part.as_ref().replace('|', "\\|")).unwrap();
    }
    text.push_str("|\n");
}

/// How many cells there are of each kind, and how many runs stand behind them.
fn summary(cells: &Cells, besides: &Besides) -> String {
    let all = || cells.values().flat_map(|row| row.values());
    let count = |is: fn(&Cell) -> bool| all().filter(|cell| is(cell)).count();
    let (green, red) = (count(|cell| *cell == Cell::Green), count(|cell| matches!(cell, Cell::Red(_))));
    let blank = all().count() - green - red;
    let runs: usize = besides.values().flat_map(|row| row.values()).map(|beside| beside.runs).sum();
    let runs = if runs == 0 { String::new() } else { format!(", of {runs} runs") };
    format!("{} cells{runs}: {green} ✓, {red} ✗, {blank} –", green + red + blank)
}

/// Footnotes, each of which may be that of many cells.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn mark(&mut self, cell: &Cell, beside: &Beside) -> String {
        let (mark, note) = match cell {
            Cell::Green => ("✓", beside.remark.as_str()),
            Cell::Red(why) => ("✗", why.as_str()),
            Cell::Blank(why) => ("–", why.as_str()),
        };
        let runs = if beside.runs == 0 { String::new() } else { format!(" {}", beside.runs) };
        let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
        if note.is_empty() {
            return format!("{mark}{runs}");
        }
        let known = self.0.iter().position(|known| *known == note);
        let at = known.unwrap_or_else(|| {
            self.0.push(note);
            self.0.len() - 1
        });
        format!("{mark}{runs}[^{}]", at + 1)
    }
}

#[test]
fn a_table_is_rendered_with_its_counts_and_one_footnote_for_each_reason() {
    let cell = |column: &str, cell| (column.to_owned(), cell);
    let blank = || Cell::Blank("it is\nrequired".to_owned());
    let cells = Cells::from([
        ("a".to_owned(), [cell("set", Cell::Green), cell("clear", blank())].into()),
        ("b".to_owned(), [cell("set", Cell::Red("c|d".to_owned())), cell("clear", blank())].into()),
    ]);
    let beside = |runs, remark: &str| Beside { runs, remark: remark.to_owned() };
    let besides =
        Besides::from([("a".to_owned(), [("set".to_owned(), beside(3, "once after an import"))].into())]);
    let text = markdown("attribute", &["set"], &cells, &besides);
    assert_eq!(
        text,
        "4 cells, of 3 runs: 1 ✓, 1 ✗, 2 –\n\n\
         | attribute | set | clear |\n| --- | --- | --- |\n\
         | a | ✓ 3[^1] | –[^2] |\n| b | ✗[^3] | –[^2] |\n\n\
         [^1]: once after an import\n[^2]: it is required\n[^3]: c|d\n"
    );
}
