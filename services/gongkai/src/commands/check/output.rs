//! Writes the lines of the checked documents in the chosen format, and remembers the exit code.

use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use gongkai_check::{CheckLine, Places, Status};
use gongkai_model::Severity;
use gongkai_rules::RuleSet;

use super::{
    csv::CsvState,
    lists,
    options::{CheckExit, FailOn, OutputOptions, ReportFormat},
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
    /// The rows of the workbook and of the lists.
    tables: Option<FindingTables>,
}

impl<'a> LineSink<'a> {
    pub(super) fn new(options: OutputOptions, rules: &RuleSet, out: &'a mut Printer) -> Self {
        let needs_tables = options.lists.is_some() || options.format == ReportFormat::Xlsx;
        Self {
            out,
            places: Places::new(rules),
            exit: CheckExit::Clean,
            csv: CsvState::default(),
            text: TextWriter::new(options.lang),
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
        match self.options.format {
            ReportFormat::Csv => self.csv.write(self.out, line)?,
            ReportFormat::Json => self.out.json_text(&line.to_json())?,
            ReportFormat::Text => self.text.write(self.out, line)?,
            ReportFormat::Xlsx => {}
        }
        Ok(())
    }

    /// Writes the workbook and the lists, once all documents are checked.
    pub(super) fn finish(self) -> anyhow::Result<CheckExit> {
        if self.options.format == ReportFormat::Text {
            self.text.finish(self.out)?;
        }
        let Some(tables) = &self.tables else { return Ok(self.exit) };
        if self.options.format == ReportFormat::Xlsx {
            write_workbook(self.options.workbook.as_deref(), tables, self.out)?;
        }
        if let Some(folder) = &self.options.lists {
            lists::write(folder, self.options.format == ReportFormat::Xlsx, tables)?;
        }
        Ok(self.exit)
    }
}

fn write_workbook(file: Option<&Path>, tables: &FindingTables, out: &mut Printer) -> anyhow::Result<()> {
    let bytes = workbook::bytes(tables)?;
    match file {
        Some(path) => fs::write(path, bytes).with_context(|| format!("couldn't write {}", path.display())),
        None => Ok(out.write_all(&bytes)?),
    }
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
