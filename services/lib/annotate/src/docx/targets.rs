//! What each comment is about: paragraphs of the main part, or a part of them.

use gongkai_model::{Block, Source, Span};

use super::outline::Outline;
use crate::{search, sheet::RemarkSheet};

/// Maximum number of places of one remark that get a comment.
const MOST_PLACES: usize = 12;

/// The place of one comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Number of the remark, from 0.
    pub(super) remark: usize,
    /// True for a further place of the remark.
    pub(super) is_further: bool,
    /// False if the remark has no place, and the comment stands at the beginning instead.
    pub(super) is_placed: bool,
    pub(super) range: TargetRange,
}

/// Paragraphs, by their indices in the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetRange {
    pub(super) first: usize,
    pub(super) last: usize,
    /// Index of the first character in the first paragraph; `None` for its beginning.
    pub(super) from: Option<usize>,
    /// Index of the last character in the last paragraph; `None` for its end.
    pub(super) to: Option<usize>,
}

/// Returns the places of the comments, in the order of the remarks. A remark without a place gets the first paragraph.
pub(super) fn of(blocks: &[Block], outline: &Outline, sheet: &RemarkSheet) -> Vec<Target> {
    if outline.paragraphs.is_empty() {
        return Vec::new();
    }
    let mut finder = Finder { blocks, outline, text: DocumentText::of(blocks), quoted: Vec::new() };
    let mut targets: Vec<Target> = Vec::new();
    for (remark, sources) in sheet.remarks.iter().map(|remark| &remark.sources).enumerate() {
        let mut ranges: Vec<TargetRange> = Vec::new();
        for source in sources {
            let range = finder.range(source).filter(|range| !ranges.contains(range));
            ranges.extend(range);
        }
        ranges.truncate(MOST_PLACES);
        let is_placed = !ranges.is_empty();
        if !is_placed {
            ranges.push(TargetRange { first: 0, last: 0, from: None, to: None });
        }
        let own = ranges.into_iter().enumerate();
        targets.extend(own.map(|(at, range)| Target { remark, is_further: at > 0, is_placed, range }));
    }
    targets
}

/// Finds places.
struct Finder<'a> {
    blocks: &'a [Block],
    outline: &'a Outline,
    text: DocumentText,
    /// The quotations that were looked for.
    quoted: Vec<String>,
}

impl Finder<'_> {
    fn range(&mut self, source: &Source) -> Option<TargetRange> {
        match source.cell {
            Some(at) => {
                let tables = self.blocks.iter().filter_map(|block| match block {
                    Block::Table(grid) => Some(grid),
                    Block::Paragraph(_) => None,
                });
                let grid = tables.into_iter().nth(at.table as usize)?;
                let cell = grid.cells.iter().find(|cell| (cell.row, cell.column) == (at.row, at.column))?;
                self.whole(cell.span?)
            }
            None => self.quotation(&source.text),
        }
    }

    /// Returns the paragraphs of a span.
    fn whole(&self, span: Span) -> Option<TargetRange> {
        let paragraphs = self.outline.paragraphs_in(&(span.start as usize..span.end as usize));
        let last = paragraphs.end.checked_sub(1).filter(|last| *last >= paragraphs.start)?;
        Some(TargetRange { first: paragraphs.start, last, from: None, to: None })
    }

    /// Returns the place of a quotation. Equal quotations get the occurrences in their order.
    fn quotation(&mut self, words: &str) -> Option<TargetRange> {
        let nth = self.quoted.iter().filter(|known| *known == words).count();
        self.quoted.push(words.to_owned());
        let found =
            search::find(&self.text.chars, words, nth).or_else(|| search::find(&self.text.chars, words, 0));
        let (first, last) = found?;
        let (first, last) = (self.text.span_at(first)?, self.text.span_at(last)?);
        let whole = self.whole(first.cover(last))?;
        Some(self.narrowed(&whole, words).unwrap_or(whole))
    }

    /// Returns the part of the paragraphs that contains the words, or `None` if they are not there as they are quoted.
    fn narrowed(&self, whole: &TargetRange, words: &str) -> Option<TargetRange> {
        let paragraphs = self.outline.paragraphs.iter().enumerate().take(whole.last + 1).skip(whole.first);
        let places: Vec<(usize, usize, char)> = paragraphs
            .flat_map(|(index, paragraph)| {
                paragraph.chars.iter().enumerate().map(move |(at, place)| (index, at, place.c))
            })
            .collect();
        let chars: Vec<char> = places.iter().map(|(.., c)| *c).collect();
        let (first, last) = search::find(&chars, words, 0)?;
        let (first, last) = (places.get(first)?, places.get(last)?);
        Some(TargetRange { first: first.0, last: last.0, from: Some(first.1), to: Some(last.1) })
    }
}

/// The characters of the blocks in reading order, and the span of the block of each.
struct DocumentText {
    chars: Vec<char>,
    /// Index of the first character of each block, and the span of the block.
    blocks: Vec<(usize, Option<Span>)>,
}

impl DocumentText {
    fn of(blocks: &[Block]) -> Self {
        let mut text = Self { chars: Vec::new(), blocks: Vec::new() };
        for block in blocks {
            match block {
                Block::Paragraph(paragraph) => text.push(&paragraph.text, paragraph.span),
                Block::Table(grid) => grid.cells.iter().for_each(|cell| text.push(&cell.text, cell.span)),
            }
        }
        text
    }

    fn push(&mut self, text: &str, span: Option<Span>) {
        self.blocks.push((self.chars.len(), span));
        self.chars.extend(text.chars());
    }

    fn span_at(&self, char: usize) -> Option<Span> {
        let after = self.blocks.partition_point(|(first, _)| *first <= char);
        self.blocks.get(after.checked_sub(1)?)?.1
    }
}
