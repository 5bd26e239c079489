//! The command line's arguments, and the command that each runs.

use std::{process::ExitCode, sync::LazyLock};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    commands::{
        adapters, agencies, alerts, backup, check, completions, dead, doctor, erase, explain, findings, get,
        list, man, pause, reprocess, rules, status, submissions, submit, tap, up, waivers, watch,
    },
    printer::Printer,
};

static VERSIONS: LazyLock<String> = LazyLock::new(|| {
    let rules = gongkai_rules::RuleSet::embedded();
    let gongkai_model::Versions { program, parser, forms, rules } = rules.versions();
    format!("{program}\nparser {parser}\nforms {forms}\nrules {rules}")
});

/// 公开：政府信息公开工作年度报告的读取、核查与查询
///
/// Reads, checks and serves Chinese annual reports on government information disclosure.
#[derive(Debug, Parser)]
#[command(name = "gongkai", version = VERSIONS.as_str(), propagate_version = false, arg_required_else_help = true)]
#[command(after_help = "Examples:
  gongkai check report.html            check one document, offline
  gongkai up                           run everything on this machine
  gongkai submit report.html --wait    submit a report and follow it
  gongkai findings                     list the findings and where they are")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Check(check::Args),
    Submit(submit::Args),
    Submissions(submissions::Args),
    Get(get::Args),
    List(list::Args),
    Findings(findings::Args),
    Explain(explain::Args),
    Waivers(waivers::Args),
    Alerts(alerts::Args),
    Erase(erase::Args),
    Watch(watch::Args),
    Agencies(agencies::Args),
    Adapters(adapters::Args),
    Status(status::Args),
    Dead(dead::Args),
    Tap(tap::Args),
    Pause(pause::PauseArgs),
    Resume(pause::ResumeArgs),
    Reprocess(reprocess::Args),
    Doctor(doctor::Args),
    Backup(backup::Args),
    Restore(backup::restore::Args),
    Rules(rules::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Runs the command and returns its exit code.
    pub(crate) async fn run(self, out: &mut Printer) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Up(args) => up::run(args, out).await,
            Command::Check(args) => check::run(args, out).await,
            Command::Submit(args) => submit::run(args, out).await,
            Command::Submissions(args) => submissions::run(args, out).await,
            Command::Get(args) => get::run(&args, out).await,
            Command::List(args) => list::run(&args, out).await,
            Command::Findings(args) => findings::run(&args, out).await,
            Command::Explain(args) => explain::run(&args, out).await,
            Command::Waivers(args) => waivers::run(args, out).await,
            Command::Alerts(args) => alerts::run(args, out).await,
            Command::Erase(args) => erase::run(args, out).await,
            Command::Watch(args) => watch::run(args, out).await,
            Command::Agencies(args) => agencies::run(args, out).await,
            Command::Adapters(args) => adapters::run(args, out).await,
            Command::Status(args) => status::run(&args, out).await,
            Command::Dead(args) => dead::run(args, out).await,
            Command::Tap(args) => tap::run(&args, out).await,
            Command::Pause(args) => pause::pause(args, out).await,
            Command::Resume(args) => pause::resume(args, out).await,
            Command::Reprocess(args) => reprocess::run(&args, out).await,
            Command::Doctor(args) => doctor::run(&args, out).await,
            Command::Backup(args) => backup::run(&args, out).await,
            Command::Restore(args) => backup::restore::run(&args, out).await,
            Command::Rules(args) => rules::run(args, out).await,
            Command::Completions(args) => completions::run(&args, Self::command(), out),
            Command::Man(args) => man::run(&args, Self::command(), out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    /// The help of each command is a snapshot in `tests/snapshots`. `INSTA_UPDATE=always cargo test -p gongkai help`
    /// accepts changes.
    #[test]
    fn every_command_says_what_it_said() {
        let said = helps(&without_environment(Cli::command()), "gongkai");
        assert!(said.len() > 12, "{:?}", said.iter().map(|(name, _)| name).collect::<Vec<_>>());
        insta::with_settings!({ snapshot_path => "../tests/snapshots", prepend_module_to_snapshot => false }, {
            for (name, help) in said {
                insta::assert_snapshot!(format!("help__{name}"), help);
            }
        });
    }

    /// Returns the `--help` text of a command and of all below it, each with the command's words joined by hyphens.
    fn helps(command: &clap::Command, name: &str) -> Vec<(String, String)> {
        let words = name.split('-').chain(["--help"]);
        let help = without_environment(Cli::command()).try_get_matches_from(words).unwrap_err().to_string();
        let below =
            command.get_subcommands().flat_map(|below| helps(below, &format!("{name}-{}", below.get_name())));
        std::iter::once((name.to_owned(), help)).chain(below).collect()
    }

    /// Removes the environment variables, because help shows their values.
    fn without_environment(command: clap::Command) -> clap::Command {
        command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(without_environment)
    }

    #[test]
    fn every_command_shows_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n"), "{} has no examples", command.get_name());
        }
    }
}
