//! Who asks, as far as the network tells: an address, for a proxy's requests the one that it forwards for.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use warp::http::HeaderMap;

use super::metrics;
use super::problem::Problem;
use super::rates::{Cost, Rates};
use super::reply::Handled;
use super::server::Limits;

/// Codes of problems with signatures that honest clients do not cause.
const FORGED: [&str; 2] = ["signature.invalid", "key.unknown"];

/// What is known of addresses.
#[derive(Debug)]
pub(super) struct Peers {
    rates: Arc<Rates>,
    limit_loopback: bool,
    trusted_proxies: Vec<IpAddr>,
    metrics_from: Vec<IpAddr>,
}

/// Who sends a request.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    rates: Arc<Rates>,
    network: IpAddr,
    is_limited: bool,
    /// Whether it may read the metrics.
    pub(super) measures: bool,
}

impl Peers {
    pub(super) fn new(limits: &Limits) -> Peers {
        Peers {
            rates: Arc::new(Rates::new(
                limits.requests_per_second,
                limits.requests_burst,
            )),
            limit_loopback: limits.limit_loopback,
            trusted_proxies: limits.trusted_proxies.clone(),
            metrics_from: limits.metrics_from.clone(),
        }
    }

    /// Whether the connections of this address have a bound of their own.
    pub(super) fn is_alone(&self, from: IpAddr) -> bool {
        self.is_limited(from.to_canonical()) && !self.is_trusted(from)
    }

    /// The peer at the other end of a connection.
    pub(super) fn direct(&self, from: IpAddr) -> Peer {
        let from = from.to_canonical();
        Peer {
            rates: Arc::clone(&self.rates),
            network: network(from),
            is_limited: self.is_limited(from),
            measures: from.is_loopback() || self.metrics_from.contains(&from),
        }
    }

    /// Whoever sent a request. One of whom a trusted proxy says nothing that can be read is a stranger at the proxy's
    /// address: what is the proxy's own to do, or loopback's, it may not.
    pub(super) fn of(&self, from: IpAddr, headers: &HeaderMap) -> Peer {
        if !self.is_trusted(from) {
            return self.direct(from);
        }
        match last_hop(headers) {
            Some(forwarded) => self.direct(forwarded),
            None => Peer {
                is_limited: true,
                measures: false,
                ..self.direct(from)
            },
        }
    }

    /// A trusted proxy takes connections for others, who are counted by their requests.
    pub(super) fn is_trusted(&self, from: IpAddr) -> bool {
        self.trusted_proxies.contains(&from.to_canonical())
    }

    fn is_limited(&self, address: IpAddr) -> bool {
        self.limit_loopback || !address.is_loopback()
    }
}

/// The last address of the last `X-Forwarded-For`: whom the proxy itself saw. Those before it anybody may have made up.
fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    // What comes before the last comma is anybody's, also bytes that are no text.
    let tail = line.as_bytes().rsplit(|byte| *byte == b',').next()?;
    let hop = std::str::from_utf8(tail).ok()?.trim();
    hop.parse()
        .or_else(|_| {
            hop.parse()
                .map(|with_port: std::net::SocketAddr| with_port.ip())
        })
        .ok()
}

impl Peer {
    /// What it is counted by, where it is limited.
    pub(super) fn limited(&self) -> Option<IpAddr> {
        self.is_limited.then_some(self.network)
    }

    /// Takes what a request costs, or says after how long it may be sent.
    pub(super) fn take(&self, cost: Cost) -> Result<(), Duration> {
        if !self.is_limited {
            return Ok(());
        }
        let taken = self.rates.take(self.network, cost);
        if taken.is_err() {
            metrics::rate_limited();
        }
        taken
    }

    /// Counts a problem with a signature against whoever sent it.
    pub(super) fn blamed(&self, handled: Handled) -> Handled {
        handled.inspect_err(|problem| self.blame(problem))
    }

    /// The same for one line of a batch.
    pub(super) fn blame(&self, problem: &Problem) {
        if !FORGED.contains(&problem.code) {
            return;
        }
        metrics::bad_signature();
        if self.is_limited {
            self.rates.charge(self.network, Cost::FORGED, 1);
        }
    }
}

/// What counts as one address: of IPv6 the network of 64 bits, all of which one peer usually has.
pub(super) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use warp::http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn peers() -> Peers {
        Peers::new(&Limits {
            trusted_proxies: vec![ip("10.0.0.1")],
            metrics_from: vec![ip("10.0.0.9")],
            ..Limits::default()
        })
    }

    #[rstest]
    #[case::direct("203.0.113.7", &[], "203.0.113.7")]
    #[case::nobody_is_believed_who_is_not_trusted("203.0.113.7", &["198.51.100.1"], "203.0.113.7")]
    #[case::a_proxy("10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    #[case::mapped_into_v6("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    #[case::what_the_peer_made_up("10.0.0.1", &["127.0.0.1, 198.51.100.1"], "198.51.100.1")]
    #[case::in_lines("10.0.0.1", &["127.0.0.1", "198.51.100.1"], "198.51.100.1")]
    #[case::with_port("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1")]
    #[case::v6("10.0.0.1", &["2001:db8:1:2:3::4"], "2001:db8:1:2::")]
    #[case::v6_with_port("10.0.0.1", &["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::")]
    #[case::no_address("10.0.0.1", &["unknown"], "10.0.0.1")]
    #[case::nothing("10.0.0.1", &[], "10.0.0.1")]
    fn the_last_hop_of_a_trusted_proxy_is_the_peer(
        #[case] from: &str,
        #[case] forwarded: &[&str],
        #[case] counted: &str,
    ) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        assert_eq!(peers().of(ip(from), &headers).network, ip(counted));
    }

    #[rstest]
    #[case("127.0.0.1", false, true, false)]
    #[case("::1", false, true, false)]
    #[case("10.0.0.9", true, true, true)]
    #[case("10.0.0.1", true, false, false)]
    #[case("203.0.113.7", true, false, true)]
    fn who_is_limited_and_who_measures(
        #[case] from: &str,
        #[case] is_limited: bool,
        #[case] measures: bool,
        #[case] is_alone: bool,
    ) {
        let peers = peers();
        let peer = peers.direct(ip(from));
        assert_eq!((peer.is_limited, peer.measures), (is_limited, measures));
        assert_eq!(peers.is_alone(ip(from)), is_alone);
    }
}
