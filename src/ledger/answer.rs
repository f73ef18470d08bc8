//! What a party is told.

use crate::chain::{Line, PublicKey};
use crate::domain::Refusal;
use crate::domain::values::{Instant, OpId};

/// What became of an envelope, told when everything that it rests on is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is a new entry.
    Accepted {
        /// Which.
        receipt: Receipt,
        /// Rules of severity `warn` that did not hold.
        warnings: Vec<Refusal>,
    },
    /// It was an entry before.
    Repeat {
        /// Which: the first one.
        receipt: Receipt,
        /// The keys that signed this envelope and not the recorded one.
        signatures_not_recorded: Vec<PublicKey>,
    },
    /// It is no envelope of a canonical operation, whatever the ledger's state.
    Malformed(Refusal),
    /// A rule speaks against it. It is not recorded.
    Refused {
        /// The operation's id.
        op_id: OpId,
        /// The rule, and what broke it.
        refusal: Refusal,
        /// Until when the same envelope may still be accepted, as its party signed it; none when it has expired or can never be.
        usable_until: Option<Instant>,
    },
    /// Nothing is entered at present: `storage.full` or `clock.unconfirmed`.
    Closed(Refusal),
    /// Too much is waiting already, of all or of this party; to be sent again in a second.
    Busy,
    /// The ledger has stopped. Whether the operation is an entry, the next start says.
    Stopped,
}

/// Where an operation stands in the chain, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The operation.
    pub op_id: OpId,
    /// The ledger's time of the entry.
    pub time: Instant,
    /// The entry's line, with its number and leaf hash.
    pub line: Line,
    /// The proof that leads from the line to a signed checkpoint, and that (C2SP tlog-proof).
    pub proof: String,
}
