//! What a monitor reads over HTTP: checkpoints and hash tiles of the ledger, the checkpoints that witnesses hold, and, where it may,
//! the entries.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use ureq::Agent;

use crate::chain::note::NOTE_LEN_MAX;
use crate::chain::tiles::{TilePath, decode_hashes};
use crate::chain::tree::{Node, Nodes, ProofError};
use crate::chain::{Hash, Note};
use crate::outside;

use super::Trouble;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of a tile: 256 entries of 65,535 bytes, each behind its length.
const TILE_LEN_MAX: u64 = 256 * (65_535 + 2);

/// A ledger over HTTP.
#[derive(Debug, Clone)]
pub struct Source {
    agent: Agent,
    base: String,
    /// Of a session of an authority that audits, if there is one.
    token: Option<String>,
}

impl Source {
    /// The ledger at `base`, such as `http://127.0.0.1:8465`.
    pub fn new(base: &str) -> Source {
        let config = outside::agent().timeout_global(Some(PATIENCE)).build();
        Source {
            agent: config.new_agent(),
            base: base.trim_end_matches('/').to_owned(),
            token: None,
        }
    }

    pub(super) fn read_by(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Whether it may read entries.
    pub(super) fn reads_entries(&self) -> bool {
        self.token.is_some()
    }

    /// A checkpoint of the ledger: `None` where it says that it has none that was cosigned yet.
    pub(super) fn checkpoint(&self, path: &str) -> Result<Option<Note>, Trouble> {
        self.note(&format!("{}{path}", self.base), 503)
    }

    /// The checkpoint that a witness holds of the log of this origin: `None` where it never cosigned one.
    pub(super) fn held(&self, witness: &str, origin_hash: &Hash) -> Result<Option<Note>, Trouble> {
        let address = outside::address(witness);
        let witness = address.map_err(|error| Trouble::unreadable("its address", error))?;
        self.note(&format!("{witness}/{origin_hash}/checkpoint"), 404)
    }

    fn note(&self, url: &str, none: u16) -> Result<Option<Note>, Trouble> {
        let Some(bytes) = self.bytes(url, NOTE_LEN_MAX as u64, none)? else {
            return Ok(None);
        };
        let note = Note::decode(&bytes);
        note.map(Some)
            .map_err(|error| Trouble::unreadable(url, error))
    }

    /// A tile's bytes.
    pub(super) fn tile(&self, path: TilePath) -> Result<Vec<u8>, Trouble> {
        let url = format!("{}/{path}", self.base);
        let found = self.bytes(&url, TILE_LEN_MAX, 0)?;
        found.ok_or_else(|| Trouble::unreadable(&url, "nothing is there"))
    }

    fn bytes(&self, url: &str, most: u64, none: u16) -> Result<Option<Vec<u8>>, Trouble> {
        let unreached = |why: &dyn std::fmt::Display| Trouble::unreadable(url, why);
        let mut request = self.agent.get(url);
        // Nobody but the ledger is shown the session.
        let own = format!("{}/", self.base);
        if let Some(token) = self.token.as_ref().filter(|_| url.starts_with(&own)) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().map_err(|error| unreached(&error))?;
        match answer.status().as_u16() {
            200 => {}
            status if status == none => return Ok(None),
            status => return Err(unreached(&format!("its status is {status}"))),
        }
        let body = answer.body_mut().with_config().limit(most).read_to_vec();
        body.map(Some).map_err(|error| unreached(&error))
    }
}

/// The hashes of a tree of so many leaves, from its tiles. Nothing vouches for them but what is proved by them.
pub(super) struct Tiles<'s> {
    source: &'s Source,
    size: u64,
    read: RefCell<HashMap<TilePath, Vec<Hash>>>,
}

impl<'s> Tiles<'s> {
    pub(super) fn new(source: &'s Source, size: u64) -> Tiles<'s> {
        Tiles {
            source,
            size,
            read: RefCell::default(),
        }
    }
}

impl Nodes for Tiles<'_> {
    type Error = Trouble;

    fn hash(&self, node: Node) -> Result<Hash, Trouble> {
        let (path, within) = TilePath::holding(node, self.size).ok_or(ProofError)?;
        if !self.read.borrow().contains_key(&path) {
            let bytes = self.source.tile(path)?;
            let hashes = decode_hashes(&bytes);
            let hashes = hashes.filter(|hashes| hashes.len() == usize::from(path.width()));
            let hashes =
                hashes.ok_or_else(|| Trouble::unreadable(path, "not as wide as its name"))?;
            self.read.borrow_mut().insert(path, hashes);
        }
        let read = self.read.borrow();
        let hashes = read.get(&path).and_then(|hashes| hashes.get(within));
        let hashes = hashes.ok_or(ProofError)?;
        let level = hashes.len().trailing_zeros() as u8;
        Ok(hashes.hash(Node { level, index: 0 })?)
    }
}
