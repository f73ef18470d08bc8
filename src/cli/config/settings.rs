//! The settings as each source writes them down.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use crate::cli::Failure;

/// The file that is read where none is named and this one is there.
const FILE: &str = "counterfoil.toml";
/// Under what the help lists them.
const LIMITS: &str = "Limits";

/// Which clock the ledger goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum ClockKind {
    /// The machine's
    System,
    /// One that is moved by hand, on a drill ledger
    Manual,
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum LogFormat {
    /// For people
    Text,
    /// For machines: an object a line
    Json,
}

/// What one source says; every setting may be absent.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::cli) struct Settings {
    /// The ledger's data folder
    #[arg(long, value_name = "DIR", env = "COUNTERFOIL_DATA")]
    pub(in crate::cli) data: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:8465]
    #[arg(long, value_name = "ADDR", env = "COUNTERFOIL_LISTEN")]
    pub(in crate::cli) listen: Option<SocketAddr>,
    /// The address that clients know, which requests for sessions name [default: http://ADDR, with TLS https://ADDR]
    #[arg(long, value_name = "URL", env = "COUNTERFOIL_AUDIENCE")]
    pub(in crate::cli) audience: Option<String>,
    /// Which clock [default: system]
    #[arg(long, value_enum, env = "COUNTERFOIL_CLOCK")]
    pub(in crate::cli) clock: Option<ClockKind>,
    // Every verb has the flag; here it may come from the file.
    #[arg(skip)]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
    /// A policy file (C2SP tlog-policy) of witnesses that cosign the ledger's checkpoints, with their addresses
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_POLICY")]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// The certificate and those that lead to its root, PEM; read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_TLS_CERT")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// Its private key, PEM; read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_TLS_KEY")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// How much is logged, such as `warn` or `info,counterfoil::access=off`; RUST_LOG too [default: info]
    #[arg(long, value_name = "FILTER", env = "COUNTERFOIL_LOG")]
    pub(in crate::cli) log: Option<String>,
    /// What a line of the log looks like [default: text]
    #[arg(long, value_enum, env = "COUNTERFOIL_LOG_FORMAT")]
    pub(in crate::cli) log_format: Option<LogFormat>,
    /// Proxies that are believed whom they forward for: the last address of X-Forwarded-For
    #[arg(long, value_name = "IP,…", value_delimiter = ',', env = "COUNTERFOIL_TRUSTED_PROXIES", help_heading = LIMITS)]
    pub(in crate::cli) trusted_proxies: Option<Vec<IpAddr>>,
    /// Addresses besides loopback that may read /metrics
    #[arg(long, value_name = "IP,…", value_delimiter = ',', env = "COUNTERFOIL_METRICS_FROM", help_heading = LIMITS)]
    pub(in crate::cli) metrics_from: Option<Vec<IpAddr>>,
    /// Most connections [default: 1024]
    #[arg(long, value_name = "N", env = "COUNTERFOIL_CONNECTIONS", help_heading = LIMITS)]
    pub(in crate::cli) connections: Option<u64>,
    /// Most connections of one address [default: 128]
    #[arg(long, value_name = "N", env = "COUNTERFOIL_CONNECTIONS_PER_ADDRESS", help_heading = LIMITS)]
    pub(in crate::cli) connections_per_address: Option<u64>,
    /// Requests of one address in a second, in the long run; some count as several [default: 100]
    #[arg(long, value_name = "N", env = "COUNTERFOIL_REQUESTS_PER_SECOND", help_heading = LIMITS)]
    pub(in crate::cli) requests_per_second: Option<u64>,
    /// Requests that an address may send at once after a rest [default: 1000]
    #[arg(long, value_name = "N", env = "COUNTERFOIL_REQUESTS_BURST", help_heading = LIMITS)]
    pub(in crate::cli) requests_burst: Option<u64>,
    /// Whether what is limited by address is so for loopback addresses too [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "COUNTERFOIL_LIMIT_LOOPBACK", help_heading = LIMITS)]
    pub(in crate::cli) limit_loopback: Option<bool>,
    /// The headers of a request, and a TLS handshake, must be there in so many seconds [default: 10]
    #[arg(long, value_name = "S", env = "COUNTERFOIL_HEADER_SECONDS", help_heading = LIMITS)]
    pub(in crate::cli) header_seconds: Option<u64>,
    /// A peer that takes nothing of its answer for so many seconds is cut [default: 30]
    #[arg(long, value_name = "S", env = "COUNTERFOIL_STALL_SECONDS", help_heading = LIMITS)]
    pub(in crate::cli) stall_seconds: Option<u64>,
    /// A connection takes no further request after so many seconds [default: 600]
    #[arg(long, value_name = "S", env = "COUNTERFOIL_CONNECTION_SECONDS", help_heading = LIMITS)]
    pub(in crate::cli) connection_seconds: Option<u64>,
    /// How many seconds a stop waits for what was accepted [default: 15]
    #[arg(long, value_name = "S", env = "COUNTERFOIL_STOP_SECONDS", help_heading = LIMITS)]
    pub(in crate::cli) stop_seconds: Option<u64>,
}

/// A file of settings.
#[derive(Debug, Default)]
pub(in crate::cli) struct File {
    pub(in crate::cli) path: PathBuf,
    pub(in crate::cli) settings: Settings,
}

impl File {
    /// The file of that name; where none is named, `counterfoil.toml` if it is there. Paths in it are from its folder.
    pub(in crate::cli) fn read(named: Option<&Path>) -> Result<File, Failure> {
        let path = named.unwrap_or(Path::new(FILE));
        if named.is_none() && !path.exists() {
            return Ok(File::default());
        }
        let wrong = |error: &dyn Display| Failure::Usage(format!("{}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let mut settings: Settings = toml::from_str(&text).map_err(|error| wrong(&error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for place in [
            &mut settings.data,
            &mut settings.passphrase_file,
            &mut settings.policy,
            &mut settings.tls_cert,
            &mut settings.tls_key,
        ] {
            *place = place.take().map(|path| folder.join(path));
        }
        Ok(File {
            path: path.to_owned(),
            settings,
        })
    }
}
