//! Many operations at once, by the real binary on a served drill ledger: a supplier registers from a CSV file, a debtor
//! confirms five hundred receivables of which twenty are bad, and whatever breaks off is taken up again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use counterfoil::client::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::served::{BINARY, Party, Server, complaint, copy, story, text};

const COUNT: usize = 500;
/// An invoice is in at most 64 receivables.
const OF_ONE_INVOICE: usize = 50;

/// A served ledger with everybody's keys and files of its own.
struct Desk {
    dir: TempDir,
    server: Server,
}

impl Desk {
    fn open(dir: TempDir) -> Desk {
        let server = Server::start(dir.path());
        Desk { dir, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        text(&self.path(name))
    }

    fn command(&self, args: &[&str], url: &str) -> Command {
        let mut command = Command::new(BINARY);
        let keys = text(&self.path("keys"));
        command.args(args).args(["--keys", &keys, "--url", url]);
        command.env_remove("COUNTERFOIL_AS");
        command
    }

    /// A verb, with its exit code.
    fn runs(&self, args: &[&str], code: i32) -> Output {
        let output = self.command(args, self.server.base()).output().unwrap();
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        output
    }

    /// The lines of JSON that a verb prints.
    fn rows(&self, args: &[&str], code: i32) -> Vec<Value> {
        let output = self.runs(&[args, &["--json"]].concat(), code);
        let lines = String::from_utf8(output.stdout).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn sees(&self, name: &str) -> Client {
        self.server.client_of(&Party::of(self.dir.path(), name))
    }

    fn size(&self) -> u64 {
        self.server.client().status().unwrap().size
    }

    /// The hospital's contract with the supplier.
    fn contract(&self) -> String {
        let contracts = self.sees("hospital").all("contracts").unwrap();
        contracts[0]["id"].as_str().unwrap().to_owned()
    }

    /// Invoices of 1,000.00 each: their ids.
    fn invoices(&self, count: usize) -> Vec<String> {
        let (supplier, contract) = (Party::of(self.dir.path(), "supplier"), self.contract());
        let envelopes = (0..count).map(|at| {
            let number = format!("BULK-{at}");
            let document = hex::encode(Sha256::digest(&number));
            let body = json!({
                "contract": contract, "number": number, "type_code": 380, "issued": "2026-10-12", "currency": "CNY",
                "net": "1000.00", "tax": "0.00", "gross": "1000.00", "document": document,
            });
            supplier.envelope(self.server.origin(), "2026-10-12T07:30:00Z", "invoice.issue", &body)
        });
        let envelopes: Vec<_> = envelopes.collect();
        for answer in self.server.client().submit_all(&envelopes).unwrap() {
            answer.unwrap();
        }
        let all = self.sees("supplier").all("invoices").unwrap();
        let number = |row: &Value| row["number"].as_str().unwrap().to_owned();
        let by_number: BTreeMap<String, String> = all
            .iter()
            .map(|row| (number(row), row["id"].as_str().unwrap().to_owned()))
            .collect();
        (0..count)
            .map(|at| by_number[&format!("BULK-{at}")].clone())
            .collect()
    }
}

/// The story with five hundred registered receivables of 1.00: made once.
fn registered() -> Desk {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let desk = Desk::open(story());
        let (contract, invoices) = (desk.contract(), desk.invoices(COUNT / OF_ONE_INVOICE));
        let mut file = "contract,invoice,amount\n".to_owned();
        for row in 0..COUNT {
            // A row that says the same as another is taken for a slip, so each has an amount of its own.
            let (invoice, cents) = (&invoices[row / OF_ONE_INVOICE], row % OF_ONE_INVOICE);
            file.push_str(&format!("{contract},{invoice},1.{cents:02}\n"));
        }
        let file = desk.file("register.csv", &file);
        let register = [
            "receivable",
            "register",
            "--from",
            &file,
            "--as",
            "supplier",
            "--yes",
        ];
        let done = desk.rows(&register, 0);
        assert!(done.iter().all(|row| row["state"] == "done"));
        let Desk { dir, server } = desk;
        server.stop();
        dir
    });
    let dir = tempfile::tempdir().unwrap();
    copy(made.path(), dir.path());
    Desk::open(dir)
}

/// What the debtor would confirm: a row of a file for each receivable that waits for it.
fn confirmations(desk: &Desk) -> Vec<[String; 4]> {
    let rows = desk.rows(
        &[
            "receivable",
            "list",
            "--as",
            "hospital",
            "--state",
            "registered",
        ],
        0,
    );
    assert_eq!(rows.len(), COUNT);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |row: &Value| {
        let share = &row["registration"]["shares"][0];
        let amount = text(&share["registered"]);
        [
            text(&row["id"]),
            text(&share["invoice"]),
            amount,
            "2026-11-02".to_owned(),
        ]
    };
    rows.iter().map(row).collect()
}

fn csv(rows: &[[String; 4]]) -> String {
    let lines = rows.iter().map(|row| format!("{}\n", row.join(",")));
    "receivable,invoice,amount,due\n".to_owned() + &lines.collect::<String>()
}

/// Makes twenty of them bad in five ways: row numbers as the file has them, with the rule that each breaks.
fn spoilt(rows: &mut [[String; 4]]) -> BTreeMap<u64, &'static str> {
    let mut bad = BTreeMap::new();
    for at in 0..20 {
        let row = at * 25;
        let rule = match at % 5 {
            0 => {
                rows[row][2] = "900.00".to_owned();
                "receivable.confirmable"
            }
            1 => {
                rows[row][3] = "2026-10-01".to_owned();
                "receivable.due_past"
            }
            2 => {
                rows[row][0] = format!("rcv_{:026}", at);
                "unknown_object"
            }
            3 => {
                rows[row][2] = "1.5x".to_owned();
                "row.malformed"
            }
            _ => {
                rows[row][3] = "2026/11/02".to_owned();
                "row.malformed"
            }
        };
        // The first row of the file is its head.
        bad.insert(row as u64 + 2, rule);
    }
    bad
}

/// The rows of a file of results, by number.
fn results(path: &str) -> BTreeMap<u64, Value> {
    let lines = fs::read_to_string(format!("{path}.results.ndjson")).unwrap();
    let count = lines.lines().count();
    let rows: BTreeMap<u64, Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["row"].as_u64().unwrap(), line))
        .collect();
    assert_eq!(rows.len(), count, "one line a row");
    rows
}

fn confirmed(desk: &Desk) -> usize {
    let list = [
        "receivable",
        "list",
        "--as",
        "hospital",
        "--state",
        "confirmed",
    ];
    // Two are the story's own.
    desk.rows(&list, 0).len() - 2
}

#[test]
fn of_five_hundred_confirmations_the_twenty_bad_are_named_and_retried_alone() {
    let desk = registered();
    let good = confirmations(&desk);
    let mut rows = good.clone();
    let bad = spoilt(&mut rows);
    let file = desk.file("confirm.csv", &csv(&rows));
    let confirm = [
        "receivable",
        "confirm",
        "--from",
        &file,
        "--as",
        "hospital",
        "--yes",
    ];
    let before = desk.size();

    let began = Instant::now();
    let told = desk.rows(&confirm, 1);
    eprintln!(
        "{COUNT} rows signed, sent and answered in {:?}",
        began.elapsed()
    );
    assert_eq!(told.len(), COUNT);
    assert_eq!(desk.size() - before, 480);
    assert_eq!(confirmed(&desk), 480);
    let kept = results(&file);
    let failed: BTreeMap<u64, &str> = kept
        .iter()
        .filter(|(_, line)| line["state"] != "done")
        .map(|(row, line)| {
            let rule = line["rule"].as_str().or(line["errors"][0]["rule"].as_str());
            (*row, rule.unwrap())
        })
        .collect();
    assert_eq!(failed, bad);
    assert_eq!(kept[&77]["errors"][0]["column"], "amount");
    assert_eq!(kept[&102]["errors"][0]["column"], "due");

    let again = desk.runs(&confirm, 2);
    assert!(
        complaint(&again).contains("--retry"),
        "{}",
        complaint(&again)
    );
    let corrected = desk.file("confirm.csv", &csv(&good));
    assert_eq!(corrected, file);
    let told = desk.rows(&[&confirm[..], &["--retry"]].concat(), 0);
    let retried: Vec<u64> = told
        .iter()
        .map(|row| row["row"].as_u64().unwrap())
        .collect();
    assert_eq!(retried, bad.keys().copied().collect::<Vec<_>>());
    assert_eq!((desk.size() - before, confirmed(&desk)), (500, 500));
    assert!(results(&file).values().all(|line| line["state"] == "done"));
}

#[test]
fn rows_that_are_done_must_stay_where_they_are() {
    let desk = registered();
    let mut rows = confirmations(&desk);
    rows.truncate(3);
    rows[1][2] = "900.00".to_owned();
    let file = desk.file("confirm.csv", &csv(&rows));
    let confirm = [
        "receivable",
        "confirm",
        "--from",
        &file,
        "--as",
        "hospital",
        "--yes",
    ];
    desk.runs(&confirm, 1);
    rows.remove(0);
    desk.file("confirm.csv", &csv(&rows));
    let before = desk.size();
    let refused = desk.runs(&[&confirm[..], &["--retry"]].concat(), 2);
    assert!(
        complaint(&refused).contains("row 2 was signed before"),
        "{}",
        complaint(&refused)
    );
    assert_eq!(desk.size(), before);
}

/// Passes everything on, but no answer to a batch: once there is one, it says so and is silent.
fn forgetful(to: &str) -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let to = to.trim_start_matches("http://").to_owned();
    let (say, said) = channel();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&to).unwrap();
            between(client, server, say.clone());
        }
    });
    (base, said)
}

fn between(client: TcpStream, server: TcpStream, say: Sender<()>) {
    let batch = Arc::new(AtomicBool::new(false));
    let seen = batch.clone();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if String::from_utf8_lossy(&bytes[..count]).contains("operations:batch") {
                seen.store(true, Ordering::SeqCst);
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Write).ok();
    });
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if batch.load(Ordering::SeqCst) {
                say.send(()).ok();
            } else if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
}

/// A call that is killed when the ledger has some or all of its operations and it has no answer.
fn killed(desk: &Desk, args: &[&str], entries: u64) {
    let before = desk.size();
    let (through, answered) = forgetful(desk.server.base());
    let mut command = desk.command(args, &through);
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut killed = silent.spawn().unwrap();
    answered.recv().unwrap();
    while desk.size() < before + entries {}
    killed.kill().unwrap();
    killed.wait().unwrap();
}

#[rstest::rstest]
#[case::at_once(1, None)]
#[case::when_the_envelopes_have_expired(
    COUNT as u64,
    Some("2026-10-14T07:00:00Z")
)]
fn a_call_that_is_killed_before_its_answers_is_taken_up_without_doing_anything_twice(
    #[case] entries: u64,
    #[case] later: Option<&str>,
) {
    let desk = registered();
    let rows = confirmations(&desk);
    let file = desk.file("confirm.csv", &csv(&rows));
    let confirm = [
        "receivable",
        "confirm",
        "--from",
        &file,
        "--as",
        "hospital",
        "--yes",
    ];
    let before = desk.size();
    killed(&desk, &confirm, entries);
    if let Some(later) = later {
        desk.server.client().move_clock(later).unwrap();
    }
    let told = desk.rows(&confirm, 0);
    assert_eq!(told.len(), COUNT);
    assert_eq!((desk.size() - before, confirmed(&desk)), (500, 500));
    assert!(results(&file).values().all(|line| line["state"] == "done"));
}

#[test]
fn a_dry_run_of_registrations_names_each_bad_row_and_column() {
    let desk = Desk::open(story());
    let (contract, invoices) = (desk.contract(), desk.invoices(2));
    let components = desk.rows(&["contract", "list", "--as", "maker"], 0);
    let other = components[0]["id"].as_str().unwrap();
    let [one, two] = &invoices[..] else {
        panic!("two invoices")
    };
    let unknown = "inv_00000000000000000000000000";
    // As Excel writes it in much of the world.
    let lines = [
        "\u{feff}Contract;Invoice;Amount".to_owned(),
        format!("{contract};{one};600.00"),
        format!("{contract};{unknown};1.00"),
        format!("{contract};{two};1,234.56"),
        format!("{contract};{two};1000.01"),
        format!("{contract};{one};600.00"),
        format!("{contract};{one};400.01"),
        format!("{contract};{two};5.0"),
        format!("{other};{two};5.00"),
        format!("{contract};;5.00"),
        format!("{contract};{two};\"7.00\""),
    ];
    let file = desk.file("register.csv", &lines.join("\r\n"));
    let before = desk.size();
    let dry = [
        "receivable",
        "register",
        "--from",
        &file,
        "--dry-run",
        "--as",
        "supplier",
    ];
    let told = desk.rows(&dry, 1);
    let named: Vec<(u64, &str, &str)> = told
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (row["row"].as_u64().unwrap(), text("column"), text("rule"))
        })
        .collect();
    let expected = [
        (3, "Invoice", "unknown_object"),
        (4, "Amount", "row.malformed"),
        (5, "Amount", "invoice.consumed"),
        (6, "", "row.twice"),
        (7, "Amount", "invoice.consumed"),
        (8, "Amount", "amount.decimals"),
        (9, "Invoice", "invoice.contract"),
        (10, "Invoice", "row.missing"),
    ];
    assert_eq!(named, expected);
    assert!(
        told[1]["reason"]
            .as_str()
            .unwrap()
            .contains("for example 1250.00")
    );
    assert!(
        told[4]["reason"]
            .as_str()
            .unwrap()
            .contains("row 2 leave 400.00")
    );
    assert_eq!(desk.size(), before, "nothing is signed");
    assert!(!desk.path("register.csv.results.ndjson").exists());
}

#[test]
fn a_file_of_five_hundred_rows_is_checked_within_the_quota() {
    let desk = registered();
    let file = desk.file("confirm.csv", &csv(&confirmations(&desk)));
    let began = Instant::now();
    desk.runs(
        &[
            "receivable",
            "confirm",
            "--from",
            &file,
            "--dry-run",
            "--as",
            "hospital",
        ],
        0,
    );
    eprintln!("{COUNT} rows checked in {:?}", began.elapsed());
}

#[test]
fn operations_of_several_kinds_go_in_one_batch_and_several_sign_it() {
    let desk = registered();
    let rows = confirmations(&desk);
    let line = |op: &str, body: Value| json!({"op": op, "body": body}).to_string() + "\n";
    let dispute = json!({"receivable": rows[0][0],
        "disputes": [{"invoice": rows[0][1], "amount": rows[0][2], "code": "quality"}]});
    let decline = json!({"receivable": rows[1][0], "reason": "returned"});
    let withdraw = json!({"receivable": rows[2][0]});
    let lines = line("receivable.dispute", dispute) + &line("receivable.decline", decline);
    let file = desk.file(
        "friday.ndjson",
        &(lines + &line("receivable.withdraw", withdraw)),
    );
    let told = desk.rows(&["batch", &file, "--as", "hospital", "--yes"], 1);
    let states: Vec<&Value> = told.iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["done", "done", "refused"]);
    assert_eq!(told[2]["rule"], "receivable.not_supplier");

    let (out, before) = (text(&desk.path("signed.ndjson")), desk.size());
    let file = desk.file("confirm.csv", &csv(&rows[10..13]));
    let confirm = [
        "receivable",
        "confirm",
        "--from",
        &file,
        "--as",
        "hospital",
        "--yes",
    ];
    desk.runs(&[&confirm[..], &["--out", &out]].concat(), 0);
    let keys = text(&desk.path("keys"));
    let sign = ["sign", &out, "--as", "supplier", "--yes", "--keys", &keys];
    assert_eq!(crate::served::run(&sign).status.code(), Some(0));
    for _ in 0..2 {
        let sent = crate::served::run(&["send", &out, "--url", desk.server.base()]);
        let again = sent.status.code() == Some(0);
        assert!(again, "{}", complaint(&sent));
        assert_eq!(desk.size() - before, 3);
    }
}
