//! `gongkai alerts`: lists, shows and acknowledges alerts.

mod acknowledge;
mod list;
mod show;
mod view;

use std::process::ExitCode;

use clap::Subcommand;

use crate::printer::Printer;

/// 告警：查看与确认收到 / Alerts: who takes care of which problem
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai alerts list --acknowledged false
  gongkai alerts show 0f3c5a0e8a5f4c1d9be2a7c6d5e4f301
  gongkai alerts acknowledge 0f3c5a0e8a5f4c1d9be2a7c6d5e4f301 --person 张三 --comment 已联系办公室核对")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Acknowledge(acknowledge::Args),
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list::run(&args, out).await,
        Command::Show(args) => show::run(&args, out).await,
        Command::Acknowledge(args) => acknowledge::run(args, out).await,
    }
}
