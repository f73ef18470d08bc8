//! Operations on the ledger itself.

pub mod create;
mod named;
pub mod rekey;
pub mod upgrade;

pub use named::NamedKeys;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};

use crate::domain::objects::LedgerKey;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Name, PublicKey};

/// The key of a C2SP verifier key `name+hash+base64(0x01 ‖ key)` whose name is the origin and whose hash is
/// SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)[:4].
fn ledger_key(vkey: &Name, origin: &Name) -> Result<LedgerKey, Refusal> {
    let wrong = || {
        Refusal::new(
            "ledger.vkey",
            "the verifier key is not an ed25519 key named as the origin",
        )
        .input("vkey", vkey)
        .remedy("<origin>+<8 hex digits>+<base64 of 0x01 and the 32 bytes of the key>")
    };
    let (hash, key) = vkey
        .as_str()
        .strip_prefix(origin.as_str())
        .and_then(|rest| rest.strip_prefix('+'))
        .and_then(|rest| rest.split_once('+'))
        .ok_or_else(wrong)?;
    let typed = BASE64_STANDARD.decode(key).map_err(|_| wrong())?;
    let bytes: [u8; 32] = typed
        .strip_prefix(&[0x01])
        .and_then(|key| key.try_into().ok())
        .ok_or_else(wrong)?;
    let mut id = Sha256::new();
    id.update(origin.as_str());
    id.update([0x0a]);
    id.update(&typed);
    ensure(hash == hex::encode(&id.finalize()[..4]), wrong)?;
    Ok(LedgerKey {
        vkey: vkey.clone(),
        key: PublicKey(bytes),
    })
}
