//! Signed notes and checkpoints.

use counterfoil::chain::{Checkpoint, Hash, Note, SigningKey, VerifierKey};
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

/// The key of seed 32 × 0x01.
pub(super) const ORIGIN: &str = "ledger.example/receivables";
pub(super) const VKEY: &str =
    "ledger.example/receivables+64e95e08+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
pub(super) const SIGNER: &str =
    "PRIVATE+KEY+ledger.example/receivables+64e95e08+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

fn ours(note: &[u8]) -> bool {
    let vkey: VerifierKey = VKEY.parse().unwrap();
    Note::decode(note).is_ok_and(|note| note.verified(&[vkey]).is_ok())
}

fn theirs(note: &[u8]) -> bool {
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(VKEY).unwrap())]);
    signed_note::Note::from_bytes(note).is_ok_and(|note| note.verify(&known).is_ok())
}

fn signed(text: &str) -> Vec<u8> {
    let mut note = Note::new(text).unwrap();
    note.sign(ORIGIN, &SigningKey::from_seed(&[1; 32])).unwrap();
    note.encode().into_bytes()
}

proptest! {
    #[test]
    fn a_text_is_signed_in_the_same_bytes(text in "([ -~é—]{0,20}\n){1,5}") {
        let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&StandardSigner::new(SIGNER).unwrap()]).unwrap();
        prop_assert_eq!(note.to_bytes(), signed(&text));
        prop_assert!(ours(&signed(&text)) && theirs(&signed(&text)));
    }

    #[test]
    fn a_changed_note_is_judged_alike(text in "([ -~]{0,20}\n){1,5}", at: prop::sample::Index, mask in 1..=255_u8, cut: bool) {
        let mut note = signed(&text);
        let at = at.index(note.len());
        if cut {
            note.remove(at);
        } else {
            note[at] ^= mask;
        }
        prop_assert_eq!(ours(&note), theirs(&note));
    }

    #[test]
    fn checkpoints_are_written_and_read_alike(origin in "[ -~é]{1,30}", size: u64, root: [u8; 32]) {
        let ours = Checkpoint { origin, size, root: Hash::new(root) };
        let text = ours.text();
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        prop_assert_eq!(theirs.origin(), &ours.origin);
        prop_assert_eq!((theirs.size(), theirs.hash().0), (size, root));
        prop_assert_eq!(theirs.to_bytes(), text.as_bytes());
        prop_assert_eq!(Checkpoint::parse(&text), Ok(ours));
    }

    #[test]
    fn a_changed_checkpoint_is_judged_alike(size: u64, root: [u8; 32], at: prop::sample::Index, to in "[ -~\n]") {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: Hash::new(root) };
        let mut text = checkpoint.text();
        let at = at.index(text.len());
        text.replace_range(at..=at, &to);
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes());
        prop_assert_eq!(Checkpoint::parse(&text).is_ok(), theirs.is_ok(), "{}", text);
    }
}
