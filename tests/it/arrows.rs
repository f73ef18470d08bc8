//! The arrows between the folders of `src`, and a few rules of tidiness that no lint has.
//!
//! A folder may name only the folders that its row of [`ARROWS`] lists. `crate::folder` is the one way to name another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder, and what it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("chain", &[]),
    ("files", &["chain"]),
    ("outside", &[]),
    ("domain", &[]),
    ("store", &["chain"]),
    ("ledger", &["domain", "chain", "store", "files"]),
    ("proof", &["chain", "domain"]),
    ("gather", &["ledger", "chain", "outside"]),
    ("monitor", &["chain", "outside"]),
    ("witness", &["chain", "files"]),
    ("interop", &["domain"]),
    ("client", &["chain", "domain", "outside"]),
    ("story", &["domain", "client", "chain", "ledger", "interop"]),
    ("api", &["ledger", "domain", "chain", "store", "proof"]),
    (
        "bench",
        &["api", "client", "ledger", "domain", "chain", "store"],
    ),
    (
        "cli",
        &[
            "bench", "gather", "monitor", "client", "story", "interop", "api", "ledger", "domain",
            "chain", "store", "proof", "witness", "files", "outside",
        ],
    ),
    ("main.rs", &["cli"]),
];

/// What tests beside the code may import besides: a server's tests talk to it with the client.
const ARROWS_OF_TESTS: &[(&str, &str)] = &[("api", "client")];

/// What the state machine must not know, or its verdicts would not be the same everywhere.
const NOT_IN_DOMAIN: &[&str] = &[
    "tokio",
    "sled",
    "warp",
    "hyper",
    "ureq",
    "rayon",
    "tracing",
    "getrandom",
    "rand",
    "ed25519_dalek",
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "HashMap",
    "HashSet",
    "f32",
    "f64",
];

/// Licences that suffice; `WITH` an exception only widens one.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "MPL-2.0",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file without comments and, for the strict rules, without its tests.
pub(super) struct Source {
    /// From the root of the package.
    pub(super) path: PathBuf,
    text: String,
}

impl Source {
    /// The folder of `src` it lies in, or its own name.
    fn folder(&self) -> &str {
        self.path
            .iter()
            .nth(1)
            .and_then(|part| part.to_str())
            .unwrap()
    }

    /// Its lines without comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, without_comment(line)))
    }

    /// The same without inline modules that only tests see: they begin in the first column, as rustfmt writes them.
    pub(super) fn code_without_tests(&self) -> Vec<(usize, &str)> {
        let (mut marked, mut inside) = (false, false);
        let mut kept = Vec::new();
        for (n, line) in self.code() {
            if inside {
                inside = line != "}";
            } else if marked && line.contains("mod ") && line.ends_with('{') {
                inside = true;
            } else {
                kept.push((n, line));
            }
            marked = line == "#[cfg(test)]";
        }
        kept
    }

    /// Whether only tests see the file: somewhere above, its module is declared under `#[cfg(test)]`.
    pub(super) fn is_test(&self, all: &[Source]) -> bool {
        all.iter().any(|source| {
            let lines: Vec<&str> = source.text.lines().collect();
            let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
            declared
                .filter_map(|pair| pair[1].rsplit_once("mod ")?.1.strip_suffix(';'))
                .any(|module| {
                    let beside = match source.path.file_name().unwrap().to_str().unwrap() {
                        "mod.rs" | "lib.rs" | "main.rs" => source.path.with_file_name(module),
                        _ => source.path.with_extension("").join(module),
                    };
                    self.path == beside.with_extension("rs") || self.path.starts_with(&beside)
                })
        })
    }
}

/// A `//` within a string would cut the line short, which hides a little code and never invents any; `://` is no comment.
fn without_comment(line: &str) -> &str {
    let begin = line
        .match_indices("//")
        .find(|(at, _)| !line[..*at].ends_with(':'));
    begin.map_or(line, |(at, _)| line[..at].trim_end())
}

pub(super) fn sources(folder: &str) -> Vec<Source> {
    let (mut folders, mut found) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn assert_none(violations: Vec<String>, rule: &str) {
    assert!(violations.is_empty(), "{rule}:\n{}", violations.join("\n"));
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Where a path stands as whole words: with the offset after it.
fn whole<'a>(text: &'a str, path: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(path).filter_map(move |(at, _)| {
        let end = at + path.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let free = |c: Option<char>| !c.is_some_and(is_word);
        (free(before) && free(after)).then_some(end)
    })
}

/// The first words of the branches of a path: of `::a::b` just `a`, of `::{a, b::{c, d}}` both `a` and `b`.
fn branches(rest: &str) -> Vec<String> {
    let Some(rest) = rest.strip_prefix("::") else {
        return Vec::new();
    };
    let word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|c| is_word(*c))
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let (mut depth, mut found) = (0, vec![word(group)]);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(word(&group[at + 1..])),
            _ => {}
        }
    }
    found.retain(|word: &String| !word.is_empty());
    found
}

/// Every folder that a file names by `crate::` or by the crate's own name, with the line.
fn named_folders(source: &Source) -> Vec<(usize, String)> {
    // A `use` may go over several lines; offsets in the joined code are turned back into lines.
    let code: String = source.code().map(|(_, line)| format!("{line}\n")).collect();
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    ["crate", "counterfoil"]
        .iter()
        .flat_map(|root| whole(&code, root))
        .flat_map(|end| {
            branches(&code[end..])
                .into_iter()
                .map(move |folder| (end, folder))
        })
        .map(|(end, folder)| (line_of(end), folder))
        .collect()
}

#[test]
fn arrows_between_folders_point_one_way() {
    let all = sources("src");
    let folders: BTreeSet<&str> = ARROWS.iter().map(|(folder, _)| *folder).collect();
    let mut violations = Vec::new();
    for source in all.iter().filter(|source| source.folder() != "lib.rs") {
        let (path, from) = (source.path.display(), source.folder());
        let Some((_, allowed)) = ARROWS.iter().find(|(folder, _)| *folder == from) else {
            violations.push(format!("{path}: folder {from} has no row in ARROWS"));
            continue;
        };
        for (line, to) in named_folders(source) {
            let in_tests = ARROWS_OF_TESTS.contains(&(from, &to)) && source.is_test(&all);
            let allowed = to == from || allowed.contains(&to.as_str()) || in_tests;
            if folders.contains(to.as_str()) && !allowed {
                violations.push(format!("{path}:{line}: {from} → {to}"));
            }
        }
    }
    assert_none(
        violations,
        "a folder may import only what its row in ARROWS lists",
    );
}

#[test]
fn no_path_climbs_out_of_its_folder_by_super() {
    let mut violations = Vec::new();
    for source in sources("src") {
        // Of src/a/b/c.rs the module is a::b::c, of src/a/b/mod.rs it is a::b.
        let own = usize::from(!source.path.ends_with("mod.rs"));
        let depth = source.path.iter().count() - 2 + own;
        for (n, line) in source.code() {
            let climbs = line.split("super::").count() - 1;
            let inline = usize::from(line.starts_with(' '));
            if line.contains(&"super::".repeat(climbs.max(1))) && climbs >= depth + inline {
                violations.push(format!("{}:{n}: {}", source.path.display(), line.trim()));
            }
        }
    }
    assert_none(
        violations,
        "another folder is named by crate::, so that its arrow is seen",
    );
}

#[test]
fn the_domain_knows_no_clock_no_chance_no_files_and_no_floats() {
    let all = sources("src/domain");
    let mut violations = Vec::new();
    for source in all.iter().filter(|source| !source.is_test(&all)) {
        for (n, line) in source.code_without_tests() {
            for banned in NOT_IN_DOMAIN {
                if whole(line, banned).next().is_some() {
                    violations.push(format!("{}:{n}: {banned}", source.path.display()));
                }
            }
        }
    }
    assert_none(violations, "the state machine is pure");
}

#[test]
fn no_file_has_more_than_600_lines() {
    let all = sources("src").into_iter().chain(sources("tests"));
    let long = all.filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > 600).then(|| format!("{}: {lines}", source.path.display()))
    });
    assert_none(long.collect(), "a file has at most 600 lines");
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["todo!(", "unimplemented!(", "dbg!(", "TODO", "FIXME"];
    let mut violations = Vec::new();
    for source in sources("src") {
        for (n, line) in source.text.lines().enumerate() {
            for mark in marks.iter().filter(|mark| line.contains(*mark)) {
                violations.push(format!("{}:{}: {mark}", source.path.display(), n + 1));
            }
        }
    }
    assert_none(
        violations,
        "what is not done is an issue, not a mark in the code",
    );
}

#[test]
fn unsafe_code_is_forbidden() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    assert_eq!(
        manifest["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
}

/// Whether an SPDX expression is met by [`LICENCES`]. `/` is an old way to write OR.
fn suffices(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(&mut words);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>) -> bool {
    let mut met = both(words);
    while words.next_if_eq(&"OR").is_some() {
        met |= both(words);
    }
    met
}

fn both(words: &mut Words<'_>) -> bool {
    let mut met = one(words);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words);
    }
    met
}

fn one(words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => {
            let met = either(words);
            met && words.next() == Some(")")
        }
        Some(licence) => {
            if words.next_if_eq(&"WITH").is_some() {
                words.next();
            }
            LICENCES.contains(&licence)
        }
        None => false,
    }
}

#[test]
fn licence_expressions_are_read_as_spdx_has_them() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
    ] {
        assert!(suffices(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "GPL-3.0 OR",
        "(GPL-3.0 OR MIT) AND GPL-3.0",
        "MIT MIT",
    ] {
        assert!(!suffices(bad), "{bad}");
    }
}

/// Every crate that is built here, by what `cargo metadata` says of it.
#[test]
fn every_dependency_has_a_licence_that_suffices() {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(rustc.stdout).unwrap();
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let metadata = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--frozen",
            "--filter-platform",
            host,
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "cargo metadata: {said}");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "the whole tree is looked at");
    let violations = packages.iter().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or_default();
        (!suffices(licence))
            .then(|| format!("{} {}: {licence:?}", package["name"], package["version"]))
    });
    assert_none(
        violations.collect(),
        "a licence is none of those that suffice",
    );
}
