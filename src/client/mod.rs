//! A small HTTP client of a ledger: for the command line, tests and whoever drives one over the wire.
//!
//! It builds and signs requests for sessions itself; operations it sends as the signed envelopes they are. Nothing
//! here signs bytes that a server gave, but for the challenge inside a request it builds.

mod problem;

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, RequestBuilder};

use crate::chain::pae::SESSION_TYPE;
use crate::chain::{Envelope, EnvelopeError, SigningKey};
use crate::outside;

pub use problem::{ClientError, Given, Misplaced, ProblemReport};

/// Most bytes of an answer that are read.
const ANSWER_MAX: u64 = 256 * 1024 * 1024;

/// A ledger reached over HTTP.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// How a ledger is.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// Whether operations are taken.
    pub ready: bool,
    /// Its name: what `ledger` says in every payload.
    pub origin: String,
    /// The C2SP verifier key of its checkpoints.
    pub vkey: String,
    /// The ledger's time.
    pub time: String,
    /// Number of durable entries.
    pub size: u64,
    /// Whether it is for trying things out.
    pub drill: bool,
    /// Why no operations are taken.
    #[serde(default)]
    pub not_ready: Vec<String>,
}

/// Where an operation stands in the chain.
#[derive(Debug, Clone, Deserialize)]
pub struct Receipt {
    /// The operation.
    pub op_id: String,
    /// Number of its entry.
    pub n: u64,
    /// The ledger's time of the entry.
    pub time: String,
    /// Leaf hash of the entry.
    pub leaf: String,
    /// What proves it to others, offline: line and proof.
    pub receipt: Value,
    /// Rules of severity `warn` that did not hold.
    #[serde(default)]
    pub warnings: Vec<Value>,
    /// Keys that signed this envelope and not the recorded one.
    #[serde(default)]
    pub signatures_not_recorded: Vec<String>,
    /// It was an entry before.
    #[serde(skip)]
    pub repeated: bool,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Rows {
    /// The rows.
    pub items: Vec<Value>,
    /// `after` of the next page.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Challenge {
    ledger: String,
    audience: String,
    challenge: String,
    expires: String,
}

/// The payload of a request for a session, in wire order.
#[derive(Serialize)]
struct SessionPayload<'a> {
    ledger: &'a str,
    audience: &'a str,
    party: &'a str,
    challenge: &'a str,
    expires: &'a str,
}

#[derive(Deserialize)]
struct Session {
    token: String,
}

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:7878`.
    pub fn new(base: impl Into<String>) -> Client {
        let config = outside::agent()
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .timeout_recv_body(Some(Duration::from_secs(600)))
            .build();
        let mut base = base.into();
        while base.ends_with('/') {
            base.pop();
        }
        Client {
            agent: config.new_agent(),
            base,
            token: None,
        }
    }

    /// How the ledger is; an answer also while it takes no operations.
    pub fn status(&self) -> Result<Status, ClientError> {
        let answer = self.agent.get(self.url("/readyz")).call()?;
        read(answer, |status| status == 200 || status == 503)
    }

    /// Sends one envelope and waits until it is durable.
    pub fn submit(&self, envelope: &Envelope) -> Result<Receipt, ClientError> {
        let answer = self.post("/v1/operations", "application/json", &envelope.encode())?;
        let repeated = answer.status() == 200;
        let receipt: Receipt = read_good(answer)?;
        Ok(Receipt {
            repeated,
            ..receipt
        })
    }

    /// Sends envelopes in order, each judged by itself: at most 10,000, and 16 MiB.
    pub fn submit_all(
        &self,
        envelopes: &[Envelope],
    ) -> Result<Vec<Result<Receipt, ProblemReport>>, ClientError> {
        let mut answers = Vec::new();
        self.submit_each(envelopes, &mut |answer| answers.push(answer))?;
        Ok(answers)
    }

    /// The same, telling each answer as it comes, in order. Where this ends early, what was told stands.
    pub fn submit_each(
        &self,
        envelopes: &[Envelope],
        tell: &mut dyn FnMut(Result<Receipt, ProblemReport>),
    ) -> Result<(), ClientError> {
        let mut body = Vec::new();
        for envelope in envelopes {
            body.extend(envelope.encode());
            body.push(b'\n');
        }
        let answer = self.post("/v1/operations:batch", "application/x-ndjson", &body)?;
        if answer.status().as_u16() >= 300 {
            return good(answer).map(drop);
        }
        let body = answer.into_body().into_with_config().limit(ANSWER_MAX);
        for line in BufReader::new(body.reader()).lines() {
            let line = line.map_err(ureq::Error::from)?;
            tell(batch_line(&line)?);
        }
        Ok(())
    }

    /// Opens a session of `party` with one of its live keys; reads are that party's from here on.
    pub fn open_session(&mut self, party: &str, key: &SigningKey) -> Result<(), ClientError> {
        let answer = self.agent.post(self.url("/v1/challenges")).send_empty()?;
        let challenge: Challenge = read_good(answer)?;
        // The audience is the server that we mean, not what it says of itself: or it could pass our signature on.
        if challenge.audience != self.base {
            return Err(ClientError::Audience {
                said: challenge.audience,
                base: self.base.clone(),
            });
        }
        let payload = SessionPayload {
            ledger: &challenge.ledger,
            audience: &self.base,
            party,
            challenge: &challenge.challenge,
            expires: &challenge.expires,
        };
        let payload = serde_json::to_string(&payload).map_err(ClientError::unreadable)?;
        let mut envelope = Envelope::new(SESSION_TYPE, payload)?;
        envelope.sign(key)?;
        let answer = self.post("/v1/sessions", "application/json", &envelope.encode())?;
        let session: Session = read_good(answer)?;
        self.token = Some(session.token);
        Ok(())
    }

    /// The token of the open session, for requests that other programs make.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What would become of an unsigned payload of the session's party: its op id, or why not.
    pub fn check(&self, payload: &str) -> Result<Value, ClientError> {
        let answer = self.post(
            "/v1/operations:check",
            "application/json",
            payload.as_bytes(),
        )?;
        read_good(answer)
    }

    /// A page of a list, such as `receivables`, behind the id `after`.
    pub fn list(&self, kind: &str, after: Option<&str>, limit: usize) -> Result<Rows, ClientError> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(after.map(|after| ("after", after)));
        self.page(kind, &query)
    }

    /// A page of a list with whatever the list takes, such as `state=in_force` or `sort=-value`.
    pub fn page(&self, kind: &str, query: &[(&str, &str)]) -> Result<Rows, ClientError> {
        read_good(self.listed(kind, query)?)
    }

    /// A list as a CSV file, such as `contracts` or `due`, with filters such as `state=in_force` where there are any:
    /// its first 10,000 rows.
    pub fn csv(&self, kind: &str, filters: &[(&str, &str)]) -> Result<String, ClientError> {
        good(self.listed(kind, &[&[("format", "csv")], filters].concat())?)
    }

    fn listed(
        &self,
        kind: &str,
        query: &[(&str, &str)],
    ) -> Result<Response<ureq::Body>, ClientError> {
        let request = self.agent.get(self.url(&format!("/v1/{kind}")));
        Ok(self
            .told(request.query_pairs(query.iter().copied()))
            .call()?)
    }

    /// What the party's feed shows behind event `after`: events, and notices, which have no `seq`; nothing at its end.
    pub fn events(&self, after: u64, limit: usize) -> Result<Vec<Value>, ClientError> {
        #[derive(Deserialize)]
        struct Events {
            items: Vec<Value>,
        }
        let events: Events = self.get(&format!("/v1/events?after={after}&limit={limit}"))?;
        Ok(events.items)
    }

    /// Every row of a list.
    pub fn all(&self, kind: &str) -> Result<Vec<Value>, ClientError> {
        let mut rows = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.list(kind, after.as_deref(), 200)?;
            rows.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// One object.
    pub fn object(&self, kind: &str, id: &str) -> Result<Value, ClientError> {
        self.get(&format!("/v1/{kind}/{id}"))
    }

    /// The claims of a receivable.
    pub fn claims(&self, receivable: &str) -> Result<Value, ClientError> {
        self.get(&format!("/v1/receivables/{receivable}/claims"))
    }

    /// What is to be paid on a receivable to whom, on a day.
    pub fn payoff(&self, receivable: &str, day: &str) -> Result<Value, ClientError> {
        self.get(&format!("/v1/receivables/{receivable}/payoff?day={day}"))
    }

    /// The receipt of an operation.
    pub fn operation(&self, op_id: &str) -> Result<Receipt, ClientError> {
        self.get(&format!("/v1/operations/{op_id}"))
    }

    /// The line of an entry, byte for byte.
    pub fn entry(&self, n: u64) -> Result<String, ClientError> {
        good(self.call(&format!("/v1/entries/{n}"))?)
    }

    /// What proves offline that an entry is in the ledger: `committed` or `witnessed`.
    pub fn receipt(&self, n: u64, level: &str) -> Result<String, ClientError> {
        good(self.call(&format!("/v1/entries/{n}/receipt?level={level}"))?)
    }

    /// The newest signed note.
    pub fn checkpoint(&self) -> Result<String, ClientError> {
        good(self.call("/checkpoint")?)
    }

    /// Moves a drill's hand-moved clock forward to an instant.
    pub fn move_clock(&self, now: &str) -> Result<(), ClientError> {
        let body = serde_json::json!({ "now": now }).to_string();
        let answer = self.post("/v1/drill/clock", "application/json", body.as_bytes())?;
        good(answer).map(drop)
    }

    /// Any resource that is JSON, read as the session's party.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read_good(self.call(path)?)
    }

    fn call(&self, path: &str) -> Result<Response<ureq::Body>, ClientError> {
        Ok(self.told(self.agent.get(self.url(path))).call()?)
    }

    /// A request that says whose session it is of, if there is one.
    fn told<Body>(&self, request: RequestBuilder<Body>) -> RequestBuilder<Body> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn post(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<Response<ureq::Body>, ClientError> {
        let request = self.agent.post(self.url(path)).content_type(media_type);
        Ok(self.told(request).send(body)?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl std::fmt::Debug for Client {
    /// Without the token.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Client")
            .field("base", &self.base)
            .field("session", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

fn batch_line(line: &str) -> Result<Result<Receipt, ProblemReport>, ClientError> {
    #[derive(Deserialize)]
    struct Line {
        status: u16,
    }
    let Line { status } = serde_json::from_str(line).map_err(ClientError::unreadable)?;
    if status >= 300 {
        let problem = serde_json::from_str(line).map_err(ClientError::unreadable)?;
        return Ok(Err(problem));
    }
    let receipt: Receipt = serde_json::from_str(line).map_err(ClientError::unreadable)?;
    Ok(Ok(Receipt {
        repeated: status == 200,
        ..receipt
    }))
}

fn read_good<T: DeserializeOwned>(answer: Response<ureq::Body>) -> Result<T, ClientError> {
    read(answer, |status| status < 300)
}

fn read<T: DeserializeOwned>(
    answer: Response<ureq::Body>,
    good: impl Fn(u16) -> bool,
) -> Result<T, ClientError> {
    let text = text(answer, good)?;
    serde_json::from_str(&text).map_err(ClientError::unreadable)
}

fn good(answer: Response<ureq::Body>) -> Result<String, ClientError> {
    text(answer, |status| status < 300)
}

/// The body of a good answer; of a bad one the problem.
fn text(answer: Response<ureq::Body>, good: impl Fn(u16) -> bool) -> Result<String, ClientError> {
    let status = answer.status().as_u16();
    let body = answer.into_body().into_with_config().limit(ANSWER_MAX);
    let text = body.read_to_string()?;
    if good(status) {
        return Ok(text);
    }
    match serde_json::from_str(&text) {
        Ok(problem) => Err(ClientError::Refused(Box::new(problem))),
        Err(_) => Err(ClientError::Status(status)),
    }
}

impl From<EnvelopeError> for ClientError {
    fn from(error: EnvelopeError) -> ClientError {
        ClientError::Envelope(error)
    }
}
