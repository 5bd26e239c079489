//! Tables without rulings. Their columns are determined first; then they are read as flattened text.

use gongkai_model::{Block, Rejection, Span};

use super::{
    columns,
    page_line::{PageLine, goes_on, is_centred, is_first, is_same_size},
};
use crate::{limits::Limits, source_text::SourceText, text};

/// Returns true if the lines contain the numbers of a table.
pub(super) fn holds_table(lines: &[PageLine]) -> bool {
    lines.iter().any(|line| columns::is_row(&line.line))
}

/// Reads the lines. `sides` are the left and right end of the document's text.
pub(super) fn read(lines: &[PageLine], sides: (f64, f64), limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let mut placed = columns::align(lines);
    let has_blanks = placed.has_blanks;
    let mut text = Joined::default();
    for (at, line) in lines.iter().enumerate() {
        match placed.texts.remove(&at) {
            Some(new) if new.is_empty() => {}
            Some(new) => text.line(line, &new, sides),
            None => text.line(line, &line.line.text, sides),
        }
    }
    text.blocks(has_blanks, limits)
}

/// Lines joined into one text.
#[derive(Default)]
struct Joined<'l> {
    text: String,
    scalars: u32,
    /// Position of each line in the text, and its page.
    begun: Vec<(u32, u32)>,
    above: Option<&'l PageLine>,
}

impl<'l> Joined<'l> {
    fn line(&mut self, line: &'l PageLine, text: &str, sides: (f64, f64)) {
        // The layout of the page shows a title in larger type and the indented first line of a paragraph.
        let is_title =
            self.above.is_some_and(|above| is_centred(above, line, sides) && goes_on(above, line, sides));
        if is_title {
            self.scalars = self.scalars.saturating_sub(1);
            self.text.pop();
        }
        let parted = self.above.is_some_and(|above| !is_same_size(&above.line, &line.line));
        let dress = if parted { "\n" } else { "" };
        let indent = if !is_title && is_first(line, sides.0) { "\u{3000}" } else { "" };
        self.begun.push((self.scalars, line.page));
        let text = format!("{dress}{indent}{text}\n");
        let length = text.chars().count();
        self.scalars = self.scalars.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        self.text.push_str(&text);
        self.above = Some(line);
    }

    fn blocks(self, has_blanks: bool, limits: &Limits) -> Result<Vec<Block>, Rejection> {
        // The text was assembled here, so positions in it are not positions in the document.
        let page = |span: &mut Option<Span>| {
            let start = span.take()?.start;
            let line = self.begun.partition_point(|(first, _)| *first <= start).checked_sub(1)?;
            self.begun.get(line).map(|(_, page)| *page)
        };
        let mut blocks = text::read(&SourceText::verbatim(self.text), limits)?;
        for block in &mut blocks {
            match block {
                Block::Paragraph(paragraph) => paragraph.page = page(&mut paragraph.span),
                Block::Table(grid) => {
                    grid.cells.iter_mut().for_each(|cell| cell.page = page(&mut cell.span));
                    grid.ends_unsure = has_blanks;
                }
            }
        }
        Ok(blocks)
    }
}
