//! Lists of what a party may see: filters, order and columns are those of the API.

use std::str::FromStr;

use clap::{Arg, ArgMatches, Args as _, Command, FromArgMatches as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::columns::{head, telling};
use super::fields::resolved;
use super::read::Reader;
use super::{Failure, output};
use crate::api::list::{KINDS, Kind, VIEWS};
use crate::api::query::called;
use crate::client::{Client, ClientError};
use crate::domain::values::{Day, Instant};

/// Rows of one request.
pub(super) const PAGE: usize = 200;
/// Most rows of a file.
const FILE_MAX: usize = 10_000;

/// How a list is cut, ordered and written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Order and form")]
struct Form {
    /// The column to order by, with a - before it for the largest first
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most so many rows
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// A file for a spreadsheet, with every column
    #[arg(long, conflicts_with_all = ["json", "columns", "wide"])]
    csv: bool,
    /// These columns of the table
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// Every column of the table
    #[arg(long, conflicts_with = "columns")]
    wide: bool,
}

/// The list that goes by a name in the plural.
pub(super) fn kind(plural: &str) -> Option<&'static Kind> {
    KINDS.iter().chain(VIEWS).find(|kind| kind.plural == plural)
}

/// Whether objects of the list are read one by one.
pub(super) fn has_objects(kind: &Kind) -> bool {
    KINDS.iter().any(|one| one.plural == kind.plural)
}

/// The verb that lists a kind, with a flag for each filter.
pub(super) fn command(kind: &'static Kind, name: &'static str, call: &str) -> Command {
    let mut command = Command::new(name)
        .next_help_heading("Filters")
        .args(filters(kind));
    if kind.of_the_past {
        let past = Arg::new("filter as_of").long("as-of").value_name("SIZE");
        command = command.arg(past.help("As it was after so many entries"));
    }
    command = Form::augment_args(command);
    command = Reader::augment_args(command);
    let columns = kind.columns.join(", ");
    command.about(about(kind)).after_help(format!(
        "Example: counterfoil {call} --as NAME{}\nColumns: {columns}",
        example(kind)
    ))
}

fn about(kind: &Kind) -> String {
    match kind.plural {
        "due" => "List what is owed when, to whom".to_owned(),
        "claims" => "List the claims that the party holds, address by address".to_owned(),
        plural => format!("List the {plural} that the party may see"),
    }
}

/// Something to try, with a filter and an order that the list takes.
fn example(kind: &Kind) -> String {
    let day = kind.days.first().map(|day| {
        let tail = flag(day);
        format!(" --{tail}-to 2026-12-31 --sort -{day}")
    });
    let currency = kind
        .filters
        .contains(&"currency")
        .then_some(" --currency CNY");
    format!(
        "{}{} --limit 50",
        currency.unwrap_or_default(),
        day.unwrap_or_default()
    )
}

fn filters(kind: &'static Kind) -> Vec<Arg> {
    let (row, schemas) = (kind.schema)();
    let root = json!({"components": {"schemas": schemas}});
    let row = &root["components"]["schemas"][row];
    let is = kind.filters.iter().map(|column| {
        let name = called(column);
        let arg = Arg::new(format!("filter {name}"))
            .long(flag(column))
            .help(format!("Those whose {} is this", name.replace('_', " ")));
        match words_of(row, &root, column) {
            words if words.is_empty() => arg.value_name("VALUE"),
            words => arg.value_name("WORD").value_parser(words),
        }
    });
    let days = kind
        .days
        .iter()
        .flat_map(|column| bounds(column, "YYYY-MM-DD"));
    let instants = kind
        .instants
        .iter()
        .flat_map(|column| bounds(column, "INSTANT"));
    is.chain(days).chain(instants).collect()
}

/// The two flags that bound a column of days or instants.
fn bounds(column: &'static str, written: &'static str) -> [Arg; 2] {
    let name = called(column);
    let flag = flag(column);
    [("from", "or later"), ("to", "or earlier")].map(|(end, says)| {
        let arg = Arg::new(format!("filter {name}_{end}"))
            .long(format!("{flag}-{end}"))
            .value_name(written)
            .help(format!(
                "Those whose {} is then {says}",
                name.replace(['_', '.'], " ")
            ));
        match written {
            "INSTANT" => arg.value_parser(read::<Instant>),
            _ => arg.value_parser(read::<Day>),
        }
    })
}

fn flag(column: &str) -> String {
    called(column).replace('_', "-")
}

/// A value in its one form, which the API takes as text.
fn read<T>(text: &str) -> Result<String, String>
where
    T: FromStr<Err: ToString> + ToString,
{
    let value = text.parse::<T>();
    value
        .map(|value| value.to_string())
        .map_err(|error| error.to_string())
}

/// The words that may stand in a column, where they are few.
fn words_of(row: &Value, root: &Value, column: &str) -> Vec<String> {
    let found = column.split('.').try_fold(resolved(row, root), |at, part| {
        let property = at["properties"].get(part)?;
        Some(resolved(property, root))
    });
    let found = found.unwrap_or_default();
    let words = found["enum"]
        .as_array()
        .or(found["items"]["enum"].as_array());
    let words = words.into_iter().flatten().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

/// Prints a list.
pub(super) fn run(kind: &'static Kind, matches: &ArgMatches) -> Result<(), Failure> {
    let usage = |error: clap::Error| Failure::Usage(error.to_string());
    let form = Form::from_arg_matches(matches).map_err(usage)?;
    let reader = Reader::from_arg_matches(matches).map_err(usage)?;
    form.check(kind)?;
    let mut query: Vec<(String, String)> = Vec::new();
    for id in matches.ids() {
        if let Some(name) = id.as_str().strip_prefix("filter ")
            && let Some(value) = matches.get_one::<String>(id.as_str())
        {
            query.push((name.to_owned(), value.clone()));
        }
    }
    query.extend(
        form.sort
            .iter()
            .map(|sort| ("sort".to_owned(), sort.clone())),
    );
    let client = reader.session()?;
    if form.csv {
        let limit = form.limit.unwrap_or(FILE_MAX);
        query.push(("limit".to_owned(), limit.to_string()));
        let file = client.csv(kind.plural, &pairs(&query));
        let file = file.map_err(|error| reader.failure(&error))?;
        output::text(&file);
        if form.limit.is_none() && file.lines().count() > FILE_MAX {
            eprintln!("the first {FILE_MAX} rows; filters make a list shorter");
        }
        return Ok(());
    }
    let rows = rows(&client, kind, &query, form.limit);
    let rows = rows.map_err(|error| reader.failure(&error))?;
    if reader.json {
        rows.iter()
            .for_each(|row| output::text(&format!("{row}\n")));
    } else {
        table(&rows, &form.choose(kind, &rows, reader.party().as_deref()));
    }
    Ok(())
}

fn pairs(query: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = query.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn rows(
    client: &Client,
    kind: &Kind,
    query: &[(String, String)],
    limit: Option<usize>,
) -> Result<Vec<Value>, ClientError> {
    let limit = limit.unwrap_or(usize::MAX);
    let (mut rows, mut after) = (Vec::new(), None::<String>);
    while rows.len() < limit {
        let most = PAGE.min(limit - rows.len()).to_string();
        let mut asked = pairs(query);
        asked.push(("limit", &most));
        asked.extend(after.as_deref().map(|after| ("after", after)));
        let page = client.page(kind.plural, &asked)?;
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(rows)
}

impl Form {
    /// Names a column that there is not before anything is asked.
    fn check(&self, kind: &Kind) -> Result<(), Failure> {
        let sorted = self
            .sort
            .as_deref()
            .map(|sort| sort.trim_start_matches('-'));
        let mut named = self.columns.iter().map(String::as_str).chain(sorted);
        match named.find(|name| !kind.columns.contains(name)) {
            Some(unknown) => Err(Failure::Usage(format!(
                "no column {unknown}; there are: {}",
                kind.columns.join(", ")
            ))),
            None => Ok(()),
        }
    }

    /// The columns of the table: those asked for, or the telling ones without those that are empty or say nothing but
    /// who reads.
    fn choose<'f>(&'f self, kind: &Kind, rows: &[Value], reader: Option<&str>) -> Vec<&'f str> {
        if self.wide {
            return kind.columns.to_vec();
        }
        if !self.columns.is_empty() {
            return self.columns.iter().map(String::as_str).collect();
        }
        let says = |column: &&&str| {
            let mut cells = rows.iter().map(|row| cell(row, column));
            **column == "id" || cells.any(|cell| !cell.is_empty() && Some(&*cell) != reader)
        };
        telling(kind.plural).iter().filter(says).copied().collect()
    }
}

/// Prints these columns of rows.
pub(super) fn table(rows: &[Value], columns: &[&str]) {
    if rows.is_empty() {
        eprintln!("none");
        return;
    }
    let heads: Vec<&str> = columns.iter().map(|column| head(column, columns)).collect();
    let cells = |row: &Value| columns.iter().map(|column| cell(row, column)).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    output::fitting_table(&heads, &cells);
}

/// The value at a path of a row, as a table shows it. Of the entries of a list it is their sum, or what they say.
fn cell(row: &Value, column: &str) -> String {
    let mut found = Vec::new();
    values(row, column, &mut found);
    let numbers: Option<Vec<Decimal>> = found.iter().map(|text| text.parse().ok()).collect();
    match (&found[..], numbers) {
        ([], _) => String::new(),
        ([one], _) => one.clone(),
        (_, Some(numbers)) => numbers.iter().sum::<Decimal>().to_string(),
        (several, None) => several.join(" "),
    }
}

fn values(value: &Value, path: &str, found: &mut Vec<String>) {
    match (value, path) {
        (Value::Null, _) => {}
        (Value::Array(all), "") if all.iter().any(Value::is_object) => {
            found.push(format!("{} of them", all.len()));
        }
        (Value::Array(all), path) => all.iter().for_each(|one| values(one, path, found)),
        (Value::String(text), "") => found.push(text.clone()),
        (other, "") => found.push(other.to_string()),
        (other, path) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(value) = other.get(name) {
                values(value, rest, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_a_value_the_words_of_a_list_or_the_sum_of_its_amounts() {
        let row = json!({
            "state": "open", "roles": ["lender", "bank"], "at": {"due": "2026-08-07"}, "hops": [{"to": "x:a"}],
            "shares": [{"registered": "5.00"}, {"registered": "1.50"}],
        });
        let cases = [
            ("state", "open"),
            ("roles", "lender bank"),
            ("at.due", "2026-08-07"),
            ("hops", "1 of them"),
            ("shares.registered", "6.50"),
            ("absent.due", ""),
        ];
        for (column, shown) in cases {
            assert_eq!(cell(&row, column), shown, "{column}");
        }
    }
}
