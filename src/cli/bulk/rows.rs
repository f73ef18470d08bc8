//! The rows of a file as bodies of operations: CSV as spreadsheets write it, or a JSON object a line.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::example::example;
use crate::cli::fields::{Field, Fields, Form, at, put};
use crate::cli::signing::act;
use crate::domain::operation::Act;
use crate::domain::registry::{Registered, operation};

/// Most entries of a list that columns may number.
const ENTRIES_MAX: usize = 256;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Fault {
    /// The column, as the file calls it; empty where it is of no single one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) column: String,
    /// The rule that it breaks.
    pub(super) rule: String,
    /// What is wrong and what would be right.
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(column: &str, rule: &str, reason: impl Into<String>) -> Fault {
        Fault {
            column: column.to_owned(),
            rule: rule.to_owned(),
            reason: reason.into(),
        }
    }

    /// As cells of a table: row, column, rule, reason.
    pub(super) fn cells(&self, row: u64) -> Vec<String> {
        let Fault {
            column,
            rule,
            reason,
        } = self.clone();
        vec![row.to_string(), column, rule, reason]
    }
}

/// A row of a file.
#[derive(Debug)]
pub(in crate::cli) struct Row {
    /// Its number, as a spreadsheet or an editor shows it.
    pub(super) n: u64,
    pub(super) operation: Option<&'static Registered>,
    /// What its columns are called, by the places of the body that they fill.
    columns: BTreeMap<String, String>,
    /// The body as its type writes it, or what is wrong.
    read: Result<String, Vec<Fault>>,
}

impl Row {
    /// The body in canonical form, if it can be read.
    pub(super) fn body(&self) -> Option<String> {
        self.read.clone().ok()
    }

    /// Whether the row can be read, or what is wrong.
    pub(super) fn payload(&self) -> Result<(), &[Fault]> {
        self.read.as_ref().map(drop).map_err(Vec::as_slice)
    }

    /// The operation that the row says.
    pub(super) fn act(&self) -> Option<Box<dyn Act>> {
        let body: Value = serde_json::from_str(self.read.as_ref().ok()?).ok()?;
        act(self.operation?, &body).ok()
    }

    /// What the file calls the column of a place of the body, such as `shares.0.amount`.
    pub(super) fn column(&self, place: &str) -> String {
        self.columns
            .get(place)
            .cloned()
            .unwrap_or_else(|| place.to_owned())
    }

    /// The column whose place ends with that field.
    pub(super) fn column_of_field(&self, field: &str) -> Option<String> {
        let body: Value = serde_json::from_str(self.read.as_ref().ok()?).ok()?;
        let mut places = Vec::new();
        places_of(&body, "", &mut places);
        let place = places
            .iter()
            .find(|place| place.rsplit('.').next() == Some(field));
        place.map(|place| self.column(place))
    }

    pub(super) fn spoil(&mut self, fault: Fault) {
        match &mut self.read {
            Ok(_) => self.read = Err(vec![fault]),
            Err(faults) => faults.push(fault),
        }
    }

    fn bad(n: u64, operation: Option<&'static Registered>, fault: Fault) -> Row {
        Row {
            n,
            operation,
            columns: BTreeMap::new(),
            read: Err(vec![fault]),
        }
    }
}

fn places_of(value: &Value, path: &str, places: &mut Vec<String>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    match value {
        Value::Object(all) => all
            .iter()
            .for_each(|(name, one)| places_of(one, &below(name), places)),
        Value::Array(all) => {
            let numbered = all.iter().enumerate();
            numbered.for_each(|(at, one)| places_of(one, &below(&at.to_string()), places));
        }
        _ => places.push(path.to_owned()),
    }
}

/// Reads a file: of one operation, or of lines that name theirs. What `given` says fills what a row leaves out.
pub(super) fn read(
    file: &Path,
    operation: Option<&'static Registered>,
    given: &Value,
) -> Result<Vec<Row>, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::of(file.display(), error))?;
    let bad = |what: String| Failure::FoundBad(format!("{}: {what}", file.display()));
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(bad(
            "it is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)".into()
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let lines = bytes.trim_ascii_start().starts_with(b"{");
    let mut rows = match (lines, operation) {
        (true, _) => of_lines(bytes, operation, given),
        (false, Some(operation)) => Sheet::open(bytes, operation)
            .and_then(|sheet| sheet.rows(given))
            .map_err(bad)?,
        (false, None) => {
            return Err(bad(
                "it is not a JSON object a line, each with `op` and `body`".into(),
            ));
        }
    };
    if rows.is_empty() {
        return Err(bad("there are no rows in it".into()));
    }
    mark_twins(&mut rows);
    Ok(rows)
}

/// A row that says what an earlier one says is a slip: it would do the same twice.
fn mark_twins(rows: &mut [Row]) {
    let mut seen: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for row in rows {
        let (Some(operation), Some(body)) = (row.operation, row.body()) else {
            continue;
        };
        match seen.get(&(operation.name, body.clone())) {
            Some(first) => {
                let reason = format!("it says the same as row {first}");
                row.spoil(Fault::new("", "row.twice", reason));
            }
            None => {
                seen.insert((operation.name, body), row.n);
            }
        }
    }
}

fn of_lines(bytes: &[u8], of: Option<&'static Registered>, given: &Value) -> Vec<Row> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    lines.map(|(line, n)| of_line(line, n, of, given)).collect()
}

fn of_line(line: &[u8], n: u64, of: Option<&'static Registered>, given: &Value) -> Row {
    let line: Value = match serde_json::from_slice(line) {
        Ok(line) => line,
        Err(error) => return Row::bad(n, of, Fault::new("", "row.malformed", error.to_string())),
    };
    let named = line["op"].as_str().zip(line.get("body"));
    let (registered, body) = match (named, of) {
        (Some((name, _)), Some(of)) if of.name != name => {
            let reason = format!("it is {name}, and this call is for {}", of.name);
            return Row::bad(n, Some(of), Fault::new("op", "operation.other", reason));
        }
        (Some((name, body)), _) => match operation(name) {
            Some(registered) => (registered, body),
            None => {
                let reason = format!("there is no operation {name}");
                return Row::bad(n, None, Fault::new("op", "operation.unknown", reason));
            }
        },
        (None, Some(of)) => (of, &line),
        (None, None) => {
            let reason = "a line is {\"op\":\"object.verb\",\"body\":{…}}";
            return Row::bad(n, None, Fault::new("", "row.malformed", reason));
        }
    };
    let mut whole = given.clone();
    if let (Value::Object(whole), Some(body)) = (&mut whole, body.as_object()) {
        whole.extend(body.clone());
    }
    row(n, registered, whole, BTreeMap::new(), Vec::new())
}

/// A row from its body and what was wrong with its cells.
fn row(
    n: u64,
    operation: &'static Registered,
    mut body: Value,
    columns: BTreeMap<String, String>,
    mut faults: Vec<Fault>,
) -> Row {
    let fields = Fields::of(operation);
    fields.complete(&mut body);
    let column = |place: &str| {
        columns
            .get(place)
            .cloned()
            .unwrap_or_else(|| place.to_owned())
    };
    let spoilt = |place: &str, faults: &[Fault]| {
        let column = column(place);
        faults
            .iter()
            .any(|fault| fault.column == column || fault.column.starts_with(place))
    };
    for lack in fields.missing(&body) {
        if !spoilt(&lack.path, &faults) {
            let name = column_within(&columns, &lack.path).unwrap_or(lack.path);
            faults.push(Fault::new(&name, "row.missing", lack.what));
        }
    }
    if faults.is_empty()
        && let Err(misfit) = act(operation, &body)
    {
        faults.push(Fault::new(
            &column(&misfit.path),
            "row.malformed",
            misfit.what,
        ));
    }
    let read = match faults.is_empty() {
        true => act(operation, &body)
            .map(|act| act.body())
            .map_err(|_| faults),
        false => Err(faults),
    };
    Row {
        n,
        operation: Some(operation),
        columns,
        read,
    }
}

/// The first column that fills something of a field.
fn column_within(columns: &BTreeMap<String, String>, path: &str) -> Option<String> {
    let found = columns.iter().find(|(place, _)| {
        place
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    found.map(|(_, name)| name.clone())
}

/// A CSV file whose first row names places of a body.
struct Sheet {
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
    fn open(bytes: &[u8], operation: &'static Registered) -> Result<Sheet, String> {
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

    fn rows(&self, given: &Value) -> Result<Vec<Row>, String> {
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
        row(n, self.operation, body, columns.collect(), faults)
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
