//! One document without a server: bytes to report to findings, and its JSON line.
//!
//! [`read`] is what the parse stage does with a document, [`rules`] what the validate stage does with a report,
//! [`check`] both at once, as the command line and a dry run need it. All are pure: no file, no socket, no clock. Only
//! [`rule_set`] reads files, once, when a program starts.

mod event;
mod line;
mod metadata_line;
mod packs;
mod reading;
mod versions;

pub use event::{Event, rules, rules_by};
pub use gongkai_extract::{Hints, Limits};
pub use gongkai_forms::Known;
pub use gongkai_rules::{Neighbours, Publication, Rule, RuleSet};
pub use line::{
    FactLine, FindingLine, Line, RejectionLine, ReportLine, SectionLine, SourceLine, Status, VersionsLine,
};
pub use metadata_line::{CitationLine, ContactLine, FieldLine, MetadataLine};
pub use packs::{PacksError, rule_set, rule_set_of};
pub use reading::{Reading, read, read_known};
pub use versions::{labels, versions, versions_by};

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
    check_by(&event::RULES, file, bytes, hints, limits, event)
}

/// [`check_event`] with other rules.
#[must_use]
pub fn check_by(
    rules: &RuleSet,
    file: &str,
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    event: &Event<'_>,
) -> Line {
    let checked = read(bytes, hints, limits).and_then(|reading| {
        let findings = reading::guarded(|| Ok(rules_by(rules, &reading.report, event)))?;
        Ok(Line::of_report(file, &reading, &findings))
    });
    let line = checked.unwrap_or_else(|rejection| Line::of_rejection(file, &rejection));
    Line { versions: VersionsLine::from(&versions_by(rules)), ..line }
}
