//! What the system was asked to do, in which order: an acknowledgement leaves after the entry is durable.

use std::path::Path;

use rstest::rstest;

use super::{Limits, not_after};
use crate::served::{Server, story, text};
use crate::strace::{self, Call};

/// Operations, one at a time.
const OPERATIONS: usize = 20;
const CALLS: &str = "trace=write,writev,pwrite64,fdatasync,fsync,sendto,sendmsg";

#[test]
fn a_segments_write_and_sync_end_before_the_acknowledgement_begins() {
    if strace::is_missing() {
        return;
    }
    let data = story();
    let log = text(&data.path().join("strace.log"));
    let server = Server::start_under(&strace::into(&log, CALLS), "", data.path());
    let (client, not_after) = (server.client(), not_after(&server));
    let limits = Limits::of(data.path(), "bank-a", None);
    let acknowledged: Vec<u64> = (0..OPERATIONS)
        .map(|i| {
            let envelope = limits.set(server.origin(), &not_after, &format!("{}.00", 1_000 + i));
            client.submit(&envelope).unwrap().n
        })
        .collect();
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);

    let calls = Call::read_all(Path::new(&log));
    for n in &acknowledged {
        assert_eq!(is_durable_first(&calls, *n), Ok(()), "entry {n}");
    }
    // "A commit is one write and one fdatasync": one more of these when the store is opened.
    let of_segment = |name: &str| {
        calls
            .iter()
            .filter(|c| is_of_segment(c) && c.name == name)
            .count()
    };
    assert_eq!(of_segment("write"), OPERATIONS);
    assert_eq!(of_segment("fdatasync"), OPERATIONS + 1);
}

fn is_of_segment(call: &Call) -> bool {
    call.file.contains("/entries/")
}

fn acknowledges(call: &Call, n: u64) -> bool {
    call.is_of_socket()
        && call.text.contains("HTTP/1.1 201 ")
        && call.text.contains(&format!(r#"\"n\":{n},"#))
}

/// Whether the write of entry `n` ended, then a sync of its file began and ended well, then its acknowledgement began.
fn is_durable_first(calls: &[Call], n: u64) -> Result<(), &'static str> {
    let line = format!(r#""{{\"n\":{n},"#);
    let written = calls
        .iter()
        .find(|call| is_of_segment(call) && call.name == "write" && call.text.contains(&line))
        .ok_or("it was not written")?;
    let is_sync = |call: &&Call| call.syncs(&written.file) && call.began > written.ended;
    let synced = calls.iter().find(is_sync).ok_or("it was not synced")?;
    let answered = calls
        .iter()
        .find(|call| acknowledges(call, n))
        .ok_or("it was not acknowledged")?;
    if synced.ended < answered.began {
        Ok(())
    } else {
        Err("it was acknowledged before it was durable")
    }
}

#[rstest]
#[case::in_order(&["write", "sync", "answer"], Ok(()))]
#[case::overlapping_others(&["write", "sync begins", "other", "sync ends", "answer"], Ok(()))]
#[case::answered_while_it_syncs(
    &["write", "sync begins", "answer", "sync ends"],
    Err("it was acknowledged before it was durable")
)]
#[case::answered_first(&["write", "answer", "sync"], Err("it was acknowledged before it was durable"))]
#[case::synced_before_it_is_written(&["sync", "write", "answer"], Err("it was not synced"))]
#[case::never_synced(&["write", "answer"], Err("it was not synced"))]
#[case::another_file_synced(&["write", "other", "answer"], Err("it was not synced"))]
#[case::sync_failed(&["write", "sync fails", "answer"], Err("it was not synced"))]
fn a_log_out_of_order_is_seen(#[case] told: &[&str], #[case] verdict: Result<(), &str>) {
    let line = |what: &&str| match *what {
        "write" => r#"7  write(15</d/entries/0.jsonl>, "{\"n\":4,\"time\"…"..., 900) = 900"#,
        "sync" => "7  fdatasync(15</d/entries/0.jsonl>) = 0",
        "sync begins" => "7  fdatasync(15</d/entries/0.jsonl> <unfinished ...>",
        "sync ends" => "7  <... fdatasync resumed>)      = 0",
        "sync fails" => "7  fdatasync(15</d/entries/0.jsonl>) = -1 EIO (Input/output error)",
        "answer" => {
            r#"8  writev(14<socket:[1]>, [{iov_base="HTTP/1.1 201 Created\r\n"}, {iov_base="{\"n\":4,"}], 2) = 9"#
        }
        _ => "9  fdatasync(16</d/head.tmp>) = 0",
    };
    let log: Vec<&str> = told.iter().map(line).collect();
    assert_eq!(is_durable_first(&Call::all(&log.join("\n")), 4), verdict);
}
