//! The output of a run: one line per document, a progress bar on a terminal, and a summary.

use std::{
    io::{IsTerminal as _, stderr},
    path::PathBuf,
};

use clap::ValueEnum;
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    batch::DocumentOutcome,
    ingest::{Failure, ReceiptAnswer, State},
    receipt_text,
};
use crate::{
    commands::check::files::Walk,
    csv_writer::CsvWriter,
    printer::{Emphasis, Printer, clean, complain},
    progress,
};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum SubmitFormat {
    /// Text for people
    #[default]
    Text,
    /// One receipt per line as a JSON object; for folders, a last line with the summary
    Json,
    /// One line per document, with a header
    Csv,
}

/// Number of documents by result.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct RunSummary {
    documents: u64,
    taken: u64,
    unchanged: u64,
    rejected: u64,
    failed: u64,
    /// Documents that the journal has as accepted before.
    sent_before: u64,
}

/// Prints the results of a run.
pub(super) struct RunReport<'o> {
    out: &'o mut Printer,
    format: SubmitFormat,
    /// True if a folder is among the arguments.
    is_bulk: bool,
    bar: Option<ProgressBar>,
    summary: RunSummary,
    is_begun: bool,
}

#[derive(Serialize)]
struct ReceiptLine<'a> {
    file: &'a str,
    #[serde(flatten)]
    receipt: &'a ReceiptAnswer,
}

#[derive(Serialize)]
struct FailureLine<'a> {
    file: &'a str,
    error: ProblemLine<'a>,
}

#[derive(Serialize)]
struct ProblemLine<'a> {
    code: &'a str,
    message: String,
}

#[derive(Serialize)]
struct SummaryLine {
    summary: RunSummary,
}

const HEADER: [&str; 8] =
    ["file", "state", "submission_id", "report", "revision", "trace_id", "code", "message"];

impl<'o> RunReport<'o> {
    /// Creates the output of a run over `folders`. Their files are counted for the bar during the run.
    pub(super) fn new(out: &'o mut Printer, format: SubmitFormat, folders: Vec<PathBuf>) -> Self {
        let is_bulk = !folders.is_empty();
        let bar = (is_bulk && stderr().is_terminal()).then(|| bar(folders));
        Self { out, format, is_bulk, bar, summary: RunSummary::default(), is_begun: false }
    }

    /// Prints the result of a document.
    pub(super) fn done(&mut self, name: &str, outcome: &DocumentOutcome) -> anyhow::Result<()> {
        self.count(outcome);
        match self.bar.clone() {
            Some(bar) => {
                bar.inc(1);
                bar.suspend(|| self.print(name, outcome))
            }
            None => self.print(name, outcome),
        }
    }

    /// Prints the summary, if there was a folder.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let RunSummary { documents, taken, unchanged, rejected, failed, sent_before } = self.summary;
        if self.is_bulk && self.format == SubmitFormat::Json {
            self.out.json(&SummaryLine { summary: self.summary })?;
        } else if self.is_bulk {
            let text = format!(
                "共 {documents} 件：已收 {taken}，内容未变 {unchanged}，拒绝 {rejected}，失败 {failed}，此前已报 {sent_before} / \
                 {documents} documents: {taken} taken, {unchanged} unchanged, {rejected} rejected, {failed} failed, \
                 {sent_before} sent before"
            );
            match self.format {
                SubmitFormat::Text => self.out.line(text)?,
                // A table cannot contain a summary line.
                _ => complain(text),
            }
        }
        Ok(self.out.flush()?)
    }

    fn count(&mut self, outcome: &DocumentOutcome) {
        let summary = &mut self.summary;
        summary.documents += 1;
        *match outcome {
            DocumentOutcome::Known => &mut summary.sent_before,
            DocumentOutcome::Failed(_) => &mut summary.failed,
            DocumentOutcome::Taken(receipt) => match receipt.state {
                State::Unchanged => &mut summary.unchanged,
                State::Rejected => &mut summary.rejected,
                State::Dead => &mut summary.failed,
                _ => &mut summary.taken,
            },
        } += 1;
    }

    fn print(&mut self, name: &str, outcome: &DocumentOutcome) -> anyhow::Result<()> {
        match self.format {
            SubmitFormat::Text => self.text(name, outcome)?,
            SubmitFormat::Json => match outcome {
                DocumentOutcome::Taken(receipt) => self.out.json(&ReceiptLine { file: name, receipt })?,
                DocumentOutcome::Failed(failure) => self.json_failure(name, failure)?,
                DocumentOutcome::Known => {}
            },
            SubmitFormat::Csv => self.csv(name, outcome)?,
        }
        Ok(self.out.flush()?)
    }

    fn text(&mut self, name: &str, outcome: &DocumentOutcome) -> anyhow::Result<()> {
        match outcome {
            DocumentOutcome::Known => {}
            DocumentOutcome::Failed(failure) => {
                complain(format_args!("{}: {:#}", clean(name), failure.error));
            }
            DocumentOutcome::Taken(receipt) if !self.is_bulk => receipt_text::write(self.out, name, receipt)?,
            DocumentOutcome::Taken(receipt) => {
                // The bar counts the other results.
                let is_news = matches!(receipt.state, State::Rejected | State::Dead);
                if is_news || self.bar.is_none() {
                    let (word, style) = receipt_text::word(receipt.state);
                    let rejection = receipt.rejection.as_ref();
                    let end = rejection.map_or_else(
                        || clean(&receipt.submission_id),
                        |rejection| format!("{}  {}", rejection.code, clean(&rejection.message)),
                    );
                    let name = self.out.styled(Emphasis::Bold, &clean(name));
                    self.out.line(format!("{name}  {}  {end}", self.out.styled(style, word)))?;
                }
            }
        }
        Ok(())
    }

    /// Writes a failure as JSON to the output, and as text for a person who redirects the output.
    fn json_failure(&mut self, name: &str, failure: &Failure) -> anyhow::Result<()> {
        let message = format!("{:#}", failure.error);
        if !self.is_bulk {
            complain(format_args!("{}: {message}", clean(name)));
            return Ok(());
        }
        self.out.json(&FailureLine { file: name, error: ProblemLine { code: &failure.code, message } })
    }

    fn csv(&mut self, name: &str, outcome: &DocumentOutcome) -> anyhow::Result<()> {
        let mut writer = CsvWriter::new(&mut *self.out);
        if !self.is_begun {
            writer.write(HEADER)?;
            self.is_begun = true;
        }
        match outcome {
            DocumentOutcome::Known => {}
            DocumentOutcome::Failed(Failure { code, error, .. }) => {
                writer.write([name, "failed", "", "", "", "", code, &format!("{error:#}")])?;
            }
            DocumentOutcome::Taken(receipt) => {
                let state = receipt.state.as_str();
                let (report, revision) = (receipt.report.as_deref(), receipt.revision.as_deref());
                let rejection = receipt.rejection.as_ref();
                writer.write([
                    name,
                    state,
                    &receipt.submission_id,
                    report.unwrap_or_default(),
                    revision.unwrap_or_default(),
                    &receipt.trace_id,
                    rejection.map(|rejection| rejection.code.as_str()).unwrap_or_default(),
                    rejection.map(|rejection| rejection.message.as_str()).unwrap_or_default(),
                ])?;
            }
        }
        Ok(writer.flush()?)
    }
}

/// Returns a bar of the files in these folders.
fn bar(folders: Vec<PathBuf>) -> ProgressBar {
    let bar = progress::bar();
    let counted = bar.clone();
    // Walking is much faster than sending; until it is done, the bar shows no end.
    tokio::task::spawn_blocking(move || {
        let files: usize = folders.into_iter().map(|folder| Walk::new(folder).count()).sum();
        counted.set_length(u64::try_from(files).unwrap_or(u64::MAX));
    });
    bar
}
