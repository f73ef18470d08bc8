//! What is owed when: the open fens of a receivable that are due on a day, by payee.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::fens::fens;
use crate::domain::objects::{FenState, Receivable};
use crate::domain::values::{AccountId, Amount, Currency, Day, PartyId, ReceivableId};
use crate::domain::visibility::Viewer;

use super::receivable::Standing;

/// The open fens of a receivable that are due to one payee on one day.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DueRow {
    /// The day.
    pub due: Day,
    /// Who owes.
    pub debtor: PartyId,
    /// Whom: who holds the fens.
    pub payee: PartyId,
    /// On which receivable.
    pub receivable: ReceivableId,
    /// Their currency.
    pub currency: Currency,
    /// How much.
    pub open: Amount,
    /// Whether the day has passed.
    pub overdue: bool,
    /// The payee's account; to the debtor and an auditor alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<AccountId>,
}

/// What of a receivable is due on a day, by payee: all of it to its debtor, to a holder its own.
pub fn due(receivable: &Receivable, due: Day, viewer: &Viewer<'_>) -> Vec<DueRow> {
    let owes = Standing::of(viewer, receivable).owes;
    let mut open: BTreeMap<PartyId, u64> = BTreeMap::new();
    for run in receivable.runs().into_iter().flat_map(|runs| runs.iter()) {
        let is_due = run.state == FenState::Open && run.due == due;
        if is_due && (owes || run.holder == viewer.party) {
            *open.entry(run.holder).or_default() += run.len();
        }
    }
    let row = |(payee, units)| DueRow {
        due,
        debtor: receivable.debtor,
        payee,
        receivable: receivable.id,
        currency: receivable.currency,
        open: viewer.amount(fens(units), receivable.currency),
        overdue: due < viewer.today(),
        pay_to: owes
            .then(|| viewer.pay_to(payee, receivable.currency))
            .flatten(),
    };
    open.into_iter().map(row).collect()
}
