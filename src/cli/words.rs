//! An operation in words, from the very bytes that are signed, before anybody signs them.

use serde_json::Value;

use super::Failure;
use crate::chain::{Envelope, pae};
use crate::domain::payload::Payload;
use crate::domain::registry::operation;
use crate::domain::values::{ContractId, MadeId as _, OpId};

/// The payload of an operation's envelope, decoded: nothing is ever signed that was not.
pub(crate) fn decoded(envelope: &Envelope) -> Result<Payload, Failure> {
    if envelope.payload_type() != pae::OP_TYPE {
        return Err(Failure::FoundBad(format!(
            "not an operation: {}",
            envelope.payload_type()
        )));
    }
    Payload::decode(envelope.payload()).map_err(|refusal| Failure::FoundBad(refusal.to_string()))
}

/// What an envelope asks of a ledger, line by line.
pub(crate) fn words(payload: &Payload) -> String {
    let summary = operation(payload.act.name()).map_or("", |registered| registered.summary);
    let mut lines = vec![
        format!("{}: {summary}", payload.act.name()),
        format!("  on ledger          {}", payload.ledger.as_str()),
        format!("  as                 {}", payload.party),
        format!("  valid until        {}", payload.not_after),
    ];
    let body: Value = serde_json::from_str(&payload.act.body()).unwrap_or_default();
    fields("", &body, &mut lines);
    lines.join("\n") + "\n"
}

/// Each kind of object: the prefix of its ids, its list, and the operations that make one.
const KINDS: [(&str, &str, &[&str]); 12] = [
    ("ctr", "contracts", &["contract.propose"]),
    ("dlv", "deliveries", &["delivery.record"]),
    ("inv", "invoices", &["invoice.issue"]),
    ("rcv", "receivables", &["receivable.register"]),
    ("trf", "transfers", &["transfer.propose"]),
    ("req", "requests", &["request.open"]),
    ("ofr", "offers", &["offer.make", "offer.commit"]),
    ("fin", "financings", &["offer.accept"]),
    ("leg", "legs", &["leg.announce"]),
    ("obl", "obligations", &[]),
    ("lim", "limits", &[]),
    ("acc", "accounts", &["account.add"]),
];

/// The objects that a payload's body names, each with its list.
pub(crate) fn ids_in(payload: &str) -> Vec<(&'static str, String)> {
    let value: Value = serde_json::from_str(payload).unwrap_or_default();
    ids_in_body(&value["body"])
}

/// The objects that a body names, each with its list.
pub(crate) fn ids_in_body(body: &Value) -> Vec<(&'static str, String)> {
    let mut texts = Vec::new();
    strings(body, &mut texts);
    let mut ids: Vec<(&'static str, String)> = Vec::new();
    for text in texts {
        let id = text.split(':').next().unwrap_or_default();
        let kind = KINDS.iter().find(|(prefix, ..)| {
            id.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('_') && rest.len() == 27)
        });
        if let Some((_, list, _)) = kind
            && !ids.iter().any(|(_, known)| known == id)
        {
            ids.push((list, id.to_owned()));
        }
    }
    ids
}

fn strings<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(all) => all.iter().for_each(|one| strings(one, texts)),
        Value::Object(all) => all.values().for_each(|one| strings(one, texts)),
        _ => {}
    }
}

/// An object of the ledger, line by line.
pub(crate) fn object(kind: &str, row: &Value) -> String {
    let mut lines = vec![format!("of {kind}:")];
    fields("", row, &mut lines);
    lines.join("\n") + "\n"
}

/// The id of the object that an operation made, which follows from the operation's own.
pub(crate) fn made(operation: &str, op_id: &str) -> Option<String> {
    let (prefix, ..) = KINDS.iter().find(|(_, _, by)| by.contains(&operation))?;
    let op: OpId = op_id.parse().ok()?;
    // Every kind of id is the same digits behind another prefix.
    let digits = ContractId::of(&op, 0).to_string();
    Some(format!("{prefix}_{}", digits.split_once('_')?.1))
}

/// The prefix of the ids of a list's objects.
pub(crate) fn prefix_of(list: &str) -> Option<&'static str> {
    let found = KINDS.iter().find(|(_, plural, _)| *plural == list);
    found.map(|(prefix, ..)| *prefix)
}

/// The fields of an object, line by line.
pub(crate) fn listed(row: &Value) -> String {
    let mut lines = Vec::new();
    fields("", row, &mut lines);
    let paths = lines
        .iter()
        .filter_map(|line| line.split_whitespace().next());
    let width = paths.map(str::len).max().unwrap_or_default();
    let aligned = |line: &String| {
        let (path, value) = line.trim_start().split_once(' ').unwrap_or((line, ""));
        format!("{path:<width$}  {}\n", value.trim_start())
    };
    lines.iter().map(aligned).collect()
}

fn fields(path: &str, value: &Value, lines: &mut Vec<String>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(all) => all
            .iter()
            .for_each(|(name, value)| fields(&below(name), value, lines)),
        Value::Array(all) => all
            .iter()
            .enumerate()
            .for_each(|(i, value)| fields(&below(&i.to_string()), value, lines)),
        Value::String(text) => lines.push(format!("  {path:<18} {text}")),
        other => lines.push(format!("  {path:<18} {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_body_is_shown() {
        let payload = r#"{"ledger":"drill.x/0","op":"contract.accept","party":"x:a","nonce":"000102030405060708090a0b0c0d0e0f","not_after":"2026-11-24T00:00:00Z","body":{"contract":"ctr_00000000000000000000000000"}}"#;
        let payload = Payload::decode(payload).expect("decodes");
        let shown = words(&payload);
        for part in [
            "contract.accept",
            "drill.x/0",
            "x:a",
            "2026-11-24T00:00:00Z",
            "ctr_00000000000000000000000000",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
