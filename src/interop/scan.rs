//! One pass over the characters of a document that refuses, without building anything, what would make the parsers work too much.

use super::report::RuleHit;

/// The deepest nesting of elements; the parsers recurse once a level.
pub(super) const DEPTH_MAX: usize = 64;
/// The most tags of one document, told by their `<` wherever it stands, since the parser reserves room for each: some two thousand
/// invoice lines.
pub(super) const TAGS_MAX: usize = 100_000;
/// The most attributes of one element; the parser compares each with each.
pub(super) const ELEMENT_ATTRIBUTES_MAX: usize = 32;
/// The most attributes of one document, told by their `=` for the same reason.
pub(super) const ATTRIBUTES_MAX: usize = 100_000;
/// The most namespace declarations in scope anywhere; the parser compares each with each and copies all of them at every declaration.
pub(super) const NAMESPACES_MAX: usize = 64;
/// The most namespace declarations of one document.
pub(super) const DECLARATIONS_MAX: usize = 10_000;

/// Refuses document type declarations and what exceeds the limits above.
///
/// # Errors
///
/// `CF-DTD`, `CF-DEPTH`, `CF-LIMIT`.
pub(super) fn scan(text: &str) -> Result<(), RuleHit> {
    let count = |mark: u8| text.bytes().filter(|byte| *byte == mark).count();
    within(count(b'<'), TAGS_MAX, "tags")?;
    within(count(b'='), ATTRIBUTES_MAX, "attributes")?;
    let (mut declarations, mut namespaces) = (0, 0);
    // The namespace declarations of each open element.
    let mut open: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if let Some(end) = opaque_end(rest) {
            rest = &rest[end..];
            continue;
        }
        if rest.starts_with("<!") {
            return Err(RuleHit::document(
                "CF-DTD",
                "a document type declaration; invoices are read without one, entities are neither expanded nor fetched"
                    .to_owned(),
            ));
        }
        let tag = Tag::read(rest);
        rest = &rest[tag.length..];
        if tag.closes {
            namespaces -= open.pop().unwrap_or(0);
            continue;
        }
        declarations += tag.namespaces;
        within(
            tag.attributes,
            ELEMENT_ATTRIBUTES_MAX,
            "attributes on one element",
        )?;
        within(declarations, DECLARATIONS_MAX, "namespace declarations")?;
        within(
            namespaces + tag.namespaces,
            NAMESPACES_MAX,
            "namespaces in scope",
        )?;
        if !tag.empty {
            namespaces += tag.namespaces;
            open.push(tag.namespaces);
        }
        if open.len() > DEPTH_MAX {
            return Err(RuleHit::document(
                "CF-DEPTH",
                format!("elements nested deeper than {DEPTH_MAX}; no invoice is"),
            ));
        }
    }
    Ok(())
}

/// The length of a comment, CDATA section or processing instruction that `rest` begins with; what is in it is no markup.
fn opaque_end(rest: &str) -> Option<usize> {
    [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")]
        .iter()
        .find(|(open, _)| rest.starts_with(open))
        .map(|(open, close)| {
            let inside = &rest[open.len()..];
            inside
                .find(close)
                .map_or(rest.len(), |at| open.len() + at + close.len())
        })
}

/// What one tag holds, from `<` to `>`.
struct Tag {
    length: usize,
    attributes: usize,
    namespaces: usize,
    closes: bool,
    empty: bool,
}

impl Tag {
    /// Reads the tag `text` begins with; a tag without an end reaches to the end of the text.
    fn read(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut attributes, mut quote, mut at) = (0, None, 1);
        while at < bytes.len() {
            match (quote, bytes[at]) {
                (None, b'>') => break,
                (None, b'=') => attributes += 1,
                (None, q @ (b'"' | b'\'')) => quote = Some(q),
                (Some(open), q) if open == q => quote = None,
                _ => {}
            }
            at += 1;
        }
        let length = (at + 1).min(bytes.len());
        Self {
            length,
            attributes,
            namespaces: text[..length].matches("xmlns").count(),
            closes: bytes.get(1) == Some(&b'/'),
            empty: bytes[at.saturating_sub(1)] == b'/',
        }
    }
}

/// Refuses a count above its limit.
pub(super) fn within(count: usize, most: usize, what: &str) -> Result<(), RuleHit> {
    if count <= most {
        return Ok(());
    }
    Err(RuleHit::document(
        "CF-LIMIT",
        format!("more than {most} {what}; no invoice needs as many"),
    ))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn markup_inside_comments_and_cdata_is_text() {
        let text = "<a><!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE y>]]><?p <!ENTITY z?></a>";
        assert_eq!(scan(text), Ok(()));
    }

    #[rstest]
    #[case::depth("<a>".repeat(DEPTH_MAX + 1), "CF-DEPTH", "nested")]
    #[case::tags("<b/>".repeat(TAGS_MAX + 1), "CF-LIMIT", "tags")]
    #[case::comments("<!---->".repeat(TAGS_MAX + 1), "CF-LIMIT", "tags")]
    #[case::no_tags_at_all(format!("<!--{}-->", "<".repeat(TAGS_MAX)), "CF-LIMIT", "tags")]
    #[case::no_attributes_at_all(format!("<a>{}</a>", "=".repeat(ATTRIBUTES_MAX + 1)), "CF-LIMIT", "attributes")]
    #[case::element_attributes(format!("<a{}/>", " b=''".repeat(ELEMENT_ATTRIBUTES_MAX + 1)), "CF-LIMIT", "on one element")]
    #[case::attributes("<b a='' b='' c=''/>".repeat(ATTRIBUTES_MAX / 3 + 1), "CF-LIMIT", "attributes")]
    #[case::namespaces("<b xmlns:c='d' xmlns:e='f'>".repeat(NAMESPACES_MAX / 2 + 1), "CF-LIMIT", "in scope")]
    #[case::declarations("<b xmlns:c='d'/>".repeat(DECLARATIONS_MAX + 1), "CF-LIMIT", "declarations")]
    fn limits_hold(#[case] text: String, #[case] rule: &str, #[case] word: &str) {
        let hit = scan(&text).unwrap_err();
        assert_eq!(hit.id, rule);
        assert!(hit.message.contains(word), "{}", hit.message);
    }

    #[rstest]
    #[case::depth("<a>".repeat(DEPTH_MAX) + &"</a>".repeat(DEPTH_MAX) + "<a>")]
    #[case::tags("<b/>".repeat(TAGS_MAX))]
    #[case::attributes(format!("<a{}/>", " b='=>'".repeat(ELEMENT_ATTRIBUTES_MAX)))]
    #[case::namespaces("<b xmlns:c='d'>".repeat(NAMESPACES_MAX))]
    #[case::namespaces_out_of_scope("<b xmlns:c='d'></b>".repeat(NAMESPACES_MAX + 1))]
    fn the_limits_themselves_are_allowed(#[case] text: String) {
        assert_eq!(scan(&text), Ok(()));
    }
}
