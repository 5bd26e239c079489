//! Turns away files whose compressed streams would fill the memory: the PDF library expands without bound.
//!
//! Looks at the bytes alone, before anything is read of the file: every stream long enough to matter is expanded into
//! nothing and counted. Streams of an encrypted file are not seen through.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use gongkai_model::Rejection;

use crate::{limits::Limits, reject};

/// Shortest stream that is looked at, in bytes: deflate expands a thousandfold at most.
const SHORTEST: usize = 32 << 10;

/// Longest stream in LZW, in bytes, which cannot be counted here and expands further than deflate.
const LONGEST_LZW: usize = 128 << 10;

/// Pictures are not expanded by us, but a stream may only say that it is one.
const PICTURES: u64 = 4;

/// All other streams together may expand to so many times what one may.
const TOGETHER: u64 = 2;

/// Checks the streams of a file.
pub(super) fn check(bytes: &[u8], limits: &Limits) -> Result<(), Rejection> {
    let limit = u64::try_from(limits.expanded_bytes).unwrap_or(u64::MAX);
    let too_large = || reject::too_large(("解压后字节数", "bytes when expanded"), limit);
    let mut together = 0_u64;
    let mut rest = bytes;
    while let Some(at) = find(rest, b"stream") {
        let (before, stream) = (&rest[..at], &rest[at + 6..]);
        rest = stream;
        if before.ends_with(b"end") {
            continue;
        }
        let stream = stream.strip_prefix(b"\r").unwrap_or(stream);
        let stream = stream.strip_prefix(b"\n").unwrap_or(stream);
        let dictionary = &before[before.windows(4).rposition(|word| word == b" obj").unwrap_or(0)..];
        let filters = count(dictionary, b"FlateDecode") + count(dictionary, b"LZWDecode");
        if filters > 1 {
            return Err(too_large());
        }
        let length = find(stream, b"endstream").unwrap_or(stream.len());
        if length < SHORTEST {
            continue;
        }
        if length > LONGEST_LZW && count(dictionary, b"LZW") > 0 {
            return Err(too_large());
        }
        let is_picture = count(dictionary, b"/Image") > 0;
        let most = if is_picture { limit.saturating_mul(PICTURES) } else { limit };
        let expanded = expanded(stream, most);
        together = together.saturating_add(if is_picture { 0 } else { expanded });
        if expanded > most || together > limit.saturating_mul(TOGETHER) {
            return Err(too_large());
        }
        rest = &stream[length..];
    }
    Ok(())
}

/// How much a stream expands to, up to one byte more than `most`. What is not compressed expands to nothing.
fn expanded(stream: &[u8], most: u64) -> u64 {
    let count = |decoder: &mut dyn Read| {
        let (mut count, mut buffer) = (0_u64, [0; 16 << 10]);
        while count <= most {
            // A stream that breaks off has expanded so far all the same.
            match decoder.read(&mut buffer) {
                Ok(read) if read > 0 => count = count.saturating_add(u64::try_from(read).unwrap_or(u64::MAX)),
                _ => break,
            }
        }
        count
    };
    count(&mut ZlibDecoder::new(stream)).max(count(&mut DeflateDecoder::new(stream)))
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

fn count(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).filter(|window| *window == word).count()
}
