//! A write that fails: the process ends, and whatever was acknowledged is there at the next start.

use counterfoil::client::ClientError;

use super::{Limits, assert_audited, not_after, segment};
use crate::served::{Server, story};

/// No file grows beyond this; the shell counts blocks of 512 bytes.
const FILE_MAX: u64 = 160 * 1024;

#[test]
fn a_failing_write_stops_the_process_and_takes_back_nothing_acknowledged() {
    let data = story();
    let limits = Limits::of(data.path(), "bank-a", None);
    // Without the signal a write that is too long fails as one to a full disk does.
    let prelude = format!("trap '' XFSZ; ulimit -f {}", FILE_MAX / 512);
    let server = Server::start_under(&[], &prelude, data.path());
    let (client, not_after) = (server.client(), not_after(&server));
    let origin = server.origin().to_owned();
    let mut acknowledged = Vec::new();
    let failed = loop {
        let envelope = limits.set(&origin, &not_after, "1000.00");
        match client.submit(&envelope) {
            Ok(receipt) => acknowledged.push((envelope, receipt.n)),
            Err(error) => break (envelope, error),
        }
        assert!(acknowledged.len() < 10_000, "no write failed");
    };
    match failed.1 {
        ClientError::Transport(_) => {}
        ClientError::Refused(problem) => assert_eq!(problem.code, "ledger.stopped"),
        error => panic!("{error}"),
    }
    let ended = server.ended();
    assert_eq!(ended.code, Some(3), "{}", ended.log);
    assert!(ended.log.contains("the ledger stopped: "), "{}", ended.log);
    assert!(
        ended.log.contains(segment(data.path()).to_str().unwrap()),
        "{}",
        ended.log
    );
    assert!(acknowledged.len() > 10);
    assert_audited(data.path());

    let server = Server::start(data.path());
    let client = server.client_of(&limits.lender);
    for (envelope, n) in &acknowledged {
        assert_eq!(
            client.operation(&envelope.op_id().to_string()).unwrap().n,
            *n
        );
    }
    let again = client.submit(&failed.0).unwrap();
    assert_eq!(again.n, acknowledged.last().unwrap().1 + 1);
    assert_eq!(server.stop().code, Some(0));
    assert_audited(data.path());
}
