//! `gongkai submissions`: lists what was submitted and how it ended.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use gongkai_proto::{
    convert::timestamp::{CHINA, timestamp},
    v1,
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    client::{self, IngestServer, Listing},
    commands::check::lang::Lang,
    printer::Printer,
    table::{Column, Format, TableRow},
    times,
    view::{self, Counts},
};

/// 报送与拒收情况 / See what was submitted, and what was rejected and why
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai submissions list --state rejected
  gongkai submissions list --code NEEDS_OCR --site yunxi --since 2026-01-01
  gongkai submissions list --state rejected,dead --format csv --limit 0 > rejected.csv")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
}

/// 列出报送记录 / List submissions, newest first
///
/// JSON and CSV have all members of a receipt, with the ids of the submission and of its trace, by which logs and traces are
/// searched. The token of a site shows its own submissions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai submissions list --state rejected
  gongkai submissions list --code NEEDS_OCR --site yunxi --since 2026-01-01
  gongkai submissions list --state rejected,dead --format csv --limit 0 > rejected.csv")]
struct List {
    /// States to list
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE")]
    state: Vec<State>,
    /// Rejection codes to list, such as NEEDS_OCR
    #[arg(long, value_delimiter = ',', value_name = "CODE")]
    code: Vec<String>,
    /// Site that sent the submissions, by its name in [ingest.sites]
    #[arg(long, default_value = "", value_name = "NAME")]
    site: String,
    /// First day (yyyy-mm-dd, China time) or time (RFC 3339) of arrival
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// Last day of arrival, or the time (RFC 3339) before which it was
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    server: IngestServer,
}

/// A state of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Stored, not read yet
    Received,
    /// Read as a report, not checked yet
    Parsed,
    /// Checked
    Validated,
    /// Not a report, or unreadable
    Rejected,
    /// A withdrawal
    Withdrawn,
    /// The content was current already
    Unchanged,
    /// Could not be handled: a dead letter
    Dead,
}

/// A receipt for scripts.
#[derive(Debug, Serialize)]
struct SubmissionView {
    submission_id: String,
    state: &'static str,
    code: Option<String>,
    received_at: Option<String>,
    site: Option<String>,
    agency_name: Option<String>,
    report: Option<String>,
    revision: Option<String>,
    message: Option<String>,
    message_en: Option<String>,
    retryable: Option<bool>,
    findings: Counts,
    supersedes: Option<String>,
    duplicate_of: Option<String>,
    trace_id: String,
}

/// A receipt for people.
#[derive(Debug, Serialize)]
struct SubmissionRow {
    received: String,
    state: &'static str,
    code: String,
    agency: String,
    message: String,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let Command::List(args) = args.command;
    match args.listing.format() {
        Format::Table => {
            let lang = Lang::of_environment();
            list(&args, out, |receipt| SubmissionRow::new(receipt, lang)).await
        }
        Format::Json | Format::Csv => list(&args, out, SubmissionView::new).await,
    }
}

async fn list<R: TableRow>(
    args: &List,
    out: &mut Printer,
    row: impl Fn(v1::Receipt) -> anyhow::Result<R>,
) -> anyhow::Result<ExitCode> {
    let since = args.since.as_deref().map(|day| times::start("--since", day)).transpose()?;
    let until = args.until.as_deref().map(|day| times::end("--until", day)).transpose()?;
    let mut client = args.server.submissions().await?;
    client::list(out, &args.listing, async |page_size, page_token| {
        let request = v1::ListSubmissionsRequest {
            page_size,
            page_token,
            states: args.state.iter().map(|state| v1::SubmissionState::from(*state).into()).collect(),
            rejection_codes: args.code.iter().map(|code| code.to_ascii_uppercase()).collect(),
            site: args.site.clone(),
            since: since.map(timestamp),
            until: until.map(timestamp),
        };
        let response = client.list_submissions(request).await;
        let response = response.map_err(|status| client::refusal("ingest", &status))?.into_inner();
        let rows = response.submissions.into_iter().map(&row).collect::<anyhow::Result<_>>()?;
        Ok((rows, response.next_page_token))
    })
    .await
}

// === impl State ===

impl From<State> for v1::SubmissionState {
    fn from(state: State) -> Self {
        match state {
            State::Received => Self::Received,
            State::Parsed => Self::Parsed,
            State::Validated => Self::Validated,
            State::Rejected => Self::Rejected,
            State::Withdrawn => Self::Withdrawn,
            State::Unchanged => Self::Unchanged,
            State::Dead => Self::Dead,
        }
    }
}

/// Returns the name of a state for scripts, in Chinese and in English.
fn names(state: v1::SubmissionState) -> (&'static str, &'static str) {
    match state {
        v1::SubmissionState::Unspecified | v1::SubmissionState::Received => ("received", "已收到"),
        v1::SubmissionState::Parsed => ("parsed", "已读取"),
        v1::SubmissionState::Validated => ("validated", "已核查"),
        v1::SubmissionState::Rejected => ("rejected", "已拒绝"),
        v1::SubmissionState::Withdrawn => ("withdrawn", "已撤回"),
        v1::SubmissionState::Unchanged => ("unchanged", "内容未变"),
        v1::SubmissionState::Dead => ("dead", "处理失败"),
    }
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

// === impl SubmissionView ===

impl SubmissionView {
    fn new(receipt: v1::Receipt) -> anyhow::Result<Self> {
        let state = names(receipt.state()).0;
        let rejection = receipt.rejection;
        Ok(Self {
            submission_id: receipt.submission_id,
            state,
            code: rejection.as_ref().map(|rejection| rejection.code.clone()),
            received_at: view::rfc3339(receipt.received_at)?,
            site: filled(receipt.site),
            agency_name: filled(receipt.agency_name),
            report: filled(receipt.report),
            revision: filled(receipt.revision),
            retryable: rejection.as_ref().map(|rejection| rejection.retryable),
            message: rejection.as_ref().map(|rejection| rejection.message.clone()),
            message_en: rejection.map(|rejection| rejection.message_en),
            findings: receipt.findings.map(Counts::from).unwrap_or_default(),
            supersedes: filled(receipt.supersedes),
            duplicate_of: filled(receipt.duplicate_of),
            trace_id: receipt.trace_id,
        })
    }
}

impl TableRow for SubmissionView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("submission_id", |view| view.submission_id.clone()),
        ("state", |view| view.state.to_owned()),
        ("code", |view| view.code.clone().unwrap_or_default()),
        ("received_at", |view| view.received_at.clone().unwrap_or_default()),
        ("site", |view| view.site.clone().unwrap_or_default()),
        ("agency_name", |view| view.agency_name.clone().unwrap_or_default()),
        ("report", |view| view.report.clone().unwrap_or_default()),
        ("message", |view| view.message.clone().unwrap_or_default()),
        ("message_en", |view| view.message_en.clone().unwrap_or_default()),
        ("trace_id", |view| view.trace_id.clone()),
    ];
}

// === impl SubmissionRow ===

impl SubmissionRow {
    fn new(receipt: v1::Receipt, lang: Lang) -> anyhow::Result<Self> {
        let (english, chinese) = names(receipt.state());
        let received = match receipt.received_at {
            Some(at) => in_china(gongkai_proto::convert::timestamp::time(at, "received_at")?),
            None => String::new(),
        };
        let agency =
            if receipt.agency_name.is_empty() { receipt.report.clone() } else { receipt.agency_name };
        let rejection = receipt.rejection.unwrap_or_default();
        Ok(Self {
            received,
            state: lang.choose(chinese, english),
            code: rejection.code,
            agency,
            message: lang.choose(&rejection.message, &rejection.message_en).to_owned(),
        })
    }
}

impl TableRow for SubmissionRow {
    const COLUMNS: &'static [Column<Self>] = &[
        ("到达 received", |row| row.received.clone()),
        ("状态 state", |row| row.state.to_owned()),
        ("代码 code", |row| row.code.clone()),
        ("机关 agency", |row| row.agency.clone()),
        ("原因 reason", |row| row.message.clone()),
    ];
}

/// Formats a time of China to the minute.
fn in_china(at: OffsetDateTime) -> String {
    let at = at.to_offset(CHINA);
    let (date, hour, minute) = (at.date(), at.hour(), at.minute());
    format!("{date} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected() -> v1::Receipt {
        let rejection = v1::Rejection {
            code: "NEEDS_OCR".into(),
            message: "文件是扫描件，没有文字。".into(),
            message_en: "the document is a scan without text".into(),
            ..Default::default()
        };
        v1::Receipt {
            submission_id: "s-4f0c".into(),
            state: v1::SubmissionState::Rejected.into(),
            received_at: Some(prost_types::Timestamp { seconds: 1_705_363_200, nanos: 0 }),
            agency_name: "云溪县自然资源局".into(),
            site: "yunxi".into(),
            trace_id: "7c1f".into(),
            rejection: Some(rejection),
            ..Default::default()
        }
    }

    #[test]
    fn a_row_is_in_the_language_of_the_locale() {
        let row = SubmissionRow::new(rejected(), Lang::Zh).unwrap();
        assert_eq!((row.received.as_str(), row.state), ("2024-01-16 08:00", "已拒绝"));
        assert_eq!((row.code.as_str(), row.message.as_str()), ("NEEDS_OCR", "文件是扫描件，没有文字。"));
        let row = SubmissionRow::new(rejected(), Lang::En).unwrap();
        assert_eq!((row.state, row.message.as_str()), ("rejected", "the document is a scan without text"));
    }

    #[test]
    fn scripts_get_the_ids_and_both_messages() {
        let json = serde_json::to_value(SubmissionView::new(rejected()).unwrap()).unwrap();
        let members = ["submission_id", "state", "code", "received_at", "site", "trace_id"];
        let expected = ["s-4f0c", "rejected", "NEEDS_OCR", "2024-01-16T00:00:00Z", "yunxi", "7c1f"];
        assert_eq!(members.map(|member| json[member].as_str().unwrap()), expected);
        assert_eq!(json["report"], serde_json::Value::Null);
        assert!(json["message"].is_string() && json["message_en"].is_string());
    }
}
