//! `gongkai dead replay`: has the messages of dead letters handled again, or tells what would become of them.

use std::process::ExitCode;

use anyhow::ensure;
use gongkai_proto::v1::{self, ReplayOutcome};
use serde::Serialize;

use super::{selection::Selected, view::id};
use crate::{
    client::{self, QueryServer},
    printer::Printer,
    table::{self, Column, Format, TableRow},
};

/// 重放死信 / Publish the messages of open dead letters again, oldest first
///
/// A replay has the effect of another delivery: a second one changes nothing. What fails again is a new dead letter that names the
/// old one. With --dry-run nothing is published, and each message is tried by the program that query runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai dead replay 41 42
  gongkai dead replay --code ORIGINAL_MISSING --dry-run
  gongkai dead replay --all --person 张三 --reason 已恢复存储")]
pub(super) struct Args {
    #[command(flatten)]
    selected: Selected,
    /// Publish nothing; show how many messages would be handled, and why the others would not
    #[arg(long)]
    dry_run: bool,
    /// Person who decides
    #[arg(long, default_value = "")]
    person: String,
    /// Reason for the replay
    #[arg(long, default_value = "")]
    reason: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    server: QueryServer,
}

#[derive(Debug, Serialize)]
struct ReplayView {
    id: String,
    outcome: &'static str,
    service: String,
    code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    would_fail_code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    explanation: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message_id: String,
}

pub(super) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let (names, filter) = args.selected.request()?;
    let request = v1::ReplayDeadLettersRequest {
        names,
        filter,
        validate_only: args.dry_run,
        person: args.person,
        reason: args.reason,
    };
    let mut client = args.server.operations().await?;
    let mut stream = client::answer(client.replay_dead_letters(request).await)?;
    let mut rows = Vec::new();
    while let Some(done) = stream.message().await.map_err(|status| client::query_error(&status))? {
        rows.push(done);
    }
    let counted = |outcome| rows.iter().filter(|row| row.outcome() == outcome).count();
    let (total, passes) = (rows.len(), counted(ReplayOutcome::WouldPass));
    let (replayed, uncertain) = (counted(ReplayOutcome::Replayed), counted(ReplayOutcome::Uncertain));
    let is_notable = |row: &v1::ReplayedDeadLetter| {
        args.format != Format::Table
            || !matches!(row.outcome(), ReplayOutcome::WouldPass | ReplayOutcome::Replayed)
            || !row.explanation.is_empty()
    };
    let shown: Vec<ReplayView> = rows.into_iter().filter(is_notable).map(ReplayView::from).collect();
    if !shown.is_empty() {
        table::write(out, args.format, &shown)?;
    }
    if args.format == Format::Table {
        out.line(match args.dry_run {
            true => format!(
                "{total} 封中有 {passes} 封可由当前程序处理 / {passes} of {total} would pass with this program"
            ),
            false => format!("{total} 封中重放了 {replayed} 封 / replayed {replayed} of {total}"),
        })?;
        if uncertain > 0 {
            out.line(format!(
                "另有 {uncertain} 封须重放才知道 / {uncertain} more can only be told by a replay"
            ))?;
        }
    }
    ensure!(total > 0 || args.format != Format::Table, "没有符合条件的死信 / no open dead letter matches");
    Ok(ExitCode::SUCCESS)
}

impl From<v1::ReplayedDeadLetter> for ReplayView {
    fn from(done: v1::ReplayedDeadLetter) -> Self {
        let outcome = match done.outcome() {
            ReplayOutcome::Replayed => "replayed",
            ReplayOutcome::WouldPass => "would_pass",
            ReplayOutcome::WouldFail => "would_fail",
            ReplayOutcome::Uncertain => "uncertain",
            ReplayOutcome::Settled => "settled",
            ReplayOutcome::Unspecified => "unspecified",
        };
        Self {
            id: id(&done.name),
            outcome,
            service: done.service,
            code: done.code,
            would_fail_code: done.would_fail_code,
            explanation: done.explanation,
            message_id: done.message_id,
        }
    }
}

impl TableRow for ReplayView {
    const LEFT_OUT: &'static [&'static str] = &["message_id"];
    const COLUMNS: &'static [Column<Self>] = &[
        ("id", |row| row.id.clone()),
        ("outcome", |row| row.outcome.to_owned()),
        ("service", |row| row.service.clone()),
        ("code", |row| row.code.clone()),
        ("would_fail_code", |row| row.would_fail_code.clone()),
        ("explanation", |row| row.explanation.clone()),
        ("message_id", |row| row.message_id.clone()),
    ];
}
