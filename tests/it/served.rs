//! The binary as a server of its own, on a copy of the played story: started, asked, stopped, killed.
//!
//! [`story`] gives a data folder, [`Server::start`] serves it at a free port, [`Party::of`] acts in somebody's name.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fs, thread};

use counterfoil::chain::pae::OP_TYPE;
use counterfoil::chain::{Envelope, SigningKey, pem};
use counterfoil::client::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The command under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_counterfoil");

/// The story, played once.
static STORY: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let played = run(&["demo", "--data", &text(dir.path())]);
    assert!(played.status.success(), "{}", complaint(&played));
    dir
});

/// A copy of a drill ledger on which the story was played, with everybody's key in `keys/`.
pub(crate) fn story() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(STORY.path(), dir.path());
    dir
}

/// Copies a folder with all that is in it into one that is there.
pub(crate) fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).output().unwrap()
}

/// What a command said on standard error.
pub(crate) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Holds what a command said on standard error.
pub(crate) fn assert_says(output: &Output, part: &str) {
    let said = complaint(output);
    assert!(said.contains(part), "{said}");
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A process that serves a ledger or a witness; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// The process that serves: the child itself, or what it runs.
    pid: u32,
    origin: String,
    base: String,
    log: Arc<Mutex<String>>,
    listening: JoinHandle<()>,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    /// All that it wrote to standard error.
    pub(crate) log: String,
}

/// What a server says while it starts.
enum Said {
    Pid(u32),
    Serves { origin: String, base: String },
}

impl Server {
    /// Serves a drill ledger by a hand-moved clock and waits until it answers.
    pub(crate) fn start(data: &Path) -> Server {
        Server::try_start(data).unwrap_or_else(|ended| panic!("{ended:?}"))
    }

    /// Serves a ledger by the machine's clock, with these flags.
    pub(crate) fn start_by_the_clock(data: &Path, flags: &[&str]) -> Server {
        let mut started = Command::new(BINARY);
        let address = ["serve", "--listen", "127.0.0.1:0", "--data"];
        started.args(address).arg(data).args(flags);
        Server::spawn(&mut started).unwrap_or_else(|ended| panic!("{ended:?}"))
    }

    /// The same, or how the start ended.
    pub(crate) fn try_start(data: &Path) -> Result<Server, Ended> {
        Server::spawn(Command::new(BINARY).args(serve_args(data)))
    }

    /// The same with more flags.
    pub(crate) fn start_with(data: &Path, flags: &[&str]) -> Server {
        Server::try_start_with(data, flags).unwrap_or_else(|ended| panic!("{ended:?}"))
    }

    /// The same, or how the start ended.
    pub(crate) fn try_start_with(data: &Path, flags: &[&str]) -> Result<Server, Ended> {
        let mut started = Command::new(BINARY);
        started.args(serve_args(data)).args(flags);
        Server::spawn(&mut started)
    }

    /// Serves a witness and waits until it answers; its `origin` is its name.
    pub(crate) fn start_witness(data: &Path) -> Server {
        Server::try_start_witness(data).unwrap_or_else(|ended| panic!("{ended:?}"))
    }

    /// The same, or how the start ended.
    pub(crate) fn try_start_witness(data: &Path) -> Result<Server, Ended> {
        let mut started = Command::new(BINARY);
        started.args(witness_args(data)).env("NO_COLOR", "1");
        Server::spawn(&mut started)
    }

    /// Serves a ledger inside a shell that first does something to itself, such as `ulimit`, under a command such as `strace`.
    pub(crate) fn start_under(command: &[&str], prelude: &str, data: &Path) -> Server {
        Server::spawn_under(command, prelude, serve_args(data))
    }

    /// Serves a witness under a command.
    pub(crate) fn start_witness_under(command: &[&str], data: &Path) -> Server {
        Server::spawn_under(command, "", witness_args(data))
    }

    fn spawn_under(command: &[&str], prelude: &str, args: Vec<String>) -> Server {
        let script = format!("{prelude}\necho \"pid $$\" >&2\nexec \"$0\" \"$@\"");
        let mut words = command.to_vec();
        words.extend(["sh", "-c", &script, BINARY]);
        let mut started = Command::new(words[0]);
        started.args(&words[1..]).args(args);
        Server::spawn(&mut started).unwrap_or_else(|ended| panic!("{ended:?}"))
    }

    fn spawn(command: &mut Command) -> Result<Server, Ended> {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (say, said) = channel();
        let stderr = child.stderr.take().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        let listening = thread::spawn(move || listen(stderr, &say, &kept));
        let mut pid = child.id();
        for said in said {
            match said {
                Said::Pid(of) => pid = of,
                Said::Serves { origin, base } => {
                    return Ok(Server {
                        child,
                        pid,
                        origin,
                        base,
                        log,
                        listening,
                    });
                }
            }
        }
        let code = child.wait().unwrap().code();
        listening.join().unwrap();
        let log = log.lock().unwrap().clone();
        Err(Ended { code, log })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The ledger's or the witness's name.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// A client without session.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// A client that reads as a party.
    pub(crate) fn client_of(&self, party: &Party) -> Client {
        let mut client = self.client();
        client.open_session(&party.id, &party.key).unwrap();
        client
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        self.ended()
    }

    /// Kills it, as a loss of power would but for what the system holds in memory.
    pub(crate) fn kill(self) -> Ended {
        self.signal("KILL");
        self.ended()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(mut self) -> Ended {
        let code = self.child.wait().unwrap().code();
        let listening = std::mem::replace(&mut self.listening, thread::spawn(|| ()));
        listening.join().unwrap();
        let log = self.log.lock().unwrap().clone();
        Ended { code, log }
    }

    /// Waits until it has written this to standard error; all that it wrote until then.
    pub(crate) fn log_with(&self, said: &str) -> String {
        let began = Instant::now();
        loop {
            let log = self.log.lock().unwrap().clone();
            if log.contains(said) {
                return log;
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "no {said:?} in {log}"
            );
            thread::yield_now();
        }
    }

    /// Sends a signal such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid.to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "kill -s {name} {pid}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that fails must not leave a server behind; one that was waited for is gone already.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("KILL");
            self.child.wait().ok();
        }
    }
}

fn serve_args(data: &Path) -> Vec<String> {
    let data = text(data);
    ["serve", "--data", &data, "--listen", "127.0.0.1:0"]
        .into_iter()
        .chain(["--clock", "manual"])
        .map(str::to_owned)
        .collect()
}

fn witness_args(data: &Path) -> Vec<String> {
    let data = text(data);
    let args = [
        "witness",
        "serve",
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
    ];
    args.map(str::to_owned).to_vec()
}

/// Passes on what tells how the start goes, and keeps all.
fn listen(stderr: ChildStderr, say: &Sender<Said>, log: &Mutex<String>) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(pid) = line.strip_prefix("pid ") {
            say.send(Said::Pid(pid.parse().unwrap())).ok();
        }
        if let Some((before, base)) = line.split_once(" on http") {
            let origin = before.split(' ').next().unwrap().to_owned();
            let base = format!("http{base}");
            say.send(Said::Serves { origin, base }).ok();
        }
        // With --log-format json it says so as an object.
        if let Ok(said) = serde_json::from_str::<Value>(&line)
            && let (Some(origin), Some(base)) = (said["origin"].as_str(), said["url"].as_str())
        {
            let (origin, base) = (origin.to_owned(), base.to_owned());
            say.send(Said::Serves { origin, base }).ok();
        }
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}

/// Somebody in the story.
pub(crate) struct Party {
    /// The identifier it acts under.
    pub(crate) id: String,
    /// Its key.
    pub(crate) key: SigningKey,
}

impl Party {
    /// By its name in the story, such as `hospital`, from the keys in a data folder.
    pub(crate) fn of(data: &Path, name: &str) -> Party {
        let file = |extension: &str| -> PathBuf { data.join(format!("keys/{name}.{extension}")) };
        let id = fs::read_to_string(file("party")).unwrap();
        let key = fs::read_to_string(file("pem")).unwrap();
        Party {
            id: id.trim_end().to_owned(),
            key: pem::read(&key, || None).unwrap(),
        }
    }

    /// A signed operation; `not_after` as `2026-11-24T00:00:00Z`, the body's fields in wire order.
    pub(crate) fn envelope(
        &self,
        ledger: &str,
        not_after: &str,
        op: &str,
        body: &Value,
    ) -> Envelope {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).unwrap();
        self.envelope_of(nonce, ledger, not_after, op, body)
    }

    /// The same with a nonce that is known, and so with a known id.
    pub(crate) fn envelope_of(
        &self,
        nonce: [u8; 16],
        ledger: &str,
        not_after: &str,
        op: &str,
        body: &Value,
    ) -> Envelope {
        let payload = json!({
            "ledger": ledger, "op": op, "party": self.id, "nonce": hex::encode(nonce), "not_after": not_after,
            "body": body,
        });
        let mut envelope = Envelope::new(OP_TYPE, payload.to_string()).unwrap();
        envelope.sign(&self.key).unwrap();
        envelope
    }
}

#[test]
fn a_server_starts_answers_and_stops() {
    let data = story();
    let server = Server::start(data.path());
    let status = server.client().status().unwrap();
    assert_eq!(
        (status.ready, status.origin.as_str()),
        (true, server.origin())
    );
    let hospital = server.client_of(&Party::of(data.path(), "hospital"));
    assert!(!hospital.all("receivables").unwrap().is_empty());
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
}
