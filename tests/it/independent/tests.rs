//! What the verifier accepts, and that it names what was changed.

use std::process::Command;

use rstest::rstest;

use super::forge::{Draft, Forge, text, vectors};
use super::note::{Checkpoint, Vkey};
use super::plain::unhex;
use super::{Chain, Fault, check, check_files};

const SUPPLIER: &str = "uscc:91350100M000100Y43";
const HOSPITAL: &str = "uscc:91420000737944946L";
const TAX: &str = "x:tax-bureau";
const OPERATOR: &str = "x:operator";

fn at(n: u64, what: &str, found: Fault) {
    assert_eq!(found.n, Some(n), "{found:?}");
    assert!(found.what.contains(what), "{found:?} says: {what}");
}

#[test]
fn the_vectors_ledger_is_sound() {
    let vectors = vectors();
    let ledger = &vectors["ledger"];
    let entries = ledger["entries"].as_array().unwrap();
    let export: String = entries
        .iter()
        .map(|e| format!("{}\n", text(e, "line")))
        .collect();
    let (checkpoint, vkey) = (text(ledger, "checkpoint"), text(ledger, "vkey"));
    let report = check(export.as_bytes(), checkpoint, vkey).unwrap();
    assert_eq!(report.origin, text(ledger, "origin"));
    assert_eq!(
        (report.covered, report.beyond, report.signatures),
        (5, 0, 10)
    );
    assert_eq!(report.root, text(ledger, "root"));

    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("chain.jsonl", &*export),
        ("checkpoint", checkpoint),
        ("vkey", vkey),
    ] {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    assert_eq!(check_files(dir.path()), Ok(report));
}

/// Whether `contracts/verify.py` accepts the same three things; none where there is no Python.
fn page_of_python(forge: &Forge) -> Option<bool> {
    page_of_python_on(forge, &forge.checkpoint(), &forge.vkey)
}

/// The same under another checkpoint, for who knows that verifier key.
fn page_of_python_on(forge: &Forge, note: &str, vkey: &str) -> Option<bool> {
    let dir = tempfile::tempdir().unwrap();
    let (export, checkpoint) = (
        dir.path().join("chain.jsonl"),
        dir.path().join("checkpoint"),
    );
    std::fs::write(&export, forge.export()).unwrap();
    std::fs::write(&checkpoint, note).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/verify.py");
    let run = Command::new("python3")
        .arg("-B")
        .arg(script)
        .args([&export, &checkpoint])
        .arg(vkey)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!said.contains("Traceback"), "{said}");
    Some(run.status.success())
}

#[test]
fn the_page_of_python_agrees() {
    let mut forge = Forge::new();
    let Some(sound) = page_of_python(&forge) else {
        eprintln!("skipped: there is no python3");
        return;
    };
    assert!(sound);
    forge.entries[4].signers = vec![forge.key_of(HOSPITAL)];
    assert_eq!(page_of_python(&forge), Some(false));
}

/// The sample story, exported by the command, is sound to who knows only the document.
#[test]
fn what_the_command_exports_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let run = |args: &[&str]| {
        let command = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .args(args)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&command.stderr);
        assert!(command.status.success(), "{args:?}: {said}");
        command.stdout
    };
    run(&["demo"]);
    run(&[
        "export",
        "-o",
        dir.path().join("chain.jsonl").to_str().unwrap(),
    ]);
    for name in ["checkpoint", "vkey"] {
        std::fs::write(dir.path().join(name), run(&[name])).unwrap();
    }
    let report = check_files(dir.path()).unwrap();
    assert!(report.covered > 50 && report.beyond == 0, "{report:?}");
}

/// The forge makes the very bytes of the vectors, so what it changes is all that differs.
#[test]
fn the_forge_makes_the_vectors_again() {
    let (forge, vectors) = (Forge::new(), vectors());
    let ledger = &vectors["ledger"];
    for (line, entry) in forge
        .lines()
        .iter()
        .zip(ledger["entries"].as_array().unwrap())
    {
        assert_eq!(line, text(entry, "line"));
    }
    assert_eq!(forge.checkpoint(), text(ledger, "checkpoint"));
}

/// No party signs an entry's time, so a changed one is found by what follows: the next line's `prev`, or the root.
#[test]
fn every_flipped_byte_of_the_export_is_found_where_it_is() {
    let forge = Forge::new();
    let vkey = Vkey::parse(&forge.vkey).unwrap();
    let checkpoint = Checkpoint::open(&forge.checkpoint(), &vkey).unwrap();
    let lines: Vec<String> = forge.lines().into_iter().map(|line| line + "\n").collect();
    // The lines before the changed one are read once.
    let mut before = Chain::new(&vkey);
    for (n, line) in lines.iter().enumerate() {
        let rest = lines[n..].concat();
        for at in 0..line.len() {
            let mut flipped = rest.clone().into_bytes();
            flipped[at] ^= 1 << (at % 8);
            let mut chain = before.clone();
            let read = chain
                .read(&flipped)
                .and_then(|()| chain.against(&checkpoint));
            let found = read.expect_err("a byte was changed");
            let later = [None, Some(n as u64 + 1)].contains(&found.n);
            let in_time = (15..39).contains(&at);
            assert!(
                found.n == Some(n as u64) || in_time && later,
                "entry {n} byte {at}: {found:?}"
            );
        }
        before.read(line.as_bytes()).unwrap();
    }
}

#[test]
fn every_flipped_byte_of_the_checkpoint_is_refused() {
    let forge = Forge::new();
    let (export, checkpoint) = (forge.export(), forge.checkpoint());
    for at in 0..checkpoint.len() {
        for bit in 0..8 {
            let mut flipped = checkpoint.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            if let Ok(flipped) = String::from_utf8(flipped) {
                let found = check(&export, &flipped, &forge.vkey).expect_err("a byte was changed");
                assert_eq!(found.n, None, "byte {at}: {found:?}");
            }
        }
    }
}

#[test]
fn an_export_that_stops_early_is_named_where_it_stops() {
    let forge = Forge::new();
    let (export, checkpoint) = (forge.export(), forge.checkpoint());
    let ends: Vec<usize> = (0..export.len())
        .filter(|at| export[*at] == b'\n')
        .collect();
    for (whole, end) in ends.iter().enumerate() {
        // Up to the newline, without it, and from there back: the lines before are whole, this one is not.
        let begin = if whole == 0 { 0 } else { ends[whole - 1] + 1 };
        for len in (begin..=*end).step_by(7).chain([*end]) {
            let found = check(&export[..len], &checkpoint, &forge.vkey).expect_err("too short");
            assert_eq!(found.n, Some(whole as u64), "{len} bytes: {found:?}");
        }
    }
}

#[rstest]
fn a_dropped_doubled_or_moved_line_is_named(#[values(0, 1, 2, 3)] n: usize) {
    let forge = Forge::new();
    let checkpoint = forge.checkpoint();
    let refused = |change: fn(&mut Vec<String>, usize)| {
        let mut lines = forge.lines();
        change(&mut lines, n);
        let export: String = lines.iter().map(|line| format!("{line}\n")).collect();
        check(export.as_bytes(), &checkpoint, &forge.vkey).expect_err("lines were changed")
    };
    at(
        n as u64,
        "the line says n",
        refused(|lines, n| drop(lines.remove(n))),
    );
    at(
        n as u64,
        "the line says n",
        refused(|lines, n| lines.swap(n, n + 1)),
    );
    let doubled = refused(|lines, n| lines.insert(n, lines[n].clone()));
    at(n as u64 + 1, "the line says n", doubled);
}

#[test]
fn a_history_that_was_written_anew_is_not_the_one_that_was_signed() {
    let mut forge = Forge::new();
    let signed = forge.checkpoint();
    forge.edit(4, "1000000.00", "1000000.01");
    assert!(
        forge.check().is_ok(),
        "linked and signed anew it is a history"
    );
    let found = check(&forge.export(), &signed, &forge.vkey).unwrap_err();
    assert!(
        found.what.contains("another history was signed"),
        "{found:?}"
    );
}

#[test]
fn entries_after_the_checkpoint_are_told_apart() {
    let mut forge = Forge::new();
    let (last, vkey) = (forge.entries.pop().unwrap(), forge.vkey.clone());
    let checkpoint = forge.checkpoint();
    forge.entries.push(last);
    let report = check(&forge.export(), &checkpoint, &vkey).unwrap();
    assert_eq!((report.covered, report.beyond), (4, 1));
}

/// Histories whose links, root and signatures are all right, with one thing in an entry that must not be.
#[rstest]
#[case::another_ledger(4, "drill.example/", "drill.example0/", "is for ledger")]
#[case::white_space(4, ",\"op\"", ", \"op\"", "not JSON of the ledger's form")]
#[case::null(
    4,
    "\"vouchers\":true",
    "\"vouchers\":null",
    "not JSON of the ledger's form"
)]
#[case::fraction(
    4,
    "\"payment_days\":30",
    "\"payment_days\":30.0",
    "not JSON of the ledger's form"
)]
#[case::leading_zero(4, "\"payment_days\":30", "\"payment_days\":030", "not canonical")]
#[case::escape(4, "contract.propose", "contract.\\u0070ropose", "not canonical")]
#[case::escaped_slash(4, "HT-2026", "HT\\/2026", "not JSON of the ledger's form")]
#[case::field_twice(
    4,
    "\"grace_days\":0",
    "\"grace_days\":0,\"grace_days\":0",
    "stands twice"
)]
#[case::field_order(
    4,
    "\"op\":\"contract.propose\",\"party\":\"uscc:91350100M000100Y43\"",
    "\"party\":\"uscc:91350100M000100Y43\",\"op\":\"contract.propose\"",
    "not in its place"
)]
#[case::field_too_many(4, "\"nonce\"", "\"more\":1,\"nonce\"", "not in its place")]
#[case::nonce(4, "a4a4", "A4a4", "lower-case hex")]
#[case::instant(4, "02:10:00Z", "02:10:60Z", "no time of the form")]
#[case::party(
    4,
    "party\":\"uscc:91350100M000100Y43",
    "party\":\"uscc:91350100M000100Y44",
    "no party identifier"
)]
#[case::hidden_character(4, "HT-2026", "HT\u{200b}-2026", "U+200B")]
#[case::padded(4, "HT-2026", " HT-2026", "white space")]
#[case::expired(4, "02:10:00Z", "02:00:59Z", "not_after")]
#[case::far_ahead(4, "2026-06-01T02:10:00Z", "2026-06-08T02:01:01Z", "not_after")]
#[case::not_signed_by_its_party(
    4,
    "party\":\"uscc:91350100M000100Y43",
    "party\":\"x:tax-bureau",
    "no admin or maker key"
)]
#[case::begins_otherwise(0, "ledger.create", "ledger.seal", "entry 0 is not")]
#[case::begins_twice(4, "contract.propose", "ledger.create", "stands again")]
#[case::another_vkey(0, "961819e9", "961819e8", "another verifier key")]
#[case::another_engine(0, "\"engine\":1", "\"engine\":2", "the engine")]
#[case::no_operator_admin(0, "[\"admin\",\"maker\"]", "[\"maker\"]", "no operator key")]
#[case::powers_unsorted(0, "[\"admin\",\"maker\"]", "[\"maker\",\"admin\"]", "powers")]
#[case::admitted_twice(
    3,
    "\"party\":\"uscc:91350100M000100Y43",
    "\"party\":\"x:tax-bureau",
    "is a party already"
)]
#[case::first_key_without_admin(3, "[\"admin\",\"maker\"]", "[\"maker\"]", "first key")]
#[case::seal_of_another(3, "[\"admin\",\"maker\"]", "[\"admin\",\"seal\"]", "first key")]
#[case::nobody_vouches(3, "[\"supplier\"]", "[\"lender\"]", "nobody vouches")]
#[case::admission_with_a_field_too_many(
    3,
    "\"evidence\"",
    "\"more\":1,\"evidence\"",
    "not in its place"
)]
#[case::admitted_by_another(
    3,
    "party\":\"x:operator",
    "party\":\"x:tax-bureau",
    "only the operator"
)]
fn what_must_not_stand_in_an_entry(
    #[case] n: usize,
    #[case] from: &str,
    #[case] to: &str,
    #[case] what: &str,
) {
    let mut forge = Forge::new();
    forge.edit(n, from, to);
    at(n as u64, what, forge.check().unwrap_err());
}

#[rstest]
#[case::time_back(|forge: &mut Forge| forge.entries[2].time.replace_range(17..23, "00.999"), 2, "time goes back")]
#[case::no_such_time(|forge: &mut Forge| forge.entries[2].time.replace_range(17..19, "60"), 2, "no time of the form")]
#[case::another_type(|forge: &mut Forge| forge.entries[4].kind.push('x'), 4, "of type")]
#[case::unsigned(|forge: &mut Forge| forge.entries[4].signers.clear(), 4, "signatures")]
#[case::operation_twice(|forge: &mut Forge| {
    let again = forge.entries[4].clone();
    forge.entries.push(again);
}, 5, "has an entry already")]
#[case::too_long(|forge: &mut Forge| {
    let long = format!("HT{}", "-".repeat(41_000));
    forge.edit(4, "HT", &long);
}, 4, "too long")]
#[case::signed_by_nobody_known(|forge: &mut Forge| {
    let nobody = forge.know(ed25519_dalek::SigningKey::from_bytes(&[0x77; 32]));
    forge.entries[4].signers.push(nobody);
}, 4, "belongs to no party")]
#[case::signed_only_by_another(|forge: &mut Forge| {
    forge.entries[4].signers = vec![forge.key_of(HOSPITAL)];
}, 4, "no admin or maker key of uscc:91350100M000100Y43")]
#[case::new_key_does_not_sign(|forge: &mut Forge| {
    forge.entries[3].signers = vec![forge.key_of(OPERATOR)];
}, 3, "the new key does not sign")]
#[case::operator_does_not_sign(|forge: &mut Forge| {
    forge.entries[3].signers = vec![forge.key_of(SUPPLIER)];
}, 3, "no admin or maker key of x:operator")]
#[case::who_vouches_does_not_sign(|forge: &mut Forge| {
    let tax = forge.key_of(TAX);
    forge.entries[2].signers.retain(|key| *key != tax);
}, 2, "no admin or maker key of x:tax-bureau")]
#[case::another_signs_an_admission(|forge: &mut Forge| {
    let another = forge.key_of(HOSPITAL);
    forge.entries[3].signers.push(another);
}, 3, "not asked to sign")]
#[case::operator_key_does_not_sign(|forge: &mut Forge| forge.entries[0].signers.truncate(1), 0, "not the operator's keys")]
#[case::key_taken(|forge: &mut Forge| {
    let (old, new) = (forge.key_of(SUPPLIER), forge.key_of(TAX));
    forge.edit(3, &hex::encode(old), &hex::encode(new));
    forge.entries[3].signers = vec![forge.key_of(OPERATOR), new];
}, 3, "is taken")]
#[case::ledger_key_as_a_partys(|forge: &mut Forge| {
    let (old, new) = (forge.key_of(SUPPLIER), forge.know(forge.ledger.clone()));
    forge.edit(3, &hex::encode(old), &hex::encode(new));
    forge.entries[3].signers = vec![forge.key_of(OPERATOR), new];
}, 3, "is taken")]
fn what_must_not_be_so(#[case] change: fn(&mut Forge), #[case] n: u64, #[case] what: &str) {
    let mut forge = Forge::new();
    change(&mut forge);
    at(n, what, forge.check().unwrap_err());
}

/// A party's key with a component of small order verifies on some messages: it must never get in.
#[test]
fn a_key_that_is_unfit_is_not_taken_in() {
    let vectors = vectors();
    for vector in vectors["signatures"].as_array().unwrap() {
        let key: [u8; 32] = unhex(text(vector, "key")).unwrap();
        assert_eq!(super::plain::admitted(&key), vector["admitted"], "{vector}");
        let signature = unhex(text(vector, "signature")).unwrap();
        let valid = super::plain::verify(&key, text(vector, "message").as_bytes(), &signature);
        assert_eq!(valid, vector["valid"], "{vector}");
    }
}

#[rstest]
#[case::another_key(|forge: &Forge| forge.checkpoint_by(&ed25519_dalek::SigningKey::from_bytes(&[9; 32])), "did not sign")]
#[case::no_signature(|forge: &Forge| forge.checkpoint().split_inclusive("\n\n").next().unwrap().to_owned(), "newline")]
#[case::another_origin(|forge: &Forge| forge.note("other.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", &forge.ledger), "is of other.example")]
#[case::another_spelling_of_the_size(|forge: &Forge| {
    let text = forge.checkpoint().replacen("\n5\n", "\n05\n", 1);
    forge.note(&text[..text.find("\n\n").unwrap() + 1], &forge.ledger)
}, "another spelling")]
#[case::a_fourth_line(|forge: &Forge| {
    let text = forge.checkpoint().replacen("\n\n", "\nmore\n\n", 1);
    forge.note(&text[..text.find("\n\n").unwrap() + 1], &forge.ledger)
}, "three lines")]
fn a_checkpoint_that_is_none(#[case] make: fn(&Forge) -> String, #[case] what: &str) {
    let forge = Forge::new();
    let found = check(&forge.export(), &make(&forge), &forge.vkey).unwrap_err();
    assert_eq!(found.n, None);
    assert!(found.what.contains(what), "{found:?}");
}

#[test]
fn signatures_of_others_on_the_checkpoint_are_passed_over() {
    let forge = Forge::new();
    let line = "— witness.example/w1 3xwKNQAAAABlU/EA4e6cC0bnqbjhOJ6+R0FshRl9R0OgfJZz/Vg+RDzQxm7VfyBaps8eQXp/7DfFrYgdVgD7avST7xUelxl8UGb8DA==\n";
    assert!(check(&forge.export(), &(forge.checkpoint() + line), &forge.vkey).is_ok());
}

/// Nothing that is thrown at it makes it panic.
#[test]
fn a_draft_of_nonsense_is_refused() {
    let mut forge = Forge::new();
    for payload in [
        "",
        "{",
        "[]",
        "{}",
        "null",
        "\"\"",
        "{\"ledger\":1}",
        "\u{feff}{}",
    ] {
        forge.entries.truncate(4);
        forge.entries.push(Draft {
            payload: payload.to_owned(),
            ..forge.entries[3].clone()
        });
        assert_eq!(forge.check().unwrap_err().n, Some(4), "{payload}");
    }
    for export in ["x", "\n", "{}\n", "\u{0}\n"] {
        let found = check(export.as_bytes(), &forge.checkpoint(), &forge.vkey).unwrap_err();
        assert_eq!(found.n, Some(0), "{export}");
    }
}

/// The supplier's keys, as these operations leave them at the end: each with the hours after the last entry of the
/// vectors, the signers by letter (`s` the supplier's first key, `n` a new one, `o` the operator's, `t` the tax
/// bureau's), the operation and its body, in which NEW and FIRST stand for keys and OP-k for the k-th op id.
#[rstest]
#[case::a_day_later_it_signs(&[ADD, (24, "n", "policy.set", "{}")], None)]
#[case::before_a_day_it_does_not(&[ADD, (23, "n", "policy.set", "{}")], Some("belongs to no party now"))]
#[case::added_by_itself(&[(0, "n", "key.add", GRANT)], Some("no admin key"))]
#[case::without_possession(&[(0, "s", "key.add", GRANT)], Some("the new key does not sign"))]
#[case::vetoed(&[ADD, (1, "s", "key.veto", VETO), (24, "n", "policy.set", "{}")], Some("belongs to no party now"))]
#[case::vetoed_too_late(&[ADD, (24, "s", "key.veto", VETO)], Some("nothing waits"))]
#[case::vetoed_by_another(&[ADD, (1, "t", "key.veto", VETO)], Some("no admin key"))]
#[case::taken_though_vetoed(&[ADD, (1, "s", "key.veto", VETO), (2, "sn", "key.add", GRANT)], Some("is taken"))]
#[case::the_first_ends(&[ADD, (24, "s", "key.revoke", REVOKE), (48, "s", "policy.set", "{}")], Some("belongs to no party now"))]
#[case::until_then_it_signs(&[ADD, (24, "s", "key.revoke", REVOKE), (47, "s", "policy.set", "{}")], None)]
#[case::recovered(&[RECOVER, (168, "n", "policy.set", "{}")], None)]
#[case::recovered_too_early(&[RECOVER, (167, "n", "policy.set", "{}")], Some("belongs to no party now"))]
#[case::what_was_before_ends(&[RECOVER, (168, "s", "policy.set", "{}")], Some("belongs to no party now"))]
#[case::recovery_vetoed(&[RECOVER, (100, "s", "key.veto", VETO), (168, "s", "policy.set", "{}")], None)]
#[case::unvouched(&[(0, "on", "key.recover", RECOVERY)], Some("x:tax-bureau signed"))]
#[case::by_the_party_itself(&[(0, "stn", "key.recover", RECOVERY)], Some("only the operator"))]
#[case::a_checker_without_a_policy(&[CHECKER, (24, "n", "delivery.accept", "{}")], Some("no admin or maker key"))]
#[case::a_checker_under_a_policy(
    &[CHECKER, (1, "s", "policy.set", "{}"), (25, "n", "delivery.accept", "{}")], None)]
fn keys_begin_and_end_as_the_document_says(
    #[case] entries: &[KeyEntry],
    #[case] fault: Option<&str>,
) {
    let mut forge = Forge::new();
    let new = forge.know(ed25519_dalek::SigningKey::from_bytes(&[0x77; 32]));
    let first = forge.key_of(SUPPLIER);
    let mut ops: Vec<String> = Vec::new();
    for (k, (hours, signers, op, body)) in entries.iter().enumerate() {
        let (days, hours) = ((hours + 3) / 24 + 1, (hours + 3) % 24);
        let key = |letter| match letter {
            's' => first,
            'n' => new,
            'o' => forge.key_of(OPERATOR),
            _ => forge.key_of(TAX),
        };
        let signers: Vec<[u8; 32]> = signers.chars().map(key).collect();
        let by = if signers.contains(&forge.key_of(OPERATOR)) {
            OPERATOR
        } else {
            SUPPLIER
        };
        let mut body = body
            .replace("NEW", &hex::encode(new))
            .replace("FIRST", &hex::encode(first));
        for (k, op) in ops.iter().enumerate() {
            body = body.replace(&format!("OP-{k}"), op);
        }
        let ledger = text(&vectors()["ledger"], "origin").to_owned();
        let payload = format!(
            r#"{{"ledger":"{ledger}","op":"{op}","party":"{by}","nonce":"{k:032x}","not_after":"2026-06-{days:02}T{hours:02}:30:00Z","body":{body}}}"#
        );
        ops.push(hex::encode(super::plain::sha256(&super::plain::pae(
            super::entry::OP_TYPE,
            &payload,
        ))));
        forge.entries.push(Draft {
            time: format!("2026-06-{days:02}T{hours:02}:00:00.000Z"),
            kind: super::entry::OP_TYPE.to_owned(),
            payload,
            signers,
        });
    }
    match fault {
        None => assert!(forge.check().is_ok(), "{:?}", forge.check()),
        Some(what) => at(4 + entries.len() as u64, what, forge.check().unwrap_err()),
    }
    if let Some(sound) = page_of_python(&forge) {
        assert_eq!(sound, fault.is_none());
    }
}

/// The ledger's key gives way twice. Who knows the key of a place is led on by a checkpoint that each after it signed too.
#[rstest]
#[case::the_last_alone(2, &[2], true)]
#[case::the_last_for_who_knows_the_one_before(1, &[2], false)]
#[case::both(1, &[1, 2], true)]
#[case::all(0, &[0, 1, 2], true)]
#[case::a_replaced_key_with_the_last(0, &[0, 2], false)]
#[case::a_replaced_key(0, &[0], false)]
#[case::the_one_before(1, &[1], false)]
fn from_a_key_of_the_ledger_to_the_next(
    #[case] known: usize,
    #[case] by: &[usize],
    #[case] sound: bool,
) {
    let mut forge = Forge::new();
    let seeds = [0x71, 0x72].map(|seed| ed25519_dalek::SigningKey::from_bytes(&[seed; 32]));
    let ledger = text(&vectors()["ledger"], "origin").to_owned();
    for (k, key) in seeds.iter().enumerate() {
        let signers = vec![forge.key_of(OPERATOR), forge.know(key.clone())];
        let vkey = forge.vkey_of(key);
        forge.entries.push(Draft {
            time: "2026-06-01T03:00:00.000Z".to_owned(),
            kind: super::entry::OP_TYPE.to_owned(),
            payload: format!(
                r#"{{"ledger":"{ledger}","op":"ledger.rekey","party":"{OPERATOR}","nonce":"{k:032x}","not_after":"2026-06-01T03:30:00Z","body":{{"new_vkey":"{vkey}"}}}}"#
            ),
            signers,
        });
    }
    let keys = [&forge.ledger, &seeds[0], &seeds[1]];
    let notes = by.iter().map(|place| forge.checkpoint_by(keys[*place]));
    let notes: Vec<String> = notes.collect();
    let lines = notes.iter().map(|note| note.split_once("\n\n").unwrap().1);
    let signed: String = lines.collect();
    let note = format!("{}\n\n{signed}", notes[0].split_once("\n\n").unwrap().0);
    let vkey = forge.vkey_of(keys[known]);
    let found = check(&forge.export(), &note, &vkey);
    assert_eq!(found.is_ok(), sound, "{found:?}");
    if let Some(agrees) = page_of_python_on(&forge, &note, &vkey) {
        assert_eq!(agrees, sound);
    }
}

type KeyEntry = (u64, &'static str, &'static str, &'static str);

const GRANT: &str =
    r#"{"key":{"key":"NEW","label":"second","person":"Li","powers":["admin","maker"]}}"#;
const ADD: KeyEntry = (0, "sn", "key.add", GRANT);
const CHECKER: KeyEntry = (
    0,
    "sn",
    "key.add",
    r#"{"key":{"key":"NEW","label":"second","person":"Li","powers":["checker"]}}"#,
);
const VETO: &str = r#"{"operation":"OP-0"}"#;
const REVOKE: &str = r#"{"key":"FIRST"}"#;
const RECOVERY: &str = r#"{"party":"uscc:91350100M000100Y43","key":{"key":"NEW","label":"again","person":"Li","powers":["admin","maker"]},"evidence":"0000000000000000000000000000000000000000000000000000000000000000","vouched_by":"x:tax-bureau"}"#;
const RECOVER: KeyEntry = (0, "otn", "key.recover", RECOVERY);
