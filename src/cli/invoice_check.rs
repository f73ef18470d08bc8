//! `counterfoil invoice check FILE…`: reads invoices and says what they are worth.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::Failure;
use crate::interop::{Fields, Report, RuleHit, SIZE_MAX_BYTES, Verdict, check};

/// Exit code: every document is valid.
const ALL_VALID: i32 = 0;
/// Exit code: at least one document is not valid.
const SOME_NOT_VALID: i32 = 1;
/// Exit code: a file could not be read, or the output not written.
const COULD_NOT_RUN: i32 = 3;

/// Check invoices and credit notes in UBL or CII.
#[derive(Debug, Args)]
#[command(after_help = "Example: counterfoil invoice check fixtures/invoices/supplier-1.xml")]
pub(crate) struct InvoiceCheck {
    /// The documents to check.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object a line instead of tables.
    #[arg(long)]
    json: bool,
}

/// One document as `--json` writes it.
#[derive(Serialize)]
struct Line<'a> {
    file: String,
    verdict: Verdict,
    rules: Vec<&'a str>,
    fields: Option<&'a Fields>,
}

/// Checks every file and prints what was found; returns the exit code.
#[must_use]
fn exit_code(args: &InvoiceCheck) -> i32 {
    let mut code = ALL_VALID;
    for file in &args.files {
        let told = match read(file) {
            Ok(bytes) => {
                let report = check(&bytes);
                if report.verdict != Verdict::Valid {
                    code = code.max(SOME_NOT_VALID);
                }
                tell(&mut io::stdout().lock(), file, &report, args.json)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            // Nothing more can be said when standard error is gone as well.
            let _ = writeln!(io::stderr(), "{}: {error}", file.display());
            code = COULD_NOT_RUN;
        }
    }
    code
}

/// Checks every file and prints what was found.
pub(crate) fn run(args: &InvoiceCheck) -> Result<(), Failure> {
    // What was wrong with which file has been said.
    match exit_code(args) {
        ALL_VALID => Ok(()),
        SOME_NOT_VALID => Err(Failure::FoundBad(String::new())),
        _ => Err(Failure::CouldNotRun(String::new())),
    }
}

/// The bytes of a file, one more than allowed at most, so that a huge file is refused without reading it whole.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(SIZE_MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn tell(out: &mut impl Write, file: &Path, report: &Report, json: bool) -> io::Result<()> {
    if json {
        let line = Line {
            file: file.display().to_string(),
            verdict: report.verdict,
            rules: report.rule_ids(),
            fields: report.fields(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        return writeln!(out);
    }
    writeln!(out, "{}: {}", file.display(), report.verdict.as_str())?;
    if let Some(fields) = report.fields() {
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(out, "  {name:<22}  {}", printable(value))?;
        }
    }
    tell_hits(out, "broken", &report.rules)?;
    tell_hits(out, "look at", &report.warnings)?;
    writeln!(out)
}

fn tell_hits(out: &mut impl Write, word: &str, hits: &[RuleHit]) -> io::Result<()> {
    for hit in hits {
        let (message, place) = (printable(&hit.message), printable(&hit.place));
        writeln!(out, "  {word} {}: {message}", hit.id)?;
        writeln!(out, "    at {place}")?;
    }
    Ok(())
}

/// A value of a document for the terminal: control characters, which could steer it, are shown as blanks.
pub(super) fn printable(value: &str) -> String {
    value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8], json: bool) -> String {
        let mut out = Vec::new();
        tell(&mut out, Path::new("a.xml"), &check(bytes), json).unwrap();
        String::from_utf8(out).unwrap()
    }

    const INVOICE: &[u8] = include_bytes!("../../fixtures/invoices/supplier-1.xml");

    #[test]
    fn json_is_one_object_a_line_with_the_fields_by_their_columns() {
        let line = told(INVOICE, true);
        assert_eq!(line.lines().count(), 1);
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["file"], "a.xml");
        assert_eq!(object["verdict"], "valid");
        assert_eq!(object["rules"], serde_json::json!([]));
        assert_eq!(object["fields"]["payable"], "600000.00");
        assert_eq!(object["fields"]["type"], "380");
        let names: Vec<&str> = Fields::COLUMNS.to_vec();
        assert_eq!(object["fields"].as_object().unwrap().len(), names.len());
        assert!(
            names
                .iter()
                .all(|name| object["fields"].get(*name).is_some())
        );
    }

    #[test]
    fn a_rejected_document_has_no_fields() {
        let object: serde_json::Value = serde_json::from_str(&told(b"<a/>", true)).unwrap();
        assert_eq!(object["verdict"], "reject");
        assert_eq!(object["rules"], serde_json::json!(["CF-ROOT"]));
        assert_eq!(object["fields"], serde_json::Value::Null);
    }

    #[test]
    fn people_read_fields_verdict_and_rules_in_words() {
        let text = told(INVOICE, false);
        assert!(text.starts_with("a.xml: valid\n"), "{text}");
        assert!(text.contains("600000.00"), "{text}");
        let text = told(b"<a>", false);
        assert!(text.contains("broken CF-XML: not well-formed"), "{text}");
    }

    #[test]
    fn a_document_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{9b}31m\u{7}b"), "a 31m b");
    }

    #[test]
    fn the_exit_code_says_the_worst() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("good.xml"), INVOICE).unwrap();
        std::fs::write(path("bad.xml"), b"<a/>").unwrap();
        let code = |names: &[&str]| {
            let files = names.iter().map(|name| path(name)).collect();
            exit_code(&InvoiceCheck { files, json: true })
        };
        assert_eq!(code(&["good.xml"]), ALL_VALID);
        assert_eq!(code(&["bad.xml", "good.xml"]), SOME_NOT_VALID);
        assert_eq!(code(&["missing.xml", "bad.xml"]), COULD_NOT_RUN);
    }
}
