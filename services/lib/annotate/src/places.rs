//! What to mark in a text: the positions of the remarks, as byte ranges.

use std::{collections::BTreeMap, ops::Range};

use gongkai_model::Span;

use crate::sheet::RemarkSheet;

/// A range of a text that a remark is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextMark {
    /// Number of the remark, from 0.
    pub(crate) remark: usize,
    /// Range in bytes; empty for a gap.
    pub(crate) range: Range<usize>,
    /// The words that are quoted; empty if the whole range is meant.
    pub(crate) words: String,
}

/// Returns the ranges of the remarks, in the order of the sheet. Positions outside the text are left out.
pub(crate) fn of_text(text: &str, sheet: &RemarkSheet) -> Vec<TextMark> {
    let mut spans: Vec<(usize, Span, &str)> = Vec::new();
    for (remark, sources) in sheet.remarks.iter().map(|remark| &remark.sources).enumerate() {
        for source in sources {
            let is_new = |span: &Span| !spans.iter().any(|known| known.0 == remark && known.1 == *span);
            if let Some(span) = source.span.filter(is_new) {
                spans.push((remark, span, source.text.as_str()));
            }
        }
    }
    let bytes = byte_positions(text, spans.iter().flat_map(|(_, span, _)| [span.start, span.end]));
    let mark = |(remark, span, words): (usize, Span, &str)| {
        let (start, end) = (*bytes.get(&span.start)?, *bytes.get(&span.end)?);
        (start <= end).then(|| TextMark { remark, range: start..end, words: words.to_owned() })
    };
    spans.into_iter().filter_map(mark).collect()
}

/// Returns the byte position of each of these scalars, the end of the text included.
fn byte_positions(text: &str, scalars: impl Iterator<Item = u32>) -> BTreeMap<u32, usize> {
    let mut wanted: Vec<u32> = scalars.collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut wanted = wanted.into_iter().peekable();
    let ends = std::iter::once(text.len());
    let positions = text.char_indices().map(|(byte, _)| byte).chain(ends);
    let mut found = BTreeMap::new();
    for (scalar, byte) in (0_u32..).zip(positions) {
        if wanted.next_if_eq(&scalar).is_some() {
            found.insert(scalar, byte);
        }
        if wanted.peek().is_none() {
            break;
        }
    }
    found
}
