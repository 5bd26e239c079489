//! Reads request bodies through [`crate::admission`], with a limit on their size. A body may be compressed with gzip:
//! the limit applies to the decompressed size, and no body may expand to more than [`RATIO`] times its size beyond
//! the first mebibyte.

use std::{io::Read as _, sync::Arc};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header};

use crate::{
    admission::{Admission, Hold},
    blocking,
    error::{Code, Problem},
};

/// Bytes of a refused body that are discarded before the response.
const DISCARD_LIMIT: usize = 256 * 1024 * 1024;

/// The accepted codings of a body.
pub(super) const CODINGS: &str = "gzip, identity";
/// How many times its size a body may expand to, beyond [`FREE`]. Pages and office documents stay below a tenth of it.
const RATIO: usize = 200;
/// Bytes that every compressed body may expand to.
const FREE: usize = 1024 * 1024;

/// A body in memory. It counts against the memory budget until it is dropped.
pub(super) struct Buffered {
    pub(super) bytes: Bytes,
    _hold: Arc<Hold>,
}

/// Reads a whole body of at most `limit` bytes, decompressed. `is_proven` is true if the headers alone authenticate
/// the sender.
///
/// # Errors
/// `TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` if it has another coding than gzip, `INVALID_FIELD` if it is not valid in
/// its coding, and those of [`crate::admission::Arriving::next`].
pub(super) async fn read(
    admission: &Admission,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
    is_proven: bool,
) -> Result<Buffered, Problem> {
    let coding = match coding(headers) {
        Ok(coding) => coding,
        Err(problem) => return Err(refuse(admission, headers, body, problem).await),
    };
    let too_large = || too_large(limit);
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
    let (bytes, hold) = (bytes.freeze(), arriving.hold());
    match coding {
        Coding::Identity => Ok(Buffered { bytes, _hold: hold }),
        Coding::Gzip => {
            let held = hold.clone();
            let bytes = blocking::run_sized(usize::MAX, move || expand(&bytes, limit, &held)).await??;
            Ok(Buffered { bytes, _hold: hold })
        }
    }
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
}

fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let mut coding = Coding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase();
        match (value.as_str(), coding) {
            ("identity" | "", _) => {}
            ("gzip" | "x-gzip", Coding::Identity) => coding = Coding::Gzip,
            _ => {
                return Err(Problem::new(
                    Code::UnsupportedMediaType,
                    format!("Content-Encoding 只接受 {CODINGS}，且只压缩一次"),
                    format!("Content-Encoding must be one of {CODINGS}, applied once"),
                ));
            }
        }
    }
    Ok(coding)
}

/// Returns true if [`read`] accepts the coding of this body.
pub(super) fn has_known_coding(headers: &HeaderMap) -> bool {
    coding(headers).is_ok()
}

fn expand(compressed: &[u8], limit: usize, hold: &Hold) -> Result<Bytes, Problem> {
    let allowed = compressed.len().saturating_mul(RATIO).max(FREE);
    let mut source = MultiGzDecoder::new(compressed);
    let (mut bytes, mut piece) = (BytesMut::new(), vec![0; 64 * 1024]);
    loop {
        let read = source.read(&mut piece).map_err(|_| {
            Problem::new(
                Code::InvalidField,
                "Content-Encoding 是 gzip，但正文不是完整的 gzip 数据",
                "Content-Encoding is gzip, and the body is no complete gzip data",
            )
        })?;
        if read == 0 {
            return Ok(bytes.freeze());
        }
        bytes.extend_from_slice(&piece[..read]);
        if bytes.len() > limit {
            return Err(too_large(limit));
        }
        if bytes.len() > allowed {
            return Err(Problem::new(
                Code::TooLarge,
                format!("正文解压后超过其 {RATIO} 倍；请不压缩发送"),
                format!("the body expands to over {RATIO} times its size; send it uncompressed"),
            ));
        }
        hold.grow(compressed.len() + bytes.len())?;
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("正文超过 {limit} 字节"), format!("the body is over {limit} bytes"))
}

/// Discards an unread body, and returns the problem.
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
    use std::io::Write as _;

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
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn a_compressed_body_is_bounded_by_what_it_expands_to() {
        const LIMIT: usize = 8 << 20;
        let config = Config { max_body_bytes: LIMIT, ..Config::default() };
        let admission = Admission::new(&config, CancellationToken::new());
        let read = async |coding: &str, body: Vec<u8>| {
            let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, coding.parse().unwrap())]);
            let result = read(&admission, LIMIT, &headers, Body::from(body), true).await;
            result.map(|body| body.bytes).map_err(|problem| problem.code)
        };
        assert_eq!(read("gzip", gzip(b"<p>")).await.unwrap(), "<p>");
        assert_eq!(read("X-GZIP", [gzip(b"a"), gzip(b"b")].concat()).await.unwrap(), "ab");
        assert_eq!(read("identity", b"a".to_vec()).await.unwrap(), "a");
        assert_eq!(read("gzip", gzip(&[0; FREE])).await.unwrap().len(), FREE);
        assert_eq!(read("gzip", gzip(&vec![0; LIMIT])).await, Err(Code::TooLarge), "a bomb");
        let noise: Vec<u8> = noise().take(LIMIT + 1).collect();
        assert_eq!(read("gzip", gzip(&noise)).await, Err(Code::TooLarge), "over the limit");
        assert_eq!(read("gzip", b"<p>".to_vec()).await, Err(Code::InvalidField));
        let whole = gzip(b"annual report");
        assert_eq!(read("gzip", whole[..whole.len() - 1].to_vec()).await, Err(Code::InvalidField));
        for coding in ["br", "deflate", "zstd", "gzip, gzip"] {
            assert_eq!(read(coding, gzip(b"x")).await, Err(Code::UnsupportedMediaType), "{coding}");
        }
    }

    /// Returns bytes that compress a little. A simple generator suffices.
    fn noise() -> impl Iterator<Item = u8> {
        std::iter::successors(Some(1_u32), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
            .map(|x| x.to_be_bytes()[0] & 0x1f)
    }
}
