//! The sender's metadata of a document: file name, media type, charset.

/// The sender's metadata of the bytes. The bytes take precedence; a hint decides only if they are ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints<'a> {
    /// The media type, as in a `Content-Type` header; parameters are allowed.
    pub media_type: Option<&'a str>,
    /// The charset, by any of its WHATWG labels.
    pub charset: Option<&'a str>,
    /// The file's name.
    pub filename: Option<&'a str>,
}
