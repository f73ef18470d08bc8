//! What the words in braces of a story's bodies stand for.
//!
//! `{step.rcv}` the id that the step's operation gives its first receivable (`{step.rcv.1}` the next one);
//! `{op:step}` the id of its operation, `{party:name}` an identifier, `{key:name}` a public key, `{digest:text}` the SHA-256 of a text,
//! `{document:file}` that of a document, `{commitment:offer}`, `{salt:offer}` and `{terms:offer}` of a sealed offer.

use std::collections::BTreeMap;

use serde_json::Value;

use super::DOCUMENTS;
use super::script::{Script, SealedOffer, Step};
use crate::chain::SigningKey;
use crate::chain::hash::sha256;
use crate::domain::objects::{OfferTerms, commitment};
use crate::domain::values::{
    AccountId, ContractId, DeliveryId, FinancingId, InvoiceId, LegId, LimitId, MadeId,
    ObligationId, OfferId, OpId, ReceivableId, RequestId, Salt, TransferId,
};
use crate::interop;

/// What the story can name at some point.
pub(super) struct Names<'s> {
    script: &'s Script,
    keys: &'s BTreeMap<String, SigningKey>,
    made: BTreeMap<&'s str, OpId>,
}

impl<'s> Names<'s> {
    pub(super) fn new(script: &'s Script, keys: &'s BTreeMap<String, SigningKey>) -> Names<'s> {
        Names {
            script,
            keys,
            made: BTreeMap::new(),
        }
    }

    /// Keeps the operation of a named step.
    pub(super) fn remember(&mut self, name: &'s str, op: OpId) {
        self.made.insert(name, op);
    }

    /// A step's body with every word in braces replaced.
    pub(super) fn body(&self, step: &Step) -> Result<Value, String> {
        let mut body = match &step.document {
            Some(file) => facts(file)?,
            None => Value::Object(serde_json::Map::new()),
        };
        let said = self.replaced(&step.body)?;
        if let (Value::Object(body), Value::Object(said)) = (&mut body, said) {
            body.extend(said);
        }
        Ok(body)
    }

    fn replaced(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => self.text(text)?,
            Value::Array(all) => Value::Array(
                all.iter()
                    .map(|one| self.replaced(one))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(all) => {
                let fields = all
                    .iter()
                    .map(|(name, one)| Ok((name.clone(), self.replaced(one)?)));
                Value::Object(fields.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<Value, String> {
        if let Some(offer) = text
            .strip_prefix("{terms:")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            return self.replaced(&self.offer(offer)?.terms);
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, behind) = after
                .split_once('}')
                .ok_or_else(|| format!("a brace is not closed in {text:?}"))?;
            out.push_str(before);
            out.push_str(&self.word(word)?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(Value::String(out))
    }

    fn word(&self, word: &str) -> Result<String, String> {
        if let Some((kind, what)) = word.split_once(':') {
            return match kind {
                "party" => self.script.player(what).map(|player| player.id.to_string()),
                "key" => self.keys.get(what).map(|key| key.public_key().to_string()),
                "op" => self.made.get(what).map(OpId::to_string),
                "digest" => Some(sha256(what.as_bytes()).to_string()),
                "document" => document(what).map(|bytes| sha256(bytes).to_string()),
                "salt" => Some(self.offer(what)?.salt.clone()),
                "commitment" => Some(self.commitment(what)?),
                _ => None,
            }
            .ok_or_else(|| format!("{{{word}}} stands for nothing"));
        }
        let mut parts = word.split('.');
        let (step, prefix) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let k = parts
            .next()
            .map_or(Ok(0), str::parse)
            .map_err(|_| format!("{{{word}}} ends in no number"))?;
        let op = self
            .made
            .get(step)
            .ok_or_else(|| format!("no earlier step is called {step}"))?;
        made_id(prefix, op, k)
            .ok_or_else(|| format!("{{{word}}}: no object has the prefix {prefix}"))
    }

    fn offer(&self, name: &str) -> Result<&SealedOffer, String> {
        self.script
            .offers
            .get(name)
            .ok_or_else(|| format!("no offer is called {name}"))
    }

    fn commitment(&self, name: &str) -> Result<String, String> {
        let offer = self.offer(name)?;
        let op = self
            .made
            .get(offer.request.as_str())
            .ok_or("the request is still to be opened")?;
        let lender = self
            .script
            .player(&offer.lender)
            .ok_or("nobody makes the offer")?;
        let terms: OfferTerms = serde_json::from_value(self.replaced(&offer.terms)?)
            .map_err(|error| error.to_string())?;
        let salt: Salt = offer.salt.parse().map_err(|error| format!("{error}"))?;
        Ok(commitment(RequestId::of(op, 0), lender.id, &salt, &terms).to_string())
    }
}

fn made_id(prefix: &str, op: &OpId, k: u32) -> Option<String> {
    fn id<I: MadeId + ToString>(prefix: &str, op: &OpId, k: u32) -> Option<String> {
        (I::PREFIX == prefix).then(|| I::of(op, k).to_string())
    }
    let makers = [
        id::<ContractId>,
        id::<DeliveryId>,
        id::<InvoiceId>,
        id::<ReceivableId>,
        id::<TransferId>,
        id::<RequestId>,
        id::<OfferId>,
        id::<FinancingId>,
        id::<LegId>,
        id::<ObligationId>,
        id::<LimitId>,
        id::<AccountId>,
    ];
    makers.iter().find_map(|maker| maker(prefix, op, k))
}

fn document(file: &str) -> Option<&'static [u8]> {
    DOCUMENTS
        .iter()
        .find(|(name, _)| *name == file)
        .map(|(_, bytes)| *bytes)
}

/// The fields of `invoice.issue` or `invoice.credit` that a document fills.
fn facts(file: &str) -> Result<Value, String> {
    let bytes = document(file).ok_or_else(|| format!("no document is called {file}"))?;
    let document = interop::check(bytes)
        .document
        .ok_or_else(|| format!("{file} is not an invoice"))?;
    let facts = document.facts().map_err(|error| error.to_string())?;
    Ok(facts.body())
}
