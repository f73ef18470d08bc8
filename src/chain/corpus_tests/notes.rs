//! Signed notes and checkpoints.

use std::path::Path;

use super::super::checkpoint::Checkpoint;
use super::super::note::{Note, NoteError, VerifierKey};
use super::{Family, json, list, read, text};

const NOTES: &str = "note/signed_note.json";

pub(super) fn signed(folder: &Path) -> Family {
    let file = json(folder, NOTES);
    let key: VerifierKey = text(&file, "vkey").parse().unwrap();
    let verdict = |note: &str| {
        Note::decode(note.as_bytes()).is_ok_and(|n| n.verified(std::slice::from_ref(&key)).is_ok())
    };
    let (valid, invalid) = (list(&file["valid"]), list(&file["invalid"]));
    let mut family = Family::new("signed notes", NOTES, valid.len() + invalid.len());
    for note in valid {
        family.judged(true, verdict(note.as_str().unwrap()), note);
    }
    for case in invalid {
        family.judged(false, verdict(text(case, "note")), case);
    }
    family
}

pub(super) fn verifier_keys(folder: &Path) -> Family {
    let file = json(folder, NOTES);
    let bad = list(&file["bad_vkeys"]);
    let mut family = Family::new("verifier keys", NOTES, 1 + bad.len());
    let verdict = |vkey: &str| vkey.parse::<VerifierKey>().is_ok();
    family.judged(true, verdict(text(&file, "vkey")), &file["vkey"]);
    for vkey in bad {
        family.judged(false, verdict(vkey.as_str().unwrap()), vkey);
    }
    family
}

pub(super) fn bodies(folder: &Path) -> Family {
    let file = "note/checkpoint_body_cases.json";
    let cases = json(folder, file);
    let mut family = Family::new("bodies of checkpoints", file, list(&cases).len());
    for case in list(&cases) {
        let verdict = Checkpoint::parse(text(case, "body")).is_ok();
        family.judged(case["ok"] == true, verdict, case);
    }
    family
}

/// The example of the specification comes without keys: it reads as a checkpoint with two signatures of nobody that is known.
pub(super) fn cosigned(folder: &Path) -> Family {
    let file = "note/c2sp_cosigned_checkpoint.txt";
    let mut family = Family::new("a cosigned checkpoint", file, 1);
    let bytes = read(folder, file);
    let note = Note::decode(&bytes).unwrap();
    let names = note.signatures().iter().map(|line| line.name());
    let verdict = names.eq(["example.com/behind-the-sofa", "witness.example.com/w1"])
        && Checkpoint::parse(note.text()).is_ok_and(|read| read.size == 20_852_163)
        && note.encode().as_bytes() == bytes
        && note.verified(&[]) == Err(NoteError::Unsigned);
    family.judged(true, verdict, note.encode());
    family
}
