//! `operation.cancel`: a party takes back what it signed: an act that still waits for another, or an envelope that is
//! not on the ledger yet.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{
    Account, AccountState, Barred, BarredId, Contract, ContractKey, ContractState, Financing,
    Invoice, Offer, Receivable, Request, Transfer,
};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{
    AccountId, ContractId, FinancingId, InvoiceId, MadeId, OfferId, OpId, PartyId, ReceivableId,
    RequestId, TransferId,
};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The op id of a contract's proposal, of its change, of an account's addition, or of any operation that the party
    /// has signed and the ledger has not taken in.
    pub operation: OpId,
}

impl Operation for Cancel {
    const NAME: &'static str = "operation.cancel";
    const SUMMARY: &'static str =
        "A party takes back what it signed: an act that waits for another, or one not entered yet";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        // What an operation made is found by its id, which comes from the operation's.
        let op = &self.operation;
        if let Some(contract) = at.find::<Contract>(ContractId::of(op, 0)) {
            self.cancel_proposal(at, contract)
        } else if let Some(contract) = changed_by(at, op) {
            self.cancel_change(at, contract)
        } else if let Some(account) = at.find::<Account>(AccountId::of(op, 0)) {
            self.cancel_account(at, account)
        } else if let Some((by, remedy)) = self.way_of_its_own(at) {
            Err(self.elsewhere(at, by, remedy))
        } else {
            Ok(self.bar(at))
        }
    }
}

/// The contract whose change the operation proposed.
fn changed_by<'s>(at: &Head<'s>, op: &OpId) -> Option<&'s Contract> {
    let changed = at.state.contracts.by(&ContractKey::Change(*op)).next();
    changed.and_then(|contract| at.find::<Contract>(contract.id))
}

impl Cancel {
    fn cancel_proposal(&self, at: &Head<'_>, contract: &Contract) -> Result<Effects, Refusal> {
        self.own_and_waiting(at, contract.proposer, contract.proposed(at.time).is_ok())?;
        let mut draft = at.draft();
        draft.tell(contract.counterparty());
        draft.edit::<Contract>(contract.id).state = ContractState::Cancelled;
        Ok(draft.done())
    }

    fn cancel_change(&self, at: &Head<'_>, contract: &Contract) -> Result<Effects, Refusal> {
        let proposer = contract.change().map_or(contract.proposer, |one| one.by);
        let waits = contract.waiting_change(at.time).is_some();
        self.own_and_waiting(at, proposer, waits)?;
        let mut draft = at.draft();
        draft.tell(contract.other(at.by));
        draft.edit::<Contract>(contract.id).drop_change();
        Ok(draft.done())
    }

    fn cancel_account(&self, at: &Head<'_>, account: &Account) -> Result<Effects, Refusal> {
        self.own_and_waiting(at, account.party, account.waits(at.time))?;
        let mut draft = at.draft();
        draft.tell(account.bank);
        draft.edit::<Account>(account.id).state = AccountState::Closed(at.time);
        Ok(draft.done())
    }

    fn own_and_waiting(&self, at: &Head<'_>, by: PartyId, waits: bool) -> Result<(), Refusal> {
        ensure(by == at.by, || self.not_own())?;
        ensure(waits, || {
            Refusal::new(
                "operation.not_waiting",
                "the operation does not wait for another party any more",
            )
            .input("operation", self.operation)
        })
    }

    fn not_own(&self) -> Refusal {
        Refusal::new(
            "operation.not_own",
            "an operation is taken back by the party that signed it",
        )
        .input("operation", self.operation)
    }

    /// What has an operation of its own to take it back is left to that.
    fn elsewhere(&self, at: &Head<'_>, by: PartyId, remedy: &'static str) -> Refusal {
        if by != at.by {
            return self.not_own();
        }
        Refusal::new(
            "operation.own_way",
            "what this operation made has an operation of its own to take it back",
        )
        .input("operation", self.operation)
        .remedy(remedy)
    }

    /// From here on no envelope of the operation is taken in that the party has signed. Whether others know of the
    /// operation, or the ledger does, makes no difference to the answer.
    fn bar(&self, at: &Head<'_>) -> Effects {
        let mut draft = at.draft();
        draft.put(Barred {
            id: BarredId {
                op: self.operation,
                party: at.by,
            },
        });
        draft.done()
    }

    /// Who made what the operation made, and by which operation it is taken back.
    fn way_of_its_own(&self, at: &Head<'_>) -> Option<(PartyId, &'static str)> {
        let op = &self.operation;
        let transfer = at.find::<Transfer>(TransferId::of(op, 0));
        let request = at.find::<Request>(RequestId::of(op, 0));
        let offer = at.find::<Offer>(OfferId::of(op, 0));
        let receivable = at.find::<Receivable>(ReceivableId::of(op, 0));
        let financing = at.find::<Financing>(FinancingId::of(op, 0));
        let invoice = at.find::<Invoice>(InvoiceId::of(op, 0));
        None.or(transfer.map(|one| (one.from, "transfer.cancel")))
            .or(request.map(|one| (one.requester, "request.withdraw")))
            .or(offer.map(|one| (one.lender, "offer.withdraw")))
            .or(receivable.map(|one| (one.supplier, "receivable.withdraw")))
            .or(financing.map(|one| (one.requester, "financing.cancel")))
            .or(invoice.map(|one| (one.supplier, "invoice.void")))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Bidding;
    use crate::domain::ops::account::attest::Attest;
    use crate::domain::ops::contract::accept::Accept;
    use crate::domain::ops::contract::close::Close;
    use crate::domain::testing::money::account;
    use crate::domain::testing::trade::{amendment, fens_of, terms_of};
    use crate::domain::testing::{
        BANK, HOSPITAL, LENDER, MAKER, STRANGER, SUPPLIER, TAX, World, id, key_of, op_of, proposal,
    };

    /// A proposal of the supplier to the hospital.
    fn proposed() -> (World, OpId) {
        let mut world = World::new();
        let op = world.act(SUPPLIER, proposal());
        (world, op)
    }

    /// A change that the supplier proposes to the hospital.
    fn changing() -> (World, OpId) {
        let mut world = World::new();
        let contract = world.contract();
        let op = world.act(SUPPLIER, amendment(contract));
        (world, op)
    }

    /// An account that the supplier has added.
    fn added() -> (World, OpId) {
        let mut world = World::new();
        let op = world.act(SUPPLIER, account(BANK));
        (world, op)
    }

    type Given = fn() -> (World, OpId);

    #[test]
    fn a_cancelled_proposal_is_not_accepted_and_frees_its_number() {
        let (mut world, operation) = proposed();
        world.act(SUPPLIER, Cancel { operation });
        let contract = ContractId::of(&operation, 0);
        let accept = Accept {
            contract,
            change: None,
        };
        assert_eq!(
            world.refusal(HOSPITAL, accept).rule,
            "contract.not_proposed"
        );
        world.act(SUPPLIER, proposal());
    }

    #[test]
    fn a_cancelled_change_makes_room_for_another() {
        let (mut world, operation) = changing();
        world.act(SUPPLIER, Cancel { operation });
        let contract = world.state.contracts.iter().next().expect("one").id;
        let accept = Accept {
            contract,
            change: Some(operation),
        };
        assert_eq!(world.refusal(HOSPITAL, accept).rule, "contract.no_change");
        world.act(HOSPITAL, Close { contract });
    }

    #[test]
    fn a_cancelled_account_is_not_attested() {
        let (mut world, operation) = added();
        world.act(SUPPLIER, Cancel { operation });
        let account = AccountId::of(&operation, 0);
        assert_eq!(
            world.refusal(BANK, Attest { account }).rule,
            "account.not_added"
        );
    }

    #[rstest]
    #[case::a_proposal(proposed)]
    #[case::a_change(changing)]
    #[case::an_account(added)]
    fn what_has_ended_is_not_cancelled(#[case] given: Given) {
        let (mut world, operation) = given();
        world.later_by_hours(30 * 24);
        assert_eq!(
            world.refusal(SUPPLIER, Cancel { operation }).rule,
            "operation.not_waiting"
        );
    }

    #[test]
    fn what_was_answered_is_not_cancelled() {
        let (mut world, operation) = proposed();
        let contract = ContractId::of(&operation, 0);
        world.act(
            HOSPITAL,
            Accept {
                contract,
                change: None,
            },
        );
        assert_eq!(
            world.refusal(SUPPLIER, Cancel { operation }).rule,
            "operation.not_waiting"
        );
    }

    #[rstest]
    #[case::a_proposal(proposed, HOSPITAL)]
    #[case::a_change(changing, HOSPITAL)]
    #[case::an_account(added, BANK)]
    #[case::to_an_auditor(changing, TAX)]
    fn only_the_party_that_signed_it_takes_it_back(#[case] given: Given, #[case] by: &str) {
        let (mut world, operation) = given();
        assert_eq!(
            world.refusal(by, Cancel { operation }).rule,
            "operation.not_own"
        );
    }

    /// A stranger bars what others did for itself alone, as it does what never was.
    #[rstest]
    #[case::a_proposal(proposed)]
    #[case::a_change(changing)]
    #[case::an_account(added)]
    fn a_stranger_gets_the_answer_of_an_operation_that_never_was(#[case] given: Given) {
        let (mut world, operation) = given();
        for operation in [operation, OpId([0; 32])] {
            let effects = world.effects(STRANGER, Cancel { operation });
            let party = id(STRANGER);
            let bar = Barred {
                id: BarredId {
                    op: operation,
                    party,
                },
            };
            let mut expected = Effects::default();
            expected.audience.insert(party);
            expected.barred.insert(bar.id, Box::new(bar));
            assert_eq!(effects, expected);
        }
    }

    /// A transfer, a request, an offer and a registration of their own each: who made it, and how it is taken back.
    #[test]
    fn what_has_a_way_of_its_own_is_named_in_the_remedy() {
        let mut world = World::new();
        let receivable = world.confirmed("1000.00");
        let basis = crate::domain::objects::Basis::Contract(world.owes_maker("M-1", "100.00"));
        let transfer = world.passing(fens_of(receivable, 0, 100), basis);
        let transfer = world.act(SUPPLIER, transfer);
        let opening = world.opening(fens_of(receivable, 100, 50_000), Bidding::Visible);
        let request = world.act(SUPPLIER, opening);
        world.limited(LENDER, "1000.00");
        let asked = RequestId::of(&request, 0);
        let offer = terms_of(world.get_request(asked));
        let offer = crate::domain::ops::offer::make::Make {
            request: asked,
            offer,
        };
        let offer = world.act(LENDER, offer);
        for (by, operation, remedy) in [
            (SUPPLIER, transfer, "transfer.cancel"),
            (SUPPLIER, request, "request.withdraw"),
            (LENDER, offer, "offer.withdraw"),
        ] {
            let refusal = world.refusal(by, Cancel { operation });
            assert_eq!(refusal.rule, "operation.own_way");
            assert_eq!(refusal.remedy.as_deref(), Some(remedy));
        }
        let mut rule = |by, operation| world.refusal(by, Cancel { operation }).rule;
        assert_eq!(rule(MAKER, transfer), "operation.not_own");
        assert_eq!(rule(SUPPLIER, offer), "operation.not_own");
    }

    #[rstest]
    #[case::by_its_actor(SUPPLIER, &[], Some("operation.cancelled"))]
    #[case::by_who_signs_too(HOSPITAL, &[HOSPITAL], Some("operation.cancelled"))]
    #[case::by_who_does_not_sign(HOSPITAL, &[], None)]
    #[case::by_another(STRANGER, &[HOSPITAL], None)]
    fn a_barred_operation_is_not_taken_in(
        #[case] by: &str,
        #[case] also: &[&str],
        #[case] rule: Option<&'static str>,
    ) {
        let mut world = World::new();
        let contract = world.contract();
        let payload = world.payload(SUPPLIER, world.time.plus_days(31), Close { contract });
        let operation = op_of(&payload);
        world.act(by, Cancel { operation });
        world.later_by_hours(30 * 24);
        let signers = [&[SUPPLIER], also].concat();
        let keys = signers.iter().map(|name| key_of(id(name))).collect();
        let judged = world.judge_payload(&payload, keys);
        assert_eq!(judged.err().map(|refusal| refusal.rule), rule);
    }
}
