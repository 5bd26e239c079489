//! One document without a server: bytes to report to findings, and its JSON line.
//!
//! [`read`] is what the parse stage does with a document, [`rules`] what the validate stage does with a report,
//! [`check`] both at once, as the command line and a dry run need it. All are pure: no file, no socket, no clock.

mod event;
mod line;
mod metadata_line;
mod reading;
mod versions;

pub use event::{Event, rules};
pub use gongkai_extract::{Hints, Limits};
pub use gongkai_forms::Known;
pub use line::{
    FactLine, FindingLine, Line, RejectionLine, ReportLine, SectionLine, SourceLine, Status, VersionsLine,
};
pub use metadata_line::{CitationLine, ContactLine, FieldLine, MetadataLine};
pub use reading::{Reading, read, read_known};
pub use versions::{labels, versions};

/// Reads one document and applies the rules to it, knowing nothing of its publication.
///
/// A document that is no report is a line too, with its rejection.
#[must_use]
pub fn check(file: &str, bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Line {
    check_event(file, bytes, hints, limits, &Event::default())
}

/// [`check`] with what the event says beside the document.
#[must_use]
pub fn check_event(file: &str, bytes: &[u8], hints: &Hints<'_>, limits: &Limits, event: &Event<'_>) -> Line {
    match read(bytes, hints, limits) {
        Ok(reading) => match reading::guarded(|| Ok(rules(&reading.report, event))) {
            Ok(findings) => Line::of_report(file, &reading, &findings),
            Err(rejection) => Line::of_rejection(file, &rejection),
        },
        Err(rejection) => Line::of_rejection(file, &rejection),
    }
}
