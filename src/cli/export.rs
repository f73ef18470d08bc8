//! `counterfoil export`, `checkpoint` and `vkey`: what a stranger needs to check a ledger. They read without a lock,
//! beside a running server, and never write to the data folder.

use std::fs::File;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use super::{Failure, output};
use crate::store::Layout;
use crate::store::head::read_head;
use crate::store::recovery::{ReadOnly, read_only};

/// A data folder to read.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The ledger's data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// What to export, and where to.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: counterfoil export --data ledger -o chain.jsonl\n\
    Each line is an entry; its SHA-256 with a zero byte before it is `prev` of the next:\n\
    (printf '\\0'; head -n 1 chain.jsonl | tr -d '\\n') | sha256sum"
)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The file to write; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the lines that the last checkpoint covers, so that the two always fit.
pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let store = open(&args.data)?;
    let size = store.head.checkpoint.size;
    let bar = progress(size, "entries");
    let lines = store.reader.entries(0..size);
    let write = |out: &mut dyn Write| -> Result<(), Failure> {
        let to = args
            .output
            .as_ref()
            .map_or("standard output".into(), |path| path.display().to_string());
        for entry in lines {
            let (_, line) = entry.map_err(|error| Failure::of(args.data.data.display(), error))?;
            let written = out
                .write_all(line.bytes())
                .and_then(|()| out.write_all(b"\n"));
            written.map_err(|error| Failure::of(&to, error))?;
            bar.inc(1);
        }
        out.flush().map_err(|error| Failure::of(&to, error))
    };
    match &args.output {
        Some(path) => {
            let file = File::create(path).map_err(|error| Failure::of(path.display(), error))?;
            write(&mut BufWriter::new(file))?;
        }
        None => write(&mut BufWriter::new(Piped(std::io::stdout().lock())))?,
    }
    bar.finish_and_clear();
    Ok(())
}

/// Standard output; a reader that has seen enough (`| head`) is no error.
struct Piped(StdoutLock<'static>);

impl Write for Piped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// Prints the newest signed checkpoint of durable entries.
pub(crate) fn checkpoint(args: &DataArgs) -> Result<(), Failure> {
    let layout = Layout::new(&args.data);
    let head = read_head(&layout).map_err(|error| Failure::of(layout.head().display(), error))?;
    output::text(&head.note.encode());
    Ok(())
}

/// Prints the verifier key that entry 0 names.
pub(crate) fn vkey(args: &DataArgs) -> Result<(), Failure> {
    let store = open(args)?;
    let (entry, _) = store
        .reader
        .entry(0)
        .map_err(|error| Failure::of(args.data.display(), error))?;
    let payload: serde_json::Value =
        serde_json::from_str(entry.payload()).map_err(|error| Failure::of("entry 0", error))?;
    let vkey = payload["body"]["vkey"].as_str();
    let vkey = vkey.ok_or_else(|| Failure::FoundBad("entry 0 names no verifier key".into()))?;
    output::text(&format!("{vkey}\n"));
    Ok(())
}

fn open(args: &DataArgs) -> Result<ReadOnly, Failure> {
    let layout = Layout::new(&args.data);
    read_only(&layout, &mut |_, _| ()).map_err(|error| Failure::of_store(&args.data, &error))
}

/// A bar on a terminal, nothing in a pipe.
pub(crate) fn progress(length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let template = format!("{{wide_bar}} {{pos}}/{{len}} {what} {{eta}}");
    let style = indicatif::ProgressStyle::with_template(&template);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
