//! `gongkai get`: prints one report.

use std::process::ExitCode;

use anyhow::Context as _;
use gongkai_proto::{convert::timestamp::timestamp, v1};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    client::{self, QueryServer},
    printer::{Emphasis, ObjectFormat, Printer, clean},
    view::ReportView,
};

/// 查看一份年报 / Show one report
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai get agencies/p-0123456789abcdef/reports/2023
  gongkai get agencies/p-0123456789abcdef/reports/2023 --format json | jq '.facts[] | select(.state==\"reported\")'
  gongkai get agencies/p-0123456789abcdef/reports/2023 --as-of 2024-02-01T00:00:00+08:00")]
pub(crate) struct Args {
    /// Name of the report: agencies/{agency}/reports/{year}, from `gongkai list`
    name: String,
    /// Show the report as it was known at this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
    #[command(flatten)]
    server: QueryServer,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let as_of = match &args.as_of {
        Some(text) => {
            let at = OffsetDateTime::parse(text, &Rfc3339);
            Some(timestamp(
                at.with_context(|| format!("--as-of {text}: must be like 2024-02-01T00:00:00+08:00"))?,
            ))
        }
        None => None,
    };
    let request = v1::GetReportRequest { name: args.name.clone(), as_of };
    let mut client = args.server.reports().await?;
    let report = ReportView::try_from(client::answer(client.get_report(request).await)?)?;
    match args.format {
        ObjectFormat::Json => out.json(&report)?,
        ObjectFormat::Text => write(out, &report)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut Printer, report: &ReportView) -> std::io::Result<()> {
    out.line(out.styled(Emphasis::Bold, &clean(&report.title)))?;
    let summary = report.findings_summary;
    let findings = format!(
        "错误 {}  警告 {}  待核 {}  提示 {} / error, warning, review, info",
        summary.error, summary.warning, summary.review, summary.info
    );
    let withdrawn = report.withdrawn.then(|| "已撤回 / withdrawn".to_owned());
    out.members([
        ("名称 name", Some(&report.name)),
        ("机关 agency", Some(&report.agency_name)),
        ("年度 year", Some(&report.year.to_string())),
        ("格式 form", Some(&format!("{} {}", report.form, report.variant))),
        ("版次 revision", Some(&format!("{} {}", report.revision, report.content_hash))),
        ("发布 published", report.published_at.as_ref()),
        ("事件 event", report.event_time.as_ref()),
        ("收到 received", report.received_at.as_ref()),
        ("地址 url", report.url.as_ref()),
        ("疑点 findings", Some(&findings)),
        ("状态 state", withdrawn.as_ref()),
        ("跟踪 trace", Some(&report.trace_id)),
    ])?;
    for section in &report.sections {
        out.line("")?;
        out.line(out.styled(Emphasis::Bold, &clean(&section.title)))?;
        for paragraph in section.text.lines() {
            out.line(clean(paragraph))?;
        }
    }
    out.line("")?;
    for fact in &report.facts {
        let applicant = fact.applicant.as_ref().map(|a| format!("[{a}]")).unwrap_or_default();
        let value = fact.value.as_deref().unwrap_or(&fact.state);
        out.line(format!("{}{applicant} = {}", clean(&fact.concept), clean(value)))?;
    }
    Ok(())
}
