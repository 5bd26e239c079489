//! A decoded document: its blocks, and notes about how the reader obtained them.

use strum::{EnumString, IntoStaticStr};

use crate::{
    block::Block,
    fact::{Concept, ParseError, Source},
    metadata::Field,
};

/// The media type of a document, detected from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum MediaType {
    /// Plain text.
    #[strum(serialize = "text/plain")]
    Text,
    /// Markdown.
    #[strum(serialize = "text/markdown")]
    Markdown,
    /// HTML.
    #[strum(serialize = "text/html")]
    Html,
    /// Word and WPS since 2007.
    #[strum(serialize = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    Docx,
    /// PDF.
    #[strum(serialize = "application/pdf")]
    Pdf,
    /// Word and WPS before 2007.
    #[strum(serialize = "application/msword")]
    Doc,
}

impl MediaType {
    /// Returns the IANA name, as in `media_type` of every answer.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A remark of the reader that rules may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Number of times that pinyin in brackets was removed after Han characters. Scraped mirrors have such pinyin.
    PinyinRemoved(u32),
    /// Traditional glyphs were converted to simplified ones.
    TraditionalConverted,
    /// The declared charset was not the actual one.
    CharsetMismatch,
    /// Some bytes did not decode and were replaced by U+FFFD.
    ReplacementCharacters(u32),
    /// Number of tracked changes of the text (修订) left in the document. It is read as if all were accepted.
    TrackedChanges(u32),
    /// Number of comments (批注) left in the document.
    Comments(u32),
    /// Number of pieces of hidden text (隐藏文字) left in the document. They are not read.
    HiddenText(u32),
    /// A row or column has a label that is not the form's.
    AlteredLabel(AlteredLabel),
}

/// A label that is neither the form's nor a known variant of it, but was recognised by its likeness or its place, or that
/// states another unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredLabel {
    /// The concept of the row or column.
    pub concept: Concept,
    /// The label as printed, with its cell.
    pub source: Source,
}

/// A decoded document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Media type of the document.
    pub media_type: MediaType,
    /// The charset that the document was decoded from, by its WHATWG name in lower case; `utf-8` where the format has
    /// none.
    pub charset: &'static str,
    /// Title of the page's metadata, if the format has any: the last source for names.
    pub meta_title: Option<String>,
    /// The page's `<meta>` tags about its publication.
    pub fields: Vec<Field>,
    /// Content of the document, in reading order.
    pub blocks: Vec<Block>,
    /// Notes of the reader.
    pub notes: Vec<Note>,
}
