//! `gongkai watch`: prints every change of reports as it happens.

use std::process::ExitCode;

use gongkai_proto::v1;

use crate::{
    client::{self, QueryServer},
    printer::Printer,
    table::{self, Format},
    view::ChangeView,
};

/// 跟踪年报变化 / Follow all changes of reports, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai watch
  gongkai watch agencies/p-0123456789abcdef --format json
  gongkai watch --resume TOKEN         continue after the change with TOKEN, without a gap")]
pub(crate) struct Args {
    /// Agency, as agencies/{agency}; agencies/- for all agencies
    #[arg(default_value = "agencies/-")]
    parent: String,
    /// The resume_token of the last change seen; default: start at the oldest change
    #[arg(long, default_value = "", value_name = "TOKEN", hide_default_value = true)]
    resume: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    server: QueryServer,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut client = args.server.reports().await?;
    let request = v1::WatchReportsRequest { parent: args.parent, resume_token: args.resume };
    let mut changes = client::answer(client.watch_reports(request).await)?;
    let mut is_first = true;
    while let Some(change) = changes.message().await.map_err(|status| client::query_error(&status))? {
        table::follow(out, args.format, &ChangeView::try_from(change)?, is_first)?;
        is_first = false;
    }
    Ok(ExitCode::SUCCESS)
}
