//! Which files make a certificate.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rstest::rstest;
use tempfile::TempDir;

use super::*;

fn pair() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn written(cert: &str, key: &str) -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (at, key_at) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    fs::write(&at, cert).unwrap();
    fs::write(&key_at, key).unwrap();
    (dir, at, key_at)
}

#[rstest]
#[case::no_certificate("", &pair().1, "cert.pem: there is no certificate")]
#[case::the_key_as_certificate(&pair().1, &pair().1, "cert.pem: there is no certificate")]
#[case::no_key(&pair().0, "", "key.pem: there is no unencrypted private key")]
#[case::an_encrypted_key(
    &pair().0,
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    "key.pem: there is no unencrypted private key"
)]
#[case::broken_pem("-----BEGIN CERTIFICATE-----\n", &pair().1, "cert.pem: it is no PEM")]
#[case::the_key_of_another(&pair().0, &pair().1, "key.pem: ")]
#[case::no_certificate_within(
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    &pair().1,
    "cert.pem and "
)]
fn what_is_no_pair_is_named(#[case] cert: &str, #[case] key: &str, #[case] said: &str) {
    let (_dir, cert, key) = written(cert, key);
    let error = Tls::read(cert, key).unwrap_err().to_string();
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (_dir, cert, key) = written(&pair().0, &pair().1);
    fs::remove_file(&key).unwrap();
    let error = Tls::read(cert, key).unwrap_err().to_string();
    assert!(error.contains("key.pem: No such file"), "{error}");
}

#[test]
fn a_pair_is_read_again_and_a_bad_one_leaves_the_one_in_use() {
    let (first, second) = (pair(), pair());
    let (_dir, cert, key) = written(&first.0, &first.1);
    let tls = Tls::read(cert.clone(), key.clone()).unwrap();
    let in_use = tls.in_use();
    fs::write(&cert, &second.0).unwrap();
    assert!(tls.read_again().is_err(), "the key is that of the first");
    assert!(Arc::ptr_eq(&in_use, &tls.in_use()));
    fs::write(&key, &second.1).unwrap();
    tls.read_again().unwrap();
    assert!(!Arc::ptr_eq(&in_use, &tls.in_use()));
}
