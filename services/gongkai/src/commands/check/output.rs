//! Writes the lines of the checked documents in the chosen format, and remembers the exit code.

use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use gongkai_check::{CheckLine, Places, Status};
use gongkai_model::Severity;
use gongkai_rules::RuleSet;

use super::{
    csv::CsvState,
    docx, lists, notice,
    options::{CheckExit, FailOn, OutputOptions, ReportFormat},
    sarif::SarifWriter,
    tables::FindingTables,
    text::TextWriter,
    workbook,
};
use crate::printer::{Printer, complain};

/// Where the lines go.
pub(super) struct LineSink<'a> {
    out: &'a mut Printer,
    options: OutputOptions,
    places: Places,
    exit: CheckExit,
    csv: CsvState,
    text: TextWriter,
    sarif: Option<SarifWriter>,
    /// The rows of the workbook, the lists and the notice.
    tables: Option<FindingTables>,
}

impl<'a> LineSink<'a> {
    pub(super) fn new(options: OutputOptions, rules: &RuleSet, out: &'a mut Printer) -> Self {
        let needs_tables =
            options.lists.is_some() || options.notice.is_some() || options.format == ReportFormat::Xlsx;
        let is_sarif = options.format == ReportFormat::Sarif;
        Self {
            out,
            places: Places::new(rules),
            exit: CheckExit::Clean,
            csv: CsvState::new(options.spreadsheet),
            text: TextWriter::new(options.lang),
            sarif: is_sarif.then(|| SarifWriter::new(rules, options.lang)),
            tables: needs_tables.then(FindingTables::default),
            options,
        }
    }

    /// Writes one document.
    pub(super) fn write(&mut self, line: &CheckLine) -> anyhow::Result<()> {
        self.exit = self.exit.max(judge(line, self.options.fail_on));
        for left_out in &line.left_out {
            complain(format_args!("{}: {left_out}", line.file));
        }
        if let Some(tables) = &mut self.tables {
            tables.add(line, &self.places);
        }
        if let Some(sarif) = &mut self.sarif {
            sarif.write(self.out, line, &self.places)?;
        }
        match self.options.format {
            ReportFormat::Csv => self.csv.write(self.out, line, &self.places)?,
            ReportFormat::Json => self.out.json_text(&line.to_json())?,
            ReportFormat::Text => self.text.write(self.out, line)?,
            ReportFormat::Xlsx | ReportFormat::Sarif => {}
        }
        Ok(())
    }

    /// Writes the workbook, the lists and the notice, once all documents are checked.
    pub(super) fn finish(self) -> anyhow::Result<CheckExit> {
        if self.options.format == ReportFormat::Text {
            self.text.finish(self.out)?;
        }
        if let Some(sarif) = self.sarif {
            sarif.finish(self.out, self.exit)?;
        }
        let Some(tables) = &self.tables else { return Ok(self.exit) };
        let letter = &self.options.letter;
        if self.options.format == ReportFormat::Xlsx {
            let bytes = workbook::bytes(tables, letter)?;
            match &self.options.workbook {
                Some(path) => write_file(path, &bytes)?,
                None => self.out.write_all(&bytes)?,
            }
        }
        if let Some(folder) = &self.options.lists {
            lists::write(folder, self.options.format == ReportFormat::Xlsx, &tables.lists(letter))?;
        }
        if let Some(path) = &self.options.notice {
            write_file(path, &docx::bytes(&notice::blocks(tables, letter))?)?;
        }
        Ok(self.exit)
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("couldn't write {}", path.display()))
}

fn judge(line: &CheckLine, bar: FailOn) -> CheckExit {
    if line.status == Status::Rejected {
        return CheckExit::Unreadable;
    }
    let bar = match bar {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Never => return CheckExit::Clean,
    };
    let reached = |severity: &str| severity.parse::<Severity>().is_ok_and(|severity| severity >= bar);
    if line.findings.iter().any(|finding| reached(&finding.severity)) {
        CheckExit::Findings
    } else {
        CheckExit::Clean
    }
}
