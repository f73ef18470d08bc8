//! Submitting: from envelopes to the answers that wait for durability.

use std::sync::Arc;

use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::chain;
use crate::domain::Refusal;
use crate::domain::values::{Instant, OpId};

use super::answer::{Answer, Receipt};
use super::committer::Published;
use super::handle::{Inner, Ledger};
use super::intake::Decoded;
use super::lookup::LookupError;
use super::pipeline::{Arrived, Judgement, Verdict};
use super::status::Stopped;

/// An envelope on its way; the answer comes when it is durable.
pub struct Pending {
    inner: Arc<Inner>,
    way: Way,
}

enum Way {
    /// Answered without the ledger's state.
    Done(Answer),
    Waiting {
        asked: Asked,
        verdict: oneshot::Receiver<Verdict>,
    },
}

/// What the answer needs of the envelope.
struct Asked {
    op_id: OpId,
    not_after: Instant,
    keys: Vec<chain::PublicKey>,
}

/// Operations of a batch that one thread verifies before it lines them up.
const VERIFIED_AT_ONCE: usize = 16;

/// A decoded operation and the length of its envelope in bytes.
type Read = (Decoded, usize);

fn read(envelope: &[u8]) -> Result<Read, Refusal> {
    Decoded::read(envelope).map(|decoded| (decoded, envelope.len()))
}

impl Ledger {
    /// Submits an encoded envelope and waits for the answer, which rests on durable entries alone.
    pub async fn submit(&self, envelope: &[u8]) -> Answer {
        let mut pending = self.line_up(vec![read(envelope)]);
        match pending.pop() {
            Some(pending) => pending.answer().await,
            None => Answer::Stopped,
        }
    }

    /// Submits encoded envelopes in order: they take consecutive tickets and are judged one after the other, each by itself. Where
    /// there is no room for all, each is told [`Answer::Busy`]. Blocks while they are decoded, on the threads that verify; a batch at
    /// its limits takes a good part of a second.
    pub fn submit_many(&self, envelopes: &[impl AsRef<[u8]> + Sync]) -> Vec<Pending> {
        let decode = || {
            envelopes
                .par_iter()
                .map(|envelope| read(envelope.as_ref()))
                .collect()
        };
        self.line_up(self.inner.pool.install(decode))
    }

    fn line_up(&self, decoded: Vec<Result<Read, Refusal>>) -> Vec<Pending> {
        let lengths = decoded
            .iter()
            .flatten()
            .map(|(_, len)| *len)
            .collect::<Vec<_>>();
        let mut tickets = match self.inner.shared.take_tickets(&lengths) {
            Ok(Some(tickets)) => Ok(tickets.into_iter()),
            Ok(None) => Err(Answer::Busy),
            Err(Stopped) => Err(Answer::Stopped),
        };
        let mut arrived = Vec::new();
        let ways: Vec<Way> = decoded
            .into_iter()
            .map(|decoded| match (decoded, &mut tickets) {
                (Err(refusal), _) => Way::Done(Answer::Malformed(refusal)),
                (Ok(_), Err(answer)) => Way::Done(answer.clone()),
                (Ok((decoded, _)), Ok(tickets)) => {
                    let ticket = tickets.next().expect("a ticket was taken for each");
                    let asked = Asked::by(&decoded);
                    let (reply, verdict) = oneshot::channel();
                    arrived.push(Arrived {
                        ticket,
                        decoded,
                        reply,
                    });
                    Way::Waiting { asked, verdict }
                }
            })
            .collect();
        self.verify(arrived);
        let inner = &self.inner;
        let pending = |way| Pending {
            inner: Arc::clone(inner),
            way,
        };
        ways.into_iter().map(pending).collect()
    }

    /// Has the pool verify these, a few at a time.
    fn verify(&self, arrived: Vec<Arrived>) {
        let mut arrived = arrived.into_iter();
        while !arrived.as_slice().is_empty() {
            let some: Vec<Arrived> = arrived.by_ref().take(VERIFIED_AT_ONCE).collect();
            let shared = Arc::clone(&self.inner.shared);
            self.inner.pool.spawn(move || shared.verify(some));
        }
    }
}

impl Asked {
    fn by(decoded: &Decoded) -> Asked {
        let signatures = decoded.envelope.signatures().iter();
        Asked {
            op_id: decoded.op,
            not_after: decoded.payload.not_after,
            keys: signatures.map(|(key, _)| *key).collect(),
        }
    }

    /// "A refused operation is not recorded and stays usable until `not_after`: the refusal says until when."
    fn refused(&self, refusal: Refusal, usable: bool) -> Answer {
        Answer::Refused {
            op_id: self.op_id,
            refusal,
            usable_until: usable.then_some(self.not_after),
        }
    }
}

impl Pending {
    /// Waits until the answer and all that it rests on is durable.
    pub async fn answer(self) -> Answer {
        let (asked, verdict) = match self.way {
            Way::Done(answer) => return answer,
            Way::Waiting { asked, verdict } => (asked, verdict),
        };
        let verdict = tokio::select! {
            biased;
            verdict = verdict => verdict.ok(),
            _ = self.inner.shared.status.stopped() => None,
        };
        match verdict {
            None => Answer::Stopped,
            Some(Verdict::Busy) => Answer::Busy,
            Some(Verdict::Forged(refusal)) => asked.refused(refusal, false),
            Some(Verdict::Judged {
                judgement,
                published,
            }) => {
                let told = self.inner.tell(&asked, judgement, published).await;
                told.unwrap_or(Answer::Stopped)
            }
        }
    }
}

impl Inner {
    async fn tell(
        &self,
        asked: &Asked,
        judgement: Judgement,
        published: Published,
    ) -> Result<Answer, Stopped> {
        Ok(match judgement {
            Judgement::Entered {
                n,
                time,
                leaf,
                warnings,
            } => Answer::Accepted {
                receipt: Receipt {
                    op_id: asked.op_id,
                    n,
                    time,
                    leaf,
                    checkpoint: published.checkpoint,
                },
                warnings,
            },
            Judgement::Repeat { n } => self.repeat(asked, n, published)?,
            Judgement::Expired(refusal) => self.expired(asked, refusal, published).await?,
            Judgement::Refused(refusal) => asked.refused(refusal, true),
            Judgement::Closed(refusal) => Answer::Closed(refusal),
        })
    }

    fn repeat(&self, asked: &Asked, n: u64, published: Published) -> Result<Answer, Stopped> {
        let (receipt, signatures_not_recorded) = self.receipt(n, &asked.keys, published)?;
        Ok(Answer::Repeat {
            receipt,
            signatures_not_recorded,
        })
    }

    /// An id is looked up before "expired" is said, however old.
    async fn expired(
        &self,
        asked: &Asked,
        refusal: Refusal,
        published: Published,
    ) -> Result<Answer, Stopped> {
        match self.operation(&asked.op_id).await {
            Ok(Some(n)) => self.repeat(asked, n, published),
            Ok(None) => Ok(asked.refused(refusal, false)),
            Err(LookupError::Stopped(stopped)) => Err(stopped),
            // It cannot be told which of the two it is.
            Err(LookupError::Index(_)) => Ok(Answer::Closed(Refusal::new(
                "index.unavailable",
                "whether this expired operation is an entry cannot be looked up until the ledger is started again",
            ))),
        }
    }

    /// The receipt of entry `n`, and those of `keys` whose signatures it does not hold.
    fn receipt(
        &self,
        n: u64,
        keys: &[chain::PublicKey],
        published: Published,
    ) -> Result<(Receipt, Vec<chain::PublicKey>), Stopped> {
        let (entry, line) = self.entry(n)?.ok_or(Stopped)?;
        let recorded = |key: &&chain::PublicKey| entry.sigs().iter().any(|(by, _)| by == *key);
        let missing = keys.iter().filter(|key| !recorded(key)).copied().collect();
        let receipt = Receipt {
            op_id: OpId(*entry.op_id().as_bytes()),
            n,
            time: Instant::from_millis(entry.time_ms()),
            leaf: *line.leaf(),
            checkpoint: published.checkpoint,
        };
        Ok((receipt, missing))
    }
}
