//! What every check needs: the rules, the limits of the readers, and the child processes that read.

use std::path::Path;

use gongkai_isolation::{Readers, ReadersSettings};
use gongkai_reading::Limits;
use gongkai_rules::RuleSet;

/// The rules and limits of the checks, and the child processes that read.
pub(super) struct Checker {
    pub(super) rules: RuleSet,
    pub(super) limits: Limits,
    pub(super) readers: Readers,
}

impl Checker {
    /// Creates a checker with the rules of a folder on top of the built-in ones.
    ///
    /// # Errors
    /// A pack has a mistake, or no thread could be started.
    pub(super) fn new(rules: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self {
            rules: gongkai_rules::rule_set(rules)?,
            limits: Limits::default(),
            readers: Readers::new(&ReadersSettings::default())?,
        })
    }
}
