//! From bytes to a decoded operation: limits, form and canonical payload, before any signature is looked at.

use crate::chain::pae::{OP_TYPE, op_id};
use crate::chain::{Envelope, EnvelopeError};
use crate::domain::Refusal;
use crate::domain::payload::Payload;
use crate::domain::values::{OpId, PublicKey};

/// An operation as it came: well formed and canonical, its signatures not verified.
#[derive(Debug)]
pub struct Decoded {
    /// Its id, which does not depend on the signatures.
    pub op: OpId,
    /// What was signed, with the signatures.
    pub envelope: Envelope,
    /// What the signed bytes say.
    pub payload: Payload,
}

impl Decoded {
    /// Reads an envelope within its limits. The refusal's rule is an `envelope.…` or `payload.…` code.
    pub fn read(bytes: &[u8]) -> Result<Decoded, Refusal> {
        Decoded::of(Envelope::decode(bytes).map_err(|error| malformed(&error))?)
    }

    /// Reads an envelope's payload as an operation.
    pub fn of(envelope: Envelope) -> Result<Decoded, Refusal> {
        // One payload type per endpoint.
        if envelope.payload_type() != OP_TYPE {
            return Err(
                Refusal::new("envelope.payload_type", "not an envelope of an operation")
                    .input("payloadType", envelope.payload_type())
                    .remedy(format!("payloadType {OP_TYPE}")),
            );
        }
        let payload = Payload::decode(envelope.payload())?;
        let op = id_of(envelope.payload());
        Ok(Decoded {
            op,
            envelope,
            payload,
        })
    }

    /// The keys that signed, as the state machine knows keys; sorted, each once.
    pub fn keys(&self) -> Vec<PublicKey> {
        let signatures = self.envelope.signatures().iter();
        signatures
            .map(|(key, _)| PublicKey(*key.as_bytes()))
            .collect()
    }
}

/// The id of the operation with these signed bytes.
pub fn id_of(payload: &str) -> OpId {
    let hash = *op_id(payload.as_bytes()).as_bytes();
    OpId(hash)
}

/// The refusal of an envelope that is none.
pub(super) fn malformed(error: &EnvelopeError) -> Refusal {
    Refusal::new(error.code(), error.problem.to_string()).input("pointer", &error.pointer)
}
