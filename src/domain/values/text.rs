//! Text that people write: bounded, on one line, and without characters that nobody sees.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::wire::schema_of_string;

/// Text of 1 to `MAX` bytes of UTF-8 that neither begins nor ends with white space and holds no
/// control, no line or paragraph separator and no invisible or direction-changing character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(Arc<str>);

/// What a person or a company is called.
pub type Name = Text<200>;
/// A number or reference that somebody else gave, such as a contract's or an invoice's.
pub type Reference = Text<140>;
/// A short name for a thing.
pub type Label = Text<64>;
/// Why something was done.
pub type Reason = Text<500>;

/// Why a text cannot stand here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing in it.
    #[error("the text is empty; leave out what is not known")]
    Empty,
    /// Too long.
    #[error("the text has {found} bytes of UTF-8; at most {at_most} may stand here")]
    TooLong {
        /// The most that may stand here.
        at_most: usize,
        /// What was written.
        found: usize,
    },
    /// White space at an end.
    #[error("the text begins or ends with white space")]
    Padded,
    /// A character that may not stand anywhere.
    #[error("the text holds U+{:04X} at byte {offset}, {what}", u32::from(*.character))]
    Character {
        /// The character.
        character: char,
        /// Where, in bytes from the beginning.
        offset: usize,
        /// Which kind of character it is.
        what: &'static str,
    },
}

impl<const MAX: usize> Text<MAX> {
    /// This text, if it may stand here.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > MAX {
            return Err(TextError::TooLong {
                at_most: MAX,
                found: text.len(),
            });
        }
        refuse_unseen(text)?;
        if text.trim() != text {
            return Err(TextError::Padded);
        }
        Ok(Text(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses the first character that may stand in no text.
pub(super) fn refuse_unseen(text: &str) -> Result<(), TextError> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    match text
        .char_indices()
        .find_map(|(at, c)| unseen(c).map(|what| (at, c, what)))
    {
        None => Ok(()),
        Some((offset, character, what)) => Err(TextError::Character {
            character,
            offset,
            what,
        }),
    }
}

/// What is wrong with a character that may stand in no text: "no C0/C1 controls, DEL, bidi or
/// zero-width characters". The last two are Unicode's Bidi_Control and Default_Ignorable_Code_Point
/// (DerivedCoreProperties, whose ranges already hold what is not yet assigned), and the interlinear
/// annotation characters.
fn unseen(character: char) -> Option<&'static str> {
    match u32::from(character) {
        0x00..=0x1F | 0x7F..=0x9F => Some("a control character"),
        0x2028 | 0x2029 => Some("a line or paragraph separator"),
        0x061C | 0x200E..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069 => {
            Some("a character that changes the direction of writing")
        }
        0x00AD
        | 0x034F
        | 0x115F..=0x1160
        | 0x17B4..=0x17B5
        | 0x180B..=0x180F
        | 0x200B..=0x200D
        | 0x2060..=0x206F
        | 0x3164
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xFFA0
        | 0xFFF0..=0xFFFB
        | 0x1BCA0..=0x1BCA3
        | 0x1D173..=0x1D17A
        | 0xE0000..=0xE0FFF => Some("a character of no width, which nobody sees"),
        _ => None,
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Text::new(text)
    }
}

impl<const MAX: usize> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, to)
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfString<const MAX: usize>;

        impl<const MAX: usize> serde::de::Visitor<'_> for OfString<MAX> {
            type Value = Text<MAX>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(to, "text of 1 to {MAX} bytes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<MAX>, E> {
                Text::new(text).map_err(E::custom)
            }
        }

        from.deserialize_str(OfString)
    }
}

schema_of_string!(Text<MAX>, |schema| {
    schema
    .min_length(Some(1))
    .max_length(Some(MAX))
    .examples(["HT-2026-0417"])
    .description(Some(format!(
        "text of 1 to {MAX} bytes of UTF-8, without control, bidirectional and zero-width characters"
    )))
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    #[rstest]
    fn what_people_write_is_read(
        #[values(
            "a",
            "北京市第一医院",
            "Müller & Söhne GmbH",
            "A/B \"q\" \\ – №7",
            "شركة",
            "𠮷野家",
            "🧾"
        )]
        text: &str,
    ) {
        let name = Name::new(text).unwrap();
        assert_eq!(name.as_str(), text);
        assert_eq!(serde_json::from_value::<Name>(text.into()).unwrap(), name);
    }

    #[rstest]
    #[case::null('\u{0}')]
    #[case::tab('\t')]
    #[case::newline('\n')]
    #[case::del('\u{7F}')]
    #[case::c1('\u{85}')]
    #[case::soft_hyphen('\u{AD}')]
    #[case::combining_grapheme_joiner('\u{34F}')]
    #[case::arabic_letter_mark('\u{61C}')]
    #[case::mongolian_vowel_separator('\u{180E}')]
    #[case::zero_width_space('\u{200B}')]
    #[case::zero_width_non_joiner('\u{200C}')]
    #[case::zero_width_joiner('\u{200D}')]
    #[case::left_to_right_mark('\u{200E}')]
    #[case::right_to_left_mark('\u{200F}')]
    #[case::line_separator('\u{2028}')]
    #[case::paragraph_separator('\u{2029}')]
    #[case::right_to_left_override('\u{202E}')]
    #[case::word_joiner('\u{2060}')]
    #[case::isolate('\u{2066}')]
    #[case::hangul_filler('\u{3164}')]
    #[case::variation_selector('\u{FE0F}')]
    #[case::byte_order_mark('\u{FEFF}')]
    #[case::annotation('\u{FFF9}')]
    #[case::tag('\u{E0041}')]
    fn what_nobody_sees_is_refused(#[case] hidden: char) {
        let refused = Name::new(&format!("a{hidden}b"));
        assert!(
            matches!(refused, Err(TextError::Character { character, offset: 1, .. }) if character == hidden),
            "{refused:?}"
        );
    }

    #[rstest]
    #[case("", TextError::Empty)]
    #[case(" a", TextError::Padded)]
    #[case("a ", TextError::Padded)]
    #[case("a\u{3000}", TextError::Padded)]
    #[case("abcde", TextError::TooLong { at_most: 4, found: 5 })]
    #[case("é中", TextError::TooLong { at_most: 4, found: 5 })]
    fn text_is_bounded_and_not_padded(#[case] text: &str, #[case] error: TextError) {
        assert_eq!(Text::<4>::new(text), Err(error));
    }

    #[test]
    fn exactly_the_most_bytes_are_read() {
        assert!(Text::<4>::new("abcd").is_ok());
        assert!(Text::<4>::new("a中").is_ok());
    }

    /// Of Unicode's format characters only signs that are drawn around or before others are left:
    /// those of Arabic, Syriac, Kaithi and the joiners of hieroglyphs.
    #[test]
    fn no_format_character_is_left_but_what_is_drawn() {
        let drawn = [
            0x600..=0x605,
            0x6DD..=0x6DD,
            0x70F..=0x70F,
            0x890..=0x891,
            0x8E2..=0x8E2,
            0x110BD..=0x110CD,
            0x13430..=0x1343F,
        ];
        for c in (char::MIN..=char::MAX).filter(|c| c.general_category() == GeneralCategory::Format)
        {
            let is_drawn = drawn.iter().any(|range| range.contains(&u32::from(c)));
            assert_eq!(unseen(c).is_none(), is_drawn, "U+{:04X}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in any::<String>()) {
            if let Ok(read) = Name::new(&text) {
                prop_assert_eq!(serde_json::to_value(&read).unwrap(), text);
            }
        }
    }
}
