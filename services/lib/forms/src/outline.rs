//! Splits a document into the text before the first chapter and the chapters with their prose.
//!
//! A heading is a line with the number and the title of a chapter. All headings of a document are numbered in the same
//! style, `一、` in nearly every report. A line in another style, such as （二）依申请公开情况, is a sub-heading and counts
//! as prose.

use gongkai_model::{Block, Document, Paragraph, Section, Span};

use crate::{
    chapter_titles::ChapterTitles,
    enumerator::{self, HeadingNumbering, STYLES},
};

/// A document, split at its headings.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Paragraphs before the first chapter.
    pub front: Vec<Paragraph>,
    /// The chapters, in document order.
    pub sections: Vec<Section>,
    /// True if a table precedes the first chapter.
    pub table_in_front: bool,
    /// Number of blocks before the first heading.
    pub first_heading: usize,
}

/// Splits a document at its headings.
pub(crate) fn read(document: &Document, titles: &ChapterTitles) -> Outline {
    let blocks = &document.blocks;
    let heads: Vec<Option<ChapterLine<'_>>> = (0..blocks.len()).map(|at| head(blocks, at, titles)).collect();
    let style = style(&heads);
    let mut outline = Outline { first_heading: blocks.len(), ..Outline::default() };
    let mut skipped = None;
    for (at, (block, head)) in blocks.iter().zip(heads).enumerate() {
        match block {
            Block::Paragraph(_) if skipped == Some(at) => {}
            Block::Paragraph(paragraph) => match head.filter(|head| Some(head.style) == style) {
                Some(head) => {
                    outline.first_heading = outline.first_heading.min(at);
                    skipped = head.below.map(|_| at + 1);
                    outline.open(&head, paragraph);
                }
                None => outline.prose(paragraph),
            },
            Block::Table(_) => match outline.sections.last_mut() {
                Some(section) => section.has_table = true,
                None => outline.table_in_front = true,
            },
        }
    }
    outline.drop_contents();
    outline
}

impl Outline {
    fn open(&mut self, head: &ChapterLine<'_>, paragraph: &Paragraph) {
        let below = head.below.map(|below| (below.text.as_str(), below.span)).unwrap_or_default();
        let rest = head.rest.map(|rest| Paragraph { text: rest.to_owned(), ..paragraph.clone() });
        self.sections.push(Section {
            number: head.number,
            title: clean_title(head.title) + &clean_title(below.0),
            title_span: Span::of_both(paragraph.span, below.1),
            paragraphs: rest.into_iter().collect(),
            has_table: false,
        });
    }

    fn prose(&mut self, paragraph: &Paragraph) {
        if paragraph.text.trim().is_empty() {
            return;
        }
        match self.sections.last_mut() {
            Some(section) => section.paragraphs.push(paragraph.clone()),
            None => self.front.push(paragraph.clone()),
        }
    }

    /// Drops the headings of a table of contents: those that have no text or table of their own and occur again later.
    fn drop_contents(&mut self) {
        let sections = std::mem::take(&mut self.sections);
        for (at, section) in sections.iter().enumerate() {
            let again = sections.iter().skip(at + 1).any(|later| later.number == section.number);
            if !(again && section.paragraphs.is_empty() && !section.has_table) {
                self.sections.push(section.clone());
            }
        }
    }
}

/// A line with the title of a chapter.
#[derive(Debug, Clone, Copy)]
struct ChapterLine<'t> {
    number: u32,
    style: HeadingNumbering,
    /// The text of the heading.
    title: &'t str,
    /// Prose that follows on the same line.
    rest: Option<&'t str>,
    /// The paragraph with the title, if the line has only the number.
    below: Option<&'t Paragraph>,
}

fn head<'t>(blocks: &'t [Block], at: usize, titles: &ChapterTitles) -> Option<ChapterLine<'t>> {
    let Block::Paragraph(paragraph) = blocks.get(at)? else { return None };
    let enumerator = enumerator::split(&paragraph.text);
    let heading = ChapterLine {
        number: enumerator.number,
        style: enumerator.style,
        title: &paragraph.text,
        rest: None,
        below: None,
    };
    if enumerator.number > 0 && enumerator.rest.is_empty() {
        let Some(Block::Paragraph(below)) = blocks.get(at + 1) else { return None };
        let fits = titles.chapter(&below.text) == Some(enumerator.number);
        return fits.then_some(ChapterLine { below: Some(below), ..heading });
    }
    let (number, title, rest) = split_heading(&paragraph.text, heading.style, titles)?;
    Some(ChapterLine { number, title, rest, ..heading })
}

/// Returns the style in which most chapters are numbered.
fn style(heads: &[Option<ChapterLine<'_>>]) -> Option<HeadingNumbering> {
    let mut seen = [[false; 7]; STYLES.len()];
    for head in heads.iter().flatten() {
        let row = STYLES.iter().position(|s| *s == head.style).and_then(|at| seen.get_mut(at));
        if let Some(slot) = row.and_then(|row| row.get_mut(head.number as usize)) {
            *slot = true;
        }
    }
    let count = |at: usize| seen.get(at).map_or(0, |row| row.iter().filter(|seen| **seen).count());
    let best =
        (0..STYLES.len()).max_by_key(|at| (count(*at), STYLES.len() - at)).filter(|at| count(*at) > 0)?;
    STYLES.get(best).copied()
}

/// Returns the number of the chapter with this title, its heading, and the prose behind it on the same line.
fn split_heading<'t>(
    text: &'t str,
    style: HeadingNumbering,
    titles: &ChapterTitles,
) -> Option<(u32, &'t str, Option<&'t str>)> {
    if let Some(number) = titles.chapter(text) {
        return Some((number, text, None));
    }
    if style == HeadingNumbering::Bare {
        return None;
    }
    let at_colon = text.split_once(['：', ':']).filter(|(_, rest)| !rest.trim().is_empty());
    if let Some((head, rest)) = at_colon
        && let Some(number) = titles.chapter(head)
    {
        return Some((number, head, Some(rest.trim())));
    }
    let (number, head, rest) = titles.run_in(text)?;
    Some((number, head, Some(rest)))
}

fn clean_title(text: &str) -> String {
    let bare = text.trim().trim_start_matches('#').replace("**", "");
    let words: Vec<&str> = bare.split_whitespace().collect();
    words.concat()
}
