//! Who: identifiers of parties, with their check characters.

use std::fmt;
use std::str::FromStr;

use crate::domain::wire::serde_as_string;

/// Longer than any identifier.
const LENGTH_AT_MOST: usize = 39;

/// A party's identifier, in its one spelling: `uscc:` and a unified social credit code (GB 32100-2015),
/// `lei:` and a legal entity identifier (ISO 17442), or `x:` and a name of the ledger's own. Both
/// check characters of a code and both check digits of an LEI are right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId {
    // Zeros fill the rest, and the bytes come before the length: so the derived order is the string's.
    bytes: [u8; LENGTH_AT_MOST],
    length: u8,
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
    /// The identifier as it is written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length.into()]).expect("a PartyId is ASCII")
    }

    /// Whether this is a name of the ledger's own, which no supplier or debtor can have.
    pub fn is_x(&self) -> bool {
        self.as_str().starts_with("x:")
    }

    /// Whether this is a unified social credit code.
    pub fn is_uscc(&self) -> bool {
        self.as_str().starts_with("uscc:")
    }
}

impl FromStr for PartyId {
    type Err = PartyIdError;

    fn from_str(text: &str) -> Result<PartyId, PartyIdError> {
        match text.split_once(':') {
            Some(("uscc", code)) => check_uscc(code)?,
            Some(("lei", code)) => check_lei(code)?,
            Some(("x", name)) => check_name(name)?,
            _ => return Err(PartyIdError::Scheme),
        }
        let mut bytes = [0; LENGTH_AT_MOST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).map_err(|_| PartyIdError::Scheme)?;
        Ok(PartyId { bytes, length })
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.as_str())
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

serde_as_string!(PartyId, "a party, for example uscc:91420000737944946L");

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

fn check_lei(code: &str) -> Result<(), PartyIdError> {
    if !code
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    {
        return Err(PartyIdError::LeiForm);
    }
    let digits = |digits: [u8; 2]| digits.map(char::from).iter().collect();
    match lei::parse(code) {
        Ok(_) => Ok(()),
        Err(lei::LEIError::IncorrectCheckDigits { was, expected }) => Err(PartyIdError::LeiCheck {
            expected: digits(expected),
            found: digits(was),
        }),
        Err(_) => Err(PartyIdError::LeiForm),
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
