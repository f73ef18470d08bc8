//! Many operations in words, before anybody signs them: how many, about how much, with whom.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::cli::export::progress;
use crate::cli::signing::Signing;
use crate::cli::words::{ids_in_body, words};
use crate::domain::payload::Payload;
use crate::domain::registry::operation;

/// So many are shown whole.
const SHOWN: usize = 3;

/// What many payloads ask of a ledger: how many of what, and the first of them.
pub(super) fn of(payloads: &[Payload]) -> String {
    let mut text = totals(payloads);
    for payload in payloads.iter().take(SHOWN) {
        text.push_str(&words(payload));
    }
    if payloads.len() > SHOWN {
        text.push_str(&format!("and {} more like these\n", payloads.len() - SHOWN));
    }
    text
}

/// How many of what, and how much.
pub(in crate::cli) fn totals(payloads: &[Payload]) -> String {
    let mut kinds: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for payload in payloads {
        let body = serde_json::from_str(&payload.act.body()).unwrap_or_default();
        kinds.entry(payload.act.name()).or_default().push(body);
    }
    let mut text = String::new();
    for (name, bodies) in kinds {
        let said = operation(name).map_or("", |registered| registered.summary);
        text.push_str(&format!("{} × {name}: {said}", bodies.len()));
        let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
        for body in &bodies {
            if let Some(amount) = amount(body) {
                let currency = body["currency"].as_str().unwrap_or_default();
                *sums.entry(currency.to_owned()).or_default() += amount;
            }
        }
        for (currency, sum) in sums {
            text.push_str(format!("\n  {sum} {currency}").trim_end());
            text.push_str(" in all");
        }
        text.push('\n');
    }
    text
}

/// The amounts of the operation itself: its own, or those of the entries of its lists.
fn amount(body: &Value) -> Option<Decimal> {
    let of = |value: &Value| {
        value["amount"]
            .as_str()
            .and_then(|text| text.parse::<Decimal>().ok())
    };
    let lists = body.as_object()?.values().filter_map(Value::as_array);
    let amounts = lists.flatten().filter_map(of).chain(of(body));
    amounts.reduce(|sum, one| sum.saturating_add(one))
}

/// With whom and in which currency, as the signing party reads the first object that each names.
pub(super) fn parties(payloads: &[Payload], signing: &Signing) -> String {
    let (Ok(client), Ok(me)) = (signing.session(), signing.acting()) else {
        return String::new();
    };
    let me = me.to_string();
    let mut sums: BTreeMap<(String, String), (usize, Decimal)> = BTreeMap::new();
    let bar = progress(payloads.len() as u64, "looked up");
    for payload in payloads {
        bar.inc(1);
        let body: Value = serde_json::from_str(&payload.act.body()).unwrap_or_default();
        let Some((kind, id)) = ids_in_body(&body).into_iter().next() else {
            continue;
        };
        // One that cannot be read now is for the ledger to refuse.
        let Ok(row) = client.object(kind, &id) else {
            continue;
        };
        let other = [
            "debtor",
            "supplier",
            "payee",
            "payer",
            "to",
            "from",
            "lender",
            "requester",
        ]
        .into_iter()
        .filter_map(|role| row[role].as_str())
        .find(|party| *party != me);
        let currency = row["currency"].as_str().unwrap_or_default().to_owned();
        let key = (other.unwrap_or_default().to_owned(), currency);
        let (count, sum) = sums.entry(key).or_default();
        *count += 1;
        *sum += amount(&body).unwrap_or_default();
    }
    bar.finish_and_clear();
    let line = |((other, currency), (count, sum)): ((String, String), (usize, Decimal))| {
        format!("  {count:>6} with {other:<26} {sum:>18} {currency}\n")
    };
    sums.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_amount_is_that_of_the_operation_and_of_no_bound_within_it() {
        let body = json!({
            "shares": [{"invoice": "inv_1", "amount": "5.00"}, {"invoice": "inv_2", "amount": "1.50"}],
            "defences": {"reserved": [{"kind": "quality", "cap": "2.00", "amount": "9.00"}]},
        });
        assert_eq!(amount(&body).unwrap().to_string(), "6.50");
        assert_eq!(
            amount(&json!({"amount": "3.00"})).unwrap().to_string(),
            "3.00"
        );
        assert_eq!(amount(&json!({"contract": "ctr_1"})), None);
    }
}
