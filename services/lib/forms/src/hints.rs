//! Metadata of a report that is known before its document is read.

/// The sender's metadata about a report. It counts where the document does not state it; the title may also complete
/// the agency's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportHints<'a> {
    /// Name of the agency.
    pub agency: Option<&'a str>,
    /// Year that the report is about.
    pub year: Option<i32>,
    /// Title of the article.
    pub title: Option<&'a str>,
}
