//! Builds one line of text. White space collapses as in a browser, and each scalar keeps its position.

use gongkai_model::{Paragraph, Span};

use crate::{
    invisible::is_invisible,
    mirror_cleanup::{self, Cleaner},
};

/// The text of the current line.
#[derive(Debug, Default)]
pub(super) struct LineBuilder {
    text: String,
    /// The position of each scalar of `text`.
    spans: Vec<Span>,
    /// The ordinals of the white scalars in `text`, ascending.
    pale: Vec<usize>,
    /// White space after `text`. It is kept only if more text follows.
    gap: Option<WhiteSpace>,
}

#[derive(Debug, Clone, Copy)]
struct WhiteSpace {
    span: Span,
    breaks_line: bool,
}

impl LineBuilder {
    /// Appends a scalar. Invisible characters are dropped. White scalars (`pale`) are dropped when the line ends, unless
    /// it has no others: then the background is likely to be dark.
    pub(super) fn push(&mut self, c: char, span: Span, pale: bool) {
        match c {
            ' ' | '\t' | '\n' | '\r' | '\x0c' => {
                let gap = self.gap.get_or_insert(WhiteSpace { span, breaks_line: false });
                gap.breaks_line |= c == '\n' || c == '\r';
            }
            '\0'..='\x1f' | '\x7f' => {}
            _ if is_invisible(c) => {}
            _ => {
                self.fill_gap(c);
                if pale {
                    self.pale.push(self.spans.len());
                }
                self.text.push(c);
                self.spans.push(span);
            }
        }
    }

    /// Returns the number of scalars.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Ends the line. Returns its cleaned, trimmed text and the number of pinyin glosses removed; `None` if it is
    /// blank.
    pub(super) fn take(&mut self, cleaner: Cleaner) -> Option<(Paragraph, u32)> {
        self.gap = None;
        if !self.pale.is_empty() {
            self.drop_pale();
        }
        let line = self.finished(cleaner);
        self.text.clear();
        self.spans.clear();
        line
    }

    /// Removes the white scalars beside others.
    fn drop_pale(&mut self) {
        let pale = std::mem::take(&mut self.pale);
        let is_pale = |at: usize| pale.binary_search(&at).is_ok();
        if self.text.chars().enumerate().all(|(at, c)| c.is_whitespace() || is_pale(at)) {
            return;
        }
        self.text = self.text.chars().enumerate().filter(|(at, _)| !is_pale(*at)).map(|(_, c)| c).collect();
        let mut at = 0..;
        self.spans.retain(|_| at.next().is_none_or(|at| !is_pale(at)));
    }

    fn finished(&self, cleaner: Cleaner) -> Option<(Paragraph, u32)> {
        let text = self.text.trim();
        if text.is_empty() {
            return None;
        }
        let first = self.text.chars().take_while(|c| c.is_whitespace()).count();
        let Some(cleaned) = cleaner.clean(text) else {
            let last = first + text.chars().count() - 1;
            return Some((paragraph(text.to_owned(), self.spans[first], self.spans[last]), 0));
        };
        let place = |from: &u32| self.spans[first + *from as usize];
        let (from, to) = (cleaned.from.first().map(place)?, cleaned.from.last().map(place)?);
        Some((paragraph(cleaned.text, from, to), cleaned.pinyin))
    }

    /// Turns white space between two words into one space. A line end between two Han characters is removed, because
    /// editors wrap Chinese text anywhere.
    fn fill_gap(&mut self, next: char) {
        let Some(gap) = self.gap.take() else { return };
        let Some(last) = self.text.chars().next_back() else { return };
        if gap.breaks_line && is_wide(last) && is_wide(next) {
            return;
        }
        self.text.push(' ');
        self.spans.push(gap.span);
    }
}

fn paragraph(text: String, first: Span, last: Span) -> Paragraph {
    Paragraph { text, span: Some(first.cover(last)), page: None }
}

/// Returns true for Han characters and the punctuation between them.
fn is_wide(c: char) -> bool {
    mirror_cleanup::is_han(c) || matches!(c, '\u{3001}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut line = LineBuilder::default();
        for (at, c) in (0..).zip(text.chars()) {
            line.push(c, Span { start: at, end: at + 1 }, false);
        }
        let taken = line.take(Cleaner::of(text));
        assert_eq!(taken.as_ref().map_or("", |(p, _)| p.text.as_str()), expect, "{text:?}");
        if let Some(span) = taken.and_then(|(p, _)| p.span) {
            let original: Vec<char> = text.chars().collect();
            let covered = &original[span.start as usize..span.end as usize];
            assert_eq!(covered.first(), expect.chars().next().as_ref(), "{text:?}");
        }
    }

    #[test]
    fn white_space_collapses() {
        check("  a \t b\u{a0} ", "a b");
        check("\n1\n2 ", "1 2");
        check("0\u{3000}", "0");
        check("第二十条 第（一）项", "第二十条 第（一）项");
    }

    #[test]
    fn a_wrapped_chinese_line_is_joined() {
        check("申请\n    数量", "申请数量");
        check("申请，\r\n数量", "申请，数量");
        check("2023\n年", "2023 年");
    }

    #[test]
    fn invisible_characters_go() {
        check("\u{feff}1\u{200b}2\0", "12");
        check(" \u{200b} ", "");
    }

    #[test]
    fn pinyin_goes_and_the_place_stays() {
        check(" 报(bào)告17件(jiàn) ", "报告17件");
    }
}
