//! What the command prints: aligned tables for people, one JSON object a line for machines.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};

/// Writes text to standard output. A reader that has gone away (`| head`) is no error: what the verb does goes on.
pub(crate) fn text(text: &str) {
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
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
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().map(|head| head.to_uppercase()));
    table.add_rows(rows);
    let lines: String = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    text(&lines);
}
