//! A small world for the tables beside the operations: a ledger with its parties, moved by operations alone.

pub(crate) mod keys;
pub(crate) mod money;
pub(crate) mod trade;

use sha2::{Digest as _, Sha256};

use super::head::Head;
use super::invariants;
use super::judge::judge;
use super::objects::{Contract, ContractTerms, Invoice, PartyKey, Receivable};
use super::operation::Operation;
use super::ops::contract::{accept, propose};
use super::ops::delivery::record::Record;
use super::ops::invoice::issue::Issue;
use super::ops::ledger::create::{Create, KeyGrant};
use super::ops::party::admit::Admit;
use super::ops::receivable::Item;
use super::ops::receivable::confirm::{Confirm, DefenceTerms, Notice};
use super::ops::receivable::register::Register;
use super::payload::Payload;
use super::refusal::Refusal;
use super::rulebook::Rulebook;
use super::state::{Effects, State};
use super::values::{
    Amount, ContractId, Day, DeliveryId, Digest, Fen, Instant, InvoiceId, MadeId, Nonce, OpId,
    PartyId, Power, PublicKey, ReceivableId, Role, Scope, Size,
};

/// Reads a value from the form it has on the wire.
pub(crate) fn wire<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).expect("the test writes the value in its wire form")
}

/// How the tests name a party.
pub(crate) fn name_of(party: PartyId) -> &'static str {
    let all = [
        OPERATOR, TAX, BANK, OTHER_BANK, HOSPITAL, SUPPLIER, MAKER, STRANGER, LENDER, FACTOR,
    ];
    let found = all.into_iter().find(|name| id(name) == party);
    found.expect("a party of the tests")
}

/// A party id.
pub(crate) fn id(text: &str) -> PartyId {
    wire(text)
}

pub(crate) const OPERATOR: &str = "x:operator";
pub(crate) const TAX: &str = "x:tax-bureau";
pub(crate) const BANK: &str = "x:bank";
pub(crate) const OTHER_BANK: &str = "x:other-bank";
pub(crate) const HOSPITAL: &str = "uscc:91420000737944946L";
pub(crate) const SUPPLIER: &str = "uscc:91350100M000100Y43";
pub(crate) const MAKER: &str = "uscc:914403001922038216";
pub(crate) const STRANGER: &str = "uscc:9144030071526726XG";
pub(crate) const LENDER: &str = "x:lender";
pub(crate) const FACTOR: &str = "x:factor";

/// The ledger's time at the beginning of every test: Monday, 2026-06-01, 10:00 in China.
pub(crate) const START: &str = "2026-06-01T02:00:00Z";
const ORIGIN: &str = "drill.test/0123456789abcdef";

/// An amount with two decimals, in fen.
pub(crate) fn fen(text: &str) -> Fen {
    let amount: Amount = wire(text);
    assert_eq!(amount.decimals(), 2, "the test writes two decimals");
    Fen::new(amount.units()).expect("an amount is never negative")
}

/// So much of one invoice.
pub(crate) fn item(invoice: InvoiceId, amount: &str) -> Item {
    Item {
        invoice,
        amount: wire(amount),
    }
}

/// The one key of a party.
pub(crate) fn key_of(party: PartyId) -> PublicKey {
    PublicKey(Sha256::digest(party.to_string()).into())
}

/// A digest of a name.
pub(crate) fn digest(name: &str) -> Digest {
    Digest(Sha256::digest(name).into())
}

/// The id of the operation that a payload is.
pub(crate) fn op_of(payload: &Payload) -> OpId {
    OpId(Sha256::digest(payload.encode()).into())
}

/// A ledger that tests move.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) time: Instant,
    /// Whether a key that an operation brings in signs it, as it must.
    pub(crate) new_keys_sign: bool,
    nonce: u128,
}

impl World {
    /// A ledger with its operator and nobody else, under the rulebook that the project ships.
    pub(crate) fn empty() -> World {
        World::under(shipped_rulebook())
    }

    /// The same under another rulebook.
    pub(crate) fn under(rulebook: Rulebook) -> World {
        let mut world = World::nothing();
        world.act(OPERATOR, create(rulebook));
        world
    }

    /// Before entry 0.
    pub(crate) fn nothing() -> World {
        World {
            state: State::default(),
            time: wire(START),
            new_keys_sign: true,
            nonce: 0,
        }
    }

    /// A ledger with a hospital, its supplier, the supplier's component maker, lenders, banks and a tax bureau.
    pub(crate) fn new() -> World {
        World::empty().with_parties()
    }

    pub(crate) fn with_parties(mut self) -> World {
        self.admit(
            TAX,
            &[Role::Authority],
            &[Scope::Attest, Scope::Audit],
            None,
            None,
        );
        self.admit(BANK, &[Role::Lender, Role::Bank], &[], None, Some(TAX));
        self.admit(OTHER_BANK, &[Role::Bank], &[], None, Some(TAX));
        self.admit(
            HOSPITAL,
            &[Role::Debtor],
            &[],
            Some(Size::PublicBody),
            Some(TAX),
        );
        self.admit(
            SUPPLIER,
            &[Role::Supplier, Role::Debtor],
            &[],
            Some(Size::Small),
            Some(TAX),
        );
        self.admit(MAKER, &[Role::Supplier], &[], Some(Size::Small), None);
        self.admit(
            STRANGER,
            &[Role::Supplier, Role::Debtor],
            &[],
            Some(Size::Large),
            Some(TAX),
        );
        self.admit(LENDER, &[Role::Lender], &[], None, Some(TAX));
        self.admit(FACTOR, &[Role::Lender], &[], None, Some(TAX));
        self
    }

    fn admit(
        &mut self,
        party: &str,
        roles: &[Role],
        scopes: &[Scope],
        size: Option<Size>,
        vouched_by: Option<&str>,
    ) {
        let body = admission(party, roles, scopes, size, vouched_by);
        let also: Vec<PartyId> = vouched_by.map(id).into_iter().collect();
        self.act_with(OPERATOR, &also, body);
    }

    /// An accepted operation of a party, alone.
    pub(crate) fn act<T: Operation>(&mut self, by: &str, body: T) -> OpId {
        self.act_with(by, &[], body)
    }

    /// An accepted operation that others sign too.
    pub(crate) fn act_with<T: Operation>(&mut self, by: &str, also: &[PartyId], body: T) -> OpId {
        let (op, judged) = self.judge(by, also, body);
        let effects = judged.unwrap_or_else(|refusal| panic!("{} refused: {refusal:?}", T::NAME));
        self.state.apply(effects);
        assert_eq!(
            invariants::of_state(&self.state),
            Vec::<String>::new(),
            "after {}",
            T::NAME
        );
        op
    }

    /// The refusal of an operation that must not be accepted.
    pub(crate) fn refusal<T: Operation>(&mut self, by: &str, body: T) -> Refusal {
        self.refusal_with(by, &[], body)
    }

    /// The same, with the signatures of others.
    pub(crate) fn refusal_with<T: Operation>(
        &mut self,
        by: &str,
        also: &[PartyId],
        body: T,
    ) -> Refusal {
        let before = self.state.clone();
        let (_, judged) = self.judge(by, also, body);
        assert_eq!(self.state, before, "a refusal leaves the state as it was");
        judged.expect_err(T::NAME)
    }

    /// The rule that an operation would be refused by now, if it would.
    pub(crate) fn rule_against<T: Operation>(&self, by: &str, body: T) -> Option<&'static str> {
        let judged = self.clone().judge(by, &[], body).1;
        judged.err().map(|refusal| refusal.rule)
    }

    /// What an accepted operation would do.
    pub(crate) fn effects<T: Operation>(&mut self, by: &str, body: T) -> Effects {
        self.judge(by, &[], body)
            .1
            .unwrap_or_else(|refusal| panic!("{} refused: {refusal:?}", T::NAME))
    }

    fn judge<T: Operation>(
        &mut self,
        by: &str,
        also: &[PartyId],
        body: T,
    ) -> (OpId, Result<Effects, Refusal>) {
        let also = also.iter().map(|party| key_of(*party));
        let keys = [key_of(id(by))].into_iter().chain(also).collect();
        self.judge_by_keys(by, keys, body)
    }

    fn judge_by_keys<T: Operation>(
        &mut self,
        by: &str,
        keys: Vec<PublicKey>,
        body: T,
    ) -> (OpId, Result<Effects, Refusal>) {
        let payload = self.payload(by, self.time.plus_hours(1), body);
        let op = op_of(&payload);
        (op, self.judge_payload(&payload, keys))
    }

    /// What a party signs: as yet nobody but it knows of it.
    pub(crate) fn payload<T: Operation>(
        &mut self,
        by: &str,
        not_after: Instant,
        body: T,
    ) -> Payload {
        self.nonce += 1;
        Payload {
            ledger: wire(ORIGIN),
            party: id(by),
            nonce: Nonce(self.nonce.to_be_bytes()),
            not_after,
            act: Box::new(body),
        }
    }

    /// What the ledger says to a payload that these keys have signed, and those that it brings in.
    pub(crate) fn judge_payload(
        &self,
        payload: &Payload,
        mut keys: Vec<PublicKey>,
    ) -> Result<Effects, Refusal> {
        let op = op_of(payload);
        let head = Head {
            state: &self.state,
            time: self.time,
            origin: &payload.ledger,
            by: payload.party,
            op,
            signed: Vec::new(),
        };
        let brought = payload
            .act
            .consents(&head)
            .map(|consents| consents.new_keys)
            .unwrap_or_default();
        keys.extend(brought.into_iter().filter(|_| self.new_keys_sign));
        keys.sort_unstable();
        keys.dedup();
        judge(&self.state, payload, &keys, op, self.time)
    }

    /// Moves time to noon in China of a day ahead.
    pub(crate) fn on(&mut self, day: &str) -> &mut World {
        let at: Instant = wire(&format!("{day}T04:00:00Z"));
        assert!(at >= self.time, "time moves forward");
        self.time = at;
        self
    }

    /// Moves time ahead.
    pub(crate) fn later_by_hours(&mut self, hours: i64) -> &mut World {
        self.time = self.time.plus_hours(hours);
        self
    }

    /// A contract of 1,000,000.00 between the supplier and the hospital, accepted.
    pub(crate) fn contract(&mut self) -> ContractId {
        self.contract_of(SUPPLIER, HOSPITAL, proposal())
    }

    /// A contract that `supplier` proposes and `debtor` accepts.
    pub(crate) fn contract_of(
        &mut self,
        supplier: &str,
        debtor: &str,
        body: propose::Propose,
    ) -> ContractId {
        let op = self.act(
            supplier,
            propose::Propose {
                supplier: id(supplier),
                debtor: id(debtor),
                ..body
            },
        );
        let contract = ContractId::of(&op, 0);
        self.act(
            debtor,
            accept::Accept {
                contract,
                change: None,
            },
        );
        contract
    }

    /// A delivery under the contract, today.
    pub(crate) fn delivery(&mut self, contract: ContractId, amount: &str) -> DeliveryId {
        let supplier = self.get_contract(contract).supplier;
        let body = Record {
            contract,
            number: wire("DN-1"),
            delivered: self.today(),
            amount: wire(amount),
        };
        DeliveryId::of(&self.act(&supplier.to_string(), body), 0)
    }

    /// An invoice of today that bills a delivery of today.
    pub(crate) fn invoice(
        &mut self,
        contract: ContractId,
        number: &str,
        net: &str,
        tax: &str,
    ) -> InvoiceId {
        let supplier = self.get_contract(contract).supplier;
        let body = self.billing(contract, number, net, tax);
        InvoiceId::of(&self.act(&supplier.to_string(), body), 0)
    }

    /// The body of such an invoice, its delivery recorded.
    pub(crate) fn billing(
        &mut self,
        contract: ContractId,
        number: &str,
        net: &str,
        tax: &str,
    ) -> Issue {
        let gross = fen(net).checked_add(fen(tax)).expect("amounts of a test");
        let gross = Amount::of(gross, 2);
        let delivery = self.delivery(contract, &gross.to_string());
        Issue {
            contract,
            number: wire(number),
            type_code: 380,
            issued: self.today(),
            currency: self.terms(contract).currency,
            net: wire(net),
            tax: wire(tax),
            gross,
            prepaid: None,
            rounding: None,
            deliveries: vec![delivery],
            preceding: None,
            document: digest(number),
        }
    }

    /// A receivable of the contract with these shares, registered.
    pub(crate) fn registered(
        &mut self,
        contract: ContractId,
        shares: &[(InvoiceId, &str)],
    ) -> ReceivableId {
        let supplier = self.get_contract(contract).supplier;
        let shares = shares
            .iter()
            .map(|(invoice, amount)| item(*invoice, amount));
        let shares = shares.collect();
        let op = self.act(&supplier.to_string(), Register { contract, shares });
        ReceivableId::of(&op, 0)
    }

    /// The debtor's confirmation of all that waits, due on the payment day: 7 + 60 days after a delivery of today.
    pub(crate) fn confirmation(&self, receivable: ReceivableId) -> Confirm {
        let shares = self.receivable(receivable).shares.iter();
        let shares = shares.filter(|share| share.confirmable() > Fen::ZERO);
        let item = |share: &super::objects::Share| Item {
            invoice: share.invoice,
            amount: Amount::of(share.confirmable(), 2),
        };
        Confirm {
            receivable,
            shares: shares.map(item).collect(),
            due: self.today().plus_days(67),
            term_reason: None,
            defences: DefenceTerms::default(),
            notice: Notice::Ledger,
        }
    }

    /// A confirmed receivable of the supplier against the hospital, under a contract and invoice of its own. From
    /// the start of the tests it is due on Friday, 2026-08-07.
    pub(crate) fn confirmed(&mut self, face: &str) -> ReceivableId {
        self.confirmed_of(SUPPLIER, HOSPITAL, face)
    }

    /// The same of another supplier against another debtor.
    pub(crate) fn confirmed_of(
        &mut self,
        supplier: &str,
        debtor: &str,
        face: &str,
    ) -> ReceivableId {
        let number = format!("N-{}", self.nonce);
        let terms = propose::Propose {
            number: wire(&number),
            value: Some(wire(face)),
            ..proposal()
        };
        let contract = self.contract_of(supplier, debtor, terms);
        let invoice = self.invoice(contract, &number, face, "0.00");
        let receivable = self.registered(contract, &[(invoice, face)]);
        self.act(debtor, self.confirmation(receivable));
        receivable
    }

    /// The legal day it is.
    pub(crate) fn today(&self) -> Day {
        let ledger = self.state.ledger.as_ref().expect("entry 0 is there");
        ledger.utc_offset.day_of(self.time)
    }

    /// The receivable.
    pub(crate) fn receivable(&self, id: ReceivableId) -> &Receivable {
        self.state.receivables.get(id).expect("the test made it")
    }

    /// The invoice.
    pub(crate) fn get_invoice(&self, id: InvoiceId) -> &Invoice {
        self.state.invoices.get(id).expect("the test made it")
    }

    /// The contract's terms.
    pub(crate) fn terms(&self, contract: ContractId) -> &ContractTerms {
        &self.get_contract(contract).terms
    }

    /// The contract.
    pub(crate) fn get_contract(&self, contract: ContractId) -> &Contract {
        self.state
            .contracts
            .get(contract)
            .expect("the test made it")
    }

    /// The party's keys.
    pub(crate) fn keys(&self, party: &str) -> &[PartyKey] {
        &self
            .state
            .parties
            .get(id(party))
            .expect("the test admitted it")
            .keys
    }
}

/// The rulebook that the project ships.
pub(crate) fn shipped_rulebook() -> Rulebook {
    toml::from_str(include_str!("../../contracts/rulebooks/cn-2025.toml"))
        .expect("the shipped rulebook reads")
}

/// A proposal of the supplier to the hospital: 1,000,000.00, 60 days with a reason.
pub(crate) fn proposal() -> propose::Propose {
    propose::Propose {
        supplier: id(SUPPLIER),
        debtor: id(HOSPITAL),
        number: wire("HT-2026-001"),
        currency: wire("CNY"),
        value: Some(wire("1000000.00")),
        concluded: wire("2026-05-20"),
        ends: None,
        payment_days: 60,
        term_reason: Some(wire("payment follows the acceptance test of the equipment")),
        inspection_days: 7,
        supplier_size: Size::Small,
        debtor_size: Size::PublicBody,
        late_rate: None,
        grace_days: 0,
        vouchers: true,
        document: digest("contract HT-2026-001"),
    }
}

/// The operator's ledger.create under a rulebook.
pub(crate) fn create(rulebook: Rulebook) -> Create {
    Create {
        origin: wire(ORIGIN),
        operator: wire("Operator"),
        keys: vec![grant(OPERATOR)],
        vkey: wire(VKEY),
        rulebook,
        utc_offset: wire("+08:00"),
        engine: 1,
    }
}

/// A C2SP verifier key of the key 32 × 0x07 for the test's origin.
pub(crate) const VKEY: &str =
    "drill.test/0123456789abcdef+e8663b0f+AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

/// A party's admin key.
pub(crate) fn grant(party: &str) -> KeyGrant {
    KeyGrant {
        key: key_of(id(party)),
        label: wire("first"),
        person: wire("Zhang San"),
        powers: vec![Power::Admin, Power::Maker],
    }
}

/// An admission with nothing wrong.
pub(crate) fn admission(
    party: &str,
    roles: &[Role],
    scopes: &[Scope],
    size: Option<Size>,
    vouched_by: Option<&str>,
) -> Admit {
    Admit {
        party: id(party),
        aliases: Vec::new(),
        name: wire(party),
        roles: roles
            .iter()
            .copied()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect(),
        scopes: scopes.to_vec(),
        size,
        key: grant(party),
        evidence: digest(party),
        agreement: digest("platform agreement"),
        kyc_valid_to: Day::from_ymd(2030, 12, 31).expect("a day"),
        policy: Vec::new(),
        vouched_by: vouched_by.map(id),
    }
}
