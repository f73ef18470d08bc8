use rstest::rstest;

use super::{accepted, repeated};
use crate::chain::{Line, SigningKey};
use crate::domain::testing::wire;
use crate::ledger::audit::{AuditError, audit};
use crate::ledger::replay::{BadEntry, Why};
use crate::ledger::testing::{Drill, key, options, start};
use crate::ledger::{
    ClockChoice, Config, InitError, InitOptions, Ledger, SecretsError, StartError, init, keyfile,
};

/// A drill with entries 0 to 5, stopped.
async fn played() -> Drill {
    let drill = Drill::new();
    let ledger = drill.open();
    for number in 1..=5 {
        accepted(&ledger.submit(drill.admission(number)).await);
    }
    ledger.stop();
    drill
}

fn lines(export: &[u8]) -> Vec<Vec<u8>> {
    let lines = export.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

fn audited(lines: Vec<Vec<u8>>) -> Result<u64, BadEntry> {
    match audit(lines.into_iter().map(Ok::<_, ()>), &mut |_| ()) {
        Ok(audited) => Ok(audited.tree.size()),
        Err(AuditError::Bad(bad)) => Err(bad),
        Err(AuditError::Read(())) => panic!("nothing is read"),
    }
}

#[tokio::test]
async fn restart_gives_the_same_state_and_the_same_answers() {
    let drill = Drill::new();
    let ledger = drill.open();
    let first = ledger.submit(drill.admission(1)).await;
    let (state, root) = (
        ledger.read(|at| at.state.clone()).await,
        ledger.published().root,
    );
    drop(ledger);
    let ledger = drill.open();
    assert_eq!(ledger.read(|at| at.state.clone()).await, state);
    assert_eq!(ledger.published().root, root);
    assert_eq!(
        repeated(&ledger.submit(drill.admission(1)).await),
        accepted(&first)
    );
    assert_eq!(accepted(&ledger.submit(drill.admission(2)).await), 2);
}

#[tokio::test]
async fn deleted_index_is_made_anew() {
    let drill = played().await;
    std::fs::remove_dir_all(drill.dir.path().join("data/index")).unwrap();
    let ledger = drill.open();
    let touched = ledger.entries_of("x:authority-4", 0, 9).await.unwrap();
    assert_eq!(touched, [4]);
}

#[tokio::test]
async fn audit_goes_through_every_entry() {
    assert_eq!(audited(lines(&played().await.export())), Ok(6));
}

#[rstest]
#[case::changed_payload(|all: &mut Vec<Vec<u8>>| change(all, 3, "x:authority-3", "x:authority-9"), 3, "does not verify")]
#[case::dropped(|all: &mut Vec<Vec<u8>>| { all.remove(2); }, 2, "it says that it is entry 3")]
#[case::back_dated(|all: &mut Vec<Vec<u8>>| change(all, 4, "2026-06-01T02:00:00.000Z", "2026-06-01T01:59:59.999Z"), 4, "before that of the entry before it")]
#[case::re_dated(|all: &mut Vec<Vec<u8>>| change(all, 3, "2026-06-01T02:00:00.000Z", "2026-06-01T02:00:01.000Z"), 4, "prev is not")]
#[case::expired_then(|all: &mut Vec<Vec<u8>>| change(all, 5, "2026-06-01T02:00:00.000Z", "2026-06-01T03:00:00.000Z"), 5, "operation.expired")]
#[case::unreadable(|all: &mut Vec<Vec<u8>>| all[1].push(b' '), 1, "the end of the line")]
#[tokio::test]
async fn audit_names_the_first_bad_entry_and_why(
    #[case] spoil: fn(&mut Vec<Vec<u8>>),
    #[case] n: u64,
    #[case] why: &str,
) {
    let mut all = lines(&played().await.export());
    spoil(&mut all);
    let bad = audited(all).unwrap_err();
    assert_eq!(bad.n, n, "{bad}");
    assert!(bad.to_string().contains(why), "{bad}");
}

fn change(all: &mut [Vec<u8>], n: usize, from: &str, to: &str) {
    let line = String::from_utf8(all[n].clone()).unwrap();
    assert!(line.contains(from));
    all[n] = line.replace(from, to).into_bytes();
}

/// A repeat is no entry, though its signatures and its place in the chain are right.
#[tokio::test]
async fn audit_refuses_the_same_operation_twice() {
    let drill = played().await;
    let mut all = lines(&drill.export());
    let (entry, _) = Line::decode(&all[1]).unwrap();
    let (_, last) = Line::decode(&all[5]).unwrap();
    let again =
        crate::chain::Entry::new(6, start().millis(), *last.leaf(), entry.envelope().clone());
    all.push(again.unwrap().encode().bytes().to_vec());
    let bad = audited(all).unwrap_err();
    assert_eq!((bad.n, bad.why), (6, Why::Repeat(1)));
}

#[test]
fn ledger_is_made_in_an_empty_directory_only() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let refused = init(dir.path(), &options(&key(1)));
    assert!(matches!(refused, Err(InitError::NotEmpty { .. })));
}

#[test]
fn name_of_a_ledger_is_its_own_and_tells_a_drill() {
    let dir = tempfile::tempdir().unwrap();
    let make = |folder: &str, drill: bool, base: &str| {
        let operator_key = key(1);
        let options = InitOptions {
            drill,
            origin_base: base.to_owned(),
            time: None,
            ..options(&operator_key)
        };
        init(&dir.path().join(folder), &options)
    };
    let one = make("one", false, "ledger.example/x").unwrap();
    let other = make("other", false, "ledger.example/x").unwrap();
    assert_ne!(one, other);
    let digits = one.strip_prefix("ledger.example/x/").unwrap();
    assert!(
        digits.len() == 16
            && digits
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    );
    assert!(
        make("drill", true, "test")
            .unwrap()
            .starts_with("drill.test/")
    );
    assert!(matches!(
        make("no", false, "drill.test"),
        Err(InitError::Origin { .. })
    ));
    assert!(matches!(
        make("no", false, "white space"),
        Err(InitError::Origin { .. })
    ));
}

#[test]
fn only_a_drill_has_its_own_time_and_a_manual_clock() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let operator_key = key(1);
    let options = InitOptions {
        drill: false,
        ..options(&operator_key)
    };
    assert!(matches!(
        init(&data, &options),
        Err(InitError::TimeOfNoDrill)
    ));
    let options = InitOptions {
        time: None,
        ..options
    };
    init(&data, &options).unwrap();
    let config = |clock| Config {
        clock,
        ..Config::new(&data)
    };
    let manual = Ledger::open(config(ClockChoice::Manual), &mut |_, _| ());
    assert!(matches!(manual.map(drop), Err(StartError::NoDrill { .. })));
    let ledger = Ledger::open(Config::new(&data), &mut |_, _| ()).unwrap();
    let refused = ledger.advance(wire("2036-01-01T00:00:00Z")).unwrap_err();
    assert_eq!(refused.rule, "clock.not_manual");
    assert!(!ledger.ready().drill);
}

#[tokio::test]
async fn clock_far_from_the_last_entry_stops_writes_until_confirmed() {
    let drill = Drill::new();
    let open = |confirmed| {
        let config = Config {
            clock: ClockChoice::System { confirmed },
            ..drill.config()
        };
        Ledger::open(config, &mut |_, _| ()).unwrap()
    };
    // The drill begins on a day of its own, so the machine's clock is far from it on all but that day.
    let ledger = open(false);
    let answer = ledger.submit(drill.admission(1)).await;
    assert!(
        matches!(answer, crate::ledger::Answer::Closed(refusal) if refusal.rule == "clock.unconfirmed")
    );
    assert!(ledger.ready().clock.is_some());
    assert_eq!(ledger.read(|at| (at.size, at.time)).await, Ok((1, start())));
    drop(ledger);
    assert_eq!(open(true).ready().clock, None);
}

#[test]
fn another_key_than_entry_0_names_does_not_open_the_ledger() {
    let drill = Drill::new();
    let path = keyfile::path_in(&drill.dir.path().join("data"));
    std::fs::remove_file(&path).unwrap();
    keyfile::write(&path, &SigningKey::from_seed(&[9; 32]), None).unwrap();
    let opened = Ledger::open(drill.config(), &mut |_, _| ());
    assert!(matches!(
        opened.map(drop),
        Err(StartError::Secrets(SecretsError::Missing { .. }))
    ));
}

/// Entries hold everybody's trade.
#[tokio::test]
async fn data_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let drill = played().await;
    let data = drill.dir.path().join("data");
    for (name, mode) in [
        ("", 0o700),
        ("ledger.key", 0o600),
        ("head", 0o600),
        ("entries", 0o700),
        ("entries/00000000000000000000.jsonl", 0o600),
        ("index", 0o700),
    ] {
        let found = std::fs::metadata(data.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
}

#[test]
fn lost_head_is_accepted_anew_on_the_operators_word() {
    let drill = Drill::new();
    let head = drill.dir.path().join("data/head");
    std::fs::remove_file(&head).unwrap();
    assert!(Ledger::open(drill.config(), &mut |_, _| ()).is_err());
    crate::ledger::accept_head(&drill.config(), 1).unwrap();
    assert_eq!(drill.open().published().size, 1);
}
