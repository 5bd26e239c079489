//! The patterns of a rule: regular expressions over the prose of some chapters.

use std::ops::Range;

use regex::Regex;

use crate::prose::{Prose, passage::Passage};

/// A regular expression of a rule, and the chapters in which to search for it.
#[derive(Debug, Clone)]
pub(crate) struct RulePattern {
    pub(crate) name: String,
    pub(crate) regex: Regex,
    /// The chapters in which to search (0: the preamble); all if empty.
    pub(crate) chapters: Vec<u32>,
}

/// The patterns of a rule, by name.
pub(crate) type Patterns = Vec<RulePattern>;

impl RulePattern {
    /// Returns the first match, or the match of the pattern's group if it has one.
    pub(crate) fn find<'p, 'r>(&self, prose: &'p Prose<'r>) -> Option<(&'p Passage<'r>, Range<usize>)> {
        self.find_all(prose).next()
    }

    /// Returns the first match in each passage.
    pub(crate) fn find_all<'p, 'r>(
        &self,
        prose: &'p Prose<'r>,
    ) -> impl Iterator<Item = (&'p Passage<'r>, Range<usize>)> {
        let chosen =
            |passage: &&Passage<'r>| self.chapters.is_empty() || self.chapters.contains(&passage.chapter());
        prose.passages().iter().filter(chosen).filter_map(|passage| {
            if self.regex.captures_len() == 1 {
                return self.regex.find(passage.text()).map(|found| (passage, found.range()));
            }
            let captures = self.regex.captures(passage.text())?;
            let found = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0))?;
            Some((passage, found.range()))
        })
    }
}
