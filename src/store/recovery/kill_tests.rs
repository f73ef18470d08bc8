//! The process dies at every step that persists; the next start must find all that was acknowledged.

use std::fs;
use std::sync::Arc;

use rstest::rstest;

use crate::store::disk::Disk;
use crate::store::journal::{Journal, JournalError};
use crate::store::layout::Layout;
use crate::store::quarantine;
use crate::store::recovery::{OpenError, Recovered};
use crate::store::segments::SegmentJournal;
use crate::store::testing::*;

/// What a ledger does in its life: is made, takes batches that fill segments, publishes heads, stops. Says how far it got: entries
/// acknowledged, and the size of the last head that was surely written.
fn live(disk: Arc<dyn Disk>, layout: &Layout) -> (u64, u64) {
    let (mut acknowledged, mut head) = (0, 0);
    let run = || -> Result<(), OpenError> {
        let mut journal = SegmentJournal::create_on(disk, layout.clone())?;
        for (i, to) in [1, 3, 6, 7, 13].into_iter().enumerate() {
            let from = journal.size();
            journal.append(from, &LINES[from as usize..to as usize])?;
            acknowledged = to;
            let now_ms = 700 * i as u64;
            let due = now_ms.is_multiple_of(1400);
            journal.publish_head(checkpoint(to), now_ms)?;
            head = if due { to } else { head };
        }
        journal.flush_head()?;
        head = 13;
        Ok(())
    };
    let _ = run();
    (acknowledged, head)
}

#[rstest]
#[case(Fault::Failed)]
#[case(Fault::FailedButPersisted)]
#[case(Fault::Torn)]
fn kill_at_every_persist_step_loses_nothing_acknowledged(#[case] fault: Fault) {
    for step in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(&dir.path().join("data"));
        let disk = Arc::new(FaultyDisk::new(step, fault));
        let (acknowledged, head) = live(disk.clone(), &layout);
        let opened = open(&layout);
        match &opened {
            Ok(recovered) => {
                check_prefix(recovered);
                assert!(
                    recovered.journal.size() >= acknowledged,
                    "step {step}: acknowledged entries are missing"
                );
                assert!(
                    recovered.journal.head().unwrap().checkpoint.size >= head,
                    "step {step}: the head went back"
                );
                assert!(
                    fault == Fault::Torn || recovered.quarantined.is_empty(),
                    "step {step}"
                );
            }
            // Before the first head is written there is nothing to open yet.
            Err(OpenError::Head { .. } | OpenError::NoStore { .. }) => {
                assert_eq!(head, 0, "step {step}")
            }
            Err(error) => panic!("step {step}: {error}"),
        }
        if let Ok(Recovered { mut journal, .. }) = opened {
            let size = journal.size();
            journal.append(size, &LINES[size as usize..]).unwrap();
            drop(journal);
            check_prefix(&open(&layout).unwrap());
        }
        if !disk.has_failed() {
            assert!(step > 20, "only {step} steps were seen");
            return;
        }
    }
}

#[test]
fn persist_error_stops_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 2, 2);
    // Opening takes two steps: file and directory are synced.
    let disk = Arc::new(FaultyDisk::new(2, Fault::Failed));
    let mut journal = SegmentJournal::open_on(disk, layout, &mut |_, _| ())
        .unwrap()
        .journal;
    assert!(matches!(
        journal.append(2, &LINES[2..3]),
        Err(JournalError::Io { .. })
    ));
    assert_eq!((journal.size(), journal.reader().size()), (2, 2));
    assert!(matches!(
        journal.append(2, &LINES[2..3]),
        Err(JournalError::Stopped)
    ));
    assert!(matches!(
        journal.publish_head(checkpoint(2), 0),
        Err(JournalError::Stopped)
    ));
}

#[rstest]
#[case(Fault::Failed)]
#[case(Fault::FailedButPersisted)]
#[case(Fault::Torn)]
fn kill_at_every_step_of_recovery_loses_nothing(#[case] fault: Fault) {
    for step in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let layout = store(dir.path(), 7, 5);
        let mut bytes = fs::read(layout.segment(4)).unwrap();
        bytes.extend_from_slice(b"{\"n\":7,\"unfinished");
        fs::write(layout.segment(4), &bytes).unwrap();
        fs::write(layout.segment(8), b"more").unwrap();
        let disk = Arc::new(FaultyDisk::new(step, fault));
        let first = SegmentJournal::open_on(disk.clone(), layout.clone(), &mut |_, _| ());
        assert_eq!(first.is_err(), disk.has_failed());
        drop(first);
        let recovered = open(&layout).unwrap();
        check_prefix(&recovered);
        assert_eq!(recovered.journal.size(), 7);
        let kept = quarantine::unacknowledged(&layout).unwrap();
        let kept: Vec<Vec<u8>> = kept.iter().map(|path| fs::read(path).unwrap()).collect();
        for tail in [&b"{\"n\":7,\"unfinished"[..], b"more"] {
            assert!(kept.iter().any(|k| k == tail), "step {step}: lost");
        }
        if !disk.has_failed() {
            return;
        }
    }
}
