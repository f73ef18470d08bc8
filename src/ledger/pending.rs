//! Submitting: from envelopes to the answers that wait for durability.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::chain;
use crate::domain::Refusal;
use crate::domain::values::Instant;

use super::answer::Answer;
use super::committer::Published;
use super::handle::{Inner, Ledger};
use super::lookup::LookupError;
use super::pipeline::{Arrived, Asked, Judgement, Told, Verdict};
use super::queue::Ticket;
use super::status::Stopped;
use super::verify::Unfit;

/// An envelope on its way; the answer comes when it is durable.
pub struct Pending {
    inner: Arc<Inner>,
    way: Way,
}

enum Way {
    /// Answered without being looked at.
    Done(Answer),
    Waiting(oneshot::Receiver<Verdict>),
}

impl Ledger {
    /// Submits an encoded envelope and waits for the answer, which rests on durable entries alone.
    pub async fn submit(&self, envelope: impl Into<Bytes>) -> Answer {
        match self.submit_many(vec![envelope]).pop() {
            Some(pending) => pending.answer().await,
            None => Answer::Stopped,
        }
    }

    /// Submits encoded envelopes in order: they take consecutive tickets and are judged one after the other, each by itself. Where
    /// there is no room for all, each is told [`Answer::Busy`]. Does not block: they are read on the threads that verify.
    pub fn submit_many(&self, envelopes: Vec<impl Into<Bytes>>) -> Vec<Pending> {
        let envelopes: Vec<Bytes> = envelopes.into_iter().map(Into::into).collect();
        let lengths: Vec<usize> = envelopes.iter().map(Bytes::len).collect();
        let answer = match self.inner.shared.take_tickets(&lengths) {
            Ok(Some(tickets)) => return self.arrive(tickets, envelopes),
            Ok(None) => Answer::Busy,
            Err(Stopped) => Answer::Stopped,
        };
        let done = std::iter::repeat_n(answer, envelopes.len()).map(Way::Done);
        done.map(|way| self.pending(way)).collect()
    }

    /// Has the pool read and verify these.
    fn arrive(&self, tickets: Vec<Ticket>, envelopes: Vec<Bytes>) -> Vec<Pending> {
        let (arrived, waiting): (Vec<_>, Vec<_>) = tickets
            .into_iter()
            .zip(envelopes)
            .map(|(ticket, envelope)| {
                let (reply, verdict) = oneshot::channel();
                let arrived = Arrived {
                    ticket,
                    envelope,
                    reply,
                };
                (arrived, self.pending(Way::Waiting(verdict)))
            })
            .unzip();
        let pool = &self.inner.pool;
        let more = self
            .inner
            .shared
            .arrive(arrived, pool.current_num_threads());
        for _ in 0..more {
            let shared = Arc::clone(&self.inner.shared);
            pool.spawn(move || shared.verify_arrived());
        }
        waiting
    }

    fn pending(&self, way: Way) -> Pending {
        Pending {
            inner: Arc::clone(&self.inner),
            way,
        }
    }
}

impl Pending {
    /// Waits until the answer and all that it rests on is durable.
    pub async fn answer(self) -> Answer {
        let verdict = match self.way {
            Way::Done(answer) => return answer,
            Way::Waiting(verdict) => verdict,
        };
        let verdict = tokio::select! {
            biased;
            verdict = verdict => verdict.ok(),
            _ = self.inner.shared.status.stopped() => None,
        };
        match verdict {
            None => Answer::Stopped,
            Some(Verdict::Busy) => Answer::Busy,
            Some(Verdict::Unfit(Unfit::Malformed(refusal))) => Answer::Malformed(refusal),
            Some(Verdict::Unfit(Unfit::Forged { op, refusal })) => Answer::Refused {
                op_id: op,
                refusal,
                usable_until: None,
            },
            Some(Verdict::Judged(told)) => self.inner.tell(*told).await.unwrap_or(Answer::Stopped),
        }
    }
}

impl Asked {
    /// "A refused operation is not recorded and stays usable until `not_after`: the refusal says until when."
    fn refused(&self, refusal: Refusal, usable: bool) -> Answer {
        Answer::Refused {
            op_id: self.op_id,
            refusal,
            usable_until: usable.then_some(self.not_after),
        }
    }
}

impl Inner {
    async fn tell(&self, told: Told) -> Result<Answer, Stopped> {
        let Told {
            asked,
            judgement,
            line,
            published,
        } = told;
        Ok(match judgement {
            Judgement::Entered { time, warnings } => {
                let line = line.ok_or(Stopped)?;
                let receipt = self.receipt(
                    asked.op_id,
                    time,
                    line,
                    (published.size, &published.checkpoint),
                )?;
                Answer::Accepted { receipt, warnings }
            }
            Judgement::Repeat { n } => self.repeat(&asked, n, &published)?,
            Judgement::Expired(refusal) => self.expired(&asked, refusal, &published).await?,
            Judgement::Refused(refusal) => asked.refused(refusal, true),
            Judgement::Closed(refusal) => Answer::Closed(refusal),
        })
    }

    /// An id is looked up before "expired" is said, however old.
    async fn expired(
        &self,
        asked: &Asked,
        refusal: Refusal,
        published: &Published,
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

    /// The receipt of entry `n`, and those of the keys that asked whose signatures it does not hold.
    fn repeat(&self, asked: &Asked, n: u64, published: &Published) -> Result<Answer, Stopped> {
        let (entry, line) = self.entry(n)?.ok_or(Stopped)?;
        let recorded = |key: &chain::PublicKey| entry.sigs().iter().any(|(by, _)| by == key);
        let keys = asked.keys.iter();
        let keys = keys.map(|key| chain::PublicKey::new(*key.as_bytes()));
        let signatures_not_recorded = keys.filter(|key| !recorded(key)).collect();
        let time = Instant::from_millis(entry.time_ms());
        Ok(Answer::Repeat {
            receipt: self.receipt(
                asked.op_id,
                time,
                line,
                (published.size, &published.checkpoint),
            )?,
            signatures_not_recorded,
        })
    }
}
