//! A paragraph without white space that maps its characters back to the original.

use std::ops::Range;

use gongkai_model::{Paragraph, Source};

/// A paragraph's text without white space and Markdown's `**`.
#[derive(Debug)]
pub(crate) struct CompactText<'a> {
    pub text: String,
    /// For each scalar of `text`, its index in the paragraph's text.
    origin: Vec<usize>,
    paragraph: &'a Paragraph,
}

impl<'a> CompactText<'a> {
    pub(crate) fn new(paragraph: &'a Paragraph) -> Self {
        let mut compact = Self {
            text: String::with_capacity(paragraph.text.len()),
            origin: Vec::with_capacity(paragraph.text.len() / 2),
            paragraph,
        };
        for (at, c) in paragraph.text.chars().enumerate().filter(|(_, c)| !c.is_whitespace() && *c != '*') {
            compact.text.push(c);
            compact.origin.push(at);
        }
        compact
    }

    /// Returns the verbatim text and position of a byte range of [`CompactText::text`]. The position is exact if the
    /// paragraph's text maps one to one onto its span; otherwise it is that of the whole paragraph.
    pub(crate) fn source(&self, range: Range<usize>) -> Source {
        let scalar = |byte: usize| self.text.get(..byte).map_or(0, |head| head.chars().count());
        let (first, last) = (scalar(range.start), scalar(range.end).saturating_sub(1));
        let (Some(from), Some(to)) = (self.origin.get(first), self.origin.get(last)) else {
            return Source { page: self.paragraph.page, span: self.paragraph.span, ..Source::default() };
        };
        let (from, to) = (*from, *to + 1);
        let text = self.paragraph.text.chars().skip(from).take(to.saturating_sub(from)).collect();
        let span = self.paragraph.span_of(from..to);
        Source { text, page: self.paragraph.page, span, ..Source::default() }
    }
}
