//! Starting a ledger: recover the store, catch up the index, replay every entry, start the threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use crossbeam_channel::{Sender, bounded};
use rayon::prelude::*;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::chain::checkpoint::is_drill;
use crate::chain::note::VkeyError;
use crate::chain::{Checkpoint, CheckpointError, Entry, Levels, Line, SigningKey, Verifier};
use crate::domain::objects::{self, LedgerKey};
use crate::domain::ops::ledger::NamedKeys;
use crate::domain::values::Succession;
use crate::store::quarantine::unacknowledged;
use crate::store::recovery::{NewHead, fsck};
use crate::store::{
    Checkpoints, EntryReader, Index, IndexError, Journal, Layout, OpenError, ReadError, Recovered,
    SegmentJournal, free_space,
};

use super::batch::{Record, record_of};
use super::clock::{Clock, ClockChoice};
use super::committer::{CommitError, Committer};
use super::gate::{FreeBytes, Gate};
use super::handle::{Inner, Ledger};
use super::history::History;
use super::indexer::{self, BATCHES_BEHIND_MAX, Progress};
use super::keyfile::{KeyFileError, KeyFiles};
use super::pipeline::{self, Shared};
use super::replay::{BadEntry, Checks, ReadEntry, Replay, Why};
use super::secrets::{Secrets, SecretsError};
use super::sequencer::Entered;
use super::status::Status;
use super::verify;

/// Entries that the index takes in one go while it catches up.
const RECORDS_AT_ONCE: usize = 4_096;

/// How a ledger is opened.
#[derive(Debug)]
pub struct Config {
    /// Its data directory.
    pub data: PathBuf,
    /// Which clock.
    pub clock: ClockChoice,
    /// Threads that verify signatures; `None` takes one for each core.
    pub verify_threads: Option<usize>,
    /// Opens `ledger.key`, where that is encrypted.
    pub passphrase: Option<Zeroizing<String>>,
}

impl Config {
    /// The ledger in `data` by the machine's clock, its key unencrypted.
    pub fn new(data: impl Into<PathBuf>) -> Config {
        Config {
            data: data.into(),
            clock: ClockChoice::System { confirmed: false },
            verify_threads: None,
            passphrase: None,
        }
    }
}

/// Why a ledger does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store does not open.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// An entry cannot be read although the store opened.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The index cannot be opened or made anew.
    #[error("{0}")]
    Index(#[from] IndexError),
    /// An entry is not as it must be.
    #[error("{0}")]
    Entry(#[from] BadEntry),
    /// Entry 0 is missing.
    #[error("there is no entry 0, ledger.create")]
    NoLedger,
    /// The key file cannot be used.
    #[error("{0}")]
    KeyFile(#[from] KeyFileError),
    /// The key that must sign is not there.
    #[error("{0}")]
    Secrets(#[from] SecretsError),
    /// The ledger's verifier key cannot be read.
    #[error("the ledger's verifier key: {0}")]
    Vkey(#[from] VkeyError),
    /// The head is not this ledger's.
    #[error("head: {0}; move that file away, then `serve --accept-head N` writes it anew")]
    Head(#[from] CheckpointError),
    /// A hand-moved clock was asked for a ledger that is no drill.
    #[error("{origin} is no drill: only a ledger made with `init --drill` takes `--clock manual`")]
    NoDrill {
        /// The ledger.
        origin: String,
    },
    /// The first checkpoint cannot be published.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// Witnesses have cosigned more entries than there are, or others.
    #[error(
        "witnesses have cosigned the first {size} entries of this ledger, and those in {data} are not they: the disk holds an earlier day, or another history. Restore the newest copy", data = data.display()
    )]
    Behind {
        /// Its data directory.
        data: PathBuf,
        /// What was cosigned.
        size: u64,
    },
    /// The witnessed checkpoints cannot be opened.
    #[error("the file `witnessed`: {0}")]
    Witnessed(std::io::Error),
    /// No threads.
    #[error("the threads that verify signatures do not start: {0}")]
    Pool(#[from] rayon::ThreadPoolBuildError),
    /// No threads.
    #[error("a thread does not start: {0}")]
    Thread(std::io::Error),
}

/// A journal with all that it led to, ready to be served.
pub(super) struct Parts {
    pub(super) journal: Box<dyn Journal>,
    pub(super) reader: EntryReader,
    pub(super) replay: Replay,
    pub(super) levels: Levels,
    pub(super) witnessed: Checkpoints,
    pub(super) data: PathBuf,
    pub(super) index: Index,
    pub(super) keys: KeyFiles,
    /// The key that signs, until it gives way.
    pub(super) present: Arc<SigningKey>,
    pub(super) quarantined: Vec<PathBuf>,
    pub(super) verifier: Verifier,
    pub(super) free_bytes: FreeBytes,
    pub(super) clock: ClockChoice,
    pub(super) verify_threads: Option<usize>,
}

impl Ledger {
    /// Opens a ledger and starts its threads. `progress` is told now and then how many are done and how many there are.
    ///
    /// Blocks while it reads all entries. Whoever has another handle of the same ledger drops it first.
    pub fn open(config: Config, progress: &mut dyn FnMut(u64, u64)) -> Result<Ledger, StartError> {
        Ledger::serve(recover(config, progress)?)
    }

    /// Starts the threads.
    pub(super) fn serve(parts: Parts) -> Result<Ledger, StartError> {
        let (sequencer, tree) = parts.replay.finish()?;
        let ledger = sequencer.state().ledger.as_ref();
        let ledger = ledger.ok_or(StartError::NoLedger)?;
        let origin = ledger.origin.as_str().to_owned();
        let head = check_head(&*parts.journal, ledger)?;
        let sizes = (head, sequencer.size());
        let secrets = Secrets::open(parts.keys, parts.present, &ledger.keys, sizes)?;
        let secrets = Arc::new(secrets);
        if parts.clock == ClockChoice::Manual && !is_drill(&origin) {
            return Err(StartError::NoDrill { origin });
        }
        let clock = Arc::new(Clock::start(parts.clock, sequencer.time()));
        let gate = Arc::new(Gate::new(Arc::clone(&clock), parts.free_bytes));
        let mut committer =
            Committer::new(parts.journal, tree, origin.clone(), Arc::clone(&secrets));
        let history = History::new(parts.levels, parts.reader.clone());
        check_witnessed(&parts.witnessed, &history, &parts.data)?;
        let status = Status::new(committer.publish(0)?);
        let shared = Arc::new(Shared::new(
            sequencer,
            status,
            history,
            parts.verifier,
            secrets,
        ));
        let index = Arc::new(parts.index);
        let pool = verify::pool(parts.verify_threads)?;
        let (records, indexed, indexer) = start_indexer(&index).map_err(StartError::Thread)?;
        let mut threads = pipeline::start(&shared, Arc::clone(&gate), committer, records)
            .map_err(StartError::Thread)?;
        threads.push(indexer);
        Ok(Ledger {
            inner: Arc::new(Inner {
                shared,
                pool,
                clock,
                reader: parts.reader,
                witnessed: parts.witnessed,
                index,
                indexed,
                gate,
                again: Arc::default(),
                origin,
                quarantined: parts.quarantined,
                threads: threads.into(),
            }),
        })
    }
}

/// Reads everything there is.
pub(super) fn recover(
    config: Config,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Parts, StartError> {
    let layout = Layout::new(&config.data);
    let keys = KeyFiles::new(&config.data, config.passphrase);
    let present = keys.present()?;
    let Recovered { journal, .. } = SegmentJournal::open(layout.clone(), &mut |_, _| ())?;
    let reader = journal.reader();
    let leaf = |n| reader.leaf(n).ok();
    let opened = Index::open(&layout.index(), layout.lines_per_segment(), &leaf)?;
    if let Some(rebuild) = &opened.rebuild {
        tracing::warn!(reason = %rebuild.reason, aside = %rebuild.aside.display(), "the index is made anew");
    }
    let vouched = journal.head().map_or(0, |head| head.checkpoint.size);
    let verifier = Verifier::new();
    let (replay, levels) = replay(&reader, &opened.index, vouched, &verifier, progress)?;
    let data = config.data;
    Ok(Parts {
        journal: Box::new(journal),
        reader,
        replay,
        levels,
        witnessed: Checkpoints::open(&layout.witnessed()).map_err(StartError::Witnessed)?,
        data: layout.data().to_owned(),
        index: opened.index,
        keys,
        present,
        quarantined: unacknowledged(&layout)?,
        verifier,
        free_bytes: Box::new(move || free_space(&data)),
        clock: config.clock,
        verify_threads: config.verify_threads,
    })
}

/// Takes every entry in again, and hands the index those that it does not cover. The first `vouched` are under the
/// head, signed when they had been verified; behind it nothing but its signatures vouches for an entry.
fn replay(
    reader: &EntryReader,
    index: &Index,
    vouched: u64,
    verifier: &Verifier,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Replay, Levels), StartError> {
    let size = reader.size();
    let mut replay = Replay::new(Checks::Rules);
    let mut levels = Levels::new();
    let mut records: Vec<Record> = Vec::new();
    let entries = reader.entries(0..size).map(|entry| Ok(entry?));
    let read = |some: Vec<(Entry, Line)>| read_all(some, vouched, verifier);
    let took = |entered: Entered| -> Result<(), StartError> {
        levels.append(*entered.line.leaf());
        if entered.line.n() >= index.size() {
            records.push(record_of(entered).1);
        }
        if records.len() == RECORDS_AT_ONCE {
            index.record(&records)?;
            records.clear();
        }
        Ok(())
    };
    replay.take_all(entries, read, took, &mut |n| progress(n, size))?;
    index.record(&records)?;
    Ok((replay, levels))
}

fn read_all(
    mut entries: Vec<(Entry, Line)>,
    vouched: u64,
    verifier: &Verifier,
) -> Vec<Result<ReadEntry, Why>> {
    let unverified = entries.split_off(entries.partition_point(|(entry, _)| entry.n() < vouched));
    let entries = entries.into_par_iter();
    let mut read: Vec<_> = entries
        .map(|(entry, line)| ReadEntry::of(entry, line))
        .collect();
    let unverified = unverified.into_iter().map(Ok).collect();
    read.extend(ReadEntry::verified(unverified, verifier));
    read
}

/// The head must be signed by the key that counts at its size. Returns that.
fn check_head(journal: &dyn Journal, ledger: &objects::Ledger) -> Result<u64, StartError> {
    let Some(head) = journal.head() else {
        return Ok(0);
    };
    let size = head.checkpoint.size;
    let vkey = ledger.keys.at(size).vkey.as_str().parse()?;
    Checkpoint::open(&head.note, &vkey)?;
    Ok(size)
}

/// What witnesses have cosigned, as the ledger itself has kept it, must be what its entries are.
fn check_witnessed(
    witnessed: &Checkpoints,
    history: &History,
    data: &Path,
) -> Result<(), StartError> {
    let Some(note) = witnessed.newest().map_err(StartError::Witnessed)? else {
        return Ok(());
    };
    let Checkpoint { size, root, .. } = Checkpoint::parse(note.text())?;
    if history.root(size).is_ok_and(|found| found == root) {
        return Ok(());
    }
    let data = data.to_owned();
    Err(StartError::Behind { data, size })
}

type Indexer = (
    Sender<Vec<Record>>,
    watch::Receiver<Progress>,
    std::thread::JoinHandle<()>,
);

fn start_indexer(index: &Arc<Index>) -> std::io::Result<Indexer> {
    let (records, batches) = bounded(BATCHES_BEHIND_MAX);
    let (progress, indexed) = watch::channel(Progress::Covers(index.size()));
    let index = Arc::clone(index);
    let thread = Builder::new()
        .name("indexer".to_owned())
        .spawn(move || indexer::run(&index, &batches, &progress))?;
    Ok((records, indexed, thread))
}

/// Writes a new head over the first `size` entries, on the operator's word; `serve --accept-head N` calls it before it opens.
pub fn accept_head(config: &Config, size: u64) -> Result<(), StartError> {
    let layout = Layout::new(&config.data);
    let head = NewHead::prepare(layout.clone(), size)?;
    let mut named = NamedKeys::default();
    fsck(&layout, &mut |entry, _| {
        named.take(entry.n(), entry.payload(), |key| entry.is_signed_by(key));
    })?;
    let (origin, keys) = named.found().ok_or(StartError::NoLedger)?;
    let (secrets, before) = secrets_for(config, keys, size)?;
    let checkpoint = Checkpoint {
        origin: origin.as_str().to_owned(),
        size,
        root: *head.root(),
    };
    let (note, is_crossing) = secrets.sign(&checkpoint, before)?;
    if is_crossing {
        let kept = secrets.keep(&note);
        kept.map_err(CommitError::Keep)?;
    }
    Ok(head.write(&note)?)
}

/// The secrets that sign a head over `size` entries, and what the checkpoint before it is taken to cover. While the key before is
/// there still, no checkpoint is known to carry both: then this one does.
fn secrets_for(
    config: &Config,
    keys: &Succession<LedgerKey>,
    size: u64,
) -> Result<(Secrets, u64), SecretsError> {
    let open = |before| {
        let files = KeyFiles::new(&config.data, config.passphrase.clone());
        let present = files.present()?;
        let secrets = Secrets::open(files, present, keys, (before, size))?;
        Ok((secrets, before))
    };
    match open(keys.since(size).saturating_sub(1)) {
        Err(SecretsError::Missing { .. }) => open(size),
        opened => opened,
    }
}
