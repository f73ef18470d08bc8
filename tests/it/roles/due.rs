//! Compares what is due with what the receivables say is open.

use std::collections::BTreeMap;

use serde_json::Value;

/// Units of the last place of an amount.
fn units(amount: &Value) -> u64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// Every receivable whose due rows do not add up to what its own row says is open: all of it where the row says more
/// than the reader's own, for a holder that does not owe it its own alone.
pub(super) fn differences(rows: &Value, dues: &Value, reader: &str) -> Vec<String> {
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut day = "";
    for due in dues.as_array().unwrap() {
        *open.entry(due["receivable"].as_str().unwrap()).or_default() += units(&due["open"]);
        let next = due["due"].as_str().unwrap();
        if next < day {
            wrong.push(format!("{next} stands behind {day}"));
        }
        day = next;
    }
    for row in rows.as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        // Only an auditor reads totals of a receivable that it neither owes nor holds nor sold.
        let parties = [&row["debtor"], &row["supplier"]];
        let audits = !parties.contains(&&Value::from(reader)) && row.get("registration").is_some();
        let whole = row["debtor"] == reader || audits;
        let of = if whole { &row["totals"] } else { &row["held"] };
        let expected = of.get("open").map_or(0, units);
        let found = open.remove(id).unwrap_or(0);
        if found != expected {
            wrong.push(format!("{found} of {id} is due, but {expected} is open"));
        }
    }
    wrong.extend(open.keys().map(|id| format!("{id} is due and not seen")));
    wrong
}
