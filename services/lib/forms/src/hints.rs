//! What is known of a report before its document is read.

/// What the sender says about a report. It counts for what the document does not state; the title may also complete the
/// agency's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportHints<'a> {
    /// Name of the agency.
    pub agency: Option<&'a str>,
    /// Year that the report is about.
    pub year: Option<i32>,
    /// Title of the article.
    pub title: Option<&'a str>,
}
