//! A line of the export.

use super::json::Json;
use super::plain::{Sha256Hash, pae, time_ms, unbase64_exact, unhex};

/// The one type of payload that has entries.
pub(super) const OP_TYPE: &str = "application/vnd.counterfoil.op.v1+json";

pub(super) struct Entry {
    pub(super) n: u64,
    pub(super) time_ms: u64,
    pub(super) prev: Sha256Hash,
    pub(super) payload: String,
    pub(super) sigs: Vec<([u8; 32], [u8; 64])>,
}

impl Entry {
    pub(super) fn parse(line: &[u8]) -> Result<Entry, String> {
        if line.len() > 65_535 {
            return Err("the line is longer than 65,535 bytes".to_owned());
        }
        let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
        let json = Json::read(text)?;
        let fields = json.fields(["n", "time", "prev", "type", "payload", "sigs"])?;
        let [n, time, prev, kind, payload, sigs] = fields.map(|field| field.expect("asked for"));
        if kind.text()? != OP_TYPE {
            return Err(format!("the payload is of type {:?}", kind.text()?));
        }
        let payload = payload.text()?;
        // What the line takes beyond the text is backslashes, and a `\u00xx` of a control has six bytes.
        let escaped = Json::Text(payload.to_owned()).write().len() - 2;
        if payload.len() > 40 * 1024 || escaped > 62_000 {
            return Err("the payload is too long".to_owned());
        }
        let sigs: Vec<_> = sigs
            .list()?
            .iter()
            .map(signature)
            .collect::<Result<_, _>>()?;
        if !(1..=16).contains(&sigs.len()) || !sigs.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("not 1 to 16 signatures sorted by key, one a key".to_owned());
        }
        Ok(Entry {
            n: n.number()?,
            time_ms: time_ms(time.text()?, "0000-00-00T00:00:00.000Z")?,
            prev: unhex(prev.text()?)?,
            payload: payload.to_owned(),
            sigs,
        })
    }

    /// What its signatures cover.
    pub(super) fn pae(&self) -> Vec<u8> {
        pae(OP_TYPE, &self.payload)
    }
}

fn signature(json: &Json) -> Result<([u8; 32], [u8; 64]), String> {
    let [key, signature] = json.list()? else {
        return Err("a signature is a pair of key and signature".to_owned());
    };
    Ok((unhex(key.text()?)?, unbase64_exact(signature.text()?)?))
}
