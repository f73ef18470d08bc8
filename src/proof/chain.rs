//! The lines of a ledger one after another: each in its form, linked to the one before, signed.

use std::slice;

use rayon::prelude::*;
use serde::Deserialize;

use super::report::{Failed, Planned, Steps, count};
use crate::chain::instant::format_time;
use crate::chain::{
    Checkpoint, Entry, Envelope, Hash, Line, Note, Policy, PublicKey, Verifier, VerifierKey,
};
use crate::domain::ops::ledger::NamedKeys;
use crate::domain::values::{Instant, Name};

pub(super) const LINE: Planned = Planned {
    code: "line.canonical",
    rule: "an entry's line is the one encoding of what it says",
};
pub(super) const NUMBER: Planned = Planned {
    code: "line.number",
    rule: "`n` is the number of lines before",
};
pub(super) const PREV: Planned = Planned {
    code: "line.prev",
    rule: "`prev` is the leaf hash of the line before",
};
pub(super) const ORDER: Planned = Planned {
    code: "line.time",
    rule: "`time` is never below that of the line before",
};
pub(super) const PAYLOAD: Planned = Planned {
    code: "entry.payload",
    rule: "what was signed is meant for this ledger, and had not expired",
};
pub(super) const SIGNATURES: Planned = Planned {
    code: "entry.signatures",
    rule: "every signature on the operation verifies",
};
pub(super) const KEY: Planned = Planned {
    code: "checkpoint.key",
    rule: "the key that the entries name for a checkpoint of that size signed it",
};

/// Lines that are checked together.
pub(super) const AT_ONCE: usize = 256;
/// Signatures that are checked together cost less; these are shared among the cores.
const ENTRIES_AT_ONCE: usize = 16;

/// What of a payload any ledger's has (FORMAT.md, "Payload").
#[derive(Deserialize)]
struct Head {
    ledger: Name,
    not_after: Instant,
}

/// "`ledger` is the vkey's name; `time` ≤ `not_after`"
pub(super) fn payload_found(entry: &Entry, origin: &str) -> Result<String, String> {
    let head: Head = serde_json::from_str(entry.payload())
        .map_err(|error| format!("the payload cannot be read: {error}"))?;
    let ledger = head.ledger.as_str();
    if ledger != origin {
        return Err(format!("it is meant for {ledger}, not for {origin}"));
    }
    let until_ms = head.not_after.millis();
    let until = format_time(until_ms).unwrap_or_default();
    if entry.time_ms() > until_ms {
        let time = format_time(entry.time_ms()).unwrap_or_default();
        return Err(format!("it expired at {until} and was entered at {time}"));
    }
    Ok(format!("meant for {ledger} until {until}"))
}

/// Who signed an entry, where no signature is forged.
pub(super) fn signed(entry: &Entry, forged: Option<PublicKey>) -> Result<String, String> {
    if let Some(key) = forged {
        return Err(format!("the signature of key {key} does not verify"));
    }
    let keys = entry.sigs().iter().map(|(key, _)| key.to_string());
    let keys: Vec<String> = keys.collect();
    let signatures = count(keys.len() as u64, "signature", "signatures");
    Ok(format!("{signatures}, by {}", keys.join(", ")))
}

/// The step that an entry does not pass.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) step: Planned,
    /// The entry.
    pub(super) n: u64,
    pub(super) why: String,
}

/// A ledger's lines as far as they have been checked.
pub(super) struct Chain<'a> {
    origin: &'a str,
    /// Lines that a checkpoint covers.
    covered: u64,
    size: u64,
    prev: Hash,
    time_ms: i64,
    /// Time of the last line that is covered.
    covered_ms: Option<i64>,
    signatures: u64,
    keys: NamedKeys,
    verifier: Verifier,
}

impl Chain<'_> {
    pub(super) fn new(origin: &str, covered: u64) -> Chain<'_> {
        Chain {
            origin,
            covered,
            size: 0,
            prev: Hash::ZERO,
            time_ms: 0,
            covered_ms: None,
            signatures: 0,
            keys: NamedKeys::default(),
            verifier: Verifier::new(),
        }
    }

    /// Lines that were good.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The keys that the entries name for checkpoints of at most `size` entries and that are believed: one that the policy has, and one
    /// to which the believed key before it leads, by a checkpoint behind the change that both signed. `crossings` are such, each of
    /// these lines.
    pub(super) fn believed(
        &self,
        size: u64,
        policy: &Policy,
        crossings: &[(u64, &Note)],
    ) -> Vec<VerifierKey> {
        let mut believed: Vec<VerifierKey> = Vec::new();
        let mut before: Option<VerifierKey> = None;
        let keys = self.keys.found().into_iter();
        for (from, key) in keys.flat_map(|(_, keys)| keys.between(0, size)) {
            let Ok(key) = key.vkey.as_str().parse::<VerifierKey>() else {
                break;
            };
            let signed = |by: &VerifierKey, note: &Note| note.verified(slice::from_ref(by)).is_ok();
            let leads = |before: &VerifierKey| {
                let mut crossings = crossings.iter().filter(|(size, _)| *size >= from);
                crossings.any(|(_, note)| signed(before, note) && signed(&key, note))
            };
            let is_believed = policy.has_log(&key) || before.as_ref().is_some_and(leads);
            before = is_believed.then_some(key);
            believed.extend(before.clone());
        }
        believed
    }

    /// The key that the entries name for a checkpoint of that size signed it, and is believed: a key that was replaced says nothing of
    /// later entries, not even which key comes after it.
    pub(super) fn key_found(
        &self,
        checkpoint: &Checkpoint,
        note: &Note,
        policy: &Policy,
    ) -> Result<String, String> {
        let Some((_, keys)) = self.keys.found() else {
            return Ok("no entry names one".to_owned());
        };
        let size = checkpoint.size;
        if let Some((n, why)) = self.keys.fault().filter(|(n, _)| *n < size) {
            return Err(format!("entry {n} changes the key, but {why}"));
        }
        let vkey = keys.at(size).vkey.as_str();
        let key: VerifierKey = vkey.parse().map_err(|error| format!("{vkey}: {error}"))?;
        let signed = note.verified(slice::from_ref(&key));
        if signed.is_ok() && !self.believed(size, policy, &[(size, note)]).contains(&key) {
            return Err(format!(
                "the entries name {vkey}, to which no key leads that the policy has"
            ));
        }
        match (signed, keys.since(size).checked_sub(1)) {
            (Ok(_), None) => Ok(format!("{vkey}, which entry 0 names")),
            (Ok(_), Some(n)) => Ok(format!(
                "{vkey}, which entry {n} puts in the place of the one before"
            )),
            (Err(_), None) => Err(format!("entry 0 names {vkey}, which did not")),
            (Err(_), Some(n)) => Err(format!(
                "entry {n} changes the key to {vkey}, which did not"
            )),
        }
    }

    /// Time of the last line that the checkpoint covers.
    pub(super) fn covered_ms(&self) -> Option<i64> {
        self.covered_ms
    }

    /// Goes on with these lines, and returns their leaf hashes. The fault of the first line that has one is told.
    pub(super) fn take(&mut self, lines: &[impl AsRef<[u8]>]) -> Result<Vec<Hash>, Broken> {
        let (mut entries, mut leaves) = (Vec::new(), Vec::new());
        let linked = lines.iter().try_for_each(|line| {
            let (entry, leaf) = self.link(line.as_ref())?;
            entries.push(entry);
            leaves.push(leaf);
            Ok(())
        });
        self.verify(&entries)?;
        linked.map(|()| leaves)
    }

    /// Checks a line's form and place.
    fn link(&mut self, line: &[u8]) -> Result<(Entry, Hash), Broken> {
        let n = self.size;
        let broken = |step| move |why: String| Broken { step, n, why };
        let (entry, line) = Line::decode(line).map_err(|error| broken(LINE)(error.to_string()))?;
        if line.n() != n {
            return Err(broken(NUMBER)(format!("it says {}", line.n())));
        }
        if *line.prev() != self.prev {
            let (says, before) = (line.prev(), self.prev);
            return Err(broken(PREV)(format!(
                "it says {says}, but that is {before}"
            )));
        }
        let times = [self.time_ms, entry.time_ms()];
        if times[1] < times[0] {
            let [before, time] = times.map(|ms| format_time(ms).unwrap_or_default());
            return Err(broken(ORDER)(format!("{time} comes after {before}")));
        }
        self.size += 1;
        self.prev = *line.leaf();
        self.time_ms = entry.time_ms();
        if self.size <= self.covered {
            self.covered_ms = Some(entry.time_ms());
        }
        Ok((entry, *line.leaf()))
    }

    /// Checks the signatures on entries, and that what was signed was meant to be here.
    fn verify(&mut self, entries: &[Entry]) -> Result<(), Broken> {
        let verifier = &self.verifier;
        let forged = |some: &[Entry]| {
            let envelopes: Vec<&Envelope> = some.iter().map(Entry::envelope).collect();
            Envelope::forged_in(&envelopes, verifier)
        };
        let some = entries.par_chunks(ENTRIES_AT_ONCE);
        let forged: Vec<_> = some.flat_map_iter(forged).collect();
        if verifier.is_due() {
            verifier.prepare();
        }
        for (entry, forged) in entries.iter().zip(forged) {
            let broken = |step| {
                move |why| Broken {
                    step,
                    n: entry.n(),
                    why,
                }
            };
            signed(entry, forged).map_err(broken(SIGNATURES))?;
            payload_found(entry, self.origin).map_err(broken(PAYLOAD))?;
            let signed = |key: &[u8; 32]| entry.is_signed_by(key);
            self.keys.take(entry.n(), entry.payload(), signed);
            self.signatures += entry.sigs().len() as u64;
        }
        Ok(())
    }

    /// Writes down the steps that went through all lines together: up to the one that is broken.
    pub(super) fn told(
        &self,
        steps: &mut Steps,
        together: &[Planned],
        ended: Result<(), Broken>,
    ) -> Result<(), Failed> {
        let broken = ended.err();
        for planned in together {
            let result = match &broken {
                Some(broken) if broken.step == *planned => {
                    Err(format!("entry {}: {}", broken.n, broken.why))
                }
                Some(broken) => Ok(format!("up to entry {}: {}", broken.n, planned.rule)),
                None if *planned == SIGNATURES => {
                    let signatures = count(self.signatures, "signature", "signatures");
                    Ok(format!("{signatures} on {}", self.lines()))
                }
                None => Ok(format!("{}: {}", self.lines(), planned.rule)),
            };
            steps.take(*planned, result, String::clone)?;
        }
        Ok(())
    }

    fn lines(&self) -> String {
        count(self.size, "entry", "entries")
    }
}
