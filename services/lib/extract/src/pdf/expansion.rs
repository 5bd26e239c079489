//! Counts the expanded size of the streams of a file, because the PDF library expands them without a limit.
//!
//! Nothing is kept: each stream is expanded, counted and discarded, whatever its filters, their order and their
//! number. All streams of a document have one budget. It is spent in two passes. [`Expansion::of_file`] counts every
//! stream that is visible in the bytes of the file, before the library opens the file and expands its tables and
//! object streams. [`Expansion::spend`] counts a stream as the library reads it: decrypted, and with the objects that
//! its dictionary refers to. A stream that was already counted in the same way is not counted again.

use std::{borrow::Cow, collections::HashMap};

use gongkai_model::Rejection;
use hayro_interpret::hayro_syntax::{
    object::{Dict, Name, Stream, dict::keys},
    reader::{Reader, ReaderContext, ReaderExt},
};

use super::filters::{self, Layer};
use crate::{limits::Limits, reject};

/// Maximum expansion of a picture, as a multiple of the limit. The library does not expand the pictures of a page,
/// but the file does not show which ones they are.
const PICTURES: u64 = 4;

/// Maximum expansion of all pictures together, as a multiple of the limit.
const PICTURES_TOGETHER: u64 = 16;

/// Maximum expansion of all other streams together, as a multiple of the limit.
const TOGETHER: u64 = 2;

/// Maximum number of filters of a stream. Most streams have one or two.
const MOST_FILTERS: usize = 8;

/// Maximum length of a predictor's row, in bytes. The library reserves one before it reads any data.
const LONGEST_ROW: u64 = 1 << 20;

/// Maximum number of entries of a table of objects. A report has some thousands.
const MOST_OBJECTS: u64 = 1 << 20;

/// The expanded size of the streams of one document.
pub(super) struct Expansion<'l> {
    limits: &'l Limits,
    /// How each stream was counted, by the position of its data in the file.
    counted: HashMap<usize, (usize, Vec<Layer>)>,
    /// Expanded size of the streams so far.
    together: u64,
    /// Expanded size of the pictures so far.
    pictures: u64,
    /// Maximum expanded size of the streams that were not expanded.
    unexpanded: u64,
}

// === impl Expansion ===

impl<'l> Expansion<'l> {
    /// Counts the streams that are visible in the bytes of a file.
    ///
    /// # Errors
    /// The streams expand to more than the limit.
    pub(super) fn of_file(bytes: &[u8], limits: &'l Limits) -> Result<Self, Rejection> {
        let mut this = Self { limits, counted: HashMap::new(), together: 0, pictures: 0, unexpanded: 0 };
        let last = bytes.windows(9).rposition(|word| word == b"endstream").unwrap_or(0);
        let mut from = 0;
        while let Some(at) = find(&bytes[from..], b"stream").map(|at| from + at).filter(|at| *at < last) {
            let before = &bytes[from..at];
            from = at + b"stream".len();
            let Some(stream) = stream_at_end(bytes, before, at) else { continue };
            this.count_as_read(&stream, bytes)?;
            if let Some((place, length)) = data_range(&stream, bytes) {
                from = from.max(place + length);
            }
        }
        Ok(this)
    }

    /// Counts a stream that the library will expand.
    ///
    /// # Errors
    /// The streams so far expand to more than the limit.
    pub(super) fn spend(&mut self, stream: &Stream<'_>, bytes: &[u8]) -> Result<(), Rejection> {
        let layers = filters::layers(stream);
        let known = data_range(stream, bytes).and_then(|(place, length)| {
            self.counted.get(&place).map(|(counted, as_layers)| *counted == length && *as_layers == layers)
        });
        if known == Some(true) { Ok(()) } else { self.count(stream, &layers, false) }
    }

    /// Counts a stream, and records it unless it claims to be a picture.
    fn count_as_read(&mut self, stream: &Stream<'_>, bytes: &[u8]) -> Result<(), Rejection> {
        let layers = filters::layers(stream);
        let is_picture =
            stream.dict().get::<Name<'_>>(keys::SUBTYPE).is_some_and(|name| name.as_ref() == keys::IMAGE);
        self.count(stream, &layers, is_picture)?;
        if !is_picture && let Some((place, length)) = data_range(stream, bytes) {
            self.counted.insert(place, (length, layers));
        }
        Ok(())
    }

    fn count(&mut self, stream: &Stream<'_>, layers: &[Layer], is_picture: bool) -> Result<(), Rejection> {
        check_rows(stream)?;
        if layers.len() > MOST_FILTERS {
            return Err(self.too_large());
        }
        let limit = as_u64(self.limits.expanded_bytes);
        let data = stream.raw_data();
        let entries = TableEntries::of(stream.dict());
        let bound = filters::most(layers, data.len());
        // A stream that cannot become large need not be expanded to be counted.
        if entries.is_none() && self.unexpanded.saturating_add(bound) <= limit / 2 {
            self.unexpanded += bound;
            return Ok(());
        }
        let most = if is_picture { limit.saturating_mul(PICTURES) } else { limit };
        let expanded = filters::count(&data, layers, most);
        if is_picture {
            self.pictures = self.pictures.saturating_add(expanded);
        } else {
            self.together = self.together.saturating_add(expanded);
        }
        if expanded > most
            || self.together.saturating_add(self.unexpanded) > limit.saturating_mul(TOGETHER)
            || self.pictures > limit.saturating_mul(PICTURES_TOGETHER)
        {
            return Err(self.too_large());
        }
        entries.map_or(Ok(()), |entries| entries.check(expanded))
    }

    fn too_large(&self) -> Rejection {
        reject::too_large(("解压后字节数", "bytes when expanded"), self.limits.expanded_bytes)
    }
}

/// The entries of a table of objects, for each of which the library reserves memory.
#[derive(Debug, Clone, Copy)]
enum TableEntries {
    /// As many entries of this size in bytes as the data contains.
    Each(u64),
    /// A number of entries that the dictionary states.
    Named(u64),
}

impl TableEntries {
    /// Returns the entries, or `None` for a stream that is not a table of objects.
    fn of(dictionary: &Dict<'_>) -> Option<Self> {
        if let Some(widths) = dictionary.get::<[u8; 3]>(keys::W) {
            // The library reads at most one byte of the first field.
            let [first, second, third] = widths.map(u64::from);
            return Some(Self::Each((first.min(1) + second + third).max(1)));
        }
        let is_container = dictionary.contains_key(keys::FIRST);
        dictionary.get::<usize>(keys::N).filter(|_| is_container).map(|count| Self::Named(as_u64(count)))
    }

    fn check(self, expanded: u64) -> Result<(), Rejection> {
        let count = match self {
            Self::Each(bytes) => expanded / bytes,
            // An entry has at least two numbers and two blanks, which are four bytes.
            Self::Named(count) => count.min(expanded / 4),
        };
        if count > MOST_OBJECTS {
            return Err(reject::too_large(("对象数", "objects"), MOST_OBJECTS));
        }
        Ok(())
    }
}

/// Checks the length of the rows that predictors of a stream reserve.
fn check_rows(stream: &Stream<'_>) -> Result<(), Rejection> {
    for parameters in filters::parameters(stream.dict()) {
        let number = |key, otherwise: u64| parameters.get::<usize>(key).map_or(otherwise, as_u64);
        let bits = number(keys::COLORS, 1).saturating_mul(number(keys::BITS_PER_COMPONENT, 8));
        let row = number(keys::COLUMNS, 1).saturating_mul(bits) / 8;
        if number(keys::PREDICTOR, 1) > 1 && row > LONGEST_ROW {
            return Err(reject::too_large(("一行字节数", "bytes of a row"), LONGEST_ROW));
        }
    }
    Ok(())
}

/// Returns the stream whose dictionary ends `before` the word at `at`.
fn stream_at_end<'a>(bytes: &'a [u8], before: &[u8], at: usize) -> Option<Stream<'a>> {
    let object = before.windows(3).rposition(|word| word == b"obj")?;
    let mut reader = Reader::new(bytes);
    reader.jump(at - before.len() + object + 3);
    reader.skip_white_spaces_and_comments();
    reader.read_with_context(&ReaderContext::dummy())
}

/// Returns the position of a stream's data in the file, and their length, or `None` if the data are decrypted.
fn data_range(stream: &Stream<'_>, bytes: &[u8]) -> Option<(usize, usize)> {
    let Cow::Borrowed(data) = stream.raw_data() else { return None };
    let place = data.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    (place < bytes.len()).then_some((place, data.len()))
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
