//! An operation in words, from the very bytes that are signed, before anybody signs them.

use serde_json::Value;

use super::Failure;
use crate::chain::{Envelope, pae};
use crate::domain::payload::Payload;
use crate::domain::registry::operation;

/// The payload of an operation's envelope, decoded: nothing is ever signed that was not.
pub(crate) fn decoded(envelope: &Envelope) -> Result<Payload, Failure> {
    if envelope.payload_type() != pae::OP_TYPE {
        return Err(Failure::FoundBad(format!(
            "not an operation: {}",
            envelope.payload_type()
        )));
    }
    Payload::decode(envelope.payload().as_bytes())
        .map_err(|refusal| Failure::FoundBad(refusal.to_string()))
}

/// What an envelope asks of a ledger, line by line.
pub(crate) fn words(payload: &Payload) -> String {
    let summary = operation(payload.act.name()).map_or("", |registered| registered.summary);
    let mut lines = vec![
        format!("{}: {summary}", payload.act.name()),
        format!("  on ledger   {}", payload.ledger.as_str()),
        format!("  as          {}", payload.party),
        format!("  valid until {}", payload.not_after),
    ];
    let body: Value = serde_json::from_str(&payload.act.body()).unwrap_or_default();
    fields("", &body, &mut lines);
    lines.join("\n") + "\n"
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
        Value::String(text) => lines.push(format!("  {path:<11} {text}")),
        other => lines.push(format!("  {path:<11} {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_body_is_shown() {
        let payload = r#"{"ledger":"drill.x/0","op":"contract.accept","party":"x:a","nonce":"000102030405060708090a0b0c0d0e0f","not_after":"2026-11-24T00:00:00Z","body":{"contract":"ctr_00000000000000000000000000"}}"#;
        let payload = Payload::decode(payload.as_bytes()).expect("decodes");
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
