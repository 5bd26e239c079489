//! The domain as plain types: documents, reports, facts, findings, agencies.
//!
//! Nothing here reads a file, a socket or a clock; nothing here is a wire format (those are in `gongkai-proto` and in
//! `gongkai-check`'s JSON line). Read in this order: readers turn a document into [`block`]s, the forms turn blocks
//! into a [`report`] with [`fact`]s, and rules return [`finding`]s about it.

#![warn(missing_docs)]

pub mod agency;
pub mod block;
pub mod difference;
pub mod document;
pub mod fact;
pub mod finding;
pub mod han;
pub mod history;
pub mod identity;
pub mod metadata;
pub mod month_day;
mod part;
pub mod personal;
pub mod profile;
pub mod rejection;
pub mod report;
pub mod review;
pub mod versions;
pub mod waiver;

pub use agency::{AgencyKey, Region, ReportKey, is_short_for, names_nobody, normalized_name};
pub use block::{Area, Block, Cell, Grid, Paragraph, Span};
pub use difference::{DeclaredField, Difference};
pub use document::{AlteredLabel, Document, MediaType, Note};
pub use fact::{Applicant, CellRef, Concept, Fact, FactId, Source, State, UnreadReason};
pub use finding::{Finding, Severity, Summary};
pub use han::{is_han, is_ideograph};
pub use history::{Arrival, Erasure, History, Rank, TakenDown, UrlIndex, Withdrawal, effective_at};
pub use identity::{Evidence, EvidenceSource, Identity};
pub use metadata::{Citation, Contact, Field, FieldName, Metadata};
pub use month_day::{MonthDay, NoMonthDay};
pub use part::{Part, PartContent, content_hash};
pub use personal::masked;
pub use profile::{AgencyKind, AgencyProfile, Level, Nature};
pub use rejection::{LookAlike, Rejection, RejectionCode};
pub use report::{FormId, Period, Report, Section, Variant};
pub use review::ReviewStep;
pub use versions::Versions;
pub use waiver::{Revocation, Waiver, WaiverEnd};
