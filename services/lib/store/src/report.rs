//! The header of a revision, and a whole report.

use gongkai_model::{Fact, FormId, ReportKey, ReviewStep, Summary, Variant, Versions};
use time::OffsetDateTime;

use crate::arrival::{Origin, StoredProse};

/// One revision of a report without its prose, facts and findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionHeader {
    /// Agency and year.
    pub key: ReportKey,
    /// Position among the report's revisions, lowest rank first, from 1. It changes when other content arrives late
    /// or again.
    pub ordinal: u32,
    /// The arrival of lowest rank of this content.
    pub origin: Origin,
    /// The sender's time for the arrival of highest rank of this content.
    pub event_time: Option<OffsetDateTime>,
    /// The agency's name in the document.
    pub agency_name: String,
    /// The form that the report's tables follow.
    pub form: FormId,
    /// The variant of the form.
    pub variant: Variant,
    /// The title line.
    pub title: String,
    /// The detected media type.
    pub media_type: String,
    /// Findings by severity.
    pub summary: Summary,
    /// Versions of the programs and rules of the last reading and validation.
    pub versions: Versions,
    /// Trace id of the document.
    pub trace_id: String,
    /// True for the current revision if it was withdrawn and has not arrived again since.
    pub withdrawn: bool,
}

/// One complete revision of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// Header of the revision.
    pub revision: RevisionHeader,
    /// The prose; absent if it was erased.
    pub prose: Option<StoredProse>,
    /// Every cell of the form, in the form's order.
    pub facts: Vec<Fact>,
    /// The steps of review before publication, in order.
    pub review: Vec<ReviewStep>,
}
