//! What the command prints: aligned tables for people, one JSON object a line for machines. Colours are for a terminal
//! alone, and never under NO_COLOR.

use std::io::Write as _;
use std::path::Path;

use console::{Alignment, Style, Term, measure_text_width, pad_str};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Failure;
use crate::files::{self, PLAIN};

/// Between columns.
const GAP: usize = 2;

/// Words for what waits for somebody, and for what ended badly; whatever stands otherwise needs no colour.
const WAITS: &[&str] = &[
    "proposed",
    "registered",
    "announced",
    "open",
    "made",
    "committed",
    "offered",
    "pending",
    "signed",
    "live",
];
const BAD: &[&str] = &[
    "declined",
    "rejected",
    "void",
    "flagged",
    "lapsed",
    "expired",
    "contested",
    "reversed",
    "overdue",
    "withdrawn",
    "cancelled",
    "closed",
    "refused",
    "not_sent",
    "invalid",
    "reject",
];
const GOOD: &[&str] = &[
    "active",
    "in_force",
    "confirmed",
    "accepted",
    "settled",
    "attested",
    "usable",
    "funded",
    "done",
    "valid",
    "discharged",
    "admitted",
];

/// Writes text to standard output. A reader that has gone away (`| head`) is no error: what the verb does goes on.
pub(crate) fn text(text: &str) {
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
}

/// Writes a file whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    files::replace(path, PLAIN, bytes).map_err(|error| Failure::of(path.display(), error))
}

/// Prints rows under their heads, or each as a JSON object with the heads as names.
pub(crate) fn table(heads: &[&str], rows: Vec<Vec<String>>, json: bool) {
    if json {
        for row in rows {
            let object: Map<String, Value> = heads
                .iter()
                .map(ToString::to_string)
                .zip(row.into_iter().map(Value::String))
                .collect();
            text(&format!("{}\n", Value::Object(object)));
        }
        return;
    }
    let widths = widths(heads, &rows);
    text(&aligned(heads, &rows, &widths));
}

/// The same for a terminal: columns that do not fit its width are left out from the right, and that is said.
pub(crate) fn fitting_table(heads: &[&str], rows: &[Vec<String>]) {
    let widths = widths(heads, rows);
    let term = Term::stdout();
    let width = term.is_term().then(|| usize::from(term.size().1));
    let fit = width.map_or(heads.len(), |width| that_fit(&widths, width));
    text(&aligned(&heads[..fit], rows, &widths));
    if fit < heads.len() {
        eprintln!(
            "without {}, for which the terminal is too narrow (--columns chooses)",
            heads[fit..].join(", ")
        );
    }
}

/// How many of these columns stand side by side in a width; one at least.
fn that_fit(widths: &[usize], width: usize) -> usize {
    let mut used = 0;
    let fit = widths.iter().take_while(|column| {
        used += *column + GAP;
        used - GAP <= width
    });
    fit.count().max(1)
}

fn widths(heads: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let width = |(at, head): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let widest = cells.map(|cell| measure_text_width(cell)).max();
        widest.unwrap_or(0).max(measure_text_width(head))
    };
    heads.iter().enumerate().map(width).collect()
}

fn aligned(heads: &[&str], rows: &[Vec<String>], widths: &[usize]) -> String {
    let numbers: Vec<bool> = (0..heads.len()).map(|at| is_number(rows, at)).collect();
    let line = |cells: &mut dyn Iterator<Item = (String, Style)>| {
        let mut line = String::new();
        for (at, (cell, style)) in cells.enumerate().take(heads.len()) {
            let alignment = if numbers[at] {
                Alignment::Right
            } else {
                Alignment::Left
            };
            // The last column ends where its text does.
            let padded = if at + 1 == heads.len() && !numbers[at] {
                cell.into()
            } else {
                pad_str(&cell, widths[at], alignment, None)
            };
            let gap = if at > 0 { GAP } else { 0 };
            line.push_str(&format!("{:gap$}{}", "", style.apply_to(padded)));
        }
        line.trim_end().to_owned() + "\n"
    };
    let bold = Style::new().bold();
    let head = line(&mut heads.iter().map(|head| (head.to_uppercase(), bold.clone())));
    let painted = |row: &Vec<String>| {
        let cells = row.iter().cloned().zip(heads);
        line(&mut cells.map(|(cell, head)| {
            let style = style(head, &cell);
            (cell, style)
        }))
    };
    head + &rows.iter().map(painted).collect::<String>()
}

fn is_number(rows: &[Vec<String>], at: usize) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(at));
    let mut given = cells.filter(|cell| !cell.is_empty()).peekable();
    given.peek().is_some() && given.all(|cell| cell.parse::<Decimal>().is_ok())
}

/// The colour of a cell: of a state by what it asks for.
fn style(head: &str, cell: &str) -> Style {
    let plain = Style::new();
    if !["state", "verdict"].contains(&head) {
        return plain;
    }
    match cell {
        word if WAITS.contains(&word) => plain.yellow(),
        word if BAD.contains(&word) => plain.red(),
        word if GOOD.contains(&word) => plain.green(),
        _ => plain,
    }
}

/// A complaint's beginning, in red where standard error is a terminal.
pub(crate) fn complaint(word: &str) -> String {
    Style::new()
        .for_stderr()
        .red()
        .bold()
        .apply_to(word)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[[&str; 3]]) -> Vec<Vec<String>> {
        let row = |row: &[&str; 3]| row.iter().map(ToString::to_string).collect();
        cells.iter().map(row).collect()
    }

    #[test]
    fn words_are_on_the_left_and_numbers_on_the_right() {
        let heads = ["name", "face", "state"];
        let rows = rows(&[["医院", "950000.00", "confirmed"], ["b", "5.00", "x"]]);
        let shown = aligned(&heads, &rows, &widths(&heads, &rows));
        let expected = "\
NAME       FACE  STATE
医院  950000.00  confirmed
b          5.00  x
";
        assert_eq!(console::strip_ansi_codes(&shown), expected);
    }

    #[test]
    fn columns_are_left_out_from_the_right() {
        let cases = [(100, 3), (12, 2), (11, 1), (1, 1)];
        for (width, fit) in cases {
            assert_eq!(that_fit(&[5, 5, 9], width), fit, "{width}");
        }
    }
}
