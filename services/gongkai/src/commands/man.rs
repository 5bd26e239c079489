//! `gongkai man`: writes a manual page for each command.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;

use crate::printer::Printer;

/// 手册页 / Write the manual pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai man --output /usr/local/share/man/man1
  gongkai man --output . && man ./gongkai-check.1")]
pub(crate) struct Args {
    /// Folder for the pages; it is created if it is missing
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args, cli: clap::Command, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let folder = args.output.display();
    fs::create_dir_all(&args.output).with_context(|| format!("couldn't create {folder}"))?;
    clap_mangen::generate_to(cli, &args.output).with_context(|| format!("couldn't write to {folder}"))?;
    out.line(format!("{folder}"))?;
    Ok(ExitCode::SUCCESS)
}
