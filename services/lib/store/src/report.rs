//! What readers get: a revision's header, and the whole report.

use gongkai_model::{Fact, FormId, ReportKey, Summary, Variant, Versions};

use crate::arrival::{Origin, Prose};

/// One revision of a report without its prose, facts and findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionHeader {
    /// Whose report of which year.
    pub key: ReportKey,
    /// From 1: its place among the report's revisions, lowest rank first. It moves when other content arrives late or again.
    pub ordinal: u32,
    /// The arrival of this content that ranks lowest.
    pub origin: Origin,
    /// The agency's name as the document gives it.
    pub agency_name: String,
    /// The form its tables follow.
    pub form: FormId,
    /// Its variant.
    pub variant: Variant,
    /// The title line.
    pub title: String,
    /// What the bytes turned out to be.
    pub media_type: String,
    /// How many findings of each weight.
    pub summary: Summary,
    /// Who read and checked it last.
    pub versions: Versions,
    /// The trace that carried it.
    pub trace_id: String,
    /// True for the newest revision if it was withdrawn and did not arrive again since.
    pub withdrawn: bool,
}

/// A report: one of its revisions, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its header.
    pub revision: RevisionHeader,
    /// The prose; absent if it was erased.
    pub prose: Option<Prose>,
    /// Every cell of the form, in the form's order.
    pub facts: Vec<Fact>,
}
