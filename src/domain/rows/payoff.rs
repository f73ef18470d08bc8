//! The payoff list: to the debtor whole, to a holder its own row.

use serde::Serialize;

use super::receivable::Standing;
use crate::domain::objects::{Account, Receivable};
use crate::domain::payoff::{Payoff, payoff_list};
use crate::domain::refusal::Refusal;
use crate::domain::state::Stored;
use crate::domain::values::{
    AccountId, Amount, Computed, Currency, Day, Label, PartyId, ReceivableId,
};
use crate::domain::visibility::Viewer;

/// What is to be paid on a receivable, as one party reads it. The list is advice; legs decide.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayoffRow {
    /// The receivable.
    pub receivable: ReceivableId,
    /// Its currency.
    pub currency: Currency,
    /// The day of payment.
    pub day: Day,
    /// Whom, by lowest open address: to debtor and auditor all, to a holder itself.
    pub payees: Vec<PayoffPayeeRow>,
}

/// What one payee is to be paid.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayoffPayeeRow {
    /// Who is paid.
    pub payee: PartyId,
    /// Where to; absent where it has no usable account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<PayeeAccountRow>,
    /// How much.
    pub amount: Amount,
    /// The late interest that paying on the day causes, and how it is computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_interest: Option<LateRow>,
}

/// The account that a payee is paid to.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayeeAccountRow {
    /// Its id.
    pub id: AccountId,
    /// The bank that services it.
    pub bank: PartyId,
    /// Its number there.
    pub number: Label,
}

/// Late interest.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LateRow {
    /// How much.
    pub amount: Amount,
    /// How it is computed.
    pub computed: Computed,
}

/// The payoff list of a receivable, which the viewer may see, for a day.
///
/// # Errors
/// `amount.overflow` where late interest is more than an amount can say.
pub fn payoff(
    receivable: &Receivable,
    viewer: &Viewer<'_>,
    day: Day,
) -> Result<PayoffRow, Refusal> {
    let standing = Standing::of(viewer, receivable);
    let list = payoff_list(viewer.state, receivable, day, viewer.time, None)?;
    let told = list
        .into_iter()
        .filter(|row| standing.owes || row.payee == viewer.party);
    let rows = told.map(|row| payee(row, receivable.currency, viewer));
    Ok(PayoffRow {
        receivable: receivable.id,
        currency: receivable.currency,
        day,
        payees: rows.collect(),
    })
}

fn payee(row: Payoff, currency: Currency, viewer: &Viewer<'_>) -> PayoffPayeeRow {
    let account = row
        .account
        .and_then(|id| Account::table(viewer.state).get(id));
    PayoffPayeeRow {
        payee: row.payee,
        account: account.map(|account| PayeeAccountRow {
            id: account.id,
            bank: account.bank,
            number: account.number.clone(),
        }),
        amount: viewer.amount(row.amount, currency),
        late_interest: row.late_interest.map(|computed| LateRow {
            amount: viewer.amount(computed.result, currency),
            computed,
        }),
    }
}
