//! What was checked, in order, and how it came out.

use std::fmt::Display;

/// Every step of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    steps: Vec<Step>,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its stable code, such as `checkpoint.quorum`.
    pub code: &'static str,
    /// What must hold, in words.
    pub rule: &'static str,
    /// How it came out.
    pub outcome: Outcome,
}

/// How a step came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; what was found, in words.
    Good(String),
    /// It does not; why.
    Failed(String),
    /// An earlier step failed.
    NotReached,
}

impl Report {
    /// The steps in the order in which they are checked.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step that failed, and why; none where all is good.
    pub fn failed(&self) -> Option<(&Step, &str)> {
        self.steps.iter().find_map(|step| match &step.outcome {
            Outcome::Failed(why) => Some((step, why.as_str())),
            _ => None,
        })
    }
}

/// A step before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) code: &'static str,
    pub(super) rule: &'static str,
}

/// A step failed, and has been written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed;

/// A report in the making.
pub(super) struct Steps {
    plan: &'static [Planned],
    taken: Vec<Step>,
}

impl Steps {
    pub(super) fn of(plan: &'static [Planned]) -> Steps {
        let taken = Vec::with_capacity(plan.len());
        Steps { plan, taken }
    }

    /// Writes down how a step came out; `said` puts into words what was found.
    pub(super) fn take<T, E: Display>(
        &mut self,
        planned: Planned,
        result: Result<T, E>,
        said: impl FnOnce(&T) -> String,
    ) -> Result<T, Failed> {
        let outcome = match &result {
            Ok(found) => Outcome::Good(said(found)),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        self.put(planned, outcome);
        result.map_err(|_| Failed)
    }

    /// The report where this step fails.
    pub(super) fn refused(mut self, planned: Planned, why: &str) -> Report {
        self.put(planned, Outcome::Failed(why.to_owned()));
        self.finish()
    }

    /// The report: of a failure, with what was not reached.
    pub(super) fn finish(mut self) -> Report {
        let is_taken = |planned: &Planned| self.taken.iter().any(|step| step.code == planned.code);
        let failed = self.taken.last().map(|step| &step.outcome);
        if matches!(failed, Some(Outcome::Failed(_))) {
            let rest = self.plan.iter().filter(|planned| !is_taken(planned));
            for planned in rest.copied().collect::<Vec<_>>() {
                self.put(planned, Outcome::NotReached);
            }
        }
        Report { steps: self.taken }
    }

    fn put(&mut self, Planned { code, rule }: Planned, outcome: Outcome) {
        debug_assert!(self.plan.iter().any(|planned| planned.code == code));
        self.taken.push(Step {
            code,
            rule,
            outcome,
        });
    }
}

/// A number of things: `1 hash`, `2 hashes`.
pub(super) fn count(number: impl Into<u64>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{number} {}", if number == 1 { one } else { many })
}
