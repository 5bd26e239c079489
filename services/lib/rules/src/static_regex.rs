//! Regular expressions that are constants of this crate.

use std::{ops::Deref, sync::OnceLock};

use regex::Regex;

/// A pattern that is compiled when it is first used.
pub(crate) struct StaticRegex {
    pattern: &'static str,
    regex: OnceLock<Regex>,
}

impl StaticRegex {
    pub(crate) const fn new(pattern: &'static str) -> Self {
        Self { pattern, regex: OnceLock::new() }
    }
}

impl Deref for StaticRegex {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        let compile = || Regex::new(self.pattern).expect("the pattern is a constant that a test compiles");
        self.regex.get_or_init(compile)
    }
}
