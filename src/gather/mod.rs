//! Gathers cosignatures: asks the witnesses of a policy to confirm each new checkpoint, and keeps those that met the quorum.
//!
//! It stands beside the ledger and never in its way: it reads what is durable, asks over HTTP, and hands back what it got. A witness
//! that is dead or slow delays nothing but the quorum.

mod ask;
mod round;

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};

use crate::chain::note::NoteSignature;
use crate::chain::{Checkpoint, Note, Policy};
use crate::ledger::{Ledger, Stopped};
use crate::outside;

use ask::{Target, Witness};
use round::Round;

pub use ask::AskError;

/// Least time between two checkpoints that are to be cosigned: each is kept for good.
const PACE: Duration = Duration::from_secs(1);
/// How long one checkpoint is held up to the witnesses before a newer one takes its place, though no quorum was met: longer than one
/// of them may take.
const HELD: Duration = Duration::from_secs(15);
/// How long a witness is left alone after it failed; twice as long after each further time, up to [`LEFT_MOST`].
const LEFT: Duration = Duration::from_secs(1);
const LEFT_MOST: Duration = Duration::from_secs(60);

/// The witnesses that a ledger asks.
pub struct Gathering {
    ledger: Ledger,
    policy: Arc<Policy>,
    witnesses: Vec<Witness>,
}

/// Why a ledger with witnesses does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartRefused {
    /// The policy is of no use to it.
    #[error("{0}")]
    Policy(String),
    /// A witness has seen more of this ledger, or other entries: what is on the disk is not all that was published.
    #[error(
        "the witness {witness}: {why}. The disk holds an earlier day, or another history: restore the newest copy"
    )]
    RolledBack {
        /// Which witness.
        witness: String,
        /// What it knows.
        why: AskError,
    },
    /// Too few witnesses answer to tell whether the disk is the newest.
    #[error(
        "too few witnesses answer to tell whether this disk is the newest ({why}); start with --allow-unwitnessed-start if you are sure"
    )]
    NoQuorum {
        /// What those said that did not cosign.
        why: String,
    },
    /// The ledger has stopped.
    #[error("{0}")]
    Stopped(#[from] Stopped),
    /// A checkpoint that was cosigned cannot be kept.
    #[error("the witnessed checkpoint cannot be kept: {0}")]
    Keep(std::io::Error),
}

impl Gathering {
    /// For this ledger, by its policy: which names the ledger's log or none, and says of each witness where it is reached.
    pub fn new(ledger: Ledger, policy: Policy) -> Result<Gathering, StartRefused> {
        let unfit = |why: String| Err(StartRefused::Policy(why));
        let vkeys = ledger.vkeys()?;
        let logs: Vec<String> = policy
            .logs()
            .iter()
            .map(|log| log.vkey.to_string())
            .collect();
        let newest = vkeys.last().map(String::as_str).unwrap_or_default();
        if !logs.is_empty() && !logs.iter().any(|log| vkeys.contains(log)) {
            return unfit(format!(
                "the policy names other logs, not this ledger's {newest}"
            ));
        }
        if !logs.is_empty() && logs.iter().all(|log| log != newest) {
            tracing::warn!(
                vkey = newest,
                "the policy does not name the key that the ledger has by now: add a `log` line"
            );
        }
        let mut witnesses = Vec::new();
        for witness in policy.witnesses() {
            let Some(url) = &witness.url else {
                return unfit(format!(
                    "the policy says no address of witness {}",
                    witness.name
                ));
            };
            let name = witness.name.to_string();
            let address = outside::address(&url.to_string())
                .map_err(|error| StartRefused::Policy(format!("witness {name}: {error}")))?;
            witnesses.push(Witness::new(&name, &witness.vkey, address));
        }
        Ok(Gathering {
            ledger,
            policy: Arc::new(policy),
            witnesses,
        })
    }

    /// Asks every witness to cosign what the ledger has, before it takes anything in: "one ahead of the store means a rolled-back store,
    /// refuse; fewer than a quorum answering, refuse without `--allow-unwitnessed-start`".
    pub async fn check_start(mut self, allow_unwitnessed: bool) -> Result<Gathering, StartRefused> {
        let target = target_of(&self.ledger, u64::MAX);
        let mut asked = JoinSet::new();
        for witness in std::mem::take(&mut self.witnesses) {
            let (ledger, target) = (self.ledger.clone(), target.clone());
            asked.spawn_blocking(move || ask(witness, &target, &ledger));
        }
        let mut round = Round::of(target);
        let mut said = Vec::new();
        let mut cosigned = None;
        while let Some(answer) = asked.join_next().await {
            let (witness, answer) = answer.map_err(|_| Stopped)?;
            match answer {
                Ok(signature) => cosigned = cosigned.or(self.add(&mut round, &witness, signature)),
                Err(why @ (AskError::Ahead { .. } | AskError::OtherHistory(_))) => {
                    let witness = witness.name;
                    return Err(StartRefused::RolledBack { witness, why });
                }
                Err(why) => said.push(format!("{}: {why}", witness.name)),
            }
            self.witnesses.push(witness);
        }
        let quorum = !self.asks_for_a_quorum() || cosigned.is_some();
        if let Some(note) = cosigned {
            self.ledger
                .keep_witnessed(&note)
                .map_err(StartRefused::Keep)?;
        }
        if !quorum && !allow_unwitnessed {
            let why = said.join("; ");
            return Err(StartRefused::NoQuorum { why });
        }
        Ok(self)
    }

    /// Whether a checkpoint is believed only with cosignatures.
    pub fn asks_for_a_quorum(&self) -> bool {
        !self.policy.is_met(|_| false)
    }

    /// Gathers until the ledger stops.
    pub async fn run(self) {
        let (targets, _) = watch::channel(None::<Target>);
        let (cosigned, mut answers) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        for witness in &self.witnesses {
            let (ledger, witness) = (self.ledger.clone(), witness.clone());
            tasks.spawn(attend(
                ledger,
                witness,
                targets.subscribe(),
                cosigned.clone(),
            ));
        }
        drop(cosigned);
        let mut round: Option<Round> = None;
        let mut held = Instant::now();
        let mut asked = self.ledger.witnessed_size();
        loop {
            let size = round
                .as_ref()
                .map_or(self.ledger.witnessed_size(), Round::size);
            let open = round.as_ref().is_some_and(|round| !round.is_met());
            let next = async {
                if open {
                    sleep_until(held + HELD).await;
                } else {
                    self.ledger.durable(size + 1).await?;
                    sleep_until(held + PACE).await;
                }
                Ok::<_, Stopped>(())
            };
            tokio::select! {
                next = next => {
                    let Ok(()) = next else { return };
                    let target = target_of(&self.ledger, asked);
                    held = Instant::now();
                    asked = target.checkpoint.size;
                    // Where nothing was entered meanwhile, the cosignatures that have come stand.
                    if round.as_ref().map(Round::size) != Some(target.checkpoint.size) {
                        round = Some(Round::of(target.clone()));
                    }
                    targets.send_replace(Some(target));
                }
                Some((witness, size, signature)) = answers.recv() => {
                    let current = round.as_mut().filter(|round| round.size() == size);
                    let note = current.and_then(|round| self.add(round, &witness, signature));
                    if let Some(note) = note {
                        self.keep(size, note).await;
                    }
                }
            }
        }
    }

    fn add(&self, round: &mut Round, witness: &Witness, signature: NoteSignature) -> Option<Note> {
        let quorum = |cosigned: &dyn Fn(&_) -> bool| self.policy.is_met(cosigned);
        round.add(witness.vkey.clone(), signature, quorum)
    }

    /// Keeps a checkpoint, off the threads that serve everybody: it is synced.
    async fn keep(&self, size: u64, note: Note) {
        // What is kept for good is what a stranger will check.
        if let Err(error) = self.policy.cosignatures(&note) {
            tracing::error!(%error, size, "a witnessed checkpoint is not to be believed");
            return;
        }
        let ledger = self.ledger.clone();
        let kept = spawn_blocking(move || ledger.keep_witnessed(&note)).await;
        match kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(()) => gauge!("counterfoil_witnessed_entries").set(size as f64),
            // Entries do not depend on it; the next one is tried anew.
            Err(error) => tracing::error!(%error, size, "a witnessed checkpoint cannot be kept"),
        }
    }
}

/// The newest checkpoint, or one that comes before it, as it is held up to the witnesses: they were asked for one of `asked` entries.
fn target_of(ledger: &Ledger, asked: u64) -> Target {
    let published = ledger.to_cosign(asked);
    let note = Note::decode(published.checkpoint.as_bytes());
    Target {
        checkpoint: Checkpoint {
            origin: ledger.origin().to_owned(),
            size: published.size,
            root: published.root,
        },
        note: note.expect("what was encoded is a note"),
    }
}

/// Blocks while one witness is asked.
fn ask(
    mut witness: Witness,
    target: &Target,
    ledger: &Ledger,
) -> (Witness, Result<NoteSignature, AskError>) {
    let size = target.checkpoint.size;
    let proof = |old| ledger.consistency(old, size).ok().flatten();
    let answer = witness.cosign(target, proof);
    (witness, answer)
}

/// Asks one witness: "one request in flight, then the latest size".
async fn attend(
    ledger: Ledger,
    mut witness: Witness,
    mut targets: watch::Receiver<Option<Target>>,
    cosigned: mpsc::Sender<(Witness, u64, NoteSignature)>,
) {
    let mut left = LEFT;
    while targets.changed().await.is_ok() {
        let Some(target) = targets.borrow_and_update().clone() else {
            continue;
        };
        let size = target.checkpoint.size;
        let ledger = ledger.clone();
        let Ok((asked, answer)) = spawn_blocking(move || ask(witness, &target, &ledger)).await
        else {
            return;
        };
        witness = asked;
        match answer {
            Ok(signature) => {
                left = LEFT;
                if cosigned
                    .send((witness.clone(), size, signature))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => {
                report(&witness.name, size, &error);
                sleep(left).await;
                left = (2 * left).min(LEFT_MOST);
            }
        }
    }
}

fn report(witness: &str, size: u64, error: &AskError) {
    counter!("counterfoil_witness_failures_total").increment(1);
    match error {
        AskError::Ahead { .. } | AskError::OtherHistory(_) => {
            tracing::error!(witness, size, %error, "a witness does not know this history");
        }
        AskError::Other(_) => tracing::warn!(witness, size, %error, "a witness did not cosign"),
    }
}
