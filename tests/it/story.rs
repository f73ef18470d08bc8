//! The sample story by the real binary: in process as `demo` plays it, and over HTTP against a server that is stopped
//! and killed in the middle. Both come to the same account, which adds up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use counterfoil::chain::{Envelope, SigningKey};
use counterfoil::client::Client;
use counterfoil::domain::values::{Instant, Name};
use counterfoil::ledger::audit::audit;
use counterfoil::story::{Act, SAMPLE, Script, Stage, Step, account, play};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::independent;
use crate::served::{Party, Server, complaint, run, story, text};

/// What `demo` printed, and the folder it left.
struct Demo {
    dir: TempDir,
    printed: String,
}

static DEMO: LazyLock<Demo> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let printed = good(&["demo", "--data", &text(&dir.path().join("data"))]);
    Demo { dir, printed }
});

/// What a command that must end well prints.
pub(crate) fn good(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", complaint(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Exports a data folder into another, as `independent::check_files` finds it.
pub(crate) fn exported(data: &Path) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = text(data);
    let chain = text(&dir.path().join("chain.jsonl"));
    good(&["export", "--data", &data, "-o", &chain]);
    for verb in ["checkpoint", "vkey"] {
        fs::write(dir.path().join(verb), good(&[verb, "--data", &data])).unwrap();
    }
    dir
}

/// The account of an export, from its entries alone.
fn account_of(export: &Path) -> String {
    let lines = fs::read(export.join("chain.jsonl")).unwrap();
    let lines = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let lines = lines.map(|line| Ok::<_, std::io::Error>(line.to_vec()));
    let audited = audit(lines, &mut |_| ()).unwrap();
    account(audited.sequencer.state())
}

/// How many steps of a story become entries.
fn accepted_steps(script: &Script) -> u64 {
    let accepted = |step: &&Step| step.refused.is_none();
    script.steps.iter().filter(accepted).count() as u64
}

#[test]
fn the_demo_exports_what_a_stranger_can_check() {
    let export = exported(&DEMO.dir.path().join("data"));
    let report = independent::check_files(export.path()).unwrap();
    let entries = accepted_steps(&Script::read(SAMPLE).unwrap());
    assert_eq!(
        (report.covered, report.beyond),
        (entries + 1, 0),
        "entry 0 makes the ledger"
    );
    assert!(
        report.signatures > entries,
        "some entries are signed by two"
    );
}

#[test]
fn the_demo_passes_an_audit_of_its_folder_and_of_its_export() {
    let data = text(&DEMO.dir.path().join("data"));
    let export = exported(Path::new(&data));
    let file = |name: &str| text(&export.path().join(name));
    let vkey = fs::read_to_string(file("vkey")).unwrap();
    let from_folder = good(&["audit", "--data", &data]);
    let checkpoint = file("checkpoint");
    let against = ["--checkpoint", &checkpoint, "--vkey", vkey.trim_end()];
    let from_export = good(&[&["audit", "--export", &file("chain.jsonl")], &against[..]].concat());
    assert_eq!(from_folder, from_export);
    assert!(from_export.contains("every rule and every invariant hold"));
}

/// 0 good, 1 found bad, 2 usage, 3 could not run.
#[test]
fn exit_codes_say_what_kind_of_failure_it_was() {
    let export = exported(&DEMO.dir.path().join("data"));
    let chain = export.path().join("chain.jsonl");
    let code = |args: &[&str]| run(args).status.code();
    assert_eq!(code(&["audit"]), Some(2));
    assert_eq!(
        code(&["audit", "--export", &text(&export.path().join("absent"))]),
        Some(3)
    );
    let lines = fs::read_to_string(&chain).unwrap();
    let n = lines
        .lines()
        .position(|line| line.contains("600000.00"))
        .unwrap();
    fs::write(&chain, lines.replace("600000.00", "700000.00")).unwrap();
    let audited = run(&["audit", "--export", &text(&chain)]);
    assert_eq!(audited.status.code(), Some(1));
    let said = complaint(&audited);
    assert!(
        said.contains(&format!("entry {n}: ")),
        "the first bad entry is {n}: {said}"
    );
    assert_eq!(
        code(&["demo", "--data", &text(DEMO.dir.path())]),
        Some(3),
        "the folder is not empty"
    );
}

/// An amount such as `1,637,109.04`, in fen.
fn fen(written: &str) -> i64 {
    let (whole, rest) = written
        .split_once('.')
        .unwrap_or_else(|| panic!("{written} is no amount"));
    assert_eq!(rest.len(), 2, "{written}");
    (whole.replace(',', "") + rest).parse().unwrap()
}

/// The blocks of an account: a head line and the lines below it.
fn blocks(account: &str) -> Vec<(&str, Vec<&str>)> {
    let block = |text| str::lines(text).filter(|line| !line.is_empty());
    let blocks = account
        .split("\n\n")
        .map(|text| block(text).collect::<Vec<_>>());
    blocks
        .filter(|lines| !lines.is_empty())
        .map(|lines| (lines[0], lines[1..].to_vec()))
        .collect()
}

#[test]
fn the_account_that_the_demo_prints_adds_up() {
    let printed = &DEMO.printed[DEMO.printed.find("Beijing Harbour Hospital owes").unwrap()..];
    let (mut confirmed, mut financed) = (0, 0);
    let (mut arrived, mut sides) = (0, Vec::new());
    for (head, lines) in blocks(printed) {
        let first = |line: &&str| fen(line.split_whitespace().next().unwrap());
        if head.contains(" owes ") {
            let (together, parts) = lines.split_last().unwrap();
            let face = head
                .split("CNY ")
                .nth(1)
                .unwrap()
                .split(", due")
                .next()
                .unwrap();
            assert_eq!(parts.iter().map(first).sum::<i64>(), fen(face), "{head}");
            assert_eq!(first(together), fen(face));
            confirmed += fen(face);
        } else if head.contains(" asked lenders for ") {
            let face = fen(head
                .split("CNY ")
                .nth(1)
                .unwrap()
                .split(';')
                .next()
                .unwrap());
            financed += face;
            for line in lines {
                let amount = |word: &str| {
                    let behind = line.split(word).nth(1).unwrap().trim_start();
                    fen(behind
                        .split([':', ' '])
                        .next()
                        .unwrap()
                        .trim_end_matches(','))
                };
                assert_eq!(amount("costs ") + amount("pays "), face, "{line}");
            }
        } else if head.starts_with("What the banks attested") {
            let booked = lines.iter().filter(|line| !line.contains("returned"));
            let second = |line: &&str| fen(line.split_whitespace().nth(1).unwrap());
            arrived = booked.map(second).sum();
        } else {
            let sums = |line: &&str| {
                let mut words = line.split_whitespace().rev();
                let received = fen(words.next().unwrap());
                (fen(words.next().unwrap()), received)
            };
            sides = lines.iter().map(sums).collect();
        }
    }
    assert_eq!((confirmed, financed), (99_000_000, 65_000_000));
    let (together, parties) = sides.split_last().unwrap();
    let paid: i64 = parties.iter().map(|(paid, _)| paid).sum();
    let received: i64 = parties.iter().map(|(_, received)| received).sum();
    assert_eq!(*together, (paid, received));
    assert_eq!((paid, received), (arrived, arrived));
    // What the hospital paid: all that it confirmed, and 600.00 of late interest.
    assert_eq!(parties[0].0, confirmed + 60_000);
}

/// A drill ledger that begins a minute before the story, made by `init`, with everybody's key.
struct Drill {
    dir: TempDir,
    origin: Name,
    keys: BTreeMap<String, SigningKey>,
}

impl Drill {
    fn new(script: &Script) -> Drill {
        let dir = tempfile::tempdir().unwrap();
        let operator = &script.parties[0];
        let begin = script.steps[0].at.plus_minutes(-1).to_string();
        let (data, keys) = (
            text(&dir.path().join("data")),
            text(&dir.path().join("keys")),
        );
        let id = operator.id.to_string();
        let who = [
            "--operator",
            &id,
            "--name",
            &operator.called,
            "--as",
            &operator.name,
        ];
        let what = [
            "init", "--drill", "--data", &data, "--keys", &keys, "--time", &begin,
        ];
        let origin = good(&[&what[..], &who].concat());
        let made = Party::of(dir.path(), &operator.name);
        let seeded = |(i, name): (u8, &String)| (name.clone(), SigningKey::from_seed(&[i; 32]));
        let others = script.parties[1..].iter().map(|player| &player.name);
        let mut keys: BTreeMap<_, _> = (100..).zip(others).map(seeded).collect();
        keys.insert(operator.name.clone(), made.key);
        Drill {
            dir,
            origin: Name::new(origin.trim_end()).unwrap(),
            keys,
        }
    }
}

/// How a server is made to go away.
#[derive(Debug, Clone, Copy)]
enum Away {
    Stopped,
    Killed,
}

/// A served drill, whose server goes away and comes back before some of the envelopes.
struct Served<'d> {
    drill: &'d Drill,
    server: Option<Server>,
    client: Client,
    sent: usize,
    away: &'d [(usize, Away)],
}

impl<'d> Served<'d> {
    fn new(drill: &'d Drill, away: &'d [(usize, Away)]) -> Served<'d> {
        let server = Server::start(&drill.dir.path().join("data"));
        Served {
            drill,
            client: server.client(),
            server: Some(server),
            sent: 0,
            away,
        }
    }

    /// Ends the server as said, and starts another on the same folder.
    fn restart(&mut self, away: Away) {
        let before = self.client.status().unwrap();
        let server = self.server.take().unwrap();
        match away {
            Away::Stopped => assert_eq!(server.stop().code, Some(0)),
            Away::Killed => assert_eq!(server.kill().code, None),
        }
        let server = Server::start(&self.drill.dir.path().join("data"));
        self.client = server.client();
        self.server = Some(server);
        let after = self.client.status().unwrap();
        assert_eq!(
            (after.size, after.origin),
            (before.size, before.origin),
            "{away:?}"
        );
        self.client.move_clock(&before.time).unwrap();
    }
}

impl Stage for Served<'_> {
    fn set_time(&mut self, now: Instant) -> Result<(), String> {
        self.client
            .move_clock(&now.to_string())
            .map_err(|error| error.to_string())
    }

    fn send(&mut self, envelope: &Envelope) -> Result<Act, String> {
        if let Some((_, away)) = self.away.iter().find(|(at, _)| *at == self.sent) {
            self.restart(*away);
        }
        self.sent += 1;
        match self.client.submit(envelope) {
            Ok(receipt) if receipt.repeated => Ok(Act::Repeat(receipt.n)),
            Ok(receipt) => Ok(Act::Accepted(receipt.n)),
            Err(error) => {
                let problem = error.problem().ok_or_else(|| error.to_string())?;
                assert_eq!(problem.status, 422, "{problem}");
                let rule = problem.rule.clone().unwrap_or_else(|| problem.code.clone());
                Ok(Act::Refused {
                    rule,
                    message: problem.detail.clone(),
                })
            }
        }
    }
}

/// One of the kills is between the two times that the confirmation is sent.
#[test]
fn the_story_over_http_with_restarts_comes_to_the_same_account() {
    let script = Script::read(SAMPLE).unwrap();
    let twice = script.steps.iter().position(|step| step.twice).unwrap();
    let drill = Drill::new(&script);
    let away = [
        (20, Away::Stopped),
        (twice + 1, Away::Killed),
        (60, Away::Killed),
        (80, Away::Stopped),
    ];
    let mut stage = Served::new(&drill, &away);
    play(&script, &drill.origin, &drill.keys, &mut stage, &mut |_| ())
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(stage.sent > 80, "every restart took place");
    stage.server.take().unwrap().stop();

    let export = exported(&drill.dir.path().join("data"));
    let report = independent::check_files(export.path()).unwrap();
    assert_eq!(report.covered, accepted_steps(&script) + 1);
    let replayed = account_of(export.path());
    assert!(
        DEMO.printed.ends_with(&replayed),
        "{replayed}\n\n{}",
        DEMO.printed
    );
}

/// Status and body of an envelope as it is sent.
fn posted(server: &Server, envelope: &Envelope) -> (u16, Value) {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let request = agent.post(format!("{}/v1/operations", server.base()));
    let mut answer = request
        .content_type("application/json")
        .send(&envelope.encode()[..])
        .unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_str(&body).unwrap(),
    )
}

/// An operation of a party of the story, good for ten minutes.
fn envelope(server: &Server, by: &Party, op: &str, body: &Value) -> Envelope {
    let now: Instant = server.client().status().unwrap().time.parse().unwrap();
    let ahead = Instant::from_millis(now.millis() / 1_000 * 1_000).plus_minutes(10);
    by.envelope(server.origin(), &ahead.to_string(), op, body)
}

#[test]
fn an_envelope_sent_twice_is_answered_201_then_200_with_the_same_entry() {
    let data = story();
    let server = Server::start(data.path());
    let hospital = Party::of(data.path(), "hospital");
    let lender = Party::of(data.path(), "bank-a");
    let body = json!({"debtor": hospital.id, "currency": "CNY", "amount": "7.00", "valid_to": "2026-12-31"});
    let envelope = envelope(&server, &lender, "limit.set", &body);
    let size = server.client().status().unwrap().size;
    let (first, receipt) = posted(&server, &envelope);
    let (second, repeat) = posted(&server, &envelope);
    assert_eq!((first, second), (201, 200));
    assert_eq!(receipt["n"], json!(size));
    for same in ["n", "op_id", "time", "leaf"] {
        assert_eq!(receipt[same], repeat[same], "{same}");
    }
    assert_eq!(
        server.client().status().unwrap().size,
        size + 1,
        "nothing was done twice"
    );
    let limits = server.client_of(&lender).all("limits").unwrap();
    assert!(
        limits.iter().any(|limit| limit["amount"] == "7.00"),
        "{limits:?}"
    );
}

#[test]
fn a_refusal_names_the_rule_what_broke_it_and_the_remedy() {
    let data = story();
    let server = Server::start(data.path());
    let supplier = Party::of(data.path(), "supplier");
    let contracts = server.client_of(&supplier).all("contracts").unwrap();
    let contract = contracts
        .iter()
        .find(|row| row["number"] == "HT-2026-0417")
        .unwrap();
    let body = json!({
        "contract": contract["id"], "number": "QH-2026-099", "type_code": 380, "issued": "2026-10-12",
        "currency": "EUR", "net": "100.00", "tax": "13.00", "gross": "113.00", "document": "00".repeat(32),
    });
    let envelope = envelope(&server, &supplier, "invoice.issue", &body);
    let (status, problem) = posted(&server, &envelope);
    assert_eq!(
        (status, &problem["rule"]),
        (422, &json!("invoice.currency")),
        "{problem:#}"
    );
    assert_eq!(problem["remedy"], "the contract's currency is CNY");
    assert_eq!(
        problem["inputs"][0],
        json!({"name": "currency", "value": "EUR"})
    );
    assert!(problem["usable_until"].is_string());
    assert_eq!(
        posted(&server, &envelope).0,
        422,
        "a refused operation is not recorded"
    );
}
