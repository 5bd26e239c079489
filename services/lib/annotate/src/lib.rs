//! The marked copy (批注版) of a document: bytes and remarks in, the bytes of a copy out, in the document's own format.
//!
//! [`annotate`] is a pure function: no file, no socket, no clock. It never changes the original; whoever has the copy can
//! see in it which cell or phrase each remark is about. `places` finds what to mark in a text, `html` writes pages,
//! `text` writes plain text and Markdown as a page, `docx` writes Word's comments, and
//! `pdf` highlights and notes.
//!
//! DESIGN.md has the reasons.

#![warn(missing_docs)]

mod docx;
mod html;
mod lang;
mod list;
mod marked_copy;
mod pdf;
mod places;
mod refusal;
mod search;
mod sheet;
mod text;
mod weave;

use gongkai_extract::{Hints, Limits, Original};
use gongkai_model::{MediaType, Rejection};

pub use lang::Lang;
pub use marked_copy::MarkedCopy;
pub use sheet::{Remark, RemarkSheet};

/// Returns a page in UTF-8 with the list of the remarks only, for a document that has no marked page.
#[must_use]
pub fn list_page(sheet: &RemarkSheet) -> Vec<u8> {
    text::list_page(sheet)
}

/// Returns a copy of a document with the remarks in it. `bytes`, `hints` and `limits` are those with which the document
/// was read, so that the positions of the remarks are positions in it.
///
/// A remark whose positions cannot be marked is in the copy's list of remarks only. A position outside the document is
/// passed over.
///
/// # Errors
/// No copy can be made; the code gives the reason: `UNSUPPORTED_FORMAT`, or a code of the readers.
pub fn annotate(
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    sheet: &RemarkSheet,
) -> Result<MarkedCopy, Rejection> {
    match gongkai_extract::original(bytes, hints, limits)? {
        Original::Text(original) if original.media_type == MediaType::Html => {
            Ok(html::annotate(&original, sheet))
        }
        Original::Text(original) => Ok(text::annotate(&original, sheet)),
        Original::Binary(MediaType::Docx) => docx::annotate(bytes, limits, sheet),
        Original::Binary(MediaType::Pdf) => pdf::annotate(bytes, limits, sheet),
        Original::Binary(media_type) => Err(refusal::unsupported(media_type)),
    }
}
