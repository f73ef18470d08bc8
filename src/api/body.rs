//! Request bodies: how long they may be, how long they may take, of what type.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use warp::http::StatusCode;
use warp::{Buf, Stream};

use super::problem::Problem;
use super::reply::JSON_TYPE;

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
    let all = tokio::time::timeout(most.time, collect(body, most.bytes)).await;
    all.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body.timeout",
            format!("the body did not arrive in {} s", most.time.as_secs()),
        ))
    })
}

async fn collect<S, B>(body: S, limit: usize) -> Result<Vec<u8>, Problem>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let mut body = pin!(body);
    let mut all = Vec::new();
    while let Some(part) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let mut part = part.map_err(|_| {
            Problem::bad_request("body.incomplete", "the body ended before its end")
        })?;
        if all.len() + part.remaining() > limit {
            return Err(Problem::too_large(format!(
                "the body may have at most {limit} bytes"
            )));
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            all.extend_from_slice(chunk);
            let read = chunk.len();
            part.advance(read);
        }
    }
    Ok(all)
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

    /// So many parts of four bytes, and then nothing more without an end.
    struct Parts(usize);

    impl Stream for Parts {
        type Item = Result<&'static [u8], warp::Error>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            match self.0.checked_sub(1) {
                None => Poll::Pending,
                Some(left) => {
                    self.0 = left;
                    Poll::Ready(Some(Ok(b"four")))
                }
            }
        }
    }

    #[rstest]
    #[case::more_than_fits(Parts(3), 413)]
    #[case::no_end_in_time(Parts(2), 408)]
    fn a_body_is_bounded_in_bytes_and_time(#[case] body: Parts, #[case] status: u16) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let most = Most {
            bytes: 8,
            time: Duration::from_millis(20),
        };
        let refused = runtime.block_on(read(body, most)).unwrap_err();
        assert_eq!(refused.status.as_u16(), status);
    }
}
