//! `gongkai dead drop`: gives up dead letters, for a reason.

use std::process::ExitCode;

use gongkai_proto::v1;
use serde::Serialize;

use super::{selection::Selected, view::id};
use crate::{
    client::{self, QueryServer},
    printer::{ObjectFormat, Printer},
};

/// 放弃死信 / Give up open dead letters; who did it and why is kept with them
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai dead drop 41 --person 张三 --reason 测试报文
  gongkai dead drop --code UNDECODABLE --person 张三 --reason 旧版本误发")]
pub(super) struct Args {
    #[command(flatten)]
    selected: Selected,
    /// Reason
    #[arg(long)]
    reason: String,
    /// Person who decides
    #[arg(long)]
    person: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
    #[command(flatten)]
    server: QueryServer,
}

#[derive(Debug, Serialize)]
struct DropView {
    dropped: Vec<String>,
    settled_before: u32,
}

pub(super) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let (names, filter) = args.selected.request()?;
    let request = v1::DropDeadLettersRequest { names, filter, reason: args.reason, person: args.person };
    let mut client = args.server.operations().await?;
    let v1::DropDeadLettersResponse { dropped, settled_before } =
        client::answer(client.drop_dead_letters(request).await)?;
    if args.format == ObjectFormat::Json {
        out.json(&DropView { dropped: dropped.iter().map(|name| id(name)).collect(), settled_before })?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(format!("已放弃 {} 封 / dropped {}", dropped.len(), dropped.len()))?;
    if settled_before > 0 {
        out.line(format!("{settled_before} 封此前已处置 / {settled_before} were settled before"))?;
    }
    Ok(ExitCode::SUCCESS)
}
