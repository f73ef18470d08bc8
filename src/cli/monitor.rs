//! `counterfoil monitor`: follows a ledger from outside, and says so when it shows two histories or takes one back.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::keyring::Keyring;
use super::remote::{Remote, address};
use super::serve::read_policy;
use super::{Failure, output};
use crate::chain::Policy;
use crate::monitor::{Alarm, Monitor, Round, Seen, Source, Trouble};

/// Every alarm, for the metric of each.
const ALARMS: [&str; 5] = [
    "fork",
    "rollback",
    "unbelievable",
    "altered",
    "impossible_time",
];

/// What is followed, and by what rule it is believed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil monitor http://127.0.0.1:8465 --policy policy.txt --state seen\n\
    The policy (C2SP tlog-policy) names the ledger's key and the witnesses, with their addresses where they are to be asked too.\n\
    --as NAME reads the entries besides, in the name of an authority that audits: their signatures, their chain, and their times against those of \
    the witnesses and of its own looks.\n\
    A line a round. It ends with an alarm (fork, rollback, unbelievable, altered, impossible_time) and exit code 1; what cannot be \
    read is told and tried again. Exit codes: 0 good (--once), 1 alarm, 2 usage, 3 could not run."
)]
pub(crate) struct Args {
    /// The ledger's address
    #[arg(value_name = "URL", value_parser = address)]
    url: String,
    /// The policy file
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where the newest checkpoints that were believed are kept: without it a monitor forgets, when it ends, what it saw
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Seconds between two rounds
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
    /// Look once, and end
    #[arg(long)]
    once: bool,
    /// A file of metrics, written anew each round, in Prometheus' text format
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Read the entries too, as the party of this key: an authority that audits
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
    /// Lines of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keyring: Keyring,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let policy = read_policy(&args.policy)?;
    let seen = args.seen(&policy)?;
    let remote = Remote {
        url: args.url.clone(),
    };
    let mut monitor = Monitor::new(Source::new(&remote.url), policy, seen);
    loop {
        match args.round(&remote, &mut monitor) {
            Ok(round) => args.tell(&round)?,
            Err(Trouble::Alarm(alarm)) => return args.alarm(&alarm),
            Err(trouble) if args.once => return Err(Failure::CouldNotRun(trouble.to_string())),
            Err(trouble) => eprintln!("{} {trouble}", output::complaint("not read:")),
        }
        if args.once {
            return Ok(());
        }
        sleep(Duration::from_secs(args.interval));
    }
}

impl Args {
    fn seen(&self, policy: &Policy) -> Result<Option<Seen>, Failure> {
        let Some(path) = self.state.as_ref().filter(|path| path.exists()) else {
            return Ok(None);
        };
        let failed = |error: &dyn std::fmt::Display| Failure::of(path.display(), error);
        let seen = Seen::decode(&read(path)?, policy);
        seen.map(Some).map_err(|error| failed(&error))
    }

    /// One round; what it believed is kept before anything else is done.
    fn round(&self, remote: &Remote, monitor: &mut Monitor) -> Result<Round, Trouble> {
        if let Some(name) = &self.by {
            let unreadable = |failure: Failure| Trouble::Unreadable {
                what: "a session".to_owned(),
                why: failure.message().to_owned(),
            };
            let client = remote
                .session(&self.keyring, name, None)
                .map_err(unreadable)?;
            monitor.read_by(client.token().unwrap_or_default().to_owned());
        }
        let now_ms = now().as_millis();
        let round = monitor.round(i64::try_from(now_ms).unwrap_or(i64::MAX))?;
        if let (Some(path), Some(seen)) = (&self.state, monitor.seen()) {
            let kept = output::replace(path, seen.encode().as_bytes());
            kept.map_err(|failure| Trouble::Unreadable {
                what: path.display().to_string(),
                why: failure.message().to_owned(),
            })?;
        }
        Ok(round)
    }

    fn tell(&self, round: &Round) -> Result<(), Failure> {
        for unread in &round.unread {
            eprintln!("{} {unread}", output::complaint("not read:"));
        }
        let line = match self.json {
            true => json!({
                "size": round.size, "new": round.new, "witnesses": round.witnesses, "unread": round.unread,
            })
            .to_string(),
            false => format!(
                "{} entries, {} new, each history a prefix of the next; {} witnesses agree",
                round.size, round.new, round.witnesses
            ),
        };
        output::text(&format!("{line}\n"));
        self.measure(Some(round.size), None)
    }

    fn alarm(&self, alarm: &Alarm) -> Result<(), Failure> {
        self.measure(None, Some(alarm.code()))?;
        if self.json {
            let line = json!({ "alarm": alarm.code(), "said": alarm.to_string() });
            output::text(&format!("{line}\n"));
        }
        Err(Failure::FoundBad(format!("ALARM {alarm}")))
    }

    fn measure(&self, size: Option<u64>, alarm: Option<&str>) -> Result<(), Failure> {
        let Some(path) = &self.metrics else {
            return Ok(());
        };
        let mut text = String::new();
        if let Some(size) = size {
            let now = now().as_secs();
            text.push_str(&format!(
                "counterfoil_monitor_entries {size}\ncounterfoil_monitor_last_good_round_timestamp_seconds {now}\n"
            ));
        }
        for code in ALARMS {
            let is_on = u8::from(alarm == Some(code));
            text.push_str(&format!(
                "counterfoil_monitor_alarm{{kind=\"{code}\"}} {is_on}\n"
            ));
        }
        output::replace(path, text.as_bytes())
    }
}

/// Since 1970.
fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::of(path.display(), error))
}
