//! `gongkai completions`: prints a script that lets a shell complete the command line.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::printer::Printer;

/// 命令补全脚本 / Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai completions bash > /usr/share/bash-completion/completions/gongkai
  gongkai completions zsh > /usr/share/zsh/vendor-completions/_gongkai
  source <(gongkai completions bash)   this shell only")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, mut cli: clap::Command, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli, "gongkai", &mut script);
    out.line(String::from_utf8(script)?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
