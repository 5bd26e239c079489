//! A document before its blocks are read, for whoever writes a copy of it.

use gongkai_model::{Block, MediaType, Rejection};

use crate::{charset, hints::Hints, limits::Limits, mirror_cleanup, sniff};

/// A document whose format is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Original {
    /// A document that is text. The spans of its blocks are positions in that text.
    Text(OriginalText),
    /// A document of this binary format.
    Binary(MediaType),
}

/// The decoded text of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalText {
    /// Media type: HTML, Markdown or plain text.
    pub media_type: MediaType,
    /// The text, without a byte order mark.
    pub text: String,
    /// WHATWG name of the charset that it was decoded from, in lower case.
    pub charset: &'static str,
    /// True if the bytes begin with a byte order mark.
    pub has_mark: bool,
}

/// Determines the format of a document as [`read`](crate::read) does, and decodes it if it is text.
///
/// # Errors
/// The document is no document of a known format, or its charset is unknown.
pub fn original(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Result<Original, Rejection> {
    if let Some(media_type) = sniff::screen(bytes, limits)? {
        return Ok(Original::Binary(media_type));
    }
    let decoded = charset::decode(bytes, hints)?;
    let media_type = sniff::media_type(&decoded.text, hints);
    let has_mark = encoding_rs::Encoding::for_bom(bytes).is_some();
    Ok(Original::Text(OriginalText { media_type, text: decoded.text, charset: decoded.charset, has_mark }))
}

/// Reads the blocks of a DOCX as [`read`](crate::read) does, with spans: ranges of the main part, in bytes. The span of a
/// cell is its element; the span of a paragraph is its element or begins in it.
///
/// # Errors
/// As for [`read`](crate::read).
pub fn docx_blocks(bytes: &[u8], limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let mut blocks = crate::binary_content(bytes, MediaType::Docx, limits)?.blocks;
    mirror_cleanup::clean_blocks(&mut blocks);
    Ok(blocks)
}
