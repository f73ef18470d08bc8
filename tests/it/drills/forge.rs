//! History written anew on disk, under the ledger's own key.

use std::fs;
use std::path::Path;

use counterfoil::chain::{Checkpoint, Entry, Envelope, Hash, Line, SigningKey, Tree, pem};

/// An entry but for its place.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) time_ms: i64,
    pub(super) envelope: Envelope,
}

impl Past {
    /// The same under the same signatures, with other words in it.
    pub(super) fn altered(&self, from: &str, to: &str) -> Past {
        let payload = self.envelope.payload().replacen(from, to, 1);
        assert_ne!(payload, self.envelope.payload());
        let mut envelope = Envelope::new(self.envelope.payload_type(), payload).unwrap();
        for (key, signature) in self.envelope.signatures() {
            envelope.add_signature(*key, *signature).unwrap();
        }
        Past {
            time_ms: self.time_ms,
            envelope,
        }
    }
}

/// Writes the history in a folder anew: lines, links, root and head are as if it had never been another.
pub(super) fn rewrite(data: &Path, change: impl FnOnce(&mut Vec<Past>)) {
    let file = data.join("entries/00000000000000000000.jsonl");
    let mut entries = read(&fs::read(&file).unwrap());
    change(&mut entries);
    let lines = chain(&entries);
    let written = lines.iter().flat_map(|line| [line.bytes(), b"\n"].concat());
    fs::write(&file, written.collect::<Vec<u8>>()).unwrap();
    fs::write(data.join("head"), head(data, &lines)).unwrap();
    // What follows from the entries is made again; what witnesses cosigned speaks of another history.
    for folder in ["index", "witnessed"] {
        let path = data.join(folder);
        fs::remove_dir_all(&path)
            .or_else(|_| fs::remove_file(&path))
            .ok();
    }
}

fn read(lines: &[u8]) -> Vec<Past> {
    let line = |line: &[u8]| {
        let entry = Entry::decode(line).unwrap();
        Past {
            time_ms: entry.time_ms(),
            envelope: entry.into_envelope(),
        }
    };
    let lines = lines.strip_suffix(b"\n").unwrap();
    lines.split(|byte| *byte == b'\n').map(line).collect()
}

fn chain(entries: &[Past]) -> Vec<Line> {
    let mut prev = Hash::ZERO;
    let line = |(n, past): (u64, &Past)| {
        let entry = Entry::new(n, past.time_ms, prev, past.envelope.clone());
        let line = entry.unwrap().encode();
        prev = *line.leaf();
        line
    };
    (0..).zip(entries).map(line).collect()
}

/// The ledger's word for these lines.
fn head(data: &Path, lines: &[Line]) -> String {
    let before = fs::read_to_string(data.join("head")).unwrap();
    let tree: Tree = lines.iter().map(|line| *line.leaf()).collect();
    let checkpoint = Checkpoint {
        origin: before.lines().next().unwrap().to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    checkpoint.sign(&[&key(data)]).unwrap().encode()
}

fn key(data: &Path) -> SigningKey {
    let key = fs::read_to_string(data.join("ledger.key")).unwrap();
    pem::read(&key, || None).unwrap()
}
