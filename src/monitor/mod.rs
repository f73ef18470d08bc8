//! Follows a ledger from outside, and says so when it shows two histories, takes one back, or tells impossible times.
//!
//! A monitor keeps the last checkpoint that it believed. Each round it reads the ledger's checkpoints and those that the witnesses of its
//! policy hold, and has the ledger prove, by its public tiles, that each is a prefix of the next. It believes nobody: a proof is checked
//! against the roots that were signed. Where it may read entries, it checks their signatures and their chain, and holds their
//! times against the times at which witnesses saw the checkpoints.

mod alarm;
mod seen;
mod source;
mod times;

use crate::chain::checkpoint::is_drill;
use crate::chain::hash::sha256;
use crate::chain::tree::{ProofError, consistency_proof, verify_consistency};
use crate::chain::{Checkpoint, Note, Policy};

pub use alarm::Alarm;
pub use seen::Seen;
pub use source::Source;

use seen::{Believed, Signed};
use source::Tiles;
use times::Times;

/// Why a round came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The ledger did what it must not.
    #[error("{0}")]
    Alarm(#[from] Alarm),
    /// Something cannot be read at present, which proves nothing.
    #[error("{what}: {why}")]
    Unreadable {
        /// An address or a tile.
        what: String,
        /// Why not.
        why: String,
    },
}

impl Trouble {
    fn unreadable(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Trouble {
        Trouble::Unreadable {
            what: what.to_string(),
            why: why.to_string(),
        }
    }
}

impl From<ProofError> for Trouble {
    fn from(error: ProofError) -> Trouble {
        Trouble::unreadable("a proof", error)
    }
}

/// What a round found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// How many entries the newest checkpoint covers.
    pub size: u64,
    /// How many of those are new since the round before.
    pub new: u64,
    /// Witnesses that could be asked what they hold.
    pub witnesses: usize,
    /// What could not be read of single witnesses, which stops nothing.
    pub unread: Vec<String>,
}

/// A monitor of one ledger.
pub struct Monitor {
    source: Source,
    policy: Policy,
    seen: Option<Seen>,
    times: Times,
}

impl Monitor {
    /// Of the ledger at `source`, by a policy that names its log, from what was seen before on.
    pub fn new(source: Source, policy: Policy, seen: Option<Seen>) -> Monitor {
        let mut times = Times::default();
        if let Some(believed) = seen.as_ref().and_then(|seen| seen.believed.as_ref()) {
            times.saw(&believed.witnessed);
        }
        Monitor {
            source,
            policy,
            seen,
            times,
        }
    }

    /// What it has seen.
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// Reads entries by another session from now on.
    pub fn read_by(&mut self, token: String) {
        self.source.read_by(token);
    }

    /// Looks once, at `now_ms` by the clock of whoever looks. After an alarm nothing that was seen is given up.
    pub fn round(&mut self, now_ms: i64) -> Result<Round, Trouble> {
        // What was witnessed is read first: it is never beyond what is committed later.
        let witnessed = self.source.checkpoint("/checkpoint")?;
        let committed = self.source.checkpoint("/v1/checkpoint")?;
        let committed = committed.ok_or_else(|| Trouble::unreadable("/v1/checkpoint", "none"))?;
        let newest = self.signed(committed)?;
        self.follows(&newest)?;
        let tiles = Tiles::new(&self.source, newest.checkpoint.size);
        // Two histories are told as such, rather than that witnesses did not cosign the second.
        let (witnesses, unread) = self.compare_with_witnesses(&tiles, &newest)?;
        let believed = witnessed.map(|note| self.believed(note)).transpose()?;
        if let Some(believed) = &believed {
            let checkpoint = &believed.witnessed.checkpoint;
            is_prefix(&tiles, checkpoint, &newest.checkpoint, "/checkpoint")?;
            self.times.saw(&believed.witnessed);
        }
        // A drill's clock is moved by hand. Whoever does not read entries needs no times.
        if self.source.reads_entries() && !is_drill(&newest.checkpoint.origin) {
            self.times.shown(newest.checkpoint.size, now_ms);
        }
        // Of later entries it is not known yet when witnesses saw them.
        if let Some(believed) = &believed
            && self.source.reads_entries()
        {
            let size = believed.witnessed.checkpoint.size;
            self.times.check(&self.source, size)?;
        }
        let size = newest.checkpoint.size;
        let before = self.seen.take();
        let known = before
            .as_ref()
            .map_or(0, |seen| seen.newest.checkpoint.size);
        let believed = believed.or(before.and_then(|seen| seen.believed));
        self.seen = Some(Seen { newest, believed });
        Ok(Round {
            size,
            new: size - known,
            witnesses,
            unread,
        })
    }

    /// The checkpoint that a quorum cosigned, which is no older than the one before.
    fn believed(&self, note: Note) -> Result<Believed, Alarm> {
        let believed = Believed::of(note, &self.policy);
        let believed = believed.map_err(|error| Alarm::Unbelievable(error.to_string()))?;
        let shown = believed.witnessed.checkpoint.size;
        let before = self.seen.as_ref().and_then(|seen| seen.believed.as_ref());
        let seen = before.map_or(0, |before| before.witnessed.checkpoint.size);
        match shown < seen {
            true => Err(Alarm::Rollback {
                seen,
                shown,
                by: "this monitor at /checkpoint".to_owned(),
            }),
            false => Ok(believed),
        }
    }

    fn signed(&self, note: Note) -> Result<Signed, Alarm> {
        Signed::of(note, &self.policy).map_err(|error| Alarm::Unbelievable(error.to_string()))
    }

    /// Whether the newest checkpoint is what was seen before, and more.
    fn follows(&self, newest: &Signed) -> Result<(), Trouble> {
        let Some(seen) = &self.seen else {
            return Ok(());
        };
        let (old, new) = (&seen.newest.checkpoint, &newest.checkpoint);
        if new.size < old.size {
            return Err(Alarm::Rollback {
                seen: old.size,
                shown: new.size,
                by: "this monitor".to_owned(),
            }
            .into());
        }
        is_prefix(
            &Tiles::new(&self.source, new.size),
            old,
            new,
            "this monitor",
        )
    }

    /// Holds the newest checkpoint against what each witness cosigned last.
    fn compare_with_witnesses(
        &self,
        tiles: &Tiles<'_>,
        newest: &Signed,
    ) -> Result<(usize, Vec<String>), Trouble> {
        let (mut asked, mut unread) = (0, Vec::new());
        let origin = sha256(newest.checkpoint.origin.as_bytes());
        for witness in self.policy.witnesses() {
            let Some(url) = &witness.url else { continue };
            let name = witness.name.to_string();
            let held = match self.source.held(&url.to_string(), &origin) {
                Ok(Some(held)) => held,
                Ok(None) => continue,
                Err(error) => {
                    unread.push(format!("{name}: {error}"));
                    continue;
                }
            };
            let vkey = std::slice::from_ref(&witness.vkey);
            // What a witness did not sign proves nothing against the ledger.
            let (Ok(_), Ok(held)) = (held.verified(vkey), self.signed(held)) else {
                unread.push(format!(
                    "{name}: its checkpoint is not signed by it and the ledger"
                ));
                continue;
            };
            asked += 1;
            self.compare(tiles, &held.checkpoint, newest, &name)?;
        }
        Ok((asked, unread))
    }

    fn compare(
        &self,
        tiles: &Tiles<'_>,
        held: &Checkpoint,
        newest: &Signed,
        witness: &str,
    ) -> Result<(), Trouble> {
        if held.size <= newest.checkpoint.size {
            return is_prefix(tiles, held, &newest.checkpoint, witness);
        }
        // It may have cosigned since: the ledger must have so many by now.
        let again = self.source.checkpoint("/v1/checkpoint")?;
        let again = again.ok_or_else(|| Trouble::unreadable("/v1/checkpoint", "none"))?;
        let again = self.signed(again)?.checkpoint;
        if again.size < held.size {
            return Err(Alarm::Rollback {
                seen: held.size,
                shown: again.size,
                by: witness.to_owned(),
            }
            .into());
        }
        // Both what was shown first and what the witness holds must lead there.
        let tiles = Tiles::new(&self.source, again.size);
        is_prefix(&tiles, &newest.checkpoint, &again, "this monitor")?;
        is_prefix(&tiles, held, &again, witness)
    }
}

/// Has the ledger prove that the tree of one checkpoint is a prefix of another's, which `by` has seen.
fn is_prefix(
    tiles: &Tiles<'_>,
    old: &Checkpoint,
    new: &Checkpoint,
    by: &str,
) -> Result<(), Trouble> {
    let forked = |why: &str| Alarm::Fork {
        size: old.size,
        by: by.to_owned(),
        why: why.to_owned(),
    };
    if old.size > new.size {
        return Err(Alarm::Rollback {
            seen: old.size,
            shown: new.size,
            by: by.to_owned(),
        }
        .into());
    }
    if old.size == new.size {
        return match old.root == new.root {
            true => Ok(()),
            false => Err(forked("two roots were signed for one size").into()),
        };
    }
    let proof = consistency_proof(tiles, old.size, new.size)?;
    match verify_consistency(old.size, &old.root, new.size, &new.root, &proof) {
        true => Ok(()),
        false => Err(forked("its tiles do not prove that the one follows the other").into()),
    }
}
