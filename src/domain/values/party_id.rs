//! Who: identifiers of parties, with their check characters.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::domain::table::Ranked;
use crate::domain::wire::serde_as_string;

/// The longest identifier: `x:` and a name of 32 characters.
const LENGTH_AT_MOST: usize = 34;
/// What an identifier begins with, and the first of its letters.
const SCHEMES: [(&str, u8); 3] = [("uscc:", b'A'), ("lei:", b'A'), ("x:", b'a')];

/// A party's identifier, in its one spelling: `uscc:` and a unified social credit code (GB 32100-2015),
/// `lei:` and a legal entity identifier (ISO 17442), or `x:` and a name of the ledger's own. Both
/// check characters of a code and both check digits of an LEI are right.
///
/// Packed, as most of what the ledger knows names parties: the scheme's first letter and the characters behind the
/// colon, in base 39. So the derived order is the string's. The first word is never 0, so that none takes no more room than one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(NonZeroU64, [u64; WORDS - 1]);

/// Words of a packed identifier.
const WORDS: usize = 3;
/// Symbols of a word: as many as 64 bits hold.
const SYMBOLS: usize = 12;
/// No symbol, `-`, `.`, ten digits and 26 letters, of which a scheme has either case.
const BASE: u64 = 39;

/// A character's worth, which grows as characters do; zero where it stands in no identifier.
fn symbol(character: u8) -> u8 {
    match character {
        b'-' => 1,
        b'.' => 2,
        b'0'..=b'9' => 3 + (character - b'0'),
        b'a'..=b'z' => 13 + (character - b'a'),
        b'A'..=b'Z' => 13 + (character - b'A'),
        _ => 0,
    }
}

/// The character of a symbol, where the letters begin with `first_letter`.
fn character(symbol: u8, first_letter: u8) -> u8 {
    match symbol {
        1 => b'-',
        2 => b'.',
        3..=12 => b'0' + (symbol - 3),
        _ => first_letter + (symbol - 13),
    }
}

fn pack(scheme: &str, code: &str) -> PartyId {
    let mut symbols = [0; WORDS * SYMBOLS];
    let characters = scheme.bytes().take(1).chain(code.bytes());
    for (place, character) in symbols.iter_mut().zip(characters) {
        *place = symbol(character);
    }
    let mut words = symbols.chunks_exact(SYMBOLS).map(|symbols| {
        let symbols = symbols.iter();
        symbols.fold(0, |number, symbol| number * BASE + u64::from(*symbol))
    });
    let first = words.next().and_then(NonZeroU64::new);
    PartyId(
        first.unwrap_or(NonZeroU64::MIN),
        std::array::from_fn(|_| words.next().unwrap_or(0)),
    )
}

/// Why a text identifies no party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartyIdError {
    /// None of the three schemes.
    #[error(
        "a party is uscc: and 18 characters, lei: and 20 characters, or x: and a name, in this case of letters"
    )]
    Scheme,
    /// Not the form of a unified social credit code.
    #[error(
        "a unified social credit code has 18 characters of 0-9 and A-Z without I, O, S, V, Z, the third to eighth being digits"
    )]
    UsccForm,
    /// The ninth check character of the organisation code within the code.
    #[error(
        "character 17 of this unified social credit code, the organisation code's check character, would have to be {expected}, not {found}"
    )]
    UsccOrganisation {
        /// As computed.
        expected: char,
        /// As written.
        found: char,
    },
    /// The last check character.
    #[error(
        "character 18 of this unified social credit code, its check character, would have to be {expected}, not {found}"
    )]
    UsccCheck {
        /// As computed.
        expected: char,
        /// As written.
        found: char,
    },
    /// Not the form of an LEI.
    #[error(
        "a legal entity identifier has 20 characters of 0-9 and A-Z, the last two being digits"
    )]
    LeiForm,
    /// The check digits.
    #[error(
        "the last two digits of this legal entity identifier would have to be {expected}, not {found}"
    )]
    LeiCheck {
        /// As computed.
        expected: String,
        /// As written.
        found: String,
    },
    /// Not a name of the ledger's own.
    #[error(
        "after x: stands a name of 1 to 32 characters of a-z, 0-9, . and -, that begins with a letter"
    )]
    Name,
}

impl PartyId {
    /// Whether this is a name of the ledger's own, which no supplier or debtor can have.
    pub fn is_x(&self) -> bool {
        self.symbols()[0] == symbol(b'x')
    }

    /// Whether this is a unified social credit code.
    pub fn is_uscc(&self) -> bool {
        self.symbols()[0] == symbol(b'u')
    }

    fn symbols(&self) -> [u8; WORDS * SYMBOLS] {
        let mut symbols = [0; WORDS * SYMBOLS];
        let words = [self.0.get()].into_iter().chain(self.1);
        for (word, symbols) in words.zip(symbols.chunks_exact_mut(SYMBOLS)) {
            let mut number = word;
            for symbol in symbols.iter_mut().rev() {
                *symbol = (number % BASE) as u8;
                number /= BASE;
            }
        }
        symbols
    }
}

impl Ranked for PartyId {
    const FIRST: PartyId = PartyId(NonZeroU64::MIN, [0; WORDS - 1]);
}

impl FromStr for PartyId {
    type Err = PartyIdError;

    fn from_str(text: &str) -> Result<PartyId, PartyIdError> {
        let Some((scheme, code)) = text.split_once(':') else {
            return Err(PartyIdError::Scheme);
        };
        match scheme {
            "uscc" => check_uscc(code)?,
            "lei" => check_lei(code)?,
            "x" => check_name(code)?,
            _ => return Err(PartyIdError::Scheme),
        }
        Ok(pack(scheme, code))
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [scheme, code @ ..] = self.symbols();
        let begins = |known: &&(&str, u8)| known.0.bytes().next().map(symbol) == Some(scheme);
        // The first in order is before every identifier, and none itself.
        let (scheme, first_letter) = SCHEMES.iter().find(begins).unwrap_or(&("", b'A'));
        let code = code.iter().take_while(|symbol| **symbol != 0);
        let code = code.map(|symbol| character(*symbol, *first_letter));
        let mut text = [0; LENGTH_AT_MOST];
        let mut length = 0;
        for (place, character) in text.iter_mut().zip(scheme.bytes().chain(code)) {
            *place = character;
            length += 1;
        }
        to.pad(str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

serde_as_string!(
    PartyId,
    "a party, for example uscc:91420000737944946L",
    r"^(uscc|lei|x):[^ ]+$",
    "uscc:91420000737944946L"
);

/// GB 32100-2015, 4.2: the characters of a code, each worth its place.
const USCC_SYMBOLS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// GB 32100-2015: the powers of three modulo 31.
const USCC_WEIGHTS: [usize; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
/// GB 11714: the weights of an organisation code.
const ORGANISATION_WEIGHTS: [usize; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

fn check_uscc(code: &str) -> Result<(), PartyIdError> {
    let code = code.as_bytes();
    let values: Option<Vec<usize>> = code
        .iter()
        .map(|byte| USCC_SYMBOLS.iter().position(|symbol| symbol == byte))
        .collect();
    let values = match values {
        Some(values) if values.len() == 18 && code[2..8].iter().all(u8::is_ascii_digit) => values,
        _ => return Err(PartyIdError::UsccForm),
    };

    // "Characters 9–17 are the organisation code: check = 11 − Σ mod 11 (10→X, 11→0)." Its letters
    // count from A = 10 without a gap, other than those of the code around it.
    let weighed = |(byte, weight): (&u8, &usize)| {
        char::from(*byte)
            .to_digit(36)
            .map_or(0, |value| value as usize)
            * weight
    };
    let sum: usize = code[8..16]
        .iter()
        .zip(&ORGANISATION_WEIGHTS)
        .map(weighed)
        .sum();
    let (expected, found) = (b"0X987654321"[sum % 11].into(), code[16].into());
    if expected != found {
        return Err(PartyIdError::UsccOrganisation { expected, found });
    }

    // "C18 = symbol[(31 − Σ mod 31) mod 31]."
    let sum: usize = values
        .iter()
        .zip(&USCC_WEIGHTS)
        .map(|(value, weight)| value * weight)
        .sum();
    let (expected, found) = (USCC_SYMBOLS[(31 - sum % 31) % 31].into(), code[17].into());
    if expected != found {
        return Err(PartyIdError::UsccCheck { expected, found });
    }
    Ok(())
}

/// ISO 17442: with letters as 10 to 35, the number that is written is 1 modulo 97; the check digits are 98 less a remainder, so 02
/// to 98. (ISO 7064 alone also has 00 and 01 for what are 97 and 98 here.)
fn check_lei(code: &str) -> Result<(), PartyIdError> {
    let form = code.len() == 20
        && code
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && code[18..].bytes().all(|byte| byte.is_ascii_digit());
    if !form {
        return Err(PartyIdError::LeiForm);
    }
    let append = |rest: u32, digit: u32| (rest * if digit < 10 { 10 } else { 100 } + digit) % 97;
    let values = code[..18].chars().filter_map(|c| c.to_digit(36));
    let expected = format!("{:02}", 98 - values.fold(0, append) * 100 % 97);
    match &code[18..] {
        found if found == expected => Ok(()),
        found => Err(PartyIdError::LeiCheck {
            expected,
            found: found.to_owned(),
        }),
    }
}

fn check_name(name: &str) -> Result<(), PartyIdError> {
    let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    let begins_with_letter = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    match begins_with_letter && name.len() <= 32 && name.bytes().all(legal) {
        true => Ok(()),
        false => Err(PartyIdError::Name),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn a_party_is_read(
        #[values(
            "uscc:91350100M000100Y43",
            "uscc:91420000737944946L",
            "uscc:914403001922038216",
            "uscc:9144030071526726XG",
            "lei:5493001KJTIIGC8Y1R12",
            "lei:213800WSGIIZCXF1P572",
            "lei:506700GE1G29325QX363",
            "lei:7H6GLXDRUGQFU57RNE97",
            "x:tester",
            "x:a",
            "x:bank-2.example",
            "x:abcdefghijklmnopqrstuvwxyz012345"
        )]
        text: &str,
    ) {
        let party: PartyId = text.parse().unwrap();
        assert_eq!(party.to_string(), text);
        assert_eq!(party.is_x(), text.starts_with("x:"));
        assert_eq!(party.is_uscc(), text.starts_with("uscc:"));
        assert_eq!(serde_json::to_value(party).unwrap(), text);
    }

    #[rstest]
    #[case::no_scheme("91420000737944946L", PartyIdError::Scheme)]
    #[case::scheme_in_upper_case("USCC:91420000737944946L", PartyIdError::Scheme)]
    #[case::unknown_scheme("duns:123456789", PartyIdError::Scheme)]
    #[case::padding(" uscc:91420000737944946L", PartyIdError::Scheme)]
    #[case::code_in_lower_case("uscc:91420000737944946l", PartyIdError::UsccForm)]
    #[case::seventeen("uscc:9142000073794494L", PartyIdError::UsccForm)]
    #[case::nineteen("uscc:91420000737944946LL", PartyIdError::UsccForm)]
    #[case::letter_of_no_code("uscc:91420000737944946I", PartyIdError::UsccForm)]
    #[case::region_of_letters("uscc:91420A00737944946L", PartyIdError::UsccForm)]
    #[case::multi_byte("uscc:9142000073794494é", PartyIdError::UsccForm)]
    #[case::lei_in_lower_case("lei:5493001kjtiigc8y1r12", PartyIdError::LeiForm)]
    #[case::lei_of_nineteen("lei:5493001KJTIIGC8Y1R1", PartyIdError::LeiForm)]
    #[case::lei_multi_byte("lei:5493001KJTIIGC8Y1Ré", PartyIdError::LeiForm)]
    #[case::lei_without_digits("lei:5493001KJTIIGC8Y1RAB", PartyIdError::LeiForm)]
    #[case::no_name("x:", PartyIdError::Name)]
    #[case::name_in_upper_case("x:Tester", PartyIdError::Name)]
    #[case::name_begins_with_digit("x:1st", PartyIdError::Name)]
    #[case::name_of_33("x:abcdefghijklmnopqrstuvwxyz0123456", PartyIdError::Name)]
    #[case::name_with_space("x:a b", PartyIdError::Name)]
    #[case::name_with_underscore("x:a_b", PartyIdError::Name)]
    #[case::empty("", PartyIdError::Scheme)]
    fn any_other_form_is_refused(#[case] text: &str, #[case] error: PartyIdError) {
        assert_eq!(text.parse::<PartyId>(), Err(error));
    }

    #[rstest]
    #[case("uscc:914403001922038217", PartyIdError::UsccCheck { expected: '6', found: '7' })]
    #[case("uscc:91420000737944947L", PartyIdError::UsccOrganisation { expected: '6', found: '7' })]
    #[case("uscc:9144030071526726AG", PartyIdError::UsccOrganisation { expected: 'X', found: 'A' })]
    #[case("lei:5493001KJTIIGC8Y1R13", PartyIdError::LeiCheck { expected: "12".into(), found: "13".into() })]
    #[case("lei:5493001KJTIIGC8Y2601", PartyIdError::LeiCheck { expected: "98".into(), found: "01".into() })]
    fn a_wrong_check_character_is_told_with_the_right_one(
        #[case] text: &str,
        #[case] error: PartyIdError,
    ) {
        assert_eq!(text.parse::<PartyId>(), Err(error));
    }

    #[test]
    fn a_wrong_code_is_refused() {
        assert!("uscc:91350211M0000XUF46".parse::<PartyId>().is_err());
    }

    /// One of the ledger's own names, near to each other or not, or a code.
    fn identifier() -> impl Strategy<Value = String> {
        const CODES: [&str; 3] = [
            "uscc:91350100M000100Y43",
            "uscc:914403001922038216",
            "lei:213800WSGIIZCXF1P572",
        ];
        prop_oneof![
            "x:[a-z][a-z0-9.-]{0,31}",
            "x:a[0a.-]{10,13}",
            proptest::sample::select(&CODES[..]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_is_written(name in "x:[a-z][a-z0-9.-]{0,31}") {
            prop_assert_eq!(name.parse::<PartyId>().unwrap().to_string(), name);
        }

        #[test]
        fn parties_sort_as_they_are_written(a in identifier(), b in identifier()) {
            let (first, second): (PartyId, PartyId) = (a.parse().unwrap(), b.parse().unwrap());
            prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            prop_assert!(PartyId::FIRST < first);
        }

        #[test]
        fn one_wrong_character_of_a_code_is_noticed(at in 0..18_usize, to in 0..31_usize) {
            let right = "91420000737944946L";
            let mut wrong = right.as_bytes().to_vec();
            wrong[at] = USCC_SYMBOLS[to];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(format!("uscc:{wrong}").parse::<PartyId>().is_ok(), wrong == right);
        }

        #[test]
        fn no_text_panics(text in "(uscc|lei|x):.{0,40}") {
            let _ = text.parse::<PartyId>();
        }
    }

    /// Real identifiers, where the corpus is present.
    #[rstest]
    #[case("uscc")]
    #[case("lei")]
    fn the_corpus_agrees(#[case] scheme: &str) {
        let Some(corpus) = std::env::var_os("COUNTERFOIL_CORPUS") else {
            eprintln!("skipped: COUNTERFOIL_CORPUS is not set");
            return;
        };
        let file = Path::new(&corpus).join(format!("vectors/identifiers/{scheme}.json"));
        let vectors: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for (list, expected) in [("valid", true), ("invalid", false)] {
            let rows = vectors[list].as_array().unwrap();
            assert!(!rows.is_empty());
            for row in rows {
                let code = row[scheme].as_str().unwrap();
                let found = format!("{scheme}:{code}").parse::<PartyId>();
                assert_eq!(found.is_ok(), expected, "{code}: {found:?}");
            }
        }
    }
}
