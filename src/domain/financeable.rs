//! Fens that may be put before lenders: one debtor, one currency, one due day.

use std::collections::BTreeMap;

use super::fens::{Timing, fens};
use super::head::Head;
use super::objects::{Disposition, Receivable};
use super::refusal::{Refusal, ensure};
use super::values::{Addresses, Currency, Day, Fen, PartyId};

/// Fens that a holder may ask financing for.
#[derive(Debug, Clone)]
pub struct Financeable {
    /// How many.
    pub face: Fen,
    /// Their currency.
    pub currency: Currency,
    /// Who owes every one.
    pub debtor: PartyId,
    /// When every one is due.
    pub due: Day,
    /// The suppliers they come from, with each one's part of the face.
    pub suppliers: Vec<(PartyId, Fen)>,
}

impl Head<'_> {
    /// The actor's fens at `addresses`, if they may be financed: as for a transfer, not overdue, one debtor,
    /// currency and due day, no share of a flagged invoice. `own` is the request that holds their lock, if any.
    pub fn financeable(
        &self,
        addresses: &Addresses,
        own: Option<Disposition>,
    ) -> Result<Financeable, Refusal> {
        let timing = Timing::BeforeCutOff(self.today()?);
        let disposable = match own {
            None => self.disposable(addresses, timing)?,
            Some(_) => self.disposable_under(addresses, timing, own)?,
        };
        let mut owed = None;
        let mut suppliers: BTreeMap<PartyId, u64> = BTreeMap::new();
        for (receivable, run) in &disposable.pieces {
            let receivable = self.named::<Receivable>(*receivable)?;
            let one = *owed.get_or_insert((receivable.debtor, run.due));
            ensure(one == (receivable.debtor, run.due), || {
                Refusal::new(
                    "request.mixed",
                    "the fens of a request have one debtor and one due day",
                )
                .input("receivable", receivable.id)
            })?;
            *suppliers.entry(receivable.supplier).or_default() += run.len();
        }
        for address in addresses {
            self.check_flags(self.named::<Receivable>(address.receivable)?)?;
        }
        let (debtor, due) =
            owed.ok_or_else(|| Refusal::new("fens.none", "at least one address is named"))?;
        let suppliers = suppliers.into_iter();
        Ok(Financeable {
            face: disposable.face,
            currency: disposable.currency,
            debtor,
            due,
            suppliers: suppliers.map(|(id, part)| (id, fens(part))).collect(),
        })
    }

    /// A flag blocks only new registration and financing. The holder learns of its receivable, not of an invoice
    /// that is another's.
    fn check_flags(&self, receivable: &Receivable) -> Result<(), Refusal> {
        let confirmed = receivable
            .shares
            .iter()
            .filter(|share| share.confirmed > Fen::ZERO);
        for share in confirmed {
            let invoice = self.state.invoices.get(share.invoice);
            let free = invoice.is_none_or(|invoice| invoice.unflagged(self.time).is_ok());
            ensure(free, || {
                Refusal::new(
                    "invoice.flagged",
                    "a tax authority has flagged an invoice of the receivable",
                )
                .input("receivable", receivable.id)
                .remedy("the flag ends or the authority lifts it")
            })?;
        }
        Ok(())
    }
}
