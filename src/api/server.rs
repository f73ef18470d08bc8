//! The accept loop: what `warp::serve` leaves open. Deadlines for what a peer sends, caps on connections in all and
//! for each address, and a shutdown that finishes what was accepted and then ends.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use warp::filters::BoxedFilter;
use warp::reply::Response as Reply;

use super::Api;
use super::routes::routes;
use super::streams::Streams;

/// What a peer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections in all; more wait to be accepted.
    pub connections: usize,
    /// Most connections of one address; more are closed at once.
    pub connections_per_address: usize,
    /// The headers of a request must be there in this time, from the end of the request before.
    pub header_read: Duration,
    /// Bytes of the headers of a request behind which no more are read.
    pub header_bytes: usize,
    /// A connection takes no further request after this time.
    pub connection_age: Duration,
    /// How long a shutdown waits for what was accepted.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1_024,
            connections_per_address: 128,
            header_read: Duration::from_secs(10),
            header_bytes: 64 * 1024,
            connection_age: Duration::from_secs(600),
            grace: Duration::from_secs(15),
        }
    }
}

/// An API on a socket.
pub struct Server {
    listener: TcpListener,
    routes: BoxedFilter<(Reply,)>,
    streams: Arc<Streams>,
    limits: Limits,
}

impl Server {
    /// Listens; nothing is accepted before [`Server::run`].
    pub async fn bind(address: SocketAddr, api: Api, limits: Limits) -> io::Result<Server> {
        Server::on(TcpListener::bind(address).await?, api, limits)
    }

    /// Takes over a socket that listens already: so that its address can be the API's audience.
    pub fn on(listener: TcpListener, api: Api, limits: Limits) -> io::Result<Server> {
        Ok(Server {
            listener,
            streams: api.streams(),
            routes: routes(Arc::new(api)),
            limits,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then finishes what was accepted and ends after [`Limits::grace`] at the latest.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Server {
            listener,
            routes,
            streams,
            limits,
        } = self;
        let (stopping, stopped) = watch::channel(false);
        let room = Arc::new(Semaphore::new(limits.connections));
        let addresses = Arc::new(Addresses::default());
        let mut stop = pin!(stop);
        loop {
            let next = async {
                let permit = Arc::clone(&room).acquire_owned().await.ok()?;
                Some((accept(&listener).await, permit))
            };
            let ((stream, peer), permit) = tokio::select! {
                biased;
                () = &mut stop => break,
                next = next => match next {
                    Some(next) => next,
                    None => break,
                },
            };
            let place = Addresses::place(&addresses, peer.ip(), limits.connections_per_address);
            let Some(place) = place else { continue };
            let served = serve(stream, routes.clone(), limits, stopped.clone());
            tokio::spawn(async move {
                served.await;
                drop((permit, place));
            });
        }
        drop(listener);
        streams.stop();
        stopping.send_replace(true);
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        // Whatever is still open after the grace is cut off with the runtime.
        tokio::time::timeout(limits.grace, room.acquire_many(all))
            .await
            .ok();
    }
}

/// The next connection. What fails for one peer, or for want of file handles, is tried again.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    routes: BoxedFilter<(Reply,)>,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small and whole: waiting to fill a segment only delays them.
    stream.set_nodelay(true).ok();
    // Only HTTP/1: to find out which version a peer speaks there is no deadline.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_buf_size(limits.header_bytes);
    let service = TowerToHyperService::new(warp::service(routes));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return note_end(ended),
        () = tokio::time::sleep(limits.connection_age) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = tokio::time::timeout(limits.grace, connection).await {
        note_end(ended);
    }
}

fn note_end(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// One connection of an address; given back when dropped.
struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn place(addresses: &Arc<Addresses>, peer: IpAddr, most: usize) -> Option<Place> {
        let address = network(peer);
        let mut counts = addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            addresses: Arc::clone(addresses),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counts = &self.addresses.0;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: of IPv6 the network of 64 bits, all of which one peer usually has.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}
