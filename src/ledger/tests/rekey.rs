//! A change of the ledger's key: what signs which checkpoint, and a crash between any two steps.

use std::path::PathBuf;

use rstest::rstest;

use super::{accepted, refused};
use crate::chain::note::KeyKind;
use crate::chain::{Checkpoint, Envelope, Note, SigningKey, VerifierKey};
use crate::domain::ops::ledger::rekey::Rekey;
use crate::domain::testing::wire;
use crate::ledger::keyfile::{self, next_in, path_in};
use crate::ledger::testing::{Drill, Hook, authority, hook, key};
use crate::ledger::{Answer, Ledger, SecretsError, StartError, accept_head};
use crate::store::{Checkpoints, JournalError, Layout};

/// The seed of the next key.
const NEXT: u8 = 77;

impl Drill {
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn vkey_of(&self, key: &SigningKey) -> VerifierKey {
        VerifierKey::of(self.origin.as_str(), KeyKind::Ed25519, key).unwrap()
    }

    /// The verifier keys before and after.
    fn vkeys(&self) -> [VerifierKey; 2] {
        let first = keyfile::read(&path_in(&self.data()), || None).unwrap();
        [self.vkey_of(&first), self.vkey_of(&key(NEXT))]
    }

    fn prepare(&self) {
        keyfile::write(&next_in(&self.data()), &key(NEXT), None).unwrap();
    }

    fn rekey(&self, nonce: u16, seed: u8) -> Envelope {
        let new_vkey = wire(&self.vkey_of(&key(seed)).to_string());
        self.signed(nonce, Rekey { new_vkey }, &[seed])
    }

    fn head(&self) -> Note {
        Note::decode(&std::fs::read(self.data().join("head")).unwrap()).unwrap()
    }

    /// Whether the keys have changed places on the disk.
    fn is_over(&self) -> bool {
        let present = keyfile::read(&path_in(&self.data()), || None).unwrap();
        present.public_key() == key(NEXT).public_key() && !next_in(&self.data()).exists()
    }

    fn try_open(&self) -> Result<Ledger, StartError> {
        Ledger::open(self.config(), &mut |_, _| ())
    }
}

fn published(ledger: &Ledger) -> Note {
    Note::decode(ledger.published().checkpoint.as_bytes()).unwrap()
}

/// Which of the keys signed a note, by their places.
fn signed_by(note: &Note, keys: &[VerifierKey; 2]) -> Vec<usize> {
    let signed = note.verified(keys).unwrap();
    let place = |of: &VerifierKey| keys.iter().position(|key| key == of).unwrap();
    let mut places: Vec<usize> = signed.iter().map(|signed| place(&signed.by)).collect();
    places.sort_unstable();
    places
}

#[tokio::test]
async fn the_first_checkpoint_behind_it_carries_both_keys_and_later_ones_the_new() {
    let drill = Drill::new();
    let keys = drill.vkeys();
    let ledger = drill.open();
    let before = ledger.submit(drill.admission(1)).await;
    assert_eq!(signed_by(&published(&ledger), &keys), [0]);
    // The running ledger finds the key that is prepared.
    drill.prepare();
    let n = accepted(&ledger.submit(drill.rekey(500, NEXT).encode()).await);
    assert_eq!(signed_by(&published(&ledger), &keys), [0, 1]);
    assert_eq!(ledger.published().size, n + 1);
    assert_eq!(ledger.ready().vkey, keys[1].to_string());
    assert!(drill.is_over());
    assert_eq!(signed_by(&drill.head(), &keys), [0, 1]);
    accepted(&ledger.submit(drill.admission(2)).await);
    assert_eq!(signed_by(&published(&ledger), &keys), [1]);
    // A receipt of before and its checkpoint stay what they were.
    assert_eq!(accepted(&before), 1);
    drop(ledger);
    let ledger = drill.open();
    assert_eq!(signed_by(&published(&ledger), &keys), [1]);
    accepted(&ledger.submit(drill.admission(3)).await);
    let kept = Checkpoints::all_in(&Layout::new(drill.data()).rekeyed()).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(signed_by(&kept[0], &keys), [0, 1]);
}

#[tokio::test]
async fn a_second_change_follows_the_first() {
    let drill = Drill::new();
    let ledger = drill.open();
    drill.prepare();
    accepted(&ledger.submit(drill.rekey(500, NEXT).encode()).await);
    keyfile::write(&next_in(&drill.data()), &key(78), None).unwrap();
    accepted(&ledger.submit(drill.rekey(501, 78).encode()).await);
    let third = [drill.vkey_of(&key(NEXT)), drill.vkey_of(&key(78))];
    assert_eq!(signed_by(&published(&ledger), &third), [0, 1]);
    drop(ledger);
    assert_eq!(drill.open().ready().vkey, third[1].to_string());
}

#[rstest]
#[case::none(None)]
#[case::another(Some(78))]
#[tokio::test]
async fn a_key_whose_secret_is_not_there_is_refused_and_nothing_changes(#[case] there: Option<u8>) {
    let drill = Drill::new();
    let ledger = drill.open();
    if let Some(seed) = there {
        keyfile::write(&next_in(&drill.data()), &key(seed), None).unwrap();
    }
    let envelope = drill.rekey(500, NEXT);
    let checked = ledger
        .check(wire(crate::domain::testing::OPERATOR), envelope.payload())
        .await;
    assert_eq!(checked.unwrap().unwrap_err().rule, "ledger.secret");
    assert_eq!(
        refused(&ledger.submit(envelope.encode()).await),
        "ledger.secret"
    );
    assert_eq!(ledger.published().size, 1);
    // The same envelope is good once the key is there.
    if there.is_none() {
        drill.prepare();
        accepted(&ledger.submit(envelope.encode()).await);
    }
}

#[tokio::test]
async fn what_its_rules_refuse_is_told_by_them() {
    let drill = Drill::new();
    let ledger = drill.open();
    let body = Rekey {
        new_vkey: wire(&drill.vkeys()[0].to_string()),
    };
    let answer = ledger.submit(drill.signed(500, body, &[]).encode()).await;
    assert_eq!(refused(&answer), "key.possession");
}

#[tokio::test]
async fn a_key_of_the_ledger_is_no_partys() {
    let drill = Drill::new();
    drill.prepare();
    let ledger = drill.open();
    accepted(&ledger.submit(drill.rekey(500, NEXT).encode()).await);
    let answer = ledger
        .submit(drill.signed(7, authority_with(NEXT), &[NEXT]).encode())
        .await;
    assert_eq!(refused(&answer), "key.taken");
}

fn authority_with(seed: u8) -> crate::domain::ops::party::admit::Admit {
    let mut body = authority(9);
    body.key.key = crate::domain::values::PublicKey(*key(seed).public_key().as_bytes());
    body
}

/// Breaks the process once lines are durable, before anything is signed over them.
struct Crash;

impl Hook for Crash {
    fn after(&mut self) -> Result<(), JournalError> {
        Err(JournalError::Stopped)
    }
}

/// A drill whose entry 1 changes the key, and that crashed before a checkpoint covered it.
async fn crashed() -> (Drill, [VerifierKey; 2]) {
    let drill = Drill::new();
    let keys = drill.vkeys();
    drill.prepare();
    let ledger = drill.open_with(|parts| hook(parts, Crash));
    let answer = ledger.submit(drill.rekey(500, NEXT).encode()).await;
    assert!(matches!(answer, Answer::Stopped), "{answer:?}");
    ledger.stop();
    assert_eq!(signed_by(&drill.head(), &keys), [0]);
    assert!(!drill.is_over());
    (drill, keys)
}

#[tokio::test]
async fn crash_before_the_first_checkpoint_under_both() {
    let (drill, keys) = crashed().await;
    let ledger = drill.open();
    assert_eq!(ledger.published().size, 2);
    assert_eq!(signed_by(&published(&ledger), &keys), [0, 1]);
    assert!(drill.is_over());
    accepted(&ledger.submit(drill.admission(1)).await);
    assert_eq!(signed_by(&published(&ledger), &keys), [1]);
}

#[tokio::test]
async fn crash_between_the_checkpoint_and_the_rename() {
    let drill = Drill::new();
    let keys = drill.vkeys();
    let old = keyfile::read(&path_in(&drill.data()), || None).unwrap();
    drill.prepare();
    let ledger = drill.open();
    accepted(&ledger.submit(drill.rekey(500, NEXT).encode()).await);
    drop(ledger);
    std::fs::rename(path_in(&drill.data()), next_in(&drill.data())).unwrap();
    keyfile::write(&path_in(&drill.data()), &old, None).unwrap();
    assert_eq!(signed_by(&drill.head(), &keys), [0, 1]);
    let ledger = drill.open();
    assert!(drill.is_over());
    assert_eq!(signed_by(&published(&ledger), &keys), [1]);
}

#[tokio::test]
async fn a_start_without_the_key_that_counts_is_refused_and_names_it() {
    let (drill, keys) = crashed().await;
    std::fs::remove_file(next_in(&drill.data())).unwrap();
    let error = drill.try_open().map(drop).unwrap_err();
    assert!(matches!(
        error,
        StartError::Secrets(SecretsError::Missing { .. })
    ));
    assert!(error.to_string().contains(&keys[1].to_string()), "{error}");
    // The old one is asked for too: what follows an entry that few have seen must not be signed without it.
    drill.prepare();
    std::fs::remove_file(path_in(&drill.data())).unwrap();
    keyfile::write(&path_in(&drill.data()), &key(9), None).unwrap();
    let error = drill.try_open().map(drop).unwrap_err();
    assert!(error.to_string().contains(&keys[0].to_string()), "{error}");
}

#[tokio::test]
async fn a_key_that_is_merely_prepared_hinders_no_start() {
    let drill = Drill::new();
    std::fs::write(next_in(&drill.data()), "rubbish").unwrap();
    let ledger = drill.open();
    let answer = ledger.submit(drill.rekey(500, NEXT).encode()).await;
    assert_eq!(refused(&answer), "ledger.secret");
    accepted(&ledger.submit(drill.admission(1)).await);
}

#[rstest]
#[case::before_it(1, &[0])]
#[case::behind_it(2, &[0, 1])]
#[tokio::test]
async fn a_head_is_accepted_anew_under_the_keys_of_its_size(
    #[case] size: u64,
    #[case] signers: &[usize],
) {
    let (drill, keys) = crashed().await;
    std::fs::remove_file(drill.data().join("head")).unwrap();
    accept_head(&drill.config(), size).unwrap();
    assert_eq!(signed_by(&drill.head(), &keys), signers);
    let ledger = drill.open();
    assert!(drill.is_over());
    let checkpoint = Checkpoint::open(&published(&ledger), &keys[1]).unwrap();
    assert_eq!(checkpoint.size, 2);
}

#[tokio::test]
async fn behind_the_change_a_head_is_accepted_under_the_new_key() {
    let drill = Drill::new();
    let keys = drill.vkeys();
    drill.prepare();
    let ledger = drill.open();
    accepted(&ledger.submit(drill.rekey(500, NEXT).encode()).await);
    drop(ledger);
    std::fs::remove_file(drill.data().join("head")).unwrap();
    let error = accept_head(&drill.config(), 1).unwrap_err();
    assert!(error.to_string().contains(&keys[0].to_string()), "{error}");
    accept_head(&drill.config(), 2).unwrap();
    assert_eq!(signed_by(&drill.head(), &keys), [1]);
    drop(drill.open());
}

/// An old key's word on what comes behind the change is no word.
#[tokio::test]
async fn a_head_under_the_key_before_alone_does_not_start() {
    let drill = Drill::new();
    let old = keyfile::read(&path_in(&drill.data()), || None).unwrap();
    drill.prepare();
    let ledger = drill.open();
    accepted(&ledger.submit(drill.rekey(500, NEXT).encode()).await);
    drop(ledger);
    let checkpoint = Checkpoint::parse(drill.head().text()).unwrap();
    let forged = checkpoint.sign(&[&old]).unwrap().encode();
    std::fs::write(drill.data().join("head"), forged).unwrap();
    let opened = drill.try_open().map(drop);
    assert!(matches!(opened, Err(StartError::Head(_))));
}

/// What could not be kept is refused before it is an entry: behind it the ledger would stand still.
#[rstest]
#[case::damaged("rubbish", "no checkpoint stands at byte 0")]
#[case::ahead("", "has a checkpoint of 9 entries")]
#[tokio::test]
async fn a_change_whose_checkpoint_cannot_be_kept_is_refused(
    #[case] there: &str,
    #[case] said: &str,
) {
    let drill = Drill::new();
    drill.prepare();
    let rekeyed = Layout::new(drill.data()).rekeyed();
    std::fs::write(&rekeyed, there).unwrap();
    if there.is_empty() {
        let mut checkpoint = Checkpoint::parse(drill.head().text()).unwrap();
        checkpoint.size = 9;
        let note = checkpoint.sign(&[&key(NEXT)]).unwrap();
        Checkpoints::open(&rekeyed)
            .unwrap()
            .keep_each(&note)
            .unwrap();
    }
    let ledger = drill.open();
    let envelope = drill.rekey(500, NEXT);
    let checked = ledger
        .check(wire(crate::domain::testing::OPERATOR), envelope.payload())
        .await;
    let refusal = checked.unwrap().unwrap_err();
    assert!(format!("{refusal:?}").contains(said), "{refusal:?}");
    assert_eq!(
        refused(&ledger.submit(envelope.encode()).await),
        "ledger.secret"
    );
    accepted(&ledger.submit(drill.admission(1)).await);
    std::fs::remove_file(rekeyed).unwrap();
    accepted(&ledger.submit(envelope.encode()).await);
    assert!(drill.is_over());
}

/// Where a head is not accepted anew, no file has changed its place.
#[tokio::test]
async fn a_head_that_is_refused_leaves_the_keys_where_they_are() {
    let (drill, _) = crashed().await;
    drop(drill.open());
    assert!(drill.is_over());
    std::fs::rename(path_in(&drill.data()), next_in(&drill.data())).unwrap();
    keyfile::write(&path_in(&drill.data()), &key(9), None).unwrap();
    let there = |path: PathBuf| keyfile::read(&path, || None).unwrap().public_key();
    let unmoved = || {
        assert_eq!(there(path_in(&drill.data())), key(9).public_key());
        assert_eq!(there(next_in(&drill.data())), key(NEXT).public_key());
    };
    // The head is good, and there is nothing to accept.
    assert!(matches!(
        accept_head(&drill.config(), 2),
        Err(StartError::Store(_))
    ));
    unmoved();
    // A key that never was the ledger's is not replaced.
    let foreign = |error| matches!(error, StartError::Secrets(SecretsError::Foreign));
    assert!(foreign(drill.try_open().map(drop).unwrap_err()));
    unmoved();
    std::fs::remove_file(drill.data().join("head")).unwrap();
    assert!(foreign(accept_head(&drill.config(), 2).unwrap_err()));
    unmoved();
}
