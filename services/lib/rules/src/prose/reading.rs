//! A passage split into sentences, with its counts and the words around each.

use std::ops::Range;

use crate::prose::count::{Count, counts};

/// Maximum number of characters of a clause that are examined.
const CLAUSE: usize = 60;

/// The characters of a passage with their nesting, sentences and counts.
pub(crate) struct PassageReading {
    chars: Vec<char>,
    /// Number of brackets around each character. A bracket counts as inside itself.
    depth: Vec<u8>,
    /// For each character, true inside quotation marks or the title of a document.
    quoted: Vec<bool>,
    pub(crate) sentences: Vec<Range<usize>>,
    /// The counts outside quotation marks.
    pub(crate) counts: Vec<Count>,
}

impl PassageReading {
    pub(crate) fn new(chars: Vec<char>) -> Self {
        let found = counts(&chars);
        if found.is_empty() {
            let (depth, quoted, sentences) = (Vec::new(), Vec::new(), Vec::new());
            return Self { chars, depth, quoted, sentences, counts: found };
        }
        let (depth, quoted) = nesting(&chars);
        let sentences = sentences(&chars);
        let counts = found.into_iter().filter(|count| !quoted[count.number.start]).collect();
        Self { chars, depth, quoted, sentences, counts }
    }

    /// Returns the characters.
    pub(crate) fn chars(&self) -> &[char] {
        &self.chars
    }

    /// Returns the bracket depth of a count.
    pub(crate) fn depth(&self, count: &Count) -> u8 {
        self.depth[count.number.start]
    }

    /// Returns the bracket depth of a character.
    pub(crate) fn depth_at(&self, at: usize) -> u8 {
        self.depth[at]
    }

    /// Returns true if a character is inside quotation marks or the title of a document.
    pub(crate) fn is_quoted(&self, at: usize) -> bool {
        self.quoted[at]
    }

    /// Returns where the brackets around a character close, at most `end`.
    pub(crate) fn close(&self, at: usize, end: usize) -> usize {
        let depth = self.depth[at];
        (at..end).find(|at| self.depth[*at] < depth).unwrap_or(end)
    }

    /// Returns the sentence of a character.
    pub(crate) fn sentence(&self, at: usize) -> Range<usize> {
        let found = self.sentences.iter().find(|sentence| sentence.contains(&at));
        found.cloned().unwrap_or(at..at)
    }

    /// Returns the words of a range, without those inside quotation marks.
    pub(crate) fn words(&self, range: Range<usize>) -> String {
        range.filter(|at| !self.quoted[*at]).map(|at| self.chars[at]).collect()
    }

    /// Returns the words just before a count: back to the last comma, semicolon, colon or count of the same depth,
    /// without the text in deeper brackets. With `lists` a `、` does not end the search.
    pub(crate) fn head(&self, count: &Count, lists: bool) -> LeadingWords {
        let start = count.number.start;
        let mut first = start;
        let (depth, floor) = (self.depth[start], self.clause_floor(count));
        let mut words: Vec<char> = Vec::new();
        for at in (floor..start).rev() {
            let c = self.chars[at];
            if self.depth[at] > depth || self.quoted[at] {
                continue;
            }
            if self.depth[at] < depth
                || matches!(c, ',' | ';' | ':' | '(')
                || (c == '、' && !lists)
                || words.len() == CLAUSE
            {
                break;
            }
            words.push(c);
            first = at;
        }
        LeadingWords { start: first, words: words.iter().rev().collect() }
    }

    /// Returns the earliest start of a count's clause: the end of the previous count of the same depth, within the
    /// sentence.
    fn clause_floor(&self, count: &Count) -> usize {
        let sentence = self.sentence(count.number.start).start;
        let depth = self.depth(count);
        let before = self
            .counts
            .iter()
            .rev()
            .find(|other| other.end <= count.number.start && self.depth(other) == depth);
        before.map_or(sentence, |other| other.end.max(sentence))
    }

    /// Returns the words just after a count, up to the next punctuation mark or number. The number of a year does not
    /// end them.
    pub(crate) fn tail(&self, count: &Count) -> String {
        let depth = self.depth(count);
        let mut words = String::new();
        for at in count.end..self.chars.len().min(count.end + CLAUSE) {
            let c = self.chars[at];
            if self.depth[at] > depth || self.quoted[at] {
                continue;
            }
            if self.depth[at] < depth
                || matches!(c, ',' | ';' | ':' | '、' | '。' | '!' | '?' | '(' | ')')
                || (c.is_ascii_digit() && !self.is_in_a_year(at))
            {
                break;
            }
            words.push(c);
        }
        words
    }
}

impl PassageReading {
    /// Returns true if a digit belongs to a year such as `2024年`.
    fn is_in_a_year(&self, at: usize) -> bool {
        let is_digit = |at: &usize| self.chars.get(*at).is_some_and(char::is_ascii_digit);
        let first = (0..at).rev().take_while(is_digit).last().unwrap_or(at);
        let end = (first..).find(|at| !is_digit(at)).unwrap_or(first);
        end - first == 4 && self.chars.get(end) == Some(&'年')
    }
}

/// The words before a count.
pub(crate) struct LeadingWords {
    /// Where the words begin.
    pub(crate) start: usize,
    pub(crate) words: String,
}

fn nesting(chars: &[char]) -> (Vec<u8>, Vec<bool>) {
    let (mut depths, mut quotes) = (Vec::with_capacity(chars.len()), Vec::with_capacity(chars.len()));
    let (mut depth, mut quote) = (0_u8, 0_u8);
    for c in chars {
        match c {
            '(' | '〔' | '[' | '【' => depth = depth.saturating_add(1),
            '“' | '《' | '「' | '‘' => quote = quote.saturating_add(1),
            _ => {}
        }
        depths.push(depth);
        quotes.push(quote > 0);
        match c {
            ')' | '〕' | ']' | '】' => depth = depth.saturating_sub(1),
            '”' | '》' | '」' | '’' => quote = quote.saturating_sub(1),
            // An unclosed mark must not affect the sentences that follow.
            '。' => (depth, quote) = (0, 0),
            _ => {}
        }
    }
    (depths, quotes)
}

fn sentences(chars: &[char]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in chars.iter().enumerate() {
        if matches!(c, '。' | '!' | '?') {
            found.push(start..at + 1);
            start = at + 1;
        }
    }
    if start < chars.len() {
        found.push(start..chars.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_the_words_before_and_after_it_at_its_own_depth() {
        fn check(text: &str, expect: &[(&str, &str)]) {
            let chars: Vec<char> = text.chars().collect();
            let reading = PassageReading::new(chars);
            let seen: Vec<(String, String)> =
                reading.counts.iter().map(|c| (reading.head(c, false).words, reading.tail(c))).collect();
            let seen: Vec<(&str, &str)> = seen.iter().map(|(h, t)| (h.as_str(), t.as_str())).collect();
            assert_eq!(seen, expect, "{text}");
        }
        check(
            "作其他处理(含申请人主动撤回)469件,转下年度办理125件。",
            &[("作其他处理", ""), ("转下年度办理", "")],
        );
        check(
            "答复805件(含上年结转18件,另有72件申请顺延到下年度)。",
            &[("答复", ""), ("含上年结转", ""), ("另有", "申请顺延到下年度")],
        );
        check("做到“办结一件申请”。其中:发布9条;机构设置7条", &[("发布", ""), ("机构设置", "")]);
        check("办理了3件。收到4件", &[("办理了", ""), ("收到", "")]);
    }
}
