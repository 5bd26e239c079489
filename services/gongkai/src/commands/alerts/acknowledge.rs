//! `gongkai alerts acknowledge`: records that a person takes care of an alert.

use std::process::ExitCode;

use gongkai_proto::v1;

use super::view::AcknowledgementView;
use crate::{
    client::{self, QueryServer},
    commands::check::lang::Lang,
    printer::{ObjectFormat, Printer, clean},
};

/// 确认收到告警 / Record that a person takes care of an open alert
///
/// An acknowledgement ends nothing, unlike a waiver. It applies until the alert is resolved. The same person again changes
/// nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai alerts acknowledge 0f3c5a0e8a5f4c1d9be2a7c6d5e4f301 --person 张三 --comment 已联系办公室核对")]
pub(super) struct Args {
    /// Id of the alert, from the column alert of `gongkai alerts list`
    id: String,
    /// Person who takes care
    #[arg(long)]
    person: String,
    /// What the person says about it
    #[arg(long, default_value = "", value_name = "TEXT")]
    comment: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
    #[command(flatten)]
    server: QueryServer,
}

pub(super) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let request = v1::AcknowledgeAlertRequest { name: args.id, person: args.person, comment: args.comment };
    let mut client = args.server.alerts().await?;
    let done = AcknowledgementView::try_from(client::answer(client.acknowledge_alert(request).await)?)?;
    match args.format {
        ObjectFormat::Json => out.json(&done)?,
        ObjectFormat::Text => {
            let by = Lang::of_environment().choose("已确认", "acknowledged by");
            out.line(clean(&format!("{by} {} {}", done.person, done.acknowledged_at)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
