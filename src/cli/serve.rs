//! `counterfoil serve`: a ledger over HTTP, until it is told to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use super::config::{ClockKind, Config, File, LogFormat, Settings};
use super::export::progress;
use super::keyring::Keyring;
use super::output::table;
use super::passphrase::Passphrase;
use crate::api::{Api, Server, Tls};
use crate::chain::Policy;
use crate::gather::Gathering;
use crate::ledger::{self, ClockChoice, Ledger, StopReason, accept_head};

/// Handles of files that a server takes besides its connections: segments, index, certificates.
const FILES: u64 = 256;

/// Which ledger, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil serve --data ledger --listen 127.0.0.1:8465\n\
    Flags go before COUNTERFOIL_* before the file before the defaults: `tls_cert` in the file is --tls-cert and\n\
    COUNTERFOIL_TLS_CERT. --check-config prints what would be in force, and from where.\n\
    SIGTERM and Ctrl-C finish what was accepted and stop. SIGHUP reads the certificate again. Logs go to standard error."
)]
pub(crate) struct Args {
    /// A file of settings; counterfoil.toml, if it is there
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_CONFIG")]
    config: Option<PathBuf>,
    /// Print the settings and where each comes from, open nothing, and end
    #[arg(long)]
    check_config: bool,
    /// The machine's clock is right, although the last entry is far from it
    #[arg(long)]
    confirm_clock: bool,
    /// Write the head anew for the first N entries, as `counterfoil fsck` says they verify
    #[arg(long, value_name = "N")]
    accept_head: Option<u64>,
    /// Start although too few witnesses answer to tell whether this disk is the newest
    #[arg(long, requires = "policy")]
    allow_unwitnessed_start: bool,
    #[command(flatten)]
    settings: Box<Settings>,
    #[command(flatten)]
    keyring: Keyring,
}

/// `matches` tell which settings came from the environment.
pub(crate) fn run(args: &Args, matches: &ArgMatches) -> Result<(), Failure> {
    let config = args.in_force(matches)?;
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Failure::Usage(format!("log is {:?}: {error}", config.log)))?;
    if args.check_config {
        let rows = config.rows.into_iter().map(Vec::from).collect();
        table(&["setting", "value", "from"], rows, false);
        return Ok(());
    }
    start_log(filter, config.log_format);
    let tls = config.tls.as_ref();
    let tls = tls.map(|(cert, key)| Tls::read(cert.clone(), key.clone()));
    let tls = tls
        .transpose()
        .map_err(|error| Failure::CouldNotRun(error.to_string()))?
        .map(Arc::new);
    // Before the ledger is opened, which may take long.
    let policy = config.policy.as_deref().map(read_policy).transpose()?;
    raise_file_limit(config.limits.connections);
    let ledger = args.open(&config)?;
    let runtime =
        tokio::runtime::Runtime::new().map_err(|error| Failure::of("the runtime", error))?;
    let served = runtime.block_on(async {
        let gathering = gathering(&config, policy, &ledger, args.allow_unwitnessed_start).await?;
        serve(config, tls, &ledger, gathering).await
    });
    // What was accepted is finished; connections that outlived the grace are cut off here.
    runtime.shutdown_background();
    let reason = ledger.stop();
    served?;
    match reason {
        StopReason::Asked => Ok(()),
        StopReason::Failed(why) => Err(Failure::CouldNotRun(format!("the ledger stopped: {why}"))),
    }
}

impl Args {
    fn in_force(&self, matches: &ArgMatches) -> Result<Config, Failure> {
        let file = File::read(self.config.as_deref())?;
        let given = Settings {
            passphrase_file: self.keyring.passphrase.passphrase_file.clone(),
            ..(*self.settings).clone()
        };
        Config::of(&given, matches, &file)
    }

    fn open(&self, config: &Config) -> Result<Ledger, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::of(config.data.display(), error);
        let clock = match config.clock {
            ClockKind::Manual => ClockChoice::Manual,
            ClockKind::System => ClockChoice::System {
                confirmed: self.confirm_clock,
            },
        };
        let mut opened = ledger::Config {
            clock,
            ..ledger::Config::new(&config.data)
        };
        let key = ledger::keyfile::path_in(&config.data);
        // One that is missing is for the start to name, with what else is.
        let text = std::fs::read_to_string(&key).unwrap_or_default();
        if text.contains("ENCRYPTED") {
            let passphrase = Passphrase {
                passphrase_file: config.passphrase_file.clone(),
            };
            opened.passphrase = passphrase.ask("Passphrase of the ledger's key: ");
        }
        if let Some(size) = self.accept_head {
            accept_head(&opened, size).map_err(|error| failed(&error))?;
        }
        let bar = progress(0, "entries");
        let mut show = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let ledger = Ledger::open(opened, &mut show).map_err(|error| failed(&error))?;
        bar.finish_and_clear();
        Ok(ledger)
    }
}

pub(super) fn start_log(filter: EnvFilter, format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Each connection takes a handle of a file: many systems give a process no more than 1,024 until it asks.
pub(super) fn raise_file_limit(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(FILES);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let current = limit.maximum.map_or(needed, |most| most.min(needed));
    let raised = Rlimit {
        current: Some(current),
        ..limit
    };
    if setrlimit(Resource::Nofile, raised).is_err() || current < needed {
        tracing::warn!(
            needed,
            current,
            "the limit of open files is too low for so many connections"
        );
    }
}

/// The policy in a file.
pub(super) fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::of(path.display(), error))?;
    Policy::parse(&bytes).map_err(|error| Failure::of(path.display(), error))
}

/// Asks the witnesses of the policy, if there is one, before anything is taken in.
async fn gathering(
    config: &Config,
    policy: Option<Policy>,
    ledger: &Ledger,
    allow_unwitnessed: bool,
) -> Result<Option<Gathering>, Failure> {
    let (Some(path), Some(policy)) = (&config.policy, policy) else {
        let size = ledger.witnessed_size();
        if size > 0 {
            tracing::warn!(
                size,
                "witnesses have cosigned this ledger, and no policy names them: nobody is asked whether its disk is an old one"
            );
        }
        return Ok(None);
    };
    let gathering = Gathering::new(ledger.clone(), policy)
        .map_err(|error| Failure::of(path.display(), error))?;
    let checked = gathering.check_start(allow_unwitnessed).await;
    checked
        .map(Some)
        .map_err(|error| Failure::of(config.data.display(), error))
}

async fn serve(
    config: Config,
    tls: Option<Arc<Tls>>,
    ledger: &Ledger,
    gathering: Option<Gathering>,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::of(config.listen, error);
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| failed(&error))?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{address}");
    let audience = config.audience.unwrap_or_else(|| base.clone());
    let api =
        Api::new(ledger.clone(), audience).map_err(|error| Failure::of("random numbers", error))?;
    let api = api.witnessed(gathering.as_ref().is_some_and(Gathering::asks_for_a_quorum));
    let server = Server::on(listener, api, config.limits).with_tls(tls.clone());
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
    let hangup = signal(SignalKind::hangup()).map_err(|error| failed(&error))?;
    announce(ledger, config.log_format, &base);
    warn_of_plain(address, tls.is_some());
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            _ = ledger.stopped() => {}
            () = read_again(hangup, tls.as_deref()) => {}
        }
    };
    let gathered = gathering.map(|gathering| tokio::spawn(gathering.run()));
    server.run(stop).await;
    if let Some(gathered) = gathered {
        gathered.abort();
    }
    Ok(())
}

/// Reads the certificate again whenever it is told to.
async fn read_again(mut hangup: Signal, tls: Option<&Tls>) {
    while hangup.recv().await.is_some() {
        match tls.map(Tls::read_again) {
            Some(Ok(())) => tracing::info!("the certificate was read again"),
            Some(Err(error)) => {
                tracing::error!(%error, "the certificate that was in use stays in use");
            }
            None => tracing::info!("there is no certificate to read again"),
        }
    }
    // No more signals come: a stop comes another way.
    std::future::pending::<()>().await;
}

/// Says which ledger is served where, to people as a sentence.
fn announce(ledger: &Ledger, format: LogFormat, base: &str) {
    let ready = ledger.ready();
    match format {
        LogFormat::Text => eprintln!("{} with {} entries on {base}", ready.origin, ready.size),
        LogFormat::Json => {
            tracing::info!(
                origin = ready.origin,
                entries = ready.size,
                url = base,
                "serves"
            );
        }
    }
    for path in &ready.quarantined {
        tracing::warn!(file = %path.display(), "in quarantine, not acknowledged");
    }
    if let Some(refusal) = &ready.clock {
        tracing::warn!(
            "nothing is entered: {refusal}; if the clock is right, start with --confirm-clock"
        );
    }
}

fn warn_of_plain(address: SocketAddr, tls: bool) {
    if !tls && !address.ip().is_loopback() {
        tracing::warn!(
            "plain HTTP on an address that others reach: whoever listens in between reads tokens and trades; \
             set tls_cert and tls_key, or serve a proxy that has TLS on loopback"
        );
    }
}
