//! Values: the one form of each, what is made from others, and texts that look right and are refused.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use counterfoil::domain::objects::{OfferTerms, commitment};
use counterfoil::domain::values::{
    Address, Amount, Currency, Day, Digest, Instant, MadeId, Name, Nonce, OpId, PartyId, Rate,
    ReceivableId, RequestId, Salt, SignedAmount, UtcOffset, fingerprint,
};

use super::ledger::wire;

const OP: &str = "5d52261ac3928fc2371ff05e51e6d517c6ad9526bd1d0527cf3b2412c6918bd0";

#[derive(Serialize)]
pub(super) struct Forms {
    ids: Vec<IdVector>,
    fingerprints: Vec<FingerprintVector>,
    fingerprints_refused: Vec<&'static str>,
    commitment: CommitmentVector,
    values: Vec<ValueVector>,
}

#[derive(Serialize)]
struct IdVector {
    op_id: &'static str,
    k: u32,
    id: String,
}

#[derive(Serialize)]
struct FingerprintVector {
    seller: &'static str,
    number: &'static str,
    canonical: &'static str,
    fingerprint: String,
}

#[derive(Serialize)]
struct CommitmentVector {
    request: String,
    lender: &'static str,
    salt: String,
    offer: &'static str,
    commitment: String,
}

/// Texts that are, and that are not, the form of one kind of value.
#[derive(Serialize)]
struct ValueVector {
    kind: &'static str,
    accepted: Vec<&'static str>,
    refused: Vec<&'static str>,
}

fn ids() -> Vec<IdVector> {
    let op: OpId = wire(OP);
    let id = |k| IdVector {
        op_id: OP,
        k,
        id: ReceivableId::of(&op, k).to_string(),
    };
    vec![id(0), id(1), id(2), id(256)]
}

fn fingerprints() -> Vec<FingerprintVector> {
    const CHINESE: &str = "uscc:91420000737944946L";
    const FOREIGN: &str = "lei:5493001KJTIIGC8Y1R12";
    let rows = [
        ("x:tester", "INV-0042", "INV-0042"),
        (FOREIGN, "inv \u{2013} 0042", "INV-0042"),
        (FOREIGN, "ＩＮＶ－００４２", "INV-0042"),
        (FOREIGN, "straße/7", "STRASSE/7"),
        (FOREIGN, "1100204130-12345678", "1100204130-12345678"),
        (CHINESE, "1100204130-12345678", "110020413012345678"),
        (CHINESE, "25112000000012345678", "25112000000012345678"),
    ];
    let vector = |(seller, number, canonical)| {
        let made = fingerprint(wire(seller), number).unwrap();
        let plain = Sha256::digest(format!("cf-invoice-v1\n{seller}\n{canonical}"));
        assert_eq!(made.to_string(), hex::encode(plain), "{number}");
        FingerprintVector {
            seller,
            number,
            canonical,
            fingerprint: made.to_string(),
        }
    };
    rows.map(vector).into()
}

fn fingerprints_refused() -> Vec<&'static str> {
    let refused = vec![
        "",
        " ",
        "INV\u{200b}1",
        "INV\u{ad}1",
        "INV\t1",
        "INV\u{e000}",
        "INV\u{378}",
    ];
    let seller: PartyId = wire("x:tester");
    assert!(
        refused
            .iter()
            .all(|number| fingerprint(seller, number).is_err())
    );
    refused
}

fn sealed_offer() -> CommitmentVector {
    let offer = r#"{"kind":"purchase","interest":"in_advance","rate":"0.0435","day_count":"ACT/360","fees":[{"payee":"x:bank","bearer":"requester","amount":"120.00"}],"advance_rate":"1","recourse":"none","disburse_by":"2026-06-10","expires":"2026-06-12T08:00:00Z"}"#;
    let terms: OfferTerms = serde_json::from_str(offer).unwrap();
    assert_eq!(serde_json::to_string(&terms).unwrap(), offer);
    let (lender, salt) = ("x:bank", Salt([0x5a; 32]));
    let request = RequestId::of(&wire(OP), 0);
    let commitment = commitment(request, wire(lender), &salt, &terms);
    CommitmentVector {
        request: request.to_string(),
        lender,
        salt: salt.to_string(),
        offer,
        commitment: commitment.to_string(),
    }
}

/// The texts of one kind, after asking the type whether it takes and refuses them.
fn values<T: FromStr + DeserializeOwned>(
    kind: &'static str,
    accepted: &[&'static str],
    refused: &[&'static str],
) -> ValueVector {
    for text in accepted {
        assert!(text.parse::<T>().is_ok(), "{kind} {text:?}");
    }
    for text in refused {
        let read = serde_json::from_value::<T>((*text).into());
        assert!(read.is_err(), "{kind} {text:?}");
    }
    ValueVector {
        kind,
        accepted: accepted.to_vec(),
        refused: refused.to_vec(),
    }
}

pub(super) fn forms() -> Forms {
    Forms {
        ids: ids(),
        fingerprints: fingerprints(),
        fingerprints_refused: fingerprints_refused(),
        commitment: sealed_offer(),
        values: [texts(), numbers(), times(), names()]
            .into_iter()
            .flatten()
            .collect(),
    }
}

fn texts() -> Vec<ValueVector> {
    vec![
        values::<Name>(
            "text",
            &[
                "a",
                "北京市第一医院",
                "Müller & Söhne",
                "a  b",
                "شركة",
                "🧾",
            ],
            &[
                "",
                " a",
                "a ",
                "a\u{3000}",
                "a\u{0}b",
                "a\tb",
                "a\nb",
                "a\u{7f}b",
                "a\u{85}b",
                "a\u{ad}b",
                "a\u{61c}b",
                "a\u{200b}b",
                "a\u{200d}b",
                "a\u{202e}b",
                "a\u{2028}b",
                "a\u{2066}b",
                "a\u{fe0f}",
                "a\u{feff}b",
                "a\u{fffb}b",
                "a\u{e0041}b",
            ],
        ),
        values::<Nonce>(
            "nonce",
            &["000102030405060708090a0b0c0d0e0f"],
            &[
                "000102030405060708090A0B0C0D0E0F",
                "000102030405060708090a0b0c0d0e",
                "",
            ],
        ),
        values::<Digest>(
            "digest",
            &[OP],
            &["5D52261AC3928FC2371FF05E51E6D517C6AD9526BD1D0527CF3B2412C6918BD0"],
        ),
    ]
}

fn numbers() -> Vec<ValueVector> {
    vec![
        values::<Amount>(
            "amount",
            &["0", "0.00", "0.05", "1250.00", "9999999999999999.99"],
            &[
                "",
                "-1.00",
                "+1.00",
                "01.00",
                ".5",
                "5.",
                "1e2",
                "1_000",
                "1,000.00",
                "1.0.0",
                " 1",
                "10000000000000000.00",
            ],
        ),
        values::<SignedAmount>(
            "signed amount",
            &["-0.05", "0.05", "0.00"],
            &["-0.00", "+1", "--1"],
        ),
        values::<Rate>(
            "rate",
            &["0", "1", "0.0435", "0.000000000001"],
            &[
                "",
                "0.0",
                "0.0430",
                "1.",
                ".5",
                "-0.1",
                "01",
                "1e-2",
                "0.0000000000001",
                "9223373",
            ],
        ),
        values::<Currency>("currency", &["CNY", "JPY"], &["cny", "CN", "CNYX", ""]),
    ]
}

fn times() -> Vec<ValueVector> {
    vec![
        values::<Instant>(
            "instant",
            &[
                "1970-01-01T00:00:00Z",
                "2028-02-29T23:59:59Z",
                "9999-12-31T23:59:59Z",
            ],
            &[
                "2026-11-24T00:00:00.000Z",
                "2026-11-24t00:00:00z",
                "2026-11-24T00:00:00+00:00",
                "2016-12-31T23:59:60Z",
                "2026-11-24T24:00:00Z",
                "2026-02-29T00:00:00Z",
                "1969-12-31T23:59:59Z",
            ],
        ),
        values::<Day>(
            "day",
            &["1970-01-01", "2028-02-29", "9999-12-31"],
            &[
                "2026-02-29",
                "2026-2-01",
                "20260201",
                "1969-12-31",
                "2026-13-01",
                "",
            ],
        ),
        values::<UtcOffset>(
            "utc offset",
            &["+08:00", "+00:00", "-12:00", "+14:00", "+05:45"],
            &[
                "-00:00", "+8:00", "08:00", "+08:60", "+14:01", "-12:01", "Z",
            ],
        ),
    ]
}

fn names() -> Vec<ValueVector> {
    vec![
        values::<PartyId>(
            "party",
            &[
                "uscc:91350100M000100Y43",
                "uscc:91420000737944946L",
                "uscc:9144030071526726XG",
                "lei:5493001KJTIIGC8Y1R12",
                "lei:213800WSGIIZCXF1P572",
                "lei:7H6GLXDRUGQFU57RNE97",
                "x:tester",
                "x:a",
                "x:bank-2.example",
            ],
            &[
                "uscc:91350211M0000XUF46",
                "uscc:914403001922038217",
                "uscc:91420000737944946l",
                "uscc:91420A00737944946L",
                "USCC:91420000737944946L",
                "lei:5493001KJTIIGC8Y1R13",
                "lei:5493001KJTIIGC8Y2601",
                "lei:5493001kjtiigc8y1r12",
                "x:Tester",
                "x:1st",
                "x:",
                "x:a_b",
                "x:abcdefghijklmnopqrstuvwxyz0123456",
                "duns:123456789",
                "",
            ],
        ),
        values::<ReceivableId>(
            "receivable id",
            &[
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q",
                "rcv_7zzzzzzzzzzzzzzzzzzzzzzzzz",
            ],
            &[
                "rcv_80000000000000000000000000",
                "rcv_2XA8K1NGWJHZ13E7ZGBS8YDN8Q",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8u",
                "inv_2xa8k1ngwjhz13e7zgbs8ydn8q",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8",
            ],
        ),
        values::<Address>(
            "address",
            &[
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-500000",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:999999999999999998-999999999999999999",
            ],
            &[
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-0",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:5-4",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:00-1",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-1000000000000000000",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0",
                "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:-1-5",
            ],
        ),
    ]
}
