//! `gongkai dead`: messages that could not be handled.

mod drop;
mod list;
mod replay;
mod selection;
mod show;
mod view;

use std::process::ExitCode;

use clap::Subcommand;

use crate::printer::Printer;

/// 死信：无法处理的消息 / Messages that a service could not handle
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai dead list --groups
  gongkai dead list --code ORIGINAL_MISSING --since 2026-01-01
  gongkai dead show 41
  gongkai dead replay --code ORIGINAL_MISSING --dry-run
  gongkai dead drop 41 --person 张三 --reason 测试报文")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Replay(replay::Args),
    Drop(drop::Args),
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list::run(&args, out).await,
        Command::Show(args) => show::run(&args, out).await,
        Command::Replay(args) => replay::run(args, out).await,
        Command::Drop(args) => drop::run(args, out).await,
    }
}
