//! Reads request bodies through [`crate::admission`], with a limit on their size.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};

use crate::{
    admission::{Admission, Hold},
    error::{Code, Problem},
};

/// Bytes of a refused body that are discarded before the response.
const DISCARD_LIMIT: usize = 256 * 1024 * 1024;

/// A body in memory. It counts against the memory budget until it is dropped.
pub(super) struct Buffered {
    pub(super) bytes: Bytes,
    _hold: Arc<Hold>,
}

/// Reads a whole body of at most `limit` bytes. `is_proven` says that the headers alone authenticate the sender.
///
/// # Errors
/// `TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` if the body is compressed, and those of [`crate::admission::Arriving::next`].
pub(super) async fn read(
    admission: &Admission,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
    is_proven: bool,
) -> Result<Buffered, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::new(Code::UnsupportedMediaType, "send the body without Content-Encoding"));
    }
    let too_large = || Problem::new(Code::TooLarge, format!("the body is over {limit} bytes"));
    if declared_length(headers).is_some_and(|length| length > limit) {
        return Err(refuse(admission, headers, body, too_large()).await);
    }
    let mut arriving = admission.receive(body, is_proven);
    let mut bytes = BytesMut::new();
    loop {
        let piece = match arriving.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(problem) => {
                if problem.code == Code::Overloaded {
                    arriving.discard(DISCARD_LIMIT).await;
                }
                return Err(problem);
            }
        };
        if arriving.received() > limit {
            arriving.discard(DISCARD_LIMIT).await;
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Buffered { bytes: bytes.freeze(), _hold: arriving.hold() })
}

/// Discards a body that nobody reads, and returns the problem.
pub(super) async fn refuse(
    admission: &Admission,
    headers: &HeaderMap,
    body: Body,
    problem: Problem,
) -> Problem {
    // A client that sent `Expect` has not started to send the body.
    let asked = headers.contains_key(header::EXPECT);
    if !asked && declared_length(headers).is_none_or(|length| length <= DISCARD_LIMIT) {
        admission.receive(body, false).discard(DISCARD_LIMIT).await;
    }
    problem
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::Config;

    const KIB: usize = 1024;

    #[tokio::test]
    async fn limits_hold_with_and_without_a_declared_length() {
        let admission = Admission::new(&Config::default(), CancellationToken::new());
        let streamed = |pieces: usize| {
            let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[0; KIB]));
            Body::from_stream(stream::iter((0..pieces).map(move |_| piece())))
        };
        let read = async |headers: &HeaderMap, pieces| {
            let result = read(&admission, 4 * KIB, headers, streamed(pieces), true).await;
            result.map(|body| body.bytes.len()).map_err(|problem| problem.code)
        };
        let none = HeaderMap::new();
        assert_eq!(read(&none, 4).await, Ok(4 * KIB));
        assert_eq!(read(&none, 5).await, Err(Code::TooLarge));
        let declared = HeaderMap::from_iter([(header::CONTENT_LENGTH, "999999".parse().unwrap())]);
        assert_eq!(read(&declared, 1).await, Err(Code::TooLarge));
        let gzip = HeaderMap::from_iter([(header::CONTENT_ENCODING, "gzip".parse().unwrap())]);
        assert_eq!(read(&gzip, 1).await, Err(Code::UnsupportedMediaType));
    }
}
