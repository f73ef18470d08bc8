use super::*;
use crate::chain::cosignature::cosign;
use crate::chain::hash::leaf_hash;
use crate::chain::tree::Tree;
use rstest::rstest;

const COSIGNED: &str = "ledger.example/receivables
3
OF2jDzkXKCyJOd/4UZV+UZqxhGsTUaFMCts7EWMnQqo=

— ledger.example/receivables ZOleCA5ceYVmqxr9wEFHt7yUfu9W4anZSwzFXTSFXMFOgOLSOs9iO/yY4tP/eQxfTOS2udEGH4M/0Gtl4g2ehcEVpAI=
— witness.example/w1 3xwKNQAAAABlU/EA4e6cC0bnqbjhOJ6+R0FshRl9R0OgfJZz/Vg+RDzQxm7VfyBaps8eQXp/7DfFrYgdVgD7avST7xUelxl8UGb8DA==
";
const LOG: &str =
    "ledger.example/receivables+64e95e08+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const WITNESS: &str = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";

fn checkpoint() -> Checkpoint {
    let tree: Tree = [&b"alpha"[..], b"beta", b"gamma"]
        .into_iter()
        .map(leaf_hash)
        .collect();
    Checkpoint {
        origin: "ledger.example/receivables".into(),
        size: tree.size(),
        root: tree.root(),
    }
}

#[test]
fn cosigned_vector_is_made_byte_for_byte() {
    let mut note = checkpoint()
        .sign(&[&SigningKey::from_seed(&[1; 32])])
        .unwrap();
    let witness = SigningKey::from_seed(&[2; 32]);
    let line = cosign(&note, "witness.example/w1", &witness, 1_700_000_000).unwrap();
    note.add(line);
    assert_eq!(note.encode(), COSIGNED);
}

#[test]
fn cosigned_vector_is_read_and_verified() {
    let note = Note::decode(COSIGNED.as_bytes()).unwrap();
    assert_eq!(
        Checkpoint::open(&note, &LOG.parse().unwrap()),
        Ok(checkpoint())
    );
    let signed = note
        .verified(&[LOG.parse().unwrap(), WITNESS.parse().unwrap()])
        .unwrap();
    assert_eq!(
        signed.iter().map(|s| s.time_s).collect::<Vec<_>>(),
        [None, Some(1_700_000_000)]
    );
}

#[test]
fn cosignature_covers_its_time() {
    let moved = COSIGNED.replace("3xwKNQAAAABlU/EA", "3xwKNQAAAABlU/EB");
    assert_ne!(moved, COSIGNED);
    let note = Note::decode(moved.as_bytes()).unwrap();
    assert_eq!(
        note.verified(&[WITNESS.parse().unwrap()]),
        Err(NoteError::Forged("witness.example/w1".into()))
    );
}

#[test]
fn checkpoint_of_another_origin_is_refused() {
    let mut note = Note::new(checkpoint().text()).unwrap();
    note.sign("other.example", &SigningKey::from_seed(&[1; 32]))
        .unwrap();
    let key = VerifierKey::new(
        "other.example",
        crate::chain::note::KeyKind::Ed25519,
        SigningKey::from_seed(&[1; 32]).public_key(),
    );
    assert!(matches!(
        Checkpoint::open(&note, &key.unwrap()),
        Err(CheckpointError::Origin { .. })
    ));
}

#[test]
fn changed_checkpoint_is_refused() {
    let note = Note::decode(COSIGNED.replace("\n3\n", "\n2\n").as_bytes()).unwrap();
    assert!(matches!(
        Checkpoint::open(&note, &LOG.parse().unwrap()),
        Err(CheckpointError::Note(NoteError::Forged(_)))
    ));
}

#[test]
fn after_a_change_of_key_both_sign() {
    let (old, new) = (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[9; 32]),
    );
    let note = checkpoint().sign(&[&old, &new]).unwrap();
    let new = VerifierKey::new(
        "ledger.example/receivables",
        crate::chain::note::KeyKind::Ed25519,
        new.public_key(),
    )
    .unwrap();
    assert_eq!(
        Checkpoint::open(&note, &LOG.parse().unwrap()),
        Ok(checkpoint())
    );
    assert_eq!(Checkpoint::open(&note, &new), Ok(checkpoint()));
}

#[test]
fn origin_that_cannot_name_a_key_is_not_signed() {
    let key = SigningKey::from_seed(&[1; 32]);
    for origin in ["", "a b", "a+b", "a\nb"] {
        assert_eq!(
            Checkpoint {
                origin: origin.into(),
                ..checkpoint()
            }
            .sign(&[&key]),
            Err(VkeyError::Name)
        );
    }
}

#[rstest]
#[case::extension("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\next\n", true)]
#[case::empty_extension("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\next\n", false)]
#[case::no_origin("\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
#[case::leading_zero("o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
#[case::sign("o\n+1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
#[case::too_large(
    "o\n18446744073709551616\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    false
)]
#[case::short_root("o\n1\nAAAA\n", false)]
#[case::unpadded("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", false)]
#[case::two_lines("o\n1\n", false)]
#[case::no_last_newline("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
fn checkpoint_has_three_lines(#[case] text: &str, #[case] good: bool) {
    assert_eq!(Checkpoint::parse(text).is_ok(), good);
}
