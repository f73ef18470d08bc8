//! Checkpoints that a log signed and the witness did not cosign, kept for whoever looks into it: two notes of one size with two roots
//! are proof that the log signed two histories.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::judge::Suspicion;
use crate::chain::{Checkpoint, Hash, Note};
use crate::files::{self, SECRET};

/// Most notes of a log that are kept of each kind. Anybody can send a checkpoint with a bad proof: that must neither fill the disk nor
/// leave no room for a fork.
const NOTES_MAX: usize = 1_000;

/// The folder of evidence.
#[derive(Debug)]
pub(super) struct Evidence {
    folder: PathBuf,
    /// Held while one is written.
    writing: Mutex<()>,
}

impl Evidence {
    pub(super) fn new(folder: PathBuf) -> Evidence {
        Evidence {
            folder,
            writing: Mutex::default(),
        }
    }

    /// Keeps notes of a log, each once; whether there was room for all.
    pub(super) fn keep(
        &self,
        log: &Hash,
        suspicion: Suspicion,
        notes: &[(&Checkpoint, &Note)],
    ) -> io::Result<bool> {
        let kind = match suspicion {
            Suspicion::Fork => "fork",
            Suspicion::Unproven => "unproven",
        };
        let folder = self.folder.join(log.to_string()).join(kind);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        files::create_folder(&folder)?;
        for (checkpoint, note) in notes {
            let path = folder.join(format!("{}-{}.note", checkpoint.size, checkpoint.root));
            if path.exists() {
                continue;
            }
            if fs::read_dir(&folder)?.count() >= NOTES_MAX {
                return Ok(false);
            }
            files::replace(&path, SECRET, note.encode().as_bytes())?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(n: u8) -> (Checkpoint, Note) {
        let checkpoint = Checkpoint {
            origin: "log.example".to_owned(),
            size: 7,
            root: Hash::new([n; 32]),
        };
        let note = Note::new(checkpoint.text()).unwrap();
        (checkpoint, note)
    }

    #[test]
    fn each_note_is_kept_once() {
        let dir = tempfile::tempdir().unwrap();
        let evidence = Evidence::new(dir.path().join("evidence"));
        let (one, two) = (checkpoint(1), checkpoint(2));
        let notes = [(&one.0, &one.1), (&two.0, &two.1)];
        let keep = || evidence.keep(&Hash::ZERO, Suspicion::Fork, &notes).unwrap();
        assert!(keep() && keep());
        let folder = dir.path().join("evidence").join(Hash::ZERO.to_string());
        let folder = folder.join("fork");
        let mut names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let name = |root: &str| format!("7-{}.note", root.repeat(32));
        assert_eq!(names, [name("01"), name("02")]);
    }

    #[test]
    fn what_anybody_can_send_leaves_room_for_a_fork() {
        let dir = tempfile::tempdir().unwrap();
        let evidence = Evidence::new(dir.path().to_owned());
        let folder = dir.path().join(Hash::ZERO.to_string()).join("unproven");
        fs::create_dir_all(&folder).unwrap();
        for n in 0..NOTES_MAX {
            fs::write(folder.join(n.to_string()), "").unwrap();
        }
        let (checkpoint, note) = checkpoint(1);
        let keep = |suspicion| {
            let notes = [(&checkpoint, &note)];
            evidence.keep(&Hash::ZERO, suspicion, &notes).unwrap()
        };
        assert!(!keep(Suspicion::Unproven));
        assert!(keep(Suspicion::Fork));
    }
}
