//! A private key as text: PKCS#8 (RFC 5958) in PEM, encrypted by a passphrase with scrypt and AES-256-CBC (RFC 8018),
//! as `openssl pkey` reads it.

use ed25519_dalek::pkcs8::KeypairBytes;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::pkcs5::scrypt;
use pkcs8::{EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::keys::SigningKey;

/// scrypt's cost: 2^14 blocks of 8 (16 MiB), the most that openssl takes by default.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Why a text is not a key that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Not PEM, or not of a private key.
    #[error(
        "not a private key in PEM: it begins with -----BEGIN PRIVATE KEY----- or -----BEGIN ENCRYPTED PRIVATE KEY-----"
    )]
    Form,
    /// Encrypted, and no passphrase was given.
    #[error("the key is encrypted: a passphrase is needed")]
    PassphraseNeeded,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// A key of another algorithm.
    #[error("the private key is not an ed25519 key")]
    Algorithm,
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// The key as PEM that nobody needs a passphrase for.
pub fn to_plain(key: &SigningKey) -> Result<Zeroizing<String>, PemError> {
    pkcs8(key)?
        .to_pem(PLAIN, LineEnding::LF)
        .map_err(|_| PemError::Form)
}

/// The key as PEM that `passphrase` opens.
pub fn to_encrypted(key: &SigningKey, passphrase: &str) -> Result<Zeroizing<String>, PemError> {
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    getrandom::fill(&mut salt)
        .and_then(|()| getrandom::fill(&mut iv))
        .map_err(|_| PemError::NoRandom)?;
    let cost = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|_| PemError::Form)?;
    let parameters =
        Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(|_| PemError::Form)?;
    let document = pkcs8(key)?;
    let info = PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| PemError::Form)?;
    let encrypted = info
        .encrypt_with_params(parameters, passphrase)
        .map_err(|_| PemError::Form)?;
    encrypted
        .to_pem(ENCRYPTED, LineEnding::LF)
        .map_err(|_| PemError::Form)
}

/// The key in a PEM text; `passphrase` is asked for only where the key is encrypted.
pub fn read(
    text: &str,
    passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<SigningKey, PemError> {
    let (label, document) = SecretDocument::from_pem(text).map_err(|_| PemError::Form)?;
    let plain = match label {
        PLAIN => document,
        ENCRYPTED => {
            let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                .map_err(|_| PemError::Form)?;
            let passphrase = passphrase().ok_or(PemError::PassphraseNeeded)?;
            info.decrypt(passphrase.as_bytes())
                .map_err(|_| PemError::Passphrase)?
        }
        _ => return Err(PemError::Form),
    };
    let info = PrivateKeyInfoRef::try_from(plain.as_bytes()).map_err(|_| PemError::Passphrase)?;
    let pair = KeypairBytes::try_from(info).map_err(|_| PemError::Algorithm)?;
    Ok(SigningKey::from_seed(&pair.secret_key))
}

/// Version 1, without the public half, which older readers do not know.
fn pkcs8(key: &SigningKey) -> Result<SecretDocument, PemError> {
    let pair = KeypairBytes {
        secret_key: *key.seed(),
        public_key: None,
    };
    pair.to_pkcs8_der().map_err(|_| PemError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    fn passphrase(text: &str) -> impl FnOnce() -> Option<Zeroizing<String>> + use<> {
        let text = text.to_owned();
        move || Some(Zeroizing::new(text))
    }

    #[test]
    fn a_key_comes_back_from_both_forms() {
        let plain = to_plain(&key()).expect("encodes");
        assert_eq!(
            read(&plain, || None).expect("reads").public_key(),
            key().public_key()
        );
        let locked = to_encrypted(&key(), "correct horse").expect("encodes");
        let opened = read(&locked, passphrase("correct horse")).expect("reads");
        assert_eq!(opened.public_key(), key().public_key());
    }

    #[test]
    fn a_wrong_passphrase_is_named() {
        let locked = to_encrypted(&key(), "correct horse").expect("encodes");
        assert_eq!(
            read(&locked, passphrase("battery")).expect_err("refused"),
            PemError::Passphrase
        );
        assert_eq!(
            read(&locked, || None).expect_err("refused"),
            PemError::PassphraseNeeded
        );
    }

    #[test]
    fn rubbish_is_refused() {
        for text in [
            "",
            "hello",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(read(text, || None).is_err(), "{text:?}");
        }
        let certificate = to_plain(&key())
            .expect("encodes")
            .replace("PRIVATE KEY", "CERTIFICATE");
        assert_eq!(
            read(&certificate, || None).expect_err("refused"),
            PemError::Form
        );
    }
}
