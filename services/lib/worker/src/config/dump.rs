//! The effective configuration as text.

use anyhow::Context as _;
use serde::Serialize;

use super::sections::Common;

/// The settings of a program as TOML, for `--dump-config`. Secrets are redacted.
#[derive(Debug)]
pub struct ConfigDump(toml::Table);

impl ConfigDump {
    /// Starts with the sections that every program has.
    ///
    /// # Errors
    /// A value has no form in TOML.
    pub fn new(common: &Common) -> anyhow::Result<Self> {
        Ok(Self(toml::Table::try_from(common)?))
    }

    /// Adds the section of a service.
    ///
    /// # Errors
    /// A value has no form in TOML.
    pub fn with(mut self, name: &str, settings: &impl Serialize) -> anyhow::Result<Self> {
        let section = toml::Table::try_from(settings).with_context(|| format!("section {name}"))?;
        self.0.insert(name.to_owned(), section.into());
        Ok(self)
    }

    /// Returns the text, which is a config file of the same settings without its secrets.
    ///
    /// # Errors
    /// A value has no form in TOML.
    pub fn text(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(&self.0)?)
    }
}
