//! The accept loop: what `warp::serve` leaves open. Deadlines for what a peer sends, caps on connections in all and
//! for each address, and a shutdown that finishes what was accepted and then ends.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use super::connections::{Connections, GivesWay, Place};
use super::peer::{Peers, network};
use super::rates::Cost;
use super::routes::routes;
use super::tls::Tls;
use super::watch::Watch;
use super::{Api, metrics};

/// What a peer may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most connections in all. When they are taken, the idlest gives way to a newcomer.
    pub connections: usize,
    /// Most connections of one address. When they are taken, its idlest gives way to its next.
    pub connections_per_address: usize,
    /// The headers of a request must be there in this time, from the end of the request before; a TLS handshake too.
    pub header_read: Duration,
    /// Bytes of the headers of a request behind which no more are read.
    pub header_bytes: usize,
    /// A peer that takes nothing of its answer for so long is cut.
    pub stall: Duration,
    /// A connection takes no further request after this time.
    pub connection_age: Duration,
    /// How long a shutdown waits for what was accepted.
    pub grace: Duration,
    /// Requests of one address in a second, in the long run. A request for a session counts as 10, a bad signature as 50.
    pub requests_per_second: u32,
    /// Requests that an address may send at once after a rest; at least [`Limits::BURST_LEAST`].
    pub requests_burst: u32,
    /// Whether what is limited by address is so for loopback addresses, which usually are the operator's own programs.
    pub limit_loopback: bool,
    /// Proxies that are believed whom they forward for.
    pub trusted_proxies: Vec<IpAddr>,
    /// Addresses besides loopback that may read the metrics.
    pub metrics_from: Vec<IpAddr>,
}

impl Limits {
    /// The least burst in which every request fits.
    pub const BURST_LEAST: u32 = Cost::SESSION.0;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1_024,
            connections_per_address: 128,
            header_read: Duration::from_secs(10),
            header_bytes: 64 * 1024,
            stall: Duration::from_secs(30),
            connection_age: Duration::from_secs(600),
            grace: Duration::from_secs(15),
            requests_per_second: 100,
            requests_burst: 1_000,
            limit_loopback: false,
            trusted_proxies: Vec::new(),
            metrics_from: Vec::new(),
        }
    }
}

/// An API on a socket.
pub struct Server {
    listener: TcpListener,
    api: Api,
    limits: Limits,
    tls: Option<Arc<Tls>>,
}

/// What all connections share.
struct Shared {
    watch: Arc<Watch>,
    limits: Limits,
    tls: Option<Arc<Tls>>,
}

impl Server {
    /// Listens; nothing is accepted before [`Server::run`].
    pub async fn bind(address: SocketAddr, api: Api, limits: Limits) -> io::Result<Server> {
        Ok(Server::on(TcpListener::bind(address).await?, api, limits))
    }

    /// Takes over a socket that listens already: so that its address can be the API's audience.
    pub fn on(listener: TcpListener, api: Api, limits: Limits) -> Server {
        Server {
            listener,
            api,
            limits,
            tls: None,
        }
    }

    /// Speaks TLS, if there is a certificate.
    #[must_use]
    pub fn with_tls(self, tls: Option<Arc<Tls>>) -> Server {
        Server { tls, ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then finishes what was accepted and ends after [`Limits::grace`] at the latest.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        metrics::begin();
        let grace = self.limits.grace;
        let streams = self.api.streams();
        let (stopping, stopped) = watch::channel(false);
        // Whoever serves a connection holds one end; when the last is gone, so are the connections.
        let (held, mut all_gone) = mpsc::channel::<Infallible>(1);
        tokio::select! {
            biased;
            () = stop => {}
            () = self.accept_all(stopped, held) => {}
            () = metrics::upkeep() => {}
        }
        streams.stop();
        stopping.send_replace(true);
        // Whatever is still open after the grace is cut off with the runtime.
        timeout(grace, all_gone.recv()).await.ok();
    }

    /// Accepts connections for as long as it is polled; then nobody listens any more.
    async fn accept_all(self, stopped: watch::Receiver<bool>, held: mpsc::Sender<Infallible>) {
        let Server {
            listener,
            api,
            limits,
            tls,
        } = self;
        let connections = Connections::new(limits.connections, limits.connections_per_address);
        let connections = Arc::new(connections);
        let shared = Arc::new(Shared {
            watch: Arc::new(Watch {
                routes: routes(Arc::new(api)),
                peers: Peers::new(&limits),
                is_secure: tls.is_some(),
            }),
            limits,
            tls,
        });
        loop {
            let (stream, peer) = accept(&listener).await;
            let peer = peer.ip();
            tracing::debug!(%peer, "a connection");
            let alone = shared.watch.peers.is_alone(peer);
            let admitted = Connections::admit(&connections, network(peer), alone);
            let Some((place, gives_way)) = admitted else {
                continue;
            };
            let (shared, stopped, held) = (Arc::clone(&shared), stopped.clone(), held.clone());
            tokio::spawn(async move {
                shared.serve(stream, peer, place, gives_way, stopped).await;
                drop(held);
            });
        }
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

impl Shared {
    /// One connection to its end, or until it has to give way.
    async fn serve(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        place: Place,
        gives_way: GivesWay,
        stopped: watch::Receiver<bool>,
    ) {
        // Answers are small and whole: waiting to fill a segment only delays them.
        stream.set_nodelay(true).ok();
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.stall));
        let stream = Box::pin(stream);
        let served = async {
            let Some(tls) = &self.tls else {
                return self.speak(stream, peer, place, stopped).await;
            };
            let peers = &self.watch.peers;
            if !peers.is_trusted(peer) && peers.direct(peer).take(Cost::HANDSHAKE).is_err() {
                return;
            }
            match timeout(self.limits.header_read, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, peer, place, stopped).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        };
        tokio::select! {
            () = served => {}
            _ = gives_way => tracing::debug!("a connection gave way to another"),
        }
    }

    /// HTTP on a stream.
    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: IpAddr,
        place: Place,
        mut stopped: watch::Receiver<bool>,
    ) {
        // Only HTTP/1: to find out which version a peer speaks there is no deadline.
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read)
            .max_buf_size(self.limits.header_bytes);
        let (watch, place) = (Arc::clone(&self.watch), Arc::new(place));
        let service = service_fn(move |request| {
            let (watch, place) = (Arc::clone(&watch), Arc::clone(&place));
            async move { Ok::<_, Infallible>(watch.answer(peer, place, request).await) }
        });
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => return note_end(ended),
            () = tokio::time::sleep(self.limits.connection_age) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        connection.as_mut().graceful_shutdown();
        if let Ok(ended) = timeout(self.limits.grace, connection).await {
            note_end(ended);
        }
    }
}

fn note_end(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
