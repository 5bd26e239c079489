//! Configuration: defaults, overridden by the TOML file, overridden by `GONGKAI_SECTION__KEY` in the environment. An
//! unknown key is an error.
//!
//! The configuration is read once, before any port is bound. A section is a struct with `#[serde(default,
//! deny_unknown_fields)]`. A program accepts the sections of its siblings without reading them, so that all programs
//! can share one file.

mod bind;
mod dump;
mod log_filter;
mod login;
mod objects;
mod secret;
mod sections;
mod url;

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use bind::bind_guard;
pub use dump::ConfigDump;
pub(crate) use log_filter::log_filter;
pub use objects::{ObjectStore, ObjectsSettings};
pub use secret::Secret;
pub use sections::{AdminSettings, Common, LogFormat, NatsSettings, TelemetrySettings, WorkerSettings};
pub use url::SecretUrl;

/// The sections of [`Common`].
const COMMON: [&str; 5] = ["nats", "objects", "telemetry", "admin", "worker"];

/// The configuration from the file and the environment.
#[derive(Debug, Clone)]
pub struct Config(Figment);

impl Config {
    /// Reads the file, if one is given, and the environment. `sections` names the service sections that are allowed.
    ///
    /// # Errors
    /// The file cannot be read, or a section is unknown. Exit with code 64.
    pub fn load(file: Option<&Path>, sections: &[&str]) -> anyhow::Result<Self> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("couldn't read the config file {}", file.display()))?;
            figment =
                figment.merge(NamedFile { file: file.display().to_string(), toml: Toml::string(&text) });
        }
        let environment = Env::prefixed("GONGKAI_").filter(|key| key.as_str().contains("__")).split("__");
        let this = Self(figment.merge(environment));
        this.check_sections(sections)?;
        Ok(this)
    }

    /// Overrides a key, such as `nats.url`: for command-line flags.
    #[must_use]
    pub fn with(self, key: &str, value: impl Serialize) -> Self {
        Self(self.0.merge(Serialized::default(key, value)))
    }

    /// Returns the sections that every program has, after checking them.
    ///
    /// # Errors
    /// A key is unknown, or a value has the wrong type or is invalid. Exit with code 64.
    pub fn common(&self) -> anyhow::Result<Common> {
        let common = Common {
            nats: self.section("nats")?,
            objects: self.section("objects")?,
            telemetry: self.section("telemetry")?,
            admin: self.section("admin")?,
            worker: self.section("worker")?,
        };
        common.validate()?;
        Ok(common)
    }

    /// Returns one section. Keys that are not set have their defaults.
    ///
    /// # Errors
    /// A key is unknown or a value has the wrong type. The error names the key. Exit with code 64.
    pub fn section<T: DeserializeOwned + Default>(&self, name: &str) -> anyhow::Result<T> {
        ensure_strict::<T>(name)?;
        if self.0.find_value(name).is_err() {
            return Ok(T::default());
        }
        self.0.focus(name).extract().map_err(|error| describe(name, error))
    }

    /// Returns the keys of another service's section that `T` declares. `key` is a path, such as `ingest.sites`.
    /// Other keys are ignored: the service that owns the section checks them.
    ///
    /// # Errors
    /// A value has the wrong type. The error names the key. Exit with code 64.
    pub fn excerpt<T: DeserializeOwned + Default>(&self, key: &str) -> anyhow::Result<T> {
        if self.0.find_value(key).is_err() {
            return Ok(T::default());
        }
        self.0.focus(key).extract().map_err(|error| describe(key, error))
    }

    fn check_sections(&self, services: &[&str]) -> anyhow::Result<()> {
        let all: Dict = self.0.extract().map_err(|error| describe("", error))?;
        for (name, value) in &all {
            if !COMMON.contains(&name.as_str()) && !services.contains(&name.as_str()) {
                let known = COMMON.iter().chain(services).copied().collect::<Vec<_>>().join(", ");
                bail!("unknown key {name} in the config; the sections are {known}");
            }
            ensure!(matches!(value, Value::Dict(..)), "{name} in the config must be a section");
        }
        Ok(())
    }
}

/// A TOML file with its name, for errors.
struct NamedFile {
    file: String,
    toml: figment::providers::Data<Toml>,
}

impl figment::Provider for NamedFile {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named(self.file.clone())
    }

    fn data(&self) -> figment::error::Result<figment::value::Map<figment::Profile, Dict>> {
        self.toml.data()
    }
}

/// Checks that the section's struct has `deny_unknown_fields`. A failure is a bug, not a mistake of the operator.
fn ensure_strict<T: DeserializeOwned>(section: &str) -> anyhow::Result<()> {
    let unknown = Figment::from(Serialized::default("a key that nobody knows", 1));
    ensure!(unknown.extract::<T>().is_err(), "section [{section}] accepts unknown keys");
    Ok(())
}

/// Describes an error: the key, what is wrong, and where it was set.
fn describe(section: &str, error: figment::Error) -> anyhow::Error {
    let mistakes: Vec<_> = error
        .into_iter()
        .map(|error| {
            let path = [section].into_iter().filter(|section| !section.is_empty());
            let key = path.chain(error.path.iter().map(String::as_str)).collect::<Vec<_>>().join(".");
            let key = if key.is_empty() { "config" } else { &key };
            let origin =
                error.metadata.as_ref().map(|origin| format!(" (in {})", origin.name)).unwrap_or_default();
            format!("{key}: {}{origin}", error.kind)
        })
        .collect();
    anyhow::anyhow!(mistakes.join("; "))
}

#[cfg(test)]
mod tests;
