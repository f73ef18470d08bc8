//! An export in which the ledger changes its key, against policies that know the one key, the other or both.

use rstest::rstest;

use super::*;

/// The first key, the second and the third; and one that is a thief's.
const KEYS: [u8; 4] = [1, 5, 6, 8];
const THIEF: usize = 3;
/// The operator's admin key, another one of its keys, and one that it adds.
const OPERATORS: [u8; 3] = [3, 4, 7];

fn vkey(seed: u8) -> VerifierKey {
    VerifierKey::of(ORIGIN, KeyKind::Ed25519, &key(seed)).unwrap()
}

/// What is asked for by entry `n`.
fn asked(n: u64, op: &str, body: &str) -> String {
    let usual = payload(ORIGIN, n);
    let (head, _) = usual.split_once(",\"body\"").unwrap();
    format!("{head},\"body\":{{{body}}}}}").replace("test.vector", op)
}

fn created() -> String {
    let grant = |seed: u8, power: &str| {
        let key = key(seed).public_key();
        format!("{{\"key\":\"{key}\",\"powers\":[\"{power}\"]}}")
    };
    let keys = [grant(OPERATORS[0], "admin"), grant(OPERATORS[1], "maker")].join(",");
    let body = format!("\"keys\":[{keys}],\"vkey\":\"{}\"", vkey(KEYS[0]));
    asked(0, "ledger.create", &body)
}

/// Adds entries of these payloads and signers.
fn then(lines: &mut Vec<Line>, signers: &[u8], payload: &str) {
    let (n, prev) = (lines.len() as u64, lines.last().map(Line::leaf));
    lines.push(entry_by(
        signers,
        n,
        prev.copied().unwrap_or(Hash::ZERO),
        payload,
    ));
}

/// Adds an entry that names the key of a place.
fn then_rekeyed(lines: &mut Vec<Line>, to: usize, signers: &[u8]) {
    let body = format!("\"new_vkey\":\"{}\"", vkey(KEYS[to]));
    let payload = asked(lines.len() as u64, "ledger.rekey", &body);
    then(lines, signers, &payload);
}

/// Entry 0 names the first key, entry 2 the second, entry 4 the third; there are 6.
fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    then(&mut lines, &OPERATORS[..2], &created());
    then(&mut lines, &[9], &payload(ORIGIN, 1));
    then_rekeyed(&mut lines, 1, &[OPERATORS[0], KEYS[1]]);
    then(&mut lines, &[9], &payload(ORIGIN, 3));
    then_rekeyed(&mut lines, 2, &[OPERATORS[0], KEYS[2]]);
    then(&mut lines, &[9], &payload(ORIGIN, 5));
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
    let note = signed(&lines, size, by);
    verdict_on(&lines, &note, known, rekeyed)
}

/// The same of these lines under this checkpoint.
fn verdict_on(
    lines: &[Line],
    note: &str,
    known: &[usize],
    rekeyed: &str,
) -> (&'static str, Report) {
    let logs = known
        .iter()
        .map(|place| format!("log {}\n", vkey(KEYS[*place])));
    let policy: String = logs.chain(["quorum none\n".to_owned()]).collect();
    let report = check_export(
        &export_of(lines)[..],
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
#[case::one_over_two_changes("5:012", "")]
#[case::the_first_and_the_third_signed_it("6:02", "checkpoint.log_signature")]
#[case::the_new_key_did_not_sign("3:0 5:12", "checkpoint.log_signature")]
#[case::the_newest_did_not("3:01 5:1", "checkpoint.log_signature")]
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

/// The honest entries up to the change of the first key, and what their thief puts behind: a change that these keys sign.
fn stolen(to: usize, signers: &[u8]) -> Vec<Line> {
    let mut lines = lines();
    lines.truncate(4);
    then_rekeyed(&mut lines, to, signers);
    lines
}

/// Who has a key that was replaced leads nobody to a key of its own, nor back to that one.
#[rstest]
#[case::back_to_it(0, &[KEYS[0]], &[0], "had before")]
#[case::to_its_own(THIEF, &[KEYS[THIEF]], &[0, THIEF], "no admin key of the operator")]
#[case::by_the_operators_other_key(THIEF, &[OPERATORS[1], KEYS[THIEF]], &[0, THIEF], "no admin key of the operator")]
#[case::without_the_new_key(THIEF, &[OPERATORS[0]], &[0, THIEF], "the new key did not sign")]
#[case::with_the_operators_key(THIEF, &[OPERATORS[0], KEYS[THIEF]], &[0, THIEF], "to which no key leads")]
#[case::back_with_the_operators_key(0, &[OPERATORS[0], KEYS[0]], &[0], "had before")]
fn a_key_that_was_replaced_leads_nowhere(
    #[case] to: usize,
    #[case] signers: &[u8],
    #[case] by: &[usize],
    #[case] said: &str,
    #[values(&[0, 1], &[0])] known: &[usize],
) {
    let lines = stolen(to, signers);
    let note = signed(&lines, 5, by);
    let (found, report) = verdict_on(&lines, &note, known, "");
    assert_eq!(found, "checkpoint.key", "{report:#?}");
    assert!(why(&report).contains(said), "{report:#?}");
    let mut files = super::tiles_with_entries(&lines);
    files.0.insert("checkpoint".to_owned(), note.into_bytes());
    let policy = format!("log {}\nquorum none\n", vkey(KEYS[0]));
    let report = check_tiles(&files, policy.as_bytes()).unwrap();
    assert_eq!(failed(&report), "checkpoint.key", "{report:#?}");
}

/// What is under no checkpoint yet binds nobody.
#[test]
fn a_change_that_is_not_covered_is_no_matter() {
    let lines = stolen(0, &[KEYS[0]]);
    let (found, report) = verdict_on(&lines, &signed(&lines, 4, &[1]), &[1], "");
    assert_eq!(found, "", "{report:#?}");
}

/// Nor does it lead on with a checkpoint of its own in the place of one that two keys signed, whoever signed the entry.
#[rstest]
#[case::alone(&[0])]
#[case::with_its_own(&[0, THIEF])]
fn a_crossing_by_a_key_that_was_replaced_leads_nowhere(
    #[case] by: &[usize],
    #[values(&[0, 1], &[0])] known: &[usize],
) {
    let lines = stolen(THIEF, &[OPERATORS[0], KEYS[THIEF]]);
    let rekeyed = signed(&lines, 3, &[0, 1]) + &signed(&lines, 5, by);
    let note = signed(&lines, 5, &[THIEF]);
    let (found, report) = verdict_on(&lines, &note, known, &rekeyed);
    assert_eq!(found, "checkpoint.log_signature", "{report:#?}");
}

/// A key that the operator added later changes the ledger's key, one that somebody else added does not.
#[rstest]
#[case::the_operators(&[OPERATORS[0], OPERATORS[2]], "")]
#[case::by_no_admin(&[OPERATORS[1], OPERATORS[2]], "checkpoint.key")]
#[case::by_itself(&[OPERATORS[2]], "checkpoint.key")]
fn by_a_key_that_was_added(#[case] signers: &[u8], #[case] step: &str) {
    let mut lines = Vec::new();
    then(&mut lines, &OPERATORS[..2], &created());
    let added = key(OPERATORS[2]).public_key();
    let body = format!("\"key\":{{\"key\":\"{added}\",\"powers\":[\"admin\"]}}");
    then(&mut lines, signers, &asked(1, "key.add", &body));
    then_rekeyed(&mut lines, 1, &[OPERATORS[2], KEYS[1]]);
    let note = signed(&lines, 3, &[0, 1]);
    let (found, report) = verdict_on(&lines, &note, &[0], "");
    assert_eq!(found, step, "{report:#?}");
}
