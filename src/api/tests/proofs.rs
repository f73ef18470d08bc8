//! Tiles and receipts: what they prove, and who is given which.

use rstest::rstest;
use serde_json::Value;

use super::served::{Answer, Served};
use crate::chain::tiles::{decode_bundle, decode_hashes};
use crate::chain::{Checkpoint, Line, TlogProof, Tree};
use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, TAX};

/// The number of the entry that a receipt proves to be in the ledger, and the size of its checkpoint.
pub(super) fn proved(served: &Served, receipt: &Value) -> (u64, u64) {
    let (entry, line) = Line::decode(receipt["line"].as_str().unwrap().as_bytes()).unwrap();
    let proof = TlogProof::decode(receipt["proof"].as_str().unwrap().as_bytes()).unwrap();
    let vkey = served.ledger.ready().vkey.parse().unwrap();
    let checkpoint = Checkpoint::open(&proof.checkpoint, &vkey).unwrap();
    assert_eq!(proof.index, entry.n());
    assert!(proof.proves(line.leaf(), checkpoint.size, &checkpoint.root));
    (entry.n(), checkpoint.size)
}

fn get(served: &Served, path: &str, by: Option<&str>) -> Answer {
    let by = by.map(|by| format!("\r\nauthorization: Bearer {}", served.token_of(by)));
    served.request(
        &format!("GET {path} HTTP/1.1{}", by.unwrap_or_default()),
        b"",
    )
}

#[test]
fn whoever_may_read_an_entry_gets_its_receipt_and_to_others_it_is_absent() {
    let mut served = Served::new();
    let (_, envelope) = served.proposed("HT-1");
    let path = "/v1/entries/5/receipt";
    for reader in [SUPPLIER, HOSPITAL, TAX] {
        let receipt = get(&served, path, Some(reader));
        assert_eq!(
            (receipt.status, proved(&served, &receipt.json())),
            (200, (5, 6))
        );
    }
    let hidden = get(&served, path, Some(STRANGER));
    let absent = get(&served, "/v1/entries/6/receipt", Some(STRANGER));
    assert_eq!((hidden.status, hidden.json()), (404, absent.json()));
    assert_eq!(get(&served, path, None).status, 401);
    let told = format!("/v1/operations/{}", envelope.op_id());
    let told = get(&served, &told, Some(HOSPITAL)).json();
    assert_eq!(proved(&served, &told["receipt"]), (5, 6));
}

#[rstest]
#[case("?level=committed", 200, "")]
#[case("?level=witnessed", 404, "receipt.unwitnessed")]
#[case("?level=all", 400, "query.level")]
#[case("?levels=committed", 400, "query.unknown")]
#[case("?level=committed&level=committed", 400, "query.unknown")]
fn a_receipt_has_a_level(#[case] query: &str, #[case] status: u16, #[case] code: &str) {
    let served = Served::new();
    let answer = get(&served, &format!("/v1/entries/0/receipt{query}"), Some(TAX));
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["code"].as_str().unwrap_or_default(), code);
}

#[test]
fn hashes_are_public_and_kept_for_ever_and_give_the_checkpoints_root() {
    let served = Served::new();
    let tile = get(&served, "/tile/0/000.p/5", None);
    assert!(tile.status == 200 && tile.has("content-type: application/octet-stream"));
    assert!(
        tile.has("cache-control: public, max-age=31536000, immutable"),
        "{tile:?}"
    );
    let tree: Tree = decode_hashes(&tile.bytes).unwrap().into_iter().collect();
    assert_eq!(tree.root(), served.ledger.published().root);
    let checkpoint = get(&served, "/checkpoint", None);
    assert!(checkpoint.has("cache-control: no-store"));
}

#[rstest]
#[case("/tile/0/000")]
#[case("/tile/0/000.p/6")]
#[case("/tile/1/000.p/1")]
#[case("/tile/0/0")]
#[case("/tile/0/000.p/0")]
#[case("/tile/00/000.p/1")]
#[case("/tile/64/000.p/1")]
#[case("/tile/0/x000/000.p/1")]
#[case("/tile/")]
#[case("/tile/entries/001.p/1")]
fn what_the_tree_does_not_have_is_absent(#[case] path: &str) {
    let served = Served::new();
    let absent = get(&served, path, Some(TAX));
    assert_eq!(
        (absent.status, &absent.json()["code"]),
        (404, &"not_found".into())
    );
}

#[test]
fn entries_are_bundled_for_who_audits_and_absent_to_others() {
    let served = Served::new();
    let path = "/tile/entries/000.p/5";
    let bundle = get(&served, path, Some(TAX));
    assert!(bundle.status == 200 && bundle.has("cache-control: no-store"));
    let entries = decode_bundle(&bundle.bytes).unwrap();
    let read = |(n, line): (usize, &&[u8])| Line::decode(line).unwrap().0.n() == n as u64;
    assert!(entries.len() == 5 && entries.iter().enumerate().all(read));
    for reader in [SUPPLIER, HOSPITAL] {
        let absent = get(&served, "/tile/entries/009.p/5", Some(reader));
        assert_eq!(get(&served, path, Some(reader)).json(), absent.json());
    }
    assert_eq!(get(&served, path, None).status, 401);
}
