//! Writes the copy in the charset of the page.

use encoding_rs::Encoding;

/// Encodes a text. A character that the charset lacks becomes a character reference. `has_mark` says whether UTF-8 begins
/// with a byte order mark; UTF-16 always does.
pub(super) fn encode(text: &str, charset: &str, has_mark: bool) -> Vec<u8> {
    match charset {
        "utf-16le" => marked(text.encode_utf16().flat_map(u16::to_le_bytes), &[0xff, 0xfe]),
        "utf-16be" => marked(text.encode_utf16().flat_map(u16::to_be_bytes), &[0xfe, 0xff]),
        "utf-8" if has_mark => marked(text.bytes(), &[0xef, 0xbb, 0xbf]),
        name => {
            let encoding = Encoding::for_label(name.as_bytes()).unwrap_or(encoding_rs::UTF_8);
            encoding.encode(text).0.into_owned()
        }
    }
}

/// Returns bytes after a byte order mark.
fn marked(bytes: impl Iterator<Item = u8>, mark: &[u8]) -> Vec<u8> {
    mark.iter().copied().chain(bytes).collect()
}
