//! What a list may be asked for: a page, filters, an order, a format.
//!
//! Filters and order look at the row that the viewer reads anyway, so that they never tell more than the row.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_decimal::Decimal;
use serde_json::Value;

use super::list::Kind;
use super::problem::Problem;
use crate::domain::values::{Day, Instant};

/// Most rows of one page.
pub const LIMIT_MAX: usize = 200;
/// Rows of a page where the request does not say.
pub const LIMIT_DEFAULT: usize = 50;
/// Most objects that one request looks at, and most rows of a CSV file.
pub const LOOKED_MAX: usize = 10_000;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A page of rows.
    Json,
    /// A file for a spreadsheet (RFC 4180).
    Csv,
}

/// What is asked of a list.
#[derive(Debug, Clone)]
pub struct Query {
    /// Rows behind this one: an id, or in a sorted list what its `next` said.
    pub after: Option<String>,
    /// At most so many rows.
    pub limit: usize,
    /// How it is written.
    pub format: Format,
    /// As it was after so many entries; as it is, where it is absent.
    pub as_of: Option<u64>,
    /// In which order, if not that of the ids.
    pub sort: Option<Sort>,
    filters: Vec<Filter>,
}

/// An order by one column; rows without it come last, equal ones in order of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    column: &'static str,
    descending: bool,
}

/// Where a row stands in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    value: Option<String>,
    id: String,
}

#[derive(Debug, Clone)]
struct Filter {
    column: &'static str,
    test: Test,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Is,
    From,
    To,
}

impl Query {
    /// Reads a query. Whatever is not known is refused with the names that are.
    pub fn read(kind: &Kind, pairs: &[(String, String)]) -> Result<Query, Problem> {
        let format = match named(pairs, "format") {
            None | Some("json") => Format::Json,
            Some("csv") => Format::Csv,
            Some(_) => {
                let detail = "`format` is json or csv";
                return Err(Problem::bad_request("query.format", detail));
            }
        };
        let (most, usual) = match format {
            Format::Json => (LIMIT_MAX, LIMIT_DEFAULT),
            Format::Csv => (LOOKED_MAX, LOOKED_MAX),
        };
        let limit = named(pairs, "limit").map_or(Ok(usual), |value| limit(value, most))?;
        let past = named(pairs, "as_of").filter(|_| kind.of_the_past);
        let sort = named(pairs, "sort").or(kind.sorted_by);
        Ok(Query {
            after: named(pairs, "after").map(str::to_owned),
            limit,
            format,
            as_of: past.map(as_of).transpose()?,
            sort: sort.map(|sort| Sort::read(kind, sort)).transpose()?,
            filters: filters(kind, pairs)?,
        })
    }

    /// Whether every object makes a row of the page.
    pub fn takes_all(&self) -> bool {
        self.filters.is_empty() && self.sort.is_none()
    }

    /// The days that a column is bounded by.
    pub fn bounds(&self, column: &str) -> (Day, Day) {
        let bound = |test| {
            let of_column = |filter: &&Filter| filter.column == column && filter.test == test;
            let filter = self.filters.iter().find(of_column);
            filter.and_then(|filter| filter.value.parse().ok())
        };
        (
            bound(Test::From).unwrap_or(Day::MIN),
            bound(Test::To).unwrap_or(Day::MAX),
        )
    }

    /// Whether a row passes every filter.
    pub fn takes(&self, row: &Value) -> bool {
        self.filters.iter().all(|filter| filter.takes(row))
    }
}

fn named<'q>(pairs: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let found = pairs.iter().find(|(given, _)| given == name);
    found.map(|(_, value)| value.as_str())
}

/// Reads after how many entries something is asked.
pub(super) fn as_of(value: &str) -> Result<u64, Problem> {
    let number = value.parse().ok();
    number.ok_or_else(|| Problem::bad_request("query.as_of", "`as_of` is a number of entries"))
}

/// Reads how many rows are asked for.
pub(super) fn limit(value: &str, most: usize) -> Result<usize, Problem> {
    let number = value.parse().ok();
    let limit = number.filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| {
        let detail = format!("`limit` is a number from 1 to {most}");
        Problem::bad_request("query.limit", detail)
    })
}

fn filters(kind: &Kind, pairs: &[(String, String)]) -> Result<Vec<Filter>, Problem> {
    let mut filters = Vec::new();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|(before, _)| before == name) {
            let detail = format!("`{name}` is given twice");
            return Err(Problem::bad_request("query.twice", detail));
        }
        let page = ["after", "limit", "sort", "format"].contains(&name.as_str());
        let past = kind.of_the_past && name == "as_of";
        if !(page || past) {
            filters.push(Filter::read(kind, name, value)?);
        }
    }
    Ok(filters)
}

/// What a column is called in a query: the last part of its path, but for `at`, of which a row may have several.
pub fn called(column: &str) -> &str {
    match column.rsplit('.').next() {
        Some("at") | None => column,
        Some(last) => last,
    }
}

impl Filter {
    fn read(kind: &Kind, name: &str, value: &str) -> Result<Filter, Problem> {
        let is = kind.filters.iter().find(|column| called(column) == name);
        let bounded = |columns: &'static [&'static str], suffix| {
            let name = name.strip_suffix(suffix)?;
            columns.iter().find(|column| called(column) == name)
        };
        let bound = |suffix| {
            let day = bounded(kind.days, suffix).map(|column| (column, true));
            day.or_else(|| bounded(kind.instants, suffix).map(|column| (column, false)))
        };
        let (column, test, is_day) = match (is, bound("_from"), bound("_to")) {
            (Some(column), ..) => (column, Test::Is, false),
            (_, Some((column, is_day)), _) => (column, Test::From, is_day),
            (.., Some((column, is_day))) => (column, Test::To, is_day),
            _ => return Err(unknown(kind)),
        };
        if test != Test::Is && is_day && value.parse::<Day>().is_err() {
            let detail = format!("`{name}` is a day such as 2026-05-18");
            return Err(Problem::bad_request("query.day", detail));
        }
        if test != Test::Is && !is_day && instant(value).is_none() {
            let detail = format!("`{name}` is an instant such as 2026-05-18T08:00:00Z");
            return Err(Problem::bad_request("query.instant", detail));
        }
        Ok(Filter {
            column,
            test,
            value: value.to_owned(),
        })
    }

    /// A row without the field passes no filter on it; of several values one is enough.
    fn takes(&self, row: &Value) -> bool {
        match at(row, self.column) {
            Some(Value::Array(all)) => all.iter().any(|one| self.passes(one)),
            Some(one) => self.passes(one),
            None => false,
        }
    }

    fn passes(&self, found: &Value) -> bool {
        let Some(found) = text(found) else {
            return false;
        };
        let order = match (instant(&found), instant(&self.value)) {
            (Some(found), Some(value)) => found.cmp(&value),
            // Days as they are written are in the order of their letters.
            _ => found.cmp(&self.value),
        };
        match self.test {
            Test::Is => order.is_eq(),
            Test::From => order.is_ge(),
            Test::To => order.is_le(),
        }
    }
}

/// An instant as rows write it, with milliseconds where it has them, in milliseconds.
fn instant(text: &str) -> Option<i64> {
    let (seconds, millis) = match text.strip_suffix('Z')?.split_once('.') {
        None => (text.to_owned(), 0),
        Some((seconds, millis)) if millis.len() == 3 => {
            (format!("{seconds}Z"), millis.parse::<u16>().ok()?)
        }
        Some(_) => return None,
    };
    let at: Instant = seconds.parse().ok()?;
    Some(at.millis() + i64::from(millis))
}

fn unknown(kind: &Kind) -> Problem {
    let mut names: Vec<String> = ["after", "limit", "sort", "format"]
        .map(str::to_owned)
        .to_vec();
    names.extend(kind.of_the_past.then(|| "as_of".to_owned()));
    names.extend(kind.filters.iter().map(|column| called(column).to_owned()));
    let bounded = kind.days.iter().chain(kind.instants);
    let bounded = bounded.map(|column| called(column));
    names.extend(bounded.flat_map(|day| [format!("{day}_from"), format!("{day}_to")]));
    let (kind, names) = (kind.plural, names.join(", "));
    let detail = format!("the list of {kind} takes the parameters {names}");
    Problem::bad_request("query.unknown", detail)
}

impl Sort {
    fn read(kind: &Kind, text: &str) -> Result<Sort, Problem> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let column = kind.columns.iter().find(|column| **column == name);
        let column = column.ok_or_else(|| {
            let detail = format!(
                "`sort` is one of these, with a - before it for the largest first: {}",
                kind.columns.join(", ")
            );
            Problem::bad_request("query.sort", detail)
        })?;
        Ok(Sort { column, descending })
    }

    /// Where a row stands.
    pub fn place(&self, id: &str, row: &Value) -> Place {
        Place {
            value: at(row, self.column).and_then(text),
            id: id.to_owned(),
        }
    }

    /// Which of two rows comes first.
    pub fn order(&self, one: &Place, other: &Place) -> Ordering {
        let by_value = match (&one.value, &other.value) {
            (Some(one), Some(other)) if self.descending => order(other, one),
            (Some(one), Some(other)) => order(one, other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        by_value.then_with(|| one.id.cmp(&other.id))
    }
}

/// Numbers by size and before all other text.
fn order(one: &str, other: &str) -> Ordering {
    match (one.parse::<Decimal>(), other.parse::<Decimal>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => one.cmp(other),
    }
}

impl Place {
    /// As `after` says it: with the value, so that a page goes on there though the row has changed since.
    pub fn encode(&self) -> String {
        let pair = serde_json::json!([self.value, self.id]);
        URL_SAFE_NO_PAD.encode(pair.to_string())
    }

    /// Reads what [`Place::encode`] wrote.
    pub fn decode(text: &str) -> Result<Place, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let pair = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (value, id) = pair.ok_or_else(|| {
            let detail = "`after` of a sorted list is the `next` of the page before";
            Problem::bad_request("query.after", detail)
        })?;
        Ok(Place { value, id })
    }
}

/// The value at a dotted path of a row.
pub(super) fn at<'r>(row: &'r Value, column: &str) -> Option<&'r Value> {
    let found = column.split('.').try_fold(row, |at, part| at.get(part));
    found.filter(|value| !value.is_null())
}

/// A value as a cell says it; what is no single value as JSON.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::list::KINDS;

    fn kind(plural: &str) -> &'static Kind {
        KINDS.iter().find(|kind| kind.plural == plural).unwrap()
    }

    fn query(plural: &str, pairs: &[(&str, &str)]) -> Result<Query, Problem> {
        let pairs = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Query::read(kind(plural), &pairs.collect::<Vec<_>>())
    }

    fn code(found: Result<Query, Problem>) -> &'static str {
        found.unwrap_err().code
    }

    #[rstest::rstest]
    #[case(&[("colour", "red")], "query.unknown")]
    #[case(&[("state_from", "2026-01-01")], "query.unknown")]
    #[case(&[("due_from", "soon")], "query.day")]
    #[case(&[("registration.at_to", "2026-05-18")], "query.instant")]
    #[case(&[("registration.at_to", "2026-05-18T08:00:00.5Z")], "query.instant")]
    #[case(&[("limit", "0")], "query.limit")]
    #[case(&[("limit", "201")], "query.limit")]
    #[case(&[("format", "csv"), ("limit", "10001")], "query.limit")]
    #[case(&[("format", "xlsx")], "query.format")]
    #[case(&[("sort", "secret")], "query.sort")]
    #[case(&[("state", "a"), ("state", "b")], "query.twice")]
    fn what_a_list_does_not_take_is_refused(
        #[case] pairs: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        assert_eq!(code(query("receivables", pairs)), expected);
    }

    #[test]
    fn an_unknown_filter_is_answered_with_those_that_are_known() {
        let detail = query("receivables", &[("colour", "red")]).unwrap_err();
        for name in ["state", "debtor", "due_from", "due_to", "sort"] {
            assert!(detail.detail.contains(name), "{}", detail.detail);
        }
    }

    #[test]
    fn a_filter_compares_the_field_of_the_row() {
        let row = json!({ "state": "confirmed", "confirmation": { "due": "2026-07-25" } });
        let takes = |pairs: &[(&str, &str)]| query("receivables", pairs).unwrap().takes(&row);
        assert!(takes(&[
            ("state", "confirmed"),
            ("due_from", "2026-07-25"),
            ("due_to", "2026-07-25")
        ]));
        assert!(!takes(&[("state", "registered")]));
        assert!(!takes(&[("due_from", "2026-07-26")]));
        assert!(!takes(&[("due_to", "2026-07-24")]));
        // What this viewer's row leaves out matches nothing.
        assert!(!takes(&[("contract", "ctr_0")]));
        let roles = json!({ "roles": ["supplier", "debtor"] });
        assert!(
            query("parties", &[("roles", "debtor")])
                .unwrap()
                .takes(&roles)
        );
    }

    #[rstest::rstest]
    #[case("at_from", "2026-05-18T08:00:00Z", true)]
    #[case("at_from", "2026-05-18T08:00:01Z", false)]
    #[case("at_to", "2026-05-18T08:00:00Z", false)]
    #[case("at_to", "2026-05-18T08:00:00.123Z", true)]
    #[case("at_to", "2026-05-18T08:00:01Z", true)]
    fn an_instant_is_bounded_to_the_millisecond(
        #[case] name: &str,
        #[case] value: &str,
        #[case] taken: bool,
    ) {
        let row = json!({ "at": "2026-05-18T08:00:00.123Z" });
        assert_eq!(query("legs", &[(name, value)]).unwrap().takes(&row), taken);
    }

    #[test]
    fn an_order_is_by_number_where_there_are_numbers_and_absent_ones_are_last() {
        let rows = [
            ("a", json!({"value": "10.00"})),
            ("b", json!({})),
            ("c", json!({"value": "9.00"})),
            ("d", json!({"value": "9.00"})),
        ];
        let sorted = |sort: &str| {
            let sort = query("contracts", &[("sort", sort)]).unwrap().sort.unwrap();
            let mut places = rows.clone().map(|(id, row)| sort.place(id, &row));
            places.sort_by(|one, other| sort.order(one, other));
            places
                .map(|place| Place::decode(&place.encode()).unwrap().id)
                .concat()
        };
        assert_eq!(
            (sorted("value"), sorted("-value")),
            ("cdab".to_owned(), "acdb".to_owned())
        );
    }

    #[test]
    fn filters_of_a_kind_are_columns_with_names_of_their_own() {
        for kind in KINDS.iter().chain(crate::api::list::VIEWS) {
            let mut names: Vec<&str> = kind.filters.iter().map(|column| called(column)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), kind.filters.len(), "{}", kind.plural);
            for column in kind.filters.iter().chain(kind.days).chain(kind.instants) {
                assert!(kind.columns.contains(column), "{} {column}", kind.plural);
            }
        }
    }
}
