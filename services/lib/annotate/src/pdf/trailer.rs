//! The end of a PDF: where its last cross-reference section is, and what its trailer says.

use hayro_interpret::hayro_syntax::object::{Array, Dict, FromBytes as _, ObjRef};

use super::write;

/// Number of bytes at the end that are searched for the position of the last section.
const TAIL: usize = 2048;

/// What an update repeats of the original's trailer.
#[derive(Debug)]
pub(super) struct Trailer {
    /// Position of the last cross-reference section.
    pub(super) previous: usize,
    /// True if that section is a stream.
    pub(super) is_stream: bool,
    /// One more than the greatest object number.
    pub(super) size: u32,
    /// The entries to repeat, as written: root, information and identifier.
    pub(super) entries: String,
    pub(super) is_encrypted: bool,
}

impl Trailer {
    /// Reads the trailer. Returns `None` if it is damaged: a reader may repair the file, but an update would not fit it.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let tail_at = bytes.len().saturating_sub(TAIL);
        let tail = bytes.get(tail_at..)?;
        let at = rfind(tail, b"startxref")?;
        let digits: Vec<u8> = tail
            .get(at + b"startxref".len()..)?
            .iter()
            .copied()
            .skip_while(u8::is_ascii_whitespace)
            .take_while(u8::is_ascii_digit)
            .collect();
        let previous: usize = std::str::from_utf8(&digits).ok()?.parse().ok()?;
        let section = bytes.get(previous..)?;
        let is_stream = !section.trim_ascii_start().starts_with(b"xref");
        let from = if is_stream { 0 } else { find(section, b"trailer")? };
        let dictionary = section.get(from..)?;
        if is_stream && !is_object(dictionary) {
            return None;
        }
        let dictionary = dictionary.get(find(dictionary, b"<<")?..)?;
        let trailer = Dict::from_bytes(dictionary)?;
        let root: ObjRef = trailer.get_ref("Root")?;
        let mut entries = format!("/Root {} {} R", root.obj_number, root.gen_number);
        if let Some(information) = trailer.get_ref("Info") {
            entries.push_str(&format!(" /Info {} {} R", information.obj_number, information.gen_number));
        }
        if let Some(identifier) = trailer.get::<Array<'_>>("ID") {
            entries.push_str(&format!(" /ID [{}]", write::items(&identifier).join(" ")));
        }
        let size = u32::try_from(trailer.get::<i32>("Size")?).ok()?;
        Some(Self { previous, is_stream, size, entries, is_encrypted: trailer.contains_key("Encrypt") })
    }
}

/// Returns true if bytes begin like an object: `12 0 obj`.
fn is_object(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(32)).unwrap_or_default();
    let mut words = head.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let is_number = |word: Option<&[u8]>| word.is_some_and(|word| word.iter().all(u8::is_ascii_digit));
    is_number(words.next())
        && is_number(words.next())
        && words.next().is_some_and(|word| word.starts_with(b"obj"))
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

fn rfind(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).rposition(|window| window == word)
}
