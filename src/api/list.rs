//! Every kind of object that parties read, and the one way to list or fetch it.
//!
//! A list is answered by index: the keys under which a party finds its own, merged in order of id. So it costs what
//! the party's own trade costs, and an auditor alone walks the table.

use std::iter::Peekable;
use std::str::FromStr;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::domain::objects::{
    Account, Contract, Delivery, Financing, Invoice, Leg, Limit, Obligation, Offer, Party,
    Receivable, Request, Transfer,
};
use crate::domain::rows::Shown;
use crate::domain::schema;
use crate::domain::visibility::Viewer;

/// Most rows of one page.
pub const LIMIT_MAX: usize = 200;
/// Rows of a page where the request does not say.
pub const LIMIT_DEFAULT: usize = 50;

/// A kind of object that is read over HTTP.
#[derive(Debug)]
pub struct Kind {
    /// Its name in paths.
    pub plural: &'static str,
    /// A page of what the viewer may see.
    pub list: fn(&Viewer<'_>, &Page) -> Result<Rows, Problem>,
    /// One object, if the viewer may see it.
    pub one: fn(&Viewer<'_>, &str) -> Option<Box<RawValue>>,
    /// What one of its rows is called, and the schemas of all that a row names.
    pub schema: fn() -> (String, Map<String, Value>),
}

const fn kind<T: Shown>(plural: &'static str) -> Kind
where
    T::Id: FromStr,
{
    Kind {
        plural,
        list: list::<T>,
        one: one::<T>,
        schema: schema::shared::<T::Row>,
    }
}

/// Every kind, one line each.
pub static KINDS: [Kind; 13] = [
    kind::<Party>("parties"),
    kind::<Contract>("contracts"),
    kind::<Delivery>("deliveries"),
    kind::<Invoice>("invoices"),
    kind::<Receivable>("receivables"),
    kind::<Transfer>("transfers"),
    kind::<Request>("requests"),
    kind::<Offer>("offers"),
    kind::<Financing>("financings"),
    kind::<Limit>("limits"),
    kind::<Account>("accounts"),
    kind::<Leg>("legs"),
    kind::<Obligation>("obligations"),
];

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

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Rows behind the object with this id.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Rows {
    /// The rows, in order of id.
    pub items: Vec<Box<RawValue>>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Page {
    /// Reads `after` and `limit`; nothing else may stand in the query.
    pub fn of_query(pairs: &[(String, String)]) -> Result<Page, Problem> {
        let mut page = Page {
            after: None,
            limit: LIMIT_DEFAULT,
        };
        for (name, value) in pairs {
            match name.as_str() {
                "after" => page.after = Some(value.clone()),
                "limit" => page.limit = limit(value)?,
                _ => {
                    return Err(Problem::bad_request(
                        "query.unknown",
                        "a list takes the parameters `after` and `limit`",
                    ));
                }
            }
        }
        Ok(page)
    }
}

fn limit(value: &str) -> Result<usize, Problem> {
    let number = value.parse().ok();
    number
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| {
            Problem::bad_request(
                "query.limit",
                format!("`limit` is a number from 1 to {LIMIT_MAX}"),
            )
        })
}

fn list<T: Shown>(viewer: &Viewer<'_>, page: &Page) -> Result<Rows, Problem>
where
    T::Id: FromStr,
{
    let after = match &page.after {
        None => None,
        Some(text) => Some(text.parse::<T::Id>().map_err(|_| {
            Problem::bad_request("query.after", "`after` is the id of an object of this kind")
        })?),
    };
    let mut found = seen::<T>(viewer, after).take(page.limit + 1);
    let rows: Vec<&T> = found.by_ref().take(page.limit).collect();
    let more = found.next().is_some();
    Ok(Rows {
        next: rows
            .last()
            .filter(|_| more)
            .map(|last| last.id().to_string()),
        items: rows.into_iter().map(|object| raw(object, viewer)).collect(),
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
    to_raw_value(&object.row(viewer)).expect("a row is plain data, which JSON can hold")
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
