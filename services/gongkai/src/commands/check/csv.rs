//! Results as CSV: for scripts, and with Chinese heads for spreadsheets.

use std::io::Write as _;

use gongkai_check::{CheckLine, FindingLine, Places};

use super::tables::{SPREADSHEET_HEADS, spreadsheet_rows};
use crate::{
    csv_writer::{BYTE_ORDER_MARK, CsvWriter},
    printer::Printer,
};

/// A column: its heading, and a function that returns its cell for a finding, or for a document without findings.
type Column = (&'static str, fn(&CheckLine, Option<&FindingLine>) -> String);

const COLUMNS: [Column; 15] = [
    ("file", |line, _| line.file.clone()),
    ("status", |line, _| if line.rejection.is_some() { "rejected" } else { "ok" }.to_owned()),
    ("agency", |line, _| shown(line.report.as_ref().map(|report| &report.agency))),
    ("year", |line, _| line.report.as_ref().map(|report| report.year.to_string()).unwrap_or_default()),
    ("form", |line, _| shown(line.report.as_ref().map(|report| &report.form))),
    ("rejection", |line, _| shown(line.rejection.as_ref().map(|rejection| &rejection.code))),
    ("rule", |_, finding| shown(finding.map(|finding| &finding.rule))),
    ("severity", |_, finding| shown(finding.map(|finding| &finding.severity))),
    ("message", |_, finding| shown(finding.map(|finding| &finding.message))),
    ("message_en", |_, finding| shown(finding.map(|finding| &finding.message_en))),
    ("concept", |_, finding| shown(finding.and_then(|finding| finding.concept.as_ref()))),
    ("cause", |_, finding| shown(finding.and_then(|finding| finding.cause.as_ref()))),
    ("expected", |_, finding| shown(finding.and_then(|finding| finding.expected.as_ref()))),
    ("actual", |_, finding| shown(finding.and_then(|finding| finding.actual.as_ref()))),
    ("fingerprint", |_, finding| shown(finding.map(|finding| &finding.fingerprint))),
];

/// Which columns are written, and whether the header was.
#[derive(Debug)]
pub(super) struct CsvState {
    for_spreadsheet: bool,
    is_begun: bool,
}

// === impl CsvState ===

impl CsvState {
    pub(super) fn new(for_spreadsheet: bool) -> Self {
        Self { for_spreadsheet, is_begun: false }
    }

    /// Writes one line per finding, or one line if there are none. The first call writes the header before them.
    pub(super) fn write(
        &mut self,
        out: &mut Printer,
        line: &CheckLine,
        places: &Places,
    ) -> anyhow::Result<()> {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        if self.for_spreadsheet {
            return write_for_spreadsheet(out, is_first, &spreadsheet_rows(line, places));
        }
        let mut writer = CsvWriter::new(out);
        if is_first {
            writer.write(COLUMNS.map(|(heading, _)| heading))?;
        }
        if line.findings.is_empty() {
            writer.write(record(line, None))?;
        }
        for finding in &line.findings {
            writer.write(record(line, Some(finding)))?;
        }
        writer.flush()?;
        Ok(())
    }
}

fn write_for_spreadsheet(out: &mut Printer, is_first: bool, rows: &[Vec<String>]) -> anyhow::Result<()> {
    if is_first {
        out.write_all(BYTE_ORDER_MARK)?;
    }
    let mut writer = CsvWriter::new(out);
    if is_first {
        writer.write(SPREADSHEET_HEADS)?;
    }
    for row in rows {
        writer.write(row)?;
    }
    Ok(writer.flush()?)
}

fn record(line: &CheckLine, finding: Option<&FindingLine>) -> [String; 15] {
    COLUMNS.map(|(_, cell)| cell(line, finding))
}

fn shown(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}
