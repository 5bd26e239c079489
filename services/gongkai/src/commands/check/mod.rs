//! `gongkai check`: checks documents without a server.

mod ahead;
mod attachments;
mod explain;
pub(super) mod files;
pub(super) mod joint;
mod lists;
mod tables;
mod text;
mod unreadable;
mod workbook;

use std::{
    fs,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use clap::ValueEnum;
use futures::{StreamExt as _, stream};
use gongkai_check::{CheckLine, Limits, Status};
use gongkai_isolation::Readers;
use gongkai_model::Severity;
use gongkai_reading::JointReading;
use gongkai_rules::{ReportContext, RuleSet};

use self::{
    ahead::{Ahead, Weight},
    files::DocumentSource,
    tables::FindingTables,
};
use crate::printer::{Printer, complain};

/// 离线核查文件：读取年报并报告疑点 / Check documents offline: read each report and list its findings
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai check report.html
  gongkai check reports/ --format json | jq .findings
  gongkai check a.txt b.md --fail-on warning
  gongkai check reports/ --rules /etc/gongkai/rules
  gongkai check reports/ --format xlsx --output findings.xlsx
  gongkai check reports/ --format csv --lists lists/ > findings.csv
  curl -s https://example.gov.cn/2023.html | gongkai check -
  gongkai check report.html --explain-reading

In a folder, x.docx beside x.html and the files that a page links are attachments of the page and are read with it.

Exit code: 0 no finding at or above --fail-on, 1 at least one, 2 an input could not be read.")]
pub(crate) struct Args {
    /// Files, folders (read recursively, in sorted order), or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Lowest severity of a finding that makes the exit code 1
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// File for the workbook of --format xlsx; default: standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Folder for a 整改清单 (list of corrections) for each agency, in the format of --format csv or xlsx
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Folder with local rule packs (*.toml), added to the built-in rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Print how each document is read instead of its findings, for whoever mends the readers: lines with their kinds, tables as
    /// grids, rows as matched, and why cells are unreadable
    #[arg(long, conflicts_with_all = ["output", "lists", "rules"])]
    explain_reading: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ReportFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object per line, one line per document
    Json,
    /// One line per finding; a document without findings has one line
    Csv,
    /// A workbook: an overview, one row per finding, and a 整改清单 (list of corrections) for each agency
    Xlsx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FailOn {
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
enum CheckExit {
    Clean = 0,
    Findings = 1,
    Unreadable = 2,
}

/// Checks on all cores; writes in the order of the sources.
pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    validate(&args)?;
    if args.explain_reading {
        return explain::run(args.paths, out);
    }
    let mut exit = CheckExit::Clean;
    let mut tables = (args.lists.is_some() || args.format == ReportFormat::Xlsx).then(FindingTables::default);
    let mut csv = (args.format == ReportFormat::Csv).then(text::CsvState::default);
    let checker = Arc::new(Checker {
        rules: gongkai_rules::rule_set(args.rules.as_deref())?,
        limits: Limits::default(),
        readers: Readers::new(&gongkai_isolation::ReadersSettings::default())?,
    });
    let ahead = Arc::new(Ahead::new());
    let checks = files::sources(args.paths).map(|source| check(source, checker.clone(), ahead.clone()));
    let mut checked = stream::iter(checks).buffered(ahead::MOST);
    while let Some(checked) = checked.next().await {
        let (line, _weight) = checked?;
        let line = &line;
        exit = exit.max(judge(line, args.fail_on));
        for left_out in &line.left_out {
            complain(format_args!("{}: {left_out}", line.file));
        }
        if let Some(tables) = &mut tables {
            tables.add(line, &checker.rules);
        }
        match (args.format, &mut csv) {
            (ReportFormat::Csv, Some(state)) => state.write(out, line)?,
            (ReportFormat::Json, _) => out.json_text(&line.to_json())?,
            (ReportFormat::Text, _) => text::write(out, line)?,
            (ReportFormat::Csv | ReportFormat::Xlsx, _) => {}
        }
    }
    if let Some(tables) = tables {
        write_tables(args.format, args.output.as_deref(), args.lists.as_deref(), &tables, out)?;
    }
    Ok(ExitCode::from(exit as u8))
}

/// Rejects options that exclude each other, before any work.
fn validate(args: &Args) -> anyhow::Result<()> {
    let is_workbook = args.format == ReportFormat::Xlsx;
    anyhow::ensure!(is_workbook || args.output.is_none(), "--output goes with --format xlsx only");
    anyhow::ensure!(
        args.lists.is_none() || matches!(args.format, ReportFormat::Csv | ReportFormat::Xlsx),
        "--lists goes with --format csv or xlsx only"
    );
    anyhow::ensure!(
        !is_workbook || args.output.is_some() || !std::io::stdout().is_terminal(),
        "a workbook is nothing for a terminal: say where it goes with --output FILE"
    );
    Ok(())
}

/// Writes the workbook and the lists, once all documents are checked.
fn write_tables(
    format: ReportFormat,
    output: Option<&Path>,
    folder: Option<&Path>,
    tables: &FindingTables,
    out: &mut Printer,
) -> anyhow::Result<()> {
    if format == ReportFormat::Xlsx {
        let bytes = workbook::bytes(tables)?;
        match output {
            Some(path) => {
                fs::write(path, bytes).with_context(|| format!("couldn't write {}", path.display()))?;
            }
            None => out.write_all(&bytes)?,
        }
    }
    match folder {
        Some(folder) => lists::write(folder, format == ReportFormat::Xlsx, tables),
        None => Ok(()),
    }
}

/// The rules and limits of the checks, and the child processes that read.
struct Checker {
    rules: RuleSet,
    limits: Limits,
    readers: Readers,
}

/// Reads one source with its attachments in children and checks it on a thread of its own. An unreadable source gets a line that reports
/// it.
async fn check(
    source: DocumentSource,
    checker: Arc<Checker>,
    ahead: Arc<Ahead>,
) -> anyhow::Result<(CheckLine, Weight)> {
    let weight = ahead.weigh(source.size()).await;
    let core = ahead.core().await;
    let work = move || {
        let _core = core;
        let name = source.name();
        let Checker { rules, limits, readers } = &*checker;
        match joint::read(source, readers, *limits) {
            Ok(JointReading { result, parts, .. }) => CheckLine {
                parts: parts.iter().map(Into::into).collect(),
                ..gongkai_check::line_of(rules, &name, result, &ReportContext::default())
            },
            Err(error) => unreadable::line(&name, &error, rules),
        }
    };
    Ok((tokio::task::spawn_blocking(work).await?, weight))
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
