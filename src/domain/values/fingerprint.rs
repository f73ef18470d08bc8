//! Invoice fingerprints: one for each invoice of a seller, however its number is typed.

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::bytes::hex_bytes;
use super::party_id::PartyId;
use super::text::{TextError, refuse_unseen};

/// What is hashed begins with this, so that a fingerprint is never some other hash.
const DOMAIN: &str = "cf-invoice-v1\n";

hex_bytes! {
    /// The fingerprint of one invoice of one seller: SHA-256 of `cf-invoice-v1\n`, the seller, `\n` and
    /// the number in its canonical form.
    pub struct Fingerprint([u8; 32]);
}

/// Why a number has no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Nothing but white space.
    #[error("the invoice number is empty")]
    Empty,
    /// A control or an invisible character.
    #[error("in the invoice number, {0}")]
    Unseen(TextError),
    /// A character without a meaning that everybody shares.
    #[error("the invoice number holds U+{code:04X}, which is not assigned in Unicode {major}.{minor}", code = u32::from(*.0), major = PINNED.0, minor = PINNED.1)]
    Unassigned(char),
}

/// The version of Unicode that decides what is assigned. Normalisation and case of characters that
/// are assigned in one version stay the same in all later ones (Unicode stability policies), so with
/// what is not refused here every machine computes the same, whatever tables it was built with.
const PINNED: (u64, u64, u64) = unicode_properties::UNICODE_VERSION;
const _: () = assert!(
    PINNED.0 == 17 && PINNED.1 == 0,
    "a new Unicode version is a new engine version"
);
const _: () = assert!(
    char::UNICODE_VERSION.0 >= 17,
    "the compiler's case tables are too old"
);
const _: () = assert!(
    unicode_normalization::UNICODE_VERSION.0 >= 17,
    "the normalisation tables are too old"
);

/// The fingerprint of (seller, number): a second invoice of this seller with the same one is the same
/// invoice.
pub fn fingerprint(seller: PartyId, number: &str) -> Result<Fingerprint, FingerprintError> {
    let number = canonical(seller, number)?;
    let hash = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(seller.as_str())
        .chain_update("\n")
        .chain_update(number)
        .finalize();
    Ok(Fingerprint(hash.into()))
}

/// The form in which two ways to type one number are equal: NFKC, upper case, no white space, every dash
/// a hyphen. So a 数电票 number stays as its 20 digits, and an older Chinese invoice is its code and
/// number in one, whatever stood between.
fn canonical(seller: PartyId, number: &str) -> Result<String, FingerprintError> {
    refuse_unseen(number).map_err(FingerprintError::Unseen)?;
    if let Some(unassigned) = number.chars().find(|c| !is_assigned(*c)) {
        return Err(FingerprintError::Unassigned(unassigned));
    }
    let plain: String = number
        .nfkc()
        .flat_map(upper_case)
        .nfkc()
        .filter(|c| !c.is_whitespace())
        .map(|c| if is_dash(c) { '-' } else { c })
        .collect();
    if plain.is_empty() {
        return Err(FingerprintError::Empty);
    }
    Ok(match plain.split_once('-') {
        Some((code, number)) if seller.is_uscc() && is_older_chinese(code, number) => {
            format!("{code}{number}")
        }
        _ => plain,
    })
}

/// The code of an older Chinese invoice has 10 or 12 digits, its number 8.
fn is_older_chinese(code: &str, number: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(code.len(), 10 | 12) && number.len() == 8 && digits(code) && digits(number)
}

/// Private use is nobody's meaning but the sender's, and counts as unassigned.
fn is_assigned(character: char) -> bool {
    !matches!(
        character.general_category(),
        GeneralCategory::Unassigned | GeneralCategory::PrivateUse
    )
}

/// The upper case of a character. One that a later version of Unicode adds is left out: two
/// characters that are no case pair in one version never become one, but a new one may join an old.
fn upper_case(character: char) -> impl Iterator<Item = char> {
    let upper = character.to_uppercase();
    let known = upper.clone().all(is_assigned);
    let (upper, itself) = if known {
        (Some(upper), None)
    } else {
        (None, Some(character))
    };
    upper.into_iter().flatten().chain(itself)
}

/// Unicode's Dash_Punctuation, the minus signs, and the hyphen bullet.
fn is_dash(character: char) -> bool {
    character.general_category() == GeneralCategory::DashPunctuation
        || matches!(character, '\u{2212}' | '\u{02D7}' | '\u{2796}' | '\u{2043}')
}
