//! A receivable of 150,000.00, moved by operations: passed on, financed twice, locked twice and paid in part.

use serde_json::Value;

use crate::domain::objects::*;
use crate::domain::ops::{offer, request};
use crate::domain::price;
use crate::domain::rows::{Shown, claims};
use crate::domain::testing::trade::{fens_of, terms_of};
use crate::domain::testing::*;
use crate::domain::values::*;
use crate::domain::visibility::Viewer;

/// An authority whose one scope is `attest`.
pub(super) const ATTESTER: &str = "x:attester";

/// The world with one object of each kind in view.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) contract: ContractId,
    pub(super) invoice: InvoiceId,
    /// `[0, 30,000.00)` passed on to the maker, of which a part is bought by the factor and paid by the hospital;
    /// then 30,000.00 bought by the lender; the rest is the supplier's, 15,000.00 of it locked.
    pub(super) receivable: ReceivableId,
    /// Proposed by the supplier to the maker: 5,000.00.
    pub(super) transfer: TransferId,
    /// Open, to the lender and the factor: 10,000.00.
    pub(super) request: RequestId,
    /// The lender's, on that request, with a fee to the bank.
    pub(super) offer: OfferId,
    /// The lender's purchase.
    pub(super) financing: FinancingId,
    /// Its disbursement.
    pub(super) leg: LegId,
    /// Its fee, to the bank.
    pub(super) obligation: ObligationId,
    /// The lender's.
    pub(super) limit: LimitId,
    /// A new one of the supplier, still cooling.
    pub(super) account: AccountId,
}

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::where_the_maker_sells(1_000_000)
    }

    /// The maker sells so many of its 3,000,000 fens.
    pub(super) fn where_the_maker_sells(sold: u64) -> Scene {
        let (mut world, receivable) = money::banked();
        let attester = admission(ATTESTER, &[Role::Authority], &[Scope::Attest], None, None);
        world.act(OPERATOR, attester);
        for lender in [LENDER, FACTOR] {
            world.limited(lender, "1000000.00");
        }
        world.passed_on(fens_of(receivable, 0, 3_000_000));
        bought(&mut world, MAKER, FACTOR, fens_of(receivable, 0, sold));
        let part = fens_of(receivable, 3_000_000, 6_000_000);
        let (financing, leg) = bought(&mut world, SUPPLIER, LENDER, part);
        world.paid(
            HOSPITAL,
            FACTOR,
            "10000.00",
            &[Discharge::Receivable(receivable)],
        );
        let basis = Basis::Contract(world.owes_maker("M-PENDING", "5000.00"));
        let part = fens_of(receivable, 6_000_000, 6_500_000);
        let op = world.act(SUPPLIER, world.passing(part, basis));
        let transfer = TransferId::of(&op, 0);
        let part = fens_of(receivable, 6_500_000, 7_500_000);
        let request = asked(&mut world, SUPPLIER, part);
        let terms = with_fee(terms_of(world.get_request(request)));
        let offer = world.offered(LENDER, request, terms);
        let account = world.account_at(SUPPLIER, BANK);
        let limit = world.get_limit(LENDER, None).id;
        let obligation = world.owed(ObligationKind::Fee);
        let this = world.receivable(receivable);
        Scene {
            contract: this.contract,
            invoice: this.shares[0].invoice,
            receivable,
            transfer,
            request,
            offer,
            financing,
            leg,
            obligation,
            limit,
            account,
            world,
        }
    }

    pub(super) fn viewer(&self, party: &str) -> Viewer<'_> {
        Viewer {
            state: &self.world.state,
            party: id(party),
            time: self.world.time,
        }
    }

    /// The object as the viewer reads it, or nothing.
    pub(super) fn read<T: Shown>(&self, id: T::Id, viewer: &str) -> Option<Value> {
        let viewer = self.viewer(viewer);
        let object = viewer.find::<T>(id)?;
        Some(serde_json::to_value(object.row(&viewer)).expect("a row is plain data"))
    }

    pub(super) fn claims(&self, viewer: &str) -> Option<Value> {
        let viewer = self.viewer(viewer);
        let receivable = viewer.find::<Receivable>(self.receivable)?;
        Some(serde_json::to_value(claims(receivable, &viewer)).expect("a row is plain data"))
    }
}

/// A request to the lender and the factor.
fn asked(world: &mut World, requester: &str, addresses: Addresses) -> RequestId {
    let body = request::open::Open {
        invited: Some(vec![id(FACTOR), id(LENDER)]),
        ..world.opening(addresses, Bidding::Visible)
    };
    RequestId::of(&world.act(requester, body), 0)
}

fn with_fee(terms: OfferTerms) -> OfferTerms {
    let fee = Fee {
        payee: id(BANK),
        bearer: Bearer::Requester,
        amount: wire("50.00"),
    };
    OfferTerms {
        fees: vec![fee],
        ..terms
    }
}

/// Fens sold to a lender for money that has moved; only the lender's sale has a fee.
fn bought(
    world: &mut World,
    requester: &str,
    lender: &str,
    addresses: Addresses,
) -> (FinancingId, LegId) {
    let request = asked(world, requester, addresses);
    let mut terms = terms_of(world.get_request(request));
    if lender == LENDER {
        terms = with_fee(terms);
    }
    let offer = world.offered(lender, request, terms);
    let op = world.act(requester, offer::accept::Accept { offer });
    let financing = FinancingId::of(&op, 0);
    let agreed = world.get_financing(financing);
    let price = price::amount(agreed.face, &agreed.terms, agreed.due, world.today());
    let price = Amount::of(price.expect("it has a price").amount.result, 2).to_string();
    let discharges = [Discharge::Financing(financing)];
    let leg = world.paid(lender, requester, &price, &discharges);
    (financing, leg)
}
