//! Reads bytes as a report: by the reader of the format, then by the matcher of the forms, with panics caught.
//!
//! [`read`] uses only the document, [`read_known`] also its sender's metadata, and [`read_in_steps`] also reports
//! each step. [`read_parts`] joins the files of a submission, and [`Declared`] resolves the agency of the report from
//! the sender's metadata. The parse stage, the dry run and the command line all use these functions. They are pure: no
//! file, no socket, no clock; and they evaluate no rules.

#![warn(missing_docs)]

mod declared;
mod parts;
mod pictures;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use gongkai_forms::Forms;
use gongkai_model::{MediaType, Rejection, RejectionCode, Report};

pub use declared::{Declared, Statement};
pub use gongkai_extract::{Hints, Limits, Steps, has_robot_check, links, original_text};
pub use gongkai_forms::{ReportHints, versions};
pub use parts::{JointReading, PartId, read_parts};

static FORMS: LazyLock<Forms> = LazyLock::new(Forms::embedded);

/// A document as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Detected media type.
    pub media_type: MediaType,
    /// The report.
    pub report: Report,
}

/// Reads a report from bytes, without metadata from its sender.
///
/// # Errors
/// As for [`read_known`].
pub fn read(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Result<Reading, Rejection> {
    read_known(bytes, hints, limits, &ReportHints::default())
}

/// Reads a report from bytes. If the document does not state agency or year, those of the sender count.
///
/// A panic in a reader is caught and becomes `PARSER_PANIC`. The readers share no state that a panic could leave
/// inconsistent. The panic hook runs first. A stack overflow is not a panic and ends the program; the limit on
/// nesting prevents it.
///
/// # Errors
/// The document is not a report or cannot be read; the code gives the reason. Reading the same bytes again gives the
/// same result.
pub fn read_known(
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    known: &ReportHints<'_>,
) -> Result<Reading, Rejection> {
    read_in_steps(bytes, hints, limits, known, &())
}

/// Reads a report from bytes and reports each step to `steps`: `sniff`, `decode`, `extract`, `match`.
///
/// # Errors
/// As for [`read_known`].
pub fn read_in_steps(
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    known: &ReportHints<'_>,
    steps: &impl Steps,
) -> Result<Reading, Rejection> {
    guarded(|| {
        let document = gongkai_extract::read_in_steps(bytes, hints, limits, steps)?;
        let report = steps.step("match", || gongkai_forms::read_report_of(&document, &FORMS, known));
        let report = report.map_err(|rejection| pictures::told(rejection, &document, bytes, hints))?;
        Ok(Reading { media_type: document.media_type, report })
    })
}

/// Returns how a document is read, in lines of text: the lines of a plain text with their kinds, blocks and grids, the
/// clues to body and year, rows as matched, and why cells are unreadable. For whoever mends the readers.
///
/// # Errors
/// The document cannot be decoded, or a reader panicked. A document that is not a report is explained all the same.
pub fn explain(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Result<String, Rejection> {
    guarded(|| {
        let lines = gongkai_extract::explain_lines(bytes, hints, limits)?;
        let document = gongkai_extract::read(bytes, hints, limits)?;
        let matched = gongkai_forms::explain(&document, &FORMS, &ReportHints::default())?;
        Ok(if lines.is_empty() { matched } else { format!("lines\n{lines}{matched}") })
    })
}

/// Runs code on one document. A panic becomes a rejection of that document, `PARSER_PANIC`.
///
/// The code must not change state that outlives it. A pure function of the document satisfies this.
///
/// # Errors
/// The error of the code, or the panic as a rejection.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Rejection>) -> Result<T, Rejection> {
    // Unwind safety: the work borrows nothing mutably.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Rejection::new(
            RejectionCode::ParserPanic,
            "程序在读取本文件时出错，文件已保留供排查；请把文件发给维护人员。",
            "the program failed on this document; it is kept for us to look at, please send it to the maintainers",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explanation_tells_lines_rows_and_reasons() {
        let text = "云川市水务局2023年政府信息公开工作年度报告\n二、主动公开政府信息情况\n规章 1 2 3\n行政许可 317\n行政处罚 19\n行政强制 8\n";
        let told = explain(text.as_bytes(), &Hints::default(), &Limits::default()).unwrap();
        for line in [
            "  Heading   二、主动公开政府信息情况",
            "  Spaced    规章 1 2 3",
            "  row [行政许可] 317 -> proactive.licensing.decisions",
        ] {
            assert!(told.lines().any(|other| other == line), "{line}\n{told}");
        }
    }

    #[test]
    fn a_panic_is_a_rejection_of_that_document_only() {
        let rejection = guarded::<()>(|| panic!("a reader's mistake")).unwrap_err();
        assert_eq!(rejection.code, RejectionCode::ParserPanic);
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }
}
