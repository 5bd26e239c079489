//! A passage: one paragraph, or the lines into which a text layer broke one paragraph. Its text has no white space
//! and half-width punctuation, and each character can be mapped back to its position in the document.

use std::ops::Range;

use gongkai_model::{Paragraph, Source, Span};

use crate::prose::reading::PassageReading;

/// Minimum length in characters of a line that was broken because it was full.
const FULL_LINE: usize = 20;

/// Text for the prose rules. Positions are character numbers unless stated otherwise; [`Passage::text`] is indexed by
/// bytes.
pub(crate) struct Passage<'a> {
    chapter: u32,
    text: String,
    reading: PassageReading,
    /// For each character, its paragraph and its number in the text of that paragraph.
    origin: Vec<(u32, u32)>,
    paragraphs: &'a [Paragraph],
}

impl<'a> Passage<'a> {
    /// Returns the passages of a chapter. Chapter 0 is the preamble.
    pub(crate) fn all(chapter: u32, paragraphs: &'a [Paragraph]) -> Vec<Self> {
        let goes_on = |at: usize| at > 0 && continues(&paragraphs[at - 1].text, &paragraphs[at].text);
        let mut passages = Vec::new();
        let mut start = 0;
        for end in 1..=paragraphs.len() {
            if end == paragraphs.len() || !goes_on(end) {
                passages.push(Self::new(chapter, paragraphs, start..end));
                start = end;
            }
        }
        passages
    }

    fn new(chapter: u32, paragraphs: &'a [Paragraph], lines: Range<usize>) -> Self {
        let bytes: usize = paragraphs[lines.clone()].iter().map(|paragraph| paragraph.text.len()).sum();
        // Han characters occupy three bytes.
        let (mut chars, mut origin) = (Vec::with_capacity(bytes / 2), Vec::with_capacity(bytes / 2));
        let mut text = String::with_capacity(bytes);
        for line in lines {
            for (at, c) in (0_u32..).zip(paragraphs[line].text.chars()) {
                if !c.is_whitespace() && c != '*' {
                    let c = half_width(c);
                    chars.push(c);
                    text.push(c);
                    origin.push((number(line), at));
                }
            }
        }
        Self { chapter, text, reading: PassageReading::new(chars), origin, paragraphs }
    }

    pub(crate) fn chapter(&self) -> u32 {
        self.chapter
    }

    /// Returns the text, for patterns and word searches.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the sentences and counts of the text.
    pub(crate) fn reading(&self) -> &PassageReading {
        &self.reading
    }

    /// Returns true if white space or a line end preceded a character.
    pub(crate) fn is_apart(&self, at: usize) -> bool {
        let places =
            at.checked_sub(1).and_then(|before| Some((self.origin.get(before)?, self.origin.get(at)?)));
        let Some((&(line, before), &(next, here))) = places else { return false };
        let text = self.paragraphs.get(line as usize).map_or("", |paragraph| paragraph.text.as_str());
        line != next
            || (here > before + 1 && text.chars().nth(before as usize + 1).is_some_and(char::is_whitespace))
    }

    /// Returns a quotation by a byte range of [`Passage::text`].
    pub(crate) fn quote_bytes(&self, range: Range<usize>) -> Source {
        let at = |byte| self.text.get(..byte).map_or(0, |head: &str| head.chars().count());
        self.quote(at(range.start)..at(range.end))
    }

    /// Returns a quotation by a range of characters: verbatim text, page and span. The span is narrowed to the
    /// quotation if the paragraph's text is as long as the paragraph's span.
    pub(crate) fn quote(&self, range: Range<usize>) -> Source {
        let Some(places) = self.origin.get(range).filter(|places| !places.is_empty()) else {
            return Source::default();
        };
        let place = |at: usize| (places[at].0 as usize, places[at].1 as usize);
        let (first, last) = (place(0), place(places.len() - 1));
        let mut source = Source { page: self.paragraphs[first.0].page, ..Source::default() };
        for (at, paragraph) in self.paragraphs.iter().enumerate().take(last.0 + 1).skip(first.0) {
            let from = if at == first.0 { first.1 } else { 0 };
            let to = if at == last.0 { last.1 + 1 } else { paragraph.text.chars().count() };
            source.text.extend(paragraph.text.chars().skip(from).take(to.saturating_sub(from)));
            source.span = Span::of_both(source.span, paragraph.span_of(from..to));
        }
        source
    }
}

/// Returns a paragraph's number in the type that the origins use.
fn number(paragraph: usize) -> u32 {
    u32::try_from(paragraph).unwrap_or(u32::MAX)
}

/// Returns true if a text layer broke one paragraph between these two lines.
fn continues(line: &str, next: &str) -> bool {
    let line = line.trim_end();
    let ends = line.ends_with(['。', '！', '？', '：', ':', '!', '?']);
    !ends && line.chars().count() >= FULL_LINE && !opens_item(next.trim_start())
}

/// Returns true for a line that begins with the mark of a numbered item, a heading or a bracket.
fn opens_item(line: &str) -> bool {
    let bare = line.trim_start_matches(['（', '(', '#', '*', ' ', '第']);
    let numerals =
        bare.trim_start_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
    let bracketed = bare.len() < line.len();
    numerals.len() < bare.len()
        && (numerals.starts_with(['、', '．', '是']) || (bracketed && numerals.starts_with(['）', ')'])))
}

/// Replaces full-width digits, letters and punctuation by their half-width forms, one character by one.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '﹝' => '〔',
        '﹞' => '〕',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(text: &str, start: u32, length: u32) -> Paragraph {
        Paragraph { text: text.into(), span: Some(Span { start, end: start + length }), page: Some(2) }
    }

    #[test]
    fn a_quotation_is_verbatim_and_its_span_narrow_where_lengths_agree() {
        let exact = [paragraph("全年 公开信息７７条。", 100, 11)];
        let passage = &Passage::all(1, &exact)[0];
        assert_eq!(passage.text(), "全年公开信息77条。");
        let source = passage.quote(2..9);
        assert_eq!((source.text.as_str(), source.page), ("公开信息７７条", Some(2)));
        assert_eq!(source.span, Some(Span { start: 103, end: 110 }));

        let longer = [paragraph("全年 公开信息７７条。", 100, 40)];
        let source = Passage::all(1, &longer)[0].quote(2..9);
        assert_eq!(source.span, Some(Span { start: 100, end: 140 }));
    }

    #[test]
    fn lines_of_a_text_layer_are_one_passage_and_items_begin_their_own() {
        fn check(lines: &[&str], expect: &[&str]) {
            let paragraphs: Vec<Paragraph> = lines.iter().map(|line| paragraph(line, 0, 1)).collect();
            let passages = Passage::all(1, &paragraphs);
            let texts: Vec<&str> = passages.iter().map(Passage::text).collect();
            assert_eq!(texts, expect);
        }
        check(
            &["息公开申请案件3646件，其中，予以公开1431件、部分公开471", "件、不予公开92件。"],
            &["息公开申请案件3646件,其中,予以公开1431件、部分公开471件、不予公开92件。"],
        );
        check(&["（一）主动公开", "2023年公开"], &["(一)主动公开", "2023年公开"]);
        let long = "将申请人所申请的信息通过电子邮箱发送给了每位申请人";
        check(&[long, "（三）完善"], &[long, "(三)完善"]);
        check(&[long, "一是完善"], &[long, "一是完善"]);
        check(&[long, "2024年"], &[&format!("{long}2024年")]);
        check(&[long, "一件不漏"], &[&format!("{long}一件不漏")]);
    }

    #[test]
    fn a_quotation_over_two_lines_covers_both_spans() {
        let lines =
            [paragraph("本年度共向社会主动公开各类政府信息总计为1", 10, 21), paragraph("2条。", 32, 3)];
        let passages = Passage::all(1, &lines);
        let source = passages[0].quote(20..23);
        assert_eq!(source.text, "12条");
        assert_eq!(source.span, Some(Span { start: 30, end: 34 }));
    }
}
