//! One document without a server: bytes to report to findings, and its JSON line.
//!
//! [`read`] is what the parse stage does with a document, [`check`] that and the rules at once, as the command line and a
//! dry run need it. All are pure: no file, no socket, no clock.

mod line;
mod metadata_line;
mod reading;

pub use gongkai_extract::{Hints, Limits};
pub use gongkai_forms::{Known, versions};
use gongkai_rules::{Context, RuleSet};
pub use line::{
    FactLine, FindingLine, Line, RejectionLine, ReportLine, SectionLine, SourceLine, Status, VersionsLine,
};
pub use metadata_line::{CitationLine, ContactLine, FieldLine, MetadataLine};
pub use reading::{Reading, read, read_known};

/// Reads one document and applies the compiled-in rules to it, knowing nothing of its publication.
///
/// A document that is no report is a line too, with its rejection.
#[must_use]
pub fn check(file: &str, bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Line {
    check_by(&RuleSet::embedded(), file, bytes, hints, limits, &Context::default())
}

/// [`check`] with other rules and what is known beside the document.
#[must_use]
pub fn check_by(
    rules: &RuleSet,
    file: &str,
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    context: &Context<'_>,
) -> Line {
    let checked = read(bytes, hints, limits).and_then(|reading| {
        let findings = reading::guarded(|| Ok(rules.evaluate(&reading.report, context)))?;
        Ok(Line::of_report(file, &reading, &findings, rules.versions()))
    });
    checked.unwrap_or_else(|rejection| Line::of_rejection(file, &rejection, rules.versions()))
}
