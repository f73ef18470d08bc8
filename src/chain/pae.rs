//! What a signature on an envelope covers: DSSE's pre-authentication encoding
//! (secure-systems-lab/dsse, protocol.md).

use super::hash::{Hash, sha256};

/// Payload type of an operation.
pub const OP_TYPE: &str = "application/vnd.counterfoil.op.v1+json";

/// Payload type of a request for a session.
pub const SESSION_TYPE: &str = "application/vnd.counterfoil.session.v1+json";

/// PAE = `DSSEv1 SP len(type) SP type SP len(payload) SP payload`, lengths in bytes as ASCII decimals.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    out.extend_from_slice(payload);
    out
}

/// Id of an operation: SHA-256 of the PAE of its payload under [`OP_TYPE`]. It is independent of signatures, so it is the
/// idempotency key.
pub fn op_id(payload: &[u8]) -> Hash {
    sha256(&pae(OP_TYPE, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pae_counts_bytes() {
        // The vector of the DSSE specification.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("é", "链".as_bytes()), "DSSEv1 2 é 3 链".as_bytes());
    }
}
