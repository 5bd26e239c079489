//! `gongkai check`: checks documents without a server.

mod ahead;
mod annotate;
mod attachments;
mod checker;
mod county;
mod csv;
mod docx;
mod explain;
pub(super) mod files;
pub(super) mod joint;
pub(crate) mod lang;
mod letter;
mod lists;
mod notice;
mod options;
mod output;
mod sarif;
mod sheet;
mod standings;
mod tables;
mod text;
mod unreadable;
mod workbook;
pub(super) mod wrap;

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, sync::Arc};

use futures::{StreamExt as _, stream};
use gongkai_check::CheckLine;
use gongkai_reading::JointReading;
use gongkai_rules::ReportContext;

use self::{
    ahead::{Ahead, Weight},
    annotate::Annotator,
    checker::Checker,
    county::CountyArgs,
    files::DocumentSource,
    lang::Lang,
    letter::LetterArgs,
    options::{FailOn, OutputOptions, ReportFormat},
    output::LineSink,
};
use crate::printer::Printer;

/// 离线核查文件：读取年报并报告疑点 / Check documents offline: read each report and list its findings
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai check report.html
  gongkai check reports/ --format json | jq .findings
  gongkai check a.txt b.md --fail-on warning
  gongkai check reports/2024/ --previous reports/2023/ --agencies agencies.csv
  gongkai check reports/ --rules /etc/gongkai/rules
  gongkai check reports/ --format xlsx --output findings.xlsx
  gongkai check reports/ --format csv --lists lists/ > findings.csv
  gongkai check reports/ --annotate marked/
  gongkai check reports/ --format csv --spreadsheet > 疑点.csv
  gongkai check reports/ --notice 通报.docx --office 某县政务公开办 --due 2025-02-28 --contact '张三 0795-1234567'
  curl -s https://example.gov.cn/2023.html | gongkai check -
  gongkai check reports/ --format sarif > findings.sarif
  gongkai check --schema > check-line.schema.json
  gongkai check report.html --explain-reading

In a folder, x.docx beside x.html and the files that a page links are attachments of the page and are read with it.
The documents of a folder are also checked against each other: the years of a body, copies and, with --agencies, parents and siblings.

Exit code: 0 no finding at or above --fail-on, 1 at least one, 2 an input could not be read.")]
pub(crate) struct Args {
    /// Files, folders (read recursively, in sorted order), or - for standard input
    #[arg(required_unless_present = "schema", value_name = "FILE|DIR")]
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
    /// Folder for a marked copy (批注版) of each document with findings: HTML with marks and a list, DOCX with comments, PDF
    /// with highlights; text and Markdown become HTML
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
    /// File for the draft of a 通报 (notice of the results to all agencies), as DOCX
    #[arg(long, value_name = "FILE")]
    notice: Option<PathBuf>,
    /// With --format csv: columns and words of the 疑点 table, and the mark by which spreadsheets recognise UTF-8
    #[arg(long)]
    spreadsheet: bool,
    /// Folder with local rule packs (*.toml), added to the built-in rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Folder with earlier reports to compare with; they are not checked themselves
    #[arg(long, value_name = "DIR")]
    previous: Option<PathBuf>,
    /// List of agencies (CSV, UTF-8 or GB18030), as for gongkai agencies import
    #[arg(long, value_name = "CSV")]
    agencies: Option<PathBuf>,
    /// Code of the site (网站标识码); its first six digits are the region
    #[arg(long, value_name = "CODE")]
    site_code: Option<String>,
    /// Language of the text; default: that of the locale (LC_ALL, LC_MESSAGES, LANG), Chinese unless it is English
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Print how each document is read instead of its findings, for whoever mends the readers: lines with their kinds, tables as
    /// grids, rows as matched, and why cells are unreadable
    #[arg(long, conflicts_with_all = ["output", "lists", "annotate", "rules"])]
    explain_reading: bool,
    /// Print the JSON Schema of a line of --format json
    #[arg(long, exclusive = true)]
    schema: bool,
    #[command(flatten)]
    letter: LetterArgs,
}

/// Checks on all cores; writes in the order of the sources.
pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    if args.schema {
        out.line(gongkai_check::LINE_SCHEMA.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    validate(&args)?;
    if args.explain_reading {
        return explain::run(args.paths, out);
    }
    let checker = Arc::new(Checker::new(args.rules.as_deref())?);
    let lang = args.lang.unwrap_or_else(Lang::of_environment);
    let annotator =
        args.annotate.clone().map(|folder| Annotator::new(folder, &args.paths, lang.into(), &checker));
    let annotator = annotator.transpose()?.map(Arc::new);
    let options = OutputOptions {
        format: args.format,
        fail_on: args.fail_on,
        lang,
        workbook: args.output.clone(),
        lists: args.lists.clone(),
        notice: args.notice.clone(),
        letter: args.letter.clone(),
        spreadsheet: args.spreadsheet,
    };
    let mut output = LineSink::new(options, &checker.rules, out);
    if is_county(&args) {
        let Args { paths, previous, agencies, site_code, .. } = args;
        let county = CountyArgs { paths, previous, agencies, site_code };
        county::check(county, &checker, annotator, &mut output).await?;
    } else {
        check_each(args.paths, &checker, annotator, &mut output).await?;
    }
    Ok(ExitCode::from(output.finish()? as u8))
}

/// Returns true if documents are checked against each other.
fn is_county(args: &Args) -> bool {
    let has_context = args.previous.is_some() || args.agencies.is_some() || args.site_code.is_some();
    has_context || args.paths.iter().any(|path| path.is_dir())
}

/// Checks each document by itself.
async fn check_each(
    paths: Vec<PathBuf>,
    checker: &Arc<Checker>,
    annotator: Option<Arc<Annotator>>,
    output: &mut LineSink<'_>,
) -> anyhow::Result<()> {
    let ahead = Arc::new(Ahead::new());
    let checks = files::sources(paths)
        .map(|source| check_one(source, checker.clone(), annotator.clone(), ahead.clone()));
    let mut checked = stream::iter(checks).buffered(ahead::MOST);
    while let Some(checked) = checked.next().await {
        let (line, _weight) = checked?;
        output.write(&line)?;
    }
    Ok(())
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
        !args.spreadsheet || args.format == ReportFormat::Csv,
        "--spreadsheet goes with --format csv only"
    );
    let no_folder = args.previous.as_ref().filter(|folder| !folder.is_dir());
    anyhow::ensure!(no_folder.is_none(), "--previous names no folder");
    anyhow::ensure!(
        !is_workbook || args.output.is_some() || !std::io::stdout().is_terminal(),
        "a workbook is nothing for a terminal: say where it goes with --output FILE"
    );
    Ok(())
}

/// Reads one source with its attachments in children, checks it on a thread of its own, and writes its marked copy. An
/// unreadable source gets a line that reports it.
async fn check_one(
    source: DocumentSource,
    checker: Arc<Checker>,
    annotator: Option<Arc<Annotator>>,
    ahead: Arc<Ahead>,
) -> anyhow::Result<(CheckLine, Weight)> {
    let size = source.size();
    let work = move || {
        let (name, files) = (source.name(), source.paths());
        let Checker { rules, limits, readers } = &*checker;
        let line = match joint::read(source, readers, *limits) {
            Ok(JointReading { result, parts, .. }) => CheckLine {
                parts: parts.iter().map(Into::into).collect(),
                ..gongkai_check::line_of(rules, &name, result, &ReportContext::default())
            },
            Err(error) => unreadable::line(&name, &error, rules),
        };
        match annotator {
            Some(annotator) => annotator.copy(&files, &line).map(|()| line),
            None => Ok(line),
        }
    };
    let (line, weight) = ahead.work(size, work).await?;
    Ok((line?, weight))
}
