//! A verb for every operation of the registry: `counterfoil receivable confirm`, with a flag for each field of its body.

use std::fs;
use std::io::Read as _;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::{Value, json};

use super::bulk::{self, Many};
use super::fields::{Field, Fields, Form, put};
use super::signing::Signing;
use super::{Failure, output};
use crate::api::manual::example;
use crate::domain::registry::Registered;

/// What an operation does beside what its fields say.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The whole body")]
struct Whole {
    /// The body as JSON, or @FILE, or @- for standard input; the flags of fields go before what it says
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// Print an example of the body, and do nothing
    #[arg(long)]
    example: bool,
    /// Ask the ledger what would become of it, and sign nothing
    #[arg(long)]
    dry_run: bool,
}

/// The verb of an operation.
pub(super) fn command(operation: &'static Registered) -> Command {
    let (_, verb) = operation
        .name
        .split_once('.')
        .unwrap_or(("", operation.name));
    let fields = Fields::of(operation);
    let flags = fields.fields.iter().map(flag);
    let mut command = Command::new(verb).next_help_heading("Fields").args(flags);
    command = Whole::augment_args(command);
    command = Many::augment_args(command);
    command = Signing::augment_args(command);
    command
        .about(operation.summary)
        .after_help(after_help(operation, &fields))
}

/// Does what the verb was called for.
pub(super) fn run(operation: &'static Registered, matches: &ArgMatches) -> Result<(), Failure> {
    let usage = |error: clap::Error| Failure::Usage(error.to_string());
    let whole = Whole::from_arg_matches(matches).map_err(usage)?;
    let many = Many::from_arg_matches(matches).map_err(usage)?;
    let signing = Signing::from_arg_matches(matches).map_err(usage)?;
    let fields = Fields::of(operation);
    if whole.example {
        let body = example(operation.name).unwrap_or("{}");
        output::text(&format!("{body}\n"));
        return Ok(());
    }
    if many.template {
        output::text(&bulk::template(operation, &fields)?);
        return Ok(());
    }
    let given = given(&fields, &whole, matches)?;
    if many.is_asked() {
        return bulk::run(Some(operation), &given, &many, &signing, whole.dry_run);
    }
    let body = complete(operation, &fields, given)?;
    if whole.dry_run {
        return signing.check(operation, &body);
    }
    signing.carry_out(operation, &body)
}

/// A field's flag.
fn flag(field: &Field) -> Arg {
    let name = field.path.replace('_', "-");
    let mut arg = Arg::new(id(field))
        .long(name.clone())
        .help(help(field))
        .value_name(value_name(field));
    if name != field.path {
        arg = arg.alias(field.path.clone());
    }
    arg = match field.list {
        true => arg.action(ArgAction::Append),
        false => arg.action(ArgAction::Set),
    };
    match &field.form {
        Form::Word(words) => arg.value_parser(words.clone()),
        Form::YesNo => arg
            .value_parser(["true", "false"])
            .num_args(0..=1)
            .default_missing_value("true"),
        Form::Whole => arg.allow_negative_numbers(true),
        _ => arg,
    }
}

fn id(field: &Field) -> String {
    format!("field {}", field.path)
}

fn help(field: &Field) -> String {
    let mut help = field.help.trim_end_matches('.').to_owned();
    let name = value_name(field);
    if !field.written.is_empty() && name == "TEXT" {
        help.push_str(&format!(
            " [{}]",
            field.written.split(", without").next().unwrap_or_default()
        ));
    }
    if let Form::Pairs(_) = &field.form {
        help.push_str(&format!(" [{}]", field.written));
    }
    if field.list {
        help.push_str("; as often as there are");
    }
    if !field.required {
        help.push_str(" (may be absent)");
    }
    help
}

/// What stands behind the flag, by how it is written.
fn value_name(field: &Field) -> String {
    let text = |written: &str| {
        let id = written
            .strip_prefix("an id, ")
            .and_then(|rest| rest.split('_').next());
        match (id, written) {
            (Some(prefix), _) => prefix.to_uppercase(),
            (_, day) if day.starts_with("a day") => "YYYY-MM-DD".to_owned(),
            (_, amount) if amount.starts_with("an amount") => "AMOUNT".to_owned(),
            _ => "TEXT".to_owned(),
        }
    };
    match &field.form {
        Form::Text => text(&field.written),
        Form::Word(_) => "WORD".to_owned(),
        Form::Whole => "NUMBER".to_owned(),
        Form::YesNo => "BOOL".to_owned(),
        Form::Pairs(_) => "FIELD=VALUE,…".to_owned(),
        Form::Json => "JSON".to_owned(),
    }
}

/// What `--body` and the flags say.
fn given(fields: &Fields, whole: &Whole, matches: &ArgMatches) -> Result<Value, Failure> {
    let mut body = whole.body.as_deref().map_or(Ok(json!({})), read)?;
    for field in &fields.fields {
        let Some(values) = matches.get_many::<String>(&id(field)) else {
            continue;
        };
        let value = field.read(values.map(String::as_str));
        let value = value.map_err(|misfit| {
            Failure::Usage(format!(
                "--{}: {}",
                misfit.path.replace('_', "-"),
                misfit.what
            ))
        })?;
        put(&mut body, &field.path, value);
    }
    Ok(body)
}

fn read(text: &str) -> Result<Value, Failure> {
    let text = match text.strip_prefix('@') {
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map(|_| text)
                .map_err(|error| Failure::of("standard input", error))?
        }
        Some(file) => fs::read_to_string(file).map_err(|error| Failure::of(file, error))?,
        None => text.to_owned(),
    };
    let body: Value =
        serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("--body: {error}")))?;
    if !body.is_object() {
        return Err(Failure::Usage(
            "--body: a body is a JSON object; --example prints one".into(),
        ));
    }
    Ok(body)
}

/// The body with what can only be one way, or what it lacks.
fn complete(operation: &Registered, fields: &Fields, mut body: Value) -> Result<Value, Failure> {
    fields.complete(&mut body);
    let missing: Vec<String> = fields
        .missing(&body)
        .iter()
        .map(|one| format!("\n  --{:<18} {}", one.path.replace('_', "-"), one.what))
        .collect();
    if missing.is_empty() {
        return Ok(body);
    }
    let verb = operation.name.replace('.', " ");
    Err(Failure::Usage(format!(
        "{verb} lacks{}\n`counterfoil {verb} -h` shows an example",
        missing.concat()
    )))
}

fn after_help(operation: &Registered, fields: &Fields) -> String {
    let verb = operation.name.replace('.', " ");
    let body = example(operation.name).unwrap_or("{}");
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut line = format!("Example: counterfoil {verb} --as NAME");
    for field in &fields.fields {
        let Some(value) = super::fields::at(&body, &field.path) else {
            continue;
        };
        // What is filled in by itself need not be typed.
        if matches!(&field.form, Form::Word(words) if words.len() == 1 && field.required) {
            continue;
        }
        for written in field.write(value) {
            let flag = field.path.replace('_', "-");
            line.push_str(&format!(" \\\n    --{flag} {}", quoted(&written)));
        }
    }
    line
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-.,:=/@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else if text.contains('\'') && !text.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
