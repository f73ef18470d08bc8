//! What `serve` goes by: flags before `COUNTERFOIL_*` before `counterfoil.toml` before the defaults. One name each:
//! `tls_cert` in the file is `--tls-cert` and `COUNTERFOIL_TLS_CERT`.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;
use clap::ValueEnum;
use clap::parser::ValueSource;

use super::Failure;
use crate::api::Limits;

mod settings;

pub(super) use settings::{ClockKind, File, LogFormat, Settings};

/// Where a ledger is served if nothing else is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8465);
/// How much is logged if nothing else is said.
const LOG: &str = "info";

/// What is in force.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) data: PathBuf,
    pub(super) listen: SocketAddr,
    pub(super) audience: Option<String>,
    pub(super) clock: ClockKind,
    pub(super) passphrase_file: Option<PathBuf>,
    /// Whom to ask for cosignatures.
    pub(super) policy: Option<PathBuf>,
    /// Certificate and key.
    pub(super) tls: Option<(PathBuf, PathBuf)>,
    pub(super) log: String,
    pub(super) log_format: LogFormat,
    pub(super) limits: Limits,
    /// Setting, value, where it comes from.
    pub(super) rows: Vec<[String; 3]>,
}

/// Picks each setting from the first source that has it.
struct Pick<'a> {
    /// Flags and environment; `matches` says which of them.
    given: &'a Settings,
    matches: &'a ArgMatches,
    file: &'a File,
    rows: Vec<[String; 3]>,
}

impl Pick<'_> {
    fn source(&self, name: &str) -> String {
        match self.matches.value_source(name) {
            Some(ValueSource::EnvVariable) => format!("COUNTERFOIL_{}", name.to_uppercase()),
            _ => format!("--{}", name.replace('_', "-")),
        }
    }

    /// What is set, and where.
    fn set<T>(&self, name: &str, of: impl Fn(&Settings) -> Option<T>) -> Option<(T, String)> {
        let given = of(self.given).map(|value| (value, self.source(name)));
        given.or_else(|| {
            let value = of(&self.file.settings)?;
            Some((value, self.file.path.display().to_string()))
        })
    }

    fn note(&mut self, name: &str, value: impl Display, source: String) {
        self.rows.push([name.to_owned(), value.to_string(), source]);
    }

    fn optional<T>(
        &mut self,
        name: &str,
        of: impl Fn(&Settings) -> Option<T>,
        shown: impl Fn(&T) -> String,
    ) -> Option<T> {
        let (value, source) = self.set(name, of).unzip();
        let text = value.as_ref().map_or_else(|| "-".to_owned(), shown);
        self.note(name, text, source.unwrap_or_else(|| "default".to_owned()));
        value
    }

    fn or<T: Clone>(
        &mut self,
        name: &str,
        of: impl Fn(&Settings) -> Option<T>,
        default: T,
        shown: impl Fn(&T) -> String,
    ) -> T {
        let set = self.set(name, of);
        let (value, source) = set.unwrap_or_else(|| (default, "default".to_owned()));
        self.note(name, shown(&value), source);
        value
    }

    /// A number within bounds.
    fn within(
        &mut self,
        name: &str,
        of: impl Fn(&Settings) -> Option<u64>,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> Result<u64, Failure> {
        let set = self.set(name, of);
        let (value, source) = set.unwrap_or_else(|| (default, "default".to_owned()));
        if !bounds.contains(&value) {
            let (least, most) = bounds.into_inner();
            return Err(Failure::Usage(format!(
                "{source}: {name} is {value}; it may be {least} to {most}"
            )));
        }
        self.note(name, value, source);
        Ok(value)
    }

    fn seconds(
        &mut self,
        name: &str,
        of: impl Fn(&Settings) -> Option<u64>,
        default: Duration,
        bounds: RangeInclusive<u64>,
    ) -> Result<Duration, Failure> {
        let seconds = self.within(name, of, default.as_secs(), bounds)?;
        Ok(Duration::from_secs(seconds))
    }

    fn limits(&mut self) -> Result<Limits, Failure> {
        let default = Limits::default();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let addresses = |all: &Vec<IpAddr>| {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            match all.is_empty() {
                true => "-".to_owned(),
                false => all.join(","),
            }
        };
        Ok(Limits {
            trusted_proxies: self.or(
                "trusted_proxies",
                |s| s.trusted_proxies.clone(),
                default.trusted_proxies,
                addresses,
            ),
            metrics_from: self.or(
                "metrics_from",
                |s| s.metrics_from.clone(),
                default.metrics_from,
                addresses,
            ),
            connections: size(self.within(
                "connections",
                |s| s.connections,
                count(default.connections),
                1..=1_000_000,
            )?),
            connections_per_address: size(self.within(
                "connections_per_address",
                |s| s.connections_per_address,
                count(default.connections_per_address),
                1..=1_000_000,
            )?),
            requests_per_second: small(self.within(
                "requests_per_second",
                |s| s.requests_per_second,
                default.requests_per_second.into(),
                1..=1_000_000,
            )?),
            requests_burst: small(self.within(
                "requests_burst",
                |s| s.requests_burst,
                default.requests_burst.into(),
                // What counts most must fit in.
                u64::from(Limits::BURST_LEAST)..=10_000_000,
            )?),
            limit_loopback: self.or(
                "limit_loopback",
                |s| s.limit_loopback,
                default.limit_loopback,
                bool::to_string,
            ),
            header_read: self.seconds(
                "header_seconds",
                |s| s.header_seconds,
                default.header_read,
                1..=600,
            )?,
            stall: self.seconds("stall_seconds", |s| s.stall_seconds, default.stall, 1..=600)?,
            connection_age: self.seconds(
                "connection_seconds",
                |s| s.connection_seconds,
                default.connection_age,
                10..=86_400,
            )?,
            grace: self.seconds("stop_seconds", |s| s.stop_seconds, default.grace, 1..=3_600)?,
            header_bytes: default.header_bytes,
        })
    }

    /// RUST_LOG is what many programs go by: it stands behind our own name and before the file.
    fn log(&mut self) -> String {
        let own = self.given.log.is_some();
        match std::env::var("RUST_LOG").ok().filter(|_| !own) {
            Some(filter) => {
                self.note("log", &filter, "RUST_LOG".to_owned());
                filter
            }
            None => self.or("log", |s| s.log.clone(), LOG.to_owned(), String::clone),
        }
    }

    fn tls(&mut self) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
        let path = |path: &PathBuf| path.display().to_string();
        let cert = self.optional("tls_cert", |s| s.tls_cert.clone(), path);
        let key = self.optional("tls_key", |s| s.tls_key.clone(), path);
        match (cert, key) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(together("tls_cert", "tls_key")),
            (None, Some(_)) => Err(together("tls_key", "tls_cert")),
        }
    }
}

fn together(there: &str, missing: &str) -> Failure {
    Failure::Usage(format!(
        "{there} is set and {missing} is not: TLS takes both"
    ))
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn lower<T: ValueEnum>(value: &T) -> String {
    let named = value.to_possible_value();
    named.map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Config {
    /// The one place of precedence: `given` are flags and environment, told apart by `matches`.
    pub(super) fn of(
        given: &Settings,
        matches: &ArgMatches,
        file: &File,
    ) -> Result<Config, Failure> {
        let mut pick = Pick {
            given,
            matches,
            file,
            rows: Vec::new(),
        };
        let path = |path: &PathBuf| path.display().to_string();
        let data = pick.optional("data", |s| s.data.clone(), path);
        let data = data.ok_or_else(|| {
            Failure::Usage(
                "which ledger? --data DIR, COUNTERFOIL_DATA or `data` in counterfoil.toml says it"
                    .into(),
            )
        })?;
        let listen = pick.or("listen", |s| s.listen, LISTEN, SocketAddr::to_string);
        let audience = pick.optional("audience", |s| s.audience.clone(), String::clone);
        if let Some(wrong) = audience.as_deref().filter(|url| !is_origin(url)) {
            let source = pick.rows.last().map_or("", |[_, _, source]| source);
            return Err(Failure::Usage(format!(
                "{source}: audience is {wrong:?}; it is an origin such as https://ledger.example, without a path"
            )));
        }
        let config = Config {
            data,
            listen,
            audience,
            clock: pick.or("clock", |s| s.clock, ClockKind::System, lower),
            passphrase_file: pick.optional("passphrase_file", |s| s.passphrase_file.clone(), path),
            policy: pick.optional("policy", |s| s.policy.clone(), path),
            tls: pick.tls()?,
            log: pick.log(),
            log_format: pick.or("log_format", |s| s.log_format, LogFormat::Text, lower),
            limits: pick.limits()?,
            rows: Vec::new(),
        };
        Ok(Config {
            rows: pick.rows,
            ..config
        })
    }
}

/// Whether a client can have it as the origin of a server: a scheme and an authority (RFC 6454 §6.2).
fn is_origin(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.contains(|c: char| "/?#@\\".contains(c) || c.is_whitespace())
    })
}
