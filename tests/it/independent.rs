//! A verifier written from `contracts/FORMAT.md` alone: nothing of the crate is used here.
//!
//! [`check`] takes an export, a checkpoint and the ledger's verifier key; [`check_files`] finds the three in a folder. What it
//! checks and in which order is the document's section "Checking an export".

mod entry;
mod forge;
mod json;
mod note;
mod party;
mod payload;
mod plain;
mod register;
mod tests;
mod tree;
mod values;

use std::collections::HashSet;
use std::path::Path;

use entry::Entry;
use note::{Checkpoint, Vkey};
use payload::Payload;
use plain::Sha256Hash;
use register::{Followed, Register};

/// What was found sound.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// The ledger.
    pub(crate) origin: String,
    /// Entries that the checkpoint covers.
    pub(crate) covered: u64,
    /// Entries after these: linked and signed, but not yet part of any signed history.
    pub(crate) beyond: u64,
    /// Signatures on operations that were verified.
    pub(crate) signatures: u64,
    /// Root of the tree that the checkpoint covers, in hex.
    pub(crate) root: String,
}

/// The first thing that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Number of the entry, counted by lines; none where checkpoint or key is at fault.
    pub(crate) n: Option<u64>,
    /// What is wrong.
    pub(crate) what: String,
}

impl Fault {
    fn outside(what: impl Into<String>) -> Fault {
        let what = what.into();
        Fault { n: None, what }
    }

    fn at(n: u64, what: impl Into<String>) -> Fault {
        let (n, what) = (Some(n), what.into());
        Fault { n, what }
    }
}

/// The export of a folder against its checkpoint: files `chain.jsonl`, `checkpoint` and `vkey`, as the commands `export`,
/// `checkpoint` and `vkey` write them.
pub(crate) fn check_files(dir: &Path) -> Result<Report, Fault> {
    let read = |name: &str| {
        std::fs::read(dir.join(name)).map_err(|error| Fault::outside(format!("{name}: {error}")))
    };
    let text = |name: &str| {
        String::from_utf8(read(name)?).map_err(|_| Fault::outside(format!("{name}: not UTF-8")))
    };
    check(
        &read("chain.jsonl")?,
        &text("checkpoint")?,
        text("vkey")?.trim_end_matches('\n'),
    )
}

/// Checks an export against a checkpoint and the key that signs it.
pub(crate) fn check(export: &[u8], note: &str, vkey: &str) -> Result<Report, Fault> {
    let vkey = Vkey::parse(vkey).map_err(Fault::outside)?;
    let checkpoint = Checkpoint::open(note, &vkey).map_err(Fault::outside)?;
    let mut chain = Chain::new(&vkey);
    chain.read(export)?;
    let report = chain.against(&checkpoint)?;
    chain.signed(note, checkpoint.size).map(|()| report)
}

/// How far the entries are good.
#[derive(Clone)]
struct Chain<'a> {
    vkey: &'a Vkey,
    leaves: Vec<Sha256Hash>,
    time_ms: u64,
    ops: HashSet<Sha256Hash>,
    register: Register,
    signatures: u64,
}

impl Chain<'_> {
    fn new(vkey: &Vkey) -> Chain<'_> {
        Chain {
            vkey,
            leaves: Vec::new(),
            time_ms: 0,
            ops: HashSet::new(),
            register: Register::default(),
            signatures: 0,
        }
    }

    /// Goes on with these lines, each of which a newline ends.
    fn read(&mut self, export: &[u8]) -> Result<(), Fault> {
        let mut lines = export.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            let n = self.leaves.len() as u64;
            match lines.peek() {
                Some(_) => self.follow(n, line).map_err(|what| Fault::at(n, what))?,
                None if line.is_empty() => {}
                None => return Err(Fault::at(n, "no newline ends the line")),
            }
        }
        Ok(())
    }

    fn follow(&mut self, n: u64, line: &[u8]) -> Result<(), String> {
        let entry = Entry::parse(line)?;
        if entry.n != n {
            return Err(format!("the line says n {}", entry.n));
        }
        let prev = self.leaves.last().copied().unwrap_or([0; 32]);
        if entry.prev != prev {
            return Err("prev is not the leaf hash of the line before".to_owned());
        }
        if entry.time_ms < self.time_ms {
            return Err("time goes back".to_owned());
        }
        let payload = Payload::parse(&entry.payload)?;
        if payload.ledger != self.vkey.name {
            return Err(format!("the payload is for ledger {}", payload.ledger));
        }
        payload.in_time(entry.time_ms)?;
        let message = entry.pae();
        if !self.ops.insert(plain::sha256(&message)) {
            return Err("the operation has an entry already".to_owned());
        }
        for (key, signature) in &entry.sigs {
            if !plain::verify(key, &message, signature) {
                return Err(format!(
                    "the signature of {} is not valid",
                    hex::encode(key)
                ));
            }
        }
        let signers: Vec<[u8; 32]> = entry.sigs.iter().map(|(key, _)| *key).collect();
        let followed = Followed {
            n,
            time_ms: entry.time_ms,
            op_id: hex::encode(plain::sha256(&message)),
            payload: &payload,
            signers: &signers,
        };
        self.register.follow(&followed)?;
        self.leaves.push(plain::leaf(line));
        self.time_ms = entry.time_ms;
        self.signatures += signers.len() as u64;
        Ok(())
    }

    /// Whether the verifier's own key and each after it up to the one that counts at the checkpoint's size signed it.
    fn signed(&self, note: &str, size: u64) -> Result<(), Fault> {
        let keys = self.register.ledger_keys(size);
        let own = keys.iter().position(|key| key.text == self.vkey.text);
        let own = own.ok_or(Fault::outside("the entries name another verifier key"))?;
        keys[own..].iter().try_for_each(|key| {
            let signed = Checkpoint::open(note, key).map_err(Fault::outside);
            signed.map(|_| ())
        })
    }

    fn against(&self, checkpoint: &Checkpoint) -> Result<Report, Fault> {
        let held = self.leaves.len() as u64;
        let covered = usize::try_from(checkpoint.size)
            .ok()
            .and_then(|size| self.leaves.get(..size));
        let Some(leaves) = covered else {
            let what = format!(
                "the entries end here; the checkpoint covers {}",
                checkpoint.size
            );
            return Err(Fault::at(held, what));
        };
        let root = tree::root(leaves);
        if root != checkpoint.root {
            let what = "the entries' root is not the checkpoint's: another history was signed";
            return Err(Fault::outside(what));
        }
        Ok(Report {
            origin: self.vkey.name.clone(),
            covered: checkpoint.size,
            beyond: held - checkpoint.size,
            signatures: self.signatures,
            root: hex::encode(root),
        })
    }
}
