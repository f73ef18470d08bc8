//! Invoices of the real world: a corpus of documents with the verdict of the official rules and the fields an independent reader found.
//!
//! The corpus is not part of the project. `COUNTERFOIL_CORPUS` names its folder; without it these tests say that they skip.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use counterfoil::interop::{Fields, Report, Verdict, check};

/// The folders with invoices.
const FOLDERS: [&str; 3] = ["invoices-ubl", "invoices-cii", "credit-notes"];
/// The fields that are measured.
const MEASURED: [&str; 15] = [
    "number",
    "type",
    "issue",
    "due",
    "currency",
    "seller",
    "buyer",
    "net",
    "tax",
    "gross",
    "payable",
    "order",
    "contract",
    "preceding",
    "iban",
];

/// A row of a table with a header, by column.
type Row = HashMap<String, String>;

struct Case {
    path: PathBuf,
    /// What the official rules, or common sense, say of it.
    expected: String,
    /// The official rules it breaks.
    rules: String,
    /// The fields an independent reader found.
    fields: Option<Row>,
}

impl Case {
    fn name(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap()
    }

    fn check(&self) -> Report {
        check(&std::fs::read(&self.path).unwrap())
    }

    fn is_hostile(&self) -> bool {
        self.name().starts_with("hostile__")
    }
}

/// All documents but the fragments of single rules, or nothing without a corpus.
fn cases() -> Option<Vec<Case>> {
    let Some(root) = std::env::var_os("COUNTERFOIL_CORPUS") else {
        eprintln!("skipped: COUNTERFOIL_CORPUS does not name a corpus");
        return None;
    };
    let folders = FOLDERS.iter().map(|folder| Path::new(&root).join(folder));
    Some(folders.flat_map(|folder| folder_cases(&folder)).collect())
}

fn folder_cases(folder: &Path) -> Vec<Case> {
    let mut fields: HashMap<String, Row> = table(&folder.join("EXPECTED.tsv"))
        .into_iter()
        .map(|row| (row["file"].clone(), row))
        .collect();
    table(&folder.join("SOURCES.tsv"))
        .into_iter()
        .filter(|row| row["expected"] != "testSet")
        .map(|row| Case {
            path: folder.join(&row["file"]),
            expected: row["expected"].clone(),
            rules: row["rules"].clone(),
            fields: fields.remove(&row["file"]),
        })
        .collect()
}

fn table(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|cells| names.iter().cloned().zip(cells).collect())
        .collect()
}

/// The percentage as people read it, rounded down so that it never flatters.
fn percent(part: usize, whole: usize) -> String {
    let tenths = part * 1000 / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[test]
fn verdicts_agree_with_the_official_rules() {
    let Some(cases) = cases() else { return };
    let judged: Vec<&Case> = cases
        .iter()
        .filter(|case| ["valid", "invalid", "reject"].contains(&case.expected.as_str()))
        .collect();
    let differing: Vec<(&Case, Report)> = judged
        .iter()
        .map(|case| (*case, case.check()))
        .filter(|(case, report)| (case.expected == "valid") != (report.verdict == Verdict::Valid))
        .collect();
    let agreed = judged.len() - differing.len();
    println!(
        "verdicts: {agreed} of {} agree ({})",
        judged.len(),
        percent(agreed, judged.len())
    );
    for (case, report) in &differing {
        println!("  {}: {} [{}]", case.name(), case.expected, case.rules);
        println!("    here: {}", report.verdict.as_str());
        for hit in &report.rules {
            println!("      {}: {} at {}", hit.id, hit.message, hit.place);
        }
    }
    assert!(agreed * 100 >= judged.len() * 95);
}

#[test]
fn nothing_marked_reject_flag_or_hostile_is_accepted() {
    let Some(cases) = cases() else { return };
    let accepted: Vec<&str> = cases
        .iter()
        .filter(|case| case.is_hostile() || ["reject", "flag"].contains(&case.expected.as_str()))
        .filter(|case| case.check().verdict == Verdict::Valid)
        .map(Case::name)
        .collect();
    assert_eq!(accepted, Vec::<&str>::new());
}

#[test]
fn hostile_documents_are_refused_at_once_and_in_little_memory() {
    let Some(cases) = cases() else { return };
    for case in cases.iter().filter(|case| case.is_hostile()) {
        let bytes = std::fs::read(&case.path).unwrap();
        let start = Instant::now();
        let report = check(&bytes);
        let taken = start.elapsed();
        assert_eq!(report.verdict, Verdict::Reject, "{}", case.name());
        assert!(
            taken < Duration::from_millis(100),
            "{} took {taken:?}",
            case.name()
        );
        // The data segment of the process, heap and mappings, is held to 64 MiB.
        let status = Command::new("sh")
            .args([
                "-c",
                "ulimit -d 65536 && exec \"$0\" invoice check --json \"$1\"",
            ])
            .arg(env!("CARGO_BIN_EXE_counterfoil"))
            .arg(&case.path)
            .output()
            .unwrap()
            .status;
        assert_eq!(status.code(), Some(1), "{}", case.name());
    }
}

#[test]
fn fields_equal_what_an_independent_reader_found() {
    let Some(cases) = cases() else { return };
    let (mut equal, mut all) = (0, 0);
    let mut differing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.expected == "valid") {
        let (Some(expected), Some(document)) = (&case.fields, case.check().document) else {
            panic!("{} was not read", case.name());
        };
        for (name, value) in document.fields.iter() {
            let same = expected[name] == value;
            if MEASURED.contains(&name) {
                all += 1;
                equal += usize::from(same);
            }
            if !same {
                let found = format!("{}: {:?}, here {value:?}", case.name(), expected[name]);
                differing.entry(name).or_default().push(found);
            }
        }
    }
    println!(
        "fields: {equal} of {all} values equal ({})",
        percent(equal, all)
    );
    for (name, found) in differing {
        println!("  {name} ({} differ)", found.len());
        found.iter().for_each(|found| println!("    {found}"));
    }
    assert!(equal * 100 >= all * 99);
}

/// The name of a document without its syntax, which pairs the versions of an invoice.
fn without_syntax(name: &str) -> String {
    ["uncefact", "cii", "ubl"]
        .iter()
        .fold(name.to_owned(), |name, syntax| name.replace(syntax, "*"))
}

#[test]
fn the_same_invoice_in_both_syntaxes_is_the_same_record() {
    let Some(cases) = cases() else { return };
    let mut versions: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.expected == "valid") {
        versions
            .entry(without_syntax(case.name()))
            .or_default()
            .push(case);
    }
    let found = |case: &Case| {
        Fields::COLUMNS
            .iter()
            .map(|name| case.fields.as_ref().map(|row| row[*name].clone()))
            .collect::<Vec<_>>()
    };
    // Some pairs differ in the documents themselves, which the independent reader shows.
    let pairs: Vec<(&Case, &Case)> = versions
        .into_values()
        .filter_map(|cases| <[&Case; 2]>::try_from(cases).ok())
        .map(|[one, other]| (one, other))
        .filter(|(one, other)| found(one) == found(other))
        .collect();
    println!("{} invoices stand in both syntaxes", pairs.len());
    assert!(!pairs.is_empty());
    for (one, other) in pairs {
        let record = |case: &Case| {
            let document = case.check().document.unwrap();
            (document.fields, document.seller_ids, document.buyer_ids)
        };
        assert_eq!(record(one), record(other), "{}", one.name());
    }
}

#[test]
fn a_document_in_another_encoding_is_the_same_record() {
    let Some(cases) = cases() else { return };
    let plain = cases
        .iter()
        .find(|case| case.name() == "kosit__01.08a-INVOICE_ubl.xml");
    let plain = plain.unwrap().check();
    let encoded: Vec<&Case> = cases
        .iter()
        .filter(|case| case.name().starts_with("enc__"))
        .collect();
    assert!(!encoded.is_empty());
    for case in encoded {
        assert_eq!(case.check().fields(), plain.fields(), "{}", case.name());
    }
}
