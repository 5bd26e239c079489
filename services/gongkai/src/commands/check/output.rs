//! Writes the lines of the checked documents in the chosen format, and remembers the exit code.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use gongkai_check::{CheckLine, Status};
use gongkai_model::Severity;
use gongkai_rules::RuleSet;

use super::{
    CheckExit, FailOn, ReportFormat, csv::CsvState, lang::Lang, lists, place::Places, tables::FindingTables,
    text::TextWriter, workbook,
};
use crate::printer::{Printer, complain};

/// Where the lines go.
pub(super) struct Output<'a> {
    out: &'a mut Printer,
    places: Places,
    format: ReportFormat,
    bar: FailOn,
    exit: CheckExit,
    csv: CsvState,
    text: TextWriter,
    /// The rows of the workbook and of the lists.
    tables: Option<FindingTables>,
    /// File of the workbook; `None` is standard output.
    workbook: Option<PathBuf>,
    /// Folder of the lists.
    lists: Option<PathBuf>,
}

impl<'a> Output<'a> {
    pub(super) fn new(args: &super::Args, rules: &RuleSet, out: &'a mut Printer) -> Self {
        let needs_tables = args.lists.is_some() || args.format == ReportFormat::Xlsx;
        Self {
            out,
            places: Places::new(rules),
            format: args.format,
            bar: args.fail_on,
            exit: CheckExit::Clean,
            csv: CsvState::default(),
            text: TextWriter::new(args.lang.unwrap_or_else(Lang::of_environment)),
            tables: needs_tables.then(FindingTables::default),
            workbook: args.output.clone(),
            lists: args.lists.clone(),
        }
    }

    /// Writes one document.
    pub(super) fn write(&mut self, line: &CheckLine) -> anyhow::Result<()> {
        self.exit = self.exit.max(judge(line, self.bar));
        for left_out in &line.left_out {
            complain(format_args!("{}: {left_out}", line.file));
        }
        if let Some(tables) = &mut self.tables {
            tables.add(line, &self.places);
        }
        match self.format {
            ReportFormat::Csv => self.csv.write(self.out, line)?,
            ReportFormat::Json => self.out.json_text(&line.to_json())?,
            ReportFormat::Text => self.text.write(self.out, line)?,
            ReportFormat::Xlsx => {}
        }
        Ok(())
    }

    /// Writes the workbook and the lists, once all documents are checked.
    pub(super) fn finish(self) -> anyhow::Result<CheckExit> {
        if self.format == ReportFormat::Text {
            self.text.finish(self.out)?;
        }
        let Some(tables) = &self.tables else { return Ok(self.exit) };
        if self.format == ReportFormat::Xlsx {
            write_workbook(self.workbook.as_deref(), tables, self.out)?;
        }
        if let Some(folder) = &self.lists {
            lists::write(folder, self.format == ReportFormat::Xlsx, tables)?;
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
