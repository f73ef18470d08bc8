//! `counterfoil serve`: a ledger over HTTP, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use super::export::progress;
use super::keyring::Keyring;
use crate::api::{Api, Limits, Server};
use crate::ledger::{ClockChoice, Config, Ledger, StopReason, accept_head};

/// Which clock the ledger goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    /// The machine's
    System,
    /// One that is moved by hand, on a drill ledger
    Manual,
}

/// Which ledger, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil serve --data ledger --listen 127.0.0.1:8465\n\
    SIGTERM and Ctrl-C finish what was accepted and stop. Logs go to standard error; RUST_LOG sets how much."
)]
pub(crate) struct Args {
    /// The ledger's data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8465")]
    listen: SocketAddr,
    /// The address that clients know, which requests for sessions name; http://ADDR if absent
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// Which clock
    #[arg(long, value_enum, default_value = "system")]
    clock: ClockKind,
    /// The machine's clock is right, although the last entry is far from it
    #[arg(long)]
    confirm_clock: bool,
    /// Write the head anew for the first N entries, as `counterfoil fsck` says they verify
    #[arg(long, value_name = "N")]
    accept_head: Option<u64>,
    #[command(flatten)]
    keyring: Keyring,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let failed = |error: &dyn std::fmt::Display| Failure::of(args.data.display(), error);
    let config = args.config()?;
    if let Some(size) = args.accept_head {
        accept_head(&config, size).map_err(|error| failed(&error))?;
    }
    let bar = progress(0, "entries");
    let mut show = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let ledger = Ledger::open(config, &mut show).map_err(|error| failed(&error))?;
    bar.finish_and_clear();
    let runtime =
        tokio::runtime::Runtime::new().map_err(|error| Failure::of("the runtime", error))?;
    let served = runtime.block_on(args.serve(&ledger));
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
    fn config(&self) -> Result<Config, Failure> {
        let clock = match self.clock {
            ClockKind::Manual => ClockChoice::Manual,
            ClockKind::System => ClockChoice::System {
                confirmed: self.confirm_clock,
            },
        };
        let mut config = Config {
            clock,
            ..Config::new(&self.data)
        };
        let key = crate::ledger::keyfile::path_in(&self.data);
        // One that is missing is for the start to name, with what else is.
        let text = std::fs::read_to_string(&key).unwrap_or_default();
        if text.contains("ENCRYPTED") {
            config.passphrase = self.keyring.passphrase("Passphrase of the ledger's key: ");
        }
        Ok(config)
    }

    async fn serve(&self, ledger: &Ledger) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::of(self.listen, error);
        let listener = tokio::net::TcpListener::bind(self.listen)
            .await
            .map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let audience = self
            .audience
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let api = Api::new(ledger.clone(), audience)
            .map_err(|error| Failure::of("random numbers", error))?;
        let server =
            Server::on(listener, api, Limits::default()).map_err(|error| failed(&error))?;
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
        let ready = ledger.ready();
        eprintln!(
            "{} with {} entries on http://{address}",
            ready.origin, ready.size
        );
        for path in &ready.quarantined {
            eprintln!("in quarantine, not acknowledged: {}", path.display());
        }
        if let Some(refusal) = &ready.clock {
            eprintln!(
                "nothing is entered: {refusal}; if the clock is right, start with --confirm-clock"
            );
        }
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
                _ = ledger.stopped() => {}
            }
        };
        server.run(stop).await;
        Ok(())
    }
}
