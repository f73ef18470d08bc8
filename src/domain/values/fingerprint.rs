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
        .chain_update(seller.to_string())
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
    // Normalised again at the end: upper case and what is left out can bring a letter and its accent together.
    let plain: String = number
        .nfkc()
        .filter(|c| !c.is_whitespace())
        .map(|c| if is_dash(c) { '-' } else { c })
        .flat_map(upper_case)
        .nfkc()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn chinese() -> PartyId {
        "uscc:91420000737944946L".parse().unwrap()
    }

    fn foreign() -> PartyId {
        "lei:5493001KJTIIGC8Y1R12".parse().unwrap()
    }

    #[rstest]
    #[case::en_dash("INV\u{2013}0042")]
    #[case::em_dash("INV\u{2014}0042")]
    #[case::hyphen("INV\u{2010}0042")]
    #[case::non_breaking_hyphen("INV\u{2011}0042")]
    #[case::minus("INV\u{2212}0042")]
    #[case::small_dash("INV\u{FE63}0042")]
    #[case::full_width("ＩＮＶ－００４２")]
    #[case::superscript_minus("INV\u{207B}0042")]
    #[case::hyphen_bullet("INV\u{2043}0042")]
    #[case::lower_case("inv-0042")]
    #[case::mathematical_letters("𝐈𝐍𝐕-0042")]
    #[case::spaces(" INV - 0042 ")]
    #[case::ideographic_space("INV\u{3000}-0042")]
    #[case::no_break_space("INV-\u{A0}0042")]
    fn one_number_has_one_fingerprint_however_it_is_typed(#[case] typed: &str) {
        assert_eq!(
            fingerprint(foreign(), typed),
            fingerprint(foreign(), "INV-0042")
        );
    }

    #[rstest]
    #[case::another_digit("INV-0043")]
    #[case::no_dash("INV0042")]
    #[case::no_zeros("INV-42")]
    #[case::underscore("INV_0042")]
    #[case::cyrillic("INV-0О42")]
    fn another_number_has_another_fingerprint(#[case] other: &str) {
        assert_ne!(
            fingerprint(foreign(), other),
            fingerprint(foreign(), "INV-0042")
        );
    }

    #[test]
    fn a_number_is_unique_for_its_seller_only() {
        assert_ne!(fingerprint(foreign(), "1"), fingerprint(chinese(), "1"));
    }

    #[rstest]
    #[case::fully_digital("25112000000012345678", "25112000000012345678")]
    #[case::in_full_width("２５１１２０００００００１２３４５６７８", "25112000000012345678")]
    #[case::code_of_12("011002000411-12345678", "01100200041112345678")]
    #[case::code_of_10("1100204130 – 12345678", "110020413012345678")]
    #[case::written_in_one("1100204130 12345678", "110020413012345678")]
    #[case::no_such_code("11002041301-12345678", "11002041301-12345678")]
    fn a_chinese_number_is_its_digits(#[case] typed: &str, #[case] plain: &str) {
        assert_eq!(canonical(chinese(), typed).unwrap(), plain);
    }

    #[test]
    fn only_a_chinese_seller_has_code_and_number() {
        assert_eq!(
            canonical(foreign(), "1100204130-12345678").unwrap(),
            "1100204130-12345678"
        );
    }

    #[rstest]
    #[case::zero_width_space("INV\u{200B}-0042")]
    #[case::soft_hyphen("INV\u{AD}0042")]
    #[case::right_to_left_mark("INV\u{200F}-0042")]
    #[case::variation_selector("INV-0042\u{FE0F}")]
    #[case::tab("INV\t0042")]
    fn what_nobody_sees_is_refused(#[case] typed: &str) {
        assert!(matches!(
            fingerprint(foreign(), typed),
            Err(FingerprintError::Unseen(_))
        ));
    }

    #[rstest]
    #[case::unassigned('\u{0378}')]
    #[case::reserved_plane('\u{50000}')]
    #[case::noncharacter('\u{FFFE}')]
    #[case::private_use('\u{E000}')]
    fn what_is_not_assigned_is_refused(#[case] unassigned: char) {
        let error = FingerprintError::Unassigned(unassigned);
        assert_eq!(
            fingerprint(foreign(), &format!("INV{unassigned}")),
            Err(error)
        );
    }

    #[rstest]
    fn nothing_is_no_number(#[values("", " ", "\u{3000}")] typed: &str) {
        assert_eq!(fingerprint(foreign(), typed), Err(FingerprintError::Empty));
    }

    /// SHA-256 of "cf-invoice-v1\nx:tester\nINV-0042", computed with sha256sum.
    #[test]
    fn the_fingerprint_is_a_plain_hash() {
        let tester = "x:tester".parse().unwrap();
        assert_eq!(
            fingerprint(tester, "inv–0042").unwrap().to_string(),
            "b3589b8571f5c8808fa554508fd1d8dd4fb47ffe1e8c98d47c29abd4c1e30ad0"
        );
    }

    #[test]
    fn a_canonical_number_is_its_own_canonical_form() {
        for typed in (char::MIN..=char::MAX)
            .filter(|c| is_assigned(*c))
            .map(|c| format!("i{c}\u{301}"))
        {
            if let Ok(plain) = canonical(chinese(), &typed) {
                assert_eq!(canonical(chinese(), &plain), Ok(plain), "{typed:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn case_makes_no_difference(typed in "[A-Za-zÀ-ÿα-ω0-9 /.-]{1,20}") {
            prop_assert_eq!(canonical(foreign(), &typed), canonical(foreign(), &typed.to_uppercase()));
        }
    }
}
