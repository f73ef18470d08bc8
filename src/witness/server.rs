//! The accept loop: deadlines for what a peer sends and takes, a cap on connections, and a stop that finishes what was accepted.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::Witness;
use super::http::answer;

/// What a peer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections; further ones wait to be accepted.
    pub connections: usize,
    /// The headers of a request must be there in this time, from the end of the request before.
    pub header_read: Duration,
    /// Bytes of the headers of a request behind which no more are read.
    pub header_bytes: usize,
    /// The body of a request must be there in this time.
    pub body_read: Duration,
    /// A peer that takes nothing of its answer for so long is cut.
    pub stall: Duration,
    /// A connection takes no further request after this time.
    pub connection_age: Duration,
    /// How long a stop waits for what was accepted.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 512,
            header_read: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            body_read: Duration::from_secs(10),
            stall: Duration::from_secs(10),
            connection_age: Duration::from_secs(600),
            grace: Duration::from_secs(15),
        }
    }
}

/// Serves a witness until `stop`, then finishes what was accepted and ends after [`Limits::grace`] at the latest.
pub async fn serve(
    listener: TcpListener,
    witness: Arc<Witness>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(false);
    tokio::select! {
        biased;
        () = stop => {}
        () = accept_all(listener, witness, limits, stopped) => {}
    }
    stopping.send_replace(true);
    // Every connection holds a receiver. Whatever is still open after the grace is cut off with the runtime.
    timeout(limits.grace, stopping.closed()).await.ok();
}

/// Accepts connections for as long as it is polled; then nobody listens any more.
async fn accept_all(
    listener: TcpListener,
    witness: Arc<Witness>,
    limits: Limits,
    stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let (stream, _) = accept(&listener).await;
        let witness = Arc::clone(&witness);
        tokio::spawn(speak(stream, witness, limits, stopped.clone(), place));
    }
}

/// The next connection. What fails for one peer, or for want of file handles, is tried again.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// HTTP on one connection to its end.
async fn speak(
    stream: TcpStream,
    witness: Arc<Witness>,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Answers are small and whole: waiting to fill a segment only delays them.
    stream.set_nodelay(true).ok();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.stall));
    // Only HTTP/1: to find out which version a peer speaks there is no deadline.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_buf_size(limits.header_bytes);
    let service =
        service_fn(move |request| answer(Arc::clone(&witness), request, limits.body_read));
    let stream = TokioIo::new(Box::pin(stream));
    let mut connection = pin!(builder.serve_connection(stream, service));
    tokio::select! {
        // A peer that goes away early, or is cut, is nothing to tell.
        _ = connection.as_mut() => return,
        () = sleep(limits.connection_age) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    timeout(limits.grace, connection).await.ok();
}

#[cfg(test)]
mod tests;
