//! Bytes to blocks: paragraphs and table grids, one module per format.
//!
//! [`read`] is a pure function: no file, no socket, no clock. It runs in this order: [`sniff`] says what the bytes
//! are, [`charset`] makes text of them, the format's own module makes blocks of the text, and [`mirror`] takes out on
//! the way what a mirror site added. Every block keeps where it stands in the decoded original.

mod binary;
mod charset;
mod html;
mod limits;
mod markdown;
mod mirror;
mod sniff;
mod source_text;
mod text;

use gongkai_model::{Document, MediaType, Rejection};

pub use limits::Limits;
pub use source_text::SourceText;

/// What the sender said about the bytes. Bytes win; a hint only decides where they leave a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints<'a> {
    /// The media type, as in a `Content-Type` header; parameters are allowed.
    pub media_type: Option<&'a str>,
    /// The charset, by any of its WHATWG labels.
    pub charset: Option<&'a str>,
    /// The file's name.
    pub filename: Option<&'a str>,
}

/// Reads a document.
///
/// # Errors
/// The document cannot be read; the code says why. Trying again with the same bytes gives the same answer.
pub fn read(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Result<Document, Rejection> {
    sniff::screen(bytes, limits)?;
    let decoded = charset::decode(bytes, hints)?;
    let media_type = sniff::media_type(&decoded.text, hints);
    let mut notes = decoded.notes;
    if media_type == MediaType::Html {
        let html = html::read(&decoded.text, limits)?;
        notes.extend(html.notes);
        return Ok(Document {
            media_type,
            charset: decoded.charset,
            meta_title: html.meta_title,
            blocks: html.blocks,
            notes,
        });
    }
    let source = mirror::clean(decoded.text, &mut notes);
    let blocks = if media_type == MediaType::Markdown {
        markdown::read(&source, limits)?
    } else {
        text::read(&source, limits)?
    };
    Ok(Document { media_type, charset: decoded.charset, meta_title: None, blocks, notes })
}
