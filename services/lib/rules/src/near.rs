//! Phrases that are written almost right: 习近平新时代特色社会主义思想 for 习近平新时代中国特色社会主义思想.
//!
//! A text within `k` edits of a phrase contains one of any `k + 1` pieces of it unchanged. One search finds the pieces
//! of all phrases; only the text around a piece is compared.

use std::ops::Range;

use crate::prose::words::Words;

/// Fixed phrases, ready to be searched for.
#[derive(Debug)]
pub(crate) struct NearPhrases {
    phrases: Vec<Phrase>,
    /// The pieces of all phrases.
    pieces: Words,
}

#[derive(Debug)]
struct Phrase {
    text: String,
    chars: Vec<char>,
    /// Maximum number of edits of a text that is taken for the phrase.
    edits: usize,
    /// Each piece with its position in the phrase, in characters.
    pieces: Vec<(String, usize)>,
}

/// One phrase of a document, such as the name of its body.
#[derive(Debug)]
pub(crate) struct NearPhrase(Phrase);

/// A text that is almost a phrase. Positions are characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NearMatch<'a> {
    pub(crate) at: Range<usize>,
    pub(crate) phrase: &'a str,
}

impl NearPhrases {
    /// Creates a search for some phrases. Phrases of fewer than seven characters are left out: too many correct words
    /// are one character away from them.
    pub(crate) fn new<'p>(phrases: impl IntoIterator<Item = &'p str>) -> Self {
        let phrases: Vec<Phrase> = phrases.into_iter().filter_map(Phrase::new).collect();
        let pieces: Vec<&str> =
            phrases.iter().flat_map(|phrase| &phrase.pieces).map(|(piece, _)| piece.as_str()).collect();
        let pieces = Words::new(&pieces);
        Self { phrases, pieces }
    }

    /// Returns the texts that are almost one of the phrases, left to right, without overlaps. `text` has the
    /// characters `chars`.
    pub(crate) fn all<'a>(&'a self, text: &str, chars: &[char]) -> Vec<NearMatch<'a>> {
        let mut found: Vec<NearMatch<'a>> = Vec::new();
        let (mut byte, mut at) = (0, 0);
        for piece in self.pieces.all(text) {
            at += text[byte..piece.start()].chars().count();
            byte = piece.start();
            if found.last().is_some_and(|last| at < last.at.end) {
                continue;
            }
            let phrases = self.phrases.iter();
            let near = phrases.filter_map(|phrase| phrase.near(chars, piece.as_str(), at));
            if let Some((_, near)) = near.min_by_key(|(edits, _)| *edits) {
                found.push(near);
            }
        }
        // The pieces of a phrase that is written right lead to no match, but its remains may.
        found.retain(|near| !self.is_right(chars, near));
        found
    }

    /// Returns true if the phrase of a match, or a longer one, is written right around the match.
    fn is_right(&self, chars: &[char], near: &NearMatch<'_>) -> bool {
        let as_long = self.phrases.iter().filter(|phrase| phrase.text.len() >= near.phrase.len());
        as_long.into_iter().any(|phrase| phrase.stands_around(chars, &near.at))
    }
}

impl NearPhrase {
    /// Creates a search for one phrase, within one edit. Returns `None` for a phrase of fewer than seven characters.
    pub(crate) fn new(text: &str) -> Option<Self> {
        Phrase::new(text).map(|phrase| Self(Phrase { edits: 1, ..phrase }))
    }

    /// Returns the first text that is almost the phrase, in characters.
    pub(crate) fn first(&self, text: &str, chars: &[char]) -> Option<Range<usize>> {
        let pieces = self.0.pieces.iter().flat_map(|(piece, _)| text.match_indices(piece.as_str()));
        let mut found = pieces.filter_map(|(byte, piece)| {
            let at = text[..byte].chars().count();
            self.0.near(chars, piece, at).map(|(_, near)| near.at)
        });
        found.find(|near| !self.0.stands_around(chars, near))
    }
}

impl Phrase {
    fn new(text: &str) -> Option<Self> {
        let chars: Vec<char> = text.chars().collect();
        let edits = match chars.len() {
            0..7 => return None,
            7..12 => 1,
            12..15 => 2,
            _ => 3,
        };
        let step = chars.len().div_ceil(edits + 1);
        let pieces = chars.chunks(step).enumerate();
        let pieces = pieces.map(|(number, piece)| (piece.iter().collect(), number * step)).collect();
        Some(Self { text: text.to_owned(), chars, edits, pieces })
    }

    /// Returns the text around a piece that is almost the phrase, with the number of edits.
    fn near(&self, chars: &[char], piece: &str, at: usize) -> Option<(usize, NearMatch<'_>)> {
        let mut nearest: Option<(usize, Range<usize>)> = None;
        // The search returns the longest piece that begins at a place: it may contain a piece of this phrase.
        let own = self.pieces.iter().filter_map(|(own, offset)| {
            let inside = piece.find(own.as_str())?;
            Some((at + piece[..inside].chars().count(), offset))
        });
        for (at, offset) in own {
            let start =
                at.saturating_sub(offset + self.edits)..=at.saturating_sub(offset.saturating_sub(self.edits));
            for start in start {
                let Some((edits, length)) = self.best_prefix(chars.get(start..).unwrap_or_default()) else {
                    continue;
                };
                // Of two beginnings, the later one has no words of before the phrase.
                if nearest.as_ref().is_none_or(|(best, _)| edits <= *best) {
                    nearest = Some((edits, start..start + length));
                }
            }
        }
        let (edits, at) = nearest.filter(|(edits, _)| (1..=self.edits).contains(edits))?;
        Some((edits, NearMatch { at, phrase: &self.text }))
    }

    /// Returns true if the phrase itself overlaps a range.
    fn stands_around(&self, chars: &[char], near: &Range<usize>) -> bool {
        let length = self.chars.len();
        let first = (near.start + 1).saturating_sub(length);
        (first..near.end).any(|at| chars.get(at..at + length) == Some(&self.chars))
    }

    /// Returns the fewest edits between the phrase and a prefix of some characters, with the length of the longest such
    /// prefix.
    fn best_prefix(&self, chars: &[char]) -> Option<(usize, usize)> {
        let longest = chars.len().min(self.chars.len() + self.edits);
        let mut row: Vec<usize> = (0..=self.chars.len()).collect();
        let mut best: Option<(usize, usize)> = None;
        for (number, c) in chars[..longest].iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = number + 1;
            for (at, own) in self.chars.iter().enumerate() {
                let kept = diagonal + usize::from(own != c);
                diagonal = row[at + 1];
                row[at + 1] = kept.min(row[at] + 1).min(diagonal + 1);
            }
            let edits = row[self.chars.len()];
            if best.is_none_or(|(fewest, _)| edits <= fewest) {
                best = Some((edits, number + 1));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHRASES: [&str; 3] = ["习近平新时代中国特色社会主义思想", "中华人民共和国", "中华民族共同体意识"];

    #[test]
    fn a_phrase_that_is_almost_right_is_found_and_a_right_one_is_not() {
        let near = NearPhrases::new(PHRASES);
        let laws = [
            "中华人民共和国政府信息公开条例",
            "中华人民共和国政府信息公开工作年度报告格式",
            "政府信息公开条例",
        ];
        let title = "中华人民共和国政府信息公开工作条例";
        let chars: Vec<char> = title.chars().collect();
        let laws = NearPhrases::new(laws);
        assert_eq!(
            laws.all(title, &chars),
            [NearMatch { at: 0..17, phrase: "中华人民共和国政府信息公开条例" }]
        );
        let check = |text: &str, expect: &[(&str, &str)]| {
            let chars: Vec<char> = text.chars().collect();
            let found = near.all(text, &chars);
            let found: Vec<(String, &str)> =
                found.iter().map(|n| (chars[n.at.clone()].iter().collect(), n.phrase)).collect();
            let found: Vec<(&str, &str)> =
                found.iter().map(|(text, phrase)| (text.as_str(), *phrase)).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("坚持以习近平新时代特色社会主义思想为指导", &[("习近平新时代特色社会主义思想", PHRASES[0])]);
        check("坚持以新时代中国特色社会主义思想为指导", &[("新时代中国特色社会主义思想", PHRASES[0])]);
        check("根据《中华人名共和国政府信息公开条例》", &[("中华人名共和国", PHRASES[1])]);
        check("中华人共和国", &[("中华人共和国", PHRASES[1])]);
        for text in [
            "坚持以习近平新时代中国特色社会主义思想为指导，走中国特色社会主义道路，学习习近平法治思想",
            "中华人民共和国中华人民共和国，中国特色社会主义制度，社会主义思想教育",
            "铸牢中华民族共同体意识，中华民族伟大复兴",
        ] {
            check(text, &[]);
        }
    }
}
