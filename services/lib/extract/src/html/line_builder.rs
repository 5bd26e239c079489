//! Builds one line of text. White space collapses as in a browser, and each scalar keeps its position.

use gongkai_model::{Paragraph, Span, is_han};

use crate::{invisible::is_invisible, mirror_cleanup::Cleaner, raised::raised_digit};

/// The text of the current line.
#[derive(Debug, Default)]
pub(super) struct LineBuilder {
    text: String,
    /// The position of each scalar of `text`.
    spans: Vec<Span>,
    /// The ordinals of the scalars in `text` that are not printed as most text is, ascending.
    odd: Vec<(usize, Print)>,
    /// White space after `text`. It is kept only if more text follows.
    gap: Option<WhiteSpace>,
}

/// How a scalar is printed. A line that is printed like that as a whole is plain.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Print {
    #[default]
    Plain,
    /// White: dropped beside other text. In a line without other text, the background is likely to be dark.
    Pale,
    /// Small and higher than the text beside it: a raised digit.
    Lifted,
    /// Smaller or higher than the text beside it. Digits beside digits are set apart by a space, because they may be
    /// another number.
    Apart,
}

#[derive(Debug, Clone, Copy)]
struct WhiteSpace {
    span: Span,
    breaks_line: bool,
}

impl LineBuilder {
    /// Appends a scalar. Invisible characters are dropped.
    pub(super) fn push(&mut self, c: char, span: Span, print: Print) {
        match c {
            ' ' | '\t' | '\n' | '\r' | '\x0c' => {
                let gap = self.gap.get_or_insert(WhiteSpace { span, breaks_line: false });
                gap.breaks_line |= c == '\n' || c == '\r';
            }
            '\0'..='\x1f' | '\x7f' => {}
            _ if is_invisible(c) => {}
            _ => {
                self.fill_gap(c);
                if print != Print::Plain {
                    self.odd.push((self.spans.len(), print));
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
        if !self.odd.is_empty() {
            self.settle_prints();
        }
        let line = self.finished(cleaner);
        self.text.clear();
        self.spans.clear();
        line
    }

    /// Gives the scalars that are not printed as the text beside them the meaning that they have there.
    fn settle_prints(&mut self) {
        let odd = std::mem::take(&mut self.odd);
        let print = |at: usize| {
            odd.binary_search_by_key(&at, |(at, _)| *at)
                .ok()
                .and_then(|at| odd.get(at))
                .map(|(_, print)| *print)
        };
        if self.text.chars().enumerate().all(|(at, c)| c.is_whitespace() || print(at).is_some()) {
            return;
        }
        let (text, spans) = (std::mem::take(&mut self.text), std::mem::take(&mut self.spans));
        let mut before: Option<(char, Print)> = None;
        for (at, (c, span)) in text.chars().zip(spans).enumerate() {
            let print = print(at).unwrap_or_default();
            let is_set_apart = before.is_some_and(|(last, other)| {
                let is_edge = other != print && (other == Print::Apart || print == Print::Apart);
                is_edge && last.is_ascii_digit() && c.is_ascii_digit()
            });
            if is_set_apart {
                self.text.push(' ');
                self.spans.push(span);
            }
            if print != Print::Pale {
                let c = if print == Print::Lifted { raised_digit(c) } else { c };
                self.text.push(c);
                self.spans.push(span);
                before = Some((c, print));
            }
        }
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
    is_han(c) || matches!(c, '\u{3001}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut line = LineBuilder::default();
        for (at, c) in (0..).zip(text.chars()) {
            line.push(c, Span { start: at, end: at + 1 }, Print::Plain);
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
    fn what_is_printed_otherwise_depends_on_the_text_beside_it() {
        let taken = |pieces: &[(&str, Print)]| {
            let mut line = LineBuilder::default();
            let span = Span { start: 0, end: 1 };
            for (text, print) in pieces {
                text.chars().for_each(|c| line.push(c, span, *print));
            }
            line.take(Cleaner::of("")).map(|(line, _)| line.text).unwrap_or_default()
        };
        for (print, expect) in [(Print::Pale, "24"), (Print::Lifted, "24³⁷"), (Print::Apart, "24 37")] {
            assert_eq!(taken(&[("24", Print::Plain), ("37", print)]), expect);
            assert_eq!(taken(&[("37", print)]), "37");
        }
        assert_eq!(taken(&[("24", Print::Plain), ("件", Print::Apart)]), "24件");
        assert_eq!(taken(&[("3", Print::Apart), ("24", Print::Plain)]), "3 24");
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
