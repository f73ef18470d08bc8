//! The keys of a ledger's checkpoints, for who reads its entries and does not judge them.

use serde::Deserialize;

use super::create::Create;
use super::ledger_key;
use super::rekey::Rekey;
use crate::domain::objects::LedgerKey;
use crate::domain::operation::Operation as _;
use crate::domain::values::{Name, Succession};

/// What the entries so far name, taken from their payloads. It is worth what vouches for the entries.
#[derive(Debug, Default)]
pub struct NamedKeys(Option<(Name, Succession<LedgerKey>)>);

#[derive(Deserialize)]
struct Named<'p> {
    ledger: Name,
    op: &'p str,
    body: Body,
}

/// The one field of two bodies.
#[derive(Deserialize)]
struct Body {
    vkey: Option<Name>,
    new_vkey: Option<Name>,
}

impl NamedKeys {
    /// Takes the payload of entry `n` in, whatever its operation.
    pub fn take(&mut self, n: u64, payload: &str) {
        // Few are of the ledger itself: the others are not read.
        if !payload.contains(r#""op":"ledger."#) {
            return;
        }
        let Ok(Named { ledger, op, body }) = serde_json::from_str(payload) else {
            return;
        };
        let read = |vkey: Option<Name>| ledger_key(&vkey?, &ledger).ok();
        match (op, &mut self.0) {
            (Create::NAME, first @ None) => {
                let key = read(body.vkey);
                *first = key.map(|key| (ledger.clone(), Succession::new(key)));
            }
            (Rekey::NAME, Some((_, keys))) => {
                if let Some(key) = read(body.new_vkey) {
                    keys.push(n + 1, key);
                }
            }
            _ => {}
        }
    }

    /// The ledger's name and keys; nothing before entry 0.
    pub fn found(&self) -> Option<&(Name, Succession<LedgerKey>)> {
        self.0.as_ref()
    }
}
