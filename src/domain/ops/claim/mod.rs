//! Operations on claims: what a holder does with its own fens without passing them on.

pub mod extend;
pub mod waive;

use crate::domain::head::Head;
use crate::domain::objects::Receivable;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Addresses, PartyId};

/// Who owes the fens at `addresses`: one debtor, as it reads the entry, and no debtor reads of another's debts.
fn one_debtor(at: &Head<'_>, addresses: &Addresses) -> Result<PartyId, Refusal> {
    let mut one = None;
    for address in addresses {
        let debtor = at.named::<Receivable>(address.receivable)?.debtor;
        ensure(*one.get_or_insert(debtor) == debtor, || {
            Refusal::new("claim.mixed", "the fens are owed by more than one debtor")
                .input("address", address)
                .remedy("one operation a debtor")
        })?;
    }
    one.ok_or_else(|| Refusal::new("fens.none", "at least one address is named"))
}
