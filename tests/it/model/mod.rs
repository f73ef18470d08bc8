//! Random valid and invalid histories, judged by the crate and by a model with a record per fen that shares no code
//! with the state machine.
//!
//! `COUNTERFOIL_HISTORIES` says how many (2,000 where it says nothing), `COUNTERFOIL_SEED` where the seeds begin.

mod book;
mod compare;
mod coverage;
mod days;
mod fen;
mod history;
mod machine;
mod passing;
mod rules;
mod shrink;
mod step;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use coverage::Coverage;
use history::{Rng, next_moment, next_step};
use machine::{Machine, replay};
use step::Step;
use world::{FIRST_STEP, World};

/// So many histories, where the environment says nothing else.
const HISTORIES: u64 = 2_000;
/// From so many on, every operation and rule must have been met.
const ENOUGH: u64 = 2_000;

#[test]
fn random_histories_go_as_the_model_says() {
    let worlds = world::rulebooks().map(World::under);
    let count = number("COUNTERFOIL_HISTORIES", HISTORIES);
    let first = number("COUNTERFOIL_SEED", 1);
    let next = AtomicU64::new(first);
    let coverage = Mutex::new(Coverage::of(&worlds));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut seen = Coverage::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    play(&worlds[seed as usize % worlds.len()], seed, &mut seen);
                }
                coverage.lock().unwrap().add(seen);
            });
        }
    });
    let coverage = coverage.into_inner().unwrap();
    println!("{coverage}");
    if count >= ENOUGH {
        coverage.assert_enough();
    }
}

/// One history from its seed; where crate and model part, the shortest that shows it.
fn play(world: &World, seed: u64, seen: &mut Coverage) {
    let mut rng = Rng(seed);
    let mut machine = Machine::at(world);
    machine.book.pass_time(world.ready());
    let mut steps: Vec<Step> = Vec::new();
    let mut accepted = Vec::new();
    for at in 0..rng.between(40, 120) as u64 {
        let moment = next_moment(&mut rng, &machine.book);
        machine.book.pass_time(moment.time);
        let step = next_step(
            &mut rng,
            moment,
            &machine.book,
            &world.cast,
            FIRST_STEP + at,
        );
        let answer = machine.take(&step);
        steps.push(step);
        match answer {
            Err(difference) => {
                let shortest = shrink::shortest(world, steps);
                panic!(
                    "seed {seed}: {difference}\n{}",
                    shrink::told(world, &shortest)
                );
            }
            Ok(answer) => {
                seen.step(&steps[steps.len() - 1], answer);
                accepted.extend(answer.is_ok().then_some(steps.len() - 1));
            }
        }
    }
    machine
        .check_invariants()
        .unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
    let again = replay(world, accepted.into_iter().map(|at| &steps[at]));
    assert!(
        again == machine.state,
        "seed {seed}: the accepted steps alone give another state"
    );
    seen.end(&machine.book);
}

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    }
}
