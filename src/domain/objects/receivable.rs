//! A receivable: what a debtor owes a supplier, from its registration to its last open fen.

use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    ContractId, Currency, Day, Fen, Instant, InvoiceId, Label, PartyId, Reason, ReceivableId,
};

use super::contract::TermsOfPayment;
use super::runs::{FenState, Run, Runs};

/// What of one invoice a receivable claims, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Registered and neither confirmed nor released: it waits for the debtor, disputed or not.
    pub registered: Fen,
    /// The part of `registered` that is disputed.
    pub disputed: Fen,
    /// Confirmed: the invoice's part of `[0, C)`.
    pub confirmed: Fen,
    /// The part of `confirmed` whose fens were cancelled, against a credit or with the receivable.
    pub cancelled: Fen,
    /// The part of `confirmed` that a credit took and nothing has absorbed: open while a fen is.
    pub diluted: Fen,
}

impl Share {
    /// What the share uses of its invoice.
    pub fn consumed(&self) -> Fen {
        let kept = self
            .confirmed
            .checked_sub(self.cancelled)
            .unwrap_or(Fen::ZERO);
        self.registered
            .checked_add(kept)
            .expect("a share never exceeds its invoice's payable")
    }

    /// The part of `registered` that the debtor may still confirm.
    pub fn confirmable(&self) -> Fen {
        self.registered
            .checked_sub(self.disputed)
            .unwrap_or(Fen::ZERO)
    }
}

/// What the debtor disputes of one invoice, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispute {
    /// The invoice.
    pub invoice: InvoiceId,
    /// How much of its share.
    pub amount: Fen,
    /// The reason code.
    pub code: Label,
    /// What there is to say of it.
    pub text: Option<Reason>,
    /// When.
    pub at: Instant,
}

/// A kind of defence (Civil Code 548, 549) that a debtor waives or keeps.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DefenceKind {
    /// Goods or work not as agreed.
    Quality,
    /// Late or short delivery.
    Delivery,
    /// A sum kept back by agreement.
    Retention,
    /// A claim of its own that it may set off.
    SetOff,
    /// Any other.
    Other,
}

/// A defence that the debtor keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct ReservedDefence {
    /// Which.
    pub kind: DefenceKind,
    /// At most this much, where it is bounded.
    pub cap: Option<Fen>,
    /// Until that day, where it ends.
    pub until: Option<Day>,
}

/// The debtor's defences at confirmation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Defences {
    /// Given up, each named.
    pub waived: Vec<DefenceKind>,
    /// Expressly kept.
    pub reserved: Vec<ReservedDefence>,
}

/// What a confirmation made: the fens, and the terms that follow them.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// When.
    pub at: Instant,
    /// The fens are `[0, face)`.
    pub face: Fen,
    /// The day it is due as confirmed, already a business day; its holder and the debtor may put off fens of it.
    pub due: Day,
    /// The debtor's defences.
    pub defences: Defences,
    /// Who holds which fens, and what became of them.
    pub runs: Runs,
}

/// Where a receivable stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Waits for its debtor; the supplier may withdraw it.
    Registered,
    /// Confirmed, in whole or in part.
    Confirmed(Confirmed),
    /// Declined by the debtor.
    Declined(Reason),
    /// Withdrawn by the supplier.
    Withdrawn,
}

/// A receivable.
#[derive(Debug, Clone, PartialEq)]
pub struct Receivable {
    /// Its id.
    pub id: ReceivableId,
    /// The contract it comes from.
    pub contract: ContractId,
    /// Who registered it.
    pub supplier: PartyId,
    /// Who owes it.
    pub debtor: PartyId,
    /// Its currency.
    pub currency: Currency,
    /// The version of the rulebook it was made under.
    pub rulebook: u32,
    /// The contract's terms of payment when it was registered: what is amended later leaves them.
    pub terms: TermsOfPayment,
    /// When it was registered.
    pub at: Instant,
    /// What it claims of which invoice, in the order registered.
    pub shares: Vec<Share>,
    /// What the debtor disputes and nobody has resolved.
    pub disputes: Vec<Dispute>,
    /// Where it stands.
    pub stage: Stage,
}

/// What a receivable is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceivableKey {
    /// Its supplier or its debtor.
    Party(PartyId),
    /// One of its invoices, until it is declined or withdrawn.
    Invoice(InvoiceId),
    /// Its contract.
    Contract(ContractId),
    /// Who holds one of its fens, in whatever state.
    Holder(PartyId),
    /// Who once held one and passed it on.
    FormerHolder(PartyId),
    /// Who owes or holds an open fen, and the day it is due; nobody named: whoever they are.
    Due(Option<PartyId>, Day),
}

impl Object for Receivable {
    type Id = ReceivableId;
    type Key = ReceivableKey;

    fn id(&self) -> ReceivableId {
        self.id
    }

    fn keys(&self) -> Vec<ReceivableKey> {
        let mut keys = vec![
            ReceivableKey::Party(self.supplier),
            ReceivableKey::Party(self.debtor),
            ReceivableKey::Contract(self.contract),
        ];
        if self.stands() {
            let invoices = self.shares.iter().map(|share| share.invoice);
            keys.extend(invoices.map(ReceivableKey::Invoice));
        }
        if let Stage::Confirmed(confirmed) = &self.stage {
            let mut before: Option<&Run> = None;
            for run in confirmed.runs.iter() {
                // Neighbours mostly have one way behind them.
                let same_way = before.replace(run).filter(|before| before.came_as(run));
                if same_way.is_none() {
                    keys.push(ReceivableKey::Holder(run.holder));
                    let former = run.hops.iter().map(|hop| hop.from);
                    keys.extend(former.map(ReceivableKey::FormerHolder));
                }
                // What is settled must not lengthen what a list of dues looks through.
                let is_open = run.state == FenState::Open;
                let same_due =
                    same_way.filter(|before| before.state == run.state && before.due == run.due);
                if is_open && same_due.is_none() {
                    let readers = [None, Some(self.debtor), Some(run.holder)];
                    keys.extend(readers.map(|reader| ReceivableKey::Due(reader, run.due)));
                }
            }
        }
        keys
    }
}

impl Receivable {
    /// The receivable's registration, if it still waits for its debtor.
    pub fn registered(&self) -> Result<&Receivable, Refusal> {
        ensure(matches!(self.stage, Stage::Registered), || {
            Refusal::new(
                "receivable.not_registered",
                "the receivable does not wait for its debtor",
            )
            .input("receivable", self.id)
        })?;
        Ok(self)
    }

    /// What its confirmation made, if it was confirmed.
    pub fn confirmed(&self) -> Result<&Confirmed, Refusal> {
        match &self.stage {
            Stage::Confirmed(confirmed) => Ok(confirmed),
            _ => Err(Refusal::new(
                "receivable.not_confirmed",
                "the receivable is not confirmed",
            )
            .input("receivable", self.id)),
        }
    }

    /// The fens of a confirmed receivable; none before.
    pub fn runs(&self) -> Option<&Runs> {
        match &self.stage {
            Stage::Confirmed(confirmed) => Some(&confirmed.runs),
            _ => None,
        }
    }

    /// Whether it was neither declined nor withdrawn.
    pub fn stands(&self) -> bool {
        matches!(self.stage, Stage::Registered | Stage::Confirmed(_))
    }

    /// Takes `amount` of an invoice out of dispute, oldest dispute first.
    pub fn lower_dispute(&mut self, invoice: InvoiceId, amount: Fen) {
        let take = |from: &mut Fen, most: Fen| {
            let taken = most.min(*from);
            *from = from.checked_sub(taken).unwrap_or(Fen::ZERO);
            most.checked_sub(taken).unwrap_or(Fen::ZERO)
        };
        let mut left = amount;
        for dispute in self
            .disputes
            .iter_mut()
            .filter(|dispute| dispute.invoice == invoice)
        {
            left = take(&mut dispute.amount, left);
        }
        self.disputes.retain(|dispute| dispute.amount > Fen::ZERO);
        for share in self
            .shares
            .iter_mut()
            .filter(|share| share.invoice == invoice)
        {
            take(&mut share.disputed, amount);
        }
    }

    /// Its share of that invoice.
    pub fn share(&self, invoice: InvoiceId) -> Option<&Share> {
        self.shares.iter().find(|share| share.invoice == invoice)
    }

    /// The sum of its shares that waits or is confirmed: what it counts against its contract's value.
    pub fn consumed(&self) -> Fen {
        let sum = Fen::sum(self.shares.iter().map(Share::consumed));
        sum.expect("the sum was bounded when the receivable was registered")
    }

    /// Whether a fen is still owed.
    pub fn has_open_fens(&self) -> bool {
        self.runs()
            .is_some_and(|runs| runs.iter().any(|run| run.state == FenState::Open))
    }

    /// The receivable, if no open dilution bars new dispositions of it.
    pub fn undiluted(&self) -> Result<&Receivable, Refusal> {
        let diluted =
            self.has_open_fens() && self.shares.iter().any(|share| share.diluted > Fen::ZERO);
        ensure(!diluted, || {
            Refusal::new(
                "receivable.diluted",
                "a credit note on one of its invoices is not yet absorbed",
            )
            .input("receivable", self.id)
        })?;
        Ok(self)
    }
}
