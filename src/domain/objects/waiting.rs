//! Every state that waits for another party has an end instant, or an exit that the waiting party takes alone.

use super::{
    Acceptance, Account, AccountState, Basis, Bidding, Contract, ContractState, Delivery,
    Discharge, Financing, FinancingState, Invoice, Leg, LegState, Obligation, Offer, OfferState,
    Receivable, Request, RequestState, Stage, Transfer, TransferState,
};
use crate::domain::notices::Behind;
use crate::domain::operation::Operation;
use crate::domain::ops::{
    account, contract, delivery, invoice, obligation, offer, operation, receivable, transfer,
};
use crate::domain::registry;
use crate::domain::state::State;
use crate::domain::testing::money::{account as adding, banked};
use crate::domain::testing::trade::{amendment, fens_of, terms_of};
use crate::domain::testing::{
    BANK, HOSPITAL, LENDER, MAKER, OTHER_BANK, SUPPLIER, TAX, World, id, item, proposal, wire,
};
use crate::domain::values::{AccountId, ContractId, Instant, MadeId, PartyId, Salt, TransferId};
use crate::domain::visibility::Viewer;

macro_rules! states {
    ($($state:ident: $case:ident,)+) => {
        /// A state of an object in which one party waits for another.
        #[derive(Debug, Clone, Copy, PartialEq)]
        enum Waiting {
            $($state,)+
        }

        /// Each of them, with a world in which it is met.
        const CASES: &[(Waiting, fn() -> Case)] = &[$((Waiting::$state, $case),)+];
    };
}

states! {
    ContractProposed: contract_proposed,
    ContractChange: contract_change,
    DeliveryInspected: delivery_inspected,
    InvoiceFlagged: invoice_flagged,
    ReceivableRegistered: receivable_registered,
    ReceivableDisputed: receivable_disputed,
    TransferProposed: transfer_proposed,
    RequestOpen: request_open,
    OfferCommitted: offer_committed,
    OfferStanding: offer_standing,
    FinancingAccepted: financing_accepted,
    AccountAdded: account_added,
    LegAnnounced: leg_announced,
    ObligationOwed: obligation_owed,
}

/// How a waiting state ends without the party that it waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Exit {
    /// By itself, at the instant.
    At(Instant),
    /// The waiting party ends it alone, by the operation of that name.
    By(PartyId, &'static str),
}

/// Everything in the state that waits, with its way out. A kind of object, or a state of one, that is not named here
/// does not compile.
fn waiting(state: &State) -> Vec<(Waiting, Exit)> {
    let State {
        // The ledger and its parties ask nobody; a limit is its lender's alone, a bar its party's.
        ledger: _,
        size: _,
        parties: _,
        limits: _,
        barred: _,
        contracts,
        deliveries,
        invoices,
        receivables,
        transfers,
        requests,
        offers,
        financings,
        accounts,
        legs,
        obligations,
    } = state;
    let mut all = Vec::new();
    all.extend(contracts.iter().filter_map(of_contract));
    all.extend(deliveries.iter().filter_map(|one| of_delivery(state, one)));
    all.extend(invoices.iter().filter_map(of_invoice));
    all.extend(receivables.iter().flat_map(of_receivable));
    all.extend(transfers.iter().filter_map(of_transfer));
    all.extend(requests.iter().filter_map(of_request));
    all.extend(offers.iter().filter_map(|one| of_offer(state, one)));
    all.extend(financings.iter().filter_map(of_financing));
    all.extend(accounts.iter().filter_map(of_account));
    all.extend(legs.iter().filter_map(of_leg));
    all.extend(obligations.iter().filter_map(of_obligation));
    all
}

fn of_contract(one: &Contract) -> Option<(Waiting, Exit)> {
    match &one.state {
        ContractState::Proposed { ends } => Some((Waiting::ContractProposed, Exit::At(*ends))),
        ContractState::Active { change, .. } => change
            .as_ref()
            .map(|change| (Waiting::ContractChange, Exit::At(change.ends))),
        ContractState::Declined | ContractState::Cancelled | ContractState::Closed(_) => None,
    }
}

/// Silence is acceptance when the day ends.
fn of_delivery(state: &State, one: &Delivery) -> Option<(Waiting, Exit)> {
    let offset = state.ledger.as_ref().expect("entry 0").utc_offset;
    match one.acceptance {
        Acceptance::Deemed { on } => {
            Some((Waiting::DeliveryInspected, Exit::At(offset.end_of(on))))
        }
        Acceptance::Accepted { .. } | Acceptance::Rejected { .. } => None,
    }
}

/// Nothing waits for an invoice to be booked: it is registered, confirmed and paid all the same.
fn of_invoice(one: &Invoice) -> Option<(Waiting, Exit)> {
    let flag = one.flag.as_ref();
    flag.map(|flag| (Waiting::InvoiceFlagged, Exit::At(flag.ends)))
}

fn of_receivable(one: &Receivable) -> Vec<(Waiting, Exit)> {
    let mut ways = Vec::new();
    let mut by_supplier =
        |waiting, operation| ways.push((waiting, Exit::By(one.supplier, operation)));
    match one.stage {
        Stage::Registered => by_supplier(Waiting::ReceivableRegistered, "receivable.withdraw"),
        // Open fens are a debt and no question: they are owed until they are paid.
        Stage::Confirmed(_) | Stage::Declined(_) | Stage::Withdrawn => {}
    }
    if !one.disputes.is_empty() {
        by_supplier(Waiting::ReceivableDisputed, "receivable.resolve");
    }
    ways
}

fn of_transfer(one: &Transfer) -> Option<(Waiting, Exit)> {
    match one.state {
        TransferState::Proposed => Some((Waiting::TransferProposed, Exit::At(one.expires))),
        TransferState::Accepted(_)
        | TransferState::Declined
        | TransferState::Cancelled
        | TransferState::Changed(_) => None,
    }
}

fn of_request(one: &Request) -> Option<(Waiting, Exit)> {
    match one.state {
        RequestState::Open => Some((Waiting::RequestOpen, Exit::At(one.accept_by))),
        RequestState::Accepted(..) | RequestState::Withdrawn(_) | RequestState::Changed(_) => None,
    }
}

/// An offer ends with its request at the latest.
fn of_offer(state: &State, one: &Offer) -> Option<(Waiting, Exit)> {
    let request = state.requests.get(one.request).expect("its request");
    match &one.state {
        OfferState::Committed(_) => Some((Waiting::OfferCommitted, Exit::At(request.revealed_by))),
        OfferState::Standing(terms) => {
            let end = terms.expires.min(request.accept_by);
            Some((Waiting::OfferStanding, Exit::At(end)))
        }
        OfferState::Withdrawn | OfferState::Accepted(..) => None,
    }
}

fn of_financing(one: &Financing) -> Option<(Waiting, Exit)> {
    match one.state {
        FinancingState::Accepted { ends, .. } => Some((Waiting::FinancingAccepted, Exit::At(ends))),
        FinancingState::Funded(_)
        | FinancingState::Cancelled(_)
        | FinancingState::Changed(_)
        | FinancingState::Reversed(_) => None,
    }
}

fn of_account(one: &Account) -> Option<(Waiting, Exit)> {
    match one.state {
        AccountState::Added { ends } => Some((Waiting::AccountAdded, Exit::At(ends))),
        AccountState::Attested { .. } | AccountState::Closed(_) => None,
    }
}

fn of_leg(one: &Leg) -> Option<(Waiting, Exit)> {
    match one.state {
        LegState::Announced => Some((Waiting::LegAnnounced, Exit::At(one.lapses))),
        LegState::Attested(_) | LegState::Reversed { .. } => None,
    }
}

fn of_obligation(one: &Obligation) -> Option<(Waiting, Exit)> {
    let owed = !one.outstanding().is_zero();
    owed.then_some((
        Waiting::ObligationOwed,
        Exit::By(one.to, "obligation.waive"),
    ))
}

/// The rule that an operation would be refused by in a world, if it would.
type Probe = Box<dyn Fn(&World) -> Option<&'static str>>;

/// A world in which something waits, and an operation that shows whether it still does: the rule that it is refused by
/// while it waits, and after.
struct Case {
    world: World,
    probe: Probe,
    waits: Option<&'static str>,
    ended: Option<&'static str>,
}

/// Something that another party can answer while it waits; once it has ended, the answer is refused by `ended`.
fn answered<T: Operation>(
    world: World,
    by: &'static str,
    answer: impl Fn() -> T + 'static,
    ended: &'static str,
) -> Case {
    Case {
        world,
        probe: Box::new(move |world| world.rule_against(by, answer())),
        waits: None,
        ended: Some(ended),
    }
}

/// Something that bars an operation by the rule `waits`; once it has ended, that operation goes through.
fn barring<T: Operation>(
    world: World,
    by: &'static str,
    barred: impl Fn(&World) -> T + 'static,
    waits: &'static str,
) -> Case {
    Case {
        world,
        probe: Box::new(move |world| world.rule_against(by, barred(world))),
        waits: Some(waits),
        ended: None,
    }
}

/// Something that the waiting party ends by itself, whenever it likes.
fn left<T: Operation>(world: World, by: &'static str, exit: impl Fn() -> T + 'static) -> Case {
    Case {
        world,
        probe: Box::new(move |world| world.rule_against(by, exit())),
        waits: None,
        ended: None,
    }
}

fn contract_proposed() -> Case {
    let mut world = World::new();
    let contract = ContractId::of(&world.act(SUPPLIER, proposal()), 0);
    let accept = move || contract::accept::Accept {
        contract,
        change: None,
    };
    answered(world, HOSPITAL, accept, "contract.not_proposed")
}

fn contract_change() -> Case {
    let mut world = World::new();
    let contract = world.contract();
    let change = Some(world.act(SUPPLIER, amendment(contract)));
    let accept = move || contract::accept::Accept { contract, change };
    answered(world, HOSPITAL, accept, "contract.no_change")
}

fn delivery_inspected() -> Case {
    let mut world = World::new();
    let contract = world.contract();
    let delivery = world.delivery(contract, "100.00");
    let reject = move || delivery::reject::Reject {
        delivery,
        reason: wire("broken"),
    };
    answered(world, HOSPITAL, reject, "delivery.deemed")
}

fn invoice_flagged() -> Case {
    let mut world = World::new();
    let contract = world.contract();
    let invoice = world.invoice(contract, "INV-1", "100.00", "0.00");
    let flag = invoice::flag::Flag {
        invoice,
        reason: wire("under inquiry"),
        ends: world.time.plus_days(20),
    };
    world.act(TAX, flag);
    let register = move |_: &World| receivable::register::Register {
        contract,
        shares: vec![item(invoice, "1.00")],
    };
    barring(world, SUPPLIER, register, "invoice.flagged")
}

fn receivable_registered() -> Case {
    let mut world = World::new();
    let contract = world.contract();
    let invoice = world.invoice(contract, "INV-1", "100.00", "0.00");
    let receivable = world.registered(contract, &[(invoice, "100.00")]);
    let withdraw = move || receivable::withdraw::Withdraw { receivable };
    left(world, SUPPLIER, withdraw)
}

/// The confirmed part is another matter: the disputed one waits on behind it.
fn receivable_disputed() -> Case {
    let mut world = World::new();
    let contract = world.contract();
    let invoice = world.invoice(contract, "INV-1", "100.00", "0.00");
    let receivable = world.registered(contract, &[(invoice, "100.00")]);
    let disputes = vec![receivable::dispute::Disputing {
        invoice,
        amount: wire("40.00"),
        code: wire("quality"),
        text: None,
    }];
    let dispute = receivable::dispute::Dispute {
        receivable,
        disputes,
    };
    world.act(HOSPITAL, dispute);
    world.act(HOSPITAL, world.confirmation(receivable));
    let resolve = move || receivable::resolve::Resolve {
        receivable,
        invoice,
        amount: wire("40.00"),
        outcome: receivable::resolve::Outcome::Released,
    };
    left(world, SUPPLIER, resolve)
}

fn transfer_proposed() -> Case {
    let mut world = World::new();
    let receivable = world.confirmed("1000.00");
    let basis = Basis::Contract(world.owes_maker("M-1", "100.00"));
    let proposal = world.passing(fens_of(receivable, 0, 100), basis);
    let transfer = TransferId::of(&world.act(SUPPLIER, proposal), 0);
    let accept = move || transfer::accept::Accept { transfer };
    answered(world, MAKER, accept, "transfer.not_proposed")
}

fn request_open() -> Case {
    let mut world = World::new();
    let receivable = world.confirmed("1000.00");
    world.requested(fens_of(receivable, 0, 100_000), Bidding::Visible);
    let again =
        move |world: &World| world.opening(fens_of(receivable, 0, 100_000), Bidding::Visible);
    barring(world, SUPPLIER, again, "fens.locked")
}

fn offer_committed() -> Case {
    const SALT: Salt = Salt([7; 32]);
    let mut world = World::new();
    let receivable = world.confirmed("1000.00");
    world.limited(LENDER, "1000.00");
    let request = world.requested(fens_of(receivable, 0, 100_000), Bidding::Sealed);
    let offer = terms_of(world.get_request(request));
    let commitment = super::commitment(request, id(LENDER), &SALT, &offer);
    let commit = offer::commit::Commit {
        request,
        commitment,
    };
    world.act(LENDER, commit);
    let reveal = move || offer::reveal::Reveal {
        request,
        salt: SALT,
        offer: offer.clone(),
    };
    answered(world, LENDER, reveal, "offer.reveal_window")
}

fn offer_standing() -> Case {
    let mut world = World::new();
    let receivable = world.confirmed("1000.00");
    world.limited(LENDER, "1000.00");
    let request = world.requested(fens_of(receivable, 0, 100_000), Bidding::Visible);
    let mut terms = terms_of(world.get_request(request));
    terms.expires = world.time.plus_days(3);
    let offer = world.offered(LENDER, request, terms);
    let accept = move || offer::accept::Accept { offer };
    answered(world, SUPPLIER, accept, "offer.unavailable")
}

fn financing_accepted() -> Case {
    let mut world = World::new();
    let receivable = world.confirmed("1000.00");
    world.financing(fens_of(receivable, 0, 100_000));
    let again =
        move |world: &World| world.opening(fens_of(receivable, 0, 100_000), Bidding::Visible);
    barring(world, SUPPLIER, again, "fens.locked")
}

fn account_added() -> Case {
    let mut world = World::new();
    let account = AccountId::of(&world.act(SUPPLIER, adding(BANK)), 0);
    let attest = move || account::attest::Attest { account };
    answered(world, BANK, attest, "account.not_added")
}

/// A leg holds the payee's account while it lives. Attested after it has lapsed it still counts.
fn leg_announced() -> Case {
    let (mut world, receivable) = banked();
    let account = world.account_of(id(SUPPLIER));
    let pays = [Discharge::Receivable(receivable)];
    world.announced(HOSPITAL, SUPPLIER, "1.00", &pays);
    let close = move |_: &World| account::close::Close { account };
    barring(world, SUPPLIER, close, "account.in_use")
}

fn obligation_owed() -> Case {
    let (mut world, receivable) = banked();
    world.on("2026-08-19");
    let pays = [Discharge::Receivable(receivable)];
    world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays);
    let obligation = world.owed(super::ObligationKind::LateInterest);
    let waive = move || obligation::waive::Waive { obligation };
    left(world, SUPPLIER, waive)
}

#[test]
fn every_waiting_state_ends_by_itself_or_is_left_by_the_party_that_waits() {
    for (kind, case) in CASES {
        let Case {
            mut world,
            probe,
            waits,
            ended,
        } = case();
        let exits = waiting(&world.state).into_iter();
        let exits: Vec<Exit> = exits
            .filter(|(found, _)| found == kind)
            .map(|(_, exit)| exit)
            .collect();
        let [exit] = exits[..] else {
            panic!("{kind:?}: {exits:?}");
        };
        match exit {
            Exit::At(end) => {
                assert!(is_noticed(&world, end), "{kind:?} ends and nobody is told");
                world.time = Instant::from_millis(end.millis() - 1);
                assert_eq!(probe(&world), waits, "{kind:?}, before its end");
                world.time = end;
                assert_eq!(probe(&world), ended, "{kind:?}, at its end");
            }
            Exit::By(_, operation) => {
                assert!(registry::operation(operation).is_some(), "{operation}");
                assert_eq!(probe(&world), None, "{kind:?}");
                world.time = world.time.plus_days(366);
                assert_eq!(probe(&world), None, "{kind:?}, a year later");
            }
        }
    }
}

/// Whether there is a notice of something that ends then, which an auditor reads.
fn is_noticed(world: &World, end: Instant) -> bool {
    let auditor = Viewer {
        state: &world.state,
        party: id(TAX),
        time: end,
    };
    let all = Behind {
        at: Instant::MIN,
        object: None,
    };
    let notices = auditor.notices(&all, end, usize::MAX);
    notices.iter().any(|notice| notice.time == end)
}

/// Beside its end, what a proposer waits for is taken back by it.
#[test]
fn a_proposer_cancels_what_has_no_other_way_back() {
    let mut world = World::new();
    let contract = world.contract();
    let acts = [
        world.act(HOSPITAL, proposal()),
        world.act(SUPPLIER, amendment(contract)),
        world.act(MAKER, adding(OTHER_BANK)),
    ];
    for (by, operation) in [HOSPITAL, SUPPLIER, MAKER].into_iter().zip(acts) {
        world.act(by, operation::cancel::Cancel { operation });
    }
    assert_eq!(waiting(&world.state), vec![]);
}
