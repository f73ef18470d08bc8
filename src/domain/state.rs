//! What the ledger knows, and the one way to change it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use litemap::LiteMap;

use super::objects::{
    Account, Barred, Contract, Delivery, Financing, Invoice, Ledger, Leg, Limit, Obligation, Offer,
    Party, Receivable, Request, Transfer,
};
use super::table::{Object, Table};
use super::values::{Instant, PartyId, UtcOffset};

/// An object kind that has a table in the state and a place among the effects.
pub trait Stored: Object {
    /// Its kind, as it is named to people and programs.
    const KIND: &'static str;
    /// Its table.
    fn table(state: &State) -> &Table<Self>;
    /// The new values of it that an operation leaves.
    fn changed(effects: &Effects) -> &Changed<Self>;
    /// The same, to add to.
    fn changed_mut(effects: &mut Effects) -> &mut Changed<Self>;
}

/// New values of one kind, in order of id: mostly one or two. Boxed as its table keeps them, so that none is copied on its way
/// there.
pub type Changed<T> = LiteMap<<T as Object>::Id, Box<T>>;

macro_rules! tables {
    ($($field:ident: $object:ident = $kind:literal,)*) => {
        /// Everything the ledger knows.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct State {
            /// The ledger itself, from entry 0 on.
            pub ledger: Option<Ledger>,
            /// How many entries have led to it.
            pub size: u64,
            $(#[doc = concat!("Every ", $kind, ".")] pub $field: Table<$object>,)*
        }

        /// What an accepted operation does: the new value of every object it touches, and who is told.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Effects {
            /// The ledger's new value.
            pub ledger: Option<Ledger>,
            $(#[doc = concat!("New values of a ", $kind, ".")] pub $field: Changed<$object>,)*
            /// Who may read the entry: its actor, its counterparties, the bank of a leg.
            pub audience: BTreeSet<PartyId>,
            /// Who may read it only from an instant on: the requester of a sealed request, a reveal.
            pub audience_later: BTreeMap<PartyId, Instant>,
            /// Rules of severity `warn` that did not hold.
            pub warnings: Vec<super::Refusal>,
        }

        /// The id of an object of any kind, written as it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ObjectId {
            $(#[doc = concat!("Of a ", $kind, ".")] $object(<$object as Object>::Id),)*
        }

        impl fmt::Display for ObjectId {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(ObjectId::$object(id) => id.fmt(to),)*
                }
            }
        }

        $(impl Stored for $object {
            const KIND: &'static str = $kind;
            fn table(state: &State) -> &Table<Self> {
                &state.$field
            }
            fn changed(effects: &Effects) -> &Changed<Self> {
                &effects.$field
            }
            fn changed_mut(effects: &mut Effects) -> &mut Changed<Self> {
                &mut effects.$field
            }
        })*

        impl Effects {
            /// The ids of every object touched, in a fixed order.
            pub fn objects(&self) -> Vec<ObjectId> {
                let mut ids = Vec::new();
                $(ids.extend(self.$field.keys().map(|id| ObjectId::$object(*id)));)*
                ids
            }
        }

        impl State {
            /// Carries out what an operation decided. It cannot fail: every question was asked by `decide`.
            pub fn apply(&mut self, effects: Effects) {
                self.size += 1;
                if let Some(ledger) = effects.ledger {
                    self.ledger = Some(ledger);
                }
                let offset = self.utc_offset();
                $(for (_, value) in effects.$field {
                    self.$field.put(value, offset);
                })*
            }

            /// The kinds whose index differs from what a scan gives; none, or the code is wrong (invariant 7).
            pub fn inexact_indexes(&self) -> Vec<&'static str> {
                let mut kinds = Vec::new();
                let offset = self.utc_offset();
                $(if !self.$field.index_is_exact(offset) {
                    kinds.push($kind);
                })*
                kinds
            }
        }
    };
}

impl State {
    /// Where legal days begin and end; before entry 0 there is nothing that ends.
    pub(super) fn utc_offset(&self) -> UtcOffset {
        let ledger = self.ledger.as_ref();
        ledger.map_or(UtcOffset::UTC, |ledger| ledger.utc_offset)
    }
}

tables! {
    parties: Party = "party",
    contracts: Contract = "contract",
    deliveries: Delivery = "delivery",
    invoices: Invoice = "invoice",
    receivables: Receivable = "receivable",
    transfers: Transfer = "transfer",
    requests: Request = "request",
    offers: Offer = "offer",
    financings: Financing = "financing",
    limits: Limit = "limit",
    accounts: Account = "account",
    legs: Leg = "leg",
    obligations: Obligation = "obligation",
    barred: Barred = "barred operation",
}
