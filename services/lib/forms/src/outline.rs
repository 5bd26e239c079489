//! Splits a document into the text before the first chapter and the chapters with their prose.
//!
//! A heading is a line with the number and the title of a chapter. All headings of a document are numbered in the same
//! style, `一、` in nearly every report. A line in another style, such as （二）依申请公开情况, is a sub-heading and counts
//! as prose.

use gongkai_model::{Block, Document, Paragraph, Section};

use crate::chapter_titles::ChapterTitles;

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

/// How a heading is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeadingNumbering {
    /// `一、`
    Chinese,
    /// `1、`
    Arabic,
    /// `（一）`
    Brackets,
    /// No number.
    Bare,
}

const STYLES: [HeadingNumbering; 4] =
    [HeadingNumbering::Chinese, HeadingNumbering::Arabic, HeadingNumbering::Brackets, HeadingNumbering::Bare];

/// Splits a document at its headings.
pub(crate) fn read(document: &Document, titles: &ChapterTitles) -> Outline {
    let heads: Vec<Option<ChapterHeading<'_>>> =
        document.blocks.iter().map(|block| head(block, titles)).collect();
    let style = style(&heads);
    let mut outline = Outline { first_heading: document.blocks.len(), ..Outline::default() };
    for (at, (block, head)) in document.blocks.iter().zip(heads).enumerate() {
        match block {
            Block::Paragraph(paragraph) => match heading(paragraph, head, style) {
                Some((number, rest)) => {
                    outline.first_heading = outline.first_heading.min(at);
                    outline.open(number, paragraph, rest);
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
    fn open(&mut self, number: u32, paragraph: &Paragraph, rest: Option<Paragraph>) {
        self.sections.push(Section {
            number,
            title: clean_title(&paragraph.text, rest.is_some()),
            title_span: paragraph.span,
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
struct ChapterHeading<'t> {
    number: u32,
    style: HeadingNumbering,
    /// Prose that follows on the same line.
    rest: Option<&'t str>,
}

fn head<'t>(block: &'t Block, titles: &ChapterTitles) -> Option<ChapterHeading<'t>> {
    let Block::Paragraph(paragraph) = block else { return None };
    let (number, rest) = split_heading(&paragraph.text, titles)?;
    Some(ChapterHeading { number, style: style_of(&paragraph.text), rest })
}

/// Returns the style in which most chapters are numbered.
fn style(heads: &[Option<ChapterHeading<'_>>]) -> Option<HeadingNumbering> {
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

fn heading(
    paragraph: &Paragraph,
    head: Option<ChapterHeading<'_>>,
    style: Option<HeadingNumbering>,
) -> Option<(u32, Option<Paragraph>)> {
    let head = head.filter(|head| Some(head.style) == style)?;
    let rest =
        head.rest.map(|rest| Paragraph { text: rest.to_owned(), span: paragraph.span, page: paragraph.page });
    Some((head.number, rest))
}

/// Returns the number of the chapter with this title, and the prose after a colon on the same line.
fn split_heading<'t>(text: &'t str, titles: &ChapterTitles) -> Option<(u32, Option<&'t str>)> {
    if let Some(number) = titles.chapter(text) {
        return Some((number, None));
    }
    if style_of(text) == HeadingNumbering::Bare {
        return None;
    }
    let (head, rest) = text.split_once(['：', ':']).filter(|(_, rest)| !rest.trim().is_empty())?;
    titles.chapter(head).map(|number| (number, Some(rest.trim())))
}

fn style_of(text: &str) -> HeadingNumbering {
    let text = text.trim_start_matches(['#', '*', ' ', '　']);
    let first = text.chars().next().unwrap_or(' ');
    if matches!(first, '（' | '(') {
        HeadingNumbering::Brackets
    } else if "一二三四五六七八".contains(first) {
        HeadingNumbering::Chinese
    } else if first.is_ascii_digit() || ('０'..='９').contains(&first) {
        HeadingNumbering::Arabic
    } else {
        HeadingNumbering::Bare
    }
}

fn clean_title(text: &str, cut: bool) -> String {
    let head = if cut { text.split(['：', ':']).next().unwrap_or(text) } else { text };
    let bare = head.trim().trim_start_matches('#').replace("**", "");
    let words: Vec<&str> = bare.split_whitespace().collect();
    words.concat()
}
