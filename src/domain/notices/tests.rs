use super::*;
use crate::domain::objects::{Basis, Bidding, Discharge};
use crate::domain::ops::{account, contract, delivery, invoice, key, limit, offer, request};
use crate::domain::testing::keys::{MAKER as MAKER_POWER, adding};
use crate::domain::testing::money::{account as adding_account, banked};
use crate::domain::testing::trade::{amendment, fens_of, terms_of};
use crate::domain::testing::*;
use crate::domain::values::{AccountId, MadeId, OfferId, TransferId};

const ALL: Behind = Behind {
    at: Instant::MIN,
    object: None,
};

fn viewer<'w>(world: &'w World, party: &str) -> Viewer<'w> {
    Viewer {
        state: &world.state,
        party: id(party),
        time: world.time,
    }
}

fn told(world: &World, party: &str) -> Vec<NoticeRow> {
    viewer(world, party).notices(&ALL, world.time, usize::MAX)
}

/// Everybody of the world that is told something of an object, and what last; auditors apart.
fn readers(world: &World, object: &str) -> Vec<(&'static str, NoticeWord)> {
    let everybody = [
        OPERATOR, BANK, OTHER_BANK, HOSPITAL, SUPPLIER, MAKER, STRANGER, LENDER, FACTOR,
    ];
    let last = |party| {
        let mut of_object = told(world, party).into_iter();
        Some((party, of_object.rfind(|row| row.object == object)?.notice))
    };
    everybody.into_iter().filter_map(last).collect()
}

/// Whoever is told is told at the instant and not before, and so is the auditor.
fn at(world: &mut World, end: Instant, object: &str) -> Vec<(&'static str, NoticeWord)> {
    let before = |world: &World| {
        let rows = told(world, TAX).into_iter();
        rows.filter(|row| row.object == object && row.time == end)
            .count()
    };
    world.time = Instant::from_millis(end.millis() - 1);
    assert_eq!(before(world), 0, "told too early");
    world.time = end;
    assert_eq!(before(world), 1, "the auditor is told");
    readers(world, object)
}

#[test]
fn a_proposal_that_nobody_answers_expires_to_both() {
    use NoticeWord::Expired;
    let (mut world, receivable) = banked();
    let basis = Basis::Contract(world.owes_maker("M-1", "100.00"));
    let op = world.act(
        SUPPLIER,
        world.passing(fens_of(receivable, 0, 10_000), basis),
    );
    let transfer = TransferId::of(&op, 0);
    let proposed = world.time;
    let both = [(SUPPLIER, Expired), (MAKER, Expired)];
    let transfer = transfer.to_string();
    assert_eq!(at(&mut world, proposed.plus_days(5), &transfer), both);

    let agreed = world.contract();
    let change = world.act(SUPPLIER, amendment(agreed));
    let expired = [(HOSPITAL, Expired), (SUPPLIER, Expired)];
    let end = world.get_contract(agreed).change().unwrap().ends;
    let mut answered = world.clone();
    assert_eq!(at(&mut world, end, &agreed.to_string()), expired);
    // What was answered does not expire.
    let accept = contract::accept::Accept {
        contract: agreed,
        change: Some(change),
    };
    answered.act(HOSPITAL, accept);
    answered.time = end;
    assert_eq!(readers(&answered, &agreed.to_string()), []);

    let proposed = contract::propose::Propose {
        number: wire("HT-OTHER"),
        ..proposal()
    };
    let op = world.act(SUPPLIER, proposed);
    let id = crate::domain::values::ContractId::of(&op, 0).to_string();
    let end = world.time.plus_days(30);
    assert_eq!(at(&mut world, end, &id), expired);
}

#[test]
fn lenders_that_may_bid_learn_that_a_request_is_no_more_and_not_why() {
    use NoticeWord::{Changed, Closed, Ended, Expired};
    let (mut world, receivable) = banked();
    for lender in [LENDER, FACTOR] {
        world.limited(lender, "1000000.00");
    }
    let opened = world.requested(fens_of(receivable, 0, 10_000), Bidding::Visible);
    let request = opened.to_string();
    let terms = terms_of(world.get_request(opened));
    let own = world.offered(LENDER, opened, terms.clone());
    let other = world.offered(FACTOR, opened, terms);
    let (closes, end) = (
        world.get_request(opened).closes,
        world.get_request(opened).accept_by,
    );
    let lenders = [(BANK, Ended), (LENDER, Ended), (FACTOR, Ended)];

    let mut withdrawn = world.clone();
    withdrawn.act(SUPPLIER, request::withdraw::Withdraw { request: opened });
    assert_eq!(readers(&withdrawn, &request), lenders);
    let mut accepted = world.clone();
    accepted.accepted(own);
    assert_eq!(readers(&accepted, &request), lenders);
    let lost = |world: &World, lender| told(world, lender).last().unwrap().offer;
    assert_eq!(lost(&accepted, LENDER), None, "it was accepted");
    assert_eq!(lost(&accepted, FACTOR), Some(other));
    assert_eq!(lost(&accepted, BANK), None);
    let mut changed = world.clone();
    changed.paid(
        HOSPITAL,
        SUPPLIER,
        "0.01",
        &[Discharge::Receivable(receivable)],
    );
    let told_changed = readers(&changed, &request);
    assert!(
        told_changed.contains(&(SUPPLIER, Changed)),
        "{told_changed:?}"
    );
    assert!(lenders.iter().all(|lender| told_changed.contains(lender)));

    let closed = [SUPPLIER, LENDER, FACTOR].map(|party| (party, Closed));
    let at_close = at(&mut world, closes, &request);
    assert!(
        closed.iter().all(|one| at_close.contains(one)),
        "{at_close:?}"
    );
    let at_end = at(&mut world, end, &request);
    assert!(at_end.contains(&(SUPPLIER, Expired)), "{at_end:?}");
    assert!(lenders.iter().all(|lender| at_end.contains(lender)));
    assert_eq!(at_end.len(), 4);
    // An offer that ends with its request is not told of twice.
    assert_eq!(readers(&world, &own.to_string()), []);
}

#[test]
fn only_the_lenders_that_are_asked_are_told_and_none_that_came_later() {
    let (mut world, receivable) = banked();
    let body = request::open::Open {
        invited: Some(vec![id(FACTOR)]),
        ..world.opening(fens_of(receivable, 0, 10), Bidding::Visible)
    };
    let op = world.act(SUPPLIER, body);
    let invited = crate::domain::values::RequestId::of(&op, 0);
    let open = world.requested(fens_of(receivable, 10, 20), Bidding::Visible);
    let end = world.get_request(open).accept_by;
    world.time = end;
    let parties = |world: &World, request: &str| -> Vec<&str> {
        let readers = readers(world, request).into_iter();
        readers.map(|(party, _)| party).collect()
    };
    assert_eq!(parties(&world, &invited.to_string()), [SUPPLIER, FACTOR]);
    let lender = [crate::domain::values::Role::Lender];
    let admitted = admission("x:newcomer", &lender, &[], None, Some(TAX));
    world.act_with(OPERATOR, &[id(TAX)], admitted);
    assert_eq!(told(&world, "x:newcomer"), []);
    assert_eq!(
        parties(&world, &open.to_string()),
        [BANK, SUPPLIER, LENDER, FACTOR]
    );
}

#[test]
fn sealed_bidding_tells_when_to_reveal_and_when_to_choose() {
    use NoticeWord::{Closed, Revealing};
    let (mut world, receivable) = banked();
    let opened = world.requested(fens_of(receivable, 0, 10_000), Bidding::Sealed);
    world.limited(LENDER, "1000000.00");
    let commit = offer::commit::Commit {
        request: opened,
        commitment: digest("a commitment"),
    };
    let own = OfferId::of(&world.act(LENDER, commit), 0);
    let request = world.get_request(opened).clone();
    let object = opened.to_string();
    for (end, word) in [(request.closes, Revealing), (request.revealed_by, Closed)] {
        let parties = [BANK, SUPPLIER, LENDER, FACTOR].map(|party| (party, word));
        assert_eq!(at(&mut world, end, &object), parties);
        assert_eq!(told(&world, LENDER).last().unwrap().offer, Some(own));
        assert_eq!(told(&world, FACTOR).last().unwrap().offer, None);
    }
    // The requester learns nothing of what was committed to.
    assert!(told(&world, SUPPLIER).iter().all(|row| row.offer.is_none()));
}

#[test]
fn an_offer_that_ends_before_its_request_expires_to_its_two_parties() {
    use NoticeWord::Expired;
    let (mut world, receivable) = banked();
    world.limited(LENDER, "1000000.00");
    let request = world.requested(fens_of(receivable, 0, 10_000), Bidding::Visible);
    let mut terms = terms_of(world.get_request(request));
    terms.expires = world.time.plus_days(1);
    let end = terms.expires;
    let made = world.offered(LENDER, request, terms);
    let mut withdrawn = world.clone();
    let both = [(SUPPLIER, Expired), (LENDER, Expired)];
    assert_eq!(at(&mut world, end, &made.to_string()), both);
    withdrawn.act(SUPPLIER, request::withdraw::Withdraw { request });
    withdrawn.time = end;
    assert_eq!(
        readers(&withdrawn, &made.to_string()),
        [],
        "it was lost before"
    );
}

#[test]
fn what_a_payment_takes_is_changed_to_both_sides() {
    use NoticeWord::Changed;
    let pays = |receivable| [Discharge::Receivable(receivable)];
    let (mut world, receivable) = banked();
    let basis = Basis::Contract(world.owes_maker("M-1", "100.00"));
    let op = world.act(
        SUPPLIER,
        world.passing(fens_of(receivable, 0, 10_000), basis),
    );
    world.paid(HOSPITAL, SUPPLIER, "0.01", &pays(receivable));
    let transfer = TransferId::of(&op, 0).to_string();
    assert_eq!(
        readers(&world, &transfer),
        [(SUPPLIER, Changed), (MAKER, Changed)]
    );

    let (mut world, receivable) = banked();
    let financing = world.financing(fens_of(receivable, 0, 10_000));
    world.paid(HOSPITAL, SUPPLIER, "0.01", &pays(receivable));
    let both = [(SUPPLIER, Changed), (LENDER, Changed)];
    assert_eq!(readers(&world, &financing.to_string()), both);
}

#[test]
fn a_financing_and_a_leg_end_to_their_parties() {
    use NoticeWord::{Expired, Lapsed};
    let (mut world, receivable) = banked();
    let financing = world.financing(fens_of(receivable, 0, 10_000));
    let end = match world.get_financing(financing).state {
        crate::domain::objects::FinancingState::Accepted { ends, .. } => ends,
        _ => panic!("it waits"),
    };
    let both = [(SUPPLIER, Expired), (LENDER, Expired)];
    assert_eq!(at(&mut world, end, &financing.to_string()), both);

    let (mut world, receivable) = banked();
    let pays = [Discharge::Receivable(receivable)];
    let in_time = world.paid(HOSPITAL, SUPPLIER, "1.00", &pays);
    let late = world.announced(HOSPITAL, SUPPLIER, "1.00", &pays);
    let end = world.get::<Leg>(late).lapses;
    let three = [OTHER_BANK, HOSPITAL, SUPPLIER].map(|party| (party, Lapsed));
    assert_eq!(at(&mut world, end, &late.to_string()), three);
    assert_eq!(readers(&world, &in_time.to_string()), []);
    world.attested(late);
    assert_eq!(readers(&world, &late.to_string()), three, "it had lapsed");
}

#[test]
fn limits_accounts_flags_deliveries_and_keys_end_or_begin_to_whom_they_concern() {
    use NoticeWord::{Deemed, Expired, FlagEnded, InForce, Lapsed, Usable};
    let mut world = World::new();
    world.act(
        LENDER,
        limit::set::Set {
            valid_to: wire("2026-06-05"),
            ..world.limiting("1.00")
        },
    );
    let limit = world.get_limit(LENDER, None).id.to_string();
    let midnight: Instant = wire("2026-06-05T16:00:00Z");
    assert_eq!(
        at(&mut world.clone(), midnight, &limit),
        [(LENDER, Expired)]
    );

    let account = AccountId::of(&world.act(SUPPLIER, adding_account(BANK)), 0);
    let end = world.time.plus_days(30);
    let both = [BANK, SUPPLIER];
    let expired = at(&mut world.clone(), end, &account.to_string());
    assert_eq!(expired, both.map(|party| (party, Expired)));
    world.act(BANK, account::attest::Attest { account });
    let end = world.time.plus_days(3);
    let usable = at(&mut world.clone(), end, &account.to_string());
    assert_eq!(usable, both.map(|party| (party, Usable)));

    let agreed = world.contract();
    let delivery = world.delivery(agreed, "100.00");
    let rejected = world.delivery(agreed, "100.00");
    let reject = delivery::reject::Reject {
        delivery: rejected,
        reason: wire("broken"),
    };
    world.act(HOSPITAL, reject);
    let on = world.get::<Delivery>(delivery).accepted_on().unwrap();
    let end = crate::domain::values::UtcOffset::CHINA.end_of(on);
    let deemed = at(&mut world.clone(), end, &delivery.to_string());
    assert_eq!(deemed, [HOSPITAL, SUPPLIER].map(|party| (party, Deemed)));
    let mut then = world.clone();
    then.time = end;
    assert_eq!(readers(&then, &rejected.to_string()), []);

    let billed = world.invoice(agreed, "INV-1", "100.00", "0.00");
    let flag = invoice::flag::Flag {
        invoice: billed,
        reason: wire("under inquiry"),
        ends: world.time.plus_days(20),
    };
    let end = flag.ends;
    world.act(TAX, flag);
    let flagged = at(&mut world.clone(), end, &billed.to_string());
    assert_eq!(
        flagged,
        [HOSPITAL, SUPPLIER].map(|party| (party, FlagEnded))
    );

    let added = world.act(SUPPLIER, adding("x:another", MAKER_POWER));
    let end = world.time.plus_hours(24);
    let in_force = at(&mut world.clone(), end, SUPPLIER);
    assert_eq!(in_force, [(SUPPLIER, InForce)]);
    world.act(SUPPLIER, key::veto::Veto { operation: added });
    let mut then = world.clone();
    then.time = end;
    assert_eq!(readers(&then, SUPPLIER), []);
    let lapsed = at(&mut world, wire("2030-12-31T16:00:00Z"), SUPPLIER);
    assert!(lapsed.contains(&(SUPPLIER, Lapsed)), "{lapsed:?}");
}

#[test]
fn notices_read_one_by_one_are_those_read_at_once_and_the_next_is_known() {
    let (mut world, receivable) = banked();
    for part in 0..4 {
        world.requested(fens_of(receivable, part, part + 1), Bidding::Visible);
    }
    world.act(SUPPLIER, adding_account(BANK));
    world.later_by_hours(40 * 24);
    for party in [SUPPLIER, LENDER, TAX] {
        let all = told(&world, party);
        assert!(all.len() >= 8, "{party}: {all:?}");
        let (mut one_by_one, mut behind) = (Vec::new(), ALL);
        let mut instant = viewer(&world, party).next_notice(Instant::MIN);
        let mut instants = Vec::new();
        while let Some(row) = viewer(&world, party).notices(&behind, world.time, 1).pop() {
            behind = Behind {
                at: row.time,
                object: Some(row.object.clone()),
            };
            one_by_one.push(row);
        }
        while let Some(at) = instant.filter(|at| *at <= world.time) {
            instants.push(at);
            instant = viewer(&world, party).next_notice(at);
        }
        assert_eq!(one_by_one, all, "{party}");
        let mut times: Vec<Instant> = all.iter().map(|row| row.time).collect();
        times.dedup();
        assert_eq!(instants, times, "{party}");
    }
    assert_eq!(told(&world, STRANGER), []);
}

/// A requester and a debtor may be lenders too, and are none to this request.
#[test]
fn a_lender_that_asks_or_owes_is_told_as_that_alone() {
    let (mut world, receivable) = banked();
    let open = world.requested(fens_of(receivable, 0, 10), Bidding::Visible);
    let request = Request {
        requester: id(FACTOR),
        debtor: id(LENDER),
        state: crate::domain::objects::RequestState::Withdrawn(world.time),
        ..world.get_request(open).clone()
    };
    let offset = world.state.utc_offset();
    world.state.requests.put(Box::new(request), offset);
    assert_eq!(
        readers(&world, &open.to_string()),
        [(BANK, NoticeWord::Ended)]
    );
}
