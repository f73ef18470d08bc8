//! Which columns of a list a person reads first; `--wide` shows all, `--columns` any.

/// By list, the most telling first: a narrow terminal leaves out from the right.
const COLUMNS: &[(&str, &[&str])] = &[
    ("parties", &["id", "roles", "size", "kyc_valid_to", "name"]),
    (
        "contracts",
        &[
            "id", "state", "number", "value", "currency", "debtor", "supplier",
        ],
    ),
    (
        "deliveries",
        &["id", "state", "number", "amount", "delivered", "contract"],
    ),
    (
        "invoices",
        &[
            "id",
            "state",
            "number",
            "payable",
            "unconsumed",
            "currency",
            "issued",
            "debtor",
            "supplier",
        ],
    ),
    (
        "receivables",
        &[
            "id",
            "state",
            "registration.shares.registered",
            "confirmation.face",
            "currency",
            "confirmation.due",
            "totals.open",
            "held.open",
            "debtor",
            "supplier",
        ],
    ),
    (
        "transfers",
        &["id", "state", "face", "currency", "expires", "from", "to"],
    ),
    (
        "requests",
        &[
            "id",
            "state",
            "face",
            "currency",
            "due",
            "bidding",
            "closes",
            "requester",
        ],
    ),
    (
        "offers",
        &[
            "id",
            "state",
            "comparison.rank",
            "comparison.cost",
            "currency",
            "comparison.apr",
            "lender",
            "request",
        ],
    ),
    (
        "financings",
        &[
            "id",
            "state",
            "face",
            "outstanding",
            "currency",
            "due",
            "lender",
            "requester",
        ],
    ),
    (
        "limits",
        &[
            "id",
            "amount",
            "available",
            "currency",
            "valid_to",
            "debtor",
            "supplier",
        ],
    ),
    (
        "accounts",
        &[
            "id", "state", "number", "currency", "default", "party", "bank",
        ],
    ),
    (
        "legs",
        &[
            "id",
            "state",
            "purpose",
            "amount",
            "currency",
            "value_date",
            "payer",
            "payee",
        ],
    ),
    (
        "obligations",
        &[
            "id",
            "state",
            "kind",
            "outstanding",
            "currency",
            "due",
            "from",
            "to",
        ],
    ),
    (
        "due",
        &[
            "due",
            "open",
            "overdue",
            "currency",
            "receivable",
            "payee",
            "debtor",
        ],
    ),
    (
        "claims",
        &[
            "address", "state", "face", "currency", "due", "debtor", "holder",
        ],
    ),
    ("rulebooks", &["version", "id", "valid_from", "in_force"]),
];

/// The columns of a list that a person reads first.
pub(super) fn telling(plural: &str) -> &'static [&'static str] {
    let found = COLUMNS.iter().find(|(name, _)| *name == plural);
    found.map_or(&[], |(_, columns)| columns)
}

/// What a column is called above it: the last part of its path, where no other of them has the same.
pub(super) fn head<'c>(column: &'c str, all: &[&str]) -> &'c str {
    let last = |column: &str| column.rsplit('.').next().map(str::to_owned);
    let same = all.iter().filter(|other| last(other) == last(column));
    match column.rsplit_once('.') {
        Some((_, tail)) if same.count() == 1 => tail,
        _ => column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::list::{KINDS, VIEWS};

    #[test]
    fn every_list_has_columns_of_its_own_rows() {
        for kind in KINDS.iter().chain(VIEWS) {
            let columns = telling(kind.plural);
            assert!(!columns.is_empty(), "{}", kind.plural);
            for column in columns {
                let of_list = |of: &&str| {
                    column
                        .strip_prefix(of)
                        .is_some_and(|rest| rest.starts_with('.'))
                };
                let known = kind.columns.contains(column) || kind.columns.iter().any(of_list);
                assert!(known, "{} {column}", kind.plural);
            }
        }
    }

    #[test]
    fn a_head_is_short_where_it_is_clear() {
        let all = ["id", "confirmation.due", "totals.open", "held.open"];
        let heads = all.map(|column| head(column, &all));
        assert_eq!(heads, ["id", "due", "totals.open", "held.open"]);
    }
}
