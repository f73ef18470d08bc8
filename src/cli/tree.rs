//! The whole command as a tree: objects with their verbs, and what is no object's.

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{ArgMatches, Command, Subcommand};

use super::objects::{self, OBJECTS, of};
use super::{
    Failure, audit, bench, bulk, clock, demo, export, fsck, init, list, manual, monitor, read,
    rekey, serve, signing, verify, witness,
};

/// Colours of help and errors; clap leaves them out for a pipe and under NO_COLOR.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Every command under what it is for, in the order in which a newcomer meets it.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "First steps",
        &["demo", "ledger", "key", "party", "account"],
    ),
    (
        "Trade",
        &["contract", "delivery", "invoice", "receivable", "due"],
    ),
    (
        "Money",
        &[
            "claim",
            "transfer",
            "limit",
            "request",
            "offer",
            "financing",
            "leg",
            "obligation",
        ],
    ),
    (
        "Many lines and several signers",
        &["batch", "sign", "send", "policy", "operation"],
    ),
    (
        "Checking",
        &[
            "events",
            "entry",
            "verify",
            "audit",
            "export",
            "checkpoint",
            "vkey",
            "fsck",
        ],
    ),
    (
        "Running a ledger",
        &[
            "init", "serve", "rekey", "witness", "monitor", "clock", "rulebook", "bench",
        ],
    ),
    ("This command", &["completions", "man"]),
];

const ABOUT: &str = "Procurement contracts and receivables on a signed hash chain: confirmed, split, financed, settled";

const AFTER_HELP: &str = "\
Begin with `counterfoil demo --data story`, which plays a whole story on a ledger of its own; `counterfoil serve \
--data story --clock manual` serves it, then read and act as anybody in it. `counterfoil OBJECT -h` names an object's verbs, `counterfoil OBJECT VERB -h` its flags and an \
example.

COUNTERFOIL_URL, COUNTERFOIL_KEYS and COUNTERFOIL_AS stand for --url, --keys and --as. NO_COLOR is respected.

Exit codes: 0 good, 1 found bad (an invoice, an export, a refused operation), 2 usage, 3 could not run.";

/// What is no object's.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new ledger in an empty folder
    Init(init::Args),
    /// Serve a ledger over HTTP
    Serve(serve::Args),
    /// Prepare another key for the ledger's checkpoints
    Rekey(rekey::Args),
    /// Cosign the checkpoints of logs: a witness
    Witness(witness::WitnessArgs),
    /// Follow a ledger from outside, and raise an alarm when it shows two histories or takes one back
    Monitor(monitor::Args),
    /// Sign and send operations of several kinds, one a line of a file
    Batch(bulk::BatchArgs),
    /// Sign an envelope of a file too
    Sign(signing::SignArgs),
    /// Send the envelopes of a file
    Send(signing::SendArgs),
    /// Print a served ledger's time, or move a drill's
    Clock(clock::Args),
    /// Read what the party was told, entry by entry
    Events(read::Events),
    /// Print the line of an entry that the party was told
    Entry(read::Entry),
    /// Play the sample story on a new drill ledger and print what happened
    Demo(demo::Args),
    /// Verify a receipt, an export or a folder of tiles offline, step by step
    Verify(verify::Args),
    /// Check an export or a data folder: chain, signatures, tree, every rule, every invariant
    Audit(audit::Args),
    /// Write the entries that the last checkpoint covers, a line each
    Export(export::ExportArgs),
    /// Print the last checkpoint
    Checkpoint(export::CheckpointArgs),
    /// Print the key that verifies the ledger's checkpoints
    Vkey(export::VkeyArgs),
    /// Say how far the entries of a data folder verify
    Fsck(fsck::Args),
    /// Measure the ledger on this machine: throughput, latency, memory, growth
    Bench(bench::Args),
    /// Print what a shell needs to complete this command
    Completions(manual::CompletionsArgs),
    /// Print the manual page, or write a page a verb to a folder
    Man(manual::ManArgs),
}

/// The command.
pub(super) fn command() -> Command {
    let root = Command::new("counterfoil")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .styles(STYLES);
    let objects = OBJECTS.iter();
    let root = Verb::augment_subcommands(root)
        .subcommands(objects.map(|(object, about)| objects::command(object, about)));
    let due = list::kind("due").map(|kind| list::command(kind, "due", "due"));
    let root = root.subcommands(due);
    let help = grouped(&root);
    root.about(ABOUT).after_help(AFTER_HELP).help_template(help)
}

/// The help of the root: every command under what it is for.
fn grouped(root: &Command) -> String {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let mut help = "{about}\n\n{usage-heading} {usage}\n".to_owned();
    for (group, names) in GROUPS {
        help.push_str(&format!("\n{header}{group}:{header:#}\n"));
        for name in *names {
            let about = root.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            help.push_str(&format!("  {literal}{name:<12}{literal:#}{about}\n"));
        }
    }
    help + &format!("\n{header}Options:{header:#}\n{{options}}{{after-help}}")
}

/// Does what the command was called for.
pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let (name, own) = matches.subcommand().unwrap_or(("", matches));
    if let Some(kind) = list::kind(name).filter(|_| name == "due") {
        return list::run(kind, own);
    }
    if OBJECTS.iter().any(|(object, _)| *object == name) {
        return objects::run(name, own);
    }
    match of::<Verb>(matches)? {
        Verb::Init(args) => init::run(&args),
        Verb::Serve(args) => serve::run(&args, own),
        Verb::Rekey(args) => rekey::run(&args),
        Verb::Witness(args) => witness::run(&args),
        Verb::Monitor(args) => monitor::run(&args),
        Verb::Batch(args) => args.run(),
        Verb::Sign(args) => signing::sign(&args),
        Verb::Send(args) => signing::send(&args),
        Verb::Clock(args) => clock::run(&args),
        Verb::Events(args) => args.run(),
        Verb::Entry(args) => args.run(),
        Verb::Demo(args) => demo::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Audit(args) => audit::run(&args),
        Verb::Export(args) => export::export(&args),
        Verb::Checkpoint(args) => export::checkpoint(&args),
        Verb::Vkey(args) => export::vkey(&args),
        Verb::Fsck(args) => fsck::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Completions(args) => manual::completions(&args, command()),
        Verb::Man(args) => manual::man(&args, command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands for a text that the shell takes from a file.
    const VKEY: &str = "drill.counterfoil.example/receivables/3a3290727de23248+c852e141+AU6P6v91w+XypnvPO4JbvdXUeOlIitlT1iSNJkglA5rI";

    /// Every command without commands of its own, with the words that lead to it.
    fn leaves(command: &Command, words: &[String], found: &mut Vec<(Vec<String>, Command)>) {
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() {
            found.push((words.to_vec(), command.clone()));
        }
        for one in below {
            let words = [words, &[one.get_name().to_owned()]].concat();
            leaves(one, &words, found);
        }
    }

    fn all() -> Vec<(Vec<String>, Command)> {
        let mut found = Vec::new();
        leaves(&command(), &["counterfoil".to_owned()], &mut found);
        found
    }

    /// The words of a shell's line.
    fn split(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in line.chars() {
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (None, c) if c.is_whitespace() => words.extend(word.take()),
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    /// The command lines of a help text's example: up to the end of the line or of what is joined by a backslash.
    fn example(help: &str) -> Vec<Vec<String>> {
        let (_, rest) = help.split_once("Example: ").unwrap_or_default();
        let rest = rest.replace("\\\n", " ").replace("$(cat vkey.txt)", VKEY);
        let line = rest.lines().next().unwrap_or_default();
        let parts = line.split(" && ").map(|part| {
            let part = part.split(" | ").next().unwrap_or_default();
            split(part.split(" > ").next().unwrap_or_default())
        });
        parts.filter(|words| !words.is_empty()).collect()
    }

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example_that_can_be_typed() {
        let leaves = all();
        assert!(leaves.len() > 80, "{}", leaves.len());
        for (words, leaf) in leaves {
            let help = leaf.get_after_help().map(ToString::to_string);
            let examples = example(&help.unwrap_or_default());
            assert!(!examples.is_empty(), "{words:?} has no example");
            let own = examples.iter().any(|line| line.starts_with(&words));
            assert!(own, "{words:?}: {examples:?}");
            for line in examples.iter().filter(|line| line[0] == "counterfoil") {
                let parsed = command().try_get_matches_from(line);
                assert!(parsed.is_ok(), "{line:?}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn every_command_is_in_one_group_of_the_help() {
        let root = command();
        for one in root.get_subcommands() {
            let groups = GROUPS.iter().flat_map(|(_, names)| *names);
            let count = groups.filter(|name| **name == one.get_name()).count();
            assert_eq!(count, 1, "{}", one.get_name());
        }
        let named = GROUPS.iter().map(|(_, names)| names.len()).sum::<usize>();
        assert_eq!(named, root.get_subcommands().count());
    }

    #[test]
    fn a_newcomer_sees_groups_and_no_colour_in_a_pipe() {
        let help = command().render_help().to_string();
        for part in [
            "First steps:",
            "Trade:",
            "receivable",
            "Exit codes:",
            "Options:",
        ] {
            assert!(help.contains(part), "{part} in {help}");
        }
        assert!(!help.contains('\u{1b}'), "{help}");
    }
}
