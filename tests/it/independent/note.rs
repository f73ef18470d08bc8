//! The checkpoint: a signed note, and the key that signs it.

use super::plain::{Sha256Hash, admitted, sha256, unbase64, unbase64_exact, unhex, verify};

#[derive(Clone)]
/// A verifier key `name+<key id>+<base64 of type and key>` of type 1.
pub(super) struct Vkey {
    pub(super) name: String,
    /// As it is written.
    pub(super) text: String,
    pub(super) key: [u8; 32],
    id: [u8; 4],
}

impl Vkey {
    pub(super) fn parse(text: &str) -> Result<Vkey, String> {
        let parts: Vec<&str> = text.splitn(3, '+').collect();
        let [name, id, typed] = parts[..] else {
            return Err("the verifier key is not name+id+key".to_owned());
        };
        let typed: [u8; 33] = unbase64_exact(typed)?;
        let [1, key @ ..] = typed else {
            return Err("the verifier key is not of type 1, ed25519".to_owned());
        };
        let id: [u8; 4] = unhex(id)?;
        if !sha256(&[name.as_bytes(), b"\n", &typed].concat()).starts_with(&id) {
            return Err("the key id is not of this name and key".to_owned());
        }
        let unfit = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.contains(unfit) || !admitted(&key) {
            return Err("the verifier key's name or key is unfit".to_owned());
        }
        let (name, text) = (name.to_owned(), text.to_owned());
        Ok(Vkey {
            name,
            text,
            key,
            id,
        })
    }
}

/// What the ledger signed: its first `size` entries have this root.
pub(super) struct Checkpoint {
    pub(super) size: u64,
    pub(super) root: Sha256Hash,
}

impl Checkpoint {
    pub(super) fn open(note: &str, vkey: &Vkey) -> Result<Checkpoint, String> {
        let end = note
            .rfind("\n\n")
            .ok_or("the checkpoint has no blank line")?
            + 1;
        let (text, lines) = (&note[..end], &note[end + 1..]);
        let lines = lines
            .strip_suffix('\n')
            .ok_or("no newline ends the checkpoint")?;
        let mut signed = false;
        for line in lines.split('\n') {
            signed |= by_ledger(line, text, vkey)?;
        }
        if !signed {
            return Err("the ledger's key did not sign the checkpoint".to_owned());
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err("a checkpoint has three lines".to_owned());
        };
        if origin != vkey.name {
            return Err(format!("the checkpoint is of {origin}"));
        }
        let number: u64 = size.parse().map_err(|_| "the size is no number")?;
        if number.to_string() != size {
            return Err("the size has another spelling".to_owned());
        }
        Ok(Checkpoint {
            size: number,
            root: unbase64_exact(root)?,
        })
    }
}

/// Whether a signature line is the ledger's; an error where it says so and is not valid.
fn by_ledger(line: &str, text: &str, vkey: &Vkey) -> Result<bool, String> {
    let malformed = || format!("{line:?} is no signature line");
    let (name, blob) = line
        .strip_prefix("— ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(malformed)?;
    let blob = unbase64(blob)?;
    let (id, signature) = blob.split_first_chunk::<4>().ok_or_else(malformed)?;
    if name != vkey.name || *id != vkey.id {
        return Ok(false);
    }
    let signature = signature.try_into().map_err(|_| malformed())?;
    match verify(&vkey.key, text.as_bytes(), &signature) {
        true => Ok(true),
        false => Err("the ledger's signature on the checkpoint is not valid".to_owned()),
    }
}
