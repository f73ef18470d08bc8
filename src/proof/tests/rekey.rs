//! An export in which the ledger changes its key, against policies that know the one key, the other or both.

use rstest::rstest;

use super::*;

/// The first key, the second and the third.
const KEYS: [u8; 3] = [1, 5, 6];

fn vkey(seed: u8) -> VerifierKey {
    VerifierKey::of(ORIGIN, KeyKind::Ed25519, &key(seed)).unwrap()
}

/// Entry 0 names the first key, entry 2 the second, entry 4 the third; there are 6.
fn lines() -> Vec<Line> {
    let of = |n: u64, op: &str, body: &str| {
        let usual = payload(ORIGIN, n);
        let (head, _) = usual.split_once(",\"body\"").unwrap();
        format!("{head},\"body\":{{{body}}}}}").replace("test.vector", op)
    };
    let mut lines: Vec<Line> = Vec::new();
    for n in 0..6 {
        let payload = match n {
            0 => of(
                n,
                "ledger.create",
                &format!("\"vkey\":\"{}\"", vkey(KEYS[0])),
            ),
            2 => of(
                n,
                "ledger.rekey",
                &format!("\"new_vkey\":\"{}\"", vkey(KEYS[1])),
            ),
            4 => of(
                n,
                "ledger.rekey",
                &format!("\"new_vkey\":\"{}\"", vkey(KEYS[2])),
            ),
            _ => payload(ORIGIN, n),
        };
        let prev = lines.last().map_or(Hash::ZERO, |line| *line.leaf());
        lines.push(entry(n, prev, &payload));
    }
    lines
}

/// The checkpoint over the first so many, under the keys of these places.
fn signed(lines: &[Line], size: usize, by: &[usize]) -> String {
    let tree: Tree = leaves(&lines[..size]).into_iter().collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    let keys: Vec<SigningKey> = by.iter().map(|place| key(KEYS[*place])).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    checkpoint.sign(&keys).unwrap().encode()
}

/// The step that fails, where the policy knows the keys of these places.
fn verdict(size: usize, by: &[usize], known: &[usize], rekeyed: &str) -> (&'static str, Report) {
    let lines = lines();
    let logs = known
        .iter()
        .map(|place| format!("log {}\n", vkey(KEYS[*place])));
    let policy: String = logs.chain(["quorum none\n".to_owned()]).collect();
    let (export, note) = (export_of(&lines), signed(&lines, size, by));
    let report = check_export(
        &export[..],
        note.as_bytes(),
        rekeyed.as_bytes(),
        policy.as_bytes(),
    );
    let report = report.unwrap();
    (failed(&report), report)
}

/// Entry 2 changes the key: a checkpoint of 3 entries is the first that is not the first key's alone.
#[rstest]
#[case::before_it(2, &[0], &[0], "")]
#[case::before_it_for_who_knows_both(2, &[0], &[0, 1], "")]
#[case::before_it_for_who_knows_the_new(2, &[0], &[1], "checkpoint.log_signature")]
#[case::both_for_who_knows_the_old(3, &[0, 1], &[0], "")]
#[case::both_for_who_knows_the_new(3, &[0, 1], &[1], "")]
#[case::the_new_for_who_knows_the_new(4, &[1], &[1], "")]
#[case::the_new_for_who_knows_both(4, &[1], &[0, 1], "")]
#[case::the_new_for_who_knows_the_old(4, &[1], &[0], "checkpoint.log_signature")]
#[case::the_old_alone_says_nothing_of_later_entries(4, &[0], &[0], "checkpoint.key")]
#[case::nor_does_the_new_of_earlier_ones(2, &[1], &[1], "checkpoint.key")]
#[case::nor_the_one_to_come(4, &[2], &[2], "checkpoint.key")]
fn the_key_of_its_size_signs(
    #[case] size: usize,
    #[case] by: &[usize],
    #[case] known: &[usize],
    #[case] step: &str,
) {
    let (found, report) = verdict(size, by, known, "");
    assert_eq!(found, step, "{report:#?}");
}

/// Checkpoints of sizes under the keys of places; what is asked is one over all 6 under the third, for who knows the first.
#[rstest]
#[case::in_order("3:01 5:12", "")]
#[case::in_any_order("5:12 3:01", "")]
#[case::one_is_missing("5:12", "checkpoint.log_signature")]
#[case::the_other_is_missing("3:01", "checkpoint.log_signature")]
#[case::the_old_key_did_not_sign("3:1 5:12", "checkpoint.log_signature")]
#[case::it_does_not_cover_the_entry("2:01 5:12", "checkpoint.log_signature")]
#[case::later_ones_of_both_lead_too("4:01 6:12", "")]
fn from_a_key_to_the_next(#[case] crossings: &str, #[case] step: &str) {
    let lines = lines();
    let one = |crossing: &str| {
        let (size, places) = crossing.split_once(':').unwrap();
        let places = places.chars().map(|c| c.to_digit(10).unwrap() as usize);
        signed(&lines, size.parse().unwrap(), &places.collect::<Vec<_>>())
    };
    let rekeyed: String = crossings.split(' ').map(one).collect();
    let (found, report) = verdict(6, &[2], &[0], &rekeyed);
    assert_eq!(found, step, "{report:#?}");
}

/// Whoever has the old key cannot lead to a key of its own with a history that is not the export's.
#[test]
fn another_history_leads_nowhere() {
    let mut other = lines();
    other[1] = entry(1, *other[0].leaf(), &payload(ORIGIN, 9));
    let rekeyed = signed(&other, 3, &[0, 1]);
    assert_eq!(
        verdict(4, &[1], &[0], &rekeyed).0,
        "checkpoint.log_signature"
    );
}

#[test]
fn what_is_no_checkpoint_is_told() {
    let (found, report) = verdict(4, &[1], &[0], "rubbish\n");
    assert_eq!(found, "checkpoint.log_signature");
    assert!(why(&report).starts_with("the checkpoints of changed keys"));
}

/// Tiles with their entries are held to the same.
#[rstest]
#[case::both(3, &[0, 1], "")]
#[case::the_old_alone(4, &[0], "checkpoint.key")]
fn tiles_with_entries(#[case] size: usize, #[case] by: &[usize], #[case] step: &str) {
    let lines = lines();
    let mut files = super::tiles_with_entries(&lines[..size]);
    let note = signed(&lines, size, by);
    files.0.insert("checkpoint".to_owned(), note.into_bytes());
    let policy = format!("log {}\nquorum none\n", vkey(KEYS[0]));
    let report = check_tiles(&files, policy.as_bytes()).unwrap();
    assert_eq!(failed(&report), step, "{report:#?}");
}
