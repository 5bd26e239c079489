//! Rejects files whose compressed streams would fill the memory, because the PDF library expands streams without a
//! limit.
//!
//! The check works on the bytes of the file before anything is parsed. Every stream above a minimum length is
//! expanded, counted and discarded. Streams of an encrypted file cannot be expanded here.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use gongkai_model::Rejection;

use crate::{limits::Limits, reject};

/// Minimum length of a stream that is checked, in bytes. Deflate expands data by a factor of about a thousand at
/// most.
const SHORTEST: usize = 32 << 10;

/// Maximum length of an LZW stream, in bytes. LZW is not counted here and expands further than deflate.
const LONGEST_LZW: usize = 128 << 10;

/// How many times the limit a picture may expand to. Pictures are not expanded by this crate, but other streams can
/// claim to be pictures.
const PICTURES: u64 = 4;

/// How many times the limit all other streams together may expand to.
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

/// Returns the expanded size of a stream, counted up to one byte more than `most`. A stream that is not compressed
/// counts as 0.
fn expanded(stream: &[u8], most: u64) -> u64 {
    let count = |decoder: &mut dyn Read| {
        let (mut count, mut buffer) = (0_u64, [0; 16 << 10]);
        while count <= most {
            // What a truncated stream expanded to before it broke off still counts.
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
