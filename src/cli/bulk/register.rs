//! What a file of registrations comes to: each row is within what is left only if all rows before it are counted,
//! which a check of one row by the ledger cannot know.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::rows::{Fault, Row};
use crate::client::{Client, ClientError};

/// What is left of invoices and contracts after the rows so far.
#[derive(Debug, Default)]
pub(super) struct Sums {
    objects: BTreeMap<String, Option<Value>>,
    /// What rows have taken, by id, and which.
    taken: BTreeMap<String, (Decimal, Vec<u64>)>,
}

/// What a row takes, by id.
pub(super) type Takes = Vec<(String, Decimal)>;

impl Sums {
    /// What a row takes, or what is wrong with it. Of other operations that is nothing.
    pub(super) fn look(
        &mut self,
        row: &Row,
        client: &Client,
    ) -> Result<Result<Takes, Vec<Fault>>, ClientError> {
        let body: Value = match row.operation {
            Some(operation) if operation.name == "receivable.register" => {
                serde_json::from_str(&row.body().unwrap_or_default()).unwrap_or_default()
            }
            _ => return Ok(Ok(Vec::new())),
        };
        let contract = body["contract"].as_str().unwrap_or_default();
        let Some(terms) = self.object(client, "contracts", contract)? else {
            return Ok(Err(vec![unknown(row, "contract", contract)]));
        };
        let (mut faults, mut takes) = (Vec::new(), Vec::new());
        for (at, share) in body["shares"].as_array().into_iter().flatten().enumerate() {
            match self.share(row, client, contract, at, share)? {
                Ok(take) => takes.extend(take),
                Err(fault) => faults.push(fault),
            }
        }
        let all = takes.iter().map(|(_, amount)| *amount).sum();
        let left = number(&terms["value"]).zip(number(&terms["registered"]));
        let left = left.map(|(value, registered)| value - registered);
        faults.extend(self.beyond(
            row,
            "shares.0.amount",
            "contract.value",
            contract,
            all,
            left,
        ));
        takes.push((contract.to_owned(), all));
        Ok(if faults.is_empty() {
            Ok(takes)
        } else {
            Err(faults)
        })
    }

    /// Counts what a row takes that would be accepted.
    pub(super) fn count(&mut self, row: &Row, takes: Takes) {
        for (id, amount) in takes {
            let (sum, rows) = self.taken.entry(id).or_default();
            *sum += amount;
            rows.push(row.n);
        }
    }

    /// What one share takes of its invoice.
    fn share(
        &mut self,
        row: &Row,
        client: &Client,
        contract: &str,
        at: usize,
        share: &Value,
    ) -> Result<Result<Option<(String, Decimal)>, Fault>, ClientError> {
        let invoice = share["invoice"].as_str().unwrap_or_default();
        let place = |field: &str| format!("shares.{at}.{field}");
        let Some(billed) = self.object(client, "invoices", invoice)? else {
            return Ok(Err(unknown(row, &place("invoice"), invoice)));
        };
        if let Some(of) = billed["contract"].as_str().filter(|of| *of != contract) {
            let column = row.column(&place("invoice"));
            let reason = format!("the invoice is of contract {of}");
            return Ok(Err(Fault::new(&column, "invoice.contract", reason)));
        }
        let Some(amount) = number(&share["amount"]) else {
            return Ok(Ok(None));
        };
        let left = number(&billed["unconsumed"]);
        let beyond = self.beyond(
            row,
            &place("amount"),
            "invoice.consumed",
            invoice,
            amount,
            left,
        );
        Ok(beyond.map_or_else(|| Ok(Some((invoice.to_owned(), amount))), Err))
    }

    /// Whether so much is more than what earlier rows leave. Where no row came before, the ledger says it.
    fn beyond(
        &self,
        row: &Row,
        place: &str,
        rule: &str,
        id: &str,
        amount: Decimal,
        left: Option<Decimal>,
    ) -> Option<Fault> {
        let (sum, rows) = self.taken.get(id)?;
        let left = left? - sum;
        let (first, last) = (rows.first()?, rows.last()?);
        let by = match first == last {
            true => format!("row {first}"),
            false => format!("rows {first} to {last}"),
        };
        (amount > left).then(|| {
            let reason = format!("{amount} of {id}, of which {by} leave {left}");
            Fault::new(&row.column(place), rule, reason)
        })
    }

    fn object(
        &mut self,
        client: &Client,
        kind: &str,
        id: &str,
    ) -> Result<Option<Value>, ClientError> {
        if let Some(known) = self.objects.get(id) {
            return Ok(known.clone());
        }
        let found = match client.object(kind, id) {
            Ok(row) => Some(row),
            Err(ClientError::Refused(problem)) if problem.status == 404 => None,
            Err(error) => return Err(error),
        };
        self.objects.insert(id.to_owned(), found.clone());
        Ok(found)
    }
}

fn unknown(row: &Row, place: &str, id: &str) -> Fault {
    let reason = format!("{id}: no such object, or none that this party may see");
    Fault::new(&row.column(place), "unknown_object", reason)
}

fn number(value: &Value) -> Option<Decimal> {
    value.as_str()?.parse().ok()
}
