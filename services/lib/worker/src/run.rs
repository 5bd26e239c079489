//! The bootstrap of every program: flags, config, process. The `main` of a program is one call of [`main`].

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::about::About;
use crate::config::{Common, Config, ConfigDump};
use crate::host::Process;
use crate::service::Service;

/// Exit code for an invalid flag or setting (`EX_USAGE`).
const USAGE: u8 = 64;

/// All settings of a program with one service.
struct ProgramSettings<C> {
    common: Common,
    own: C,
}

/// Runs one service as a program: reads flags, config file and environment, and runs until a signal.
///
/// Returns the exit code 64 for an invalid flag or setting, and failure if the service failed or did not drain in time.
pub fn main<S: Service>(about: About) -> ExitCode {
    let matches = match command(&about).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    if matches.get_flag("version") {
        return print(&about.versions_text());
    }
    let settings = match load::<S>(&about, &matches) {
        Ok(settings) => settings,
        Err(error) => return refuse(&about, &error),
    };
    if matches.get_flag("dump-config") {
        return match dump::<S>(&settings) {
            Ok(text) => print(&text),
            Err(error) => refuse(&about, &error),
        };
    }
    start::<S>(about, settings)
}

fn command(about: &About) -> Command {
    Command::new(about.program)
        .disable_version_flag(true)
        .after_help("Every key of the config is also an environment variable: GONGKAI_SECTION__KEY.")
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .env("GONGKAI_CONFIG")
                .value_parser(value_parser!(PathBuf))
                .help("TOML file; without it, the defaults apply"),
        )
        .arg(flag("dump-config", "Print the effective config, secrets redacted, and exit"))
        .arg(flag("version", "Print the versions and exit").short('V'))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn load<S: Service>(about: &About, matches: &ArgMatches) -> anyhow::Result<ProgramSettings<S::Config>> {
    let mut sections = about.sections.to_vec();
    if !sections.contains(&S::NAME) {
        sections.push(S::NAME);
    }
    let config = Config::load(matches.get_one::<PathBuf>("config").map(PathBuf::as_path), &sections)?;
    Ok(ProgramSettings { common: config.common()?, own: S::configure(&config)? })
}

fn dump<S: Service>(settings: &ProgramSettings<S::Config>) -> anyhow::Result<String> {
    ConfigDump::new(&settings.common)?.with(S::NAME, &settings.own)?.text()
}

fn start<S: Service>(about: About, settings: ProgramSettings<S::Config>) -> ExitCode {
    let tokio = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => return complain(about.program, &format!("couldn't start: {error}"), ExitCode::FAILURE),
    };
    let code = tokio.block_on(async {
        let program = about.program;
        let begun = async {
            let mut process = Process::boot(about, settings.common)?;
            process.spawn::<S>(settings.own).await?;
            anyhow::Ok(process)
        };
        match begun.await {
            Ok(process) => process.run_until_stopped().await,
            Err(error) => complain(program, &format!("{error:#}"), ExitCode::FAILURE),
        }
    });
    // Do not wait for blocking work that was dropped at the hard stop.
    tokio.shutdown_timeout(Duration::from_millis(200));
    code
}

/// Prints help to stdout with success, or a usage error to stderr.
fn usage(error: &clap::Error) -> ExitCode {
    // If printing fails, the failure cannot be reported either.
    error.print().ok();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

fn refuse(about: &About, error: &anyhow::Error) -> ExitCode {
    complain(about.program, &format!("{error:#}"), ExitCode::from(USAGE))
}

fn complain(program: &str, text: &str, code: ExitCode) -> ExitCode {
    writeln!(io::stderr(), "{program}: {}", crate::inert::printable(text)).ok();
    code
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::runtime::Runtime;
    use crate::transport::Topology;

    #[derive(Debug, Clone, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct SampleServiceConfig {
        size: u32,
    }

    struct SampleService;

    #[async_trait]
    impl Service for SampleService {
        const NAME: &'static str = "stage";
        const ADMIN_PORT: u16 = 0;
        type Config = SampleServiceConfig;

        fn validate(config: &SampleServiceConfig) -> anyhow::Result<()> {
            anyhow::ensure!(config.size < 10, "stage.size must be below 10");
            Ok(())
        }

        async fn run(_: SampleServiceConfig, _: Runtime) -> anyhow::Result<()> {
            Ok(())
        }
    }

    fn about() -> About {
        About {
            program: "gongkai-stage",
            version: "1.2.3",
            versions: vec![("parser", "7".to_owned()), ("rules", "8".to_owned())],
            sections: &["stage", "sibling"],
            topology: Topology::default(),
            marker: "marker",
            dead_prefix: "dead",
            attempts: "attempts",
            replicas: "replicas",
        }
    }

    fn loaded(toml: &str) -> anyhow::Result<ProgramSettings<SampleServiceConfig>> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gongkai.toml");
        std::fs::write(&file, toml).unwrap();
        let arguments = ["gongkai-stage", "--config", file.to_str().unwrap()];
        load::<SampleService>(&about(), &command(&about()).try_get_matches_from(arguments).unwrap())
    }

    #[test]
    fn flags_are_well_formed() {
        command(&about()).debug_assert();
        assert_eq!(about().versions_text(), "gongkai-stage 1.2.3\nparser 7\nrules 8\n");
    }

    /// All programs with one service have these flags. Values of environment variables are hidden.
    #[test]
    fn help_says_what_it_said() {
        let command = command(&about()).mut_args(|argument| argument.hide_env_values(true));
        let help = command.term_width(100).render_long_help();
        insta::assert_snapshot!(help);
    }

    #[test]
    fn a_config_is_read_checked_and_dumped() {
        let settings = loaded("[stage]\nsize = 3\n[sibling]\nx = 1\n[nats]\ntoken = 's3cret'").unwrap();
        let text = dump::<SampleService>(&settings).unwrap();
        assert!(text.contains("[stage]\nsize = 3") && text.contains("concurrency = 64"), "{text}");
        assert!(!text.contains("s3cret") && !text.contains("sibling"), "{text}");
        let error = loaded("[stage]\nsize = 30").map(drop).unwrap_err();
        assert!(error.to_string().contains("stage.size"), "{error}");
        let error = loaded("[stage]\nsice = 3").map(drop).unwrap_err();
        assert!(error.to_string().contains("sice"), "{error}");
    }
}
