//! What a party is answered, byte for byte: status, headers and body.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use counterfoil::chain::Envelope;
use counterfoil::chain::pae::SESSION_TYPE;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;

use super::scene::Scene;

/// An answer, but for the time it was sent at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    fn of(response: Response<ureq::Body>) -> Answer {
        let headers = response.headers().iter();
        let headers = headers.filter(|(name, _)| *name != "date");
        let mut headers: Vec<(String, String)> = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        Answer {
            status: response.status().as_u16(),
            headers,
            body: response.into_body().read_to_string().unwrap(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Somebody who asks: a party under its session, or nobody.
pub(super) struct Reader {
    agent: Agent,
    base: String,
    token: Option<String>,
}

impl Reader {
    /// Without a session.
    pub(super) fn nobody(scene: &Scene) -> Reader {
        let config = Agent::config_builder().http_status_as_error(false).build();
        Reader {
            agent: config.new_agent(),
            base: scene.server.base().to_owned(),
            token: None,
        }
    }

    /// Under a session of the party.
    pub(super) fn of(scene: &Scene, name: &str) -> Reader {
        let mut reader = Reader::nobody(scene);
        let challenge = reader
            .post("/v1/challenges", "application/json", b"")
            .json();
        let party = scene.party(name);
        let asked = json!({
            "ledger": challenge["ledger"], "audience": challenge["audience"], "party": party.id,
            "challenge": challenge["challenge"], "expires": challenge["expires"],
        });
        let mut envelope = Envelope::new(SESSION_TYPE, asked.to_string()).unwrap();
        envelope.sign(&party.key).unwrap();
        let session = reader.post("/v1/sessions", "application/json", &envelope.encode());
        assert_eq!(session.status, 201, "{}", session.body);
        reader.token = Some(session.json()["token"].as_str().unwrap().to_owned());
        reader
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Answer::of(request.call().unwrap())
    }

    /// The lines of so many events of the party's stream, without the numbers of entries.
    pub(super) fn stream(&self, events: usize) -> Vec<String> {
        let address = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let token = self.token.as_deref().unwrap();
        let head = format!(
            "GET /v1/events HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let (mut lines, mut found) = (Vec::new(), 0);
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let line = match line
                .strip_prefix("data:")
                .map(serde_json::from_str::<Value>)
            {
                Some(Ok(mut event)) => {
                    found += 1;
                    for number in ["n", "entry"] {
                        event.as_object_mut().unwrap().remove(number);
                    }
                    event.to_string()
                }
                _ => line,
            };
            // The length of a chunk goes by the digits of those numbers.
            if !line.is_empty()
                && usize::from_str_radix(&line, 16).is_err()
                && !line.starts_with("date:")
            {
                lines.push(line);
            }
            if found == events {
                break;
            }
        }
        lines
    }

    pub(super) fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base));
        let mut request = request.header("content-type", media_type);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Answer::of(request.send(body).unwrap())
    }
}
