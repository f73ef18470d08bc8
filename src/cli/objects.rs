//! The objects of a ledger, each a command with its verbs: the operations of the registry, the reads of the API, and
//! what is done to it on this machine.

use clap::builder::StyledStr;
use clap::{ArgMatches, Command};

use super::invoice_check::InvoiceCheck;
use super::invoice_import::InvoiceImport;
use super::read::{Claims, Payoff, Show, ShowOperation};
use super::{Failure, key, list, operate, status};
use crate::domain::registry::{REGISTRY, Registered, operation};

/// What each object is, in the order of a receivable's life.
pub(super) const OBJECTS: &[(&str, &str)] = &[
    (
        "key",
        "Make and keep signing keys, and say which of them act for a party",
    ),
    ("party", "Admit parties and see who takes part"),
    ("policy", "Say who of a party signs what"),
    (
        "account",
        "Bank accounts to be paid at, attested by their bank",
    ),
    ("contract", "Contracts between a supplier and a debtor"),
    (
        "delivery",
        "What was delivered under a contract, and accepted",
    ),
    (
        "invoice",
        "Check, import, issue, attest and credit invoices",
    ),
    (
        "receivable",
        "Register, confirm, dispute and read receivables",
    ),
    ("claim", "The fens of a receivable that a party holds"),
    ("transfer", "Pass fens on in payment of a debt"),
    ("limit", "How much a lender finances of whom"),
    ("request", "Ask lenders for offers"),
    (
        "offer",
        "Offer financing, open or under seal, and accept it",
    ),
    ("financing", "Financings that were agreed"),
    ("leg", "Announce, attest and contest payments"),
    (
        "obligation",
        "What is owed beside receivables: interest, fees, refunds",
    ),
    (
        "operation",
        "What became of an operation, and taking one back",
    ),
    (
        "ledger",
        "Which ledger is served and how it is, and upgrading it",
    ),
    ("rulebook", "Publish the law's parameters as data"),
];

/// What `init` alone does.
const NOT_A_VERB: &str = "ledger.create";

/// The operations on an object.
fn operations(object: &str) -> impl Iterator<Item = &'static Registered> {
    REGISTRY.iter().filter(move |one| {
        let of = one.name.split_once('.').map(|(of, _)| of);
        of == Some(object) && one.name != NOT_A_VERB
    })
}

/// The list of an object's kind.
fn plural(object: &str) -> String {
    match object.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{object}s"),
    }
}

/// The command of an object.
pub(super) fn command(object: &'static str, about: &'static str) -> Command {
    let mut command = Command::new(object)
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true);
    command = match object {
        "key" => key::verbs(command),
        "ledger" => command.subcommand(status::command()),
        "operation" => {
            command.subcommand(verb::<ShowOperation>("show", "The receipt of an operation"))
        }
        "invoice" => command
            .subcommand(verb::<InvoiceCheck>(
                "check",
                "Check documents, print their fields and say what is wrong",
            ))
            .subcommand(verb::<InvoiceImport>(
                "import",
                "Put a valid document on a served ledger: its facts and its digest",
            )),
        _ => command,
    };
    command = command.subcommands(operations(object).map(operate::command));
    if let Some(kind) = list::kind(&plural(object)) {
        command = command.subcommand(list::command(kind, "list", &format!("{object} list")));
        if list::has_objects(kind) {
            let about = format!("One {object}, with all that the party may read of it");
            let id = example_id(object);
            let example = format!("Example: counterfoil {object} show {id} --as NAME");
            command = command.subcommand(verb::<Show>("show", about).after_help(example));
        }
    }
    if object == "receivable" {
        let claims = verb::<Claims>("claims", "The fens of a receivable and who is owed them");
        let payoff = verb::<Payoff>("payoff", "Whom to pay how much on a day, and where to");
        command = command.subcommand(claims).subcommand(payoff);
    }
    command
}

/// A verb that takes what a type does.
pub(super) fn verb<T: clap::Args>(name: &'static str, about: impl Into<StyledStr>) -> Command {
    // The type says of itself what it is; of the verb that is said here.
    T::augment_args(Command::new(name)).about(about.into())
}

fn example_id(object: &str) -> String {
    let prefix = super::words::prefix_of(&plural(object));
    match prefix {
        Some(prefix) => format!("{prefix}_5fpe3snah561wp2n59pe4c0ed6"),
        None => "uscc:91110108MA01K7C535".to_owned(),
    }
}

/// Does what a verb of an object says.
pub(super) fn run(object: &str, matches: &ArgMatches) -> Result<(), Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::Usage(format!(
            "counterfoil {object} -h names its verbs"
        )));
    };
    match (object, verb) {
        ("key", "new" | "list" | "import" | "export") => key::run(verb, matches),
        ("ledger", "status") => status::run(matches),
        ("operation", "show") => of::<ShowOperation>(matches)?.run(),
        ("invoice", "check") => super::invoice_check::run(&of(matches)?),
        ("invoice", "import") => super::invoice_import::run(&of(matches)?),
        ("receivable", "claims") => of::<Claims>(matches)?.run(),
        ("receivable", "payoff") => of::<Payoff>(matches)?.run(),
        (object, "show") => of::<Show>(matches)?.run(&plural(object)),
        (object, "list") => match list::kind(&plural(object)) {
            Some(kind) => list::run(kind, matches),
            None => Err(Failure::Usage(format!("there is no list of {object}"))),
        },
        _ => match operation(&format!("{object}.{verb}")) {
            Some(operation) => operate::run(operation, matches),
            None => Err(Failure::Usage(format!("no verb {verb} of {object}"))),
        },
    }
}

/// What a verb was called with.
pub(super) fn of<T: clap::FromArgMatches>(matches: &ArgMatches) -> Result<T, Failure> {
    T::from_arg_matches(matches).map_err(|error| Failure::Usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_a_verb_of_an_object_that_says_what_it_is() {
        for operation in REGISTRY {
            let (object, _) = operation.name.split_once('.').unwrap();
            let said = OBJECTS.iter().any(|(name, _)| *name == object);
            assert!(said, "{object} has no line in OBJECTS");
        }
    }
}
