use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use rstest::rstest;

use super::*;
use crate::chain::Envelope;
use crate::domain::ops::ledger::rekey::Rekey;
use crate::domain::testing::keys::vkey_named;
use crate::ledger::testing::{Drill, authority, start, verified};

/// A sequencer after entry 0, with the drill that it is of.
fn begun() -> (Drill, Sequencer) {
    let drill = Drill::new();
    let line = drill.export();
    let line = line.strip_suffix(b"\n").unwrap();
    let (entry, _) = Line::decode(line).unwrap();
    let mut sequencer = Sequencer::new();
    let outcome = sequencer.step(&verified(entry.envelope().clone()), Ok(start()));
    assert!(matches!(outcome, Outcome::Entered(entered) if entered.line.bytes() == line));
    (drill, sequencer)
}

fn admission(drill: &Drill, number: u8) -> Verified {
    let also = 100 + number;
    verified(drill.signed(u16::from(number), authority(number), &[also]))
}

fn closed() -> Result<Instant, Refusal> {
    Err(Refusal::new("storage.full", "no room"))
}

#[test]
fn entry_follows_the_one_before_it() {
    let (drill, mut sequencer) = begun();
    let last = *sequencer.last();
    let Outcome::Entered(entered) = sequencer.step(&admission(&drill, 1), Ok(start())) else {
        panic!("not entered");
    };
    assert_eq!((entered.line.n(), *entered.line.prev()), (1, last));
    assert_eq!(
        (sequencer.size(), sequencer.last()),
        (2, entered.line.leaf())
    );
}

#[rstest]
#[case::clock_goes_on(5_000, 5_000)]
#[case::clock_is_behind(-5_000, 0)]
fn time_is_the_later_of_clock_and_last_entry(#[case] clock_ms: i64, #[case] entry_ms: i64) {
    let (drill, mut sequencer) = begun();
    let after = |ms| Instant::from_millis(start().millis() + ms);
    let Outcome::Entered(entered) = sequencer.step(&admission(&drill, 1), Ok(after(clock_ms)))
    else {
        panic!("not entered");
    };
    assert_eq!(entered.time, after(entry_ms));
    assert_eq!(sequencer.time(), entered.time);
}

#[test]
fn repeat_is_told_the_first_entry_even_when_nothing_is_entered() {
    let (drill, mut sequencer) = begun();
    let admission = admission(&drill, 1);
    assert!(matches!(
        sequencer.step(&admission, Ok(start())),
        Outcome::Entered(_)
    ));
    for clock in [Ok(start()), closed()] {
        let outcome = sequencer.step(&admission, clock);
        assert!(matches!(outcome, Outcome::Repeat { n: 1 }));
    }
    assert_eq!(sequencer.size(), 2);
}

#[test]
fn nothing_is_entered_while_closed() {
    let (drill, mut sequencer) = begun();
    let outcome = sequencer.step(&admission(&drill, 1), closed());
    assert!(matches!(outcome, Outcome::Closed(refusal) if refusal.rule == "storage.full"));
    assert_eq!(sequencer.size(), 1);
}

#[test]
fn id_is_looked_up_before_expired_is_said() {
    let (drill, mut sequencer) = begun();
    let (known, unknown) = (admission(&drill, 1), admission(&drill, 2));
    sequencer.step(&known, Ok(start()));
    let late = start().plus_minutes(11);
    assert!(matches!(
        sequencer.step(&known, Ok(late)),
        Outcome::Repeat { n: 1 }
    ));
    let outcome = sequencer.step(&unknown, Ok(late));
    assert!(matches!(outcome, Outcome::Expired(refusal) if refusal.rule == "operation.expired"));
}

#[test]
fn duplicates_are_remembered_until_not_after_and_no_longer() {
    let (drill, mut sequencer) = begun();
    let first = admission(&drill, 1);
    let op = first.op;
    sequencer.step(&first, Ok(start()));
    let long = |number: u8| {
        let until = start().plus_hours(2);
        verified(drill.signed_until(number.into(), until, authority(number), &[100 + number]))
    };
    sequencer.step(&long(2), Ok(start().plus_minutes(10)));
    assert_eq!(sequencer.recall(&op), Some(1));
    let after = Instant::from_millis(start().plus_minutes(10).millis() + 1);
    sequencer.step(&long(3), Ok(after));
    assert_eq!(sequencer.recall(&op), None);
}

#[test]
fn refusal_changes_nothing() {
    let (drill, mut sequencer) = begun();
    sequencer.step(&admission(&drill, 1), Ok(start()));
    let (state, last) = (sequencer.state().clone(), *sequencer.last());
    let again = verified(drill.signed(9, authority(1), &[101]));
    let outcome = sequencer.step(&again, Ok(start().plus_minutes(1)));
    assert!(matches!(outcome, Outcome::Refused(refusal) if refusal.rule == "party.known"));
    assert_eq!((sequencer.state(), *sequencer.last()), (&state, last));
    assert_eq!((sequencer.size(), sequencer.time()), (2, start()));
}

/// "checked at registration to be canonical …, torsion-free and not weak": under such a key signatures can be made that verify here
/// and not elsewhere.
#[rstest]
#[case::of_a_party(|drill: &Drill, key| {
    let mut body = authority(1);
    body.key.key = key;
    drill.signed(1, body, &[])
})]
#[case::of_the_ledger(|drill: &Drill, key| {
    let new_vkey = vkey_named(drill.origin.as_str(), key);
    drill.signed(1, Rekey { new_vkey }, &[])
})]
fn unsound_key_is_not_registered(#[case] bringing: fn(&Drill, PublicKey) -> Envelope) {
    let (drill, sequencer) = begun();
    let mixed = (ED25519_BASEPOINT_POINT + EIGHT_TORSION[1])
        .compress()
        .to_bytes();
    let envelope = bringing(&drill, PublicKey(mixed));
    let payload = Payload::decode(envelope.payload()).unwrap();
    let operator = PublicKey(*envelope.signatures()[0].0.as_bytes());
    let op = OpId(*envelope.op_id().as_bytes());
    let keys = [operator, PublicKey(mixed)];
    let refusal = sequencer.decide(&payload, &keys, op, start()).unwrap_err();
    assert_eq!(refusal.rule, "key.torsion");
}

#[test]
fn late_readers_are_told_with_an_entry_of_their_own_and_not_before() {
    let party = |text: &str| text.parse::<PartyId>().unwrap();
    let (a, b) = (party("x:a"), party("x:b"));
    let at = Instant::from_millis;
    let mut later = Later::default();
    later.put(a, 6, at(10));
    later.put(a, 5, at(20));
    later.put(b, 7, at(10));
    assert!(later.take_due(a, at(9)).is_empty());
    assert!(!later.is_due(a, 6, at(9)) && later.is_due(a, 6, at(10)));
    assert!(!later.is_due(b, 6, at(10)));
    assert_eq!(later.take_due(a, at(10)), [6]);
    assert!(!later.is_due(a, 6, at(20)));
    assert_eq!(later.take_due(a, at(20)), [5]);
    assert!(later.take_due(a, at(99)).is_empty());
    // What the other does has not taken it in.
    assert_eq!(later.take_due(b, at(99)), [7]);
}
