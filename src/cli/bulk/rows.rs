//! The rows of a file as bodies of operations, each read or with what is wrong with it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sheet::Sheet;
use crate::cli::Failure;
use crate::cli::fields::Fields;
use crate::cli::signing::act;
use crate::domain::operation::Act;
use crate::domain::registry::{Registered, operation};

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
pub(super) fn row(
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
