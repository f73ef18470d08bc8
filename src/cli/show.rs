//! `counterfoil show`: what a party may read of a served ledger.

use clap::ValueEnum;
use serde_json::Value;

use super::keyring::Keyring;
use super::remote::Remote;
use super::{Failure, output};
use crate::client::{Client, ClientError};
use crate::domain::values::{Day, PartyId};

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Parties,
    Contracts,
    Deliveries,
    Invoices,
    Receivables,
    Claims,
    Payoff,
    Transfers,
    Requests,
    Offers,
    Financings,
    Limits,
    Accounts,
    Legs,
    Obligations,
}

/// Which objects, as whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: counterfoil show receivables --as hospital\n\
    \x20         counterfoil show payoff rcv_2xa8k1ngwjhz13e7zgbs8ydn8q --as hospital --day 2026-08-07\n\
    \x20         counterfoil show receivables rcv_2xa8k1ngwjhz13e7zgbs8ydn8q --as hospital --json")]
pub(crate) struct Args {
    /// What to read
    kind: Kind,
    /// One object, by its id; all that the party may see if absent
    id: Option<String>,
    /// The key of the party that reads
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// The party that reads, where the key file does not name it
    #[arg(long, value_name = "ID")]
    party: Option<PartyId>,
    /// The day of payment, for a payoff list; the ledger's if absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<Day>,
    /// For claims: as they were after so many entries
    #[arg(long, value_name = "SIZE")]
    as_of: Option<u64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keyring: Keyring,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.remote.session(&args.keyring, &args.by, args.party)?;
    if args.kind == Kind::Payoff && args.id.is_none() {
        return Err(Failure::Usage(
            "a payoff list is of one receivable: name its id".into(),
        ));
    }
    if args.as_of.is_some() && args.kind != Kind::Claims {
        return Err(Failure::Usage(
            "only claims are read as they were: show claims --as-of SIZE".into(),
        ));
    }
    let rows = rows(&client, args).map_err(|error| args.remote.failure(&error))?;
    if rows.is_empty() {
        eprintln!("none");
    }
    let whole = args.id.is_some() && !matches!(args.kind, Kind::Claims | Kind::Payoff);
    if args.json || whole {
        for row in rows {
            let text = if args.json {
                row.to_string()
            } else {
                format!("{row:#}")
            };
            output::text(&format!("{text}\n"));
        }
        return Ok(());
    }
    print(&rows);
    Ok(())
}

fn rows(client: &Client, args: &Args) -> Result<Vec<Value>, ClientError> {
    let word = args
        .kind
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned());
    match (args.kind, &args.id) {
        (Kind::Claims, Some(receivable)) => claims(client, receivable, args.as_of),
        (Kind::Payoff, Some(receivable)) => {
            let day = args
                .day
                .map_or_else(String::new, |day| format!("?day={day}"));
            let mut list: Value =
                client.get(&format!("/v1/receivables/{receivable}/payoff{day}"))?;
            Ok(listed(list["payees"].take()))
        }
        (Kind::Claims, None) => {
            if let Some(size) = args.as_of {
                return held(client, size);
            }
            let mut rows = Vec::new();
            for receivable in client.all("receivables")? {
                let confirmed = receivable["state"] == "confirmed";
                if let Some(id) = receivable["id"].as_str().filter(|_| confirmed) {
                    rows.extend(claims(client, id, None)?);
                }
            }
            Ok(rows)
        }
        (_, Some(id)) => Ok(vec![client.object(&word, id)?]),
        (_, None) => client.all(&word),
    }
}

/// What the party held after so many entries.
fn held(client: &Client, size: u64) -> Result<Vec<Value>, ClientError> {
    let path = format!("/v1/claims?limit=200&as_of={size}");
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let mut page: Value = client.get(&format!("{path}{after}"))?;
        rows.extend(listed(page["items"].take()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(rows),
        }
    }
}

fn claims(
    client: &Client,
    receivable: &str,
    as_of: Option<u64>,
) -> Result<Vec<Value>, ClientError> {
    // A holder reads its claims; the debtor, whom it owes how much.
    let past = as_of.map_or_else(String::new, |size| format!("?as_of={size}"));
    let mut all: Value = client.get(&format!("/v1/receivables/{receivable}/claims{past}"))?;
    let mut rows = listed(all["claims"].take());
    rows.extend(listed(all["payees"].take()));
    Ok(rows)
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}

/// A table of the plain fields of all rows, those of nested objects among them; lists are for `--json`.
fn print(rows: &[Value]) {
    let rows: Vec<Vec<(String, String)>> = rows.iter().map(|row| plain("", row)).collect();
    let mut heads: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !heads.contains(&name.as_str()) {
            heads.push(name);
        }
    }
    let cell = |row: &Vec<(String, String)>, head: &str| {
        row.iter()
            .find(|(name, _)| name == head)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    let cells = rows
        .iter()
        .map(|row| heads.iter().map(|head| cell(row, head)).collect());
    output::table(&heads, cells.collect(), false);
}

fn plain(path: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(fields) => {
            let below = |name: &str| {
                if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                }
            };
            fields
                .iter()
                .flat_map(|(name, value)| plain(&below(name), value))
                .collect()
        }
        Value::Array(_) | Value::Null => Vec::new(),
        Value::String(text) => vec![(path.to_owned(), text.clone())],
        other => vec![(path.to_owned(), other.to_string())],
    }
}
