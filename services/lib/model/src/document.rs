//! A decoded document: its blocks, and notes about how the reader obtained them.

use strum::{EnumString, IntoStaticStr};

use crate::{block::Block, fact::ParseError, metadata::Field};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Note {
    /// Number of times that pinyin in brackets was removed after Han characters. Scraped mirrors have such pinyin.
    PinyinRemoved(u32),
    /// Traditional glyphs were converted to simplified ones.
    TraditionalConverted,
    /// The declared charset was not the actual one.
    CharsetMismatch,
    /// Some bytes did not decode and were replaced by U+FFFD.
    ReplacementCharacters(u32),
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
