use super::*;
use rstest::rstest;

const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn vkey(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::new(name, KeyKind::Ed25519, key(seed).public_key()).unwrap()
}

#[rstest]
#[case(
    "ledger.example/receivables+64e95e08+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
    "ledger.example/receivables",
    KeyKind::Ed25519,
    1
)]
#[case(
    "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
    "witness.example/w1",
    KeyKind::CosignatureV1,
    2
)]
fn vkey_vectors(#[case] text: &str, #[case] name: &str, #[case] kind: KeyKind, #[case] seed: u8) {
    let vkey = VerifierKey::new(name, kind, key(seed).public_key()).unwrap();
    assert_eq!(vkey.to_string(), text);
    assert_eq!(text.parse(), Ok(vkey));
}

#[rstest]
#[case::no_parts("PeterNeumann", VkeyError::Form)]
#[case::other_id(
    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    VkeyError::KeyId
)]
#[case::other_name(
    "PeterNeumanN+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    VkeyError::KeyId
)]
#[case::capitals(
    "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    VkeyError::Form
)]
#[case::no_name(
    "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    VkeyError::Name
)]
#[case::space(
    "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    VkeyError::Name
)]
#[case::other_type(
    "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    VkeyError::Kind(2)
)]
#[case::short("PeterNeumann+c74f20a3+ARpc", VkeyError::Form)]
#[case::empty_key("PeterNeumann+c74f20a3+", VkeyError::Form)]
fn bad_vkeys_are_refused(#[case] text: &str, #[case] error: VkeyError) {
    assert!(NEUMANN.parse::<VerifierKey>().is_ok());
    assert_eq!(text.parse::<VerifierKey>(), Err(error));
}

#[rstest]
#[case::no_blank_line("a\n— x AAAAAAA=\n")]
#[case::no_signature("a\n\n")]
#[case::hyphen("a\n\n- x AAAAAAA=\n")]
#[case::no_last_newline("a\n\n— x AAAAAAA=")]
#[case::no_name("a\n\n—  AAAAAAA=\n")]
#[case::plus_in_name("a\n\n— x+y AAAAAAA=\n")]
#[case::unpadded("a\n\n— x AAAAAAA\n")]
#[case::only_an_id("a\n\n— x AAAAAA==\n")]
#[case::control("a\tb\n\n— x AAAAAAA=\n")]
#[case::carriage_return("a\r\n\n— x AAAAAAA=\n")]
#[case::words_after("a\n\n— x AAAAAAA= b\n")]
fn malformed_notes_are_refused(#[case] note: &str) {
    assert!(Note::decode(b"a\n\n\xe2\x80\x94 x AAAAAAA=\n").is_ok());
    assert!(matches!(
        Note::decode(note.as_bytes()),
        Err(NoteError::Malformed(_))
    ));
}

#[test]
fn text_may_hold_blank_lines() {
    let mut note = Note::new("a\n\nb\n").unwrap();
    note.sign("x", &key(1)).unwrap();
    let read = Note::decode(note.encode().as_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.text(), "a\n\nb\n");
}

#[test]
fn unknown_keys_are_ignored_and_a_failing_known_key_rejects() {
    let mut note = Note::new("text\n").unwrap();
    note.sign("one", &key(1)).unwrap();
    note.sign("two", &key(2)).unwrap();
    let names = |known: &[VerifierKey]| {
        note.verified(known)
            .map(|s| s.into_iter().map(|s| s.by.name).collect::<Vec<_>>())
    };
    assert_eq!(names(&[vkey("one", 1)]), Ok(vec!["one".to_owned()]));
    assert_eq!(
        names(&[vkey("two", 2), vkey("one", 1)]),
        Ok(vec!["one".to_owned(), "two".to_owned()])
    );
    assert_eq!(names(&[vkey("three", 1)]), Err(NoteError::Unsigned));
    let mut other = Note::new("Text\n").unwrap();
    note.signatures.iter().cloned().for_each(|s| other.add(s));
    other.sign("three", &key(3)).unwrap();
    assert_eq!(
        other.verified(&[vkey("three", 3), vkey("two", 2)]),
        Err(NoteError::Forged("two".to_owned()))
    );
    assert!(other.verified(&[vkey("three", 3)]).is_ok());
}

#[test]
fn ed25519_signature_is_no_cosignature() {
    let mut note = Note::new("text\n").unwrap();
    note.sign("w", &key(1)).unwrap();
    let cosigner = VerifierKey::new("w", KeyKind::CosignatureV1, key(1).public_key()).unwrap();
    assert_eq!(
        note.verified(std::slice::from_ref(&cosigner)),
        Err(NoteError::Unsigned)
    );
    // Even under the cosigner's id.
    note.signatures[0].key_id = cosigner.key_id();
    assert_eq!(
        note.verified(&[cosigner]),
        Err(NoteError::Forged("w".to_owned()))
    );
}
