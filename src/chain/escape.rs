//! The one escaping of JSON strings used in entries (and nowhere else decided): only `"` `\` and `\b \t \n \f \r` have a short
//! escape, the other C0 controls are `\u00xx` in lower-case hex, all else is raw UTF-8.

/// The letter of the short escape of `byte`, if it has one.
fn short_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => return None,
    })
}

/// The byte whose short escape has this letter, if there is one.
fn short_unescape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' => b'"',
        b'\\' => b'\\',
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'f' => 0x0c,
        b'r' => b'\r',
        _ => return None,
    })
}

/// Whether a byte stands for itself.
fn is_raw(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Most bytes that a byte is escaped to.
pub(super) const ESCAPE_LEN_MAX: usize = 6;

/// Length of `text` in bytes once escaped, without the quotes.
pub(super) fn escaped_len(text: &str) -> usize {
    let more = |byte: u8| match byte {
        _ if is_raw(byte) => 0,
        _ if short_escape(byte).is_some() => 1,
        _ => 5,
    };
    text.len() + text.bytes().map(more).sum::<usize>()
}

/// Appends `text` as a JSON string with its quotes.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let run = rest.iter().take_while(|byte| is_raw(**byte)).count();
        let (raw, after) = rest.split_at(run);
        out.extend_from_slice(raw);
        let Some((byte, after)) = after.split_first() else {
            break;
        };
        match short_escape(*byte) {
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
            None => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    out.push(b'"');
}

/// Reads a string's content up to its closing quote: the text and the bytes it took, quote included. An error is the offset of the
/// first byte that [`push_string`] would not have written there.
pub(super) fn read_string(content: &str) -> Result<(String, usize), usize> {
    let bytes = content.as_bytes();
    let first = bytes.iter().take_while(|byte| is_raw(**byte)).count();
    // A text with escapes is a payload, and most of what is left.
    let mut out = String::with_capacity(match bytes.get(first) {
        Some(b'\\') => content.len(),
        _ => first,
    });
    let mut at = 0;
    loop {
        let run = bytes[at..].iter().take_while(|byte| is_raw(**byte)).count();
        out.push_str(&content[at..at + run]);
        at += run;
        match bytes.get(at) {
            Some(b'"') => return Ok((out, at + 1)),
            Some(b'\\') => {
                let (byte, len) = read_escape(&content[at..]).ok_or(at)?;
                out.push(char::from(byte));
                at += len;
            }
            _ => return Err(at),
        }
    }
}

/// Reads one escape from its backslash on: the byte it stands for and the bytes it took.
fn read_escape(text: &str) -> Option<(u8, usize)> {
    let letter = *text.as_bytes().get(1)?;
    if let Some(byte) = short_unescape(letter) {
        return Some((byte, 2));
    }
    let digits = text.get(1..6)?.strip_prefix("u00")?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    let canonical = byte < 0x20 && short_escape(byte).is_none() && format!("{byte:02x}") == digits;
    canonical.then_some((byte, 6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn escape(text: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_quote_backslash_and_controls_are_escaped() {
        assert_eq!(
            escape("a/\"\\\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}é链\u{2028}"),
            "\"a/\\\"\\\\\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}é链\u{2028}\""
        );
    }

    #[rstest]
    #[case::slash(r#"\/""#)]
    #[case::capital_hex(r#"\u001F""#)]
    #[case::long_form_of_a_short_one(r#"\u000a""#)]
    #[case::printable(r#"\u0041""#)]
    #[case::sign(r#"\u00+1""#)]
    #[case::beyond_ascii(r#"\u00e9""#)]
    #[case::surrogate(r#"\ud83d\ude00""#)]
    #[case::unclosed("")]
    #[case::unclosed_escape("\\")]
    #[case::raw_control("\n\"")]
    #[case::multibyte_in_escape("\\u0é1\"")]
    fn other_spellings_are_refused(#[case] content: &str) {
        assert_eq!(read_string(content), Err(0));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert_eq!(escaped.len(), escaped_len(&text) + 2);
            prop_assert_eq!(read_string(&escaped[1..]), Ok((text, escaped.len() - 1)));
        }
    }
}
