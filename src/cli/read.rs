//! What a party reads one by one: an object, the claims of a receivable, whom to pay, its feed, an entry.

use serde_json::Value;

use super::keyring::Keyring;
use super::list::{PAGE, table};
use super::remote::Remote;
use super::{Failure, output, words};
use crate::client::{Client, ClientError};
use crate::domain::values::{Day, PartyId};

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

    pub(super) fn party(&self) -> Option<String> {
        let of_key = || self.keyring.party_of(&self.by).ok();
        self.party.or_else(of_key).map(|party| party.to_string())
    }

    pub(super) fn failure(&self, error: &ClientError) -> Failure {
        self.remote.failure(error)
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

/// What a receipt proves.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    /// That the ledger said so
    Committed,
    /// That a quorum of witnesses saw the ledger say so
    Witnessed,
}

/// An entry's line, or its receipt.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil entry 12 --as NAME | jq .\n\
    counterfoil entry 12 --as NAME --receipt committed > 12.receipt.json; counterfoil verify 12.receipt.json --policy FILE")]
pub(super) struct Entry {
    /// Its number
    n: u64,
    /// Print what proves offline that it is in the ledger: its line, and a proof that leads to a signed checkpoint
    #[arg(long, value_enum, value_name = "LEVEL")]
    receipt: Option<Level>,
    #[command(flatten)]
    reader: Reader,
}

impl Entry {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let client = self.reader.session()?;
        let found = match self
            .receipt
            .as_ref()
            .and_then(clap::ValueEnum::to_possible_value)
        {
            None => client.entry(self.n),
            Some(level) => client.receipt(self.n, level.get_name()),
        };
        let text = found.map_err(|error| self.reader.failure(&error))?;
        output::text(&format!("{}\n", text.trim_end()));
        Ok(())
    }
}
