//! Request bodies: how long they may be, how long they may take, of what type.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::{Instant as Moment, timeout_at};
use warp::http::StatusCode;
use warp::{Buf, Stream};

use super::problem::Problem;
use super::reply::JSON_TYPE;

/// How long a body may begin, and then pause, before its share of [`PACE`] is asked for.
const SLACK: Duration = Duration::from_secs(10);
/// Bytes of a body that must come in a second, in the long run: less is a peer that only holds our memory.
const PACE: u32 = 16 * 1024;

/// The most that a body may be, in length and in the time until it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

impl Most {
    /// So many bytes in half a minute.
    pub(super) const fn bytes(bytes: usize) -> Most {
        Most {
            bytes,
            time: Duration::from_secs(30),
        }
    }
}

/// Checks a `Content-Type` header; parameters such as a charset may follow the type.
pub(super) fn expect_type(header: Option<&str>, expected: &str) -> Result<(), Problem> {
    let given = header.and_then(|value| value.split(';').next());
    let fits = given.is_some_and(|given| given.trim().eq_ignore_ascii_case(expected));
    if fits {
        Ok(())
    } else {
        Err(Problem::wrong_type(expected))
    }
}

/// Reads a small JSON body.
pub(super) fn parse<T: DeserializeOwned>(header: Option<&str>, bytes: &[u8]) -> Result<T, Problem> {
    expect_type(header, JSON_TYPE)?;
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::bad_request("body.malformed", "the body is not what this takes")
            .error("", error.to_string())
    })
}

/// Reads a body whole, or says why not.
pub(super) async fn read<S, B>(body: S, most: Most) -> Result<Vec<u8>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let began = Moment::now();
    let mut body = pin!(body);
    let mut all = Vec::new();
    loop {
        let paced = u32::try_from(all.len()).unwrap_or(u32::MAX) / PACE;
        let until = began + most.time.min(SLACK + Duration::from_secs(paced.into()));
        let part = poll_fn(|context| body.as_mut().poll_next(context));
        let part = timeout_at(until, part)
            .await
            .map_err(|_| too_slow(until - began))?;
        let Some(part) = part else { return Ok(all) };
        let mut part = part.map_err(|_| {
            Problem::bad_request("body.incomplete", "the body ended before its end")
        })?;
        if all.len() + part.remaining() > most.bytes {
            return Err(Problem::too_large(format!(
                "the body may have at most {} bytes",
                most.bytes
            )));
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            all.extend_from_slice(chunk);
            let read = chunk.len();
            part.advance(read);
        }
    }
}

fn too_slow(waited: Duration) -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "body.timeout",
        format!(
            "the body did not arrive in {} s: in the long run {PACE} bytes a second must come",
            waited.as_secs()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain(Some("application/json"), true)]
    #[case::with_charset(Some("application/json; charset=utf-8"), true)]
    #[case::other_case(Some("Application/JSON"), true)]
    #[case::another(Some("text/plain"), false)]
    #[case::longer(Some("application/jsonp"), false)]
    #[case::none(None, false)]
    fn the_type_is_checked(#[case] header: Option<&str>, #[case] fits: bool) {
        assert_eq!(expect_type(header, "application/json").is_ok(), fits);
    }

    /// So many parts of four bytes, each after a pause, and then nothing more without an end.
    struct Parts {
        left: usize,
        pause: Duration,
        next: Option<Pin<Box<tokio::time::Sleep>>>,
    }

    fn parts(left: usize, pause_s: u64) -> Parts {
        Parts {
            left,
            pause: Duration::from_secs(pause_s),
            next: None,
        }
    }

    impl Stream for Parts {
        type Item = Result<&'static [u8], warp::Error>;

        fn poll_next(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            if self.left == 0 {
                return Poll::Pending;
            }
            let pause = self.pause;
            let next = self
                .next
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            std::task::ready!(next.as_mut().poll(context));
            self.next = None;
            self.left -= 1;
            Poll::Ready(Some(Ok(b"four")))
        }
    }

    #[rstest]
    #[case::more_than_fits(parts(3, 0), 413, 0)]
    #[case::no_end(parts(2, 0), 408, 10)]
    #[case::a_trickle(parts(1_000, 1), 408, 10)]
    fn a_body_is_bounded_in_bytes_and_time(
        #[case] body: Parts,
        #[case] status: u16,
        #[case] seconds: u64,
    ) {
        let bytes = if status == 413 { 8 } else { 10_000 };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let began = Moment::now();
            let refused = read(body, Most::bytes(bytes)).await.unwrap_err();
            assert_eq!(refused.status.as_u16(), status);
            assert_eq!(began.elapsed().as_secs(), seconds);
        });
    }
}
