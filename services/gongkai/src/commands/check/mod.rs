//! `gongkai check`: documents without a server.

mod files;
mod text;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::ValueEnum;
use futures::{StreamExt as _, stream};
use gongkai_check::{Event, Hints, Limits, Line, RuleSet, Status};
use gongkai_model::Severity;

use self::files::Source;
use crate::output::{Output, complain};

/// 离线核查文件：读取年报并报告疑点 / Check documents offline: what each says, and what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai check report.html
  gongkai check reports/ --format json | jq .findings
  gongkai check a.txt b.md --fail-on warning
  gongkai check reports/ --rules /etc/gongkai/rules
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
    let mut verdict = Verdict::Clean;
    let mut csv = (args.format == Format::Csv).then(text::CsvState::default);
    let checker = Arc::new(Checker {
        rules: gongkai_check::rule_set(args.rules.as_deref())?,
        limits: Limits::default(),
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let checks = files::sources(args.paths).map(|source| check(source, checker.clone()));
    let mut checked = stream::iter(checks).buffered(cores);
    while let Some(checked) = checked.next().await {
        let checked = checked?;
        verdict = verdict.max(judge(&checked, args.fail_on));
        match (&checked.line, &mut csv) {
            (Err(error), _) => complain(format_args!("couldn't read {}: {error}", checked.name)),
            (Ok(line), Some(state)) => state.write(out, line)?,
            (Ok(line), None) if args.format == Format::Json => out.line(line.to_json())?,
            (Ok(line), None) => text::write(out, line)?,
        }
    }
    Ok(ExitCode::from(verdict as u8))
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
            gongkai_check::check_by(rules, &name, &bytes, &hints, limits, &Event::default())
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
