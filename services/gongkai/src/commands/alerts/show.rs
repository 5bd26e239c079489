//! `gongkai alerts show`: shows one alert with its history.

use std::process::ExitCode;

use gongkai_proto::v1;

use super::view::AlertView;
use crate::{
    client::{self, QueryServer},
    commands::check::lang::Lang,
    printer::{Emphasis, ObjectFormat, Printer, clean},
};

/// 查看一条告警的经过 / Show one alert: its findings, and who did what when and why
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai alerts show 0f3c5a0e8a5f4c1d9be2a7c6d5e4f301
  gongkai alerts show 0f3c5a0e8a5f4c1d9be2a7c6d5e4f301 --format json | jq .history")]
pub(super) struct Args {
    /// Id of the alert, from the column alert of `gongkai alerts list`
    id: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
    #[command(flatten)]
    server: QueryServer,
}

pub(super) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut client = args.server.alerts().await?;
    let request = v1::GetAlertRequest { name: args.id.clone() };
    let alert = AlertView::try_from(client::answer(client.get_alert(request).await)?)?;
    match args.format {
        ObjectFormat::Json => out.json(&alert)?,
        ObjectFormat::Text => write(out, &alert, Lang::of_environment())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut Printer, alert: &AlertView, lang: Lang) -> anyhow::Result<()> {
    out.line(out.styled(Emphasis::Bold, &clean(&format!("{} {}", alert.agency_name, alert.year))))?;
    let members = [
        (lang.choose("编号", "alert"), alert.alert.clone()),
        (lang.choose("状态", "state"), alert.state_in(lang).to_owned()),
        (lang.choose("程度", "severity"), alert.severity_in(lang).to_owned()),
        (lang.choose("报告", "report"), alert.report.clone()),
        (lang.choose("网址", "url"), alert.url.clone()),
        (lang.choose("提出", "raised"), alert.raised_at.clone().unwrap_or_default()),
        (lang.choose("跟踪", "trace"), alert.trace_id.clone()),
    ];
    out.members(members.each_ref().map(|(label, text)| (*label, Some(text))))?;
    out.line("")?;
    for finding in &alert.findings {
        let message = lang.choose(&finding.message, &finding.message_en);
        out.line(clean(&format!("{}  {message}", finding.rule)))?;
    }
    out.line("")?;
    for step in &alert.history {
        out.line(clean(&step.in_words(lang)))?;
    }
    Ok(())
}
