use rstest::rstest;

use super::*;
use crate::chain::cosignature::cosign;
use crate::chain::keys::SigningKey;
use crate::chain::note::{KeyKind, VkeyError};
use crate::chain::tree::empty_root;

const ORIGIN: &str = "ledger.example/receivables";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn log(seed: u8) -> String {
    let vkey = VerifierKey::of(ORIGIN, KeyKind::Ed25519, &key(seed));
    vkey.unwrap().to_string()
}

fn witness(seed: u8) -> String {
    let name = format!("witness.example/{seed}");
    let vkey = VerifierKey::of(&name, KeyKind::CosignatureV1, &key(seed));
    vkey.unwrap().to_string()
}

/// Fills in `LOG`, `LOG2`, and `W1` to `W6`.
fn filled(text: &str) -> Vec<u8> {
    let mut text = text.replace("LOG2", &log(20)).replace("LOG", &log(10));
    for seed in 1..=6 {
        text = text.replace(&format!("W{seed}"), &witness(seed));
    }
    text.into_bytes()
}

/// The example of the specification.
const EXAMPLE: &str = "\
# two organizations
log LOG https://ledger.example/

witness X1 W1
witness X2\t W2  https://witness.example/2
  witness X3 W3\t
group X-witnesses 2 X1 X2 X3
\t # and the other
witness Y1 W4
witness Y2 W5
witness Y3 W6
group Y-witnesses any Y1 Y2 Y3
 \t
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
";

fn example() -> Policy {
    Policy::parse(&filled(EXAMPLE)).unwrap()
}

#[test]
fn the_example_reads() {
    let policy = example();
    assert_eq!(policy.logs().len(), 1);
    assert_eq!(policy.logs()[0].vkey.name(), ORIGIN);
    let url = policy.logs()[0].url.as_ref().unwrap();
    assert_eq!(url.as_bytes(), b"https://ledger.example/");
    let names = policy.witnesses().iter().map(|one| one.name.to_string());
    let names: Vec<String> = names.collect();
    assert_eq!(names, ["X1", "X2", "X3", "Y1", "Y2", "Y3"]);
    let url = policy.witnesses()[1].url.as_ref().unwrap();
    assert_eq!(url.to_string(), "https://witness.example/2");
    assert_eq!(policy.quorum().to_string(), "X-and-Y");
}

#[rstest]
#[case::two_and_one(&[1, 2, 4], true)]
#[case::all(&[1, 2, 3, 4, 5, 6], true)]
#[case::one_and_one(&[3, 5], false)]
#[case::three_and_none(&[1, 2, 3], false)]
#[case::none_and_three(&[4, 5, 6], false)]
#[case::nobody(&[], false)]
#[case::a_stranger(&[1, 4, 9], false)]
fn the_quorum_counts_each_group(#[case] cosigned: &[u8], #[case] met: bool) {
    let cosigned: Vec<String> = cosigned.iter().map(|seed| witness(*seed)).collect();
    let is_met = example().is_met(|vkey| cosigned.contains(&vkey.to_string()));
    assert_eq!(is_met, met);
}

#[rstest]
#[case::no_log("quorum none\n")]
#[case::witnesses_that_nobody_asks_for("witness a W1\nquorum none\n")]
#[case::one_witness("witness a W1\nquorum a\n")]
#[case::a_member_as_quorum("witness a W1\ngroup g all a\nquorum a\n")]
#[case::same_name_two_keys("log LOG\nlog LOG2\nquorum none\n")]
#[case::numeric_name("witness 2 W1\ngroup 1 1 2\nquorum 1\n")]
#[case::keyword_as_name("witness all W1\ngroup any any all\nquorum any\n")]
#[case::kelvin_is_not_k("witness K W1\nwitness \u{212a} W2\ngroup g 2 K \u{212a}\nquorum g\n")]
#[case::a_name_like_a_comment("witness # W1\nquorum #\n")]
fn other_policies_that_are_allowed(#[case] text: &str) {
    let policy = Policy::parse(&filled(text)).unwrap();
    assert_eq!(Policy::parse(&policy.encode()), Ok(policy));
}

#[test]
fn what_is_written_reads_back() {
    assert_eq!(Policy::parse(&example().encode()), Ok(example()));
}

#[test]
fn octets_above_ascii_are_opaque() {
    let mut text = filled("witness ? W1\n# ?\nquorum ?\n");
    for octet in &mut text {
        if *octet == b'?' {
            *octet = 0xff;
        }
    }
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.quorum().as_bytes(), [0xff]);
    assert_eq!(policy.quorum().to_string(), "\u{fffd}");
    assert_eq!(Policy::parse(&policy.encode()), Ok(policy));
}

fn named(name: &str) -> PolicyText {
    name.as_bytes().into()
}

fn threshold(found: &str, members: usize) -> PolicyProblem {
    let found = named(found);
    PolicyProblem::Threshold { found, members }
}

#[rstest]
#[case::empty("", 1, PolicyProblem::NoQuorum)]
#[case::no_quorum("log LOG\n# quorum none\n", 3, PolicyProblem::NoQuorum)]
#[case::two_quorums("quorum none\n\nquorum none\n", 3, PolicyProblem::SecondQuorum(1))]
#[case::cut_off("log LOG\nquorum none", 2, PolicyProblem::Unterminated)]
#[case::carriage_return("quorum none\r\n", 1, PolicyProblem::Octet(b'\r'))]
#[case::nul("#\0\nquorum none\n", 1, PolicyProblem::Octet(0))]
#[case::delete("\n# \u{7f}\nquorum none\n", 2, PolicyProblem::Octet(0x7f))]
#[case::form_feed("quorum\u{c}none\n", 1, PolicyProblem::Octet(0xc))]
#[case::no_break_space(
    "quorum\u{a0}none\n",
    1,
    PolicyProblem::Keyword(named("quorum\u{a0}none"))
)]
#[case::capitals("Quorum none\n", 1, PolicyProblem::Keyword(named("Quorum")))]
#[case::log_without_key("log\n", 1, PolicyProblem::Form("log <vkey> [<url>]"))]
#[case::log_and_more("log LOG a b\n", 1, PolicyProblem::Form("log <vkey> [<url>]"))]
#[case::witness_without_key("witness a\n", 1, PolicyProblem::Form("witness <name> <vkey> [<url>]"))]
#[case::witness_and_more(
    "witness a W1 u v\n",
    1,
    PolicyProblem::Form("witness <name> <vkey> [<url>]")
)]
#[case::group_without_members(
    "group g all\n",
    1,
    PolicyProblem::Form("group <name> all|any|<k> <name>…")
)]
#[case::quorum_of_two("witness a W1\nquorum a a\n", 2, PolicyProblem::Form("quorum <name>"))]
#[case::quorum_of_none_named("quorum\n", 1, PolicyProblem::Form("quorum <name>"))]
#[case::log_is_no_key("log a\n", 1, PolicyProblem::Vkey(VkeyError::Form))]
#[case::witness_key_first("witness W1 a\n", 1, PolicyProblem::Vkey(VkeyError::Form))]
#[case::log_of_a_witness("log W1\n", 1, PolicyProblem::NotOfLog)]
#[case::witness_of_a_log("witness a LOG\n", 1, PolicyProblem::NotOfWitness)]
#[case::log_twice("log LOG\n\nlog LOG u\n", 3, PolicyProblem::DuplicateKey(1))]
#[case::witness_twice("witness a W1\nwitness b W1\n", 2, PolicyProblem::DuplicateKey(1))]
#[case::name_twice(
    "witness a W1\nwitness a W2\n",
    2,
    PolicyProblem::DuplicateName(named("a"))
)]
#[case::group_named_as_a_witness(
    "witness a W1\ngroup a all a\n",
    2,
    PolicyProblem::DuplicateName(named("a"))
)]
#[case::witness_none("witness none W1\n", 1, PolicyProblem::None)]
#[case::group_none("witness a W1\ngroup none all a\n", 2, PolicyProblem::None)]
#[case::member_none("group g any none\n", 1, PolicyProblem::None)]
#[case::member_of_a_later_line(
    "group g any a\nwitness a W1\n",
    1,
    PolicyProblem::UnknownName(named("a"))
)]
#[case::member_of_itself("group g any g\n", 1, PolicyProblem::UnknownName(named("g")))]
#[case::quorum_of_a_later_line(
    "quorum a\nwitness a W1\n",
    1,
    PolicyProblem::UnknownName(named("a"))
)]
#[case::member_twice(
    "witness a W1\ngroup g any a a\n",
    2,
    PolicyProblem::MemberTwice(named("a"))
)]
#[case::member_of_two(
    "witness a W1\ngroup g any a\ngroup h any a\n",
    3,
    PolicyProblem::MemberTwice(named("a"))
)]
#[case::none_of_all("witness a W1\ngroup g 0 a\n", 2, threshold("0", 1))]
#[case::more_than_all("witness a W1\ngroup g 2 a\n", 2, threshold("2", 1))]
#[case::leading_zero("witness a W1\ngroup g 01 a\n", 2, threshold("01", 1))]
#[case::sign("witness a W1\ngroup g +1 a\n", 2, threshold("+1", 1))]
#[case::beyond_every_number(
    "witness a W1\ngroup g 18446744073709551617 a\n",
    2,
    threshold("18446744073709551617", 1)
)]
#[case::other_word("witness a W1\ngroup g most a\n", 2, threshold("most", 1))]
fn what_breaks_a_rule_is_refused_with_its_line(
    #[case] text: &str,
    #[case] line: usize,
    #[case] problem: PolicyProblem,
) {
    let error = Policy::parse(&filled(text)).unwrap_err();
    assert_eq!(error, PolicyError { line, problem });
    assert!(error.to_string().starts_with(&format!("line {line}: ")));
}

/// "Two vkeys are considered *duplicate* if they wrap the same underlying public key, even if they differ by key name and
/// key id."
#[test]
fn one_key_under_two_names_is_a_duplicate() {
    let vkey = |name| VerifierKey::of(name, KeyKind::CosignatureV1, &key(1)).unwrap();
    let text = format!("witness a {}\nwitness b {}\n", vkey("a"), vkey("b"));
    let error = Policy::parse(text.as_bytes()).unwrap_err();
    assert_eq!(
        (error.line, error.problem),
        (2, PolicyProblem::DuplicateKey(1))
    );
}

#[test]
fn a_policy_may_be_large_and_not_larger() {
    let (many, quorum) = ("\n".repeat(POLICY_LEN_MAX - 12), "quorum none\n");
    assert!(Policy::parse((many.clone() + quorum).as_bytes()).is_ok());
    let error = Policy::parse((many + "\n" + quorum).as_bytes()).unwrap_err();
    assert_eq!(error.problem, PolicyProblem::TooLong);
}

/// Groups may be as deep as a policy has lines: none overflows the stack.
#[test]
fn deep_groups_are_counted() {
    let mut text = filled("witness a W1\ngroup g0 any a\n");
    for depth in 0..5_000 {
        text.extend(format!("group g{} all g{depth}\n", depth + 1).bytes());
    }
    text.extend(b"quorum g5000\n");
    let policy = Policy::parse(&text).unwrap();
    assert!(policy.is_met(|_| true));
    assert!(!policy.is_met(|_| false));
}

fn checkpoint(origin: &str, seed: u8) -> Note {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: 0,
        root: empty_root(),
    };
    checkpoint.sign(&[&key(seed)]).unwrap()
}

fn cosigned(mut note: Note, seeds: &[u8]) -> Note {
    for seed in seeds {
        let (name, time_s) = (
            format!("witness.example/{seed}"),
            1_700_000_000 + u64::from(*seed),
        );
        note.add(cosign(&note, &name, &key(*seed), time_s).unwrap());
    }
    note
}

#[test]
fn a_checkpoint_with_its_quorum_is_believed() {
    // One of them is unknown, which is no harm.
    let note = cosigned(checkpoint(ORIGIN, 10), &[5, 9, 2, 1]);
    let witnessed = example().check(&note).unwrap();
    assert_eq!(witnessed.checkpoint.origin, ORIGIN);
    assert_eq!(witnessed.log.to_string(), log(10));
    let cosigned = witnessed.cosignatures.iter();
    let cosigned: Vec<_> = cosigned
        .map(|one| (one.name.to_string(), one.time_s))
        .collect();
    let expected = [("Y2", 5), ("X2", 2), ("X1", 1)];
    assert_eq!(
        cosigned,
        expected.map(|(name, s)| (name.to_owned(), 1_700_000_000 + s))
    );
}

#[test]
fn of_two_keys_of_a_log_either_suffices() {
    let policy = Policy::parse(&filled("log LOG\nlog LOG2\nquorum none\n")).unwrap();
    for seed in [10, 20] {
        let witnessed = policy.check(&checkpoint(ORIGIN, seed)).unwrap();
        assert_eq!(witnessed.log.to_string(), log(seed));
        assert_eq!(witnessed.cosignatures, []);
    }
}

#[rstest]
#[case::other_origin(
    checkpoint("ledger.example/other", 10),
    "the policy names no log `ledger.example/other`"
)]
#[case::other_key(
    checkpoint(ORIGIN, 20),
    "no known key signed the note; a log that has changed its key has a `log` line for each"
)]
#[case::no_checkpoint(Note::new("a\n").unwrap(), "malformed checkpoint: the size is no decimal number")]
#[case::too_few(cosigned(checkpoint(ORIGIN, 10), &[1, 4]), "the quorum `X-and-Y` is not met: only X1, Y1 cosigned")]
#[case::nobody(
    checkpoint(ORIGIN, 10),
    "the quorum `X-and-Y` is not met: no witness that the policy names has cosigned"
)]
#[case::cosignature_of_another_note(
    {
        let other = cosigned(checkpoint("ledger.example/other", 10), &[6]);
        let mut note = cosigned(checkpoint(ORIGIN, 10), &[1, 2, 4]);
        note.add(other.signatures().last().unwrap().clone());
        note
    },
    "the signature of witness.example/6 does not verify"
)]
fn other_notes_are_refused(#[case] note: Note, #[case] why: &str) {
    assert_eq!(example().check(&note).unwrap_err().to_string(), why);
}
