//! The document that a child reads.

use gongkai_reading::{Hints, Limits, ReportHints};

/// A document to read.
#[derive(Debug, Clone, Copy)]
pub struct RawDocument<'a> {
    /// Content of the document.
    pub bytes: &'a [u8],
    /// The sender's metadata of the file.
    pub hints: Hints<'a>,
    /// The sender's metadata of the report.
    pub known: ReportHints<'a>,
    /// The limits of the readers.
    pub limits: Limits,
}
