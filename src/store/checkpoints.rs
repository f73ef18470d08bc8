//! Checkpoints that are kept for good. `witnessed` has those that witnesses cosigned: a receipt of years ago leads to the first that
//! covers its entry. `rekeyed` has those that an old key of the ledger and the new one signed: they lead from the one to the other.
//!
//! In each file notes are appended, each behind its length in bytes and a newline. What an unfinished write left
//! at its end is cut off: a checkpoint that is lost so can be cosigned again, and no entry depends on one. Anything else that is no
//! note is refused: nothing that was kept is thrown away unasked.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};

use crate::chain::note::NOTE_LEN_MAX;
use crate::chain::{Checkpoint, Note};

/// Checkpoints in order of size.
#[derive(Debug)]
pub struct Checkpoints {
    file: File,
    /// Size and place of each, in order of size. Held only to look up or push one, never across I/O.
    places: RwLock<Vec<Place>>,
    /// Whoever appends.
    writing: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    size: u64,
    offset: u64,
    len: usize,
}

impl Checkpoints {
    /// Opens the file, which is made where it is missing.
    pub fn open(path: &Path) -> io::Result<Checkpoints> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let places = places_in(&bytes)?;
        if end(&places) < bytes.len() as u64 {
            file.set_len(end(&places))?;
            file.sync_data()?;
        }
        Ok(Checkpoints {
            file,
            places: RwLock::new(places),
            writing: Mutex::new(()),
        })
    }

    /// The newest checkpoint of at most `most` entries, with its size, in a file that somebody else may be appending to; nothing is
    /// written.
    pub fn newest_in(path: &Path, most: u64) -> io::Result<Option<(u64, Note)>> {
        let (bytes, places) = read_in(path)?;
        let newest = places.iter().rfind(|place| place.size <= most);
        newest
            .map(|place| Ok((place.size, place.note_in(&bytes)?)))
            .transpose()
    }

    /// Every checkpoint in a file that somebody else may be appending to; nothing is written.
    pub fn all_in(path: &Path) -> io::Result<Vec<Note>> {
        let (bytes, places) = read_in(path)?;
        places.iter().map(|place| place.note_in(&bytes)).collect()
    }

    /// Keeps a checkpoint that covers more than the last one; durable when this returns.
    pub fn keep(&self, size: u64, note: &Note) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match size <= self.size() {
            true => Ok(()),
            false => self.append(size, note),
        }
    }

    /// The same where none may be missing: one that does not cover more than the last is refused unless it is that one.
    pub fn keep_each(&self, note: &Note) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let size = Checkpoint::parse(note.text()).map_err(invalid)?.size;
        if self
            .newest()?
            .is_some_and(|last| last.text() == note.text())
        {
            return Ok(());
        }
        if size <= self.size() {
            let last = self.size();
            return Err(invalid(format!(
                "it has a checkpoint of {last} entries, so that this one of {size} cannot follow; move the file away to begin anew"
            )));
        }
        self.append(size, note)
    }

    fn append(&self, size: u64, note: &Note) -> io::Result<()> {
        let at = self.look(end);
        let text = note.encode();
        let record = format!("{}\n{text}", text.len());
        let written = (&self.file)
            .write_all(record.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What was written of it must not stand before the next one.
            self.file.set_len(at)?;
            return Err(error);
        }
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.push(Place::after(at, size, text.len()));
        Ok(())
    }

    /// The first checkpoint that covers so many entries.
    pub fn covering(&self, size: u64) -> io::Result<Option<Note>> {
        let covers = |places: &[Place]| {
            let at = places.partition_point(|place| place.size < size);
            places.get(at).copied()
        };
        self.look(covers).map(|place| self.read(place)).transpose()
    }

    /// The newest checkpoint.
    pub fn newest(&self) -> io::Result<Option<Note>> {
        let newest = self.look(|places| places.last().copied());
        newest.map(|place| self.read(place)).transpose()
    }

    /// How many entries the newest checkpoint covers; 0 where there is none.
    pub fn size(&self) -> u64 {
        self.look(|places| places.last().map_or(0, |last| last.size))
    }

    fn look<R>(&self, look: impl FnOnce(&[Place]) -> R) -> R {
        // Whatever broke while it held the lock, places are of notes that were written whole.
        look(&self.places.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn read(&self, place: Place) -> io::Result<Note> {
        let mut bytes = vec![0; place.len];
        self.file.read_exact_at(&mut bytes, place.offset)?;
        Note::decode(&bytes).map_err(invalid)
    }
}

impl Place {
    /// Of a note of so many bytes whose record begins at `at`.
    fn after(at: u64, size: u64, len: usize) -> Place {
        let offset = at + head_len(len) as u64;
        Place { size, offset, len }
    }

    /// The note in the bytes of a file that had it here.
    fn note_in(&self, bytes: &[u8]) -> io::Result<Note> {
        Note::decode(&bytes[self.offset as usize..][..self.len]).map_err(invalid)
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A file's bytes with the places of its notes; none of a file that is not there.
fn read_in(path: &Path) -> io::Result<(Vec<u8>, Vec<Place>)> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let places = places_in(&bytes)?;
    Ok((bytes, places))
}

/// The places of the notes that stand one after the other, up to the end or what an unfinished write left there.
fn places_in(bytes: &[u8]) -> io::Result<Vec<Place>> {
    let mut places: Vec<Place> = Vec::new();
    loop {
        let at = end(&places);
        match first_note(&bytes[at as usize..]) {
            Found::Note { size, len } => places.push(Place::after(at, size, len)),
            Found::Unfinished => return Ok(places),
            Found::Damaged => {
                return Err(invalid(format!(
                    "no checkpoint stands at byte {at}; move the file away to begin anew"
                )));
            }
        }
    }
}

/// Where the last note ends.
fn end(places: &[Place]) -> u64 {
    let last = places.last();
    last.map_or(0, |last| last.offset + last.len as u64)
}

/// Bytes of the line before a note of `len` bytes.
fn head_len(len: usize) -> usize {
    len.to_string().len() + 1
}

/// What stands at the beginning of some bytes.
enum Found {
    /// A note, whole.
    Note { size: u64, len: usize },
    /// What a write that was cut off leaves, or nothing.
    Unfinished,
    /// Something else.
    Damaged,
}

fn first_note(bytes: &[u8]) -> Found {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let len = std::str::from_utf8(&bytes[..digits])
        .ok()
        .and_then(|text| text.parse().ok());
    let rest = match (len, bytes.get(digits)) {
        (_, None) if digits <= NOTE_LEN_MAX.to_string().len() => return Found::Unfinished,
        (Some(len), Some(b'\n')) if len <= NOTE_LEN_MAX && head_len(len) == digits + 1 => {
            bytes[digits + 1..].get(..len).ok_or(())
        }
        _ => return Found::Damaged,
    };
    let Ok(text) = rest else {
        return Found::Unfinished;
    };
    let note = Note::decode(text).ok();
    match note.and_then(|note| Checkpoint::parse(note.text()).ok()) {
        Some(checkpoint) => Found::Note {
            size: checkpoint.size,
            len: text.len(),
        },
        None => Found::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Hash, SigningKey};

    fn note(size: u64) -> Note {
        let checkpoint = Checkpoint {
            origin: "test.example".to_owned(),
            size,
            root: Hash::ZERO,
        };
        checkpoint
            .sign(&[&SigningKey::from_seed(&[1; 32])])
            .unwrap()
    }

    fn of(sizes: &[u64], path: &Path) -> Checkpoints {
        let witnessed = Checkpoints::open(path).unwrap();
        for size in sizes {
            witnessed.keep(*size, &note(*size)).unwrap();
        }
        witnessed
    }

    #[test]
    fn the_first_that_covers_is_found_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witnessed");
        assert_eq!(of(&[], &path).newest().unwrap(), None);
        of(&[3, 7, 7, 5, 20], &path);
        let witnessed = of(&[], &path);
        for (asked, found) in [(0, 3), (3, 3), (4, 7), (7, 7), (8, 20), (20, 20)] {
            assert_eq!(
                witnessed.covering(asked).unwrap(),
                Some(note(found)),
                "{asked}"
            );
        }
        assert_eq!(witnessed.covering(21).unwrap(), None);
        assert_eq!(
            (witnessed.size(), witnessed.newest().unwrap()),
            (20, Some(note(20)))
        );
        for (most, found) in [(2, None), (3, Some(3)), (19, Some(7)), (20, Some(20))] {
            let found = found.map(|size| (size, note(size)));
            assert_eq!(Checkpoints::newest_in(&path, most).unwrap(), found);
        }
        let absent = folder.path().join("absent");
        assert_eq!(Checkpoints::newest_in(&absent, 9).unwrap(), None);
    }

    #[test]
    fn where_none_may_be_missing_one_that_cannot_follow_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rekeyed");
        let rekeyed = of(&[], &path);
        for size in [3, 9, 9] {
            rekeyed.keep_each(&note(size)).unwrap();
        }
        let mut other = Checkpoint::parse(note(9).text()).unwrap();
        other.root = crate::chain::hash::leaf_hash(b"another");
        let other = other.sign(&[&SigningKey::from_seed(&[1; 32])]).unwrap();
        for refused in [note(3), note(8), other] {
            let error = rekeyed.keep_each(&refused).unwrap_err();
            assert!(error.to_string().contains("move the file away"), "{error}");
        }
        assert_eq!(Checkpoints::all_in(&path).unwrap(), [note(3), note(9)]);
    }

    #[test]
    fn what_is_damaged_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witnessed");
        of(&[3, 9], &path);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() / 2 {
            let mut changed = whole.clone();
            changed[at] ^= 0x80;
            std::fs::write(&path, &changed).unwrap();
            assert!(Checkpoints::open(&path).is_err(), "{at}");
            assert!(Checkpoints::all_in(&path).is_err(), "{at}");
            assert!(Checkpoints::newest_in(&path, 9).is_err(), "{at}");
            assert_eq!(std::fs::read(&path).unwrap(), changed);
        }
    }

    #[test]
    fn an_unfinished_end_is_cut_off_wherever_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witnessed");
        of(&[3], &path);
        let first = std::fs::metadata(&path).unwrap().len();
        of(&[9], &path);
        let whole = std::fs::read(&path).unwrap();
        for len in first..whole.len() as u64 {
            std::fs::write(&path, &whole[..len as usize]).unwrap();
            let witnessed = of(&[], &path);
            assert_eq!(witnessed.size(), 3, "{len}");
            assert_eq!(std::fs::metadata(&path).unwrap().len(), first);
            witnessed.keep(12, &note(12)).unwrap();
            assert_eq!(of(&[], &path).covering(4).unwrap(), Some(note(12)));
        }
    }
}
