//! An obligation, which its two parties read alike; of what it came from, each reads what it may see.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Financing, Leg, Obligation, ObligationKind, Receivable};
use crate::domain::values::{
    AccountId, Amount, Computed, Currency, Day, FinancingId, Instant, LegId, ObligationId, PartyId,
    ReceivableId,
};
use crate::domain::visibility::Viewer;

/// Where an obligation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObligationWord {
    /// Owed, in part or whole.
    Open,
    /// Paid.
    Discharged,
    /// Waived by its creditor, as far as it was not paid.
    Waived,
    /// Ended unpaid with the reversal of the leg that made it.
    Ended,
}

/// An obligation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ObligationRow {
    /// Its id.
    pub id: ObligationId,
    /// Where it stands.
    pub state: ObligationWord,
    /// Who owes.
    pub from: PartyId,
    /// Whom.
    pub to: PartyId,
    /// What kind of money.
    pub kind: ObligationKind,
    /// Its currency.
    pub currency: Currency,
    /// How much at first.
    pub amount: Amount,
    /// What legs have discharged of it.
    pub discharged: Amount,
    /// What its creditor has waived of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<Amount>,
    /// What is still owed.
    pub outstanding: Amount,
    /// Where its creditor is to be paid, while something is owed: to its debtor and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<AccountId>,
    /// When it is due.
    pub due: Day,
    /// When it arose.
    pub at: Instant,
    /// What it came from.
    pub cause: CauseRow,
    /// How its amount was computed, where a formula gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed: Option<Computed>,
    /// When it ended unpaid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Instant>,
}

/// What an obligation came from, as far as the reader may see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CauseRow {
    /// The leg whose attestation or reversal made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// The receivable whose fens were late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receivable: Option<ReceivableId>,
    /// The financing whose price or fee it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub financing: Option<FinancingId>,
}

impl Shown for Obligation {
    type Row = ObligationRow;

    fn row(&self, viewer: &Viewer<'_>) -> ObligationRow {
        let amount = |fen| viewer.amount(fen, self.currency);
        let owes = viewer.party == self.from || viewer.audits();
        let state = match self.ended {
            Some(_) => ObligationWord::Ended,
            None if !self.outstanding().is_zero() => ObligationWord::Open,
            None if self.waived.is_zero() => ObligationWord::Discharged,
            None => ObligationWord::Waived,
        };
        ObligationRow {
            id: self.id,
            state,
            from: self.from,
            to: self.to,
            kind: self.kind,
            currency: self.currency,
            amount: amount(self.amount),
            discharged: amount(self.discharged),
            waived: (!self.waived.is_zero()).then(|| amount(self.waived)),
            outstanding: amount(self.outstanding()),
            pay_to: (owes && !self.outstanding().is_zero())
                .then(|| viewer.pay_to(self.to, self.currency))
                .flatten(),
            due: self.due,
            at: self.at,
            cause: CauseRow {
                leg: viewer.id::<Leg>(self.cause.leg),
                receivable: self
                    .cause
                    .receivable
                    .and_then(|id| viewer.id::<Receivable>(id)),
                financing: self
                    .cause
                    .financing
                    .and_then(|id| viewer.id::<Financing>(id)),
            },
            computed: self.computed.clone(),
            ended: self.ended,
        }
    }
}
