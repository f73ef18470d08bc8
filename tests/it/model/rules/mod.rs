//! Which operations the model accepts. Of one that it refuses it names every rule that it breaks, as the documents
//! do not say which is looked at first; the crate must refuse the same operations, by one of these rules.

mod account;
mod announce;
mod claim;
mod contract;
mod fens;
mod finance;
mod key;
mod leg;
mod offer;
mod receivable;
mod register;
mod trade;
mod transfer;

pub(super) use offer::{commitment, price};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use counterfoil::domain::ops::receivable::withdraw::Withdraw;
use counterfoil::domain::values::{Amount, ContractId, Currency, PartyId, PublicKey, Role, Scope};

use super::book::{Book, Party, Stage};
use super::days::{DAY, Day, Sum, Time};
use super::fen::addresses;
use super::step::{Body, ORIGIN, Step, key_of, vkey_of};

/// The stable name of a rule.
pub(super) type Rule = &'static str;
/// Accepted and done, or refused by these.
pub(super) type Verdict = Result<(), Vec<Rule>>;

/// The rules that an operation breaks.
#[derive(Default)]
struct Faults(Vec<Rule>);

impl Faults {
    fn unless(&mut self, holds: bool, rule: Rule) {
        if !holds && !self.0.contains(&rule) {
            self.0.push(rule);
        }
    }

    fn take(&mut self, verdict: Verdict) {
        self.0.extend(verdict.err().unwrap_or_default());
    }

    fn verdict(self) -> Verdict {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

/// The same answer for an object that is not there and for one that the party may not see.
fn seen<T>(object: Option<T>) -> Result<T, Vec<Rule>> {
    object.ok_or(vec!["unknown_object"])
}

/// Whose signatures are asked beside the actor's.
#[derive(Default)]
struct Asked {
    required: Vec<PartyId>,
    optional: Vec<PartyId>,
    newcomer: Option<PublicKey>,
}

impl Book {
    /// Judges a step and, where it is accepted, does it.
    pub(super) fn attempt(&mut self, step: &Step) -> Verdict {
        self.pass_time(step.time);
        let door = self.door(step);
        self.op = step.op();
        self.obligations_made = 0;
        self.touched.clear();
        let signed = self.parties.iter().filter(|(id, party)| {
            let signs = |name| party.keys.live.contains_key(name);
            **id != step.by && step.signers.iter().any(signs)
        });
        self.signed = signed.map(|(id, _)| *id).collect();
        match door {
            Ok(()) => {
                self.operation(step)?;
                self.entries += 1;
                Ok(())
            }
            Err(faults) => Err(self.with_what_is_at_stake(faults, step)),
        }
    }

    /// Which signatures a policy asks depends on the objects that are named: whoever does not see them may learn that
    /// first.
    fn with_what_is_at_stake(&self, mut faults: Vec<Rule>, step: &Step) -> Vec<Rule> {
        if faults == ["signature.missing"] {
            let tried = self.clone().operation(step).err().unwrap_or_default();
            faults.extend(tried.into_iter().filter(|rule| *rule == "unknown_object"));
        }
        faults
    }

    fn operation(&mut self, step: &Step) -> Verdict {
        let by = step.by;
        match &step.body {
            Body::LedgerUpgrade(body) => self.ledger_upgrade(by, body.engine),
            Body::LedgerRekey(_) => self.ledger_rekey(step),
            Body::RulebookPublish(body) => self.rulebook_publish(by, body),
            Body::PartyAdmit(body) => self.party_admit(by, body),
            Body::PartyAmend(body) => self.party_amend(by, body),
            Body::PartySuspend(body) => self.party_suspend(by, body),
            Body::PartyReinstate(body) => self.party_reinstate(by, body),
            Body::KeyAdd(body) => self.key_add(by, body, step.name_of(body.key.key)),
            Body::KeyRevoke(body) => self.key_revoke(by, body.key),
            Body::KeyRecover(body) => self.key_recover(by, body, step.name_of(body.key.key)),
            Body::KeyVeto(body) => self.key_veto(by, body.operation),
            Body::PolicySet(body) => self.policy_set(by, body),
            Body::AccountAdd(body) => self.account_add(by, body, step.made()),
            Body::AccountAttest(body) => self.account_attest(by, body.account),
            Body::AccountClose(body) => self.account_close(by, body.account),
            Body::ContractPropose(body) => self.contract_propose(by, body, step.made()),
            Body::ContractAccept(body) => {
                self.contract_answer(by, body.contract, body.change, true)
            }
            Body::ContractDecline(body) => {
                self.contract_answer(by, body.contract, body.change, false)
            }
            Body::ContractAmend(body) => self.contract_amend(by, body),
            Body::ContractClose(body) => self.contract_close(by, body.contract),
            Body::DeliveryRecord(body) => self.delivery_record(by, body, step.made()),
            Body::DeliveryAccept(body) => self.delivery_answer(by, body.delivery, true),
            Body::DeliveryReject(body) => self.delivery_answer(by, body.delivery, false),
            Body::InvoiceIssue(body) => self.invoice_issue(by, body, step.made()),
            Body::InvoiceAttest(body) => self.invoice_attest(by, body.invoice),
            Body::InvoiceFlag(body) => self.invoice_flag(by, body),
            Body::InvoiceUnflag(body) => self.invoice_unflag(by, body.invoice),
            Body::InvoiceBook(body) => self.invoice_book(by, body.invoice),
            Body::InvoiceVoid(body) => self.invoice_void(by, body.invoice),
            Body::InvoiceCredit(body) => self.invoice_credit(by, body),
            Body::ReceivableRegister(body) => self.receivable_register(by, body, step.made()),
            Body::ReceivableConfirm(body) => self.receivable_confirm(by, body),
            Body::ReceivableDecline(body) => self.receivable_decline(by, body.receivable),
            Body::ReceivableDispute(body) => self.receivable_dispute(by, body),
            Body::ReceivableResolve(body) => self.receivable_resolve(by, body),
            Body::ReceivableWithdraw(body) => self.receivable_withdraw(by, body.receivable),
            Body::ClaimExtend(body) => self.claim_extend(by, body),
            Body::ClaimWaive(body) => self.claim_waive(by, body),
            Body::TransferPropose(body) => self.transfer_propose(by, body, step.made()),
            Body::TransferAccept(body) => self.transfer_accept(by, body.transfer),
            Body::TransferDecline(body) => self.transfer_decline(by, body.transfer),
            Body::TransferCancel(body) => self.transfer_cancel(by, body.transfer),
            Body::LimitSet(body) => self.limit_set(by, body, step.made()),
            Body::RequestOpen(body) => self.request_open(by, body, step.made()),
            Body::RequestWithdraw(body) => self.request_withdraw(by, body.request),
            Body::OfferMake(body) => self.offer_make(by, body, step.made()),
            Body::OfferCommit(body) => self.offer_commit(by, body, step.made()),
            Body::OfferReveal(body) => self.offer_reveal(by, body),
            Body::OfferWithdraw(body) => self.offer_withdraw(by, body.offer),
            Body::OfferAccept(body) => self.offer_accept(by, body.offer, step.made()),
            Body::FinancingCancel(body) => self.financing_cancel(by, body.financing),
            Body::LegAnnounce(body) => self.leg_announce(by, body, step.made()),
            Body::LegAttest(body) => self.leg_attest(by, body),
            Body::LegContest(body) => self.leg_contest(by, body.leg),
            Body::LegReverse(body) => self.leg_reverse(by, body.leg),
            Body::ObligationWaive(body) => self.obligation_waive(by, body.obligation),
            Body::OperationCancel(body) => self.operation_cancel(by, body.operation),
        }
    }

    /// The ledger, the time, and who signs.
    fn door(&self, step: &Step) -> Verdict {
        let mut faults = Faults::default();
        faults.unless(step.ledger == ORIGIN, "ledger.other");
        faults.unless(self.now <= step.not_after, "operation.expired");
        faults.unless(!step.signers.is_empty(), "signature.none");
        let signs = |party: &Party| {
            step.signers
                .iter()
                .any(|name| party.keys.live.contains_key(name))
        };
        faults.unless(self.parties.get(&step.by).is_some_and(signs), "key.unknown");
        faults.verdict()?;

        let asked = self.asked(step.by, &step.body)?;
        let mut faults = Faults::default();
        let ruled = self.parties[&step.by]
            .keys
            .rule_for(step.body.name())
            .is_some();
        let alone = asked.required.is_empty() && asked.optional.is_empty() && !ruled;
        let days: Time = if alone { 1 } else { 7 };
        faults.unless(
            step.not_after <= self.now + days * DAY,
            "operation.not_after",
        );
        for signer in &step.signers {
            let parties = [step.by]
                .into_iter()
                .chain(asked.required.iter().chain(&asked.optional).copied());
            let mut parties = parties.filter_map(|id| self.parties.get(&id));
            let known = parties.any(|party| party.keys.live.contains_key(signer));
            let newcomer = asked.newcomer == Some(key_of(*signer));
            faults.unless(known || newcomer, "signature.not_asked");
        }
        let proven = asked.newcomer.is_none_or(|key| step.keys().contains(&key));
        faults.unless(proven, "key.possession");
        let enough = self.parties[&step.by].keys.satisfied(step);
        faults.unless(enough, "signature.missing");
        for party in &asked.required {
            faults.unless(self.parties.contains_key(party), "unknown_object");
            let signs = |party: &Party| party.keys.usual(step);
            let signs = self.parties.get(party).is_some_and(signs);
            faults.unless(signs, "signature.missing");
        }
        for party in asked.optional.iter().filter_map(|id| self.parties.get(id)) {
            let signs = step
                .signers
                .iter()
                .any(|name| party.keys.live.contains_key(name));
            faults.unless(!signs || party.keys.usual(step), "signature.missing");
        }
        let asked = asked.required.iter().chain(&asked.optional);
        let mut asked = asked.filter(|id| self.parties.get(id).is_some_and(signs));
        let barred = |party: &PartyId| self.barred.contains(&(step.op(), *party));
        let barred = barred(&step.by) || asked.any(barred);
        faults.unless(!barred, "operation.cancelled");
        faults.verdict()
    }

    fn asked(&self, by: PartyId, body: &Body) -> Result<Asked, Vec<Rule>> {
        let mut asked = Asked::default();
        match body {
            Body::PartyAdmit(body) => {
                asked.required.extend(body.vouched_by);
                asked.newcomer = Some(body.key.key);
            }
            Body::PartyAmend(body) => {
                asked.required.push(body.party);
                asked.required.extend(body.vouched_by);
            }
            Body::PartySuspend(body) => asked.required.extend(body.authority),
            Body::PartyReinstate(body) => asked.required.extend(body.authority),
            Body::RulebookPublish(body) => asked.required.extend(body.authority),
            Body::KeyAdd(body) => asked.newcomer = Some(body.key.key),
            Body::LedgerRekey(body) => {
                let key = ledger_key(body.new_vkey.as_str());
                asked.newcomer = Some(key.ok_or_else(|| vec!["ledger.vkey"])?);
            }
            Body::KeyRecover(body) => {
                asked.required.push(body.vouched_by);
                asked.newcomer = Some(body.key.key);
            }
            Body::InvoiceIssue(body) => {
                let supplier = self.contract(by, body.contract)?.supplier;
                asked
                    .optional
                    .extend((body.type_code == 389).then_some(supplier));
            }
            Body::ContractAmend(body) => asked.optional = self.other_side(by, body.contract)?,
            Body::ContractClose(body) => asked.optional = self.other_side(by, body.contract)?,
            Body::InvoiceVoid(body) => asked.optional = self.may_agree(by, body.invoice)?,
            Body::InvoiceCredit(body) => asked.optional = self.may_agree(by, body.invoice)?,
            Body::ReceivableConfirm(body) => {
                asked
                    .optional
                    .push(self.receivable(by, body.receivable)?.supplier);
            }
            Body::ReceivableResolve(body) => {
                let receivable = self.receivable(by, body.receivable)?;
                let supplier = by == receivable.supplier;
                let other = if supplier {
                    receivable.debtor
                } else {
                    receivable.supplier
                };
                asked.optional.push(other);
            }
            Body::ReceivableWithdraw(Withdraw { receivable }) => {
                let receivable = self.receivable(by, *receivable)?;
                if receivable.stage == Stage::Confirmed {
                    asked.required.push(receivable.debtor);
                }
            }
            Body::ClaimExtend(body) => {
                let first = addresses(&body.addresses)[0];
                seen(self.holds_all(by, &first).then_some(()))?;
                asked
                    .required
                    .push(self.receivables[&first.receivable].debtor);
            }
            Body::LegReverse(body) => {
                let leg = self.leg(by, body.leg)?;
                if by == leg.payer {
                    asked.required.push(leg.payee);
                } else if by == leg.payee {
                    asked.required.push(leg.payer);
                }
            }
            _ => {}
        }
        Ok(asked)
    }

    /// The other of the two, who may agree at once.
    fn other_side(&self, by: PartyId, id: ContractId) -> Result<Vec<PartyId>, Vec<Rule>> {
        let contract = self.contract(by, id)?;
        let supplier = by == contract.supplier;
        Ok(vec![if supplier {
            contract.debtor
        } else {
            contract.supplier
        }])
    }

    pub(super) fn is(&self, party: PartyId, role: Role) -> bool {
        self.parties
            .get(&party)
            .is_some_and(|party| party.roles.contains(&role))
    }

    pub(super) fn has_scope(&self, party: PartyId, scope: Scope) -> bool {
        self.parties
            .get(&party)
            .is_some_and(|party| party.scopes.contains(&scope))
    }

    /// Every admitted party sees the register.
    fn party(&self, id: PartyId) -> Result<&Party, Vec<Rule>> {
        seen(self.parties.get(&id))
    }

    /// A party that exists and may take new obligations.
    fn takes_obligations(&self, id: PartyId) -> Verdict {
        self.goes_on(id, self.now)
    }

    /// The same, where what makes them was begun earlier: before a suspension, it goes on.
    fn goes_on(&self, id: PartyId, begun: Time) -> Verdict {
        let today = self.today();
        let party = self.party(id)?;
        let mut faults = Faults::default();
        let live = party.kyc_valid_to.is_none_or(|last| today <= last);
        faults.unless(live, "party.kyc_lapsed");
        let bars = party
            .suspension
            .is_some_and(|one| one.from <= self.now && self.now < one.ends && one.from <= begun);
        faults.unless(!bars, "party.suspended");
        faults.verdict()
    }

    fn has_role(&self, id: PartyId, role: Role) -> Verdict {
        let has = self.party(id)?.roles.contains(&role);
        if has { Ok(()) } else { Err(vec!["party.role"]) }
    }

    /// An amount in a currency's smallest unit, which may be zero.
    fn read(&self, faults: &mut Faults, amount: &Amount, currency: Currency) -> Sum {
        let decimals = self.numbers().decimals.get(&currency).copied();
        faults.unless(decimals == Some(amount.decimals()), "amount.decimals");
        amount.units()
    }

    /// The same, above zero.
    fn read_positive(&self, faults: &mut Faults, amount: &Amount, currency: Currency) -> Sum {
        faults.unless(amount.units() > 0, "amount.zero");
        self.read(faults, amount, currency)
    }

    /// An end that lies ahead, by at most so many days.
    fn ends_within(&self, end: Time, days: i64) -> bool {
        self.now < end && end <= self.now + days * DAY
    }

    fn known_currency(&self, currency: Currency) -> bool {
        self.numbers().decimals.contains_key(&currency)
    }
}

/// The key of a verifier key that is one of the ledger's.
fn ledger_key(vkey: &str) -> Option<PublicKey> {
    let typed = vkey.splitn(3, '+').nth(2)?;
    let typed = BASE64_STANDARD.decode(typed).ok()?;
    let key = PublicKey(typed.strip_prefix(&[1])?.try_into().ok()?);
    (vkey_of(key) == vkey).then_some(key)
}

/// The day as the model counts it.
fn number(day: counterfoil::domain::values::Day) -> Day {
    day.number().into()
}
