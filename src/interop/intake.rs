//! From bytes to an XML tree, with every limit applied before the step it protects.

use std::borrow::Cow;
use std::collections::HashSet;

use roxmltree::{Document, Node, ParsingOptions};

use super::report::RuleHit;
use super::scan::{TAGS_MAX, scan, within};

/// The largest document that is read, in bytes. Invoices with attachments stay well below.
pub const SIZE_MAX_BYTES: usize = 10 * 1024 * 1024;
/// The most elements, other than invoice lines, that repeat an earlier sibling; the reader compares each with each.
pub(super) const REPEATS_MAX: usize = 5_000;

/// The elements an invoice may have any number of.
const LINES: [&str; 3] = [
    "InvoiceLine",
    "CreditNoteLine",
    "IncludedSupplyChainTradeLineItem",
];

/// The text of a document, from its bytes: UTF-8, UTF-16 with a byte-order mark, or the ISO-8859-1 or US-ASCII that its declaration
/// names. The mark and the XML declaration are left out, so that what follows is plain UTF-8 whatever the document was.
///
/// # Errors
///
/// `CF-SIZE` and `CF-EMPTY` for the length, `CF-ENCODING` when the bytes are not what mark or declaration say.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, RuleHit> {
    if bytes.len() > SIZE_MAX_BYTES {
        return Err(RuleHit::document(
            "CF-SIZE",
            format!(
                "the document has {} bytes; at most {SIZE_MAX_BYTES} are read",
                bytes.len()
            ),
        ));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(RuleHit::document(
            "CF-EMPTY",
            "the document is empty; an XML invoice was expected".to_owned(),
        ));
    }
    // XML 1.0, 4.3.3: entities encoded in UTF-16 must begin with the byte-order mark.
    let (text, family) = if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        (Cow::Borrowed(utf8(rest)?), "utf-8")
    } else if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        (Cow::Owned(utf16(rest, u16::from_le_bytes)?), "utf-16")
    } else if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        (Cow::Owned(utf16(rest, u16::from_be_bytes)?), "utf-16")
    } else {
        without_mark(bytes)?
    };
    let declared = declared_encoding(&text).map(str::to_ascii_lowercase);
    match declared {
        Some(declared) if declared != family => Err(encoding(format!(
            "the document declares {declared} but is written in {family}"
        ))),
        _ => Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(without_declaration(text)),
            Cow::Owned(text) => Cow::Owned(without_declaration(&text).to_owned()),
        }),
    }
}

/// The tree of a decoded document.
///
/// # Errors
///
/// `CF-DTD`, `CF-DEPTH` and `CF-LIMIT` before anything dear is done, `CF-XML` with line and column when the text is not well-formed.
pub(super) fn parse(text: &str) -> Result<Document<'_>, RuleHit> {
    scan(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        // Every tag may be followed by one run of text.
        nodes_limit: 2 * TAGS_MAX as u32 + 2,
        entity_resolver: None,
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        RuleHit::new(
            "CF-XML",
            format!("not well-formed XML: {error}"),
            format!("line {}, column {}", error.pos().row, error.pos().col),
        )
    })?;
    let repeats: usize = document.descendants().map(repeated_children).sum();
    within(repeats, REPEATS_MAX, "repeated elements besides the lines")?;
    Ok(document)
}

/// How many children have the name of an earlier one, lines left out.
fn repeated_children(node: Node<'_, '_>) -> usize {
    let mut seen = HashSet::new();
    node.children()
        .filter(Node::is_element)
        .map(|child| child.tag_name().name())
        .filter(|name| !LINES.contains(name) && !seen.insert(*name))
        .count()
}

fn encoding(message: String) -> RuleHit {
    RuleHit::document("CF-ENCODING", message)
}

fn utf8(bytes: &[u8]) -> Result<&str, RuleHit> {
    std::str::from_utf8(bytes).map_err(|error| {
        encoding(format!(
            "byte {} is not UTF-8, and no other encoding is declared",
            error.valid_up_to()
        ))
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, RuleHit> {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return Err(encoding("UTF-16 with an odd number of bytes".to_owned()));
    };
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| encoding("UTF-16 with half a surrogate pair".to_owned()))
}

/// A document without a byte-order mark is what its declaration says, else UTF-8.
fn without_mark(bytes: &[u8]) -> Result<(Cow<'_, str>, &'static str), RuleHit> {
    let head = &bytes[..bytes.len().min(200)];
    let head: String = head.iter().copied().map(char::from).collect();
    let declared = declared_encoding(&head)
        .unwrap_or("utf-8")
        .to_ascii_lowercase();
    match declared.as_str() {
        "utf-8" => Ok((Cow::Borrowed(utf8(bytes)?), "utf-8")),
        "us-ascii" if bytes.is_ascii() => Ok((Cow::Borrowed(utf8(bytes)?), "us-ascii")),
        // ISO-8859-1 is the first 256 code points of Unicode.
        "iso-8859-1" => Ok((
            Cow::Owned(bytes.iter().copied().map(char::from).collect()),
            "iso-8859-1",
        )),
        "utf-16" => Err(encoding(
            "UTF-16 must begin with a byte-order mark".to_owned(),
        )),
        other => Err(encoding(format!(
            "the document declares {other}; UTF-8, UTF-16 with a byte-order mark, ISO-8859-1 and US-ASCII are read"
        ))),
    }
}

/// The `encoding` of the XML declaration, if there is one.
fn declared_encoding(text: &str) -> Option<&str> {
    let declaration = text.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(name, _)| name)
}

fn without_declaration(text: &str) -> &str {
    match text.strip_prefix("<?xml ") {
        Some(rest) => rest.split_once("?>").map_or(text, |(_, rest)| rest),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn verdict(bytes: &[u8]) -> Result<(), String> {
        let text = decode(bytes).map_err(|hit| hit.id)?;
        parse(&text).map(|_| ()).map_err(|hit| hit.id)
    }

    fn utf16_bytes(text: &str, mark: [u8; 2], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(unit);
        mark.into_iter().chain(units).collect()
    }

    #[rstest]
    #[case::plain(b"<a>\xC3\xA9</a>".to_vec())]
    #[case::declared(b"<?xml version='1.0' encoding='utf-8'?><a>\xC3\xA9</a>".to_vec())]
    #[case::mark(b"\xEF\xBB\xBF<a>\xC3\xA9</a>".to_vec())]
    #[case::latin1(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>".to_vec())]
    #[case::utf16_le(utf16_bytes("<?xml version='1.0' encoding='UTF-16'?><a>é</a>", [0xFF, 0xFE], u16::to_le_bytes))]
    #[case::utf16_be(utf16_bytes("<a>é</a>", [0xFE, 0xFF], u16::to_be_bytes))]
    fn every_encoding_gives_the_same_text(#[case] bytes: Vec<u8>) {
        assert_eq!(decode(&bytes).unwrap().trim_start(), "<a>é</a>");
        assert_eq!(verdict(&bytes), Ok(()));
    }

    #[rstest]
    #[case::empty(b"", "CF-EMPTY")]
    #[case::blank(b" \r\n", "CF-EMPTY")]
    #[case::not_what_it_declares(
        b"<?xml version='1.0' encoding='UTF-8'?><a>\xE9</a>",
        "CF-ENCODING"
    )]
    #[case::mark_against_declaration(
        b"\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        "CF-ENCODING"
    )]
    #[case::unknown(b"<?xml version='1.0' encoding='EBCDIC'?><a/>", "CF-ENCODING")]
    #[case::utf16_odd(b"\xFF\xFE<", "CF-ENCODING")]
    #[case::utf16_half_pair(b"\xFF\xFE\x00\xD8", "CF-ENCODING")]
    #[case::truncated(b"<a><b>", "CF-XML")]
    #[case::truncated_in_a_tag(b"<a href='", "CF-XML")]
    #[case::two_roots(b"<a/><b/>", "CF-XML")]
    #[case::text_only(b"hello", "CF-XML")]
    #[case::bomb(
        b"<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>",
        "CF-DTD"
    )]
    #[case::external(b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "CF-DTD")]
    #[case::undeclared_entity(b"<a>&c;</a>", "CF-XML")]
    fn hostile_and_broken_bytes_are_refused(#[case] bytes: &[u8], #[case] rule: &str) {
        assert_eq!(verdict(bytes), Err(rule.to_owned()));
    }

    #[test]
    fn a_document_beyond_the_size_is_refused() {
        let hit = decode(&vec![b'a'; SIZE_MAX_BYTES + 1]).unwrap_err();
        assert_eq!(hit.id, "CF-SIZE");
        assert!(decode(&vec![b'a'; SIZE_MAX_BYTES]).is_ok());
    }

    #[test]
    fn only_lines_repeat_without_limit() {
        let with = |child: &str, times: usize| format!("<a>{}</a>", child.repeat(times));
        assert_eq!(verdict(with("<b/>", REPEATS_MAX + 1).as_bytes()), Ok(()));
        assert_eq!(
            verdict(with("<b/>", REPEATS_MAX + 2).as_bytes()),
            Err("CF-LIMIT".to_owned())
        );
        assert_eq!(
            verdict(with("<InvoiceLine/>", REPEATS_MAX + 2).as_bytes()),
            Ok(())
        );
    }
}
