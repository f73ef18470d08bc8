//! Where every history begins: a ledger with its parties, each with a usable account.

use std::sync::OnceLock;

use counterfoil::domain::judge::judge;
use counterfoil::domain::ops::account::{add, attest};
use counterfoil::domain::ops::ledger::create::{Create, KeyGrant};
use counterfoil::domain::ops::party::admit::Admit;
use counterfoil::domain::payload::Payload;
use counterfoil::domain::rulebook::Rulebook;
use counterfoil::domain::state::State;
use counterfoil::domain::values::{
    Currency, Day, Digest, Instant, Nonce, OpId, PartyId, Power, Role, Scope, Size,
};
use sha2::{Digest as _, Sha256};

use super::book::{Book, Numbers};
use super::days::{Calendar, DAY, MINUTE, Time};
use super::machine::Machine;
use super::step::{Body, ORIGIN, Step, key_of};

/// A C2SP verifier key of the key 32 × 0x07 for [`ORIGIN`].
const VKEY: &str =
    "drill.test/0123456789abcdef+e8663b0f+AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
const SHIPPED: &str = include_str!("../../../contracts/rulebooks/cn-2025.toml");
/// Steps of histories count from here; what is below made the world.
pub(super) const FIRST_STEP: u64 = 1_000;

/// Reads a value from the form it has on the wire.
pub(super) fn wire<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

/// Who takes part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast {
    pub(super) operator: PartyId,
    pub(super) tax: PartyId,
    pub(super) auditor: PartyId,
    pub(super) bank: PartyId,
    pub(super) other_bank: PartyId,
    pub(super) hospital: PartyId,
    pub(super) supplier: PartyId,
    pub(super) maker: PartyId,
    /// Its identification lapses in the course of the histories.
    pub(super) trader: PartyId,
    pub(super) lender: PartyId,
    /// And its.
    pub(super) factor: PartyId,
    /// Was never admitted.
    pub(super) nobody: PartyId,
}

impl Cast {
    fn new() -> Cast {
        Cast {
            operator: wire("x:operator"),
            tax: wire("x:tax-bureau"),
            auditor: wire("x:auditor"),
            bank: wire("x:bank"),
            other_bank: wire("x:other-bank"),
            hospital: wire("uscc:91420000737944946L"),
            supplier: wire("uscc:91350100M000100Y43"),
            maker: wire("uscc:914403001922038216"),
            trader: wire("uscc:9144030071526726XG"),
            lender: wire("x:lender"),
            factor: wire("x:factor"),
            nobody: wire("x:nobody"),
        }
    }

    /// Everybody, the one who was never admitted last.
    pub(super) fn all(&self) -> [PartyId; 12] {
        [
            self.operator,
            self.tax,
            self.auditor,
            self.bank,
            self.other_bank,
            self.hospital,
            self.supplier,
            self.maker,
            self.trader,
            self.lender,
            self.factor,
            self.nobody,
        ]
    }

    fn admissions(&self) -> Vec<Body> {
        use Role::{Authority, Bank, Debtor, Lender, Supplier};
        let (late, soon) = ("2030-12-31", "2026-09-10");
        let some = Some(self.tax);
        let admit = |party, roles: &[Role], size, kyc: &str, vouched_by| {
            Body::from(admission(party, roles, &[], size, wire(kyc), vouched_by))
        };
        let authority = |party, scope| {
            Body::from(admission(
                party,
                &[Authority],
                &[scope],
                None,
                wire(late),
                None,
            ))
        };
        let trades = [Supplier, Debtor];
        vec![
            authority(self.tax, Scope::Attest),
            authority(self.auditor, Scope::Audit),
            admit(self.bank, &[Lender, Bank], None, late, some),
            admit(self.other_bank, &[Bank], None, late, some),
            admit(self.hospital, &[Debtor], Some(Size::PublicBody), late, some),
            admit(self.supplier, &trades, Some(Size::Small), late, some),
            admit(self.maker, &trades, Some(Size::Small), late, some),
            admit(self.trader, &trades, Some(Size::Large), soon, some),
            admit(self.lender, &[Lender], None, late, some),
            admit(self.factor, &[Lender], None, soon, some),
        ]
    }

    /// The accounts that are usable from the beginning: whose, at which bank, in what.
    fn accounts(&self) -> Vec<(PartyId, PartyId, Currency)> {
        let mut accounts = vec![
            (self.hospital, self.bank),
            (self.supplier, self.bank),
            (self.maker, self.other_bank),
            (self.trader, self.other_bank),
            (self.lender, self.bank),
            (self.factor, self.other_bank),
            (self.bank, self.bank),
        ];
        accounts.extend([self.supplier, self.maker, self.lender].map(|one| (one, self.other_bank)));
        let cny = accounts
            .iter()
            .map(|(party, bank)| (*party, *bank, Currency::CNY));
        let usd = [self.supplier, self.hospital].map(|one| (one, self.bank, wire("USD")));
        cny.chain(usd).collect()
    }
}

/// An admission with nothing wrong.
pub(super) fn admission(
    party: PartyId,
    roles: &[Role],
    scopes: &[Scope],
    size: Option<Size>,
    kyc_valid_to: Day,
    vouched_by: Option<PartyId>,
) -> Admit {
    Admit {
        party,
        aliases: Vec::new(),
        name: wire(&party.to_string()),
        roles: roles.to_vec(),
        scopes: scopes.to_vec(),
        size,
        key: grant(party),
        evidence: digest(&party.to_string()),
        agreement: digest("platform agreement"),
        kyc_valid_to,
        policy: Vec::new(),
        vouched_by,
    }
}

fn grant(party: PartyId) -> KeyGrant {
    KeyGrant {
        key: key_of(party),
        label: wire("first"),
        person: wire("Zhang San"),
        powers: vec![Power::Admin, Power::Maker],
    }
}

/// A digest of a name.
pub(super) fn digest(name: &str) -> Digest {
    Digest(Sha256::digest(name).into())
}

/// The rulebook that the project ships, and one with other numbers, so that no number is the code's own.
pub(super) fn rulebooks() -> [Rulebook; 2] {
    let shipped = Rulebook::from_toml(SHIPPED).unwrap();
    let mut other = shipped.clone();
    let rules = &mut other.rules;
    rules.sme_late_interest.params.default_daily_rate = wire("0.007");
    rules.sme_term.params.government_days = 20;
    rules.claim_unit.params.fen = 3;
    rules.claim_depth.params.hops_at_most = 2;
    rules.claim_cutoff.params.business_days_before_due = 6;
    rules.account_cooling.params.days = 1;
    rules.leg_days.params.business_days = 1;
    rules.reveal.params.hours = 5;
    rules.voucher_term.params.months_in_principle = 3;
    rules.voucher_term.params.months_at_most = 5;
    [shipped, other]
}

impl Numbers {
    pub(super) fn of(rulebook: &Rulebook) -> Numbers {
        let days = |days: &[Day]| days.iter().map(|day| day.number().into()).collect();
        let rules = &rulebook.rules;
        let lpr = rulebook.lpr_one_year.iter();
        Numbers {
            calendar: Calendar {
                holidays: days(&rulebook.calendar.holidays),
                workdays: days(&rulebook.calendar.workdays),
            },
            decimals: rulebook.currencies.iter().collect(),
            lpr: lpr
                .map(|lpr| (lpr.from.number().into(), lpr.rate.numerator()))
                .collect(),
            term_from: rules.sme_term.valid_from.unwrap().number().into(),
            government_days: rules.sme_term.params.government_days.into(),
            government_days_at_most: rules.sme_term.params.government_days_at_most.into(),
            large_days: rules.sme_term.params.large_days.into(),
            late_rate: rules
                .sme_late_interest
                .params
                .default_daily_rate
                .numerator(),
            voucher_months: rules.voucher_term.params.months_in_principle.into(),
            voucher_months_at_most: rules.voucher_term.params.months_at_most.into(),
            unit: rules.claim_unit.params.fen as usize,
            depth: rules.claim_depth.params.hops_at_most as usize,
            cut_off_days: rules.claim_cutoff.params.business_days_before_due.into(),
            cooling_days: rules.account_cooling.params.days.into(),
            leg_days: rules.leg_days.params.business_days.into(),
            reveal_hours: rules.reveal.params.hours.into(),
        }
    }
}

/// The ledger at the beginning of histories, in the crate and in the model.
pub(super) struct World {
    pub(super) cast: Cast,
    pub(super) state: State,
    pub(super) book: Book,
    /// What was accepted on the way: every one of them.
    pub(super) accepted: Vec<&'static str>,
    /// Entry 0, and the steps from there.
    entry_0: Payload,
    began: Time,
    steps: Vec<Step>,
}

impl World {
    /// The world under a rulebook.
    pub(super) fn under(rulebook: Rulebook) -> World {
        let cast = Cast::new();
        let began = wire::<Instant>("2026-06-01T02:00:00Z").millis();
        let book = Book::new(Numbers::of(&rulebook), cast.operator, began);
        let mut world = World {
            cast,
            state: State::default(),
            book,
            accepted: vec!["ledger.create"],
            entry_0: entry_0(&cast, rulebook),
            began,
            steps: Vec::new(),
        };
        world.state = world.at_entry_0();
        world.steps = world.opening();
        let mut machine = Machine::thorough_at(&world);
        for step in &world.steps {
            let verdict = machine.take(step).unwrap();
            verdict.unwrap_or_else(|rules| panic!("{step:?} refused: {rules:?}"));
        }
        (world.state, world.book) = (machine.state, machine.book);
        world
            .accepted
            .extend(world.steps.iter().map(|step| step.body.name()));
        assert_eq!(world.replayed(), world.state);
        world
    }

    fn at_entry_0(&self) -> State {
        let mut state = State::default();
        let at = Instant::from_millis(self.began);
        let keys = [key_of(self.cast.operator)];
        let effects = judge(&state, &self.entry_0, &keys, OpId([7; 32]), at).unwrap();
        state.apply(effects);
        state
    }

    /// The same state from entry 0 on.
    fn replayed(&self) -> State {
        let mut state = self.at_entry_0();
        for step in &self.steps {
            let effects =
                judge(&state, step.payload(), &step.keys(), step.op(), step.at()).unwrap();
            state.apply(effects);
        }
        state
    }

    fn opening(&self) -> Vec<Step> {
        let cast = &self.cast;
        let mut steps = Vec::new();
        let mut put = |by: PartyId, also: Vec<PartyId>, body: Body| {
            let number = steps.len() as u64;
            let time = self.began + (number as Time + 1) * MINUTE;
            steps.push(Step {
                number,
                time,
                ledger: ORIGIN,
                by,
                signers: [vec![by], also].concat(),
                not_after: time + MINUTE,
                body,
                read: OnceLock::new(),
            });
            number
        };
        for body in cast.admissions() {
            let Body::PartyAdmit(admit) = &body else {
                unreachable!()
            };
            let also = admit.vouched_by.into_iter().chain([admit.party]).collect();
            put(cast.operator, also, body);
        }
        let mut added = Vec::new();
        for (party, bank, currency) in cast.accounts() {
            let body = add::Add {
                bank,
                number: wire(&format!("62{:017}", added.len())),
                currency,
                default: true,
            };
            added.push((put(party, vec![], body.into()), bank));
        }
        for (number, bank) in added {
            let account = counterfoil::domain::values::MadeId::of(&Step::op_of(number), 0);
            put(bank, vec![], attest::Attest { account }.into());
        }
        steps
    }

    /// When histories begin: the accounts have cooled.
    pub(super) fn ready(&self) -> Time {
        self.began + 4 * DAY
    }
}

fn entry_0(cast: &Cast, rulebook: Rulebook) -> Payload {
    let create = Create {
        origin: wire(ORIGIN),
        operator: wire("Operator"),
        keys: vec![grant(cast.operator)],
        vkey: wire(VKEY),
        rulebook,
        utc_offset: wire("+08:00"),
        engine: 1,
    };
    Payload {
        ledger: wire(ORIGIN),
        party: cast.operator,
        nonce: Nonce([0; 16]),
        not_after: wire("2026-06-01T02:00:00Z"),
        act: Box::new(create),
    }
}
