//! The options of the output.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{lang::Lang, letter::LetterArgs};

/// Where the results go, and how they are written.
#[derive(Debug)]
pub(super) struct OutputOptions {
    pub(super) format: ReportFormat,
    pub(super) fail_on: FailOn,
    pub(super) lang: Lang,
    /// File of the workbook; `None` is standard output.
    pub(super) workbook: Option<PathBuf>,
    /// Folder of the lists.
    pub(super) lists: Option<PathBuf>,
    /// File of the notice.
    pub(super) notice: Option<PathBuf>,
    pub(super) letter: LetterArgs,
    /// True if CSV is for spreadsheets.
    pub(super) spreadsheet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ReportFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object per line, one line per document
    Json,
    /// One line per finding; a document without findings has one line
    Csv,
    /// A workbook: an overview, one row per finding, and a 整改清单 (list of corrections) for each agency
    Xlsx,
    /// One SARIF 2.1.0 log, for editors and CI tools
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    /// Findings of severity ERROR
    #[default]
    Error,
    /// Findings of severity WARNING or ERROR
    Warning,
    /// No finding
    Never,
}

/// The exit code. Later variants outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CheckExit {
    Clean = 0,
    Findings = 1,
    Unreadable = 2,
}
