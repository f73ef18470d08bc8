//! Which checkpoints are believed (C2SP tlog-policy): those that a known log signed and enough known witnesses cosigned.
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> all|any|<k> <name>…
//! quorum <name>|none
//! ```

use std::fmt;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::{Note, NoteError, Signed, VerifierKey};

mod parse;

pub use parse::{POLICY_LEN_MAX, PolicyError, PolicyProblem};

/// Known logs, known witnesses, and which of these must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    /// "To not require any cosignatures at all, one can use the predefined name `none`".
    quorum: Option<Member>,
}

/// A name or address in a policy. "All octets with the high bit set are opaque."
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyText(Vec<u8>);

/// A log whose checkpoints are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    /// Its key. "This name MUST correspond to the log's origin line".
    pub vkey: VerifierKey,
    /// Where it is reached.
    pub url: Option<PolicyText>,
}

/// A witness whose cosignatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// What the policy calls it.
    pub name: PolicyText,
    /// Its key.
    pub vkey: VerifierKey,
    /// Where it is reached.
    pub url: Option<PolicyText>,
}

/// "The group is considered to witness a checkpoint if and only if at least k of its n members have witnessed that
/// checkpoint".
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: PolicyText,
    threshold: usize,
    members: Vec<Member>,
}

/// Whom a name stands for: the place in its list. A group's members are defined before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// A checkpoint that a policy believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The log's key that signed it.
    pub log: VerifierKey,
    /// The policy's witnesses that cosigned it, in the order of the note.
    pub cosignatures: Vec<Cosigned>,
}

/// That a witness of the policy cosigned a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// What the policy calls the witness.
    pub name: PolicyText,
    /// When it did, in seconds since 1970.
    pub time_s: u64,
}

/// Why a policy does not believe a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// The note's text is no checkpoint.
    #[error("{0}")]
    Checkpoint(CheckpointError),
    /// It is none of a log that the policy names.
    #[error("the policy names no log `{0}`")]
    Origin(String),
    /// The log did not sign it.
    #[error("{0}{hint}", hint = whose_key(.0))]
    Log(NoteError),
    /// A known witness's cosignature does not verify.
    #[error("{0}")]
    Witness(NoteError),
    /// Too few cosigned it.
    #[error("the quorum `{quorum}` is not met: {}", cosigned_by(cosigned))]
    Quorum {
        /// What the policy calls the quorum.
        quorum: PolicyText,
        /// Who did cosign.
        cosigned: Vec<Cosigned>,
    },
}

impl Policy {
    /// Reads a policy file. Every rule of the specification is checked.
    pub fn parse(bytes: &[u8]) -> Result<Policy, PolicyError> {
        parse::parse(bytes)
    }

    /// The logs, in order.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// Whether this is the key of a log.
    pub fn has_log(&self, key: &VerifierKey) -> bool {
        self.logs.iter().any(|log| log.vkey == *key)
    }

    /// The same with further keys of logs, which somebody vouches for whom it believes.
    pub fn and_logs(mut self, keys: impl IntoIterator<Item = VerifierKey>) -> Policy {
        let logs = keys.into_iter().map(|vkey| PolicyLog { vkey, url: None });
        self.logs.extend(logs);
        self
    }

    /// The witnesses, in order.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// The name of the witness or group that the quorum is, or `none`.
    pub fn quorum(&self) -> PolicyText {
        match self.quorum {
            Some(member) => self.name(member).clone(),
            None => PolicyText::from(parse::NONE),
        }
    }

    /// Whether those witnesses suffice that `cosigned` says have cosigned.
    pub fn is_met(&self, cosigned: impl Fn(&VerifierKey) -> bool) -> bool {
        let witnesses = self.witnesses.iter();
        let witnesses: Vec<bool> = witnesses.map(|witness| cosigned(&witness.vkey)).collect();
        let has_witnessed = |member: Member, groups: &[bool]| match member {
            Member::Witness(at) => witnesses[at],
            Member::Group(at) => groups[at],
        };
        // A group names groups before it alone, so one pass suffices, however deep they go.
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let members = group.members.iter();
            let count = members.filter(|member| has_witnessed(**member, &groups));
            groups.push(count.count() >= group.threshold);
        }
        self.quorum
            .is_none_or(|quorum| has_witnessed(quorum, &groups))
    }

    /// Whether a note is a checkpoint to be believed: "if it is signed by any one of the listed logs, and it is cosigned by
    /// witnesses according to the defined quorum rule". The three parts are there by themselves, too, for who tells them apart.
    pub fn check(&self, note: &Note) -> Result<Witnessed, PolicyRefusal> {
        let checkpoint = self.checkpoint(note)?;
        let log = self.log_of(note, &checkpoint.origin)?;
        let cosignatures = self.cosignatures(note)?;
        Ok(Witnessed {
            checkpoint,
            log,
            cosignatures,
        })
    }

    /// What a note says, where that is a checkpoint of a known log. No signature is verified.
    pub fn checkpoint(&self, note: &Note) -> Result<Checkpoint, PolicyRefusal> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(PolicyRefusal::Checkpoint)?;
        let mut logs = self.logs.iter();
        if logs.any(|log| log.vkey.name() == checkpoint.origin) {
            Ok(checkpoint)
        } else {
            Err(PolicyRefusal::Origin(checkpoint.origin))
        }
    }

    /// The key of the log of this origin that signed the note.
    pub fn log_of(&self, note: &Note, origin: &str) -> Result<VerifierKey, PolicyRefusal> {
        let keys = self.logs.iter().map(|log| &log.vkey);
        let keys: Vec<VerifierKey> = keys.filter(|key| key.name() == origin).cloned().collect();
        let signed = note.verified(&keys).map_err(PolicyRefusal::Log)?;
        let mut keys = signed.into_iter().map(|signed| signed.by);
        keys.next().ok_or(PolicyRefusal::Log(NoteError::Unsigned))
    }

    /// The witnesses that cosigned the note; refused where they are too few, or a known one's cosignature does not verify.
    pub fn cosignatures(&self, note: &Note) -> Result<Vec<Cosigned>, PolicyRefusal> {
        let witnesses = self.witnesses.iter();
        let keys: Vec<VerifierKey> = witnesses.map(|witness| witness.vkey.clone()).collect();
        let signed = match note.verified(&keys) {
            Ok(signed) => signed,
            // Whether nobody is enough, the quorum says.
            Err(NoteError::Unsigned) => Vec::new(),
            Err(error) => return Err(PolicyRefusal::Witness(error)),
        };
        let cosigned = signed.iter().filter_map(|signed| self.cosigned(signed));
        let cosigned = cosigned.collect();
        if self.is_met(|vkey| signed.iter().any(|signed| signed.by == *vkey)) {
            return Ok(cosigned);
        }
        let quorum = self.quorum();
        Err(PolicyRefusal::Quorum { quorum, cosigned })
    }

    fn cosigned(&self, signed: &Signed) -> Option<Cosigned> {
        let mut witnesses = self.witnesses.iter();
        let witness = witnesses.find(|witness| witness.vkey == signed.by)?;
        Some(Cosigned {
            name: witness.name.clone(),
            time_s: signed.time_s?,
        })
    }

    fn name(&self, member: Member) -> &PolicyText {
        match member {
            Member::Witness(at) => &self.witnesses[at].name,
            Member::Group(at) => &self.groups[at].name,
        }
    }

    /// The policy as a file: without comments, one space between words.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line = |words: &[&[u8]], url: Option<&PolicyText>| {
            out.extend(words.join(&b' '));
            if let Some(url) = url {
                out.push(b' ');
                out.extend(&url.0);
            }
            out.push(b'\n');
        };
        for log in &self.logs {
            let vkey = log.vkey.to_string();
            line(&[b"log", vkey.as_bytes()], log.url.as_ref());
        }
        for PolicyWitness { name, vkey, url } in &self.witnesses {
            let vkey = vkey.to_string();
            line(&[b"witness", &name.0, vkey.as_bytes()], url.as_ref());
        }
        for group in &self.groups {
            let threshold = group.threshold.to_string();
            let head: [&[u8]; 3] = [b"group", &group.name.0, threshold.as_bytes()];
            let members = group.members.iter();
            let members = members.map(|member| self.name(*member).0.as_slice());
            line(&head.into_iter().chain(members).collect::<Vec<_>>(), None);
        }
        line(&[b"quorum", &self.quorum().0], None);
        out
    }
}

impl From<&[u8]> for PolicyText {
    fn from(octets: &[u8]) -> PolicyText {
        PolicyText(octets.to_vec())
    }
}

impl PolicyText {
    /// The octets as they stand.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// For people to read: what is not UTF-8 shows as U+FFFD.
impl fmt::Display for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyText({self})")
    }
}

fn whose_key(error: &NoteError) -> &'static str {
    match error {
        NoteError::Unsigned => "; a log that has changed its key has a `log` line for each",
        _ => "",
    }
}

fn cosigned_by(cosigned: &[Cosigned]) -> String {
    if cosigned.is_empty() {
        return "no witness that the policy names has cosigned".to_owned();
    }
    let names: Vec<String> = cosigned.iter().map(|one| one.name.to_string()).collect();
    format!("only {} cosigned", names.join(", "))
}

#[cfg(test)]
mod tests;
