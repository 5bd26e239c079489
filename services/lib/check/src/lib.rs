//! Checks one document without a server: reads its bytes as a report, finds errors, and writes its JSON line.
//!
//! [`check`] reads a document as the parse stage does and applies the rules as the validate stage does, for the command
//! line and the dry run; [`CheckLine`] is the output of both. Nothing here reads a file, a socket or a clock.

#![warn(missing_docs)]

mod causes;
mod identity_line;
mod line;
mod metadata_line;
mod part_line;
mod places;
mod rejection_line;
mod remarks;
mod source_line;

pub use causes::{CauseGroup, by_cause};
use gongkai_model::{Finding, Rejection};
use gongkai_reading::Reading;
pub use gongkai_reading::{Hints, Limits};
use gongkai_rules::{LeftOut, ReportContext, RuleSet};
pub use identity_line::{EvidenceLine, IdentityLine};
pub use line::{
    CheckLine, FactLine, FindingLine, NotCheckedLine, ReportLine, SectionLine, Status, VersionsLine,
};
pub use metadata_line::{CitationLine, ContactLine, FieldLine, MetadataLine};
pub use part_line::{PartLine, PartRole};
pub use places::Places;
pub use rejection_line::RejectionLine;
pub use remarks::{is_about_reading, remark_sheet, severity_name};
pub use source_line::SourceLine;

/// The JSON Schema (2020-12) of [`CheckLine::to_json`]. Every object in it is closed: a member without schema is an error.
pub const LINE_SCHEMA: &str = include_str!("../schema/check_line.json");

/// Reads one document and applies the compiled-in rules to it, without knowledge of its publication.
///
/// The line of a document that is not a report contains its rejection.
#[must_use]
pub fn check(file: &str, bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> CheckLine {
    check_by(&RuleSet::embedded(), file, bytes, hints, limits, &ReportContext::default())
}

/// Like [`check`], with other rules and with the publication's metadata.
#[must_use]
pub fn check_by(
    rules: &RuleSet,
    file: &str,
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    context: &ReportContext<'_>,
) -> CheckLine {
    line_of(rules, file, gongkai_reading::read(bytes, hints, limits), context)
}

/// Returns the line of a document that the caller has read, like [`check_by`] without the reading.
#[must_use]
pub fn line_of(
    rules: &RuleSet,
    file: &str,
    reading: Result<Reading, Rejection>,
    context: &ReportContext<'_>,
) -> CheckLine {
    let checked = reading.and_then(|reading| evaluate(rules, reading, context));
    CheckLine::of(file, checked.as_ref(), rules.versions())
}

/// A report with its findings.
#[derive(Debug)]
pub struct Checked {
    /// The report.
    pub reading: Reading,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The rules of local packs that were left out because they would cost too much.
    pub left_out: Vec<LeftOut>,
}

/// Applies rules to a report. Adds the level and kind that the body's name indicates to the context.
///
/// # Errors
/// A rule failed on this document.
pub fn evaluate(
    rules: &RuleSet,
    reading: Reading,
    context: &ReportContext<'_>,
) -> Result<Checked, Rejection> {
    let context = ReportContext { by_name: gongkai_agencies::nature_of(&reading.report.agency), ..*context };
    let found = gongkai_reading::guarded(|| Ok(rules.evaluate_all(&reading.report, &context)))?;
    Ok(Checked { reading, findings: found.findings, left_out: found.left_out })
}
