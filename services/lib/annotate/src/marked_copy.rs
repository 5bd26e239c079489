//! The copy as a value.

use gongkai_model::MediaType;

/// A marked copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedCopy {
    /// The content of the copy.
    pub bytes: Vec<u8>,
    /// The format of the copy. It is that of the document, except that plain text and Markdown become HTML.
    pub media_type: MediaType,
}
