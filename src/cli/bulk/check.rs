//! The dry run: every bad row and column of a file, with the rule and what would be right. Nothing is signed.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::register;
use super::rows::{Fault, Row};
use crate::cli::export::progress;
use crate::cli::signing::{Frame, Signing};
use crate::cli::{Failure, output};
use crate::client::{Client, ClientError, ProblemReport};

/// How long to wait where the ledger says that it was asked too often.
const PAUSE: Duration = Duration::from_secs(5);

/// Checks every row here and, where it can be read, by the ledger; says what is bad.
pub(super) fn run(rows: &[Row], signing: &Signing) -> Result<(), Failure> {
    let client = signing.session()?;
    let frame = match rows.iter().find_map(Row::act) {
        Some(act) => Some(signing.frame_of(act)?),
        None => None,
    };
    let mut sums = register::Sums::default();
    let bar = progress(rows.len() as u64, "rows");
    let mut bad: Vec<(u64, Fault)> = Vec::new();
    for row in rows {
        bar.inc(1);
        let faults = match row.payload() {
            Ok(()) => told(row, &mut sums, &client, frame.as_ref(), signing)?,
            Err(faults) => faults.to_vec(),
        };
        bad.extend(faults.into_iter().map(|fault| (row.n, fault)));
    }
    bar.finish_and_clear();
    print(&bad, signing.json);
    let mut numbers: Vec<u64> = bad.iter().map(|(row, _)| *row).collect();
    numbers.dedup();
    let good = rows.len() - numbers.len();
    if numbers.is_empty() {
        eprintln!("all {good} rows would be accepted");
        return Ok(());
    }
    let bad = numbers.len();
    Err(Failure::FoundBad(format!(
        "{bad} of {} rows are bad; {good} would be accepted",
        rows.len()
    )))
}

/// What is wrong with a row that can be read: after what earlier rows take, and by the ledger.
fn told(
    row: &Row,
    sums: &mut register::Sums,
    client: &Client,
    frame: Option<&Frame>,
    signing: &Signing,
) -> Result<Vec<Fault>, Failure> {
    let looked = sums.look(row, client);
    let takes = match looked.map_err(|error| signing.remote.failure(&error))? {
        Ok(takes) => takes,
        Err(faults) => return Ok(faults),
    };
    if let Some((act, frame)) = row.act().zip(frame) {
        let payload = frame.payload(act)?.encode();
        if let Some(problem) = checked(client, &payload, signing)? {
            return Ok(vec![fault(row, &problem)]);
        }
    }
    sums.count(row, takes);
    Ok(Vec::new())
}

/// Why the ledger would refuse an operation; waits where it was asked too often.
fn checked(
    client: &Client,
    payload: &str,
    signing: &Signing,
) -> Result<Option<ProblemReport>, Failure> {
    loop {
        match client.check(payload) {
            Ok(_) => return Ok(None),
            Err(ClientError::Refused(problem)) if problem.status == 429 => thread::sleep(PAUSE),
            Err(ClientError::Refused(problem)) if [400, 422].contains(&problem.status) => {
                return Ok(Some(*problem));
            }
            Err(error) => return Err(signing.remote.failure(&error)),
        }
    }
}

/// A refusal as the fault of a column: that of the place it names, or of the value that it brings.
fn fault(row: &Row, problem: &ProblemReport) -> Fault {
    let pointed = problem.errors.first().map(|error| {
        let place = error
            .pointer
            .strip_prefix("/body/")
            .unwrap_or(&error.pointer);
        row.column(&place.replace('/', "."))
    });
    let brought = problem
        .inputs
        .iter()
        .find_map(|given| match given.name.as_str() {
            "asked_units" => row.column_of_field("amount"),
            name => row.column_of_field(name),
        });
    let asked = problem
        .inputs
        .iter()
        .any(|given| given.name == "asked_units");
    let amount = asked.then(|| row.column_of_field("amount")).flatten();
    let column = pointed.or(amount).or(brought).unwrap_or_default();
    let mut reason = problem.detail.clone();
    for given in &problem.inputs {
        reason.push_str(&format!("; {} {}", given.name, given.value));
    }
    if let Some(remedy) = &problem.remedy {
        reason.push_str(&format!(" ({remedy})"));
    }
    Fault::new(&column, &problem.code, reason)
}

/// Says what is wrong with rows that cannot be read.
pub(super) fn tell(rows: &[&Row], json: bool) {
    let faults = rows.iter().flat_map(|row| {
        let faults = row.payload().err().unwrap_or_default();
        faults.iter().map(|fault| (row.n, fault.clone()))
    });
    print(&faults.collect::<Vec<_>>(), json);
}

fn print(bad: &[(u64, Fault)], json: bool) {
    if json {
        for (row, fault) in bad {
            let line = json!({
                "row": row, "column": fault.column, "rule": fault.rule, "reason": fault.reason,
            });
            output::text(&format!("{line}\n"));
        }
    } else if !bad.is_empty() {
        let cells = bad.iter().map(|(row, fault)| fault.cells(*row));
        output::table(&["row", "column", "rule", "reason"], cells.collect(), false);
    }
}
