//! What the projector writes: arrivals with what the stages made of them.

use gongkai_model::{Arrival, Fact, Finding, FormId, Region, ReportKey, Variant, Versions};
use time::OffsetDateTime;

/// Where a revision came from: the arrival of its content that ranks lowest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its submission.
    pub submission_id: String,
    /// SHA-256 of the bytes, hex: identifies a revision of a report.
    pub content_hash: String,
    /// Stream sequence of its `DocumentReceived`: identifies the arrival.
    pub received_sequence: u64,
    /// When it came in.
    pub received_at: OffsetDateTime,
    /// When it was published, if known.
    pub published_at: Option<OffsetDateTime>,
    /// Where it was published; empty if unknown.
    pub url: String,
    /// Region of its events.
    pub region: Region,
}

/// A chapter's prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// 1 to 6.
    pub number: u32,
    /// The heading.
    pub title: String,
    /// The prose, paragraphs joined by a line feed.
    pub text: String,
}

/// A report's prose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prose {
    /// What stands between title and first chapter.
    pub preamble: String,
    /// The chapters in document order.
    pub sections: Vec<Section>,
}

/// A validated report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Whose report of which year.
    pub key: ReportKey,
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
    /// Every cell of the form, in the form's order.
    pub facts: Vec<Fact>,
    /// What the rules said, in the rules' order.
    pub findings: Vec<Finding>,
    /// Who said it.
    pub versions: Versions,
    /// The trace that carried it.
    pub trace_id: String,
    /// The prose; absent if it was erased.
    pub prose: Option<Prose>,
}

/// What the stages made of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A report with its findings.
    Validated(Box<Content>),
    /// No report, or unreadable. Ends what an earlier reading of the same arrival stored.
    Rejected,
}

/// An arrival and what the stage event that counts says became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalEvent {
    /// Its submission.
    pub submission_id: String,
    /// Which arrival, and the rank of the stage event.
    pub arrival: Arrival,
    /// When the log took the stage event.
    pub event_at: OffsetDateTime,
    /// What it says.
    pub outcome: Outcome,
}
