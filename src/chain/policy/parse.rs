//! Reading a policy file, line by line.

use std::collections::BTreeMap;

use super::{Group, Member, Policy, PolicyLog, PolicyText, PolicyWitness};
use crate::chain::keys::PublicKey;
use crate::chain::note::{KeyKind, VerifierKey, VkeyError};
use crate::chain::text::decimal;

/// Most bytes of a policy: room for hundreds of logs, witnesses and groups.
pub const POLICY_LEN_MAX: usize = 256 * 1024;

/// The predefined name of no quorum.
pub(super) const NONE: &[u8] = b"none";

const LOG: &str = "log <vkey> [<url>]";
const WITNESS: &str = "witness <name> <vkey> [<url>]";
const GROUP: &str = "group <name> all|any|<k> <name>…";
const QUORUM: &str = "quorum <name>";

/// Why bytes are no policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: PolicyProblem,
}

/// What can be wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// It is longer than [`POLICY_LEN_MAX`].
    #[error("the policy goes on beyond {POLICY_LEN_MAX} bytes, which is the most")]
    TooLong,
    /// "The allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF."
    #[error("the octet {0:#04x} stands there; of control characters only tab and newline may")]
    Octet(u8),
    /// "Each line is terminated by ASCII newline".
    #[error("the line does not end with a newline")]
    Unterminated,
    /// A line that is neither empty nor a comment begins otherwise.
    #[error("`{0}` begins no line: `log`, `witness`, `group`, `quorum` and `#` do")]
    Keyword(PolicyText),
    /// Too few or too many words.
    #[error("`{0}` is asked for")]
    Form(&'static str),
    /// The key cannot be read.
    #[error("{0}")]
    Vkey(#[from] VkeyError),
    /// A log's key that does not sign notes.
    #[error("the key of a log has type 0x01 (ed25519), this one is of a witness")]
    NotOfLog,
    /// A witness's key that does not cosign.
    #[error("the key of a witness has type 0x04 (cosignature/v1), this one is of a log")]
    NotOfWitness,
    /// "Duplicate logs, i.e., multiple log lines with the same public key, are not allowed"; so with witnesses.
    #[error("the public key is that of line {0} already; each may stand once, under one name")]
    DuplicateKey(usize),
    /// "Witnesses and groups share a single namespace."
    #[error("the name `{0}` is taken; witnesses and groups have names of their own")]
    DuplicateName(PolicyText),
    /// "The special name `none` is predefined".
    #[error("the name `none` stands for no witness: it is for `quorum none` alone")]
    None,
    /// "A line defining a group can only reference names of groups and witnesses defined on preceding lines."
    #[error("`{0}` is no witness and no group of a line before")]
    UnknownName(PolicyText),
    /// "Each defined name can be listed as a group member at most once."
    #[error("`{0}` is a member already; each name may be one of one group, once")]
    MemberTwice(PolicyText),
    /// "If k is given numerically, it must be written in decimal, and it is required that 1 <= k <= n."
    #[error("`{found}` is none of `all`, `any` and the numbers 1 to {members}")]
    Threshold {
        /// What stands there.
        found: PolicyText,
        /// How many members there are.
        members: usize,
    },
    /// There is a quorum already.
    #[error("the quorum is defined in line {0} already; there is exactly one such line")]
    SecondQuorum(usize),
    /// The end comes without one.
    #[error("the policy ends without a line `quorum <name>` or `quorum none`")]
    NoQuorum,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Policy, PolicyError> {
    let mut reader = Reader::default();
    let mut last = 0;
    for (at, line) in bytes.split_inclusive(|octet| *octet == b'\n').enumerate() {
        last = at + 1;
        reader.read += line.len();
        reader.line(last, line).map_err(|problem| PolicyError {
            line: last,
            problem,
        })?;
    }
    let Some((_, quorum)) = reader.quorum else {
        let problem = PolicyProblem::NoQuorum;
        return Err(PolicyError {
            line: last + 1,
            problem,
        });
    };
    Ok(Policy {
        logs: reader.logs,
        witnesses: reader.witnesses,
        groups: reader.groups,
        quorum,
    })
}

/// What the lines so far have defined.
#[derive(Default)]
struct Reader<'a> {
    /// Bytes that were read.
    read: usize,
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    quorum: Option<(usize, Option<Member>)>,
    names: BTreeMap<&'a [u8], Named>,
    /// The lines that brought the keys in.
    log_keys: BTreeMap<PublicKey, usize>,
    witness_keys: BTreeMap<PublicKey, usize>,
}

/// Whom a name stands for.
struct Named {
    member: Member,
    /// Whether a group lists it.
    is_listed: bool,
}

impl<'a> Reader<'a> {
    fn line(&mut self, at: usize, line: &'a [u8]) -> Result<(), PolicyProblem> {
        if self.read > POLICY_LEN_MAX {
            return Err(PolicyProblem::TooLong);
        }
        let line = line
            .strip_suffix(b"\n")
            .ok_or(PolicyProblem::Unterminated)?;
        let is_allowed = |octet: u8| matches!(octet, b'\t' | 0x20..=0x7e | 0x80..=0xff);
        if let Some(octet) = line.iter().find(|octet| !is_allowed(**octet)) {
            return Err(PolicyProblem::Octet(*octet));
        }
        // "Sequences of ASCII space and tab characters *only*. Leading and trailing whitespace is allowed."
        let words = line.split(|octet| matches!(octet, b' ' | b'\t'));
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            // "Empty lines (whitespace only) and comment lines (lines starting with "#", possibly preceded by whitespace) are
            // allowed and ignored."
            [] | [[b'#', ..], ..] => Ok(()),
            [b"log", rest @ ..] => self.log(at, rest),
            [b"witness", rest @ ..] => self.witness(at, rest),
            [b"group", rest @ ..] => self.group(rest),
            [b"quorum", rest @ ..] => self.quorum(at, rest),
            [other, ..] => Err(PolicyProblem::Keyword((*other).into())),
        }
    }

    fn log(&mut self, at: usize, words: &[&[u8]]) -> Result<(), PolicyProblem> {
        let (vkey, url) = match words {
            [vkey] => (vkey, None),
            [vkey, url] => (vkey, Some(PolicyText::from(*url))),
            _ => return Err(PolicyProblem::Form(LOG)),
        };
        let vkey = read_vkey(vkey)?;
        // "Log and witness keys must use a signature type approprate respective function".
        if vkey.kind() != KeyKind::Ed25519 {
            return Err(PolicyProblem::NotOfLog);
        }
        take_key(&mut self.log_keys, &vkey, at)?;
        self.logs.push(PolicyLog { vkey, url });
        Ok(())
    }

    fn witness(&mut self, at: usize, words: &[&'a [u8]]) -> Result<(), PolicyProblem> {
        let (name, vkey, url) = match words {
            [name, vkey] => (*name, vkey, None),
            [name, vkey, url] => (*name, vkey, Some(PolicyText::from(*url))),
            _ => return Err(PolicyProblem::Form(WITNESS)),
        };
        self.define(name, Member::Witness(self.witnesses.len()))?;
        let vkey = read_vkey(vkey)?;
        if vkey.kind() != KeyKind::CosignatureV1 {
            return Err(PolicyProblem::NotOfWitness);
        }
        take_key(&mut self.witness_keys, &vkey, at)?;
        let name = name.into();
        self.witnesses.push(PolicyWitness { name, vkey, url });
        Ok(())
    }

    fn group(&mut self, words: &[&'a [u8]]) -> Result<(), PolicyProblem> {
        // "At least one member must be listed (i.e., n >= 1)."
        let [name, threshold, names @ ..] = words else {
            return Err(PolicyProblem::Form(GROUP));
        };
        if names.is_empty() {
            return Err(PolicyProblem::Form(GROUP));
        }
        let members = names.iter().map(|name| self.list(name));
        let members: Vec<Member> = members.collect::<Result<_, _>>()?;
        let threshold = read_threshold(threshold, members.len())?;
        // Only now, so that no group is its own member.
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group {
            name: (*name).into(),
            threshold,
            members,
        });
        Ok(())
    }

    fn quorum(&mut self, at: usize, words: &[&[u8]]) -> Result<(), PolicyProblem> {
        let [name] = words else {
            return Err(PolicyProblem::Form(QUORUM));
        };
        // "A policy file must include exactly one quorum line."
        if let Some((before, _)) = self.quorum {
            return Err(PolicyProblem::SecondQuorum(before));
        }
        let member = match *name {
            NONE => None,
            name => Some(self.named(name)?.member),
        };
        self.quorum = Some((at, member));
        Ok(())
    }

    fn define(&mut self, name: &'a [u8], member: Member) -> Result<(), PolicyProblem> {
        if name == NONE {
            return Err(PolicyProblem::None);
        }
        if self.names.contains_key(name) {
            return Err(PolicyProblem::DuplicateName(name.into()));
        }
        let is_listed = false;
        self.names.insert(name, Named { member, is_listed });
        Ok(())
    }

    fn named(&mut self, name: &[u8]) -> Result<&mut Named, PolicyProblem> {
        let named = self.names.get_mut(name);
        named.ok_or_else(|| PolicyProblem::UnknownName(name.into()))
    }

    /// Makes a name a member of the group at hand.
    fn list(&mut self, name: &[u8]) -> Result<Member, PolicyProblem> {
        // "It can be used when defining the quorum, but it is invalid as a group member."
        if name == NONE {
            return Err(PolicyProblem::None);
        }
        let named = self.named(name)?;
        if std::mem::replace(&mut named.is_listed, true) {
            return Err(PolicyProblem::MemberTwice(name.into()));
        }
        Ok(named.member)
    }
}

fn read_vkey(word: &[u8]) -> Result<VerifierKey, PolicyProblem> {
    let text = std::str::from_utf8(word).map_err(|_| VkeyError::Form)?;
    Ok(text.parse()?)
}

/// "Two vkeys are considered *duplicate* if they wrap the same underlying public key, even if they differ by key name and
/// key id."
fn take_key(
    keys: &mut BTreeMap<PublicKey, usize>,
    vkey: &VerifierKey,
    at: usize,
) -> Result<(), PolicyProblem> {
    match keys.insert(*vkey.key(), at) {
        Some(before) => Err(PolicyProblem::DuplicateKey(before)),
        None => Ok(()),
    }
}

/// "The `any` variant is a shorthand for k = 1, and the `all` variant is a shorthand for k = n."
fn read_threshold(word: &[u8], members: usize) -> Result<usize, PolicyProblem> {
    let number = match word {
        b"any" => Some(1),
        b"all" => Some(members),
        digits => std::str::from_utf8(digits)
            .ok()
            .and_then(decimal)
            .and_then(|k| usize::try_from(k).ok())
            .filter(|k| (1..=members).contains(k)),
    };
    number.ok_or_else(|| PolicyProblem::Threshold {
        found: word.into(),
        members,
    })
}
