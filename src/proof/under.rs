//! The steps that every verification has: a policy, and a checkpoint that it believes.

use super::report::{Failed, Planned, Steps, count};
use crate::chain::checkpoint::is_drill;
use crate::chain::cosignature::CLOCKS_APART_MS;
use crate::chain::instant::format_time;
use crate::chain::policy::{Cosigned, Witnessed};
use crate::chain::{Note, Policy};

pub(super) const POLICY: Planned = Planned {
    code: "policy.read",
    rule: "the policy has the form of C2SP tlog-policy",
};
pub(super) const ORIGIN: Planned = Planned {
    code: "checkpoint.origin",
    rule: "the note is a checkpoint of a log that the policy names",
};
pub(super) const LOG: Planned = Planned {
    code: "checkpoint.log_signature",
    rule: "the log signed the checkpoint",
};
pub(super) const QUORUM: Planned = Planned {
    code: "checkpoint.quorum",
    rule: "the witnesses that the policy asks for cosigned the checkpoint",
};
pub(super) const TIME: Planned = Planned {
    code: "time",
    rule: "no entry is dated after the witnesses saw it",
};

pub(super) fn read_policy(steps: &mut Steps, bytes: &[u8]) -> Result<Policy, Failed> {
    steps.take(POLICY, Policy::parse(bytes), |policy| {
        let logs = count(policy.logs().len() as u64, "log", "logs");
        let witnesses = count(policy.witnesses().len() as u64, "witness", "witnesses");
        format!("{logs}, {witnesses}, quorum `{}`", policy.quorum())
    })
}

/// The three parts of [`Policy::check`].
pub(super) fn check_checkpoint(
    steps: &mut Steps,
    policy: &Policy,
    note: &Note,
) -> Result<Witnessed, Failed> {
    let checkpoint = steps.take(ORIGIN, policy.checkpoint(note), |checkpoint| {
        let entries = count(checkpoint.size, "entry", "entries");
        format!("{}, {entries}, root {}", checkpoint.origin, checkpoint.root)
    })?;
    let log = policy.log_of(note, &checkpoint.origin);
    let log = steps.take(LOG, log, |log| format!("signed by {log}"))?;
    let cosignatures = steps.take(QUORUM, policy.cosignatures(note), |cosigned| {
        let by: Vec<String> = cosigned.iter().map(in_words).collect();
        match (policy.quorum().as_bytes(), by.as_slice()) {
            (b"none", []) => "the policy asks for no witness, and none cosigned".to_owned(),
            (_, by) => format!(
                "`{}` is met: cosigned by {}",
                policy.quorum(),
                by.join(", ")
            ),
        }
    })?;
    Ok(Witnessed {
        checkpoint,
        log,
        cosignatures,
    })
}

fn in_words(cosigned: &Cosigned) -> String {
    format!("{} at {}", cosigned.name, second(cosigned.time_s))
}

fn second(time_s: u64) -> String {
    let time = cosigned_ms(time_s).and_then(format_time);
    time.map_or(format!("second {time_s}"), |time| {
        time.replace(".000Z", "Z")
    })
}

fn cosigned_ms(time_s: u64) -> Option<i64> {
    i64::try_from(time_s).ok()?.checked_mul(1000)
}

/// "Where a witness cosigned a checkpoint of size s at T, the entries below s should have `time` ≤ T + 5 min": it is enough
/// to look at the last of them. That it is not much older says only the ledger.
pub(super) fn check_time(
    steps: &mut Steps,
    time_ms: Option<i64>,
    witnessed: &Witnessed,
) -> Result<(), Failed> {
    steps.take(TIME, time_found(time_ms, witnessed), String::clone)?;
    Ok(())
}

fn time_found(time_ms: Option<i64>, witnessed: &Witnessed) -> Result<String, String> {
    let Some(time_ms) = time_ms else {
        return Ok("there is no entry".to_owned());
    };
    let time = format_time(time_ms).unwrap_or_default();
    if is_drill(&witnessed.checkpoint.origin) {
        return Ok(format!(
            "{time} is the time of a drill, which is set by hand"
        ));
    }
    let cosignatures = witnessed.cosignatures.iter();
    let Some(first) = cosignatures.min_by_key(|cosigned| cosigned.time_s) else {
        return Ok(format!("{time} is the ledger's word: no witness bounds it"));
    };
    let seen_ms = cosigned_ms(first.time_s).unwrap_or(i64::MAX);
    if time_ms > seen_ms.saturating_add(CLOCKS_APART_MS) {
        return Err(format!(
            "{time}, but {} had seen it: more than 5 minutes earlier",
            in_words(first)
        ));
    }
    Ok(format!(
        "{time} by the ledger; {} had seen it",
        in_words(first)
    ))
}
