//! Word sets. A large set is searched with one automaton, a short list word by word.

use std::borrow::Cow;

use regex::{Match, Regex};
use serde::Deserialize;

use crate::prose::count::starts_with;

/// A set of words. If two words begin at the same place, the longer one is found.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Words(Regex);

impl From<Vec<String>> for Words {
    fn from(words: Vec<String>) -> Self {
        Self::new(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl Words {
    /// Creates a set of the words of a list. An empty list matches nothing.
    pub(crate) fn new(words: &[&str]) -> Self {
        if words.is_empty() {
            return Self(Regex::new(r"[^\s\S]").expect("a constant pattern that a test compiles"));
        }
        let mut sorted: Vec<&str> = words.to_vec();
        sorted.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let pattern: Vec<String> = sorted.into_iter().map(regex::escape).collect();
        Self(Regex::new(&pattern.join("|")).expect("escaped words are a pattern"))
    }

    /// Returns true if a text contains one of the words.
    pub(crate) fn any(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Returns the words that a text contains, left to right, without overlaps.
    pub(crate) fn all<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        self.0.find_iter(text)
    }

    /// Returns a text without the words.
    pub(crate) fn removed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.replace_all(text, "")
    }
}

/// A short list of words whose order matters.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct OrderedWords {
    words: Vec<String>,
    /// The first character of each word.
    firsts: Vec<char>,
}

impl From<Vec<String>> for OrderedWords {
    fn from(words: Vec<String>) -> Self {
        let mut firsts: Vec<char> = words.iter().filter_map(|word| word.chars().next()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        Self { words, firsts }
    }
}

impl OrderedWords {
    /// Returns the words in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Returns true if a word is in the list.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }

    /// Returns true if a text contains one of the words.
    pub(crate) fn any(&self, text: &str) -> bool {
        self.iter().any(|word| text.contains(word))
    }

    /// Returns true if a text begins with one of the words.
    pub(crate) fn begins(&self, text: &str) -> bool {
        self.iter().any(|word| text.starts_with(word))
    }

    /// Returns true if a text ends with one of the words.
    pub(crate) fn ends(&self, text: &str) -> bool {
        self.iter().any(|word| text.ends_with(word))
    }

    /// Returns the start of the last occurrence of any of the words in a text, in bytes.
    pub(crate) fn last(&self, text: &str) -> Option<usize> {
        self.iter().filter_map(|word| text.rfind(word)).max()
    }

    /// Returns the first word of the list that begins at a character.
    pub(crate) fn at(&self, chars: &[char], at: usize) -> Option<&str> {
        // Few characters begin any of the words.
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
        let list = OrderedWords::from(["其中".to_owned(), "包括".to_owned(), "其".to_owned()].to_vec());
        let chars: Vec<char> = "件,其中包括其他".chars().collect();
        let found: Vec<Option<&str>> = (0..chars.len()).map(|at| list.at(&chars, at)).collect();
        assert_eq!(found, [None, None, Some("其中"), None, Some("包括"), None, Some("其"), None]);
        assert_eq!((list.at(&chars, 8), list.last("其中3件,其中4件")), (None, Some(11)));
        assert!(list.has("其") && !list.has("中"));
        assert!(list.begins("包括3件") && list.ends("等其") && !list.any("共3件"));
    }
}
