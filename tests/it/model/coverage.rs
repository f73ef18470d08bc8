//! What the histories met: a generator that stops reaching something is noticed.

use std::collections::BTreeMap;
use std::fmt;

use counterfoil::domain::registry::REGISTRY;

use super::book::{Book, ContractState, FinancingState, LegState, RequestState, TransferState};
use super::fen::FenState;
use super::machine::Answer;
use super::step::Step;
use super::world::World;

/// At least so many different rules refuse something.
const RULES: usize = 125;

/// How often each operation was accepted and refused, each rule refused, and each state was met at the end.
#[derive(Default)]
pub(super) struct Coverage {
    histories: u64,
    operations: BTreeMap<&'static str, (u64, u64)>,
    rules: BTreeMap<&'static str, u64>,
    states: BTreeMap<String, u64>,
}

impl Coverage {
    /// What the making of the worlds met.
    pub(super) fn of(worlds: &[World]) -> Coverage {
        let mut coverage = Coverage::default();
        for name in worlds.iter().flat_map(|world| &world.accepted) {
            coverage.operations.entry(name).or_default().0 += 1;
        }
        coverage
    }

    pub(super) fn step(&mut self, step: &Step, answer: Answer) {
        let (accepted, refused) = self.operations.entry(step.body.name()).or_default();
        match answer {
            Ok(()) => *accepted += 1,
            Err(rule) => {
                *refused += 1;
                *self.rules.entry(rule).or_default() += 1;
            }
        }
    }

    /// The states in which a history left things.
    pub(super) fn end(&mut self, book: &Book) {
        self.histories += 1;
        let mut states = Vec::new();
        states.extend(book.contracts.values().map(|one| match one.state {
            ContractState::Lapsed => "contract lapsed",
            ContractState::Cancelled => "contract cancelled",
            ContractState::Closed => "contract closed",
            _ if one.change.as_ref().is_some_and(|change| !change.waits) => "change lapsed",
            _ => "contract otherwise",
        }));
        for receivable in book.receivables.values() {
            let shares = &receivable.shares;
            let any = |holds: bool, state| holds.then_some(state);
            states.extend(any(shares.iter().any(|one| one.diluted > 0), "dilution"));
            let kept = shares
                .iter()
                .any(|one| one.disputed > 0 && one.confirmed > 0);
            states.extend(any(kept, "dispute behind a confirmation"));
            let fens = &receivable.fens;
            let ended =
                |state: fn(&FenState) -> bool| fens.iter().filter(|fen| state(&fen.state)).count();
            let settled = ended(|state| matches!(state, FenState::Settled(_)));
            states.extend(any(
                settled > 0 && settled < fens.len(),
                "receivable settled in part",
            ));
            states.extend(any(
                settled > 0 && settled == fens.len(),
                "receivable settled",
            ));
            states.extend(any(
                ended(|state| *state == FenState::Cancelled) > 0,
                "fens cancelled",
            ));
            states.extend(any(
                ended(|state| *state == FenState::Waived) > 0,
                "fens waived",
            ));
            let later = fens.iter().any(|fen| fen.due > receivable.due);
            states.extend(any(later, "fens put off"));
            let hops = fens.iter().map(|fen| fen.hops.len()).max().unwrap_or(0);
            states.extend(["one hop", "two hops", "three hops"].get(hops.wrapping_sub(1)));
        }
        states.extend(book.transfers.values().map(|one| match one.state {
            TransferState::Proposed => "transfer proposed",
            TransferState::Expired => "transfer expired",
            TransferState::Accepted => "transfer accepted",
            TransferState::Declined => "transfer declined",
            TransferState::Cancelled => "transfer cancelled",
            TransferState::Changed => "transfer changed",
        }));
        states.extend(
            book.requests
                .values()
                .map(|one| match (one.state, one.sealed) {
                    (RequestState::Open, _) => "request open",
                    (RequestState::Expired, _) => "request expired",
                    (RequestState::Accepted(_), true) => "sealed request accepted",
                    (RequestState::Accepted(_), false) => "visible request accepted",
                    (RequestState::Withdrawn, _) => "request withdrawn",
                    (RequestState::Changed, _) => "request changed",
                }),
        );
        states.extend(book.financings.values().map(|one| match one.state {
            FinancingState::Waits(_) => "financing waiting",
            FinancingState::Expired => "financing expired",
            FinancingState::Funded { .. } => "financing funded",
            FinancingState::Cancelled => "financing cancelled",
            FinancingState::Changed => "financing changed",
            FinancingState::Reversed => "financing reversed",
        }));
        for leg in book.legs.values() {
            states.push(match (leg.state, leg.purpose) {
                (LegState::Announced, _) => "leg announced",
                (LegState::Lapsed, _) => "leg lapsed",
                (LegState::Attested, _) => "leg attested",
                (LegState::Reversed, _) => "leg reversed",
            });
            states.extend(leg.late.then_some("leg attested late"));
            states.extend((leg.late && leg.funded.is_some()).then_some("financing funded late"));
            let over = leg.state == LegState::Attested && !leg.discharged.is_empty();
            states.extend(over.then_some("obligation discharged"));
        }
        for state in states {
            *self.states.entry(state.to_owned()).or_default() += 1;
        }
        for obligation in book.obligations.values() {
            let state = format!("obligation {:?}", obligation.kind);
            let ended = obligation.ended.then(|| format!("{state}, ended"));
            for state in [Some(state), ended].into_iter().flatten() {
                *self.states.entry(state).or_default() += 1;
            }
        }
    }

    pub(super) fn add(&mut self, other: Coverage) {
        self.histories += other.histories;
        for (name, (accepted, refused)) in other.operations {
            let known = self.operations.entry(name).or_default();
            *known = (known.0 + accepted, known.1 + refused);
        }
        for (rule, count) in other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        for (state, count) in other.states {
            *self.states.entry(state).or_default() += count;
        }
    }

    /// Every operation was accepted, every state met, and most rules refused something.
    pub(super) fn assert_enough(&self) {
        for operation in REGISTRY {
            let (accepted, _) = self
                .operations
                .get(operation.name)
                .copied()
                .unwrap_or_default();
            assert!(accepted > 0, "no history had {} accepted", operation.name);
        }
        for state in STATES {
            assert!(
                self.states.contains_key(*state),
                "no history led to: {state}"
            );
        }
        let met = self.rules.len();
        assert!(met >= RULES, "only {met} rules refused something");
    }
}

/// What histories must lead to.
const STATES: &[&str] = &[
    "contract cancelled",
    "contract closed",
    "dilution",
    "dispute behind a confirmation",
    "receivable settled in part",
    "receivable settled",
    "fens cancelled",
    "fens waived",
    "fens put off",
    "two hops",
    "transfer changed",
    "transfer expired",
    "sealed request accepted",
    "visible request accepted",
    "request changed",
    "request expired",
    "financing changed",
    "financing expired",
    "financing funded",
    "financing funded late",
    "financing reversed",
    "leg attested late",
    "leg lapsed",
    "leg reversed",
    "obligation discharged",
    "obligation LateInterest",
    "obligation Rebate",
    "obligation Fee",
    "obligation Refund",
    "obligation Reversal",
];

impl fmt::Display for Coverage {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: u64 = self.operations.values().map(|(yes, no)| yes + no).sum();
        writeln!(to, "{} histories, {steps} steps", self.histories)?;
        writeln!(
            to,
            "\n{:<24}{:>10}{:>10}",
            "operation", "accepted", "refused"
        )?;
        for (name, (accepted, refused)) in &self.operations {
            writeln!(to, "{name:<24}{accepted:>10}{refused:>10}")?;
        }
        writeln!(to, "\n{:<30}{:>10}", "rule", "refused")?;
        for (rule, count) in &self.rules {
            writeln!(to, "{rule:<30}{count:>10}")?;
        }
        writeln!(to, "\n{:<34}{:>10}", "state at the end", "met")?;
        for (state, count) in &self.states {
            writeln!(to, "{state:<34}{count:>10}")?;
        }
        Ok(())
    }
}
