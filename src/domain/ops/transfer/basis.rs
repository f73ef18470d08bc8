//! The debt between the two that a transfer pays.

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Basis, Contract, Invoice, Transfer};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Currency, Fen, PartyId};

/// What a transfer is to pay.
pub(super) struct Payment {
    /// The assignor, who owes the debt.
    pub(super) from: PartyId,
    /// The assignee, to whom it is owed.
    pub(super) to: PartyId,
    /// Its currency.
    pub(super) currency: Currency,
    /// How much of the debt the transfer pays.
    pub(super) face: Fen,
}

impl Payment {
    /// What the transfer pays.
    pub(super) fn of(transfer: &Transfer) -> Payment {
        Payment {
            from: transfer.from,
            to: transfer.to,
            currency: transfer.currency,
            face: transfer.face,
        }
    }

    /// The basis is a contract or an invoice by which the assignor owes the assignee, with room for the face.
    pub(super) fn check(&self, at: &Head<'_>, basis: Basis) -> Result<(), Refusal> {
        match basis {
            Basis::Contract(id) => {
                let contract = at.named::<Contract>(id)?;
                self.check_owed(contract.supplier, contract.debtor, contract.terms.currency)?;
                contract.active()?;
                self.check_contract_room(contract)
            }
            Basis::Invoice(id) => {
                let invoice = at.named::<Invoice>(id)?;
                self.check_owed(invoice.supplier, invoice.debtor, invoice.currency)?;
                invoice.standing()?.with_room_for(self.face)?;
                Ok(())
            }
        }
    }

    fn check_owed(
        &self,
        supplier: PartyId,
        debtor: PartyId,
        currency: Currency,
    ) -> Result<(), Refusal> {
        let owed = (supplier, debtor, currency) == (self.to, self.from, self.currency);
        ensure(owed, || {
            Refusal::new(
                "transfer.basis",
                "a transfer pays a debt of its assignor to its assignee, in the currency of the fens",
            )
            .remedy("name a contract or an invoice in which the assignee supplies the assignor")
        })
    }

    fn check_contract_room(&self, contract: &Contract) -> Result<(), Refusal> {
        let after = contract.registered.checked_add(self.face);
        ensure(after.is_some(), || {
            Refusal::new("amount.overflow", "the sum is too large")
        })?;
        ensure(contract.room().is_none_or(|room| self.face <= room), || {
            Refusal::new(
                "contract.value",
                "the contract's value does not leave that much",
            )
            .input("contract", contract.id)
            .input("asked_units", self.face)
            .input("left_units", contract.room().unwrap_or(Fen::ZERO))
        })
    }

    /// Accepted, it consumes its face from that invoice's payable or contract's value, like a registration.
    pub(super) fn consume(&self, draft: &mut Draft<'_>, basis: Basis) {
        let used = match basis {
            Basis::Contract(id) => &mut draft.edit::<Contract>(id).registered,
            Basis::Invoice(id) => &mut draft.edit::<Invoice>(id).consumed,
        };
        *used = used
            .checked_add(self.face)
            .expect("`check` found room for the face");
    }
}
