//! Word sets: large sets are searched with one automaton, short lists one by one.

use std::borrow::Cow;

use regex::{Match, Regex};
use serde::Deserialize;

use crate::prose::count::starts_with;

/// A set of words; where two begin at one place the longer counts.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Words(Regex);

impl From<Vec<String>> for Words {
    fn from(words: Vec<String>) -> Self {
        Self::new(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

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

/// A few words in an order of their own.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct List {
    words: Vec<String>,
    /// The characters with which they begin.
    firsts: Vec<char>,
}

impl From<Vec<String>> for List {
    fn from(words: Vec<String>) -> Self {
        let mut firsts: Vec<char> = words.iter().filter_map(|word| word.chars().next()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        Self { words, firsts }
    }
}

impl List {
    /// The words.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// True if a word is one of these.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }

    /// True if one of them stands in a text.
    pub(crate) fn any(&self, text: &str) -> bool {
        self.iter().any(|word| text.contains(word))
    }

    /// True if a text begins with one of them.
    pub(crate) fn begins(&self, text: &str) -> bool {
        self.iter().any(|word| text.starts_with(word))
    }

    /// True if a text ends in one of them.
    pub(crate) fn ends(&self, text: &str) -> bool {
        self.iter().any(|word| text.ends_with(word))
    }

    /// Where the last of them begins in a text, in bytes.
    pub(crate) fn last(&self, text: &str) -> Option<usize> {
        self.iter().filter_map(|word| text.rfind(word)).max()
    }

    /// The first of them that stands at a character.
    pub(crate) fn at(&self, chars: &[char], at: usize) -> Option<&str> {
        // Nearly every character begins none.
        let begins = self.firsts.contains(chars.get(at)?);
        begins.then(|| self.iter().find(|word| starts_with(chars, at, word))).flatten()
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

    #[test]
    fn a_list_is_tried_in_its_order() {
        let list = List::from(["其中".to_owned(), "包括".to_owned(), "其".to_owned()].to_vec());
        let chars: Vec<char> = "件,其中包括其他".chars().collect();
        let found: Vec<Option<&str>> = (0..chars.len()).map(|at| list.at(&chars, at)).collect();
        assert_eq!(found, [None, None, Some("其中"), None, Some("包括"), None, Some("其"), None]);
        assert_eq!((list.at(&chars, 8), list.last("其中3件,其中4件")), (None, Some(11)));
        assert!(list.has("其") && !list.has("中"));
        assert!(list.begins("包括3件") && list.ends("等其") && !list.any("共3件"));
    }
}
