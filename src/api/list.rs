//! Every kind of object that parties read, and the one way to list or fetch it.
//!
//! A list is answered by index: the keys under which a party finds its own, merged in order of id. So it costs what
//! the party's own trade costs, and an auditor alone walks the table.

use std::iter::Peekable;
use std::str::FromStr;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::due;
use super::problem::Problem;
use super::query::Query;
use super::register;
use crate::domain::objects::{
    Account, Contract, Delivery, Financing, Invoice, Leg, Limit, Obligation, Offer, Party,
    Receivable, Request, Transfer,
};
use crate::domain::rows::{self, Shown};
use crate::domain::schema;
use crate::domain::visibility::Viewer;

/// A kind of object that is read over HTTP.
#[derive(Debug)]
pub struct Kind {
    /// Its name in paths.
    pub plural: &'static str,
    /// The fields of its rows, as dotted paths, in the order of the columns of a file.
    pub columns: &'static [&'static str],
    /// Those that a request may filter by.
    pub filters: &'static [&'static str],
    /// Those that are days, which a request may bound.
    pub days: &'static [&'static str],
    /// Those that are instants, which a request may bound.
    pub instants: &'static [&'static str],
    /// Whether it may be read as it was after an earlier entry.
    pub of_the_past: bool,
    /// The order where the request names none; that of the scan, mostly by id, where it is absent.
    pub sorted_by: Option<&'static str>,
    /// The next objects that the viewer may see, as rows; at least those that pass the query's filters.
    pub scan: fn(&Viewer<'_>, &Query, after: Option<&str>, most: usize) -> Result<Scanned, Problem>,
    /// One object, if the viewer may see it.
    pub one: fn(&Viewer<'_>, &str) -> Option<Box<RawValue>>,
    /// What one of its rows is called, and the schemas of all that a row names.
    pub schema: fn() -> (String, Map<String, Value>),
    /// Whether the viewer may see an object of this kind with that id.
    pub sees: fn(&Viewer<'_>, &str) -> bool,
}

/// Objects of a list one after another.
#[derive(Debug)]
pub struct Scanned {
    /// Their rows, each under what tells it from all others.
    pub rows: Vec<(String, Box<RawValue>)>,
    /// How many objects were looked at.
    pub looked: usize,
    /// The last object looked at, or its last row, when more follow.
    pub next: Option<String>,
}

const fn kind<T: Shown>(
    plural: &'static str,
    columns: &'static [&'static str],
    filters: &'static [&'static str],
    days: &'static [&'static str],
    instants: &'static [&'static str],
) -> Kind
where
    T::Id: FromStr,
{
    Kind {
        plural,
        columns,
        filters,
        days,
        instants,
        of_the_past: false,
        sorted_by: None,
        scan: |viewer, _, after, most| {
            scan::<T>(viewer, after, most, |object| {
                vec![(object.id().to_string(), raw(object, viewer))]
            })
        },
        one: one::<T>,
        schema: schema::shared::<T::Row>,
        sees: |viewer, id| {
            id.parse()
                .is_ok_and(|id: T::Id| viewer.find::<T>(id).is_some())
        },
    }
}

/// Every kind, with its columns, its filters and its days.
#[rustfmt::skip]
pub static KINDS: [Kind; 13] = [
    kind::<Party>("parties",
        &["id", "aliases", "name", "roles", "scopes", "size", "admitted", "keys", "kyc_valid_to", "evidence", "agreement", "policy",
          "changes"],
        &["name", "roles", "size"], &["kyc_valid_to"], &["admitted"]),
    kind::<Contract>("contracts",
        &["id", "state", "supplier", "debtor", "proposer", "number", "currency", "value", "registered", "concluded", "ends",
          "payment_days", "inspection_days", "supplier_size", "debtor_size", "late_rate", "grace_days", "vouchers", "document",
          "rulebook", "answer_by", "since", "closed", "change.op", "change.by", "change.kind", "change.answer_by",
          "change.terms"],
        &["state", "supplier", "debtor", "proposer", "number", "currency"], &["concluded", "ends"], &["since", "closed"]),
    kind::<Delivery>("deliveries",
        &["id", "state", "contract", "supplier", "debtor", "number", "delivered", "amount", "accepted_on", "reason"],
        &["state", "contract", "supplier", "debtor", "number"], &["delivered", "accepted_on"], &[]),
    kind::<Invoice>("invoices",
        &["id", "state", "supplier", "debtor", "number", "fingerprint", "type_code", "issued", "currency", "net", "tax", "gross",
          "payable", "document", "preceding", "credits", "attested_by", "attested_at", "flag.by", "flag.reason", "flag.ends",
          "since", "contract", "deliveries", "consumed", "unconsumed", "diluted"],
        &["state", "supplier", "debtor", "number", "currency", "contract"], &["issued"], &["attested_at", "since"]),
    kind::<Receivable>("receivables",
        &["id", "state", "supplier", "debtor", "currency", "confirmation.at", "confirmation.face", "confirmation.due",
          "confirmation.defences", "registration.contract", "registration.at", "registration.rulebook", "registration.payment_days",
          "registration.late_rate", "registration.grace_days", "registration.shares", "registration.disputes", "registration.declined", "invoices", "totals.open", "totals.overdue", "totals.settled",
          "totals.cancelled", "held.open", "held.overdue", "held.settled", "held.cancelled"],
        &["state", "supplier", "debtor", "currency", "registration.contract"], &["confirmation.due"], &["registration.at", "confirmation.at"]),
    kind::<Transfer>("transfers",
        &["id", "state", "from", "to", "addresses", "currency", "face", "recourse", "basis", "at", "expires", "since", "offered"],
        &["state", "from", "to", "currency"], &[], &["at", "expires", "since"]),
    kind::<Request>("requests",
        &["id", "state", "debtor", "suppliers", "currency", "face", "due", "bidding", "at", "closes", "revealed_by", "accept_by",
          "parts", "requester", "addresses", "invited", "accepted"],
        &["state", "debtor", "requester", "currency", "bidding"], &["due"], &["at", "closes", "accept_by"]),
    kind::<Offer>("offers",
        &["id", "state", "request", "lender", "requester", "currency", "at", "commitment", "terms", "comparison.on",
          "comparison.cost", "comparison.funds", "comparison.days", "comparison.apr", "comparison.rank", "financing"],
        &["state", "request", "lender", "requester", "currency"], &[], &["at"]),
    kind::<Financing>("financings",
        &["id", "state", "request", "offer", "lender", "requester", "debtor", "addresses", "currency", "face", "due", "terms",
          "at", "ends", "schedule", "pay_to", "leg", "funding.leg", "funding.value_date", "funding.price", "funding.computed",
          "funding.at", "since", "outstanding", "limits"],
        &["state", "request", "lender", "requester", "debtor", "currency"], &["due"], &["at", "ends", "since"]),
    kind::<Limit>("limits",
        &["id", "lender", "debtor", "supplier", "currency", "amount", "valid_to", "blocked", "utilised", "available", "blocks"],
        &["lender", "debtor", "supplier", "currency"], &["valid_to"], &[]),
    kind::<Account>("accounts",
        &["id", "state", "party", "bank", "number", "currency", "default", "attest_by", "usable", "closed"],
        &["state", "party", "bank", "currency", "default"], &[], &["usable", "closed"]),
    kind::<Leg>("legs",
        &["id", "state", "purpose", "payer", "payee", "account", "bank", "currency", "amount", "value_date", "end_to_end_id",
          "discharges", "at", "lapses", "contested", "reference", "evidence", "attested.by", "attested.at", "attested.booked",
          "attested.value_date", "attested.settled", "attested.discharged", "attested.made", "attested.funded", "reversed"],
        &["state", "purpose", "payer", "payee", "bank", "currency", "end_to_end_id", "reference", "contested"], &["value_date"], &["at", "lapses", "attested.at"]),
    kind::<Obligation>("obligations",
        &["id", "state", "from", "to", "kind", "currency", "amount", "discharged", "outstanding", "pay_to", "due", "at",
          "cause.leg", "cause.receivable", "cause.financing", "computed", "ended"],
        &["state", "from", "to", "kind", "currency"], &["due"], &["at"]),
];

/// What the party holds, claim by claim.
pub static CLAIMS: Kind = Kind {
    plural: "claims",
    columns: &[
        "address",
        "receivable",
        "debtor",
        "currency",
        "face",
        "state",
        "holder",
        "due",
        "leg",
        "lock.by",
        "lock.ends",
        "hops",
    ],
    filters: &["receivable", "debtor", "currency", "state", "holder"],
    days: &["due"],
    instants: &[],
    of_the_past: true,
    sorted_by: Some("due"),
    scan: |viewer, _, after, most| {
        scan::<Receivable>(viewer, after, most, |receivable| {
            let rows = rows::held(receivable, viewer).into_iter();
            rows.map(|row| (row.claim.address.to_string(), written(&row)))
                .collect()
        })
    },
    one: |_, _| None,
    schema: schema::shared::<rows::HeldRow>,
    sees: |_, _| false,
};

/// Lists of what is no object of its own.
pub static VIEWS: [&Kind; 3] = [&due::DUE, &CLAIMS, &register::RULEBOOKS];

/// A list named by a segment of the path.
#[derive(Debug, Clone, Copy)]
pub struct ListName(pub &'static Kind);

impl FromStr for ListName {
    type Err = ();

    fn from_str(segment: &str) -> Result<ListName, ()> {
        let mut lists = KINDS.iter().chain(VIEWS);
        let found = lists.find(|kind| kind.plural == segment);
        found.map(ListName).ok_or(())
    }
}

/// A kind named by a segment of the path.
#[derive(Debug, Clone, Copy)]
pub struct KindName(pub &'static Kind);

impl FromStr for KindName {
    type Err = ();

    fn from_str(segment: &str) -> Result<KindName, ()> {
        let found = KINDS.iter().find(|kind| kind.plural == segment);
        found.map(KindName).ok_or(())
    }
}

/// Whether the viewer may see the object with this id, of whatever kind.
pub fn sees(viewer: &Viewer<'_>, id: &str) -> bool {
    KINDS.iter().any(|kind| (kind.sees)(viewer, id))
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Rows {
    /// The rows, in order.
    pub items: Vec<Box<RawValue>>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn scan<T: Shown>(
    viewer: &Viewer<'_>,
    after: Option<&str>,
    most: usize,
    rows: impl Fn(&T) -> Vec<(String, Box<RawValue>)>,
) -> Result<Scanned, Problem>
where
    T::Id: FromStr,
{
    let after = after.map(str::parse::<T::Id>).transpose().map_err(|_| {
        Problem::bad_request("query.after", "`after` is the id of an object of this kind")
    })?;
    let mut found = seen::<T>(viewer, after);
    let objects: Vec<&T> = found.by_ref().take(most).collect();
    let more = found.next().is_some();
    Ok(Scanned {
        next: objects
            .last()
            .filter(|_| more)
            .map(|last| last.id().to_string()),
        looked: objects.len(),
        rows: objects.into_iter().flat_map(rows).collect(),
    })
}

fn one<T: Shown>(viewer: &Viewer<'_>, id: &str) -> Option<Box<RawValue>>
where
    T::Id: FromStr,
{
    let object = viewer.find::<T>(id.parse().ok()?)?;
    Some(raw(object, viewer))
}

fn raw<T: Shown>(object: &T, viewer: &Viewer<'_>) -> Box<RawValue> {
    written(&object.row(viewer))
}

pub(super) fn written(row: &impl Serialize) -> Box<RawValue> {
    to_raw_value(row).expect("a row is plain data, which JSON can hold")
}

/// What the viewer may see of a kind behind an id, in order of id.
fn seen<'v, T: Shown>(
    viewer: &'v Viewer<'v>,
    after: Option<T::Id>,
) -> Box<dyn Iterator<Item = &'v T> + 'v> {
    let table = T::table(viewer.state);
    if T::sees_all(viewer) {
        return Box::new(table.iter_after(after));
    }
    let keys = T::found_by(viewer);
    let found = keys.iter().map(|key| table.by_after(key, after).peekable());
    let merged = Merged {
        found: found.collect(),
    };
    Box::new(merged.filter(|object| object.concerns(viewer)))
}

/// Objects found under several keys, in order of id, each once.
struct Merged<I: Iterator> {
    found: Vec<Peekable<I>>,
}

impl<'v, T: Shown, I: Iterator<Item = &'v T>> Iterator for Merged<I> {
    type Item = &'v T;

    fn next(&mut self) -> Option<&'v T> {
        let heads = self.found.iter_mut().filter_map(Peekable::peek);
        let first = heads.min_by_key(|object| object.id()).copied()?;
        for found in &mut self.found {
            found.next_if(|object| object.id() == first.id());
        }
        Some(first)
    }
}
