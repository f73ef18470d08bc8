//! `counterfoil witness`: cosigning the checkpoints of logs, so that whoever trusts it knows that there is one history.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::config::LogFormat;
use super::passphrase::Passphrase;
use super::serve::{raise_file_limit, start_log};
use super::{Failure, output};
use crate::chain::VerifierKey;
use crate::witness::{self, FolderError, Limits, Witness};

/// Where a witness is served if nothing else is said: beside a ledger.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8466);

const AFTER_HELP: &str = "\
A witness cosigns a log's checkpoint when it is consistent with the one that it cosigned before (C2SP tlog-witness). \
Anybody can run one, for any log of that kind. Its folder is what it remembers: restore it rather than begin anew.

Exit codes: 0 good, 1 a file of the folder does not hold what it should, 2 usage, 3 could not run.";

/// What a witness is asked on the command line.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct WitnessArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new witness in an empty folder
    Init(Init),
    /// Cosign the checkpoints of a log, or of a further key of one
    AddLog(AddLog),
    /// Serve a witness over HTTP
    Serve(Serve),
    /// Print the key that verifies a witness's cosignatures
    #[command(after_help = "Example: counterfoil witness vkey --data witness > witness.vkey")]
    Vkey(Folder),
}

/// Which witness.
#[derive(Debug, Args)]
struct Folder {
    /// The witness's folder
    #[arg(long, value_name = "DIR", env = "COUNTERFOIL_WITNESS_DATA")]
    data: PathBuf,
}

/// The new witness.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: counterfoil witness init --data witness --name witness.example/w1\n\
    The name is a URL without its scheme; nobody has to be reached there. It prints the key that verifies cosignatures."
)]
struct Init {
    #[command(flatten)]
    folder: Folder,
    /// What it is called in its cosignatures
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Do not encrypt the key (for drills)
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// A log.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: counterfoil witness add-log $(cat vkey.txt) --data witness\n\
    A ledger's key is what `counterfoil vkey` prints there, or `vkey` in its /readyz. When a ledger changes its key, add the new one \
    under the same name: from the first checkpoint on that the new key has signed, the old one alone is trusted no more. A served witness is stopped first, and knows the log when it starts again."
)]
struct AddLog {
    /// The C2SP verifier key of the log's checkpoints
    #[arg(value_name = "VKEY")]
    log: VerifierKey,
    #[command(flatten)]
    folder: Folder,
}

/// How it is served.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: counterfoil witness serve --data witness --listen 127.0.0.1:8466\n\
    POST /add-checkpoint cosigns; GET /<SHA-256 of the log's name>/checkpoint is what was cosigned last; /healthz, /metrics.\n\
    It speaks plain HTTP: let a proxy that has TLS stand before it. SIGTERM and Ctrl-C finish what was accepted and stop. Logs go to \
    standard error, a line a request."
)]
struct Serve {
    #[command(flatten)]
    folder: Folder,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", env = "COUNTERFOIL_WITNESS_LISTEN", default_value_t = LISTEN)]
    listen: SocketAddr,
    /// Most connections
    #[arg(long, value_name = "N", env = "COUNTERFOIL_WITNESS_CONNECTIONS", default_value_t = 512,
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    connections: u32,
    /// How many seconds a stop waits for what was accepted
    #[arg(long, value_name = "S", env = "COUNTERFOIL_STOP_SECONDS", default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(1..=3_600))]
    stop_seconds: u64,
    /// How much is logged, such as `warn` or `info,counterfoil::access=off`
    #[arg(
        long,
        value_name = "FILTER",
        env = "COUNTERFOIL_LOG",
        default_value = "info"
    )]
    log: String,
    /// What a line of the log looks like
    #[arg(long, value_enum, env = "COUNTERFOIL_LOG_FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Does what the command was called for.
pub(crate) fn run(args: &WitnessArgs) -> Result<(), Failure> {
    match &args.verb {
        Verb::Init(args) => init(args),
        Verb::AddLog(args) => add_log(args),
        Verb::Serve(args) => serve(args),
        Verb::Vkey(args) => {
            let vkey = witness::vkey(&args.data).map_err(failure)?;
            output::text(&format!("{vkey}\n"));
            Ok(())
        }
    }
}

fn failure(error: FolderError) -> Failure {
    let message = error.to_string();
    match error {
        FolderError::Bad { .. } => Failure::FoundBad(message),
        FolderError::NotEmpty(_) | FolderError::Name(_) | FolderError::NoLog(_) => {
            Failure::Usage(message)
        }
        _ => Failure::CouldNotRun(message),
    }
}

fn init(args: &Init) -> Result<(), Failure> {
    let passphrase = if args.plain {
        None
    } else {
        Some(args.passphrase.choose()?)
    };
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    let vkey = witness::init(&args.folder.data, &args.name, passphrase).map_err(failure)?;
    output::text(&format!("{vkey}\n"));
    Ok(())
}

fn add_log(args: &AddLog) -> Result<(), Failure> {
    let name = args.log.name();
    let said = match witness::add_log(&args.folder.data, &args.log).map_err(failure)? {
        true => "is cosigned from the next start on",
        false => "has this key already",
    };
    output::text(&format!("{name} {said}\n"));
    Ok(())
}

fn serve(args: &Serve) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log)
        .map_err(|error| Failure::Usage(format!("--log is {:?}: {error}", args.log)))?;
    start_log(filter, args.log_format);
    let limits = Limits {
        connections: usize::try_from(args.connections).unwrap_or(usize::MAX),
        grace: Duration::from_secs(args.stop_seconds),
        ..Limits::default()
    };
    raise_file_limit(limits.connections);
    let passphrase = || args.passphrase.ask("Passphrase of the witness's key: ");
    let witness = witness::open(&args.folder.data, passphrase).map_err(failure)?;
    let runtime =
        tokio::runtime::Runtime::new().map_err(|error| Failure::of("the runtime", error))?;
    let served = runtime.block_on(serve_on(args, Arc::new(witness), limits));
    // What was accepted is finished; connections that outlived the grace are cut off here.
    runtime.shutdown_background();
    served
}

async fn serve_on(args: &Serve, witness: Arc<Witness>, limits: Limits) -> Result<(), Failure> {
    let failed = |error| Failure::of(args.listen, error);
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    announce(&witness, args.log_format, address);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    witness::serve(listener, witness, limits, stop).await;
    Ok(())
}

/// Says which witness is served where, to people as a sentence.
fn announce(witness: &Witness, format: LogFormat, address: SocketAddr) {
    let (name, logs) = (witness.vkey().name(), witness.logs());
    let url = format!("http://{address}");
    match format {
        LogFormat::Text => eprintln!("{name} with {logs} logs on {url}"),
        LogFormat::Json => tracing::info!(witness = name, logs, url, "serves"),
    }
    if logs == 0 {
        tracing::warn!("it knows no log: `counterfoil witness add-log` adds one");
    }
}
