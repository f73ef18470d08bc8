//! TLS, by the real binary and a client that checks the certificate.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::served::{Server, assert_says, complaint, story, text};

/// Writes a new certificate with its key; the client's trust in it.
fn issue(folder: &Path) -> RootCertStore {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(cert.der().to_vec()))
        .unwrap();
    roots
}

fn serve(data: &Path, more: &[&str]) -> Server {
    let (cert, key) = (text(&data.join("cert.pem")), text(&data.join("key.pem")));
    let flags = [&["--tls-cert", &cert, "--tls-key", &key], more].concat();
    Server::start_with(data, &flags)
}

fn address(server: &Server) -> &str {
    server.base().strip_prefix("https://").unwrap()
}

/// The answer to one request, or why there is none.
fn ask(server: &Server, trusted: &RootCertStore, head: &str) -> std::io::Result<String> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted.clone())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address(server))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut stream = StreamOwned::new(client, stream);
    write!(
        stream,
        "{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

const HEALTH: &str = "GET /healthz HTTP/1.1";

#[test]
fn tls_is_spoken_and_the_audience_says_so() {
    let data = story();
    let trusted = issue(data.path());
    let server = serve(data.path(), &[]);
    let answer = ask(&server, &trusted, HEALTH).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age="),
        "{answer}"
    );
    let challenge = ask(&server, &trusted, "POST /v1/challenges HTTP/1.1").unwrap();
    let audience = format!("\"audience\":\"{}\"", server.base());
    assert!(challenge.contains(&audience), "{challenge}");
    // Nothing is answered in the clear.
    let mut plain = TcpStream::connect(address(&server)).unwrap();
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).ok();
    assert!(!answer.starts_with(b"HTTP"));
}

#[test]
fn a_hangup_reads_the_certificate_again_and_a_bad_one_changes_nothing() {
    let data = story();
    let first = issue(data.path());
    let server = serve(data.path(), &[]);
    let key = fs::read(data.path().join("key.pem")).unwrap();
    let second = issue(data.path());
    let new_key = fs::read(data.path().join("key.pem")).unwrap();
    // A certificate without its key.
    fs::write(data.path().join("key.pem"), key).unwrap();
    server.signal("HUP");
    server.log_with("stays in use");
    fs::write(data.path().join("key.pem"), new_key).unwrap();
    assert!(ask(&server, &first, HEALTH).is_ok());
    server.signal("HUP");
    server.log_with("was read again");
    assert!(ask(&server, &second, HEALTH).is_ok());
    assert!(ask(&server, &first, HEALTH).is_err());
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
}

#[test]
fn handshakes_that_do_not_go_on_keep_nobody_out_and_end() {
    let data = story();
    let trusted = issue(data.path());
    let server = serve(data.path(), &["--header-seconds", "1"]);
    // The first bytes of a handshake, and no more.
    let begun: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(address(&server)).unwrap();
            stream.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
            stream
        })
        .collect();
    assert!(ask(&server, &trusted, HEALTH).is_ok());
    for mut stream in begun {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).is_ok(), "it was not closed");
    }
}

#[test]
fn the_commands_speak_it_to_whom_this_machine_trusts() {
    let data = story();
    issue(data.path());
    let server = serve(data.path(), &[]);
    let url = server.base().replace("127.0.0.1", "localhost");
    let clock = |trusted: &str| {
        let mut asked = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        asked.args(["clock", "--url", &url]);
        asked.env("SSL_CERT_FILE", data.path().join(trusted));
        asked.env_remove("SSL_CERT_DIR").output().unwrap()
    };
    let answered = clock("cert.pem");
    assert!(answered.status.success(), "{}", complaint(&answered));
    // Trust in somebody else is none in this one.
    let other = tempfile::tempdir().unwrap();
    issue(other.path());
    fs::copy(other.path().join("cert.pem"), data.path().join("other.pem")).unwrap();
    let refused = clock("other.pem");
    assert_eq!(refused.status.code(), Some(3));
    assert_says(&refused, "certificate");
}
