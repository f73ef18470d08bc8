//! OPERATIONS.md and the code say the same: operations, bodies and rules.

use std::collections::BTreeSet;

use counterfoil::api::manual;
use counterfoil::domain::registry::{REGISTRY, Registered, operation};
use serde_json::{Map, Value};

use super::arrows::sources;

const DOCUMENT: &str = include_str!("../../contracts/OPERATIONS.md");

/// The section of one operation.
struct Section {
    name: &'static str,
    text: &'static str,
}

/// A field of a body as the document has it.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    may_be_absent: bool,
}

/// The sections of the third level, which are those of operations.
fn sections() -> Vec<Section> {
    let parts = DOCUMENT.split("\n### ").skip(1);
    let section = |part: &'static str| {
        let (name, rest) = part.split_once('\n').unwrap();
        let name = in_code_font(name).unwrap_or(name);
        let text = rest.split_once("\n## ").map_or(rest, |(text, _)| text);
        Section { name, text }
    };
    parts.map(section).collect()
}

fn in_code_font(text: &str) -> Option<&str> {
    text.strip_prefix('`')?
        .split_once('`')
        .map(|(name, _)| name)
}

/// Everything in code font within a text.
fn code_font(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the table that begins with this heading, as name and type.
fn table(text: &str, heading: &str) -> Option<Vec<Field>> {
    let (_, rows) = text.split_once(heading)?;
    let rows = rows
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let field = |row: &str| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let name = cells.next().and_then(in_code_font).unwrap();
        let may_be_absent = cells.next().unwrap().ends_with(", opt");
        let name = name.to_owned();
        Field {
            name,
            may_be_absent,
        }
    };
    Some(rows.map(field).collect())
}

impl Section {
    /// The fields of the body: a table, or for a single one a line.
    fn fields(&self) -> Vec<Field> {
        table(self.text, "| field | type |").unwrap_or_else(|| {
            let (_, body) = self.text.split_once("**Body**:").unwrap();
            let name = in_code_font(body.trim_start()).unwrap().to_owned();
            vec![Field {
                name,
                may_be_absent: false,
            }]
        })
    }

    /// The example as it would be signed.
    fn example(&self) -> String {
        let blocks: Vec<&str> = self.text.split("```json\n").skip(1).collect();
        let [block] = blocks[..] else {
            panic!("{} has {} examples", self.name, blocks.len());
        };
        without_space(block.split_once("\n```").unwrap().0)
    }

    fn decode(&self, body: &str) -> Result<String, String> {
        let read = (operation(self.name).unwrap().decode)(body);
        read.map(|act| act.body())
            .map_err(|error| error.to_string())
    }

    /// The fields that the code reads, in its order: it lists them to whoever brings another.
    fn read_fields(&self, body: &str) -> Vec<String> {
        let error = self.decode(body).unwrap_err();
        let (found, expected) = error.split_once(", expected ").unwrap();
        assert_eq!(found, "unknown field `?`", "{}", self.name);
        code_font(expected).map(str::to_owned).collect()
    }
}

/// JSON without the white space that stands outside of strings.
fn without_space(json: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    let kept = |c: &char| {
        let keep = within || !c.is_ascii_whitespace();
        if *c == '"' && !escaped {
            within = !within;
        }
        escaped = *c == '\\' && !escaped;
        keep
    };
    json.chars().filter(kept).collect()
}

fn names(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

/// The rules that code outside of tests refuses by.
fn rules_of_the_code() -> BTreeSet<String> {
    let sources = sources("src/domain");
    let mut rules = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.is_test(&sources)) {
        let lines: Vec<&str> = source
            .code_without_tests()
            .into_iter()
            .map(|(_, line)| line)
            .collect();
        let code = lines.join("\n");
        for (at, call) in code.match_indices("Refusal::new(") {
            let argument = code[at + call.len()..].trim_start();
            let rule = argument
                .strip_prefix('"')
                .and_then(|rest| rest.split_once('"'));
            let path = source.path.display();
            let (rule, _) = rule.unwrap_or_else(|| panic!("{path}: a rule that is no literal"));
            rules.insert(rule.to_owned());
        }
    }
    rules
}

/// The rules behind an arrow.
fn documented_rules() -> BTreeSet<String> {
    let behind = DOCUMENT.split('→').skip(1);
    let rule = |text: &str| in_code_font(text.trim_start()).map(str::to_owned);
    behind.filter_map(rule).collect()
}

#[test]
fn every_operation_has_one_section_in_the_order_of_the_registry() {
    let documented: Vec<&str> = sections().iter().map(|section| section.name).collect();
    let registered: Vec<&str> = REGISTRY.iter().map(|operation| operation.name).collect();
    assert_eq!(documented, registered);
}

const OVERVIEW: &str = "| operation | by | also signs | what it is for |\n|---|---|---|---|\n";

/// A row an operation, of what the registry and the sections say.
fn overview() -> String {
    let row = |operation: &Registered| {
        let section = manual::section(operation.name).unwrap();
        let (name, anchor) = (operation.name, operation.name.replace('.', ""));
        let (by, also) = (section.by(), section.also_signs());
        format!(
            "| [`{name}`](#{anchor}) | {by} | {also} | {} |\n",
            operation.summary
        )
    };
    REGISTRY.iter().map(row).collect()
}

/// `COUNTERFOIL_WRITE=1` writes the table anew.
#[test]
fn the_overview_has_a_row_an_operation() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/OPERATIONS.md");
    let document = std::fs::read_to_string(file).unwrap();
    let (before, rest) = document.split_once(OVERVIEW).unwrap();
    let end = rest.find("\n\n").map_or(rest.len(), |at| at + 1);
    let (kept, after) = rest.split_at(if rest.starts_with('\n') { 0 } else { end });
    let made = overview();
    if std::env::var_os("COUNTERFOIL_WRITE").is_some() {
        std::fs::write(file, format!("{before}{OVERVIEW}{made}{after}")).unwrap();
    } else {
        assert_eq!(kept, made, "write it anew");
    }
}

#[test]
fn every_example_is_a_body_in_canonical_form() {
    for section in sections() {
        let example = section.example();
        assert_eq!(section.decode(&example), Ok(example), "{}", section.name);
    }
}

#[test]
fn every_body_has_the_fields_that_the_code_reads() {
    for section in sections() {
        let fields = section.fields();
        assert_eq!(
            names(&fields),
            section.read_fields(r#"{"?":0}"#),
            "{}",
            section.name
        );
    }
}

/// A field is left out of the example, or may be, exactly where the document says that it may be absent.
#[test]
fn the_fields_that_may_be_absent_are_marked() {
    for section in sections() {
        let example: Map<String, Value> = serde_json::from_str(&section.example()).unwrap();
        for field in section.fields() {
            let mut body = example.clone();
            body.shift_remove(&field.name);
            let body = serde_json::to_string(&body).unwrap();
            let read = section.decode(&body);
            assert_eq!(
                read.is_ok(),
                field.may_be_absent,
                "{} without {}",
                section.name,
                field.name
            );
            assert!(
                read.is_err() || read == Ok(body),
                "{} without {}",
                section.name,
                field.name
            );
        }
    }
}

#[test]
fn the_terms_of_an_offer_are_those_that_the_code_reads() {
    let terms = table(DOCUMENT, "| term | type |").unwrap();
    let sections = sections();
    let make = sections
        .iter()
        .find(|section| section.name == "offer.make")
        .unwrap();
    assert_eq!(
        names(&terms),
        make.read_fields(r#"{"request":"req_1vhrrmns27hwzbmm137gq8j171","offer":{"?":0}}"#)
    );
}

#[test]
fn the_rules_are_those_that_the_code_refuses_by() {
    let (documented, coded) = (documented_rules(), rules_of_the_code());
    let missing: Vec<_> = coded.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&coded).collect();
    assert!(
        missing.is_empty(),
        "refusals that OPERATIONS.md does not name: {missing:?}"
    );
    assert!(
        invented.is_empty(),
        "OPERATIONS.md names rules that nothing refuses by: {invented:?}"
    );
}
