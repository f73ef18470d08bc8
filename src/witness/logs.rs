//! Which logs a witness cosigns: the `log` lines of a C2SP tlog-policy file. A log may have several keys, each with a line of its own.

use crate::chain::VerifierKey;
use crate::chain::note::KeyKind;

/// What the file of a witness without logs holds. A policy has a quorum line; a witness asks no other for a cosignature.
pub(super) const NO_LOGS: &str =
    "# The logs that this witness cosigns: `counterfoil witness add-log`\nquorum none\n";

/// The keys that a file names, in its order; else the line, from 1, and what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<VerifierKey>, String> {
    let mut keys: Vec<VerifierKey> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        // "sequences of ASCII space and tab characters *only*"
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let key = match (words.next(), words.next(), words.next(), words.next()) {
            (None, ..) => continue,
            (Some(word), ..) if word.starts_with('#') => continue,
            (Some("quorum"), Some("none"), None, None) => continue,
            (Some("log"), Some(vkey), _, None) => vkey.parse::<VerifierKey>(),
            _ => return Err(format!("line {}: `log <vkey>` is expected", n + 1)),
        };
        let key = key.map_err(|error| error.to_string());
        let admitted = key.and_then(|key| admit(&keys, &key).map(|()| key));
        keys.push(admitted.map_err(|why| format!("line {}: {why}", n + 1))?);
    }
    Ok(keys)
}

/// Whether a key may be a log's beside those that are.
pub(super) fn admit(keys: &[VerifierKey], key: &VerifierKey) -> Result<(), String> {
    if key.kind() != KeyKind::Ed25519 {
        return Err("the key of a log is of type 0x01 (ed25519); this one cosigns".to_owned());
    }
    // "Duplicate logs, i.e., multiple log lines with the same public key, are not allowed."
    match keys.iter().find(|other| other.key() == key.key()) {
        Some(other) => Err(format!("the key is that of `{}` already", other.name())),
        None => Ok(()),
    }
}

/// The line of a key.
pub(super) fn line(key: &VerifierKey) -> String {
    format!("log {key}\n")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::SigningKey;

    fn vkey(name: &str, kind: KeyKind, seed: u8) -> VerifierKey {
        VerifierKey::of(name, kind, &SigningKey::from_seed(&[seed; 32])).unwrap()
    }

    #[test]
    fn a_log_may_have_several_keys() {
        let keys =
            [("a", 1), ("b", 2), ("a", 3)].map(|(name, seed)| vkey(name, KeyKind::Ed25519, seed));
        let lines = format!(
            "{NO_LOGS}{}\t log  {} https://b.example\t\n\n{}",
            line(&keys[0]),
            keys[1],
            line(&keys[2])
        );
        assert_eq!(parse(&lines).unwrap(), keys);
        assert_eq!(parse(NO_LOGS).unwrap(), []);
    }

    #[rstest]
    #[case::another_line("witness w", "line 2: `log <vkey>` is expected")]
    #[case::a_quorum("quorum all", "line 2: `log <vkey>` is expected")]
    #[case::too_much("log KEY url more", "line 2: `log <vkey>` is expected")]
    #[case::no_vkey("log key", "line 2: not a verifier key")]
    #[case::cosigns("log COSIGNS", "line 2: the key of a log is of type 0x01")]
    #[case::the_same_key_twice("log SAME", "line 2: the key is that of `a` already")]
    fn what_is_wrong_is_told_with_its_line(#[case] second: &str, #[case] told: &str) {
        let second = second
            .replace("KEY", &vkey("b", KeyKind::Ed25519, 2).to_string())
            .replace("COSIGNS", &vkey("b", KeyKind::CosignatureV1, 2).to_string())
            .replace("SAME", &vkey("b", KeyKind::Ed25519, 1).to_string());
        let text = line(&vkey("a", KeyKind::Ed25519, 1)) + &second;
        let error = parse(&text).unwrap_err();
        assert!(error.starts_with(told), "{error}");
    }
}
