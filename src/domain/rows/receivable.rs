//! A receivable: what its supplier, its debtor, a holder, a former holder and an auditor read of it differs.

use serde::Serialize;

use super::{ConfirmationRow, Shown};
use crate::domain::fens::fens;
use crate::domain::objects::{FenState, Invoice, Receivable, Run, Stage};
use crate::domain::state::Stored;
use crate::domain::values::{
    Amount, ContractId, Currency, Day, Fen, Instant, InvoiceId, Label, PartyId, Rate, Reason,
    ReceivableId, Reference,
};
use crate::domain::visibility::Viewer;

/// Where a receivable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceivableWord {
    /// Waits for its debtor.
    Registered,
    /// Confirmed, in whole or in part.
    Confirmed,
    /// Declined by the debtor.
    Declined,
    /// Withdrawn by the supplier.
    Withdrawn,
}

/// A receivable.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReceivableRow {
    /// Its id.
    pub id: ReceivableId,
    /// Where it stands.
    pub state: ReceivableWord,
    /// Who registered it.
    pub supplier: PartyId,
    /// Who owes it.
    pub debtor: PartyId,
    /// Its currency.
    pub currency: Currency,
    /// What the debtor confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<ConfirmationRow>,
    /// What was registered and disputed: to supplier, debtor and auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// The invoices it comes from, by number, date and share: to those who hold or held a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoices: Option<Vec<InvoicePart>>,
    /// What became of all its fens: to debtor, holders and auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// The same of the reader's own fens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Totals>,
}

/// A registration, and what became of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Registration {
    /// The contract.
    pub contract: ContractId,
    /// When it was registered.
    pub at: Instant,
    /// The version of the rulebook it is under.
    pub rulebook: u32,
    /// Days from acceptance (or invoice) to payment, by the contract as it stood then.
    pub payment_days: u32,
    /// Late interest a day, where the two had agreed one then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs, as agreed then.
    pub grace_days: u32,
    /// What it claims of which invoice.
    pub shares: Vec<ShareRow>,
    /// What the debtor disputes and nobody has resolved.
    pub disputes: Vec<DisputeRow>,
    /// Why the debtor declined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declined: Option<Reason>,
}

/// What a receivable claims of one invoice.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ShareRow {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Waits for the debtor.
    pub registered: Amount,
    /// The part of it that is disputed.
    pub disputed: Amount,
    /// Confirmed.
    pub confirmed: Amount,
    /// The confirmed part that was cancelled against credits.
    pub cancelled: Amount,
    /// The confirmed part that a credit took and nothing has absorbed.
    pub diluted: Amount,
}

/// What the debtor disputes of one invoice.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DisputeRow {
    /// The invoice.
    pub invoice: InvoiceId,
    /// How much.
    pub amount: Amount,
    /// The reason code.
    pub code: Label,
    /// What there is to say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Reason>,
    /// When.
    pub at: Instant,
}

/// An invoice as a holder reads it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InvoicePart {
    /// Its number.
    pub number: Reference,
    /// The day of issue.
    pub issued: Day,
    /// Its part of the receivable.
    pub share: Amount,
}

/// What became of fens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Totals {
    /// Owed.
    pub open: Amount,
    /// The part of it that is past its due day.
    pub overdue: Amount,
    /// Paid.
    pub settled: Amount,
    /// Ended without being paid.
    pub cancelled: Amount,
}

impl Totals {
    pub(super) fn of<'r>(
        runs: impl Iterator<Item = &'r Run>,
        currency: Currency,
        viewer: &Viewer<'_>,
    ) -> Totals {
        let today = viewer.today();
        let [mut open, mut overdue, mut settled, mut cancelled] = [0; 4];
        for run in runs {
            match run.state {
                FenState::Open => open += run.len(),
                FenState::Settled(_) => settled += run.len(),
                FenState::Cancelled(..) => cancelled += run.len(),
            }
            if run.is_overdue(today) {
                overdue += run.len();
            }
        }
        let amount = |units| viewer.amount(fens(units), currency);
        Totals {
            open: amount(open),
            overdue: amount(overdue),
            settled: amount(settled),
            cancelled: amount(cancelled),
        }
    }
}

/// What the viewer is to a receivable; it may be several things at once.
pub(super) struct Standing {
    /// Its supplier or its debtor, or an auditor.
    pub(super) registers: bool,
    /// Its debtor, or an auditor.
    pub(super) owes: bool,
    /// Holds a fen of it, in whatever state.
    pub(super) holds: bool,
    /// An auditor.
    pub(super) audits: bool,
}

impl Standing {
    pub(super) fn of(viewer: &Viewer<'_>, receivable: &Receivable) -> Standing {
        let audits = viewer.audits();
        let owes = audits || viewer.party == receivable.debtor;
        let holder = |run: &Run| run.holder == viewer.party;
        Standing {
            registers: owes || viewer.party == receivable.supplier,
            owes,
            holds: receivable
                .runs()
                .is_some_and(|runs| runs.iter().any(holder)),
            audits,
        }
    }
}

impl Shown for Receivable {
    type Row = ReceivableRow;

    /// A supplier reads registration, confirmation, disputes, credits and dilution; a holder confirmation, invoice
    /// number, date and share; the debtor what it owes; co-holders C and totals, without names; a former holder
    /// the view at its exit.
    fn row(&self, viewer: &Viewer<'_>) -> ReceivableRow {
        let standing = Standing::of(viewer, self);
        let confirmed = self.confirmed().ok();
        let totals = |counts: &dyn Fn(&Run) -> bool| {
            let all = self.runs().into_iter().flat_map(|all| all.iter());
            Totals::of(all.filter(|run| counts(run)), self.currency, viewer)
        };
        let own = |run: &Run| run.holder == viewer.party;
        let state = match self.stage {
            Stage::Registered => ReceivableWord::Registered,
            Stage::Confirmed(_) => ReceivableWord::Confirmed,
            Stage::Declined(_) => ReceivableWord::Declined,
            Stage::Withdrawn => ReceivableWord::Withdrawn,
        };
        ReceivableRow {
            id: self.id,
            state,
            supplier: self.supplier,
            debtor: self.debtor,
            currency: self.currency,
            confirmation: confirmed.map(|it| ConfirmationRow::of(it, self.currency, viewer)),
            registration: standing.registers.then(|| self.registration(viewer)),
            invoices: (!standing.registers).then(|| self.invoice_parts(viewer)),
            totals: (confirmed.is_some() && (standing.owes || standing.holds))
                .then(|| totals(&|_| true)),
            held: standing.holds.then(|| totals(&own)),
        }
    }
}

impl Receivable {
    fn registration(&self, viewer: &Viewer<'_>) -> Registration {
        let amount = |fen: Fen| viewer.amount(fen, self.currency);
        let shares = self.shares.iter().map(|share| ShareRow {
            invoice: share.invoice,
            registered: amount(share.registered),
            disputed: amount(share.disputed),
            confirmed: amount(share.confirmed),
            cancelled: amount(share.cancelled),
            diluted: amount(share.diluted),
        });
        let disputes = self.disputes.iter().map(|dispute| DisputeRow {
            invoice: dispute.invoice,
            amount: amount(dispute.amount),
            code: dispute.code.clone(),
            text: dispute.text.clone(),
            at: dispute.at,
        });
        let declined = match &self.stage {
            Stage::Declined(reason) => Some(reason.clone()),
            _ => None,
        };
        Registration {
            contract: self.contract,
            at: self.at,
            rulebook: self.rulebook,
            payment_days: self.terms.payment_days,
            late_rate: self.terms.late_rate,
            grace_days: self.terms.grace_days,
            shares: shares.collect(),
            disputes: disputes.collect(),
            declined,
        }
    }

    fn invoice_parts(&self, viewer: &Viewer<'_>) -> Vec<InvoicePart> {
        let shares = self
            .shares
            .iter()
            .filter(|share| !share.confirmed.is_zero());
        let parts = shares.filter_map(|share| {
            let invoice = Invoice::table(viewer.state).get(share.invoice)?;
            Some(InvoicePart {
                number: invoice.number.clone(),
                issued: invoice.issued,
                share: viewer.amount(share.confirmed, self.currency),
            })
        });
        parts.collect()
    }
}
