//! A leg: one bank transfer, announced by its payer and effective only when attested.

use serde::{Deserialize, Serialize};

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    AccountId, Currency, Day, Digest, Fen, FinancingId, Instant, LegId, ObligationId, PartyId,
    ReceivableId, Reference, UtcOffset,
};

/// What a leg is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A lender pays the price of a financing.
    Disbursement,
    /// A debtor pays fens, or anybody pays what it owes.
    Payment,
}

/// What a leg pays, in the order it pays it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Discharge {
    /// The payee's open fens of it.
    Receivable(ReceivableId),
    /// The obligation.
    Obligation(ObligationId),
    /// The price of it.
    Financing(FinancingId),
}

/// What an attestation found and did.
#[derive(Debug, Clone, PartialEq)]
pub struct Attested {
    /// Whose word.
    pub by: PartyId,
    /// When.
    pub at: Instant,
    /// What was booked.
    pub booked: Fen,
    /// The booked value date.
    pub value_date: Day,
    /// Fens it settled, in each receivable.
    pub settled: Vec<(ReceivableId, Fen)>,
    /// Obligations it discharged, and how much of each.
    pub discharged: Vec<(ObligationId, Fen)>,
    /// Obligations it made: late interest, refund, rebate, fees.
    pub made: Vec<ObligationId>,
    /// The financing it funded.
    pub funded: Option<FinancingId>,
}

/// Where a leg stands.
#[derive(Debug, Clone, PartialEq)]
pub enum LegState {
    /// Announced; it has no effect, and lapses by comparison with `lapses`.
    Announced,
    /// Attested: its effect is on the ledger.
    Attested(Attested),
    /// Returned by the bank after it was attested; what it did is undone.
    Reversed {
        /// What it had done.
        attested: Attested,
        /// When it was undone.
        at: Instant,
    },
}

/// A leg.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    /// Its id.
    pub id: LegId,
    /// What it is for.
    pub purpose: Purpose,
    /// Who pays.
    pub payer: PartyId,
    /// Who is paid.
    pub payee: PartyId,
    /// The payee's account.
    pub account: AccountId,
    /// The bank that services it.
    pub bank: PartyId,
    /// How much, as announced.
    pub amount: Fen,
    /// Its currency.
    pub currency: Currency,
    /// The value date, as announced.
    pub value_date: Day,
    /// The payer's reference: unique per payer.
    pub end_to_end_id: Reference,
    /// What it pays, in order.
    pub discharges: Vec<Discharge>,
    /// When it was announced.
    pub at: Instant,
    /// Three business days behind its value date: what waited for it is released.
    pub lapses: Instant,
    /// The payee contests it: only its bank can attest.
    pub contested: bool,
    /// The attesting bank's reference, as a key: unique per bank.
    pub reference: Option<(PartyId, Reference)>,
    /// Digest of the bank's statement, where one was given.
    pub evidence: Option<Digest>,
    /// Where it stands.
    pub state: LegState,
}

/// What a leg is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LegKey {
    /// Its payer, its payee or the payee's bank.
    Party(PartyId),
    /// Its payer and the payer's reference.
    EndToEnd(PartyId, Reference),
    /// The attester and its reference.
    Booked(PartyId, Reference),
    /// A receivable that it pays, and its payee.
    Pays(ReceivableId, PartyId),
    /// The account that it goes to, while it waits for an attestation.
    AnnouncedTo(AccountId),
}

impl Object for Leg {
    type Id = LegId;
    type Key = LegKey;

    fn id(&self) -> LegId {
        self.id
    }

    fn keys(&self) -> Vec<LegKey> {
        let mut keys = vec![
            LegKey::Party(self.payer),
            LegKey::Party(self.payee),
            LegKey::Party(self.bank),
            LegKey::EndToEnd(self.payer, self.end_to_end_id.clone()),
        ];
        keys.extend(
            self.reference
                .iter()
                .map(|(bank, reference)| LegKey::Booked(*bank, reference.clone())),
        );
        if self.state == LegState::Announced {
            keys.push(LegKey::AnnouncedTo(self.account));
        }
        for discharge in &self.discharges {
            if let Discharge::Receivable(receivable) = discharge {
                keys.push(LegKey::Pays(*receivable, self.payee));
            }
        }
        keys
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        // One that is attested later has lapsed all the same: what waited for it was released.
        let in_time = match &self.state {
            LegState::Announced => false,
            LegState::Attested(attested) | LegState::Reversed { attested, .. } => {
                attested.at < self.lapses
            }
        };
        let parties = [self.payer, self.payee, self.bank];
        let lapsed = Notice::to(self.lapses, NoticeWord::Lapsed, parties);
        (!in_time).then_some(lapsed).into_iter().collect()
    }
}

impl Leg {
    /// The financing whose price it pays, if it is a disbursement.
    pub fn disburses(&self) -> Option<FinancingId> {
        self.discharges
            .iter()
            .find_map(|discharge| match discharge {
                Discharge::Financing(financing) => Some(*financing),
                Discharge::Receivable(_) | Discharge::Obligation(_) => None,
            })
    }

    /// Whether it is announced and has not lapsed at `time`.
    pub fn is_live(&self, time: Instant) -> bool {
        self.state == LegState::Announced && self.lapses > time
    }

    /// Whether it lapsed by `time` without an attestation.
    pub fn has_lapsed(&self, time: Instant) -> bool {
        self.state == LegState::Announced && self.lapses <= time
    }

    /// The leg, if it waits for an attestation; a lapsed one may still be attested.
    pub fn announced(&self) -> Result<&Leg, Refusal> {
        ensure(self.state == LegState::Announced, || {
            Refusal::new(
                "leg.not_announced",
                "the leg does not wait for an attestation",
            )
            .input("leg", self.id)
        })?;
        Ok(self)
    }

    /// What its attestation did, if it stands.
    pub fn attested(&self) -> Result<&Attested, Refusal> {
        match &self.state {
            LegState::Attested(attested) => Ok(attested),
            _ => {
                Err(Refusal::new("leg.not_attested", "the leg is not attested")
                    .input("leg", self.id))
            }
        }
    }
}
