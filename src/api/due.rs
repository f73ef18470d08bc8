//! The list of what is due: the open fens of each receivable by due day and payee.
//!
//! Receivables are found by the due days of their open fens: what was settled is never looked at, and of the rest
//! only the days asked for. So a page costs what stands on it.

use std::fmt;
use std::str::FromStr;

use super::list::{Kind, Scanned, written};
use super::problem::Problem;
use super::query::Query;
use crate::domain::objects::{Receivable, ReceivableKey};
use crate::domain::rows;
use crate::domain::schema;
use crate::domain::state::Stored;
use crate::domain::values::{Day, PartyId, ReceivableId};
use crate::domain::visibility::{Seen, Viewer};

/// What is owed when: the open fens of each receivable by due day and payee, those of the debtor and of the holder.
pub(super) static DUE: Kind = Kind {
    plural: "due",
    columns: &[
        "due",
        "debtor",
        "payee",
        "receivable",
        "currency",
        "open",
        "overdue",
        "pay_to",
    ],
    filters: &["debtor", "payee", "receivable", "currency", "overdue"],
    days: &["due"],
    instants: &[],
    of_the_past: false,
    sorted_by: None,
    scan,
    one: |_, _| None,
    schema: schema::shared::<rows::DueRow>,
    sees: |_, _| false,
};

/// The next rows, the earliest day first, then by receivable and payee.
fn scan(
    viewer: &Viewer<'_>,
    query: &Query,
    after: Option<&str>,
    most: usize,
) -> Result<Scanned, Problem> {
    let after = after.map(str::parse::<Place>).transpose()?;
    let (from, to) = query.bounds("due");
    let from = after.as_ref().map_or(from, |after| after.due.max(from));
    let mut scanned = Scanned {
        rows: Vec::new(),
        looked: 0,
        next: None,
    };
    if from > to {
        return Ok(scanned);
    }
    let behind = after.as_ref().filter(|after| after.due == from);
    let keys = Receivable::due_between(viewer, from, to);
    let found = Receivable::table(viewer.state).between(keys, behind.map(|after| after.receivable));
    for (key, receivable) in found.filter(|(_, receivable)| receivable.seen_by(viewer)) {
        let ReceivableKey::Due(_, day) = *key else {
            continue;
        };
        if scanned.looked == most {
            scanned.next = scanned.rows.last().map(|(place, _)| place.clone());
            break;
        }
        let rows = rows::due(receivable, day, viewer).into_iter();
        let rows = rows.map(|row| (Place::of(&row), row));
        let before = scanned.rows.len();
        let rows = rows.filter(|(place, _)| after.as_ref().is_none_or(|after| place > after));
        scanned
            .rows
            .extend(rows.map(|(place, row)| (place.to_string(), written(&row))));
        // The receivable that a page ended in may have nothing more.
        scanned.looked += usize::from(scanned.rows.len() > before);
    }
    Ok(scanned)
}

/// Where a row stands in the list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    due: Day,
    receivable: ReceivableId,
    payee: PartyId,
}

impl Place {
    fn of(row: &rows::DueRow) -> Place {
        Place {
            due: row.due,
            receivable: row.receivable,
            payee: row.payee,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}:{}", self.due, self.receivable, self.payee)
    }
}

impl FromStr for Place {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Place, Problem> {
        let read = || {
            let mut parts = text.splitn(3, ':');
            Some(Place {
                due: parts.next()?.parse().ok()?,
                receivable: parts.next()?.parse().ok()?,
                payee: parts.next()?.parse().ok()?,
            })
        };
        read().ok_or_else(|| {
            let detail = "`after` of the list of dues is the `next` of the page before";
            Problem::bad_request("query.after", detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::objects::Discharge;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{HOSPITAL, LENDER, MAKER, STRANGER, SUPPLIER, TAX, World, id};

    fn query(pairs: &[(&str, &str)]) -> Query {
        let pairs = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Query::read(&DUE, &pairs.collect::<Vec<_>>()).unwrap()
    }

    fn viewer<'w>(world: &'w World, party: &str) -> Viewer<'w> {
        Viewer {
            state: &world.state,
            party: id(party),
            time: world.time,
        }
    }

    /// All rows in pages of `most` objects, and how many objects were looked at.
    fn rows(world: &World, party: &str, asked: &Query, most: usize) -> (Vec<Value>, usize) {
        let viewer = viewer(world, party);
        let (mut rows, mut looked, mut after) = (Vec::new(), 0, None);
        loop {
            let page = scan(&viewer, asked, after.as_deref(), most).unwrap();
            looked += page.looked;
            let read = page.rows.iter();
            rows.extend(read.map(|(_, row)| serde_json::from_str::<Value>(row.get()).unwrap()));
            match page.next {
                Some(next) => after = Some(next),
                None => return (rows, looked),
            }
        }
    }

    /// Of one receivable a part is passed on, another is paid in full.
    fn played() -> World {
        let (mut world, receivable) = banked();
        world.passed_on(fens_of(receivable, 0, 3_000_000));
        let settled = world.confirmed("1000.00");
        let pays = [Discharge::Receivable(settled)];
        world.paid(HOSPITAL, SUPPLIER, "1000.00", &pays);
        world
    }

    /// How many receivables the index leads a party to.
    fn found(world: &World, party: &str) -> usize {
        let keys = Receivable::due_between(&viewer(world, party), Day::MIN, Day::MAX);
        world.state.receivables.between(keys, None).count()
    }

    /// Neither one's own that is settled nor anything of others': what a list of dues costs tells nothing of them.
    #[test]
    fn what_is_settled_or_anothers_is_not_looked_at() {
        let world = played();
        let led_to =
            [HOSPITAL, SUPPLIER, MAKER, TAX, LENDER, STRANGER].map(|party| found(&world, party));
        assert_eq!(led_to, [1, 1, 1, 1, 0, 0]);
        for party in [HOSPITAL, SUPPLIER, MAKER, TAX] {
            let (rows, looked) = rows(&world, party, &query(&[]), 10);
            assert_eq!(looked, 1, "{party}");
            let payees = rows.iter().map(|row| row["payee"].as_str().unwrap());
            let payees: Vec<&str> = payees.collect();
            match party {
                SUPPLIER | MAKER => assert_eq!(payees, [party]),
                _ => assert_eq!(payees.len(), 2, "{party}"),
            }
        }
        assert_eq!(rows(&world, LENDER, &query(&[]), 10).1, 0);
    }

    #[test]
    fn days_that_are_not_asked_for_are_not_looked_at_and_pages_join() {
        let mut world = played();
        for _ in 0..3 {
            world.confirmed("2000.00");
        }
        let all = rows(&world, HOSPITAL, &query(&[]), 10);
        assert_eq!(all.0.len(), 5);
        for most in [1, 2, 3] {
            let paged = rows(&world, HOSPITAL, &query(&[]), most);
            assert_eq!(paged.0, all.0, "{most}");
        }
        let day = all.0[0]["due"].as_str().unwrap();
        let on_day = query(&[("due_from", day), ("due_to", day)]);
        let first = (all.0[..2].to_vec(), 1);
        assert_eq!(rows(&world, HOSPITAL, &on_day, 10), first);
        let before = query(&[("due_to", "2026-01-01")]);
        assert_eq!(rows(&world, HOSPITAL, &before, 10), (Vec::new(), 0));
        let none = query(&[("due_from", "2027-01-01"), ("due_to", "2026-01-01")]);
        assert_eq!(rows(&world, HOSPITAL, &none, 10), (Vec::new(), 0));
    }

    #[rstest::rstest]
    #[case("soon")]
    #[case("2026-08-07")]
    #[case("2026-08-07:rcv_0:x:one")]
    fn a_place_that_is_none_is_refused(#[case] after: &str) {
        let world = World::new();
        let refused = scan(&viewer(&world, HOSPITAL), &query(&[]), Some(after), 1).unwrap_err();
        assert_eq!(refused.code, "query.after");
    }
}
