//! What a signature on an envelope covers: DSSE's pre-authentication encoding
//! (secure-systems-lab/dsse, protocol.md).

use std::fmt::Write as _;

use super::hash::{Hash, sha256_of};

/// Payload type of an operation.
pub const OP_TYPE: &str = "application/vnd.counterfoil.op.v1+json";

/// Payload type of a request for a session.
pub const SESSION_TYPE: &str = "application/vnd.counterfoil.session.v1+json";

/// PAE = `DSSEv1 SP len(type) SP type SP len(payload) SP payload`, lengths in bytes as ASCII decimals.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = pae_head(payload_type, payload).into_bytes();
    out.extend_from_slice(payload);
    out
}

/// What stands before the payload in its PAE: so that what is hashed need not be copied.
pub fn pae_head(payload_type: &str, payload: &[u8]) -> String {
    let (type_len, len) = (payload_type.len(), payload.len());
    let mut head = String::with_capacity(type_len + 48);
    let written = write!(head, "DSSEv1 {type_len} {payload_type} {len} ");
    written.expect("a string takes every text");
    head
}

/// Id of an operation: SHA-256 of the PAE of its payload under [`OP_TYPE`]. It is independent of signatures, so it is the
/// idempotency key.
pub fn op_id(payload: &[u8]) -> Hash {
    sha256_of(&[pae_head(OP_TYPE, payload).as_bytes(), payload])
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
