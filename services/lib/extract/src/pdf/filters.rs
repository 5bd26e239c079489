//! The filters of PDF streams, as far as counting needs them: each is an iterator from bytes to bytes and keeps no
//! output.
//!
//! They produce the same output as the PDF library, so that a stream counts for its actual cost. Filters of pictures
//! are absent, because the library does not expand pictures that are only placed.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    iter,
    rc::Rc,
};

use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use hayro_interpret::hayro_syntax::{
    Filter,
    object::{Array, Dict, Object, Stream, dict::keys},
};

/// A filter of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Hex,
    Ascii85,
    RunLength,
    /// Whether codes grow one entry early, which is the default.
    Lzw {
        is_early: bool,
    },
    Flate,
}

/// The beginning of the data of a deflate stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Zlib,
    None,
}

/// Returns the filters of a stream up to the first that only pictures have.
pub(super) fn layers(stream: &Stream<'_>) -> Vec<Layer> {
    let parameters = parameters(stream.dict());
    let filters = stream.filters();
    let layers = filters.iter().enumerate().map_while(|(index, filter)| {
        Some(match filter {
            Filter::AsciiHexDecode => Some(Layer::Hex),
            Filter::Ascii85Decode => Some(Layer::Ascii85),
            Filter::RunLengthDecode => Some(Layer::RunLength),
            Filter::FlateDecode => Some(Layer::Flate),
            Filter::LzwDecode => {
                let early = parameters.get(index).and_then(|of| of.get::<u8>(keys::EARLY_CHANGE));
                Some(Layer::Lzw { is_early: early != Some(0) })
            }
            Filter::Crypt => None,
            _ => return None,
        })
    });
    layers.flatten().collect()
}

/// Returns the parameters of a stream's filters, in their order.
pub(super) fn parameters<'a>(stream: &Dict<'a>) -> Vec<Dict<'a>> {
    let one = stream.get::<Dict<'_>>(keys::DP).or_else(|| stream.get(keys::DECODE_PARMS));
    if let Some(one) = one {
        return vec![one];
    }
    let all = stream.get::<Array<'_>>(keys::DP).or_else(|| stream.get(keys::DECODE_PARMS));
    let all = all.into_iter().flat_map(|all| all.iter::<Object<'_>>());
    all.map(|of| of.into_dict().unwrap_or_default()).collect()
}

// === impl Layer ===

impl Layer {
    /// Returns the maximum number of bytes that one byte can expand to.
    fn factor(self) -> u64 {
        match self {
            Self::Hex => 1,
            Self::Ascii85 => 4,
            Self::RunLength => 64,
            Self::Lzw { .. } => 2600,
            Self::Flate => DEFLATE,
        }
    }

    fn decoder<'a>(self, input: Box<dyn BufRead + 'a>, wrapping: Wrapping) -> Box<dyn Read + 'a> {
        if self == Self::Flate {
            return match wrapping {
                Wrapping::Zlib => Box::new(ZlibDecoder::new(input)),
                Wrapping::None => Box::new(DeflateDecoder::new(input)),
            };
        }
        let input = input.bytes().map_while(Result::ok);
        match self {
            Self::Hex => Box::new(Produced(hex(input))),
            Self::Ascii85 => Box::new(Produced(ascii85(input))),
            Self::RunLength => Box::new(Produced(run_length(input).fuse())),
            Self::Lzw { is_early } => Box::new(Produced(Lzw::new(input, is_early).fuse())),
            Self::Flate => unreachable!("answered above"),
        }
    }
}

/// Maximum number of bytes that deflate can expand one byte to: 258 for two bits, and a little more.
const DEFLATE: u64 = 1032;

/// Returns the maximum size that data of this length can expand to.
pub(super) fn most(layers: &[Layer], length: usize) -> u64 {
    layers.iter().fold(as_u64(length), |most, layer| most.saturating_mul(layer.factor()))
}

/// Counts the expanded size of data under each of the filters, all together, up to some bytes more than `most`.
///
/// Deflate is read as the library reads it: with the zlib header, then without it, and if both fail, by a decoder
/// that continues after damaged data. Data after the damage count as the maximum that they can expand to.
pub(super) fn count(data: &[u8], layers: &[Layer], most: u64) -> u64 {
    let zlib = Counted::of(data, layers, Wrapping::Zlib, most);
    if zlib.behind_damage == 0 {
        return zlib.bytes;
    }
    let raw = Counted::of(data, layers, Wrapping::None, most);
    let bytes = zlib.bytes.max(raw.bytes);
    if raw.behind_damage == 0 {
        return bytes;
    }
    bytes.saturating_add(self::most(layers, zlib.behind_damage))
}

/// The size of expanded data.
struct Counted {
    bytes: u64,
    /// Number of bytes after the first damage that ended the data.
    behind_damage: usize,
}

impl Counted {
    fn of(data: &[u8], layers: &[Layer], wrapping: Wrapping, most: u64) -> Self {
        let total = Rc::new(Cell::new(0));
        let left = Rc::new(Cell::new(data.len()));
        let mut reader: Box<dyn BufRead + '_> = Box::new(MeteredData { data, left: left.clone() });
        for layer in layers {
            let decoder = layer.decoder(reader, wrapping);
            reader = Box::new(BufReader::new(Limited { decoder, total: total.clone(), most }));
        }
        let ended = io::copy(&mut reader, &mut io::sink());
        // In a chain of filters, the damaged bytes are unknown.
        let behind = if layers.len() > 1 { data.len() } else { left.get() };
        let behind_damage = if ended.is_err() { behind } else { 0 };
        Self { bytes: if layers.is_empty() { as_u64(data.len()) } else { total.get() }, behind_damage }
    }
}

/// Data with a counter of the remaining bytes.
struct MeteredData<'a> {
    data: &'a [u8],
    left: Rc<Cell<usize>>,
}

impl Read for MeteredData<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.data.read(buffer)?;
        self.left.set(self.data.len());
        Ok(read)
    }
}

impl BufRead for MeteredData<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.data)
    }

    fn consume(&mut self, amount: usize) {
        self.data.consume(amount);
        self.left.set(self.data.len());
    }
}

/// Counts the output of a filter, and ends it once all filters together exceed the limit.
struct Limited<'a> {
    decoder: Box<dyn Read + 'a>,
    total: Rc<Cell<u64>>,
    most: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.total.get() > self.most {
            return Ok(0);
        }
        let read = self.decoder.read(buffer)?;
        self.total.set(self.total.get().saturating_add(as_u64(read)));
        Ok(read)
    }
}

/// The bytes of an iterator.
struct Produced<I>(I);

impl<I: Iterator<Item = u8>> Read for Produced<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        for (to, byte) in buffer.iter_mut().zip(&mut self.0) {
            *to = byte;
            read += 1;
        }
        Ok(read)
    }
}

fn hex(input: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    let mut digits = input.take_while(|byte| *byte != b'>').filter(|byte| !is_blank(*byte));
    iter::from_fn(move || {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let high = digit(digits.next()?)?;
        Some(high << 4 | digits.next().map_or(Some(0), digit)?)
    })
}

fn ascii85(input: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    let mut digits = input.take_while(|byte| *byte != b'~').filter(|byte| !is_blank(*byte));
    let groups = iter::from_fn(move || {
        let first = digits.next()?;
        if first == b'z' {
            return Some(vec![0; 4]);
        }
        let group: Vec<u8> = iter::once(first).chain(digits.by_ref().take(4)).collect();
        let value = (0..5).try_fold(0_u32, |value, index| {
            let digit = group.get(index).map_or(Some(84), |byte| byte.checked_sub(b'!'))?;
            value.checked_mul(85)?.checked_add(digit.into())
        })?;
        Some(value.to_be_bytes()[..group.len().saturating_sub(1)].to_vec())
    });
    groups.fuse().flatten()
}

fn run_length(mut input: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    let (mut left, mut repeated) = (0_u16, None);
    iter::from_fn(move || {
        if left == 0 {
            let length = input.next()?;
            (left, repeated) = match length {
                0..=127 => (u16::from(length) + 1, None),
                128 => return None,
                _ => (257 - u16::from(length), Some(input.next()?)),
            };
        }
        left -= 1;
        repeated.or_else(|| input.next())
    })
}

/// The LZW filter: codes of 9 to 12 bits, each of which represents an earlier string and one more byte.
struct Lzw<I> {
    input: I,
    is_early: bool,
    bits: u32,
    held: u32,
    /// For each code from 258 on: the code of the string that it continues, and its last byte.
    table: Vec<(u16, u8)>,
    previous: Option<u16>,
    /// The next output, backwards.
    pending: Vec<u8>,
}

/// The first code that is neither a byte nor a command.
const FIRST_STRING: u16 = 258;

/// Maximum number of codes of twelve bits.
const MOST_CODES: u16 = 4096;

impl<I: Iterator<Item = u8>> Lzw<I> {
    fn new(input: I, is_early: bool) -> Self {
        Self { input, is_early, bits: 0, held: 0, table: Vec::new(), previous: None, pending: Vec::new() }
    }

    /// Returns the code of the next new string.
    fn next_code(&self) -> u16 {
        u16::try_from(self.table.len()).map_or(MOST_CODES, |length| FIRST_STRING + length)
    }

    fn code(&mut self) -> Option<u16> {
        let width = match self.next_code() + u16::from(self.is_early) {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        while self.held < width {
            self.bits = self.bits << 8 | u32::from(self.input.next()?);
            self.held += 8;
        }
        self.held -= width;
        u16::try_from(self.bits >> self.held & ((1 << width) - 1)).ok()
    }

    /// Adds the next string to `pending`. Returns `None` at the end, or if the code is invalid.
    fn fill(&mut self) -> Option<()> {
        let code = match self.code()? {
            256 => {
                self.table.clear();
                self.previous = None;
                return Some(());
            }
            257 => return None,
            code => code,
        };
        let is_new = code >= self.next_code();
        let known = if is_new { self.previous.filter(|_| code == self.next_code())? } else { code };
        let first = self.put(known)?;
        if is_new {
            self.pending.insert(0, first);
        }
        if let Some(previous) = self.previous
            && self.next_code() < MOST_CODES
        {
            self.table.push((previous, first));
        }
        self.previous = Some(code);
        Some(())
    }

    /// Adds a string, backwards, and returns its first byte.
    fn put(&mut self, mut code: u16) -> Option<u8> {
        while code >= FIRST_STRING {
            let (before, last) = *self.table.get(usize::from(code - FIRST_STRING))?;
            self.pending.push(last);
            code = before;
        }
        let first = u8::try_from(code).ok()?;
        self.pending.push(first);
        Some(first)
    }
}

impl<I: Iterator<Item = u8>> Iterator for Lzw<I> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.pending.is_empty() {
            self.fill()?;
        }
        self.pending.pop()
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
