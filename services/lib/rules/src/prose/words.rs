//! Sets of words that are looked for all at once.

use std::borrow::Cow;

use regex::{Match, Regex};

/// A set of words; where two begin at one place the longer counts.
#[derive(Debug)]
pub(crate) struct Words(Regex);

impl Words {
    /// The words of a list; an empty list holds none.
    pub(crate) fn new(words: &[&str]) -> Self {
        if words.is_empty() {
            return Self(Regex::new(r"[^\s\S]").expect("a constant pattern that a test compiles"));
        }
        let mut sorted: Vec<&str> = words.to_vec();
        sorted.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let pattern: Vec<String> = sorted.into_iter().map(regex::escape).collect();
        Self(Regex::new(&pattern.join("|")).expect("escaped words are a pattern"))
    }

    /// True if one of the words stands in a text.
    pub(crate) fn any(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The words that stand in a text, left to right, not overlapping.
    pub(crate) fn all<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        self.0.find_iter(text)
    }

    /// A text without the words.
    pub(crate) fn removed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.replace_all(text, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_two_words_counts() {
        let words = Words::new(&["处理", "不予处理", "办结"]);
        let found: Vec<&str> = words.all("办结后不予处理，处理").map(|found| found.as_str()).collect();
        assert_eq!(found, ["办结", "不予处理", "处理"]);
        assert!(words.any("已办结") && !words.any("已办"));
        assert!(!Words::new(&[]).any("办结"));
        assert_eq!(words.removed("已办结后处理3件"), "已后3件");
    }
}
