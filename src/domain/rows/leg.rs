//! A leg: payer, payee and the payee's bank read one leg; of what it did, each reads what it may see.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{
    Attested, Discharge, Financing, Leg, LegState, Obligation, Purpose, Receivable,
};
use crate::domain::values::{
    AccountId, Amount, Currency, Day, Digest, FinancingId, Instant, LegId, ObligationId, PartyId,
    ReceivableId, Reference,
};
use crate::domain::visibility::Viewer;

/// Where a leg stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegWord {
    /// Waits for its attestation.
    Announced,
    /// Not attested in time; it may still be.
    Lapsed,
    /// Attested.
    Attested,
    /// Returned by the bank after it was attested.
    Reversed,
}

/// A leg.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LegRow {
    /// Its id.
    pub id: LegId,
    /// Where it stands.
    pub state: LegWord,
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
    /// Its currency.
    pub currency: Currency,
    /// How much, as announced.
    pub amount: Amount,
    /// The value date, as announced.
    pub value_date: Day,
    /// The payer's reference.
    pub end_to_end_id: Reference,
    /// What it pays, in order.
    pub discharges: Vec<Discharge>,
    /// When it was announced.
    pub at: Instant,
    /// What waits for it is released from here on.
    pub lapses: Instant,
    /// The payee contests it.
    pub contested: bool,
    /// The attesting bank's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Digest of the bank's statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// What its attestation found and did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attested: Option<LegEffect>,
    /// Reversed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Instant>,
}

/// What an attestation found and did, as far as the reader may see what it touched.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LegEffect {
    /// Whose word.
    pub by: PartyId,
    /// When.
    pub at: Instant,
    /// What was booked.
    pub booked: Amount,
    /// The booked value date.
    pub value_date: Day,
    /// Fens it settled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<SettledRow>,
    /// Obligations it discharged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discharged: Vec<DischargedRow>,
    /// Obligations it made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<ObligationId>,
    /// The financing it funded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funded: Option<FinancingId>,
}

/// Fens that a leg settled.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SettledRow {
    /// In which receivable.
    pub receivable: ReceivableId,
    /// How much.
    pub amount: Amount,
}

/// An obligation that a leg discharged, in part or whole.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DischargedRow {
    /// Which.
    pub obligation: ObligationId,
    /// How much of it.
    pub amount: Amount,
}

impl Shown for Leg {
    type Row = LegRow;

    fn row(&self, viewer: &Viewer<'_>) -> LegRow {
        let (state, attested, reversed) = match &self.state {
            LegState::Announced if self.has_lapsed(viewer.time) => (LegWord::Lapsed, None, None),
            LegState::Announced => (LegWord::Announced, None, None),
            LegState::Attested(attested) => (LegWord::Attested, Some(attested), None),
            LegState::Reversed { attested, at } => (LegWord::Reversed, Some(attested), Some(*at)),
        };
        LegRow {
            id: self.id,
            state,
            purpose: self.purpose,
            payer: self.payer,
            payee: self.payee,
            account: self.account,
            bank: self.bank,
            currency: self.currency,
            amount: viewer.amount(self.amount, self.currency),
            value_date: self.value_date,
            end_to_end_id: self.end_to_end_id.clone(),
            discharges: self.discharges.clone(),
            at: self.at,
            lapses: self.lapses,
            contested: self.contested,
            reference: self
                .reference
                .as_ref()
                .map(|(_, reference)| reference.clone()),
            evidence: self.evidence,
            attested: attested.map(|attested| self.effect(attested, viewer)),
            reversed,
        }
    }
}

impl Leg {
    fn effect(&self, attested: &Attested, viewer: &Viewer<'_>) -> LegEffect {
        let amount = |fen| viewer.amount(fen, self.currency);
        let settled = attested.settled.iter().filter_map(|(receivable, fen)| {
            Some(SettledRow {
                receivable: viewer.id::<Receivable>(*receivable)?,
                amount: amount(*fen),
            })
        });
        let discharged = attested.discharged.iter().filter_map(|(obligation, fen)| {
            Some(DischargedRow {
                obligation: viewer.id::<Obligation>(*obligation)?,
                amount: amount(*fen),
            })
        });
        let made = attested.made.iter();
        LegEffect {
            by: attested.by,
            at: attested.at,
            booked: amount(attested.booked),
            value_date: attested.value_date,
            settled: settled.collect(),
            discharged: discharged.collect(),
            made: made.filter_map(|id| viewer.id::<Obligation>(*id)).collect(),
            funded: attested.funded.and_then(|id| viewer.id::<Financing>(id)),
        }
    }
}
