//! The world of the tests that pass fens on, put them before lenders and finance them.

use super::{HOSPITAL, LENDER, MAKER, SUPPLIER, World, digest, fen, id, proposal, wire};
use crate::domain::objects::{
    Basis, Bidding, Financing, Interest, Limit, LimitKey, Offer, OfferKind, OfferTerms, Recourse,
    Request, Run, Transfer,
};
use crate::domain::operation::Operation;
use crate::domain::ops::contract::{self, propose};
use crate::domain::ops::{limit, offer, request, transfer};
use crate::domain::values::{
    Address, Addresses, ContractId, Currency, DayCount, Fen, FinancingId, MadeId, OfferId, Rate,
    ReceivableId, RequestId, Size, TransferId,
};

/// The fens `lo` to `hi` of a receivable.
pub(crate) fn fens_of(receivable: ReceivableId, lo: u64, hi: u64) -> Addresses {
    addresses(&[(receivable, lo, hi)])
}

/// Several intervals, in order.
pub(crate) fn addresses(parts: &[(ReceivableId, u64, u64)]) -> Addresses {
    let mut parts: Vec<Address> = parts
        .iter()
        .map(|(receivable, lo, hi)| Address::new(*receivable, *lo, *hi).expect("an interval"))
        .collect();
    parts.sort_unstable();
    Addresses::new(parts).expect("a list of addresses")
}

/// A purchase at 4.35 % on ACT/360 without fees or recourse.
pub(crate) fn terms_of(request: &Request) -> OfferTerms {
    let day = |days: i64| request.accept_by.plus_days(days).to_string();
    OfferTerms {
        kind: OfferKind::Purchase,
        interest: Interest::InAdvance,
        rate: wire("0.0435"),
        day_count: DayCount::Act360,
        fees: Vec::new(),
        advance_rate: Rate::ONE,
        recourse: Recourse::None,
        disburse_by: wire(&day(5)[..10]),
        expires: request.accept_by,
    }
}

/// Other terms of a contract: 1,500,000.00, 30 days, three days of grace at 0.001 a day.
pub(crate) fn amendment(contract: ContractId) -> contract::amend::Amend {
    contract::amend::Amend {
        contract,
        value: Some(wire("1500000.00")),
        ends: None,
        payment_days: 30,
        term_reason: None,
        inspection_days: 3,
        late_rate: Some(wire("0.001")),
        grace_days: 3,
        vouchers: true,
        document: digest("amendment 1"),
    }
}

impl World {
    /// A change that one of the two proposes and the other accepts.
    pub(crate) fn changed<T: Operation>(&mut self, contract: ContractId, body: T) {
        let one = self.get_contract(contract);
        let (supplier, debtor) = (one.supplier, one.debtor);
        let change = Some(self.act(&supplier.to_string(), body));
        let accept = contract::accept::Accept { contract, change };
        self.act(&debtor.to_string(), accept);
    }

    /// A contract by which the supplier owes its component maker.
    pub(crate) fn owes_maker(&mut self, number: &str, value: &str) -> ContractId {
        let terms = propose::Propose {
            number: wire(number),
            value: Some(wire(value)),
            debtor_size: Size::Small,
            ..proposal()
        };
        self.contract_of(MAKER, SUPPLIER, terms)
    }

    /// The body by which the supplier passes fens on to its component maker, who has five days.
    pub(crate) fn passing(&self, addresses: Addresses, basis: Basis) -> transfer::propose::Propose {
        transfer::propose::Propose {
            addresses,
            to: id(MAKER),
            recourse: Recourse::Last,
            basis,
            overdue: false,
            expires: self.time.plus_days(5),
        }
    }

    /// Fens of the supplier passed on to the component maker, who accepted.
    pub(crate) fn passed_on(&mut self, addresses: Addresses) -> TransferId {
        let number = format!("M-{}", self.nonce);
        let face = addresses.total().expect("a face");
        let value = crate::domain::values::Amount::of(face, 2).to_string();
        let basis = Basis::Contract(self.owes_maker(&number, &value));
        let op = self.act(SUPPLIER, self.passing(addresses, basis));
        let transfer = TransferId::of(&op, 0);
        self.act(MAKER, transfer::accept::Accept { transfer });
        transfer
    }

    /// The body of a request to any lender that closes in two days and is accepted within two more.
    pub(crate) fn opening(&self, addresses: Addresses, bidding: Bidding) -> request::open::Open {
        request::open::Open {
            addresses,
            invited: None,
            bidding,
            closes: self.time.plus_days(2),
            accept_by: self.time.plus_days(4),
        }
    }

    /// Such a request of the supplier.
    pub(crate) fn requested(&mut self, addresses: Addresses, bidding: Bidding) -> RequestId {
        let body = self.opening(addresses, bidding);
        RequestId::of(&self.act(SUPPLIER, body), 0)
    }

    /// A lender's limit on the hospital.
    pub(crate) fn limited(&mut self, lender: &str, amount: &str) {
        self.act(lender, self.limiting(amount));
    }

    /// The body of a limit on the hospital.
    pub(crate) fn limiting(&self, amount: &str) -> limit::set::Set {
        limit::set::Set {
            debtor: id(HOSPITAL),
            supplier: None,
            currency: Currency::CNY,
            amount: wire(amount),
            valid_to: wire("2030-12-31"),
        }
    }

    /// A visible offer of a lender.
    pub(crate) fn offered(
        &mut self,
        lender: &str,
        request: RequestId,
        offer: OfferTerms,
    ) -> OfferId {
        let op = self.act(lender, offer::make::Make { request, offer });
        OfferId::of(&op, 0)
    }

    /// An accepted, unfunded financing of the supplier's fens by the lender, at 4.35 % on ACT/360.
    pub(crate) fn financing(&mut self, addresses: Addresses) -> FinancingId {
        self.limited(LENDER, "100000000.00");
        let request = self.requested(addresses, Bidding::Visible);
        let terms = terms_of(self.get_request(request));
        let offer = self.offered(LENDER, request, terms);
        self.accepted(offer)
    }

    /// The supplier accepts an offer.
    pub(crate) fn accepted(&mut self, offer: OfferId) -> FinancingId {
        let op = self.act(SUPPLIER, offer::accept::Accept { offer });
        FinancingId::of(&op, 0)
    }

    /// The transfer.
    pub(crate) fn get_transfer(&self, id: TransferId) -> &Transfer {
        self.state.transfers.get(id).expect("the test made it")
    }

    /// The request.
    pub(crate) fn get_request(&self, id: RequestId) -> &Request {
        self.state.requests.get(id).expect("the test made it")
    }

    /// The offer.
    pub(crate) fn get_offer(&self, id: OfferId) -> &Offer {
        self.state.offers.get(id).expect("the test made it")
    }

    /// The financing.
    pub(crate) fn get_financing(&self, id: FinancingId) -> &Financing {
        self.state.financings.get(id).expect("the test made it")
    }

    /// The lender's limit on the hospital, or on its debts to one supplier.
    pub(crate) fn get_limit(&self, lender: &str, supplier: Option<&str>) -> &Limit {
        let key = LimitKey::For(id(lender), id(HOSPITAL), supplier.map(id), Currency::CNY);
        self.state.limits.by(&key).next().expect("the test set it")
    }

    /// What of the lender's limit on the hospital is free.
    pub(crate) fn available(&self, lender: &str) -> Fen {
        self.get_limit(lender, None)
            .available(self.time, self.today())
    }

    /// The receivable's runs, as they read now.
    pub(crate) fn runs(&self, receivable: ReceivableId) -> Vec<Run> {
        let runs = self.receivable(receivable).runs().expect("it is confirmed");
        runs.at(self.time).iter().cloned().collect()
    }
}

#[test]
fn a_financing_waits_for_its_money() {
    let mut world = World::new();
    let receivable = world.confirmed("1000000.00");
    let financing = world.financing(fens_of(receivable, 0, 60_000_000));
    assert!(world.get_financing(financing).unfunded(world.time).is_ok());
    assert_eq!(world.get_financing(financing).face, fen("600000.00"));
}
