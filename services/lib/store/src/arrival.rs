//! The arrivals with their outcomes, which the projector writes.

use gongkai_model::{Arrival, Fact, Finding, FormId, Region, ReportKey, ReviewStep, Variant, Versions};
use time::OffsetDateTime;

/// The origin of a revision: the arrival of its content that ranks lowest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Id of the submission.
    pub submission_id: String,
    /// SHA-256 of the bytes, hex: identifies a revision of a report.
    pub content_hash: String,
    /// Stream sequence of the arrival's `DocumentReceived`, which identifies the arrival.
    pub received_sequence: u64,
    /// When the document was received.
    pub received_at: OffsetDateTime,
    /// When the document was published, if known.
    pub published_at: Option<OffsetDateTime>,
    /// Where the document was published; empty if unknown.
    pub url: String,
    /// Region of the arrival's events.
    pub region: Region,
}

/// A chapter's prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSection {
    /// Number of the chapter, 1 to 6.
    pub number: u32,
    /// The heading.
    pub title: String,
    /// The prose, paragraphs joined by a line feed.
    pub text: String,
}

/// A report's prose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredProse {
    /// The text between the title and the first chapter.
    pub preamble: String,
    /// The chapters in document order.
    pub sections: Vec<StoredSection>,
}

/// A validated report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Agency and year.
    pub key: ReportKey,
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
    /// Every cell of the form, in the form's order.
    pub facts: Vec<Fact>,
    /// The findings, in the rules' order.
    pub findings: Vec<Finding>,
    /// Versions of the programs and rules that produced them.
    pub versions: Versions,
    /// Trace id of the document.
    pub trace_id: String,
    /// The prose; absent if it was erased.
    pub prose: Option<StoredProse>,
    /// The steps of review before publication, in order.
    pub review: Vec<ReviewStep>,
}

/// The result of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrivalOutcome {
    /// A report with its findings.
    Validated(Box<Content>),
    /// Rejected. Replaces the content that an earlier reading of the same arrival stored.
    Rejected,
}

/// Positions in the log of an arrival whose document was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedArrival {
    /// The arrival.
    pub received_sequence: u64,
    /// The rejection.
    pub event_sequence: u64,
}

/// An arrival, with the outcome from its highest stage event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalEvent {
    /// Id of the submission.
    pub submission_id: String,
    /// The arrival. `event` is the rank of the stage event.
    pub arrival: Arrival,
    /// When the log stored the stage event.
    pub event_at: OffsetDateTime,
    /// The sender's time of publication or update, if given.
    pub event_time: Option<OffsetDateTime>,
    /// The outcome.
    pub outcome: ArrivalOutcome,
    /// The other reports under which the arrival was filed before.
    pub moved_from: Vec<ReportKey>,
}
