//! CSV as spreadsheets write it: which column fills in which place of a body.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rows::{Fault, Row, row};
use crate::api::manual::example;
use crate::cli::Failure;
use crate::cli::fields::{Field, Fields, Form, at, put};
use crate::domain::registry::Registered;

/// Most entries of a list that columns may number.
const ENTRIES_MAX: usize = 256;

/// A CSV file whose first row names places of a body.
pub(super) struct Sheet {
    operation: &'static Registered,
    records: Vec<csv::ByteRecord>,
    columns: Vec<Column>,
}

/// What one column fills in.
#[derive(Debug, Clone)]
struct Column {
    /// As the file calls it.
    name: String,
    /// Of the body, such as `shares.0.amount`.
    place: String,
    field: Field,
}

/// A place of a body that a column may fill in.
struct Leaf {
    path: String,
    /// The list whose entries have it.
    entries_of: Option<String>,
    field: Field,
}

fn leaves(fields: &Fields) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for field in &fields.fields {
        if let (Form::Pairs(parts), true) = (&field.form, field.list) {
            leaves.extend(parts.iter().map(|part| Leaf {
                path: format!("{}.{}", field.path, part.path),
                entries_of: Some(field.path.clone()),
                field: part.clone(),
            }));
        }
        leaves.push(Leaf {
            path: field.path.clone(),
            entries_of: None,
            field: field.clone(),
        });
    }
    leaves
}

fn tail(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The shortest name that means one leaf alone.
fn short<'l>(leaf: &'l Leaf, all: &[Leaf]) -> &'l str {
    let same = all
        .iter()
        .filter(|other| tail(&other.path) == tail(&leaf.path));
    match same.count() {
        1 => tail(&leaf.path),
        _ => &leaf.path,
    }
}

impl Column {
    /// What a head means: a place's whole path or, where it is clear, its last part; a number in it is that of an entry
    /// of a list, from 0.
    fn read(head: &str, leaves: &[Leaf]) -> Result<Column, String> {
        let name = head.trim().to_lowercase().replace([' ', '-'], "_");
        let parts: Vec<&str> = name.split('.').collect();
        let number = parts.iter().find_map(|part| part.parse::<usize>().ok());
        let named: Vec<&str> = parts
            .into_iter()
            .filter(|part| part.parse::<usize>().is_err())
            .collect();
        let named = named.join(".");
        let found = leaves
            .iter()
            .find(|leaf| leaf.path == named)
            .or_else(|| leaves.iter().find(|leaf| short(leaf, leaves) == named));
        let Some(leaf) = found else {
            let names: Vec<&str> = leaves.iter().map(|leaf| short(leaf, leaves)).collect();
            return Err(format!(
                "no column {head:?}; there are: {}",
                names.join(", ")
            ));
        };
        let place = match (&leaf.entries_of, number.unwrap_or(0)) {
            (_, number) if number >= ENTRIES_MAX => {
                return Err(format!(
                    "column {head:?}: a list has at most {ENTRIES_MAX} entries"
                ));
            }
            (Some(list), number) => format!("{list}.{number}.{}", tail(&leaf.path)),
            (None, _) => leaf.path.clone(),
        };
        Ok(Column {
            name: head.trim().to_owned(),
            place,
            field: leaf.field.clone(),
        })
    }

    /// A cell's value. Several of a list stand in one cell with spaces or `;` between them.
    fn value(&self, cell: &str) -> Result<Value, Fault> {
        let fault = |what: String| Fault::new(&self.name, "row.malformed", what);
        let read = match (&self.field.form, self.field.list) {
            (Form::Pairs(_) | Form::Json, true) => self.field.read(cell.split(';').map(str::trim)),
            (_, true) => {
                let parts = cell.split([' ', ';', '|']).filter(|part| !part.is_empty());
                self.field.read(parts)
            }
            (form, false) => {
                return form.read(&as_written(form, cell)).map_err(fault);
            }
        };
        read.map_err(|misfit| fault(misfit.what))
    }
}

/// Spreadsheets write TRUE.
fn as_written(form: &Form, cell: &str) -> String {
    match form {
        Form::YesNo => cell.to_lowercase(),
        _ => cell.to_owned(),
    }
}

impl Sheet {
    pub(super) fn open(bytes: &[u8], operation: &'static Registered) -> Result<Sheet, String> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(bytes))
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let records: Result<Vec<csv::ByteRecord>, _> = reader.byte_records().collect();
        let records = records.map_err(|error| error.to_string())?;
        let Some(heads) = records.first() else {
            return Err("it is empty".into());
        };
        let leaves = leaves(&Fields::of(operation));
        let mut columns: Vec<Column> = Vec::new();
        for head in heads {
            let head = std::str::from_utf8(head).map_err(|_| not_utf8(1))?;
            let column = Column::read(head, &leaves)?;
            if let Some(twin) = columns.iter().find(|other| other.place == column.place) {
                return Err(format!(
                    "the columns {:?} and {:?} mean the same",
                    twin.name, column.name
                ));
            }
            columns.push(column);
        }
        Ok(Sheet {
            operation,
            records,
            columns,
        })
    }

    pub(super) fn rows(&self, given: &Value) -> Result<Vec<Row>, String> {
        let mut rows = Vec::new();
        for (record, n) in self.records.iter().zip(1..).skip(1) {
            let cells = record
                .iter()
                .map(|cell| std::str::from_utf8(cell).map(str::trim));
            let cells: Vec<&str> = cells.collect::<Result<_, _>>().map_err(|_| not_utf8(n))?;
            if cells.iter().any(|cell| !cell.is_empty()) {
                rows.push(self.row(n, &cells, given));
            }
        }
        Ok(rows)
    }

    fn row(&self, n: u64, cells: &[&str], given: &Value) -> Row {
        let (mut body, mut faults) = (given.clone(), Vec::new());
        for (column, cell) in self.columns.iter().zip(cells) {
            match column.value(cell) {
                _ if cell.is_empty() => {}
                Ok(value) => put(&mut body, &column.place, value),
                Err(fault) => faults.push(fault),
            }
        }
        if has_holes(&body) {
            let reason = "the entries of a list are filled in from the first on";
            faults.push(Fault::new("", "row.malformed", reason));
        }
        if cells.len() > self.columns.len()
            && cells[self.columns.len()..]
                .iter()
                .any(|cell| !cell.is_empty())
        {
            let reason = format!(
                "{} cells under {} columns: a cell that holds the separator stands in quotes, and amounts have no \
                 thousands separators",
                cells.len(),
                self.columns.len()
            );
            faults.push(Fault::new("", "row.cells", reason));
        }
        let columns = self.columns.iter();
        let columns = columns.map(|column| (column.place.clone(), column.name.clone()));
        row(
            n,
            self.operation,
            body,
            columns.collect::<BTreeMap<_, _>>(),
            faults,
        )
    }
}

fn not_utf8(row: u64) -> String {
    format!("row {row} is not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)")
}

/// Whether an entry of a list stands behind one that no cell filled.
fn has_holes(value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().any(|one| one.is_null() || has_holes(one)),
        Value::Object(all) => all.values().any(has_holes),
        _ => false,
    }
}

/// The separator: the one that the first line has most of.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
    let best = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|one| (count(*one), *one == b','));
    best.unwrap_or(b',')
}

/// A CSV file with the columns of an operation and its example as a row.
pub(in crate::cli) fn template(operation: &Registered, fields: &Fields) -> Result<String, Failure> {
    let body: Value =
        serde_json::from_str(example(operation.name).unwrap_or("{}")).unwrap_or(json!({}));
    let leaves = leaves(fields);
    let whole = |leaf: &Leaf| matches!(leaf.field.form, Form::Pairs(_)) && leaf.field.list;
    let shown: Vec<&Leaf> = leaves.iter().filter(|leaf| !whole(leaf)).collect();
    let heads: Vec<&str> = shown.iter().map(|leaf| short(leaf, &leaves)).collect();
    let cells = shown.iter().map(|leaf| {
        let place = match &leaf.entries_of {
            Some(list) => format!("{list}.0.{}", tail(&leaf.path)),
            None => leaf.path.clone(),
        };
        let value = at(&body, &place);
        value.map_or_else(String::new, |value| leaf.field.write(value).join(" "))
    });
    let cells: Vec<String> = cells.collect();
    let mut file = csv::Writer::from_writer(Vec::new());
    let written = file
        .write_record(heads)
        .and_then(|()| file.write_record(&cells));
    written.map_err(|error| Failure::of("the template", error))?;
    let bytes = file
        .into_inner()
        .map_err(|error| Failure::of("the template", error))?;
    String::from_utf8(bytes).map_err(|error| Failure::of("the template", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::registry::operation;

    fn columns(name: &str, heads: &[&str]) -> Vec<Result<String, String>> {
        let leaves = leaves(&Fields::of(operation(name).unwrap()));
        let read = |head: &&str| Column::read(head, &leaves).map(|column| column.place);
        heads.iter().map(read).collect()
    }

    #[test]
    fn a_head_is_a_place_or_its_last_part_where_that_is_clear() {
        let heads = [
            "Receivable",
            "shares.invoice",
            "amount",
            "shares.1.amount",
            "Term reason",
            "defences.waived",
        ];
        let places = columns("receivable.confirm", &heads);
        let places: Vec<String> = places.into_iter().map(Result::unwrap).collect();
        let expected = [
            "receivable",
            "shares.0.invoice",
            "shares.0.amount",
            "shares.1.amount",
            "term_reason",
            "defences.waived",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_head_that_means_nothing_is_answered_with_those_that_do() {
        let found = columns("receivable.register", &["sum", "shares.9999.amount"]);
        let said: Vec<String> = found.into_iter().map(Result::unwrap_err).collect();
        assert!(said[0].contains("contract, invoice, amount"), "{}", said[0]);
        assert!(said[1].contains("256"), "{}", said[1]);
    }

    #[rstest::rstest]
    #[case("a,b;c,d\n1;2;3", b',')]
    #[case("a;b;c\r\n1,5;2;3", b';')]
    #[case("a\tb\n", b'\t')]
    #[case("contract", b',')]
    fn the_separator_is_the_one_of_the_heads(#[case] text: &str, #[case] expected: u8) {
        assert_eq!(delimiter(text.as_bytes()), expected);
    }

    #[rstest::rstest]
    #[case::an_amount_with_separators(
        "contract,invoice,amount\nctr_1,inv_1,1,234.56\n",
        "4 cells under 3 columns"
    )]
    #[case::an_empty_entry(
        "contract,shares.1.invoice,shares.1.amount\nctr_1,inv_1,1.00\n",
        "from the first on"
    )]
    fn what_cannot_be_told_apart_is_named(#[case] text: &str, #[case] said: &str) {
        let operation = operation("receivable.register").unwrap();
        let rows = Sheet::open(text.as_bytes(), operation)
            .unwrap()
            .rows(&json!({}))
            .unwrap();
        let faults = rows[0].payload().unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.reason.contains(said)),
            "{faults:?}"
        );
    }

    #[test]
    fn a_template_is_a_file_that_can_be_read() {
        for operation in crate::domain::registry::REGISTRY {
            let file = template(operation, &Fields::of(operation)).unwrap();
            let rows = Sheet::open(file.as_bytes(), operation)
                .unwrap()
                .rows(&json!({}))
                .unwrap();
            let read = rows[0].payload();
            // What has lists of objects within objects has no columns for all of it.
            let whole = !file.contains("rulebook") && !file.contains("bands");
            assert!(
                read.is_ok() || !whole,
                "{}: {read:?}\n{file}",
                operation.name
            );
        }
    }
}
