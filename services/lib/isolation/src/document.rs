//! What a child is asked to read.

use gongkai_reading::{Hints, Limits, ReportHints};

/// A document to read.
#[derive(Debug, Clone, Copy)]
pub struct RawDocument<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What its sender says of the file.
    pub hints: Hints<'a>,
    /// What its sender says of the report.
    pub known: ReportHints<'a>,
    /// The limits of the readers.
    pub limits: Limits,
}
