//! The threads around the core: verify, sequence, commit. Each is a loop of a few lines over parts that know nothing of threads.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::Sender;
use metrics::histogram;
use tokio::sync::oneshot;

use crate::chain::{Line, Verifier};
use crate::domain::Refusal;
use crate::domain::objects::PartyLink;
use crate::domain::values::{Instant, OpId, PartyId, PublicKey};
use crate::store::head::HEAD_INTERVAL_MS;

use super::batch::{GATHERED_OF, Judged, Record, Slot};
use super::committer::{CommitError, Committer, Published};
use super::gate::Gate;
use super::history::History;
use super::queue::{Lane, Queue, Room, Ticket};
use super::secrets::Secrets;
use super::sequencer::{Entered, Outcome, Sequencer};
use super::status::{Status, StopReason, Stopped};
use super::verify::{Unfit, VERIFIED_AT_ONCE, Verified};

/// What an operation's party is told, once it may be told.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Judged, and all that this rests on is durable.
    Judged(Box<Told>),
    /// It comes to nothing, whatever the state.
    Unfit(Unfit),
    /// Its party has too much waiting.
    Busy,
}

/// What became of an operation, with all that its answer needs.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) asked: Asked,
    pub(super) judgement: Judgement,
    /// The line of its entry, if it is one now.
    pub(super) line: Option<Line>,
    pub(super) published: Published,
}

/// What the answer needs of an operation.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) op_id: OpId,
    pub(super) not_after: Instant,
    pub(super) keys: Vec<PublicKey>,
}

/// An [`Outcome`] without what only the commit needs.
#[derive(Debug)]
pub(super) enum Judgement {
    Entered {
        time: Instant,
        warnings: Vec<Refusal>,
    },
    Repeat {
        n: u64,
    },
    Expired(Refusal),
    Refused(Refusal),
    Closed(Refusal),
}

/// An answer that is due once all that it rests on is durable.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) reply: Reply,
    pub(super) asked: Asked,
    pub(super) judgement: Judgement,
}

/// Operations that are judged before the committer hears of them: so that under load threads wake each other less often.
/// A batch may have so many more than it should.
const AT_ONCE: usize = 32;

/// How long no entry comes before the head is written although none asks for it.
const QUIET: Duration = Duration::from_millis(HEAD_INTERVAL_MS);

/// Who waits for a verdict.
pub(super) type Reply = oneshot::Sender<Verdict>;

struct Job {
    verified: Verified,
    reply: Reply,
}

/// An encoded envelope on its way to be read and verified.
pub(super) struct Arrived {
    pub(super) ticket: Ticket,
    pub(super) envelope: Bytes,
    pub(super) reply: Reply,
}

/// What the threads share.
pub(super) struct Shared {
    inbox: Mutex<Inbox>,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    head: RwLock<Sequencer>,
    slot: Slot,
    pub(super) status: Status,
    pub(super) history: History,
    verifier: Verifier,
    pub(super) secrets: Arc<Secrets>,
    /// Whose the registered keys are that have signed: a key belongs to one party for ever.
    owners: RwLock<HashMap<PublicKey, PartyId>>,
}

/// What came and nobody has looked at yet, so that the threads that verify take as many at once as have come meanwhile.
#[derive(Default)]
struct Inbox {
    arrived: VecDeque<Arrived>,
    /// Threads that are emptying it.
    at_work: usize,
}

struct Waiting {
    queue: Queue<Job>,
    closed: bool,
}

impl Shared {
    pub(super) fn new(
        head: Sequencer,
        status: Status,
        history: History,
        verifier: Verifier,
        secrets: Arc<Secrets>,
    ) -> Shared {
        Shared {
            inbox: Mutex::default(),
            waiting: Mutex::new(Waiting {
                queue: Queue::new(),
                closed: false,
            }),
            arrived: Condvar::new(),
            head: RwLock::new(head),
            slot: Slot::default(),
            status,
            history,
            verifier,
            secrets,
            owners: RwLock::default(),
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

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what came, and says how many more of the `threads` are to call [`Shared::verify_arrived`].
    pub(super) fn arrive(&self, arrived: Vec<Arrived>, threads: usize) -> usize {
        let mut inbox = self.inbox();
        inbox.arrived.extend(arrived);
        let wanted = inbox.arrived.len().div_ceil(VERIFIED_AT_ONCE).min(threads);
        let more = wanted.saturating_sub(inbox.at_work);
        inbox.at_work += more;
        more
    }

    /// Empties the inbox, on a thread of the pool.
    pub(super) fn verify_arrived(&self) {
        loop {
            let mut inbox = self.inbox();
            let count = inbox.arrived.len().min(VERIFIED_AT_ONCE);
            let some: Vec<Arrived> = inbox.arrived.drain(..count).collect();
            if some.is_empty() {
                inbox.at_work -= 1;
                return;
            }
            drop(inbox);
            self.verify(some);
        }
    }

    /// Reads and verifies some operations, and lines up what is good.
    fn verify(&self, some: Vec<Arrived>) {
        let envelopes = some.iter().map(|arrived| &*arrived.envelope);
        let verified = Verified::read_all(envelopes, &self.verifier);
        let settled = some.into_iter().zip(verified).map(|(arrived, verified)| {
            let Arrived { ticket, reply, .. } = arrived;
            match verified {
                Ok(verified) => (
                    ticket,
                    Some((self.lane(&verified), Job { verified, reply })),
                ),
                Err(unfit) => {
                    tell(reply, Verdict::Unfit(unfit));
                    (ticket, None)
                }
            }
        });
        self.settle(settled.collect());
        if self.verifier.is_due() {
            self.verifier.prepare();
        }
    }

    fn settle(&self, settled: Vec<(Ticket, Option<(Lane, Job)>)>) {
        let mut waiting = self.waiting();
        let was_empty = !waiting.queue.has_next();
        let surplus: Vec<Job> = settled
            .into_iter()
            .flat_map(|(ticket, job)| waiting.queue.settle(ticket, job))
            .collect();
        let wakes = was_empty && (waiting.queue.has_next() || waiting.closed);
        drop(waiting);
        if wakes {
            self.arrived.notify_one();
        }
        for job in surplus {
            tell(job.reply, Verdict::Busy);
        }
    }

    /// Whose turn an operation takes: the owner of the first registered key that signed it.
    fn lane(&self, verified: &Verified) -> Lane {
        verified.keys.iter().find_map(|key| self.owner(key))
    }

    fn owner(&self, key: &PublicKey) -> Option<PartyId> {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(party) = owners.get(key) {
            return Some(*party);
        }
        drop(owners);
        let registered = |head: &Sequencer| {
            let link = PartyLink::Key(*key);
            let mut parties = head.state().parties.by(&link);
            parties.next().map(|party| party.id)
        };
        let party = self.at_head(registered).unwrap_or(None)?;
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        owners.insert(*key, party);
        Some(party)
    }

    /// Waits for operations and takes some that wait, and says whether many more are on their way; `None` when no more come.
    fn next(&self) -> Option<(Vec<Job>, bool)> {
        let mut waiting = self.waiting();
        loop {
            let jobs: Vec<Job> = std::iter::from_fn(|| waiting.queue.pop())
                .take(AT_ONCE)
                .collect();
            if !jobs.is_empty() {
                let more = waiting.queue.used().tickets >= GATHERED_OF;
                return Some((jobs, more));
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

    /// Judges and enters one operation. "Every answer waits until the size it was computed at is durable": so it goes into
    /// the open batch, behind all that was entered before.
    fn step(&self, job: Job, clock: &Result<Instant, Refusal>) -> Result<Judged, Stopped> {
        let secret = self.secret_for(&job.verified, clock)?;
        let mut head = self.head.write().map_err(|_| Stopped)?;
        let outcome = match &secret {
            Err(refusal) => Outcome::Refused(refusal.clone()),
            Ok(_) => head.step(&job.verified, clock.clone()),
        };
        drop(head);
        if let (Outcome::Entered(entered), Ok(Some(secret))) = (&outcome, secret) {
            self.secrets.push(entered.line.n() + 1, secret);
        }
        let (judgement, entered) = match outcome {
            Outcome::Entered(mut entered) => (Judgement::of(&mut entered), Some(entered)),
            Outcome::Repeat { n } => (Judgement::Repeat { n }, None),
            Outcome::Expired(refusal) => (Judgement::Expired(refusal), None),
            Outcome::Refused(refusal) => (Judgement::Refused(refusal), None),
            Outcome::Closed(refusal) => (Judgement::Closed(refusal), None),
        };
        Ok(Judged {
            entered,
            answer: Due {
                reply: job.reply,
                asked: Asked::by(job.verified),
                judgement,
            },
        })
    }

    fn sequence(&self, gate: &Gate) {
        while let Some((jobs, more)) = self.next() {
            let clock = gate.now();
            if !self.slot.await_room() {
                return;
            }
            let judged = jobs.into_iter().map(|job| self.step(job, &clock));
            let Ok(judged) = judged.collect::<Result<Vec<_>, _>>() else {
                return;
            };
            self.slot.push(judged, more);
        }
        self.slot.finish();
    }

    fn commit(&self, committer: &mut Committer, gate: &Gate, index: &Sender<Vec<Record>>) {
        match self.commit_all(committer, gate, index) {
            Ok(()) => self.status.stop(StopReason::Asked),
            Err(error) => self.fail(&error.to_string()),
        }
    }

    fn commit_all(
        &self,
        committer: &mut Committer,
        gate: &Gate,
        index: &Sender<Vec<Record>>,
    ) -> Result<(), CommitError> {
        let started = std::time::Instant::now();
        let now_ms = || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        loop {
            // Export and checkpoint read the head beside the server: once nothing more comes, it must be the last.
            // And what else fills the disk does not ask.
            while self.slot.is_quiet_for(QUIET) {
                committer.flush()?;
                gate.measure();
            }
            let Some(batch) = self.slot.take() else {
                return committer.flush();
            };
            gate.measure();
            if !batch.lines.is_empty() {
                let began = std::time::Instant::now();
                let published = committer.commit(&batch.lines, now_ms())?;
                histogram!("counterfoil_commit_seconds").record(began.elapsed());
                let entries = u32::try_from(batch.lines.len()).unwrap_or(u32::MAX);
                histogram!("counterfoil_batch_entries").record(entries);
                self.history.extend(&batch.lines);
                self.status.publish(published);
            }
            // Batches are committed in their order: what an answer of this one rests on is durable now.
            let published = self.status.published();
            let mut lines = batch.lines.into_iter();
            for due in batch.answers {
                let is_entry = matches!(due.judgement, Judgement::Entered { .. });
                let told = Told {
                    asked: due.asked,
                    judgement: due.judgement,
                    line: is_entry.then(|| lines.next()).flatten(),
                    published: published.clone(),
                };
                tell(due.reply, Verdict::Judged(Box::new(told)));
            }
            if !batch.records.is_empty() {
                // A broken index takes no records; the next start makes it anew.
                index.send(batch.records).ok();
            }
        }
    }
}

impl Asked {
    fn by(verified: Verified) -> Asked {
        Asked {
            op_id: verified.op,
            not_after: verified.payload.not_after,
            keys: verified.keys,
        }
    }
}

impl Judgement {
    fn of(entered: &mut Entered) -> Judgement {
        Judgement::Entered {
            time: entered.time,
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
    let asked = Arc::clone(&gate);
    let sequencer = named("sequencer", shared, move |shared| shared.sequence(&asked))?;
    let committer = named("committer", shared, move |shared| {
        shared.commit(&mut committer, &gate, &index)
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
