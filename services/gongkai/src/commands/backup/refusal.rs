//! Why a backup or a restoration is refused: a stable code, and what to do.

use std::fmt;

use crate::commands::check::lang::Lang;

/// A refusal. Its text is in the language of the environment.
#[derive(Debug)]
pub(super) struct Refusal {
    code: &'static str,
    zh: String,
    en: String,
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn new(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, zh: zh.into(), en: en.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, Lang::of_environment().choose(&self.zh, &self.en))
    }
}

impl std::error::Error for Refusal {}
