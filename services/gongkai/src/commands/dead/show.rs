//! `gongkai dead show`: shows one dead letter with its message.

use std::process::ExitCode;

use gongkai_proto::v1;

use super::view::DeadLetterView;
use crate::{
    client::{self, QueryServer},
    printer::{Emphasis, ObjectFormat, Printer, clean},
};

/// 查看一封死信 / Show one dead letter with its message; personal data is masked
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai dead show 41
  gongkai dead show 41 --format json | jq .payload")]
pub(super) struct Args {
    /// Number of the dead letter, from the column id of `gongkai dead list`
    id: String,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
    #[command(flatten)]
    server: QueryServer,
}

pub(super) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut client = args.server.operations().await?;
    let request = v1::GetDeadLetterRequest { name: args.id.clone() };
    let letter = DeadLetterView::try_from(client::answer(client.get_dead_letter(request).await)?)?;
    match args.format {
        ObjectFormat::Json => out.json(&letter)?,
        ObjectFormat::Text => write(out, &letter)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut Printer, letter: &DeadLetterView) -> anyhow::Result<()> {
    out.line(out.styled(Emphasis::Bold, &clean(&format!("{} {}", letter.service, letter.code))))?;
    let text = ToString::to_string;
    out.members([
        ("编号 id", Some(&letter.id)),
        ("状态 state", Some(&text(letter.state))),
        ("原因 cause", Some(&letter.cause)),
        ("次数 attempts", Some(&letter.attempts.to_string())),
        ("跟踪 trace", Some(&letter.trace_id)),
        ("主题 subject", Some(&letter.subject)),
        ("消息 message", Some(&letter.message_id)),
        ("收到 first seen", letter.first_seen_at.as_ref()),
        ("放弃 buried", letter.buried_at.as_ref()),
        ("版本 version", Some(&letter.service_version)),
        ("重放自 replay of", Some(&letter.replay_of)),
        ("重放次数 replays", (letter.replays > 0).then(|| letter.replays.to_string()).as_ref()),
        ("再次失败 failed again as", Some(&letter.failed_again_as)),
        ("处置人 settled by", Some(&letter.settled_by)),
        ("处置理由 reason", Some(&letter.settled_reason)),
        ("处置时间 settled", letter.settled_at.as_ref()),
    ])?;
    out.line("")?;
    for header in &letter.headers {
        out.line(clean(&format!("{}: {}", header.name, header.value)))?;
    }
    out.line("")?;
    let Some(payload) = &letter.payload else {
        return Ok(out.line(format!(
            "内容无法解码 / the payload cannot be decoded: {} bytes, sha256 {}",
            letter.payload_bytes, letter.payload_sha256
        ))?);
    };
    out.line(clean(&letter.payload_type))?;
    for line in serde_json::to_string_pretty(payload)?.lines() {
        out.line(clean(line))?;
    }
    Ok(())
}
