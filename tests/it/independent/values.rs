//! The vectors of single values, hashes and tiles, computed from the document.

use serde_json::Value;

use super::entry::Entry;
use super::forge::{text, vectors};
use super::json::Json;
use super::note::{Checkpoint, Vkey};
use super::party::is_party;
use super::payload::plain_text;
use super::plain::{leaf, node, pae, sha256, time_ms, unbase64, unhex, verify};
use super::tree;

fn rows(vector: &Value) -> &[Value] {
    vector.as_array().unwrap()
}

fn hashes(vector: &Value) -> Vec<[u8; 32]> {
    rows(vector)
        .iter()
        .map(|hash| unhex(hash.as_str().unwrap()).unwrap())
        .collect()
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn whole(text: &str) -> bool {
    digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_amount(text: &str) -> bool {
    let (before, after) = text
        .split_once('.')
        .map_or((text, None), |(b, a)| (b, Some(a)));
    whole(before) && after.is_none_or(digits) && before.len() + after.map_or(0, str::len) <= 18
}

fn is_signed_amount(text: &str) -> bool {
    match text.strip_prefix('-') {
        Some(amount) => is_amount(amount) && amount.contains(|c| ('1'..='9').contains(&c)),
        None => is_amount(text),
    }
}

fn is_rate(text: &str) -> bool {
    let (before, after) = text
        .split_once('.')
        .map_or((text, None), |(b, a)| (b, Some(a)));
    let after_fits = |a: &str| digits(a) && a.len() <= 12 && !a.ends_with('0');
    let units = format!("{before}{:0<12}", after.unwrap_or_default()).parse::<i64>();
    whole(before) && after.is_none_or(after_fits) && units.is_ok()
}

fn is_offset(text: &str) -> bool {
    let fits = text.len() == 6 && text.is_ascii() && &text[3..4] == ":";
    if !fits || !digits(&text[1..3]) || !digits(&text[4..]) || &text[4..] >= "60" {
        return false;
    }
    match &text[..1] {
        "+" => &text[1..] <= "14:00",
        "-" => &text[1..] <= "12:00" && &text[1..] != "00:00",
        _ => false,
    }
}

const BASE_32: &str = "0123456789abcdefghjkmnpqrstvwxyz";

fn is_id(prefix: &str, text: &str) -> bool {
    let code = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    code.is_some_and(|code| {
        code.len() == 26 && code.chars().all(|c| BASE_32.contains(c)) && &code[..1] <= "7"
    })
}

fn is_address(text: &str) -> bool {
    let Some((receivable, (lo, hi))) = text
        .split_once(':')
        .and_then(|(r, fens)| Some((r, fens.split_once('-')?)))
    else {
        return false;
    };
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| whole(text));
    let fens = number(lo).zip(number(hi));
    is_id("rcv", receivable) && fens.is_some_and(|(lo, hi)| lo < hi && hi < 10_u64.pow(18))
}

#[test]
fn each_value_has_the_one_form_of_the_document() {
    let vectors = vectors();
    for kind in rows(&vectors["forms"]["values"]) {
        let is: fn(&str) -> bool = match text(kind, "kind") {
            "text" => |t| plain_text(t).is_ok() && t.len() <= 200,
            "nonce" => |t| unhex::<16>(t).is_ok(),
            "digest" => |t| unhex::<32>(t).is_ok(),
            "amount" => is_amount,
            "signed amount" => is_signed_amount,
            "rate" => is_rate,
            "currency" => |t| t.len() == 3 && t.bytes().all(|b| b.is_ascii_uppercase()),
            "instant" => |t| time_ms(t, "0000-00-00T00:00:00Z").is_ok(),
            "day" => |t| time_ms(&format!("{t}T00:00:00Z"), "0000-00-00T00:00:00Z").is_ok(),
            "utc offset" => is_offset,
            "party" => is_party,
            "receivable id" => |t| is_id("rcv", t),
            "address" => is_address,
            other => panic!("{other} is unknown"),
        };
        for (list, verdict) in [("accepted", true), ("refused", false)] {
            for value in rows(&kind[list]) {
                let value = value.as_str().unwrap();
                assert_eq!(is(value), verdict, "{} {value:?}", text(kind, "kind"));
            }
        }
    }
}

#[test]
fn ids_come_from_the_op_id() {
    let vectors = vectors();
    for vector in rows(&vectors["forms"]["ids"]) {
        let op: [u8; 32] = unhex(text(vector, "op_id")).unwrap();
        let hash = match vector["k"].as_u64().unwrap() {
            0 => op,
            k => sha256(&[&op[..], &(k as u32).to_be_bytes()].concat()),
        };
        let mut number = u128::from_be_bytes(*hash.first_chunk().unwrap());
        let mut code = Vec::new();
        for _ in 0..26 {
            code.push(BASE_32.as_bytes()[(number % 32) as usize]);
            number /= 32;
        }
        code.reverse();
        assert_eq!(
            format!("rcv_{}", String::from_utf8(code).unwrap()),
            text(vector, "id")
        );
    }
}

#[test]
fn fingerprints_and_commitments_are_plain_hashes() {
    let vectors = vectors();
    for vector in rows(&vectors["forms"]["fingerprints"]) {
        let (seller, number) = (text(vector, "seller"), text(vector, "canonical"));
        let hash = sha256(format!("cf-invoice-v1\n{seller}\n{number}").as_bytes());
        assert_eq!(hex::encode(hash), text(vector, "fingerprint"));
    }
    let vector = &vectors["forms"]["commitment"];
    let names = format!(
        "cf-offer-v1\n{}\n{}\n",
        text(vector, "request"),
        text(vector, "lender")
    );
    let salt: [u8; 32] = unhex(text(vector, "salt")).unwrap();
    let hash = sha256(&[names.as_bytes(), &salt, text(vector, "offer").as_bytes()].concat());
    assert_eq!(hex::encode(hash), text(vector, "commitment"));
    assert!(Json::read(text(vector, "offer")).is_ok());
}

#[test]
fn the_entry_with_every_escape_reads() {
    let vectors = vectors();
    let vector = &vectors["entry"];
    let line = text(vector, "line").as_bytes();
    let entry = Entry::parse(line).unwrap();
    assert_eq!(entry.payload, text(vector, "payload"));
    let message = pae("application/vnd.counterfoil.op.v1+json", &entry.payload);
    assert_eq!(hex::encode(&message), text(vector, "pae"));
    assert_eq!(hex::encode(sha256(&message)), text(vector, "op_id"));
    assert_eq!(hex::encode(leaf(line)), text(vector, "leaf"));
    let [(key, signature)] = entry.sigs[..] else {
        panic!("one signature");
    };
    assert!(verify(&key, &message, &signature));

    let envelope: Value = serde_json::from_str(text(vector, "envelope")).unwrap();
    assert_eq!(
        unbase64(text(&envelope, "payload")).unwrap(),
        entry.payload.as_bytes()
    );
    assert_eq!(
        unbase64(text(&envelope["signatures"][0], "sig")).unwrap(),
        signature
    );
    assert_eq!(text(&envelope["signatures"][0], "keyid"), hex::encode(key));
}

#[test]
fn tree_checkpoint_cosignature_and_tiles_are_as_published() {
    let vectors = vectors();
    let log = &vectors["log"];
    let entries: Vec<&[u8]> = rows(&log["entries"])
        .iter()
        .map(|e| e.as_str().unwrap().as_bytes())
        .collect();
    let leaves: Vec<_> = entries.iter().map(|entry| leaf(entry)).collect();
    assert_eq!(leaves, hashes(&log["leaves"]));
    let roots: Vec<_> = (1..=3).map(|size| tree::root(&leaves[..size])).collect();
    assert_eq!(roots, hashes(&log["roots"]));
    assert_eq!(hex::encode(tree::root(&[])), text(log, "empty_root"));

    let note = text(log, "checkpoint");
    let checkpoint = Checkpoint::open(note, &Vkey::parse(text(log, "vkey")).unwrap()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (3, roots[2]));

    let [left, right] = hashes(&log["inclusion_of_1_in_3"])[..] else {
        panic!("two siblings");
    };
    assert_eq!(node(&node(&left, &leaves[1]), &right), roots[2]);
    let [third] = hashes(&log["consistency_of_2_and_3"])[..] else {
        panic!("one node");
    };
    assert_eq!(node(&roots[1], &third), roots[2]);

    let bundle: Vec<u8> = entries
        .iter()
        .flat_map(|entry| [&(entry.len() as u16).to_be_bytes(), *entry].concat())
        .collect();
    assert_eq!(hex::encode(bundle), text(&log["entry_tile"], "content"));
    assert_eq!(
        hex::encode(leaves.concat()),
        text(&log["hash_tile"], "content")
    );
    cosigned(log, note);
}

fn cosigned(log: &Value, note: &str) {
    let body = &note[..note.find("\n\n").unwrap() + 1];
    let line = note
        .lines()
        .find_map(|line| line.strip_prefix("— witness.example/w1 "))
        .unwrap();
    let blob = unbase64(line).unwrap();
    let (name, typed) = text(log, "witness_vkey").split_once('+').unwrap();
    let typed = unbase64(typed.split_once('+').unwrap().1).unwrap();
    assert_eq!(
        blob[..4],
        sha256(&[name.as_bytes(), b"\n", &typed].concat())[..4]
    );
    let time = u64::from_be_bytes(blob[4..12].try_into().unwrap());
    assert_eq!((typed[0], time), (4, log["witness_time"].as_u64().unwrap()));
    let message = format!("cosignature/v1\ntime {time}\n{body}");
    let (key, signature) = (
        typed[1..].try_into().unwrap(),
        blob[12..].try_into().unwrap(),
    );
    assert!(verify(&key, message.as_bytes(), &signature));
}
