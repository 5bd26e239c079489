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
    batch::{Batch, Outcome},
    ingest::{Failure, IngestClient, Kind, State},
    report::{Format, RunReport},
};
use crate::printer::{Printer, complain};

/// 提交年报 / Submit documents to a running ingest
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai submit report.html --wait
  gongkai submit https://example.gov.cn/2023.html --agency 樟树市鹿江街道办事处 --site 3609820001
  gongkai submit reports/*.txt --wait --format json
  gongkai submit archive/ --backfill

A folder is sent with all below it. What was taken is noted in a journal beside it (archive.submitted.jsonl): the same
command goes on where it was, and sends what has changed since.

Exit code: 0 taken (with --wait: read and checked), 1 rejected, 2 not taken or given up.")]
pub(crate) struct Args {
    /// Files, folders, - for standard input, or URLs: a URL is fetched here and submitted with its document
    #[arg(required = true, value_name = "FILE|DIR|URL")]
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
    /// Old documents in bulk: they are read when nothing newer waits
    #[arg(long)]
    backfill: bool,
    /// Documents sent at a time: 8 if not given, 1 of a backfill, which also rests after each as long as that took
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Longest time in seconds to go on trying while ingest is busy or away
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    patience: u64,
    /// Journal of what was taken; for a folder there is one beside it without this option
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
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
        if let Outcome::Failed(Failure { kind: Kind::Away | Kind::Denied, .. }) = outcome {
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

fn judge(outcome: &Outcome, waited: bool) -> SubmitExit {
    let state = match outcome {
        Outcome::Taken(receipt) => receipt.state,
        Outcome::Known => return SubmitExit::Taken,
        Outcome::Failed(_) => return SubmitExit::Failed,
    };
    match state {
        State::Rejected => SubmitExit::Rejected,
        State::Dead => SubmitExit::Failed,
        // The wait timed out.
        State::Received | State::Parsed if waited => SubmitExit::Failed,
        _ => SubmitExit::Taken,
    }
}
