//! `gongkai rules`: prints the catalogue of checks, and tries another pack on stored reports.

mod catalogue;
mod cells;
mod shadow;
mod stored;

use std::{path::PathBuf, process::ExitCode};

use crate::{printer::Printer, table::Format};

/// 规则目录与规则包 / Show the rules and test rule packs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai rules list
  gongkai rules show T3-ROW
  gongkai rules cells
  gongkai rules test --pack new-rules/ reports/
  gongkai rules test --pack new-rules/ --since 2024-01-01")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(ListArgs),
    Show(ShowArgs),
    Cells(cells::Args),
    Test(shadow::Args),
}

/// 全部规则 / List all rules, one per row
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai rules list
  gongkai rules list --rules /etc/gongkai/rules --format csv")]
struct ListArgs {
    /// Folder with local rule packs (*.toml), added to the built-in rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// 一条规则 / Show one rule with its message, legal source and advice
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai rules show T3-BAL
  gongkai rules show T3-BAL --format json")]
struct ShowArgs {
    /// Id of the rule
    id: String,
    /// Folder with local rule packs (*.toml), added to the built-in rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => {
            catalogue::list(&gongkai_rules::rule_set(args.rules.as_deref())?, args.format, out)
        }
        Command::Show(args) => {
            catalogue::show(&gongkai_rules::rule_set(args.rules.as_deref())?, &args.id, args.format, out)
        }
        Command::Cells(args) => cells::run(&args, out),
        Command::Test(args) => shadow::run(args, out).await,
    }
}
