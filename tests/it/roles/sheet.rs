//! Reads a CSV file by its own few lines and compares it with the rows it was made from.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether every field of every row stands in the file, and nothing else.
pub(super) fn same(rows: &Value, file: &str) -> Result<(), String> {
    let mut lines = read(file).into_iter();
    let header = lines.next().unwrap_or_default();
    let lines: Vec<Vec<String>> = lines.collect();
    let rows = rows.as_array().unwrap();
    if lines.len() != rows.len() {
        return Err(format!("{} lines for {} rows", lines.len(), rows.len()));
    }
    for (row, line) in rows.iter().zip(lines) {
        let cells = header.iter().cloned().zip(line);
        let found: BTreeMap<String, String> = cells.filter(|(_, cell)| !cell.is_empty()).collect();
        let mut expected = BTreeMap::new();
        flatten(&header, "", row, &mut expected);
        if found != expected {
            return Err(format!("{found:?}, but the row says {expected:?}"));
        }
    }
    Ok(())
}

fn flatten(header: &[String], path: &str, value: &Value, to: &mut BTreeMap<String, String>) {
    let deeper = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let cell = match value {
        Value::Object(fields) if !header.iter().any(|column| column == path) => {
            for (name, value) in fields {
                flatten(header, &deeper(name), value, to);
            }
            return;
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let computes = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if computes { format!("'{cell}") } else { cell };
    if !cell.is_empty() {
        to.insert(path.to_owned(), cell);
    }
}

/// Lines of cells (RFC 4180).
fn read(file: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell, mut quoted) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = file.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.next_if_eq(&'\n').is_some() => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            other => cell.push(other),
        }
    }
    assert!(
        !quoted && cell.is_empty() && line.is_empty(),
        "a file that breaks off"
    );
    lines
}
