//! What a party reads: `counterfoil receivable list`, `… show ID`, and the other reads. Lists, their filters and their
//! columns are those of the API.

use clap::{Arg, ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::{Value, json};

use super::columns::{head, telling};
use super::fields::{at, resolved};
use super::keyring::Keyring;
use super::remote::Remote;
use super::{Failure, output, words};
use crate::api::list::{KINDS, Kind, VIEWS};
use crate::client::{Client, ClientError};
use crate::domain::values::{Day, PartyId};

/// Rows of one request.
const PAGE: usize = 200;
/// Most rows of a file.
const FILE_MAX: usize = 10_000;

/// Who reads.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct Reader {
    /// The key of the party that reads
    #[arg(long = "as", value_name = "NAME", env = "COUNTERFOIL_AS")]
    by: String,
    /// The party that reads, where the key file does not name it
    #[arg(long = "for", value_name = "ID")]
    party: Option<PartyId>,
    /// A JSON object a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    keyring: Keyring,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Reader {
    pub(super) fn session(&self) -> Result<Client, Failure> {
        self.remote.session(&self.keyring, &self.by, self.party)
    }

    fn party(&self) -> Option<String> {
        let of_key = || self.keyring.party_of(&self.by).ok();
        self.party.or_else(of_key).map(|party| party.to_string())
    }

    pub(super) fn failure(&self, error: &ClientError) -> Failure {
        self.remote.failure(error)
    }
}

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
pub(super) fn list(kind: &'static Kind, name: &'static str, call: &str) -> Command {
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
        let tail = last(day).replace('_', "-");
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

fn last(column: &str) -> &str {
    column.rsplit('.').next().unwrap_or(column)
}

fn filters(kind: &'static Kind) -> Vec<Arg> {
    let (row, schemas) = (kind.schema)();
    let root = json!({"components": {"schemas": schemas}});
    let row = &root["components"]["schemas"][row];
    let is = kind.filters.iter().map(|column| {
        let name = last(column);
        let arg = Arg::new(format!("filter {name}"))
            .long(name.replace('_', "-"))
            .help(format!("Those whose {} is this", name.replace('_', " ")));
        match words_of(row, &root, column) {
            words if words.is_empty() => arg.value_name("VALUE"),
            words => arg.value_name("WORD").value_parser(words),
        }
    });
    let days = kind.days.iter().flat_map(|column| {
        let name = last(column);
        [("from", "or later"), ("to", "or earlier")].map(|(end, says)| {
            Arg::new(format!("filter {name}_{end}"))
                .long(format!("{}-{end}", name.replace('_', "-")))
                .value_name("YYYY-MM-DD")
                .value_parser(day)
                .help(format!(
                    "Those whose {} is that day {says}",
                    name.replace('_', " ")
                ))
        })
    });
    is.chain(days).collect()
}

fn day(text: &str) -> Result<String, String> {
    let day = text.parse::<Day>();
    day.map(|day| day.to_string())
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
pub(super) fn run_list(kind: &'static Kind, matches: &ArgMatches) -> Result<(), Failure> {
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

fn table(rows: &[Value], columns: &[&str]) {
    if rows.is_empty() {
        eprintln!("none");
        return;
    }
    let heads: Vec<&str> = columns.iter().map(|column| head(column, columns)).collect();
    let cells = |row: &Value| columns.iter().map(|column| cell(row, column)).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    output::fitting_table(&heads, &cells);
}

/// The value at a path of a row, as a table shows it.
fn cell(row: &Value, column: &str) -> String {
    match at(row, column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) if all.iter().all(Value::is_string) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            all.join(" ")
        }
        Some(Value::Array(all)) => format!("{} of them", all.len()),
        Some(other) => other.to_string(),
    }
}

/// One object.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// Its id
    id: String,
    #[command(flatten)]
    reader: Reader,
}

impl Show {
    pub(super) fn run(&self, plural: &str) -> Result<(), Failure> {
        let row = self.reader.session()?.object(plural, &self.id);
        let row = row.map_err(|error| self.reader.failure(&error))?;
        self.reader.tell(&row);
        Ok(())
    }
}

impl Reader {
    /// Prints one object: a field a line, or as JSON.
    pub(super) fn tell(&self, row: &Value) {
        if self.json {
            output::text(&format!("{row}\n"));
        } else {
            output::text(&words::listed(row));
        }
    }

    /// Prints the entries of a list within an answer.
    fn tell_all(&self, rows: &[Value], columns: &[&str]) {
        if self.json {
            rows.iter()
                .for_each(|row| output::text(&format!("{row}\n")));
        } else {
            table(rows, columns);
        }
    }
}

/// The fens of one receivable.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil receivable claims rcv_5fpe3snah561wp2n59pe4c0ed6 --as NAME\n\
    A holder reads its claims; the debtor, whom it owes how much."
)]
pub(super) struct Claims {
    /// The receivable
    id: String,
    /// As they were after so many entries
    #[arg(long, value_name = "SIZE")]
    as_of: Option<u64>,
    #[command(flatten)]
    reader: Reader,
}

impl Claims {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let past = self
            .as_of
            .map_or_else(String::new, |size| format!("?as_of={size}"));
        let path = format!("/v1/receivables/{}/claims{past}", self.id);
        let all = self.reader.session()?.get::<Value>(&path);
        let all = all.map_err(|error| self.reader.failure(&error))?;
        let of = |name: &str| all[name].as_array().cloned().unwrap_or_default();
        let (claims, payees) = (of("claims"), of("payees"));
        let owed = ["payee", "due", "open", "overdue", "settled", "cancelled"];
        match (claims.is_empty(), payees.is_empty()) {
            (false, true) | (true, true) => self.reader.tell_all(&claims, CLAIM_COLUMNS),
            (true, false) => self.reader.tell_all(&payees, &owed),
            (false, false) => {
                self.reader.tell_all(&claims, CLAIM_COLUMNS);
                self.reader.tell_all(&payees, &owed);
            }
        }
        Ok(())
    }
}

const CLAIM_COLUMNS: &[&str] = &[
    "address",
    "state",
    "face",
    "due",
    "holder",
    "lock.by",
    "lock.ends",
];

/// Whom to pay on a receivable.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil receivable payoff rcv_5fpe3snah561wp2n59pe4c0ed6 --day 2026-08-07 --as NAME"
)]
pub(super) struct Payoff {
    /// The receivable
    id: String,
    /// The day of payment; the ledger's if absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<Day>,
    #[command(flatten)]
    reader: Reader,
}

impl Payoff {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let day = self
            .day
            .map_or_else(String::new, |day| format!("?day={day}"));
        let path = format!("/v1/receivables/{}/payoff{day}", self.id);
        let list = self.reader.session()?.get::<Value>(&path);
        let list = list.map_err(|error| self.reader.failure(&error))?;
        let payees = list["payees"].as_array().cloned().unwrap_or_default();
        let columns = [
            "payee",
            "amount",
            "late_interest.amount",
            "account.number",
            "account.bank",
            "account.id",
        ];
        self.reader.tell_all(&payees, &columns);
        Ok(())
    }
}

/// The receipt of an operation.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil operation show 8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92 --as NAME"
)]
pub(super) struct ShowOperation {
    /// The operation, as its receipt names it
    id: String,
    #[command(flatten)]
    reader: Reader,
}

impl ShowOperation {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let path = format!("/v1/operations/{}", self.id);
        let receipt = self.reader.session()?.get::<Value>(&path);
        self.reader
            .tell(&receipt.map_err(|error| self.reader.failure(&error))?);
        Ok(())
    }
}

/// The party's feed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil events --as NAME --after 20 --limit 50")]
pub(super) struct Events {
    /// Events behind this number of the party's own feed
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// At most so many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    #[command(flatten)]
    reader: Reader,
}

impl Events {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let client = self.reader.session()?;
        let limit = self.limit.unwrap_or(usize::MAX);
        let (mut after, mut all) = (self.after, Vec::new());
        while all.len() < limit {
            let page = client.events(after, PAGE.min(limit - all.len()));
            let page = page.map_err(|error| self.reader.failure(&error))?;
            let Some(last) = page.last().and_then(|event| event["seq"].as_u64()) else {
                break;
            };
            after = last;
            all.extend(page);
        }
        self.reader
            .tell_all(&all, &["seq", "n", "time", "op", "objects"]);
        Ok(())
    }
}

/// An entry's line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil entry 12 --as NAME | jq .")]
pub(super) struct Entry {
    /// Its number
    n: u64,
    #[command(flatten)]
    reader: Reader,
}

impl Entry {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let line = self.reader.session()?.entry(self.n);
        let line = line.map_err(|error| self.reader.failure(&error))?;
        output::text(&format!("{}\n", line.trim_end()));
        Ok(())
    }
}
