//! What contracts/OPERATIONS.md says of an operation, for programs: its example, who signs, and the rules that may refuse
//! it with what each asks. The document is part of the program, so that the two cannot part.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The document.
const DOCUMENT: &str = include_str!("../../contracts/OPERATIONS.md");

/// A rule by which an operation may be refused, and what must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name.
    pub name: &'static str,
    /// What must hold, in the document's words; empty where it says no more than the name.
    pub holds: String,
}

/// What the document says of one operation.
#[derive(Debug)]
pub struct Section {
    /// The operation's name.
    pub name: &'static str,
    /// All of it.
    pub text: &'static str,
    chapter: &'static str,
}

/// Guards that have a name, by which sections ask for them in italics.
struct Guard {
    name: String,
    text: &'static str,
    chapter: &'static str,
}

static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(sections);
static GUARDS: LazyLock<Vec<Guard>> = LazyLock::new(guards);

/// The names of all rules, in order.
pub fn rules() -> &'static BTreeSet<&'static str> {
    static RULES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let all = rules_in(DOCUMENT).into_iter();
        all.map(|rule| rule.name).collect()
    });
    &RULES
}

/// What the document says of an operation; none of one that there is not.
pub fn section(operation: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == operation)
}

/// A body of the operation to be filled in, as JSON; none of an operation that there is not.
pub fn example(operation: &str) -> Option<&'static str> {
    let (_, block) = section(operation)?.text.split_once("```json\n")?;
    block.split_once("\n```").map(|(body, _)| body)
}

/// The rules that are asked of every operation before its own, in the order in which they are judged.
pub fn common_rules() -> Vec<Rule> {
    let judging = chapters().next().map_or("", |(_, text)| text);
    let until = judging.find("**Shared guards**").unwrap_or(judging.len());
    named_once(rules_in(&judging[..until]))
}

impl Section {
    /// The rules that may refuse it beside [`common_rules`], in the order in which the document names them.
    pub fn rules(&self) -> Vec<Rule> {
        named_once(asked(self.text, self.chapter))
    }

    /// Who acts.
    pub fn by(&self) -> String {
        self.said("**By** ", &[". ", ".\n"])
    }

    /// Who else signs; empty where nobody does.
    pub fn also_signs(&self) -> String {
        self.said("*Also signs*: ", &[". **", ".\n"])
    }

    /// The sentence behind a mark, on one line.
    fn said(&self, mark: &str, ends: &[&str]) -> String {
        let behind = self.text.split_once(mark).map_or("", |(_, rest)| rest);
        let end = ends.iter().filter_map(|end| behind.find(end)).min();
        on_one_line(&behind[..end.unwrap_or(0)])
    }
}

/// The parts under headings of the second level, by heading.
fn chapters() -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = DOCUMENT.split("\n## ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap_or((part, "")))
}

fn sections() -> Vec<Section> {
    let of_chapter = |(chapter, text): (&'static str, &'static str)| {
        let parts = text.split("\n### `").skip(1);
        parts.filter_map(move |part| {
            let (name, text) = part.split_once("`\n")?;
            Some(Section {
                name,
                text,
                chapter,
            })
        })
    };
    chapters().flat_map(of_chapter).collect()
}

/// A paragraph that begins with a name in bold or italics holds a guard, with those that follow it until the next;
/// a point of a list that begins with a name in italics holds one by itself.
fn guards() -> Vec<Guard> {
    let mut guards = Vec::new();
    for (chapter, text) in chapters() {
        let text = text.split("\n### ").next().unwrap_or(text);
        let mut begins: Vec<(usize, &str)> = Vec::new();
        for (at, _) in text.match_indices("\n\n").chain(text.match_indices("\n- ")) {
            let paragraph = text[at..].trim_start_matches(['\n', '-', ' ']);
            if let Some(name) = marked(paragraph) {
                begins.push((at, name));
            }
        }
        begins.sort_unstable();
        begins.dedup();
        let ends = begins.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
        let found = begins.iter().zip(ends).map(|((at, name), end)| {
            let all = &text[*at..end];
            let point = all.starts_with("\n- ").then(|| all.find("\n\n")).flatten();
            Guard {
                name: plain(name),
                text: &all[..point.unwrap_or(all.len())],
                chapter,
            }
        });
        guards.extend(found);
    }
    guards
}

/// The name in bold or italics at the beginning of a paragraph.
fn marked(paragraph: &str) -> Option<&str> {
    let bold = paragraph
        .strip_prefix("**")
        .and_then(|rest| rest.split_once("**"));
    let italic = || {
        paragraph
            .strip_prefix('*')
            .and_then(|rest| rest.split_once('*'))
    };
    bold.or_else(italic).map(|(name, _)| name)
}

/// The name of a guard as it is compared: without numbers and case.
fn plain(name: &str) -> String {
    let word = |word: &str| match word.parse::<u32>() {
        Ok(_) => "n".to_owned(),
        Err(_) => word.trim_end_matches('.').to_lowercase(),
    };
    let words: Vec<String> = name.split_whitespace().map(word).collect();
    words.join(" ")
}

/// The rules that a text names, and those of the guards that it asks for.
fn asked(text: &str, chapter: &str) -> Vec<Rule> {
    let mut rules = rules_in(text);
    for name in italics(text) {
        let named = || GUARDS.iter().filter(|guard| guard.name == name);
        let here = named().any(|guard| guard.chapter == chapter);
        let meant = named().filter(|guard| !here || guard.chapter == chapter);
        // What asks for itself by name has said it already.
        for guard in meant.filter(|guard| !guard.text.contains(text)) {
            rules.extend(asked(guard.text, guard.chapter));
        }
    }
    rules
}

/// What stands in italics, which is between single asterisks.
fn italics(text: &str) -> impl Iterator<Item = String> {
    let without_bold = text.split("**").step_by(2);
    without_bold.flat_map(|part| part.split('*').skip(1).step_by(2).map(plain))
}

/// The rules behind arrows, each with the clause before it.
fn rules_in(text: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut before = text.split('→').next().unwrap_or("");
    for part in text.split('→').skip(1) {
        let named = part.trim_start().strip_prefix('`');
        let Some((name, rest)) = named.and_then(|rest| rest.split_once('`')) else {
            before = part;
            continue;
        };
        if let Some(name) = DOCUMENT.find(name).map(|at| &DOCUMENT[at..at + name.len()]) {
            rules.push(Rule {
                name,
                holds: clause(before),
            });
        }
        before = rest;
    }
    rules
}

/// The last clause of a text, without the words that tie it to the one before.
fn clause(text: &str) -> String {
    let text = on_one_line(text);
    let ends = ["; ", ". ", "**: ", "): "];
    let begin = ends
        .iter()
        .filter_map(|end| Some(text.rfind(end)? + end.len()));
    let mut clause = text[begin.max().unwrap_or(0)..].trim();
    for tie in [",", "and ", "nor ", "then ", "- "] {
        clause = clause.strip_prefix(tie).unwrap_or(clause).trim();
    }
    // The name of the guard is no part of what it asks.
    let named = clause
        .strip_prefix('*')
        .and_then(|rest| rest.split_once("*: "));
    let clause = named.map_or(clause, |(_, rest)| rest);
    let clause = clause.trim_end_matches([',', '(', ' ']);
    match clause {
        "and" | "or" => String::new(),
        said => said.to_owned(),
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each rule once, with all that is asked under its name.
fn named_once(rules: Vec<Rule>) -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    for rule in rules {
        match all.iter_mut().find(|known| known.name == rule.name) {
            None => all.push(rule),
            Some(known) if known.holds.is_empty() => known.holds = rule.holds,
            Some(known) if rule.holds.is_empty() || known.holds.contains(&rule.holds) => {}
            Some(known) => known.holds = format!("{}; {}", known.holds, rule.holds),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::registry::REGISTRY;

    #[test]
    fn every_operation_has_an_example_that_it_can_read() {
        for operation in REGISTRY {
            let body = example(operation.name).unwrap_or_else(|| panic!("{}", operation.name));
            let read = (operation.decode)(body);
            assert!(read.is_ok(), "{}: {:?}", operation.name, read.err());
        }
    }

    #[test]
    fn what_is_no_operation_has_no_example() {
        assert_eq!(example("contract"), None);
        assert_eq!(example("contract.nothing"), None);
    }

    fn names(rules: &[Rule]) -> Vec<&str> {
        rules.iter().map(|rule| rule.name).collect()
    }

    #[test]
    fn a_section_gives_its_rules_and_those_of_the_guards_it_asks_for() {
        let open = section("request.open").unwrap().rules();
        // Its own; those of fens that are financeable; those of fens that are disposable, which the former asks for.
        for rule in ["reveal", "request.mixed", "fens.locked", "claim.cutoff"] {
            assert!(names(&open).contains(&rule), "{rule} of {open:?}");
        }
        let waive = section("claim.waive").unwrap().rules();
        assert!(!names(&waive).contains(&"claim.cutoff"), "{waive:?}");
    }

    #[test]
    fn a_guard_of_the_same_chapter_is_meant_first() {
        let propose = section("contract.propose").unwrap().rules();
        assert!(names(&propose).contains(&"contract.days"));
        assert!(!names(&propose).contains(&"offer.fees"));
        let make = section("offer.make").unwrap().rules();
        assert!(names(&make).contains(&"offer.fees"));
    }

    #[test]
    fn a_rule_says_what_must_hold() {
        let accept = section("account.attest").unwrap().rules();
        let holds = |name: &str| {
            let rule = accept.iter().find(|rule| rule.name == name).unwrap();
            rule.holds.clone()
        };
        assert_eq!(holds("account.not_bank"), "the actor is its bank");
        assert_eq!(
            holds("account.not_added"),
            "it is added and its end lies ahead"
        );
    }

    #[test]
    fn every_operation_says_who_acts() {
        for operation in REGISTRY {
            let section = section(operation.name).unwrap();
            assert!(!section.by().is_empty(), "{}", operation.name);
        }
        let admit = section("party.admit").unwrap();
        assert_eq!(admit.by(), "the operator");
        assert_eq!(
            admit.also_signs(),
            "the new key; the party of `vouched_by`, if named"
        );
    }

    #[test]
    fn every_operation_is_judged_by_the_common_rules_first() {
        let common = common_rules();
        let first = [
            "payload.malformed",
            "operation.unknown",
            "payload.not_canonical",
        ];
        assert_eq!(names(&common)[..3], first);
        assert!(names(&common).contains(&"signature.missing"));
        assert!(names(&common).contains(&"unknown_object"));
        assert!(!names(&common).contains(&"amount.zero"));
    }
}
