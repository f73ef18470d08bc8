//! A drill ledger with real keys, served on loopback for one test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::api::{Api, Limits, Server};
use crate::chain::pae::OP_TYPE;
use crate::chain::{Envelope, SigningKey};
use crate::client::Client;
use crate::domain::operation::Operation;
use crate::domain::ops::contract::{accept, propose};
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::ops::party::admit::Admit;
use crate::domain::payload::Payload;
use crate::domain::testing::{
    HOSPITAL, OPERATOR, START, STRANGER, SUPPLIER, TAX, admission, grant, id, proposal,
    shipped_rulebook, wire,
};
use crate::domain::values::{
    ContractId, Instant, MadeId, Name, Nonce, OpId, PublicKey, Role, Scope, Size, UtcOffset,
};
use crate::ledger::{ClockChoice, Config, InitOptions, Ledger, init};

/// A ledger that is served until this is dropped.
pub(in crate::api) struct Served {
    pub(in crate::api) ledger: Ledger,
    pub(super) origin: Name,
    pub(super) address: SocketAddr,
    nonce: u128,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

/// A party's signing key.
pub(super) fn key(party: &str) -> SigningKey {
    SigningKey::from_seed(&Sha256::digest(party).into())
}

/// A party's key as it is registered.
pub(in crate::api) fn granted(party: &str) -> KeyGrant {
    KeyGrant {
        key: PublicKey(*key(party).public_key().as_bytes()),
        ..grant(party)
    }
}

impl Served {
    /// A ledger with its operator and nobody else.
    pub(in crate::api) fn empty() -> Served {
        Served::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Served {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let operator_key = key(OPERATOR);
        let origin = init(&data, &options(&operator_key)).unwrap();
        let config = Config {
            clock: ClockChoice::Manual,
            verify_threads: Some(1),
            ..Config::new(data)
        };
        let ledger = Ledger::open(config, &mut |_, _| ()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (address, thread) = serve(ledger.clone(), limits, stopped);
        Served {
            ledger,
            origin: wire(&origin),
            address,
            nonce: 0,
            stop: Some(stop),
            thread: Some(thread),
            _dir: dir,
        }
    }

    /// A ledger with a supplier, a hospital, another company and an authority that audits.
    pub(in crate::api) fn new() -> Served {
        let mut served = Served::empty();
        served.admit(TAX, &[Role::Authority], &[Scope::Audit], None);
        let company = [Role::Supplier];
        served.admit(SUPPLIER, &company, &[], Some(Size::Small));
        served.admit(STRANGER, &company, &[], Some(Size::Large));
        served.admit(HOSPITAL, &[Role::Debtor], &[], Some(Size::PublicBody));
        served
    }

    fn admit(&mut self, party: &str, roles: &[Role], scopes: &[Scope], size: Option<Size>) {
        let vouched = roles.contains(&Role::Debtor).then_some(TAX);
        let body = Admit {
            key: granted(party),
            ..admission(party, roles, scopes, size, vouched)
        };
        let also: Vec<&str> = [Some(party), vouched].into_iter().flatten().collect();
        let envelope = self.signed_by(OPERATOR, &also, body);
        self.client().submit(&envelope).unwrap();
    }

    /// One more company, of whom nobody else is told.
    pub(in crate::api) fn admit_another(&mut self, party: &str) {
        self.admit(party, &[Role::Supplier], &[], Some(Size::Large));
    }

    /// The payload of an operation, good for ten minutes.
    pub(super) fn payload<T: Operation>(&mut self, by: &str, body: T) -> String {
        self.nonce += 1;
        let time = self.ledger.ready().time.millis() / 1_000 * 1_000;
        let payload = Payload {
            ledger: self.origin.clone(),
            party: id(by),
            nonce: Nonce(self.nonce.to_be_bytes()),
            not_after: Instant::from_millis(time).plus_minutes(10),
            act: Box::new(body),
        };
        payload.encode()
    }

    pub(super) fn signed<T: Operation>(&mut self, by: &str, body: T) -> Envelope {
        self.signed_by(by, &[], body)
    }

    pub(in crate::api) fn signed_by<T: Operation>(
        &mut self,
        by: &str,
        also: &[&str],
        body: T,
    ) -> Envelope {
        let mut envelope = Envelope::new(OP_TYPE, self.payload(by, body)).unwrap();
        for party in [&[by], also].concat() {
            envelope.sign(&key(party)).unwrap();
        }
        envelope
    }

    /// A contract that the supplier proposes to the hospital under this number.
    pub(in crate::api) fn proposed(&mut self, number: &str) -> (ContractId, Envelope) {
        let body = propose::Propose {
            number: wire(number),
            ..proposal()
        };
        let envelope = self.signed(SUPPLIER, body);
        self.client().submit(&envelope).unwrap();
        let op = OpId(*envelope.op_id().as_bytes());
        (ContractId::of(&op, 0), envelope)
    }

    pub(super) fn accepting(&mut self, contract: ContractId) -> Envelope {
        self.signed(
            HOSPITAL,
            accept::Accept {
                contract,
                change: None,
            },
        )
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client without a session.
    pub(in crate::api) fn client(&self) -> Client {
        Client::new(self.base())
    }

    /// A client with a session of the party.
    pub(super) fn client_of(&self, party: &str) -> Client {
        let mut client = self.client();
        client.open_session(party, &key(party)).unwrap();
        client
    }

    /// A bearer token of the party.
    pub(super) fn token_of(&self, party: &str) -> String {
        self.client_of(party).token().unwrap().to_owned()
    }

    /// Bytes sent as they are, and what came back until the server closed or `lasts` passed.
    pub(super) fn raw(&self, bytes: &[u8], lasts: Duration) -> String {
        String::from_utf8_lossy(&self.raw_bytes(bytes, lasts)).into_owned()
    }

    fn raw_bytes(&self, bytes: &[u8], lasts: Duration) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(lasts)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        answer
    }

    /// One request and its answer: status, headers in lower case, body.
    pub(super) fn request(&self, head: &str, body: &[u8]) -> Answer {
        let mut bytes = format!("{head}\r\nhost: test\r\nconnection: close\r\n").into_bytes();
        if !body.is_empty() {
            bytes.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        Answer::of(&self.raw_bytes(&bytes, Duration::from_secs(20)))
    }

    /// Stops the server and waits until it has.
    pub(super) fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
        self.ledger.stop();
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    /// The body as it came.
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let from = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        Answer {
            status: status.unwrap_or(0),
            head: head.to_lowercase(),
            body: body.to_owned(),
            bytes: from.map_or(Vec::new(), |from| bytes[from + 4..].to_vec()),
        }
    }

    pub(super) fn has(&self, header: &str) -> bool {
        self.head.lines().any(|line| line == header)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn code(&self) -> String {
        assert!(
            self.has("content-type: application/problem+json"),
            "{self:?}"
        );
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

fn options(operator_key: &SigningKey) -> InitOptions<'_> {
    InitOptions {
        origin_base: "test".to_owned(),
        drill: true,
        operator: id(OPERATOR),
        operator_name: wire("Operator"),
        operator_key,
        key_label: wire("first"),
        person: wire("Zhang San"),
        rulebook: shipped_rulebook(),
        utc_offset: UtcOffset::CHINA,
        time: Some(wire(START)),
        passphrase: None,
    }
}

fn serve(
    ledger: Ledger,
    limits: Limits,
    stopped: oneshot::Receiver<()>,
) -> (SocketAddr, JoinHandle<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        Server::on(listener, Api::new(ledger, base).unwrap(), limits)
    });
    let address = server.address().unwrap();
    let thread = std::thread::spawn(move || {
        runtime.block_on(server.run(async {
            stopped.await.ok();
        }));
        runtime.shutdown_background();
    });
    (address, thread)
}
