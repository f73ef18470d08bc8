//! Bytes in, verdict out.

use en16931::{Severity, profiles};
use en16931_formats::report::{Entry, Kind};
use roxmltree::Node;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::invoice::{Fields, InvoiceDocument, Syntax};
use super::{cen, checks, cii, intake, ubl};

/// The most hits one check reports; to find the line of each takes a pass over the document.
pub(super) const HITS_MAX: usize = 20;

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Keeps every rule.
    Valid,
    /// An invoice that breaks at least one rule.
    Invalid,
    /// Not readable as an invoice at all, or hostile.
    Reject,
}

impl Verdict {
    /// The word for it: `valid`, `invalid` or `reject`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Reject => "reject",
        }
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHit {
    /// The rule: an official id (`BR-CO-10`, `CII-DT-031`, `PEPPOL-EN16931-R051`), or `CF-…` for a rule of this importer.
    pub id: String,
    /// What is wrong, in words.
    pub message: String,
    /// Where: a path in the document or a business term.
    pub place: String,
}

impl RuleHit {
    pub(super) fn new(
        id: impl Into<String>,
        message: impl Into<String>,
        place: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            message: message.into(),
            place: place.into(),
        }
    }

    /// A hit of the document as a whole.
    pub(super) fn document(id: &str, message: String) -> Self {
        Self::new(id, message, "document")
    }
}

/// The outcome of [`check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The verdict; [`Verdict::Valid`] exactly when `rules` is empty.
    pub verdict: Verdict,
    /// The rules broken, in the order they were checked.
    pub rules: Vec<RuleHit>,
    /// What looks wrong but breaks no rule.
    pub warnings: Vec<RuleHit>,
    /// The invoice as read, unless the verdict is [`Verdict::Reject`].
    pub document: Option<InvoiceDocument>,
}

impl Report {
    /// The fields, where the document could be read.
    #[must_use]
    pub fn fields(&self) -> Option<&Fields> {
        self.document.as_ref().map(|document| &document.fields)
    }

    /// The ids of the broken rules, each once, in the order they were checked.
    #[must_use]
    pub fn rule_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = Vec::new();
        for hit in &self.rules {
            if !ids.contains(&hit.id.as_str()) {
                ids.push(&hit.id);
            }
        }
        ids
    }

    fn reject(hit: RuleHit) -> Self {
        Self {
            verdict: Verdict::Reject,
            rules: vec![hit],
            warnings: Vec::new(),
            document: None,
        }
    }
}

/// Reads and checks an invoice or credit note. Never fails and never panics: what cannot be read is [`Verdict::Reject`] with the reason.
/// Nothing is fetched and no entity is expanded.
#[must_use]
pub fn check(bytes: &[u8]) -> Report {
    judge(bytes).unwrap_or_else(Report::reject)
}

fn judge(bytes: &[u8]) -> Result<Report, RuleHit> {
    let text = intake::decode(bytes)?;
    let tree = intake::parse(&text)?;
    let root = tree.root_element();
    let syntax = syntax_of(root)?;
    let reading = match syntax {
        Syntax::Ubl => ubl::read(root),
        Syntax::Cii => cii::read(root),
    };
    let document = InvoiceDocument {
        syntax,
        profile: reading.profile,
        fields: reading.fields,
        seller_ids: reading.seller_ids,
        buyer_ids: reading.buyer_ids,
        digest: Sha256::digest(bytes).into(),
    };
    let warnings = checks::warnings(root, &document);
    let mut rules = checks::values(root, syntax);
    // What is no number has no sum and what is no day no order: the rules on meaning are for documents whose values are values.
    if rules.is_empty() {
        rules.extend(checks::policy(root, &document));
        rules.extend(cen::binding(root, &document));
        drop(tree); // the library builds its own
        rules.extend(semantics(&text, syntax)?);
    }
    Ok(Report {
        verdict: if rules.is_empty() {
            Verdict::Valid
        } else {
            Verdict::Invalid
        },
        rules,
        warnings,
        document: Some(document),
    })
}

/// The syntax by the name and namespace of the document element.
fn syntax_of(root: Node<'_, '_>) -> Result<Syntax, RuleHit> {
    let (name, namespace) = (
        root.tag_name().name(),
        root.tag_name().namespace().unwrap_or_default(),
    );
    match (name, namespace) {
        ("Invoice", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2")
        | ("CreditNote", "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2") => {
            Ok(Syntax::Ubl)
        }
        (
            "CrossIndustryInvoice",
            "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        ) => Ok(Syntax::Cii),
        _ => Err(RuleHit::document(
            "CF-ROOT",
            format!(
                "the document element is {name} in namespace \"{namespace}\"; a UBL 2.1 Invoice or CreditNote or a CII \
                 CrossIndustryInvoice was expected"
            ),
        )),
    }
}

/// The rules of EN 16931 on its semantic model.
fn semantics(text: &str, syntax: Syntax) -> Result<Vec<RuleHit>, RuleHit> {
    let read = en16931_formats::read(text.as_bytes())
        .map_err(|error| RuleHit::document("CF-XML", error.to_string()))?;
    let unread = read
        .entries
        .iter()
        .filter(|entry| entry.level() == Severity::Fatal)
        .map(unread);
    let findings = profiles::EN16931.validate(&read.invoice);
    let broken = findings
        .fatal()
        .filter(|finding| cen::stands(&finding.rule, syntax))
        .map(|finding| {
            let detail = finding.detail.as_ref().map_or(String::new(), |detail| {
                format!(" (computed {}, stated {})", detail.expected, detail.actual)
            });
            RuleHit::new(
                finding.rule.as_str(),
                format!("{}{detail}", finding.message),
                finding.path.to_string(),
            )
        });
    Ok(unread.chain(broken).collect())
}

/// What the schema forbids and the reader therefore left out.
fn unread(entry: &Entry) -> RuleHit {
    let id = entry.rule.as_deref().unwrap_or(match entry.kind {
        Kind::Duplicate => "CF-ONCE",
        Kind::Malformed => "CF-VALUE",
        _ => "CF-SCHEMA",
    });
    let value = entry
        .value
        .as_ref()
        .map_or(String::new(), |value| format!(" (found {value:?})"));
    RuleHit::new(id, format!("{}{value}", entry.message), entry.path.as_str())
}
