//! What the store and the server do when the world fails them: a kill, a full disk, a damaged file, rubbish on the wire.
//!
//! Everything here goes through the command itself, or through the very functions by which it starts.

mod damaged;
mod full;
mod index;
mod killed;
mod rubbish;
mod traced;

use std::path::{Path, PathBuf};

use counterfoil::chain::{Entry, Envelope, Line};
use counterfoil::domain::values::Instant;
use serde_json::json;

use super::served::{Party, Server, run, text};

/// Numbers that look random, the same at each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }

    fn flip(&mut self, bytes: &mut [u8]) -> usize {
        let at = self.below(bytes.len());
        bytes[at] ^= 1 << self.below(8);
        at
    }
}

/// Until when an envelope may be sent that is made now.
fn not_after(server: &Server) -> String {
    let now: Instant = server.client().status().unwrap().time.parse().unwrap();
    now.plus_minutes(10).to_string()
}

/// The cheapest operation that changes what is known: a lender sets its limit on a debtor.
struct Limits {
    lender: Party,
    debtor: String,
    /// On debts to this supplier only: what tells the limits of one lender apart.
    supplier: Option<String>,
}

impl Limits {
    fn of(data: &Path, lender: &str, supplier: Option<&str>) -> Limits {
        Limits {
            lender: Party::of(data, lender),
            debtor: Party::of(data, "hospital").id,
            supplier: supplier.map(|name| Party::of(data, name).id),
        }
    }

    fn set(&self, origin: &str, not_after: &str, amount: &str) -> Envelope {
        let (currency, valid_to) = ("CNY", "2026-12-31");
        let body = match &self.supplier {
            Some(supplier) => json!({
                "debtor": self.debtor, "supplier": supplier, "currency": currency, "amount": amount, "valid_to": valid_to,
            }),
            None => json!({
                "debtor": self.debtor, "currency": currency, "amount": amount, "valid_to": valid_to,
            }),
        };
        self.lender.envelope(origin, not_after, "limit.set", &body)
    }
}

/// The only segment of a small ledger.
fn segment(data: &Path) -> PathBuf {
    data.join("entries/00000000000000000000.jsonl")
}

/// The entries of a small ledger, a line each.
fn lines(data: &Path) -> Vec<(Entry, Line)> {
    let bytes = std::fs::read(segment(data)).unwrap();
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| Line::decode(&line[..line.len() - 1]).unwrap())
        .collect()
}

/// Chain, signatures, tree, every rule and every invariant of what the head covers.
fn assert_audited(data: &Path) {
    let audited = run(&["audit", "--data", &text(data)]);
    assert!(audited.status.success(), "{audited:?}");
}
