//! What the operator sees of what others do: the log and the metrics. Neither tells of a trade or a secret.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use super::served::{Party, Server, story};

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    config.build().new_agent()
}

/// Requests with something that nobody else may read in every place where there can be something; those words.
fn secrets_everywhere(server: &Server, data: &std::path::Path) -> Vec<String> {
    let hospital = Party::of(data, "hospital");
    let client = server.client_of(&hospital);
    let token = client.token().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let rows = client.all("receivables").unwrap();
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    client.object("receivables", &id).unwrap();
    let get = |path: &str| {
        let asked = agent().get(format!("{}{path}", server.base()));
        asked
            .header("authorization", &bearer)
            .call()
            .unwrap()
            .status()
            .as_u16()
    };
    let supplier = rows[0]["supplier"].as_str().unwrap().to_owned();
    assert_eq!(
        get(&format!("/v1/receivables?supplier={supplier}&currency=QQQ")),
        200
    );
    assert_eq!(get("/v1/secretpath/QQPATHQQ"), 404);
    assert_eq!(get("/v1/contracts?QQQUERYQQ=1"), 400);
    assert_eq!(get("/v1/receivables/QQIDQQ/claims"), 404);
    let post = |path: &str, body: &str| {
        let asked = agent().post(format!("{}{path}", server.base()));
        let asked = asked.header("authorization", &bearer);
        let asked = asked
            .header("content-type", "application/json")
            .header("cookie", "QQCOOKIEQQ=1");
        asked.send(body).unwrap().status().as_u16()
    };
    assert_eq!(post("/v1/operations", r#"{"payload":"QQENVELOPEQQ"}"#), 400);
    assert_eq!(post("/v1/sessions", r#"{"payload":"QQSESSIONQQ"}"#), 400);
    let check = json!({"op": "QQOPQQ", "party": hospital.id}).to_string();
    assert_eq!(post("/v1/operations:check", &check), 400);
    let envelope = hospital.envelope(
        server.origin(),
        "2026-10-12T07:05:00Z",
        "receivable.dispute",
        &json!({"receivable": id, "reason": "QQREASONQQ"}),
    );
    assert!(client.submit(&envelope).is_err());
    let words = [
        "QQPATHQQ",
        "QQQUERYQQ",
        "QQIDQQ",
        "QQCOOKIEQQ",
        "QQENVELOPEQQ",
        "QQSESSIONQQ",
        "QQOPQQ",
        "QQREASONQQ",
        "QQQ",
        "secretpath",
    ];
    let mut secrets: Vec<String> = words.map(str::to_owned).to_vec();
    secrets.extend([
        token,
        id,
        supplier,
        hospital.id,
        envelope.op_id().to_string(),
    ]);
    secrets.push(hospital.key.public_key().to_string());
    secrets
}

#[test]
fn the_log_has_a_line_a_request_and_no_secret_in_it() {
    let data = story();
    for (level, told_address) in [("info", false), ("debug", true)] {
        let flags = ["--log-format", "json", "--log", level];
        let server = Server::start_with(data.path(), &flags);
        let secrets = secrets_everywhere(&server, data.path());
        server.client().status().unwrap();
        let ended = server.stop();
        let log = &ended.log;
        for secret in &secrets {
            assert!(!log.contains(secret.as_str()), "{level}: {secret} in {log}");
        }
        assert_eq!(log.contains("127.0.0.1\""), told_address, "{level}: {log}");
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let requests: Vec<&Value> = lines
            .iter()
            .filter(|line| line["target"] == "counterfoil::access")
            .collect();
        let seen = |method: &str, route: &str, status: u64| {
            requests.iter().any(|line| {
                line["method"] == method
                    && line["route"] == route
                    && line["status"] == status
                    && line["ms"].is_u64()
                    && line["bytes"].as_u64() > Some(0)
            })
        };
        assert!(seen("GET", "/v1/receivables/{id}", 200), "{log}");
        assert!(seen("GET", "/v1/receivables", 200), "{log}");
        assert!(seen("GET", "other", 404), "{log}");
        assert!(seen("POST", "/v1/operations", 400), "{log}");
        assert!(seen("POST", "/v1/sessions", 201), "{log}");
    }
}

#[test]
fn the_metrics_count_and_tell_of_nobody() {
    let data = story();
    let server = Server::start(data.path());
    let secrets = secrets_everywhere(&server, data.path());
    let text = agent()
        .get(format!("{}/metrics", server.base()))
        .call()
        .unwrap();
    let text = text.into_body().read_to_string().unwrap();
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret} in {text}");
    }
    let value = |name: &str| -> f64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .parse()
            .unwrap()
    };
    let count =
        r#"counterfoil_requests_total{method="GET",route="/v1/receivables/{id}",status="2xx"}"#;
    assert_eq!(value(count), 1.0);
    assert_eq!(
        value(r#"counterfoil_request_seconds_count{route="/v1/receivables/{id}"}"#),
        1.0
    );
    assert_eq!(value("counterfoil_sessions"), 1.0);
    assert_eq!(value("counterfoil_streams"), 0.0);
    assert_eq!(value("counterfoil_queue_operations"), 0.0);
    assert_eq!(
        value(r#"counterfoil_operations_total{result="malformed"}"#),
        2.0
    );
    assert!(value("counterfoil_entries") > 50.0);
    assert!(value("counterfoil_connections") >= 1.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    // Whatever labels there are, these are all: none has a value that a request can choose.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, labels)) = line.split_once('{') else {
            continue;
        };
        let (labels, _) = labels.rsplit_once('}').unwrap();
        for label in labels.split("\",") {
            let (name, _) = label.split_once('=').unwrap();
            assert!(
                ["method", "route", "status", "le", "result"].contains(&name),
                "{line}"
            );
        }
    }
}

#[test]
fn the_metrics_are_the_operators() {
    let data = story();
    // The proxy on loopback is believed: who comes through it is somebody else.
    let server = Server::start_with(
        data.path(),
        &[
            "--trusted-proxies",
            "127.0.0.1",
            "--metrics-from",
            "192.0.2.1",
        ],
    );
    let read = |forwarded: &str| {
        let asked = agent().get(format!("{}/metrics", server.base()));
        asked
            .header("x-forwarded-for", forwarded)
            .call()
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(read("192.0.2.1"), 200);
    assert_eq!(read("192.0.2.2"), 404);
    assert_eq!(read("127.0.0.1, 192.0.2.2"), 404);
}
