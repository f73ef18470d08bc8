//! Who may see what, decided here and nowhere else: for the guards of operations and for every read.
//!
//! Each kind says who sees an object of it, and under which index keys all that a party may see is found, so
//! that a list is answered by index and a party's answer costs what its own trade costs.

use std::ops::RangeInclusive;

use super::objects::{
    Account, AccountKey, Bidding, Contract, ContractKey, Delivery, DeliveryKey, Financing,
    FinancingKey, Invoice, InvoiceKey, Leg, LegKey, Limit, LimitKey, Obligation, ObligationKey,
    Offer, OfferKey, OfferState, Party, Receivable, ReceivableKey, Request, RequestKey, Transfer,
    TransferKey,
};
use super::payoff::usable_account;
use super::state::{State, Stored};
use super::values::{AccountId, Currency, Day, Instant, PartyId, Role, Scope};

/// A party that looks at the ledger at a time.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'s> {
    /// What it looks at.
    pub state: &'s State,
    /// Who looks.
    pub party: PartyId,
    /// When.
    pub time: Instant,
}

impl<'s> Viewer<'s> {
    /// The object, if the viewer may see it; to everybody else it does not exist.
    pub fn find<T: Seen>(&self, id: T::Id) -> Option<&'s T> {
        T::table(self.state)
            .get(id)
            .filter(|object| object.seen_by(self))
    }

    /// The id of another object as it may stand in a row: only where the viewer may see that object.
    pub fn id<T: Seen>(&self, id: T::Id) -> Option<T::Id> {
        self.find::<T>(id).map(|_| id)
    }

    /// Whether the viewer is an authority with the scope.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.state
            .parties
            .get(self.party)
            .is_some_and(|party| party.has_scope(scope))
    }

    /// The account that money in a currency is to be paid to for `payee`; whoever owes it may know.
    pub fn pay_to(&self, payee: PartyId, currency: Currency) -> Option<AccountId> {
        usable_account(self.state, payee, currency, self.time).map(|account| account.id)
    }

    /// Whether the viewer reads all: an authority with the scope `audit`.
    pub fn audits(&self) -> bool {
        self.has_scope(Scope::Audit)
    }

    pub(super) fn is_lender(&self) -> bool {
        self.state
            .parties
            .get(self.party)
            .is_some_and(|party| party.is(Role::Lender))
    }
}

/// How an object kind is seen.
pub trait Seen: Stored {
    /// Whether the viewer is one of those whom the object concerns.
    fn concerns(&self, viewer: &Viewer<'_>) -> bool;

    /// The index keys under which everything that concerns the viewer is found.
    fn found_by(viewer: &Viewer<'_>) -> Vec<Self::Key>;

    /// Whether the viewer sees every object of the kind.
    fn sees_all(viewer: &Viewer<'_>) -> bool {
        viewer.audits()
    }

    /// Whether the viewer may see the object.
    fn seen_by(&self, viewer: &Viewer<'_>) -> bool {
        self.concerns(viewer) || Self::sees_all(viewer)
    }
}

impl Seen for Party {
    /// The register is visible to every admitted party and to nobody else.
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.state.parties.get(viewer.party).is_some()
    }

    fn found_by(_: &Viewer<'_>) -> Vec<Self::Key> {
        Role::ALL
            .iter()
            .map(|role| super::objects::PartyLink::Role(*role))
            .collect()
    }
}

impl Seen for Contract {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        self.is_between(viewer.party)
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<ContractKey> {
        vec![ContractKey::Party(viewer.party)]
    }
}

impl Seen for Delivery {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.supplier || viewer.party == self.debtor
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<DeliveryKey> {
        vec![DeliveryKey::Party(viewer.party)]
    }
}

impl Seen for Invoice {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.supplier || viewer.party == self.debtor
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<InvoiceKey> {
        vec![InvoiceKey::Party(viewer.party)]
    }

    /// The scope `attest` sees invoices and nothing else.
    fn sees_all(viewer: &Viewer<'_>) -> bool {
        viewer.audits() || viewer.has_scope(Scope::Attest)
    }
}

impl Seen for Receivable {
    /// A former holder sees the view at its exit, which its row keeps to.
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        let party = viewer.party;
        let passed_through = |runs: &super::objects::Runs| {
            runs.iter()
                .any(|run| run.holder == party || run.hops.iter().any(|hop| hop.from == party))
        };
        party == self.supplier || party == self.debtor || self.runs().is_some_and(passed_through)
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<ReceivableKey> {
        vec![
            ReceivableKey::Party(viewer.party),
            ReceivableKey::Holder(viewer.party),
            ReceivableKey::FormerHolder(viewer.party),
        ]
    }
}

impl Receivable {
    /// The index keys under which open fens that the viewer owes or holds are found, from one due day to another; to
    /// an auditor everybody's.
    pub fn due_between(viewer: &Viewer<'_>, from: Day, to: Day) -> RangeInclusive<ReceivableKey> {
        let reader = (!viewer.audits()).then_some(viewer.party);
        ReceivableKey::Due(reader, from)..=ReceivableKey::Due(reader, to)
    }
}

impl Seen for Transfer {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.from || viewer.party == self.to
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<TransferKey> {
        vec![TransferKey::Party(viewer.party)]
    }
}

impl Seen for Request {
    /// A lender sees a request that it may bid on until that request ends.
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        let party = viewer.party;
        let bids = || {
            party != self.debtor
                && viewer.is_lender()
                && self.asks(party)
                && self.is_live(viewer.time)
        };
        party == self.requester || bids()
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<RequestKey> {
        vec![
            RequestKey::Requester(viewer.party),
            RequestKey::Invited(viewer.party),
            RequestKey::AnyLender,
        ]
    }
}

impl Seen for Offer {
    /// The lender's own always; the requester's as visible offers arrive, and revealed ones when the window ends.
    /// No other lender ever.
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        if viewer.party == self.lender {
            return true;
        }
        let request = viewer.state.requests.get(self.request);
        // A sealed offer is withdrawn before the close alone, while nobody may know of it.
        let open = request.is_some_and(|request| match request.bidding {
            Bidding::Visible => true,
            Bidding::Sealed => {
                request.revealed_by <= viewer.time && self.state != OfferState::Withdrawn
            }
        });
        viewer.party == self.requester && open && !matches!(self.state, OfferState::Committed(_))
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<OfferKey> {
        vec![
            OfferKey::Lender(viewer.party),
            OfferKey::Requester(viewer.party),
        ]
    }
}

impl Seen for Financing {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.lender || viewer.party == self.requester
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<FinancingKey> {
        vec![FinancingKey::Party(viewer.party)]
    }
}

impl Seen for Limit {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.lender
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<LimitKey> {
        vec![LimitKey::Lender(viewer.party)]
    }
}

impl Seen for Account {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.party || viewer.party == self.bank
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<AccountKey> {
        vec![
            AccountKey::Party(viewer.party),
            AccountKey::Bank(viewer.party),
        ]
    }
}

impl Seen for Leg {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        [self.payer, self.payee, self.bank].contains(&viewer.party)
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<LegKey> {
        vec![LegKey::Party(viewer.party)]
    }
}

impl Seen for Obligation {
    fn concerns(&self, viewer: &Viewer<'_>) -> bool {
        viewer.party == self.from || viewer.party == self.to
    }

    fn found_by(viewer: &Viewer<'_>) -> Vec<ObligationKey> {
        vec![ObligationKey::Party(viewer.party)]
    }
}
