//! The server is killed under load and started again.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use counterfoil::chain::Envelope;
use counterfoil::client::{Client, ClientError};
use serde_json::Value;

use super::{Limits, Numbers, assert_audited, not_after};
use crate::served::{Server, story};

/// Kills.
const ROUNDS: usize = 4;
/// At most so many operations are acknowledged before a kill, at least one.
const ACKNOWLEDGED_MAX: usize = 120;

/// An operation and the entry that it was acknowledged as.
struct Sent {
    envelope: Envelope,
    amount: String,
    n: Option<u64>,
}

/// Somebody who sets one limit over and over, waiting for each answer.
struct Writer {
    limits: Limits,
    /// Operations in one request.
    at_once: usize,
    sent: Vec<Sent>,
}

impl Writer {
    fn all(data: &Path) -> Vec<Writer> {
        let mut writers = Vec::new();
        for lender in ["bank-a", "bank-b", "factor"] {
            for (supplier, at_once) in [(None, 1), (Some("supplier"), 1), (Some("maker"), 12)] {
                let limits = Limits::of(data, lender, supplier);
                writers.push(Writer {
                    limits,
                    at_once,
                    sent: Vec::new(),
                });
            }
        }
        writers
    }

    /// Writes until the server is gone; tells of every acknowledgement.
    fn write(&mut self, client: &Client, origin: &str, not_after: &str, acknowledge: &Sender<()>) {
        loop {
            let first = self.sent.len();
            let news = first..first + self.at_once;
            for i in news.clone() {
                let amount = format!("{}.00", 1_000 + i);
                self.sent.push(Sent {
                    envelope: self.limits.set(origin, not_after, &amount),
                    amount,
                    n: None,
                });
            }
            let envelopes: Vec<_> = self.sent[first..]
                .iter()
                .map(|s| s.envelope.clone())
                .collect();
            let answer = match &envelopes[..] {
                [one] => client.submit(one).map(|receipt| vec![Ok(receipt)]),
                several => client.submit_all(several),
            };
            let receipts = match answer {
                Ok(receipts) => receipts,
                Err(ClientError::Transport(_)) => return,
                Err(error) => panic!("{error}"),
            };
            for (i, receipt) in news.zip(receipts) {
                let receipt = receipt.unwrap();
                assert!(!receipt.repeated);
                self.sent[i].n = Some(receipt.n);
                // Nobody counts any more once the kill is under way.
                acknowledge.send(()).ok();
            }
        }
    }

    /// What was acknowledged is there under its number; of what was not, a beginning. Returns how many of those sent since
    /// `from` are there.
    fn check(&self, client: &Client, from: usize) -> usize {
        let found: Vec<Option<u64>> = self.sent[from..]
            .iter()
            .map(
                |sent| match client.operation(&sent.envelope.op_id().to_string()) {
                    Ok(receipt) => Some(receipt.n),
                    Err(error) => {
                        assert_eq!(error.problem().unwrap().status, 404, "{error}");
                        None
                    }
                },
            )
            .collect();
        for (sent, found) in self.sent[from..].iter().zip(&found) {
            assert!(
                sent.n.is_none() || sent.n == *found,
                "{:?} is {found:?}",
                sent.n
            );
        }
        let there = found.iter().take_while(|n| n.is_some()).count();
        assert!(
            found.is_sorted_by_key(|n| n.unwrap_or(u64::MAX)),
            "{found:?}"
        );
        assert!(found[there..].iter().all(Option::is_none), "{found:?}");
        if let Some(last) = self.sent[..from + there].last() {
            assert_eq!(self.limit(client), last.amount);
        }
        there
    }

    /// The limit as the ledger has it.
    fn limit(&self, client: &Client) -> Value {
        let limits = client.all("limits").unwrap();
        let supplier = self.limits.supplier.as_deref();
        let mine = limits
            .iter()
            .find(|row| row.get("supplier").and_then(Value::as_str) == supplier);
        mine.unwrap()["amount"].clone()
    }

    /// Sends again what was sent last: an entry is answered with itself, anything else becomes one.
    fn repeat(&mut self, client: &Client, from: usize, there: usize) {
        let of = |sent: &Sent| client.submit(&sent.envelope).unwrap();
        if let Some(sent) = self.sent[..from + there].last() {
            let again = of(sent);
            assert!(again.repeated && sent.n.is_none_or(|n| n == again.n));
        }
        for sent in &mut self.sent[from + there..] {
            let receipt = of(sent);
            assert!(!receipt.repeated);
            sent.n = Some(receipt.n);
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_under_load_and_nothing_is_half_done() {
    let data = story();
    let mut numbers = Numbers(1);
    let mut writers = Writer::all(data.path());
    for _ in 0..ROUNDS {
        let server = Server::start(data.path());
        let size = server.client().status().unwrap().size;
        let from: Vec<usize> = writers.iter().map(|writer| writer.sent.len()).collect();
        kill_under_load(server, &mut writers, 1 + numbers.below(ACKNOWLEDGED_MAX));
        assert_audited(data.path());

        let server = Server::start(data.path());
        let now = server.client().status().unwrap().size;
        let mut there = 0;
        for (writer, from) in writers.iter_mut().zip(from) {
            let client = server.client_of(&writer.limits.lender);
            let found = writer.check(&client, from);
            writer.repeat(&client, from, found);
            there += found as u64;
        }
        assert_eq!(now, size + there);
        assert_eq!(server.stop().code, Some(0));
        assert_audited(data.path());
    }
    let server = Server::start(data.path());
    for writer in &writers {
        let all = writer.check(&server.client_of(&writer.limits.lender), 0);
        assert_eq!(all, writer.sent.len());
    }
}

/// Kills the server once so many operations were acknowledged, while more are on their way.
fn kill_under_load(server: Server, writers: &mut [Writer], acknowledgements: usize) {
    let not_after = not_after(&server);
    let (origin, client) = (server.origin().to_owned(), server.client());
    thread::scope(|scope| {
        let (acknowledge, acknowledged) = channel();
        for writer in writers {
            let (client, origin, not_after) = (client.clone(), &origin, &not_after);
            let acknowledge = acknowledge.clone();
            scope.spawn(move || writer.write(&client, origin, not_after, &acknowledge));
        }
        drop(acknowledge);
        for _ in 0..acknowledgements {
            acknowledged.recv().unwrap();
        }
        let ended = server.kill();
        assert_eq!(ended.code, None, "{}", ended.log);
    });
}
