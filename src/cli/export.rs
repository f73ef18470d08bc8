//! `counterfoil export`, `checkpoint` and `vkey`: what a stranger needs to check a ledger. They read without a lock,
//! beside a running server, and never write to the data folder.

use std::fs::File;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;

use super::{Failure, output};
use crate::chain::levels::TileNodes;
use crate::chain::tiles::{TILE_WIDTH, TileKind, TilePath, encode_bundle, encode_hashes};
use crate::chain::{Hash, Line, Note};
use crate::domain::ops::ledger::NamedKeys;
use crate::store::head::read_head;
use crate::store::recovery::{ReadOnly, read_only};
use crate::store::{Checkpoints, Layout};

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
    /// Write the tree instead, as files that any web server hands out (C2SP tlog-tiles): checkpoint and tiles of hashes
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    tiles: Option<PathBuf>,
    /// With --tiles: the entries too, under tile/entries. They are everybody's trade: hand them to nobody but who audits
    #[arg(long, requires = "tiles")]
    with_entries: bool,
}

/// Writes the lines that the last checkpoint covers, so that the two always fit.
pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let store = open(&args.data)?;
    if let Some(folder) = &args.tiles {
        let witnessed = Layout::new(&args.data.data).witnessed();
        let newest = Checkpoints::newest_in(&witnessed, store.head.checkpoint.size);
        let newest = newest.map_err(|error| Failure::of(witnessed.display(), error))?;
        return export_tiles(&store, newest, folder, args.with_entries);
    }
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

/// Writes the tree under the newest checkpoint that witnesses cosigned, or else under the last. The checkpoint goes last: whoever
/// reads it finds all that it covers.
fn export_tiles(
    store: &ReadOnly,
    witnessed: Option<(u64, Note)>,
    folder: &Path,
    with_entries: bool,
) -> Result<(), Failure> {
    let head = &store.head;
    let (size, note) = witnessed.unwrap_or_else(|| (head.checkpoint.size, head.note.clone()));
    let bar = progress(size, "entries");
    let put = |path: &str, content: &[u8]| -> Result<(), Failure> {
        let file = folder.join(path);
        let parent = file.parent().unwrap_or(folder);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&file, content));
        written.map_err(|error| Failure::of(file.display(), error))
    };
    let mut row: Vec<Hash> = Vec::new();
    for first in (0..size).step_by(TILE_WIDTH as usize) {
        let places = first..size.min(first + TILE_WIDTH);
        let lines: Vec<Line> = store
            .reader
            .entries(places)
            .map(|entry| entry.map(|(_, line)| line))
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::of("an entry", error))?;
        row.extend(lines.iter().map(|line| *line.leaf()));
        if with_entries {
            let bundle = encode_bundle(lines.iter().map(Line::bytes));
            let bundle = bundle.map_err(|error| Failure::of("an entry", error))?;
            put(&tile(TileKind::Entries, first, size)?, &bundle)?;
        }
        bar.inc(lines.len() as u64);
    }
    for level in 0.. {
        if row.is_empty() {
            break;
        }
        let of_level = row.len() as u64 * TILE_WIDTH.pow(level.into());
        for (i, hashes) in row.chunks(TILE_WIDTH as usize).enumerate() {
            let first = i as u64 * TILE_WIDTH;
            put(
                &tile(TileKind::Hashes(level), first, of_level)?,
                &encode_hashes(hashes),
            )?;
        }
        // "Each hash in a tile is the Merkle Tree Hash of a full tile at the level below."
        let full = row.chunks_exact(TILE_WIDTH as usize);
        row = full
            .filter_map(TileNodes::of_full)
            .map(|(_, root)| root)
            .collect();
    }
    put("checkpoint", note.encode().as_bytes())?;
    bar.finish_and_clear();
    Ok(())
}

/// The path of the tile whose first place of its level is `first`, in a tree of `size` leaves.
fn tile(kind: TileKind, first: u64, size: u64) -> Result<String, Failure> {
    let path = TilePath::within(kind, first / TILE_WIDTH, size);
    let path = path.ok_or_else(|| Failure::FoundBad("a tile lies beyond the tree".into()))?;
    Ok(path.to_string())
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

/// Which checkpoint.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: counterfoil checkpoint --data ledger > checkpoint\n\
    For a policy that asks for witnesses: counterfoil checkpoint --data ledger --witnessed > checkpoint\n\
    Of a ledger that has changed its key, for those who know only the earlier one:\n\
    counterfoil checkpoint --data ledger --rekeyed > rekeyed"
)]
pub(crate) struct CheckpointArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Those, one after the other, that an old key and the new one signed when the ledger changed its key
    #[arg(long)]
    rekeyed: bool,
    /// The newest that a quorum of witnesses cosigned
    #[arg(long, conflicts_with = "rekeyed")]
    witnessed: bool,
}

/// Prints the newest signed checkpoint of durable entries, the newest that was witnessed, or those at which the key changed.
pub(crate) fn checkpoint(args: &CheckpointArgs) -> Result<(), Failure> {
    let layout = Layout::new(&args.data.data);
    if args.rekeyed {
        let path = layout.rekeyed();
        let all = Checkpoints::all_in(&path).map_err(|error| Failure::of(path.display(), error))?;
        let text: String = all.iter().map(Note::encode).collect();
        output::text(&text);
        return Ok(());
    }
    if args.witnessed {
        let path = layout.witnessed();
        let newest = Checkpoints::newest_in(&path, u64::MAX);
        let newest = newest.map_err(|error| Failure::of(path.display(), error))?;
        let none = || Failure::FoundBad("no quorum of witnesses has cosigned a checkpoint".into());
        output::text(&newest.ok_or_else(none)?.1.encode());
        return Ok(());
    }
    let head = read_head(&layout).map_err(|error| Failure::of(layout.head().display(), error))?;
    output::text(&head.note.encode());
    Ok(())
}

/// Which keys.
#[derive(Debug, Args)]
#[command(after_help = "Example: counterfoil vkey --data ledger > vkey\n\
    A policy with every key that the ledger has had: counterfoil vkey --data ledger --all | sed 's/^/log /'")]
pub(crate) struct VkeyArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Every key that the ledger has had, in order
    #[arg(long)]
    all: bool,
}

/// Prints the verifier key that counts at the head, or all up to it.
pub(crate) fn vkey(args: &VkeyArgs) -> Result<(), Failure> {
    let data = &args.data.data;
    let mut named = NamedKeys::default();
    let store = read_only(&Layout::new(data), &mut |entry, _| {
        named.take(entry.n(), entry.payload(), |key| entry.is_signed_by(key));
    });
    let store = store.map_err(|error| Failure::of_store(data, &error))?;
    let (_, keys) = named
        .found()
        .ok_or_else(|| Failure::FoundBad("entry 0 names no verifier key".into()))?;
    let size = store.head.checkpoint.size;
    let keys = keys.between(if args.all { 0 } else { size }, size);
    let text: String = keys
        .map(|(_, key)| format!("{}\n", key.vkey.as_str()))
        .collect();
    output::text(&text);
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
