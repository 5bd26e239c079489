//! `gongkai check`: documents without a server.

mod files;
mod ledger;
mod lists;
mod text;
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
use gongkai_check::{Hints, Limits, Line, Status};
use gongkai_model::Severity;
use gongkai_rules::{Context, RuleSet};

use self::{files::Source, ledger::Ledger};
use crate::output::{Output, complain};

/// 离线核查文件：读取年报并报告疑点 / Check documents offline: what each says, and what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai check report.html
  gongkai check reports/ --format json | jq .findings
  gongkai check a.txt b.md --fail-on warning
  gongkai check reports/ --rules /etc/gongkai/rules
  gongkai check reports/ --format xlsx --output findings.xlsx
  gongkai check reports/ --format csv --lists lists/ > findings.csv
  curl -s https://example.gov.cn/2023.html | gongkai check -

Exit code: 0 nothing at or above --fail-on, 1 something is, 2 something could not be read.")]
pub(crate) struct Args {
    /// Files, folders (read with all below them, in sorted order), or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// How to write the results
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Lightest finding that makes the exit code 1
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// Where to write the workbook of --format xlsx; without it, to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Folder for a 整改清单 (list of what to put right) of each agency, in the format of --format csv or xlsx
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Folder of local rule packs (*.toml) on top of the built-in rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, one line a document
    Json,
    /// One line a finding; a document without findings has one line
    Csv,
    /// A workbook: an overview, one row a finding, and a 整改清单 (list of what to put right) for each agency
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

/// The worst seen so far; later ones outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Clean = 0,
    Findings = 1,
    Unreadable = 2,
}

/// What became of one source: a line, or the reason why there are no bytes.
struct Checked {
    name: String,
    line: Result<Line, std::io::Error>,
}

/// Checks over all cores; writes in the order of the sources.
pub(crate) async fn run(args: Args, out: &mut Output) -> anyhow::Result<ExitCode> {
    suits(&args)?;
    let mut verdict = Verdict::Clean;
    let mut ledger = (args.lists.is_some() || args.format == Format::Xlsx).then(Ledger::default);
    let mut csv = (args.format == Format::Csv).then(text::CsvState::default);
    let checker = Arc::new(Checker {
        rules: gongkai_rules::rule_set(args.rules.as_deref())?,
        limits: Limits::default(),
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let checks = files::sources(args.paths).map(|source| check(source, checker.clone()));
    let mut checked = stream::iter(checks).buffered(cores);
    while let Some(checked) = checked.next().await {
        let checked = checked?;
        verdict = verdict.max(judge(&checked, args.fail_on));
        let line = match &checked.line {
            Ok(line) => line,
            Err(error) => {
                complain(format_args!("couldn't read {}: {error}", checked.name));
                continue;
            }
        };
        if let Some(ledger) = &mut ledger {
            ledger.add(line, &checker.rules);
        }
        match (args.format, &mut csv) {
            (Format::Csv, Some(state)) => state.write(out, line)?,
            (Format::Json, _) => out.line(line.to_json())?,
            (Format::Text, _) => text::write(out, line)?,
            (Format::Csv | Format::Xlsx, _) => {}
        }
    }
    if let Some(ledger) = ledger {
        hand_over(args.format, args.output.as_deref(), args.lists.as_deref(), &ledger, out)?;
    }
    Ok(ExitCode::from(verdict as u8))
}

/// Refuses options that do not go together, before any work.
fn suits(args: &Args) -> anyhow::Result<()> {
    let is_workbook = args.format == Format::Xlsx;
    anyhow::ensure!(is_workbook || args.output.is_none(), "--output goes with --format xlsx only");
    anyhow::ensure!(
        args.lists.is_none() || matches!(args.format, Format::Csv | Format::Xlsx),
        "--lists goes with --format csv or xlsx only"
    );
    anyhow::ensure!(
        !is_workbook || args.output.is_some() || !std::io::stdout().is_terminal(),
        "a workbook is nothing for a terminal: say where it goes with --output FILE"
    );
    Ok(())
}

/// Writes what was gathered over all documents.
fn hand_over(
    format: Format,
    output: Option<&Path>,
    folder: Option<&Path>,
    ledger: &Ledger,
    out: &mut Output,
) -> anyhow::Result<()> {
    if format == Format::Xlsx {
        let bytes = workbook::bytes(ledger)?;
        match output {
            Some(path) => {
                fs::write(path, bytes).with_context(|| format!("couldn't write {}", path.display()))?;
            }
            None => out.write_all(&bytes)?,
        }
    }
    match folder {
        Some(folder) => lists::write(folder, format == Format::Xlsx, ledger),
        None => Ok(()),
    }
}

/// What every document is checked with.
struct Checker {
    rules: RuleSet,
    limits: Limits,
}

/// Reads and checks one source on a thread of its own.
async fn check(source: Source, checker: Arc<Checker>) -> anyhow::Result<Checked> {
    let work = move || {
        let name = source.name();
        let Checker { rules, limits } = &*checker;
        let line = source.read(limits.input_bytes).map(|bytes| {
            let hints = Hints { filename: source.filename(), ..Hints::default() };
            gongkai_check::check_by(rules, &name, &bytes, &hints, limits, &Context::default())
        });
        Checked { name, line }
    };
    Ok(tokio::task::spawn_blocking(work).await?)
}

fn judge(checked: &Checked, bar: FailOn) -> Verdict {
    let Ok(line) = &checked.line else { return Verdict::Unreadable };
    if line.status == Status::Rejected {
        return Verdict::Unreadable;
    }
    let bar = match bar {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Never => return Verdict::Clean,
    };
    let reached = |severity: &str| severity.parse::<Severity>().is_ok_and(|severity| severity >= bar);
    if line.findings.iter().any(|finding| reached(&finding.severity)) {
        Verdict::Findings
    } else {
        Verdict::Clean
    }
}
