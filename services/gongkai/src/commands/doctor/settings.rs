//! Checks the config file and the environment as every service would when it starts.

use gongkai_ingest::Ingest;
use gongkai_notify::Notify;
use gongkai_parse::Parse;
use gongkai_query::Query;
use gongkai_validate::Validate;
use gongkai_worker::{Common, Config, Service};

use super::examination::Examination;
use crate::printer::clean;

/// The settings that the other checks use.
pub(super) struct Settings {
    pub(super) common: Common,
    pub(super) ingest: <Ingest as Service>::Config,
    pub(super) query: <Query as Service>::Config,
}

/// Reads the settings of all services and says what is wrong with them.
///
/// # Errors
/// The sections that every service has are invalid, so that nothing else can be checked. The error names the key.
pub(super) fn check(config: &anyhow::Result<Config>) -> Result<(Settings, Vec<Examination>), Examination> {
    let read = config.as_ref().map_err(|error| invalid("config", error))?;
    let common = read.common().map_err(|error| invalid("config", &error))?;
    let mut checks = Vec::new();
    let ingest = section::<Ingest>(read, &mut checks);
    section::<Parse>(read, &mut checks);
    section::<Validate>(read, &mut checks);
    section::<Notify>(read, &mut checks);
    let query = section::<Query>(read, &mut checks);
    if checks.is_empty() {
        checks.push(Examination::ok(
            "config".to_owned(),
            "各服务均可据此启动",
            "every service can start with it",
        ));
    }
    Ok((Settings { common, ingest, query }, checks))
}

/// Returns a service's settings, or the defaults if they are invalid.
fn section<S: Service<Config: Default>>(config: &Config, checks: &mut Vec<Examination>) -> S::Config {
    S::configure(config).unwrap_or_else(|error| {
        checks.push(invalid(&format!("config of {}", S::NAME), &error));
        S::Config::default()
    })
}

fn invalid(subject: &str, error: &anyhow::Error) -> Examination {
    let said = clean(&format!("{error:#}"));
    Examination::wrong(subject.to_owned(), "CONFIG_INVALID", &format!("服务不会启动：{said}"), &said)
}

#[cfg(test)]
mod tests {
    use gongkai_proto::subjects;

    use super::*;

    fn checked(toml: &str) -> Result<(Settings, Vec<Examination>), Examination> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gongkai.toml");
        std::fs::write(&file, toml).unwrap();
        check(&Config::load(Some(&file), &subjects::SERVICES))
    }

    #[test]
    fn what_would_keep_a_service_from_starting_is_named() {
        let (_, checks) = checked("").unwrap();
        assert_eq!(checks.iter().map(|check| check.code).collect::<Vec<_>>(), [""]);
        let (_, checks) = checked("[query]\ntokens = ['short']\n[parse]\nsice = 1").unwrap();
        let said: Vec<_> = checks.iter().map(|check| (check.subject.as_str(), check.code)).collect();
        assert_eq!(said, [("config of parse", "CONFIG_INVALID"), ("config of query", "CONFIG_INVALID")]);
        assert!(checks[1].detail.contains("query.tokens") && !checks[1].detail.contains("short\""));
        for toml in ["[natz]\nurl = 'nats://a'", "[nats]\nreplicas = 9"] {
            assert_eq!(checked(toml).map(drop).unwrap_err().code, "CONFIG_INVALID", "{toml}");
        }
    }
}
