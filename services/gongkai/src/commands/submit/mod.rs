//! `gongkai submit`: sends documents to a running ingest.

mod document;
mod ingest;
mod signer;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::ValueEnum;

use self::{
    document::SubmittedDocument,
    ingest::{IngestClient, ReceiptJson, State},
};
use crate::printer::{Emphasis, Printer, clean, complain};

/// 提交年报 / Submit documents to a running ingest
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai submit report.html --wait
  gongkai submit https://example.gov.cn/2023.html --agency 樟树市鹿江街道办事处 --site 3609820001
  gongkai submit reports/*.txt --wait --format json

Exit code: 0 taken (with --wait: read and checked), 1 rejected, 2 not taken or given up.")]
pub(crate) struct Args {
    /// Files, - for standard input, or URLs: a URL is fetched here and submitted with its document
    #[arg(required = true, value_name = "FILE|URL")]
    documents: Vec<String>,
    /// The agency's name, or its code in the registry
    #[arg(long)]
    agency: Option<String>,
    /// The publishing site's code (政府网站标识码)
    #[arg(long, value_name = "CODE")]
    site: Option<String>,
    /// The report's year, if the document does not say
    #[arg(long)]
    year: Option<i32>,
    /// Where it was published
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Wait for each until it is validated or rejected
    #[arg(long)]
    wait: bool,
    /// Longest wait in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "wait")]
    timeout: u64,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Address of the ingest service
    #[arg(
        long = "ingest",
        value_name = "URL",
        env = "GONGKAI_INGEST_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: String,
    /// File with the bearer token, if ingest wants one
    #[arg(long, value_name = "FILE", env = "GONGKAI_INGEST_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// File with the site's secret (whsec_…): signs each call, as a site that has a secret must
    #[arg(long, value_name = "FILE", env = "GONGKAI_INGEST_SECRET_FILE")]
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// The receipt, one JSON object per line
    Json,
}

/// The exit code. Later variants outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SubmitExit {
    Taken = 0,
    Rejected = 1,
    Failed = 2,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let ingest = IngestClient::new(&args.server, args.token_file.as_deref(), args.secret_file.as_deref())?;
    let mut exit = SubmitExit::Taken;
    for name in &args.documents {
        let (judged, receipt) = match submit(&args, &ingest, name).await {
            Ok(receipt) => (judge(receipt.state, args.wait), receipt),
            Err(error) => {
                complain(format_args!("{}: {error:#}", clean(name)));
                exit = SubmitExit::Failed;
                continue;
            }
        };
        exit = exit.max(judged);
        match args.format {
            Format::Json => out.json(&receipt)?,
            Format::Text => write(out, name, &receipt)?,
        }
        out.flush()?;
    }
    Ok(ExitCode::from(exit as u8))
}

async fn submit(args: &Args, ingest: &IngestClient, name: &str) -> anyhow::Result<ReceiptJson> {
    let document = SubmittedDocument::read(name).await?;
    let is_code = |agency: &str| agency.is_ascii() && gongkai_model::AgencyKey::from_code(agency).is_ok();
    let agency = args.agency.as_deref().map(|a| (if is_code(a) { "agency_code" } else { "agency_name" }, a));
    let year = args.year.map(|year| year.to_string());
    let about = [
        agency,
        args.site.as_deref().map(|site| ("site_code", site)),
        year.as_deref().map(|year| ("year", year)),
        args.url.as_deref().or(document.url.as_deref()).map(|url| ("url", url)),
        document.filename.as_deref().map(|filename| ("filename", filename)),
    ];
    let about: Vec<_> = about.into_iter().flatten().collect();
    let receipt = ingest.submit(&document, &about).await?;
    if !args.wait {
        return Ok(receipt);
    }
    ingest.follow(receipt, Duration::from_secs(args.timeout)).await
}

fn judge(state: State, waited: bool) -> SubmitExit {
    match state {
        State::Rejected => SubmitExit::Rejected,
        State::Dead => SubmitExit::Failed,
        // The wait timed out.
        State::Received | State::Parsed if waited => SubmitExit::Failed,
        _ => SubmitExit::Taken,
    }
}

fn write(out: &mut Printer, name: &str, receipt: &ReceiptJson) -> std::io::Result<()> {
    let (word, style) = match receipt.state {
        State::Received => ("已收到 received", Emphasis::Bold),
        State::Parsed => ("已读取 parsed", Emphasis::Bold),
        State::Validated => ("已核查 validated", Emphasis::Green),
        State::Rejected => ("已拒绝 rejected", Emphasis::Red),
        State::Withdrawn => ("已撤回 withdrawn", Emphasis::Bold),
        State::Unchanged => ("内容未变 unchanged", Emphasis::Bold),
        State::Dead => ("处理失败 dead", Emphasis::Red),
    };
    out.line(format!("{}  {}", out.styled(Emphasis::Bold, &clean(name)), out.styled(style, word)))?;
    let counts = receipt.findings;
    if receipt.state == State::Validated {
        out.line(format!(
            "    疑点 findings: 错误 error {}, 警告 warning {}, 待核 review {}, 提示 info {}",
            counts.error, counts.warning, counts.review, counts.info
        ))?;
    }
    if let Some(rejection) = &receipt.rejection {
        out.line(format!("    {}  {}", rejection.code, clean(&rejection.message)))?;
        out.line(format!("    {}", out.styled(Emphasis::Dim, &clean(&rejection.message_en))))?;
    }
    if let Some(report) = &receipt.report {
        out.line(format!("    report      {}", clean(report)))?;
    }
    out.line(format!("    submission  {}", clean(&receipt.submission_id)))?;
    out.line(format!("    trace       {}", clean(&receipt.trace_id)))
}
