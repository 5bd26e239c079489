//! `gongkai erase`: erases a report on demand.

use std::process::ExitCode;

use gongkai_proto::v1;

use crate::{
    client::{self, IngestServer},
    printer::{Printer, clean},
};

/// 依申请删除 / Erase a report permanently: originals, attachments, texts and all served data
///
/// Erases all revisions that are known so far. The same contents are refused from then on; a corrected report is another
/// content and is accepted. The log keeps the statutory figures and records who erased what, when and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai erase agencies/361001/reports/2023 --reason 当事人申请删除 --person 张三
  gongkai erase agencies/361001/reports/2023 --reason 误报涉密内容 --person 张三 --ingest-grpc http://10.0.0.6:50052 --token-file token

Exit code: 0 erased now or earlier, 2 not erased.")]
pub(crate) struct Args {
    /// Name of the report: agencies/{agency}/reports/{year}
    report: String,
    /// Reason for the erasure
    #[arg(long)]
    reason: String,
    /// Person who decides
    #[arg(long)]
    person: String,
    #[command(flatten)]
    server: IngestServer,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let Args { report, reason, person, server } = args;
    let mut client = server.submissions().await?;
    let request = v1::EraseReportRequest { name: report, reason, person };
    let erasure = client.erase_report(request).await.map_err(|status| client::refusal("ingest", &status))?;
    let v1::Erasure { reports, content_hashes, file_hashes, .. } = erasure.into_inner();
    for report in &reports {
        out.line(format!("已删除 / erased: {}", clean(report)))?;
    }
    let (contents, files) = (content_hashes.len(), file_hashes.len());
    out.line(format!("版本 {contents}，文件 {files} / revisions {contents}, files {files}"))?;
    Ok(ExitCode::SUCCESS)
}
