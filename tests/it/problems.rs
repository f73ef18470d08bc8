//! Every code of a problem is documented, and every documented one is answered by some code.

use std::collections::BTreeSet;

use counterfoil::api::codes;
use counterfoil::api::openapi::document;
use serde_json::Value;

use super::arrows::sources;

/// Lines of code outside of tests that may answer with a problem; not the list itself.
fn code() -> String {
    let mut all = String::new();
    for folder in ["src/api", "src/ledger", "src/chain", "src/domain"] {
        let sources = sources(folder);
        let sources = sources
            .iter()
            .filter(|source| !source.is_test(&sources) && !source.path.ends_with("api/codes.rs"));
        for source in sources {
            for (_, line) in source.code_without_tests() {
                all.push_str(line);
                all.push('\n');
            }
        }
    }
    all
}

#[test]
fn every_documented_code_has_a_place_in_the_code() {
    let code = code();
    let listed = codes::ALL.iter().copied().flatten();
    let unused: BTreeSet<&str> = listed
        .map(|listed| listed.name)
        .filter(|name| !code.contains(&format!("\"{name}\"")))
        .collect();
    assert!(unused.is_empty(), "nothing answers with {unused:?}");
}

/// What a call of a problem's constructor names as its code, where it is a literal.
fn named_by_calls(code: &str) -> BTreeSet<&str> {
    let calls = [
        "Problem::new(",
        "Problem::bad_request(",
        "Problem::unauthorized(",
        "Problem::unavailable(",
    ];
    let mut names = BTreeSet::new();
    for call in calls {
        for (at, _) in code.match_indices(call) {
            // The code is the first literal; a status may stand before it.
            let arguments = &code[at + call.len()..];
            let literal = arguments.split('"').nth(1);
            names.extend(literal.filter(|name| name.contains('.') && !name.contains(' ')));
        }
    }
    names
}

#[test]
fn every_code_in_the_code_is_documented() {
    let code = code();
    let named = named_by_calls(&code);
    assert!(named.len() > 20, "{named:?}");
    let listed: BTreeSet<&str> = codes::ALL
        .iter()
        .copied()
        .flatten()
        .map(|code| code.name)
        .collect();
    let missing: Vec<_> = named.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "src/api/codes.rs lists none of {missing:?}"
    );
}

#[test]
fn a_code_of_one_status_is_listed_once_in_a_group_and_says_what_it_is() {
    for group in codes::ALL {
        let names: BTreeSet<_> = group.iter().map(|code| (code.status, code.name)).collect();
        assert_eq!(names.len(), group.len(), "{group:?}");
        for code in *group {
            assert!(
                !code.about.is_empty() && !code.about.ends_with('.'),
                "{code:?}"
            );
        }
    }
}

/// The codes that a path's answer of a status may have.
fn codes_of(responses: &Value, status: u16) -> Vec<&str> {
    let schema = &responses[status.to_string()]["content"]["application/problem+json"]["schema"];
    let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array();
    codes
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[test]
fn every_listed_code_is_one_of_some_path() {
    let paths = document()["paths"].as_object().unwrap();
    let listed = codes::ALL
        .iter()
        .copied()
        .filter(|group| *group != codes::METHOD);
    for code in listed.flatten() {
        let mut responses = paths.values().flat_map(|methods| {
            let methods = methods.as_object().unwrap();
            methods.values().map(|method| &method["responses"])
        });
        let met = responses.any(|responses| codes_of(responses, code.status).contains(&code.name));
        assert!(met, "no path says that it may answer {code:?}");
    }
}

#[test]
fn a_problem_says_what_each_code_means() {
    let said = &document()["components"]["schemas"]["Problem"]["x-codes"];
    assert_eq!(
        said["query.limit"]["400"],
        "`limit` is no number, 0, or more than a page or file may have"
    );
    assert_eq!(
        said["key.unknown"]["401"],
        "the signature is not by a live key of the party"
    );
}
