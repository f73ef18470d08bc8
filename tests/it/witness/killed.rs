//! It is killed between and within requests: what it cosigned, it remembers. And it is durable before it is answered.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::{Answer, Asker, Log, vkey_of, witness};
use crate::served::{Server, text};
use crate::strace::{self, Call};

/// Kills.
const ROUNDS: u64 = 6;
/// Cosignatures before a kill.
const COSIGNED: usize = 15;
const LEAVES: u64 = 2_000;

/// Grows a log by a leaf a request until the server is gone; tells of every size that was cosigned.
fn grow(
    asker: &Asker,
    log: &Log,
    cosigned: &Mutex<Vec<(u64, bool)>>,
    is_fork: bool,
    tell: &Sender<()>,
) {
    let mut old = 0;
    while let Ok(Answer(status, _, body)) = asker.try_add(&log.request(old, old + 1)) {
        match status {
            200 => {
                old += 1;
                cosigned.lock().unwrap().push((old, is_fork));
                // Nobody counts any more once the kill is under way.
                tell.send(()).ok();
            }
            409 => old = body.trim_end().parse().unwrap(),
            422 => return,
            _ => panic!("{status}: {body}"),
        }
    }
}

#[test]
fn a_size_that_was_cosigned_survives_a_kill() {
    let log = Log::new("log.example/a", 3, LEAVES);
    let fork = log.forked(1);
    let data = witness(&[&log]);
    let vkey = vkey_of(data.path());
    let cosigned = Mutex::new(Vec::new());
    let mut before = 0;
    for _ in 0..ROUNDS {
        let server = Server::start_witness(data.path());
        let asker = Asker::of(server.base());
        thread::scope(|scope| {
            let (tell, told) = channel();
            for (history, is_fork) in [(&log, false), (&log, false), (&fork, true)] {
                let (asker, tell) = (asker.clone(), tell.clone());
                let cosigned = &cosigned;
                scope.spawn(move || grow(&asker, history, cosigned, is_fork, &tell));
            }
            drop(tell);
            for _ in 0..COSIGNED {
                told.recv().unwrap();
            }
            assert_eq!(server.kill().code, None);
        });
        let server = Server::start_witness(data.path());
        let kept = Asker::of(server.base()).served(&log, &vkey);
        let told = cosigned.lock().unwrap();
        let newest = told.iter().map(|(size, _)| *size).max().unwrap();
        // The last one may have been kept and not answered any more.
        assert!(newest <= kept.size && newest > before, "{newest} {kept:?}");
        before = kept.size;
        // All beyond the leaf that both begin with are of one history, and so is what is kept.
        let beyond = told.iter().filter(|(size, _)| *size > 1);
        let of_fork: Vec<bool> = beyond.map(|(_, is_fork)| *is_fork).collect();
        assert!(of_fork.windows(2).all(|pair| pair[0] == pair[1]));
        let history = if of_fork[0] { &fork } else { &log };
        assert_eq!(kept, history.checkpoint(kept.size));
        drop(told);
        assert_eq!(server.stop().code, Some(0));
    }
}

const CALLS: &str = "trace=write,writev,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg";

#[test]
fn the_file_and_its_name_are_synced_before_the_answer_begins() {
    if strace::is_missing() {
        return;
    }
    let log = Log::new("log.example/a", 3, 20);
    let data = witness(&[&log]);
    let trace = text(&data.path().join("strace.log"));
    let server = Server::start_witness_under(&strace::into(&trace, CALLS), data.path());
    let asker = Asker::of(server.base());
    for old in 0..10 {
        assert_eq!(asker.add(&log.request(old, old + 1)).0, 200);
    }
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let calls = Call::read_all(Path::new(&trace));
    for size in 1..=10 {
        assert_eq!(is_durable_first(&calls, size), Ok(()), "size {size}");
    }
}

/// Whether the note of this size was written to a temporary file, synced, renamed, its folder synced, and then answered, each step
/// after the one before had ended.
fn is_durable_first(calls: &[Call], size: u64) -> Result<(), &'static str> {
    let after = |ended: usize, what: &dyn Fn(&Call) -> bool, missing| {
        let mut calls = calls.iter();
        let call = calls.find(|call| call.began > ended && what(call));
        call.ok_or(missing)
    };
    let is_note = |call: &Call| {
        let note = format!("\"log.example/a\\n{size}\\n");
        call.name == "write" && call.file.ends_with(".new") && call.text.contains(&note)
    };
    let written = calls
        .iter()
        .find(|call| is_note(call))
        .ok_or("it was not written")?;
    let file = &written.file;
    let folder = Path::new(file).parent().unwrap().to_str().unwrap();
    let synced = after(written.ended, &|call| call.syncs(file), "it was not synced")?;
    let renames = |call: &Call| {
        call.name == "rename" && call.text.contains(file) && call.text.ends_with(" = 0")
    };
    let renamed = after(synced.ended, &renames, "it was not renamed")?;
    let durable = after(
        renamed.ended,
        &|call| call.syncs(folder),
        "its folder was not synced",
    )?;
    let answers = |call: &Call| call.is_of_socket() && call.text.contains("HTTP/1.1 200 ");
    // The answer is the first that begins after the write: there is one request at a time.
    let answered = after(written.ended, &answers, "it was not answered")?;
    match durable.ended < answered.began {
        true => Ok(()),
        false => Err("it was answered before it was durable"),
    }
}
