//! What happens around every request: who sends it, whether it may come now, and a line of the log and a count when its
//! answer is gone. Nothing of this names a party, an object or an address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::time::Instant as Moment;
use warp::filters::BoxedFilter;
use warp::http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY};
use warp::http::{Method, Request, Response, StatusCode};
use warp::reply::Response as Reply;

use super::connections::Place;
use super::metrics::{Answers, METHODS};
use super::openapi;
use super::peer::Peers;
use super::problem::Problem;
use super::rates::Cost;
use super::reply::secured;

/// The routes, watched.
pub(super) struct Watch {
    pub(super) routes: BoxedFilter<(Reply,)>,
    pub(super) peers: Peers,
    /// Whether what is said here cannot be read on the way.
    pub(super) is_secure: bool,
}

impl Watch {
    /// Answers one request of a connection.
    pub(super) async fn answer<B>(
        &self,
        from: IpAddr,
        place: Arc<Place>,
        mut request: Request<B>,
    ) -> Response<Watched<impl Body<Data = Bytes, Error = warp::Error> + Send + use<B>>>
    where
        B: Body + Send + Sync + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let route = route_of(request.uri().path());
        let mut seen = Seen {
            method: method_of(request.method()),
            route,
            status: None,
            bytes: 0,
            began: Moment::now(),
            place: Arc::clone(&place),
        };
        let peer = self.peers.of(from, request.headers());
        let mut reply = match peer.take(route.cost) {
            Err(wait) => secured(Problem::too_fast(wait).reply()),
            Ok(()) => {
                request.extensions_mut().insert(peer);
                let request = request.map(|body| Awaited::new(body, place));
                let routes = TowerToHyperService::new(warp::service(self.routes.clone()));
                match routes.call(request).await {
                    Ok(reply) => reply,
                    Err(never) => match never {},
                }
            }
        };
        if self.is_secure {
            let lasts = HeaderValue::from_static("max-age=31536000");
            reply.headers_mut().insert(STRICT_TRANSPORT_SECURITY, lasts);
        }
        seen.answered(reply.status());
        reply.map(|body| Watched { body, seen })
    }
}

/// The body of a request: until it is there whole the connection waits for its peer.
struct Awaited<B> {
    body: Pin<Box<B>>,
    place: Arc<Place>,
}

impl<B: Body> Awaited<B> {
    fn new(body: B, place: Arc<Place>) -> Awaited<B> {
        if body.is_end_stream() {
            place.busy();
        }
        let body = Box::pin(body);
        Awaited { body, place }
    }
}

impl<B: Body> Body for Awaited<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = self.body.as_mut().poll_frame(context);
        match &polled {
            Poll::Pending => {}
            // Whoever sends is not the idlest.
            Poll::Ready(Some(Ok(_))) if !self.body.is_end_stream() => self.place.idle(),
            Poll::Ready(_) => self.place.busy(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that counts what is taken of it.
pub(super) struct Watched<B> {
    body: B,
    seen: Seen,
}

impl<B> Body for Watched<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let taken = frame.data_ref().map_or(0, Bytes::len);
            self.seen.bytes += u64::try_from(taken).unwrap_or(u64::MAX);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What the log says of a request; said when this is dropped, with the answer or the connection.
struct Seen {
    /// One of [`METHODS`].
    method: usize,
    route: &'static Route,
    status: Option<StatusCode>,
    bytes: u64,
    began: Moment,
    place: Arc<Place>,
}

impl Seen {
    fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        let took = self.began.elapsed();
        self.route.answers.add(self.method, status, took);
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.place.idle();
        tracing::info!(
            target: "counterfoil::access",
            method = METHODS[self.method],
            route = self.route.name,
            // None where the peer went away before there was an answer.
            status = self.status.map(|status| status.as_u16()),
            ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            bytes = self.bytes,
            "request"
        );
    }
}

fn cost_of(route: &str) -> Cost {
    match route {
        "/v1/challenges" | "/v1/sessions" => Cost::SESSION,
        _ => Cost::REQUEST,
    }
}

/// Which of [`METHODS`] it is.
fn method_of(method: &Method) -> usize {
    let at = METHODS.iter().position(|named| *named == method.as_str());
    at.unwrap_or(METHODS.len() - 1)
}

/// Where requests go.
struct Route {
    /// Its path in the API document, such as `/v1/contracts/{id}`: never that of a request.
    name: &'static str,
    cost: Cost,
    answers: Answers,
}

impl Route {
    fn of(name: &'static str) -> Route {
        Route {
            name,
            cost: cost_of(name),
            answers: Answers::of(name),
        }
    }

    fn fits(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        let fits = self.name.split('/').all(|part| {
            let given = parts.next();
            given.is_some_and(|given| part.starts_with('{') || part == given)
        });
        fits && parts.next().is_none()
    }
}

/// The routes of the API document.
struct Routes {
    /// Those whose name is the path.
    named: HashMap<&'static str, Route>,
    /// Those with a place that takes any.
    open: Vec<Route>,
    docs: Route,
    other: Route,
}

/// The route that a path fits.
fn route_of(path: &str) -> &'static Route {
    // The routes take one with a slash behind it too.
    let path = path.strip_suffix('/').unwrap_or(path);
    let routes = &*ROUTES;
    if path == "/docs" || path.starts_with("/docs/") {
        return &routes.docs;
    }
    // A name goes before a place that takes any.
    let named = routes.named.get(path);
    let open = || routes.open.iter().find(|route| route.fits(path));
    named.or_else(open).unwrap_or(&routes.other)
}

static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let paths = openapi::document()["paths"].as_object();
    let paths = paths.into_iter().flat_map(|paths| paths.keys());
    let (mut open, named): (Vec<&'static str>, Vec<_>) = paths
        .map(String::as_str)
        .partition(|path| path.contains('{'));
    open.sort_by_key(|route| route.matches('{').count());
    let named = named.into_iter().map(|name| (name, Route::of(name)));
    Routes {
        named: named.collect(),
        open: open.into_iter().map(Route::of).collect(),
        docs: Route::of("/docs"),
        other: Route::of("other"),
    }
});

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/healthz", "/healthz")]
    #[case("/v1/contracts", "/v1/contracts")]
    #[case("/v1/contracts/ctr_0123", "/v1/contracts/{id}")]
    #[case("/v1/receivables/rcv_0123/payoff", "/v1/receivables/{id}/payoff")]
    #[case("/v1/operations:batch", "/v1/operations:batch")]
    #[case("/v1/operations/0123", "/v1/operations/{id}")]
    #[case("/docs/index.html", "/docs")]
    #[case("/v1/secrets/of/somebody", "other")]
    #[case("/v1/contracts/ctr_0123/more", "other")]
    #[case("", "other")]
    fn a_path_is_told_by_its_route(#[case] path: &str, #[case] route: &str) {
        assert_eq!(route_of(path).name, route);
    }

    #[test]
    fn methods_are_told_by_name() {
        assert_eq!(METHODS[method_of(&Method::DELETE)], "DELETE");
        let made_up = Method::from_bytes(b"X-SECRET").unwrap();
        assert_eq!(METHODS[method_of(&made_up)], "other");
    }
}
