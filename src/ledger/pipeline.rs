//! The threads around the core: verify, sequence, commit. Each is a loop of a few lines over parts that know nothing of threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::Sender;
use metrics::histogram;
use rayon::ThreadPool;
use tokio::sync::oneshot;

use crate::chain::Hash;
use crate::domain::Refusal;
use crate::domain::objects::PartyLink;
use crate::domain::values::Instant;
use crate::store::head::HEAD_INTERVAL_MS;

use super::batch::{Record, Slot};
use super::committer::{CommitError, Committer};
use super::gate::Gate;
use super::intake::Decoded;
use super::queue::{Lane, Queue, Room, Ticket};
use super::sequencer::{Entered, Outcome, Sequencer};
use super::status::{Status, StopReason, Stopped};
use super::verify::Verified;

/// What is known of an operation before it is durable.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Judged by the first `size` entries, which the answer waits for; its own among them when it was entered.
    Judged { size: u64, judgement: Judgement },
    /// A signature does not verify, whatever the state.
    Forged(Refusal),
    /// Its party has too much waiting.
    Busy,
}

/// An [`Outcome`] without what only the commit needs.
#[derive(Debug)]
pub(super) enum Judgement {
    Entered {
        n: u64,
        time: Instant,
        leaf: Hash,
        warnings: Vec<Refusal>,
    },
    Repeat {
        n: u64,
    },
    Expired(Refusal),
    Refused(Refusal),
    Closed(Refusal),
}

/// How long no entry comes before the head is written although none asks for it.
const QUIET: Duration = Duration::from_millis(HEAD_INTERVAL_MS);

/// Who waits for a verdict.
type Reply = oneshot::Sender<Verdict>;

struct Job {
    verified: Verified,
    reply: Reply,
}

/// What the threads share.
pub(super) struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    head: RwLock<Sequencer>,
    slot: Slot,
    pub(super) status: Status,
}

struct Waiting {
    queue: Queue<Job>,
    closed: bool,
}

impl Shared {
    pub(super) fn new(head: Sequencer, status: Status) -> Shared {
        Shared {
            waiting: Mutex::new(Waiting {
                queue: Queue::new(),
                closed: false,
            }),
            arrived: Condvar::new(),
            head: RwLock::new(head),
            slot: Slot::default(),
            status,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the head under a short lock. After a panic of the sequencer nobody trusts it any more.
    pub(super) fn at_head<R>(&self, look: impl FnOnce(&Sequencer) -> R) -> Result<R, Stopped> {
        let head = self.head.read().map_err(|_| Stopped)?;
        Ok(look(&head))
    }

    /// What waits to be sequenced.
    pub(super) fn used(&self) -> Room {
        self.waiting().queue.used()
    }

    /// Takes consecutive tickets for envelopes of these lengths; `Ok(None)` when there is no room.
    pub(super) fn take_tickets(&self, lengths: &[usize]) -> Result<Option<Vec<Ticket>>, Stopped> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(Stopped);
        }
        Ok(waiting.queue.take(lengths))
    }

    /// Verifies on the pool and lines up what verifies.
    pub(super) fn verify(
        self: &Arc<Self>,
        pool: &ThreadPool,
        ticket: Ticket,
        decoded: Decoded,
    ) -> oneshot::Receiver<Verdict> {
        let (reply, verdict) = oneshot::channel();
        let shared = Arc::clone(self);
        pool.spawn(move || match Verified::check(decoded) {
            Ok(verified) => {
                let lane = shared.lane(&verified);
                shared.settle(ticket, Some((lane, Job { verified, reply })));
            }
            Err(refusal) => {
                shared.settle(ticket, None);
                tell(reply, Verdict::Forged(refusal));
            }
        });
        verdict
    }

    fn settle(&self, ticket: Ticket, job: Option<(Lane, Job)>) {
        let surplus = self.waiting().queue.settle(ticket, job);
        self.arrived.notify_all();
        for job in surplus {
            tell(job.reply, Verdict::Busy);
        }
    }

    /// Whose turn an operation takes: the owner of the first registered key that signed it.
    fn lane(&self, verified: &Verified) -> Lane {
        let owner = |head: &Sequencer| {
            let parties = &head.state().parties;
            let mut owners = verified
                .keys()
                .iter()
                .filter_map(|key| parties.by(&PartyLink::Key(*key)).next());
            owners.next().map(|party| party.id)
        };
        self.at_head(owner).unwrap_or(None)
    }

    /// Waits for the next operation; `None` when no more come.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.waiting();
        loop {
            if let Some(job) = waiting.queue.pop() {
                return Some(job);
            }
            if waiting.closed && waiting.queue.is_idle() {
                return None;
            }
            waiting = self
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets nothing new in; what has a ticket is still sequenced.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.arrived.notify_all();
    }

    /// "Any error or doubt while persisting stops the process."
    pub(super) fn fail(&self, reason: &str) {
        tracing::error!(reason, "the ledger stops");
        self.status.stop(StopReason::Failed(reason.into()));
        self.slot.abandon();
        self.close();
    }

    /// Judges and enters one operation.
    fn step(
        &self,
        verified: &Verified,
        clock: Result<Instant, Refusal>,
    ) -> Result<Verdict, Stopped> {
        let mut head = self.head.write().map_err(|_| Stopped)?;
        let outcome = head.step(verified, clock);
        let size = head.size();
        drop(head);
        let judgement = match outcome {
            Outcome::Entered(mut entered) => {
                let judgement = Judgement::of(&mut entered);
                self.slot.push(entered);
                judgement
            }
            Outcome::Repeat { n } => Judgement::Repeat { n },
            Outcome::Expired(refusal) => Judgement::Expired(refusal),
            Outcome::Refused(refusal) => Judgement::Refused(refusal),
            Outcome::Closed(refusal) => Judgement::Closed(refusal),
        };
        Ok(Verdict::Judged { size, judgement })
    }

    fn sequence(&self, gate: &Gate) {
        while let Some(job) = self.next() {
            if !self.slot.await_room() {
                return;
            }
            let Ok(verdict) = self.step(&job.verified, gate.now()) else {
                return;
            };
            tell(job.reply, verdict);
        }
        self.slot.finish();
    }

    fn commit(&self, committer: &mut Committer, index: &Sender<Vec<Record>>) {
        match self.commit_all(committer, index) {
            Ok(()) => self.status.stop(StopReason::Asked),
            Err(error) => self.fail(&error.to_string()),
        }
    }

    fn commit_all(
        &self,
        committer: &mut Committer,
        index: &Sender<Vec<Record>>,
    ) -> Result<(), CommitError> {
        let started = std::time::Instant::now();
        let now_ms = || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        loop {
            // Export and checkpoint read the head beside the server: once nothing more comes, it must be the last.
            if self.slot.is_quiet_for(QUIET) {
                committer.flush()?;
            }
            let Some(batch) = self.slot.take() else {
                return committer.flush();
            };
            let began = std::time::Instant::now();
            let published = committer.commit(&batch.lines, now_ms())?;
            histogram!("counterfoil_commit_seconds").record(began.elapsed());
            let entries = u32::try_from(batch.lines.len()).unwrap_or(u32::MAX);
            histogram!("counterfoil_batch_entries").record(entries);
            self.status.publish(published);
            // A broken index takes no records; the next start makes it anew.
            index.send(batch.records).ok();
        }
    }
}

impl Judgement {
    fn of(entered: &mut Entered) -> Judgement {
        Judgement::Entered {
            n: entered.line.n(),
            time: entered.time,
            leaf: *entered.line.leaf(),
            warnings: std::mem::take(&mut entered.warnings),
        }
    }
}

/// Answers, if anybody still waits.
fn tell(reply: Reply, verdict: Verdict) {
    reply.send(verdict).ok();
}

/// Stops the ledger when a thread ends by panic, so that nobody waits for ever.
struct FailOnPanic<'a>(&'a Shared, &'static str);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(&format!("the thread `{}` broke", self.1));
        }
    }
}

/// Starts the thread that sequences and the one that commits.
pub(super) fn start(
    shared: &Arc<Shared>,
    gate: Arc<Gate>,
    mut committer: Committer,
    index: Sender<Vec<Record>>,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    let sequencer = named("sequencer", shared, move |shared| shared.sequence(&gate))?;
    let committer = named("committer", shared, move |shared| {
        shared.commit(&mut committer, &index)
    })?;
    Ok(vec![sequencer, committer])
}

fn named(
    name: &'static str,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Shared) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    Builder::new().name(name.to_owned()).spawn(move || {
        let _guard = FailOnPanic(&shared, name);
        run(&shared);
    })
}
