//! `gongkai explain`: prints one finding and everything that it depends on.

use std::process::ExitCode;

use anyhow::Context as _;
use gongkai_check::FactLine;
use gongkai_model::{Fact, Severity};
use gongkai_proto::{convert::finding::severity, v1};
use serde::Serialize;

use crate::{
    client::{self, QueryServer},
    printer::{Emphasis, ObjectFormat, Printer, clean},
    view::{FindingView, WaiverView, rfc3339},
};

/// 疑点说明 / Explain one finding: formula, operands and their positions, source, history
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai explain agencies/361001/reports/2023/findings/0f3c…
  gongkai explain agencies/361001/reports/2023/findings/0f3c… --format json")]
pub(crate) struct Args {
    /// Name of the finding: agencies/{agency}/reports/{year}/findings/{fingerprint}, from the columns report and
    /// fingerprint of `gongkai findings`
    name: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
    #[command(flatten)]
    server: QueryServer,
}

/// A finding with everything that it depends on.
#[derive(Debug, Serialize)]
struct Explanation {
    #[serde(flatten)]
    finding: FindingView,
    url: String,
    content_hash: String,
    history: Vec<SeverityHistory>,
    waivers: Vec<WaiverView>,
}

#[derive(Debug, Serialize)]
struct SeverityHistory {
    severity: &'static str,
    rules: String,
    first_at: Option<String>,
    last_at: Option<String>,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let request = v1::ExplainFindingRequest { name: args.name.clone() };
    let mut client = args.server.reports().await?;
    let view = view(client::answer(client.explain_finding(request).await)?)?;
    match args.format {
        ObjectFormat::Json => out.json(&view)?,
        ObjectFormat::Text => write(out, &view)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn view(told: v1::FindingExplanation) -> anyhow::Result<Explanation> {
    let mut finding = FindingView::try_from(told.finding.context("server sent no finding")?)?;
    let operand = |fact: v1::Fact| Ok(FactLine::from(&Fact::try_from(fact)?));
    finding.finding.operands = told.operands.into_iter().map(operand).collect::<anyhow::Result<_>>()?;
    let judgement = |judgement: v1::Judgement| {
        Ok(SeverityHistory {
            severity: severity(judgement.severity).map_or("UNSPECIFIED", Severity::as_str),
            rules: judgement.rules,
            first_at: rfc3339(judgement.first_at)?,
            last_at: rfc3339(judgement.last_at)?,
        })
    };
    Ok(Explanation {
        finding,
        url: told.url,
        content_hash: told.content_hash,
        history: told.history.into_iter().map(judgement).collect::<anyhow::Result<_>>()?,
        waivers: told.waivers.into_iter().map(WaiverView::try_from).collect::<anyhow::Result<_>>()?,
    })
}

fn write(out: &mut Printer, view: &Explanation) -> std::io::Result<()> {
    let finding = &view.finding.finding;
    let head = format!("{} {}  {}", finding.severity, finding.rule, finding.message);
    out.line(out.styled(Emphasis::Bold, &clean(&head)))?;
    let quotation = finding.source.as_ref().map(|source| &source.text);
    out.members([
        ("英文 english", Some(&finding.message_en)),
        ("公式 formula", Some(&finding.formula)),
        ("应为 expected", finding.expected.as_ref()),
        ("实为 actual", finding.actual.as_ref()),
        ("引文 quotation", quotation),
        ("根源 cause", finding.cause.as_ref()),
        ("依据 legal source", Some(&finding.legal)),
        ("建议 advice", Some(&finding.help)),
        ("改法 repair", finding.suggestion.as_ref()),
        ("规则 rules", Some(&finding.versions.rules)),
        ("报告 report", Some(&view.finding.report)),
        ("地址 url", Some(&view.url)),
        ("内容 content", Some(&view.content_hash)),
        ("跟踪 trace", Some(&view.finding.trace_id)),
    ])?;
    for operand in &finding.operands {
        out.line(format!("  {}", clean(&operand_line(operand))))?;
    }
    for judged in &view.history {
        let (first, last) = (judged.first_at.as_deref(), judged.last_at.as_deref());
        let times = format!("{} – {}", first.unwrap_or_default(), last.unwrap_or_default());
        let said = format!("{} {times} ({})", judged.severity, judged.rules);
        out.members([("历次 history", Some(&said))])?;
    }
    for waiver in &view.waivers {
        let until = waiver.expires_at.as_deref().unwrap_or_default();
        let said =
            format!("{} {}（{}，至 {until}） {}", waiver.state, waiver.reason, waiver.person, waiver.name);
        out.members([("销号 waiver", Some(&said))])?;
    }
    Ok(())
}

/// Returns the line of a cell: its name, its text, and its position.
fn operand_line(operand: &FactLine) -> String {
    let applicant = operand.applicant.as_ref().map(|a| format!("[{a}]")).unwrap_or_default();
    let value = operand.value.as_deref().unwrap_or(&operand.state);
    let position = operand.source.as_ref().map(|source| {
        let parts = [
            ("page", source.page),
            ("table", source.table),
            ("row", source.row),
            ("column", source.column),
            ("start", source.start),
        ];
        let parts = parts.into_iter().filter_map(|(name, n)| Some(format!("{name} {}", n?)));
        format!("  ({})", parts.collect::<Vec<_>>().join(", "))
    });
    format!("{}{applicant} = {value}{}", operand.concept, position.unwrap_or_default())
}
