//! What a party signed: six fields, canonical.

use super::json::Json;
use super::party::is_party;
use super::plain::{time_ms, unhex};

pub(super) struct Payload {
    pub(super) ledger: String,
    pub(super) op: String,
    pub(super) party: String,
    pub(super) not_after_ms: u64,
    pub(super) body: Json,
}

impl Payload {
    pub(super) fn parse(text: &str) -> Result<Payload, String> {
        let json = Json::read(text)?;
        let fields = json.fields(["ledger", "op", "party", "nonce", "not_after", "body"])?;
        let [ledger, op, party, nonce, not_after, body] =
            fields.map(|field| field.expect("asked for"));
        for text in json.strings() {
            plain_text(text)?;
        }
        unhex::<16>(nonce.text()?)?;
        if !is_party(party.text()?) {
            return Err(format!("{} is no party identifier", party.text()?));
        }
        let Json::Object(_) = body else {
            return Err("the body is no object".to_owned());
        };
        Ok(Payload {
            ledger: ledger.text()?.to_owned(),
            op: op.text()?.to_owned(),
            party: party.text()?.to_owned(),
            not_after_ms: time_ms(not_after.text()?, "0000-00-00T00:00:00Z")?,
            body: body.clone(),
        })
    }

    /// Accepted by its end, which lies at most seven days ahead.
    pub(super) fn in_time(&self, time_ms: u64) -> Result<(), String> {
        let latest = time_ms + 7 * 24 * 60 * 60 * 1000;
        match (time_ms..=latest).contains(&self.not_after_ms) {
            true => Ok(()),
            false => Err("not_after is not within seven days after time".to_owned()),
        }
    }
}

/// The rule of every string in a payload.
pub(super) fn plain_text(text: &str) -> Result<(), String> {
    if text.is_empty() || text.trim() != text {
        return Err(format!(
            "{text:?} is empty, or white space stands at an end"
        ));
    }
    match text.chars().find(|c| unseen(u32::from(*c))) {
        None => Ok(()),
        Some(c) => Err(format!("U+{:04X} stands in a string", u32::from(c))),
    }
}

/// The table of the document: what may stand in no string.
fn unseen(code: u32) -> bool {
    const TABLE: [(u32, u32); 19] = [
        (0x0000, 0x001f),
        (0x007f, 0x009f),
        (0x00ad, 0x00ad),
        (0x034f, 0x034f),
        (0x061c, 0x061c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
    ];
    TABLE
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&code))
}
