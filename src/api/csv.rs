//! Lists as files for a spreadsheet (RFC 4180): the rows' own fields, under a header that never changes.

use serde_json::Value;
use serde_json::value::RawValue;

use super::list::Kind;
use super::query::{at, text};

/// The rows of a kind: nested fields under dotted columns, several values as JSON, what is absent empty.
pub(super) fn file(kind: &Kind, rows: &[Box<RawValue>]) -> String {
    let mut file = String::new();
    line(
        &mut file,
        kind.columns.iter().map(|name| (*name).to_owned()),
    );
    for row in rows {
        let row: Value = serde_json::from_str(row.get()).expect("a row is JSON");
        let cells = kind.columns.iter().map(|column| at(&row, column));
        line(
            &mut file,
            cells.map(|cell| cell.and_then(text).unwrap_or_default()),
        );
    }
    file
}

fn line(file: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            file.push(',');
        }
        file.push_str(&quoted(&harmless(cell)));
    }
    file.push_str("\r\n");
}

/// A spreadsheet computes cells that begin with these; behind a `'` they are text.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}

/// "Fields containing line breaks (CRLF), double quotes, and commas should be enclosed in double-quotes", a double
/// quote inside doubled (RFC 4180 §2).
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("plain", "plain")]
    #[case("a,b", "\"a,b\"")]
    #[case("say \"x\"", "\"say \"\"x\"\"\"")]
    #[case("=1+1", "'=1+1")]
    #[case("@cmd", "'@cmd")]
    #[case("-5.00", "'-5.00")]
    #[case("+a,b", "\"'+a,b\"")]
    #[case("\tx", "'\tx")]
    #[case("\rx", "\"'\rx\"")]
    #[case("", "")]
    fn a_cell_is_quoted_and_never_computed(#[case] cell: &str, #[case] expected: &str) {
        assert_eq!(quoted(&harmless(cell.to_owned())), expected);
    }
}
