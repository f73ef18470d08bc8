//! Everybody in the scene.

/// Somebody in the scene.
pub(super) struct Actor {
    /// What the tables call it.
    pub(super) name: &'static str,
    /// The identifier it acts under.
    pub(super) id: &'static str,
    pub(super) roles: &'static [&'static str],
    pub(super) scopes: &'static [&'static str],
    pub(super) size: Option<&'static str>,
    /// Who vouches for it.
    pub(super) voucher: Option<&'static str>,
}

const fn actor(
    name: &'static str,
    id: &'static str,
    roles: &'static [&'static str],
    size: Option<&'static str>,
    voucher: Option<&'static str>,
) -> Actor {
    Actor {
        name,
        id,
        roles,
        scopes: &[],
        size,
        voucher,
    }
}

/// The operator is admitted with the ledger; the rest in this order.
pub(super) const OPERATOR: Actor = actor("operator", "x:platform", &["operator"], None, None);

/// Two trades that have no party in common: hospital to smith, and works to fund. The stranger has no trade at all.
pub(super) const CAST: &[Actor] = &[
    Actor {
        scopes: &["attest", "audit"],
        ..actor("tax", "x:tax-bureau", &["authority"], None, None)
    },
    Actor {
        scopes: &["attest"],
        ..actor("inspector", "x:invoice-office", &["authority"], None, None)
    },
    actor(
        "bank-a",
        "x:bank-of-the-quay",
        &["lender", "bank"],
        None,
        Some("tax"),
    ),
    actor(
        "bank-b",
        "x:bank-of-the-hill",
        &["lender", "bank"],
        None,
        Some("tax"),
    ),
    actor(
        "factor",
        "x:jing-factoring",
        &["lender"],
        None,
        Some("bank-a"),
    ),
    actor(
        "hospital",
        "lei:529971HOSPITALZZZZ08",
        &["debtor"],
        Some("public_body"),
        Some("tax"),
    ),
    actor(
        "supplier",
        "lei:529974SUPPLIERZZZZ32",
        &["supplier", "debtor"],
        Some("small"),
        Some("bank-a"),
    ),
    actor(
        "maker",
        "lei:529977MAKERZZZZZZZ03",
        &["supplier"],
        Some("micro"),
        None,
    ),
    actor(
        "carrier",
        "lei:529980CARRIERZZZZZ93",
        &["supplier", "debtor"],
        Some("small"),
        Some("bank-b"),
    ),
    actor(
        "smith",
        "lei:529983SMITHZZZZZZZ50",
        &["supplier"],
        Some("micro"),
        None,
    ),
    actor("bank-c", "x:bank-of-the-lake", &["bank"], None, Some("tax")),
    actor("fund", "x:lakeside-fund", &["lender"], None, Some("bank-c")),
    actor(
        "works",
        "lei:529986WORKSZZZZZZZ39",
        &["debtor"],
        Some("large"),
        Some("bank-c"),
    ),
    actor(
        "workshop",
        "lei:529989WORKSHOPZZZZ97",
        &["supplier"],
        Some("small"),
        None,
    ),
    actor(
        "stranger",
        "lei:529992STRANGERZZZZ88",
        &["supplier", "debtor"],
        Some("small"),
        Some("tax"),
    ),
];

/// The names of everybody, the operator first.
pub(super) fn everybody() -> impl Iterator<Item = &'static str> {
    [&OPERATOR].into_iter().chain(CAST).map(|actor| actor.name)
}
