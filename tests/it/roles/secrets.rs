//! Who is ever told which word: every id, number, amount, reference and reason of the scene stands once in it, so finding
//! one in an answer says whose it is. All that a party can be answered is searched for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::cast::{CAST, everybody};
use super::scene::{Scene, digest, legal_name, names};
use super::table::TABLE;

/// What a party was answered: path and body.
pub(super) type Heard = BTreeMap<&'static str, Vec<(String, String)>>;

/// Words and everybody who reads them somewhere.
const WORDS: &[(&[&str], &str)] = &[
    (&["HT-11-MAIN", "1200011.00"], "tax supplier hospital"),
    (
        &["HT-12-PARTS", "500013.00", "500113.00"],
        "tax supplier maker",
    ),
    (&["HT-13-HAUL", "300017.00"], "tax supplier carrier"),
    (&["HT-14-FORGE", "300019.00"], "tax carrier smith"),
    (&["HT-15-OPEN", "250021.00"], "tax supplier hospital"),
    (&["HT-16-NO", "50023.00"], "tax supplier maker"),
    (&["HT-17-TWO", "700087.00"], "tax workshop works"),
    (
        &["LS-21-MAIN", "900029.00", "LS-22-OPEN", "15031.00"],
        "tax supplier hospital",
    ),
    (
        &["LS-23-NO", "16033.00", "leak at the collar"],
        "tax supplier hospital",
    ),
    (&["LS-24-PARTS", "233037.00"], "tax supplier maker"),
    (&["LS-27-TWO", "300091.00"], "tax workshop works"),
    // A holder, and whoever was one, reads the invoice's number and share, and not its tax.
    (
        &["FP-31-MAIN", "900017.00"],
        "tax inspector supplier hospital maker carrier smith factor bank-a",
    ),
    (
        &["796475.22", "103541.78"],
        "tax inspector supplier hospital",
    ),
    (
        &["FP-32-OPEN", "111018.00", "FP-39-CREDIT", "1009.00"],
        "tax inspector supplier hospital",
    ),
    (
        &["110009.00", "7013.00", "short_delivery", "two crates"],
        "tax supplier hospital",
    ),
    (&["FP-33-NO"], "tax inspector supplier hospital"),
    (&["nobody ordered it"], "tax supplier hospital"),
    (
        &["FP-34-FLAG", "31036.00", "a twin of it"],
        "tax inspector supplier hospital",
    ),
    (
        &["FP-35-VOID", "41040.00"],
        "tax inspector supplier hospital",
    ),
    (
        &["FP-36-PARTS", "233028.00"],
        "tax inspector supplier maker",
    ),
    (
        &["FP-37-HAUL", "122041.00"],
        "tax inspector supplier carrier",
    ),
    (&["FP-38-FORGE", "133043.00"], "tax inspector carrier smith"),
    (&["FP-40-TWO"], "tax inspector workshop works fund"),
    (&["265565.49"], "tax inspector workshop works"),
    // Defences: everybody who holds, held, is offered or may bid.
    (
        &["45079.00"],
        "tax supplier hospital maker carrier smith factor bank-a bank-b fund",
    ),
    (
        &["15101.00"],
        "tax workshop works fund bank-a bank-b factor",
    ),
    // What was passed on, and cut.
    (&["200023.00"], "tax supplier maker"),
    (&["8003100"], "tax maker factor"),
    // All that is settled so far: a total, which co-holders read.
    (
        &["80031.00"],
        "tax maker factor hospital bank-a supplier smith",
    ),
    (&["100037.00"], "tax supplier carrier smith hospital"),
    (&["150047.00"], "tax supplier bank-a factor"),
    (&["100053.00"], "tax supplier bank-a bank-b factor fund"),
    (&["70059.00"], "tax supplier bank-b"),
    (&["80061.00"], "tax supplier bank-a hospital"),
    (&["40067.00"], "tax supplier factor"),
    (&["40071.00"], "tax supplier maker"),
    (&["20073.00"], "tax supplier carrier"),
    (&["300089.00"], "tax inspector workshop works fund"),
    (&["120097.00"], "tax workshop fund works"),
    (&["80111.00"], "tax workshop bank-a bank-b factor fund"),
    // Rates and fees: the lender and the requester, the payee of a fee that is owed; of sealed ones the lender alone, and
    // of what was never revealed nobody.
    (&["\"0.0411\""], "tax maker factor"),
    (&["\"0.0413\""], "tax supplier bank-a"),
    (&["61.61"], "tax supplier bank-a bank-b"),
    (&["\"0.0497\"", "67.67"], "tax supplier factor"),
    (&["\"0.0417\""], "tax supplier factor"),
    (&["\"0.0433\"", "\"0.0419\""], "tax supplier bank-b"),
    (&["\"0.0421\"", "71.71"], "tax supplier bank-a"),
    (&["\"0.0423\"", "73.73"], "tax supplier factor"),
    (&["\"0.0429\"", "79.79"], "tax bank-a"),
    (&["\"0.0431\"", "83.83"], ""),
    (&["\"0.0427\""], "tax workshop fund"),
    (&["101.03"], "tax workshop fund bank-c"),
    (&["1000131.00"], "tax bank-a"),
    (&["800137.00"], "tax bank-b"),
    (&["700139.00"], "tax factor"),
    (&["600127.00"], "tax fund"),
    // Legs: payer, payee and the bank of the account.
    (
        &["79546.75", "E2E-41-SOLD", "BK-51-SOLD"],
        "tax factor maker bank-b",
    ),
    (
        &["79512.60", "E2E-42-DONE", "BK-52-DONE"],
        "tax bank-a supplier",
    ),
    (
        &["39821.02", "E2E-43-BACK", "BK-53-BACK"],
        "tax factor supplier bank-a",
    ),
    (
        &["85083.00", "E2E-44-PAID", "BK-54-PAID"],
        "tax hospital factor bank-a",
    ),
    (&["69659.45", "E2E-45-WAIT"], "tax bank-b supplier bank-a"),
    (
        &["119297.97", "E2E-47-TWO", "BK-57-TWO"],
        "tax fund workshop bank-c",
    ),
    (&["30113.00", "E2E-48-TWO"], "tax works workshop bank-c"),
    (&["5052.00"], "tax factor hospital"),
    // An account's number: its party, its bank, and the debtor that is told whom to pay.
    (&["6200000000000001"], "tax supplier bank-a hospital"),
    (&["6200000000000002"], "tax maker bank-b hospital"),
    (&["6200000000000003"], "tax factor bank-a"),
    (&["6200000000000004"], "tax bank-a bank-b hospital"),
    (&["6200000000000005"], "tax workshop bank-c works"),
    (&["6200000000000006"], "tax smith bank-b"),
    (&["6200000000000007"], "tax supplier bank-a"),
];

/// Who reads the id of an object that it does not see: in an offer, in what a leg pays, in a price that is agreed.
const MENTIONED: &[(&str, &str)] = &[
    // A lender keeps its offer when the request has ended.
    // So does whoever might have bid, by the notice that it has ended.
    ("req-sold", "bank-a bank-b factor fund"),
    ("req-done", "bank-a factor"),
    ("req-back", "factor"),
    ("req-gone", "bank-b"),
    ("req-wait", "bank-b"),
    ("req-two", "fund"),
    // The bank of a leg reads what the leg pays.
    ("fin-sold", "bank-b"),
    ("fin-back", "bank-a"),
    ("fin-wait", "bank-a"),
    ("fin-two", "bank-c"),
    ("rcv-two", "bank-c"),
    // A buyer reads what it is to pay for.
    ("rcv-main", "bank-b"),
    // A payer reads where to.
    ("acc-supplier", "factor bank-b hospital"),
    ("acc-maker", "factor hospital"),
    ("acc-factor", "hospital"),
    ("acc-bank-a", "hospital"),
    ("acc-workshop", "fund works"),
];

/// Who reads a party's identifier anywhere but in the register and in its own admission.
const MET: &[(&str, &str)] = &[
    (
        "hospital",
        "tax inspector supplier maker carrier smith factor bank-a bank-b fund",
    ),
    (
        "supplier",
        "tax inspector hospital maker carrier smith factor bank-a bank-b fund",
    ),
    // Co-holders do not learn of each other: maker, smith and bank A hold parts of one receivable.
    ("maker", "tax inspector supplier hospital factor bank-b"),
    ("carrier", "tax inspector supplier smith"),
    ("smith", "tax inspector carrier hospital bank-b"),
    ("factor", "tax supplier maker hospital bank-a bank-b"),
    ("bank-a", "tax supplier hospital factor bank-b"),
    ("bank-b", "tax supplier maker smith factor bank-a hospital"),
    ("inspector", "tax supplier hospital"),
    ("bank-c", "tax fund works workshop"),
    ("fund", "tax workshop works bank-c"),
    (
        "works",
        "tax inspector workshop fund bank-c bank-a bank-b factor",
    ),
    (
        "workshop",
        "tax inspector works fund bank-c bank-a bank-b factor",
    ),
    ("stranger", ""),
];

/// What is wrong: who reads what it may not, and who does not read what it may.
pub(super) fn wrong(scene: &Scene, heard: &Heard) -> Vec<String> {
    let plain: BTreeMap<&str, Vec<(&String, String)>> = heard
        .iter()
        .map(|(who, all)| {
            // The payload of an entry is JSON within a string, and in a receipt the whole line is.
            let all = all
                .iter()
                .map(|(path, body)| (path, body.replace('\\', "")));
            (*who, all.collect())
        })
        .collect();
    let mut wrong = Vec::new();
    let mut check = |word: &str,
                     what: &str,
                     readers: BTreeSet<&'static str>,
                     skip: &dyn Fn(&str, &str) -> bool| {
        for who in everybody() {
            let mut found = plain[who]
                .iter()
                .filter(|(path, body)| !skip(path, body) && body.contains(word));
            match (found.next(), readers.contains(who)) {
                (Some((path, _)), false) => {
                    wrong.push(format!("{who} reads {what} {word} at {path}"))
                }
                (None, true) => wrong.push(format!("{who} never reads {what} {word}")),
                _ => {}
            }
        }
    };
    let everywhere = |_: &str, _: &str| false;
    for (words, readers) in WORDS {
        for word in *words {
            check(word, "", names(readers).collect(), &everywhere);
        }
    }
    for (_, name, readers) in TABLE {
        let mentioned = MENTIONED.iter().find(|(object, _)| object == name);
        let readers = names(readers).chain(names(mentioned.map_or("", |(_, more)| more)));
        check(scene.id(name), name, readers.collect(), &everywhere);
    }
    for actor in CAST {
        // Of an admission: the operator, the party, whoever vouches for it, the auditor.
        let told = || {
            ["operator", "tax", actor.name]
                .into_iter()
                .chain(actor.voucher)
                .collect()
        };
        check(
            &format!("\"treasurer of {}\"", actor.name),
            "",
            told(),
            &everywhere,
        );
        check(
            &digest(&format!("evidence of {}", actor.name)),
            "evidence",
            told(),
            &everywhere,
        );
        let in_register = |path: &str, _: &str| path.starts_with("/v1/parties");
        check(&legal_name(actor.name), "", told(), &in_register);
    }
    let admissions = |path: &str, body: &str| {
        path.starts_with("/v1/parties") || body.contains("\"op\":\"party.admit\"")
    };
    for (name, readers) in MET {
        // Whoever trades reads its own.
        let own = names(name).filter(|_| !readers.is_empty());
        check(
            &scene.party(name).id,
            name,
            names(readers).chain(own).collect(),
            &admissions,
        );
    }
    wrong
}
