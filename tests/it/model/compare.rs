//! What the crate knows, in the model's view: each is said where the two differ.

mod money;

use std::collections::BTreeMap;
use std::fmt::Debug;

use counterfoil::domain::objects::{self, Disposition, EndReason, InvoiceState, Receivable, Run};
use counterfoil::domain::state::State;
use counterfoil::domain::table::{Object, Table};
use counterfoil::domain::values::{Instant, LimitId};

use super::book::{
    Acceptance, AccountState, Book, ContractChange, ContractState, FinancingState, OfferState,
    RequestState, Stage, Terms, TransferState,
};
use super::days::Sum;
use super::fen::{Act, Fen, FenState};
use super::step::key_of;

/// The first difference.
pub(super) fn differences(state: &State, book: &Book) -> Option<String> {
    Comparison {
        state,
        book,
        now: Instant::from_millis(book.now),
    }
    .all()
    .err()
}

struct Comparison<'s> {
    state: &'s State,
    book: &'s Book,
    now: Instant,
}

type Same = Result<(), String>;

fn same<T: PartialEq + Debug>(what: impl Debug, of: &str, crate_says: T, model: T) -> Same {
    if crate_says == model {
        return Ok(());
    }
    Err(format!(
        "{of} of {what:?}: the crate says {crate_says:?}, the model {model:?}"
    ))
}

/// Both know the same things, and of each the same.
fn each<T: Object<Id = I>, I: Ord + Debug + Copy, M>(
    table: &Table<T>,
    records: &BTreeMap<I, M>,
    compare: impl Fn(&T, &M) -> Same,
) -> Same {
    for id in records.keys() {
        table
            .get(*id)
            .ok_or_else(|| format!("{id:?} is in the model alone"))?;
    }
    for object in table.iter() {
        let record = records.get(&object.id());
        compare(
            object,
            record.ok_or_else(|| format!("{:?} is in the crate alone", object.id()))?,
        )?;
    }
    Ok(())
}

impl Comparison<'_> {
    fn all(&self) -> Same {
        let (state, book) = (self.state, self.book);
        let barred = state.barred.iter().map(|one| (one.id.op, one.id.party));
        same(
            "operations",
            "barred",
            barred.collect(),
            book.barred.clone(),
        )?;
        let engine = state.ledger.as_ref().map(|ledger| ledger.engine as u32);
        same("the ledger", "engine", engine, Some(book.engine))?;
        let keys = state.ledger.iter().flat_map(|ledger| ledger.keys.iter());
        // The first is the world's; an entry's key signs what covers it.
        let keys: Vec<_> = keys
            .skip(1)
            .map(|(from, key)| (from - 1, key.key))
            .collect();
        same("the ledger", "keys", &keys, &book.ledger_keys)?;
        each(&state.parties, &book.parties, |one, record| {
            same(one.id, "roles", &one.roles, &record.roles)?;
            same(one.id, "scopes", &one.scopes, &record.scopes)?;
            let valid_to = one.kyc_valid_to.map(|day| day.number().into());
            same(one.id, "kyc_valid_to", valid_to, record.kyc_valid_to)?;
            let suspended = one.suspension.as_ref().map(|it| it.ends.millis());
            let known = record.suspension.map(|it| it.ends);
            same(one.id, "suspended until", suspended, known)?;
            let mut live: Vec<_> = one.live_keys(self.now).map(|key| key.key).collect();
            let mut named: Vec<_> = record.keys.live.keys().copied().map(key_of).collect();
            live.sort_unstable();
            named.sort_unstable();
            same(one.id, "live keys", live, named)?;
            let rules = one.policy(self.now).map(|policy| policy.rules().to_vec());
            same(
                one.id,
                "policy",
                rules.unwrap_or_default(),
                record.keys.rules.clone(),
            )?;
            same(
                one.id,
                "changes",
                one.pending(self.now).count(),
                record.keys.pending.len(),
            )
        })?;
        each(&state.accounts, &book.accounts, |one, record| {
            same(one.id, "state", self.account(one), record.state)
        })?;
        each(&state.contracts, &book.contracts, |one, record| {
            same(one.id, "state", self.contract(one), record.state)?;
            let change = record.change.clone().filter(|change| change.waits);
            same(one.id, "change", self.change(one), change)?;
            same(one.id, "terms", &terms(&one.terms), &record.terms)?;
            same(
                one.id,
                "registered",
                one.registered.get(),
                self.book.registered_under(one.id),
            )
        })?;
        each(&state.deliveries, &book.deliveries, |one, record| {
            let acceptance = match one.acceptance {
                objects::Acceptance::Deemed { on } => Acceptance::Deemed(on.number().into()),
                objects::Acceptance::Accepted { on } => Acceptance::Accepted(on.number().into()),
                objects::Acceptance::Rejected { .. } => Acceptance::Rejected,
            };
            same(one.id, "acceptance", acceptance, record.acceptance)
        })?;
        self.invoices()?;
        each(&state.receivables, &book.receivables, |one, record| {
            self.receivable(one, record)
        })?;
        each(&state.transfers, &book.transfers, |one, record| {
            same(one.id, "state", self.transfer(one), record.state)
        })?;
        self.financing_side()?;
        self.money()
    }

    fn account(&self, account: &objects::Account) -> AccountState {
        match account.state {
            objects::AccountState::Added { ends } if ends <= self.now => AccountState::Lapsed,
            objects::AccountState::Added { ends } => AccountState::Added(ends.millis()),
            objects::AccountState::Attested { usable } => AccountState::Attested(usable.millis()),
            objects::AccountState::Closed(_) => AccountState::Closed,
        }
    }

    fn contract(&self, contract: &objects::Contract) -> ContractState {
        match contract.state {
            objects::ContractState::Proposed { ends } if ends <= self.now => ContractState::Lapsed,
            objects::ContractState::Proposed { ends } => ContractState::Proposed(ends.millis()),
            objects::ContractState::Active { .. } => ContractState::Active,
            objects::ContractState::Declined => ContractState::Declined,
            objects::ContractState::Cancelled => ContractState::Cancelled,
            objects::ContractState::Closed(_) => ContractState::Closed,
        }
    }

    fn change(&self, contract: &objects::Contract) -> Option<ContractChange> {
        contract
            .waiting_change(self.now)
            .map(|change| ContractChange {
                op: change.op,
                by: change.by,
                terms: match &change.kind {
                    objects::ChangeKind::Amend(amended) => Some(terms(amended)),
                    objects::ChangeKind::Close => None,
                },
                ends: change.ends.millis(),
                waits: true,
            })
    }

    fn invoices(&self) -> Same {
        let book = self.book;
        each(&self.state.invoices, &book.invoices, |one, record| {
            let (booked, void) = match one.state {
                InvoiceState::Issued => (false, false),
                InvoiceState::Booked(_) => (true, false),
                InvoiceState::Void(_) => (record.booked, true),
            };
            same(
                one.id,
                "state",
                (booked, void),
                (record.booked, record.void),
            )?;
            same(one.id, "payable", one.payable.get(), record.payable.max(0))?;
            same(one.id, "credited", one.credited().get(), record.credited)?;
            same(
                one.id,
                "consumed",
                one.consumed.get(),
                book.consumed(one.id),
            )?;
            same(one.id, "diluted", one.diluted.get(), book.diluted(one.id))?;
            same(
                one.id,
                "unconsumed",
                one.unconsumed().get(),
                book.room(one.id),
            )
        })
    }

    fn receivable(&self, one: &Receivable, record: &super::book::Receivable) -> Same {
        let stage = match one.stage {
            objects::Stage::Registered => Stage::Registered,
            objects::Stage::Confirmed(_) => Stage::Confirmed,
            objects::Stage::Declined(_) => Stage::Declined,
            objects::Stage::Withdrawn => Stage::Withdrawn,
        };
        same(one.id, "stage", stage, record.stage)?;
        same(one.id, "shares", one.shares.len(), record.shares.len())?;
        for (share, known) in one.shares.iter().zip(&record.shares) {
            let says = [
                share.registered,
                share.disputed,
                share.confirmed,
                share.cancelled,
                share.diluted,
            ];
            let knows = [
                known.registered,
                known.disputed,
                known.confirmed,
                known.cancelled,
                known.diluted,
            ];
            let what = "registered, disputed, confirmed, cancelled, diluted";
            same(
                (one.id, share.invoice),
                what,
                says.map(|fen| fen.get()),
                knows,
            )?;
            let disputes = one
                .disputes
                .iter()
                .filter(|one| one.invoice == share.invoice);
            let disputed: Sum = disputes.map(|one| one.amount.get()).sum();
            same(
                (one.id, share.invoice),
                "disputes",
                disputed,
                known.disputed,
            )?;
        }
        self.fens(one, record)
    }

    fn fens(&self, one: &Receivable, record: &super::book::Receivable) -> Same {
        let mut reached = 0;
        for run in one.runs().into_iter().flat_map(|runs| runs.iter()) {
            for at in run.lo..run.hi {
                let fen = record.fens.get(at as usize);
                let fen = fen.ok_or_else(|| format!("{}:{at} is in the crate alone", one.id))?;
                if !self.fen_is(run, fen) {
                    return Err(format!("{}:{at} is {run:?}, in the model {fen:?}", one.id));
                }
            }
            reached = run.hi;
        }
        // Per receivable the fens of every state together are C.
        same(one.id, "face", reached, record.fens.len() as u64)
    }

    fn fen_is(&self, run: &Run, fen: &Fen) -> bool {
        let state = match run.state {
            objects::FenState::Open => FenState::Open,
            objects::FenState::Settled(leg) => FenState::Settled(leg),
            objects::FenState::Cancelled(_, EndReason::Diluted) => FenState::Cancelled,
            objects::FenState::Cancelled(_, EndReason::Waived) => FenState::Waived,
        };
        let lock = run
            .lock_at(self.now)
            .map(|lock| (act(lock.by), lock.ends.millis()));
        let hops = run
            .hops
            .iter()
            .map(|hop| (act(hop.by), hop.from, hop.to, hop.recourse));
        state == fen.state
            && run.holder == fen.holder
            && i64::from(run.due.number()) == fen.due
            && lock == fen.lock.map(|lock| (lock.by, lock.ends))
            && hops.eq(fen
                .hops
                .iter()
                .map(|hop| (hop.by, hop.from, hop.to, hop.recourse)))
    }

    fn transfer(&self, transfer: &objects::Transfer) -> TransferState {
        match transfer.state {
            objects::TransferState::Proposed if transfer.expires <= self.now => {
                TransferState::Expired
            }
            objects::TransferState::Proposed => TransferState::Proposed,
            objects::TransferState::Accepted(_) => TransferState::Accepted,
            objects::TransferState::Declined => TransferState::Declined,
            objects::TransferState::Cancelled => TransferState::Cancelled,
            objects::TransferState::Changed(_) => TransferState::Changed,
        }
    }

    fn financing_side(&self) -> Same {
        let (state, book) = (self.state, self.book);
        each(&state.requests, &book.requests, |one, record| {
            same(one.id, "state", self.request(one), record.state)?;
            same(
                one.id,
                "revealed_by",
                one.revealed_by.millis(),
                record.revealed_by,
            )
        })?;
        each(&state.offers, &book.offers, |one, record| {
            let says = match &one.state {
                objects::OfferState::Committed(digest) => OfferState::Committed(*digest),
                objects::OfferState::Standing(terms) => OfferState::Standing(terms.clone()),
                objects::OfferState::Withdrawn => OfferState::Withdrawn,
                objects::OfferState::Accepted(..) => OfferState::Accepted,
            };
            same(one.id, "state", &says, &record.state)
        })?;
        each(&state.financings, &book.financings, |one, record| {
            same(one.id, "state", self.financing(one), record.state)?;
            let limits = one.limits.iter().map(|(id, amount)| (*id, amount.get()));
            let (mut says, mut knows): (Vec<_>, _) = (limits.collect(), record.limits.clone());
            says.sort_unstable();
            knows.sort_unstable();
            same(one.id, "limits", says, knows)
        })?;
        each(&state.limits, &book.limits, |one, record| {
            let says = [
                one.amount,
                one.blocked(self.now),
                one.utilised,
                one.available(
                    self.now,
                    counterfoil::domain::values::UtcOffset::CHINA.day_of(self.now),
                ),
            ];
            let id: LimitId = one.id;
            let knows = [
                record.amount,
                book.blocked(id),
                book.utilised(id),
                book.available(id),
            ];
            same(
                id,
                "amount, blocked, utilised, available",
                says.map(|fen| fen.get()),
                knows,
            )
        })
    }

    fn request(&self, request: &objects::Request) -> RequestState {
        match request.state {
            objects::RequestState::Open if request.accept_by <= self.now => RequestState::Expired,
            objects::RequestState::Open => RequestState::Open,
            objects::RequestState::Accepted(offer, _) => RequestState::Accepted(offer),
            objects::RequestState::Withdrawn(_) => RequestState::Withdrawn,
            objects::RequestState::Changed(_) => RequestState::Changed,
        }
    }

    fn financing(&self, financing: &objects::Financing) -> FinancingState {
        match &financing.state {
            objects::FinancingState::Accepted { ends, .. } if *ends <= self.now => {
                FinancingState::Expired
            }
            objects::FinancingState::Accepted { ends, .. } => FinancingState::Waits(ends.millis()),
            objects::FinancingState::Funded(funding) => FinancingState::Funded {
                leg: funding.leg,
                price: funding.price.get(),
            },
            objects::FinancingState::Cancelled(_) => FinancingState::Cancelled,
            objects::FinancingState::Changed(_) => FinancingState::Changed,
            objects::FinancingState::Reversed(_) => FinancingState::Reversed,
        }
    }
}

fn terms(of: &objects::ContractTerms) -> Terms {
    Terms {
        value: of.value.map(|value| value.get()),
        ends: of.ends.map(|ends| ends.number().into()),
        payment_days: of.payment_days.into(),
        inspection_days: of.inspection_days.into(),
        late_rate: of.late_rate.map(|rate| rate.numerator()),
        grace_days: of.grace_days.into(),
        vouchers: of.vouchers,
    }
}

fn act(by: Disposition) -> Act {
    match by {
        Disposition::Transfer(id) => Act::Transfer(id),
        Disposition::Request(id) => Act::Request(id),
        Disposition::Financing(id) => Act::Financing(id),
    }
}
