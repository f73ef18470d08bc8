//! `counterfoil demo`: plays the sample story on a new drill ledger and prints what happened and what it came to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::init::SHIPPED_RULEBOOK;
use super::keyring::Keyring;
use super::{Failure, output};
use crate::chain::{Envelope, SigningKey};
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{Instant, Label, Name, UtcOffset};
use crate::ledger::{Answer, ClockChoice, Config, InitOptions, Ledger, init};
use crate::story::{Act, Played, SAMPLE, Script, Stage, account, play};

/// Where the story is played.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil demo --data story && counterfoil serve --data story --listen 127.0.0.1:8465 --clock manual\n\
    The keys of everybody in the story lie in DIR/keys."
)]
pub(crate) struct Args {
    /// The folder: empty, or not there yet
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let script = Script::read(SAMPLE).map_err(|error| Failure::of("the story", error))?;
    let keys = keys(&script)?;
    let origin = begin(args, &script, &keys)?;
    save(args, &script, &keys)?;

    let runtime = Runtime::new().map_err(|error| Failure::of("the runtime", error))?;
    let config = Config {
        clock: ClockChoice::Manual,
        ..Config::new(&args.data)
    };
    let ledger = Ledger::open(config, &mut |_, _| ())
        .map_err(|error| Failure::of(args.data.display(), error))?;
    let mut stage = InProcess {
        ledger: ledger.clone(),
        runtime,
    };

    output::text(&format!("{}\non {}\n", script.title, origin.as_str()));
    let mut day = String::new();
    let mut tell = |played: &Played<'_>| output::text(&line(&script, played, &mut day));
    let told = play(&script, &origin, &keys, &mut stage, &mut tell);
    told.map_err(|error| Failure::FoundBad(error.to_string()))?;
    let came_to = stage.runtime.block_on(ledger.read(|at| account(at.state)));
    ledger.stop();
    output::text(&format!(
        "\n{}",
        came_to.map_err(|error| Failure::of("the ledger", error))?
    ));
    Ok(())
}

fn keys(script: &Script) -> Result<BTreeMap<String, SigningKey>, Failure> {
    let new = |name: &String| Ok((name.clone(), SigningKey::generate()?));
    let keys: Result<_, getrandom::Error> = script
        .parties
        .iter()
        .map(|player| new(&player.name))
        .collect();
    keys.map_err(|error| Failure::of("random numbers", error))
}

/// Makes the ledger, a minute before the story begins.
fn begin(
    args: &Args,
    script: &Script,
    keys: &BTreeMap<String, SigningKey>,
) -> Result<Name, Failure> {
    let broken = |what: &dyn std::fmt::Display| Failure::of("the story", what);
    let operator = script
        .parties
        .first()
        .ok_or_else(|| broken(&"nobody plays in it"))?;
    let first = script
        .steps
        .first()
        .ok_or_else(|| broken(&"nothing happens in it"))?;
    let options = InitOptions {
        origin_base: "counterfoil.example/receivables".to_owned(),
        drill: true,
        operator: operator.id,
        operator_name: Name::new(&operator.called).map_err(|error| broken(&error))?,
        operator_key: &keys[&operator.name],
        key_label: Label::new("first").map_err(|error| broken(&error))?,
        person: Label::new("the operator").map_err(|error| broken(&error))?,
        rulebook: Rulebook::from_toml(SHIPPED_RULEBOOK).map_err(|error| broken(&error))?,
        utc_offset: UtcOffset::CHINA,
        time: Some(first.at.plus_minutes(-1)),
        passphrase: None,
    };
    let origin =
        init(&args.data, &options).map_err(|error| Failure::of("the new ledger", error))?;
    Name::new(&origin).map_err(|error| broken(&error))
}

/// Leaves everybody's key beside the ledger, so that whoever tries it out can act as anybody.
fn save(args: &Args, script: &Script, keys: &BTreeMap<String, SigningKey>) -> Result<(), Failure> {
    let ring = Keyring::of(args.data.join("keys"));
    for player in &script.parties {
        ring.save(&player.name, &keys[&player.name], None)?;
        ring.assign(&player.name, player.id)?;
    }
    Ok(())
}

/// What happened, under the day it happened on: the entry's number before what was accepted, `x` before a refusal, and
/// `=` before what had been an entry already.
fn line(script: &Script, played: &Played<'_>, day: &mut String) -> String {
    let on = UtcOffset::CHINA.day_of(played.step.at).to_string();
    let mut text = String::new();
    if *day != on {
        text = format!("\n{on}\n");
        *day = on;
    }
    let step = played.step;
    let who = script
        .player(&step.by)
        .map_or("", |player| player.called.as_str());
    let (mark, said, outcome) = match &played.act {
        Act::Accepted(n) => (n.to_string(), step.say.as_str(), String::new()),
        Act::Repeat(n) => (
            "=".to_owned(),
            "The same envelope again",
            format!("\n       answered with entry {n}; nothing was done twice"),
        ),
        Act::Refused { rule, message } => (
            "x".to_owned(),
            step.say.as_str(),
            format!("\n       refused by {rule}: {message}"),
        ),
    };
    text + &format!("{mark:>4}  {said} [{who}, {}]{outcome}\n", step.op)
}

/// The ledger in this process.
struct InProcess {
    ledger: Ledger,
    runtime: Runtime,
}

impl Stage for InProcess {
    fn set_time(&mut self, now: Instant) -> Result<(), String> {
        self.ledger
            .advance(now)
            .map_err(|refusal| refusal.to_string())
    }

    fn send(&mut self, envelope: &Envelope) -> Result<Act, String> {
        match self.runtime.block_on(self.ledger.submit(envelope.encode())) {
            Answer::Accepted { receipt, .. } => Ok(Act::Accepted(receipt.line.n())),
            Answer::Repeat { receipt, .. } => Ok(Act::Repeat(receipt.line.n())),
            Answer::Malformed(refusal)
            | Answer::Closed(refusal)
            | Answer::Refused { refusal, .. } => Ok(Act::Refused {
                rule: refusal.rule.to_owned(),
                message: refusal.message,
            }),
            Answer::Busy => Err("the ledger is busy".to_owned()),
            Answer::Stopped => Err("the ledger has stopped".to_owned()),
        }
    }
}
