//! `gongkai reprocess`: has stored reports read or checked again.

use std::process::ExitCode;

use clap::ValueEnum;
use gongkai_proto::{convert::timestamp::timestamp, v1};
use serde::Serialize;

use crate::{
    client::{self, QueryServer},
    printer::Printer,
    table::{self, Column, Format, TableRow},
    times,
};

/// 重新读取、核查 / Read or check stored reports again with today's parser and rules
///
/// The current document of each report is handled, behind all newer documents. A report changes only if the result differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai reprocess --year 2023 --dry-run
  gongkai reprocess --agency 361001 --stage validate
  gongkai reprocess --since 2026-01-01")]
pub(crate) struct Args {
    /// Key of the agency, from `gongkai agencies list`; default: all agencies
    #[arg(long, default_value = "-", value_name = "KEY")]
    agency: String,
    /// Year of the reports; default: all years
    #[arg(long)]
    year: Option<i32>,
    /// Only reports received at this time or later: a day (yyyy-mm-dd, China time) or a time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// First stage to run again
    #[arg(long, value_enum, default_value_t)]
    stage: Stage,
    /// Publish nothing; show the reports and their number
    #[arg(long)]
    dry_run: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    server: QueryServer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Stage {
    /// Read the originals again, then check the reports
    #[default]
    Parse,
    /// Check the reports again, as they were read
    Validate,
}

#[derive(Debug, Serialize)]
struct ReprocessedView {
    report: String,
    agency_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    run_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    skipped: String,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let agency = args.agency.strip_prefix("agencies/").unwrap_or(&args.agency);
    let year = args.year.map_or_else(|| "-".to_owned(), |year| year.to_string());
    let since = args.since.as_deref().map(|since| times::start("--since", since)).transpose()?;
    let request = v1::ReprocessReportsRequest {
        parent: format!("agencies/{agency}/reports/{year}"),
        since: since.map(timestamp),
        stage: match args.stage {
            Stage::Parse => v1::Stage::Parse,
            Stage::Validate => v1::Stage::Validate,
        }
        .into(),
        validate_only: args.dry_run,
    };
    let mut client = args.server.operations().await?;
    let mut found = client::answer(client.reprocess_reports(request).await)?;
    let mut rows = Vec::new();
    while let Some(report) = found.message().await.map_err(|status| client::query_error(&status))? {
        rows.push(ReprocessedView::from(report));
    }
    if args.format != Format::Table || args.dry_run {
        table::write(out, args.format, &rows)?;
    }
    if args.format == Format::Table {
        let skipped = rows.iter().filter(|row| !row.skipped.is_empty()).count();
        let count = rows.len() - skipped;
        out.line(match args.dry_run {
            true => format!("将重新处理 {count} 份报告 / {count} reports would be run again"),
            false => {
                format!("{count} 份报告正在后台重新处理 / {count} reports are run again in the background")
            }
        })?;
        if skipped > 0 {
            out.line(format!("{skipped} 份原件已不在日志中 / {skipped} are no longer in the log"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl From<v1::ReprocessedReport> for ReprocessedView {
    fn from(report: v1::ReprocessedReport) -> Self {
        Self {
            report: report.name,
            agency_name: report.agency_name,
            message_id: report.message_id,
            run_id: report.run_id,
            skipped: report.skipped,
        }
    }
}

impl TableRow for ReprocessedView {
    const LEFT_OUT: &'static [&'static str] = &["message_id", "run_id"];
    const COLUMNS: &'static [Column<Self>] = &[
        ("report", |row| row.report.clone()),
        ("agency_name", |row| row.agency_name.clone()),
        ("skipped", |row| row.skipped.clone()),
        ("message_id", |row| row.message_id.clone()),
        ("run_id", |row| row.run_id.clone()),
    ];
}
