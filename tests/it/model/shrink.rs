//! The shortest history that still shows where crate and model part: steps are left out for as long as they do.

use std::fmt::Write as _;

use super::machine::Machine;
use super::step::Step;
use super::world::World;

/// The index of the first step at which they part, and how.
fn parts(world: &World, steps: &[&Step]) -> Option<(usize, String)> {
    let mut machine = Machine::thorough_at(world);
    let taken = steps.iter().enumerate();
    taken
        .into_iter()
        .find_map(|(at, step)| Some((at, machine.take(step).err()?)))
}

/// The steps without those that nothing depends on.
pub(super) fn shortest(world: &World, steps: Vec<Step>) -> Vec<Step> {
    // What panics on the way need not be printed each time.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut kept: Vec<usize> = (0..steps.len()).collect();
    let mut chunk = kept.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < kept.len() {
            let fewer = [&kept[..at], &kept[(at + chunk).min(kept.len())..]].concat();
            let left: Vec<&Step> = fewer.iter().map(|at| &steps[*at]).collect();
            match parts(world, &left) {
                Some((last, _)) => kept = fewer[..=last].to_vec(),
                None => at += chunk,
            }
        }
        chunk /= 2;
    }
    std::panic::set_hook(hook);
    let all = steps.into_iter().enumerate();
    all.filter(|(at, _)| kept.contains(at))
        .map(|(_, step)| step)
        .collect()
}

/// The history as it can be read, and where it parts.
pub(super) fn told(world: &World, steps: &[Step]) -> String {
    let mut text = format!("the shortest of it, {} steps:\n", steps.len());
    let mut machine = Machine::thorough_at(world);
    for step in steps {
        let answer = machine.take(step);
        let signers: Vec<String> = step.signers.iter().map(ToString::to_string).collect();
        let (at, signers) = (step.at(), signers.join(" "));
        writeln!(
            text,
            "{at} signed by {signers}: {}\n    {answer:?}",
            step.bytes()
        )
        .unwrap();
    }
    text
}
