//! `gongkai submit`: sends documents to a running ingest.
//!
//! `batch` sends several documents at a time; `journal` records the accepted files of a folder; `report` prints.

mod batch;
mod document;
mod ingest;
mod journal;
mod receipt_text;
mod report;
mod signer;

use std::{path::PathBuf, process::ExitCode, sync::atomic::AtomicBool, time::Duration};

use futures::{StreamExt as _, stream};

use self::{
    batch::{Batch, DocumentOutcome},
    ingest::{Failure, FailureKind, IngestClient, State},
    report::{RunReport, SubmitFormat},
};
use crate::printer::{Printer, complain};

/// 提交年报 / Submit documents to a running ingest
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai submit report.html --wait
  gongkai submit https://example.gov.cn/2023.html --agency 樟树市鹿江街道办事处 --site 3609820001
  gongkai submit reports/*.txt --wait --format json
  gongkai submit archive/ --backfill

A folder is sent recursively. x.docx beside x.html and the files that a page links are sent with the page, as its attachments.
Accepted documents are recorded in a journal beside the folder (archive.submitted.jsonl): the same command, run again,
continues where it stopped and sends documents that have changed since, a page also if an attachment has.

Exit code: 0 accepted (with --wait: read and checked), 1 rejected, 2 not accepted or given up.")]
pub(crate) struct Args {
    /// Files, folders, URLs, or - for standard input; a URL is fetched by this command and submitted with its document
    #[arg(required = true, value_name = "FILE|DIR|URL")]
    documents: Vec<String>,
    /// Name of the agency, or its code in the registry
    #[arg(long)]
    agency: Option<String>,
    /// Code of the publishing site (政府网站标识码)
    #[arg(long, value_name = "CODE")]
    site: Option<String>,
    /// Year of the report, if the document does not state it
    #[arg(long)]
    year: Option<i32>,
    /// URL of publication
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Wait until each document is validated or rejected
    #[arg(long)]
    wait: bool,
    /// Maximum wait in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "wait")]
    timeout: u64,
    /// Mark the documents as old ones in bulk, which are read when no newer ones wait
    #[arg(long)]
    backfill: bool,
    /// Number of documents sent at a time; default: 8, or 1 with --backfill, which also pauses after each document for
    /// as long as it took
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Maximum time in seconds to retry while ingest is busy or unreachable
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    patience: u64,
    /// Journal of accepted documents; default for a folder: a file beside it
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: SubmitFormat,
    /// Address of the ingest service
    #[arg(
        long = "ingest",
        value_name = "URL",
        env = "GONGKAI_INGEST_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: String,
    /// File with the bearer token, if ingest requires one
    #[arg(long, value_name = "FILE", env = "GONGKAI_INGEST_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// File with the site's secret (whsec_…), which signs each call; required if the site has a secret
    #[arg(long, value_name = "FILE", env = "GONGKAI_INGEST_SECRET_FILE")]
    secret_file: Option<PathBuf>,
}

/// The exit code. Later variants outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SubmitExit {
    Taken = 0,
    Rejected = 1,
    Failed = 2,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let batch = Batch {
        ingest: IngestClient::new(&args.server, args.token_file.as_deref(), args.secret_file.as_deref())?,
        about: args.about(),
        patience: Duration::from_secs(args.patience),
        is_backfill: args.backfill,
        follow: args.wait.then(|| Duration::from_secs(args.timeout)),
        was_reached: AtomicBool::new(false),
    };
    let to = format!("{} {:?}", batch.ingest.address(), batch.about);
    let items = batch::items(&args.documents, args.journal.as_deref(), &to)?;
    let folders = args.documents.iter().map(PathBuf::from).filter(|path| path.is_dir()).collect();
    let mut report = RunReport::new(out, args.format, folders);
    let mut exit = SubmitExit::Taken;
    let mut done = stream::iter(items.map(|item| batch.submit(item))).buffered(args.jobs());
    while let Some((name, outcome)) = done.next().await {
        exit = exit.max(judge(&outcome, args.wait));
        report.done(&name, &outcome)?;
        if let DocumentOutcome::Failed(Failure { kind: FailureKind::Away | FailureKind::Denied, .. }) =
            outcome
        {
            complain(
                "stopped: the rest would fail in the same way; the same command goes on where a journal ends",
            );
            break;
        }
    }
    drop(done);
    report.finish()?;
    Ok(ExitCode::from(exit as u8))
}

impl Args {
    fn jobs(&self) -> usize {
        self.jobs.unwrap_or(if self.backfill { 1 } else { 8 }).max(1)
    }

    /// Returns the options that apply to every document, as query parameters.
    fn about(&self) -> Vec<(&'static str, String)> {
        let is_code = |agency: &str| agency.is_ascii() && gongkai_model::AgencyKey::from_code(agency).is_ok();
        let agency = self.agency.clone();
        let agency = agency.map(|a| (if is_code(&a) { "agency_code" } else { "agency_name" }, a));
        let about = [
            agency,
            self.site.clone().map(|site| ("site_code", site)),
            self.year.map(|year| ("year", year.to_string())),
            self.url.clone().map(|url| ("url", url)),
            self.backfill.then(|| ("backfill", "true".to_owned())),
        ];
        about.into_iter().flatten().collect()
    }
}

fn judge(outcome: &DocumentOutcome, waited: bool) -> SubmitExit {
    let state = match outcome {
        DocumentOutcome::Taken(receipt) => receipt.state,
        DocumentOutcome::Known => return SubmitExit::Taken,
        DocumentOutcome::Failed(_) => return SubmitExit::Failed,
    };
    match state {
        State::Rejected => SubmitExit::Rejected,
        State::Dead => SubmitExit::Failed,
        // The wait timed out.
        State::Received | State::Parsed if waited => SubmitExit::Failed,
        _ => SubmitExit::Taken,
    }
}
