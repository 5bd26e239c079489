//! Rebuilds tables from documents whose cells are paragraphs, one cell or one row each, as CSS grids and TABs produce
//! them.

use gongkai_model::{Block, Paragraph, Rejection, Span};

use crate::{
    limits::Limits,
    source_text::SourceText,
    text::{self, lines, run_together},
};

/// Minimum number of value lines for which a table is assumed.
const VALUES: usize = 25;

/// Minimum number of lines with bars for which a table is assumed.
const BARS: usize = 3;

/// Reads the paragraphs again as flattened text if the document has no table and many lines with only values, and
/// otherwise those that lost their line breaks and, with `has_bars`, stretches that have lines with bars. All other blocks
/// stay as they are.
pub(crate) fn read(blocks: Vec<Block>, has_bars: bool, limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let is_paragraph = |block: &Block| paragraph(block).is_some();
    if blocks.iter().all(is_paragraph) && count(&blocks, lines::holds_values) >= VALUES {
        return reread(&blocks, limits);
    }
    if !has_bars {
        return apart(blocks, limits);
    }
    let mut out = Vec::new();
    for stretch in blocks.chunk_by(|a, b| is_paragraph(a) && is_paragraph(b)) {
        if count(stretch, |text| text.contains('|')) >= BARS {
            out.extend(reread(stretch, limits)?);
        } else {
            out.extend(apart(stretch.to_vec(), limits)?);
        }
    }
    Ok(out)
}

/// Returns the number of paragraphs that are such lines.
fn count(blocks: &[Block], is_line: impl Fn(&str) -> bool) -> usize {
    blocks.iter().filter_map(paragraph).filter(|paragraph| is_line(&paragraph.text)).count()
}

/// Reads each paragraph that lost its line breaks again as flattened text.
fn apart(blocks: Vec<Block>, limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let mut read = Vec::with_capacity(blocks.len());
    for block in blocks {
        match &block {
            Block::Paragraph(paragraph) if run_together::lines(&paragraph.text).is_some() => {
                read.extend(reread(std::slice::from_ref(&block), limits)?);
            }
            _ => read.push(block),
        }
    }
    Ok(read)
}

/// Reads paragraphs again as flattened text.
fn reread(blocks: &[Block], limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let paragraphs: Vec<&Paragraph> = blocks.iter().filter_map(paragraph).collect();
    let (source, pages) = joined(&paragraphs);
    let placed = paragraphs.iter().all(|paragraph| paragraph.span.is_some());
    let mut read = text::read(&source, limits)?;
    let page = |span: Option<Span>| {
        let at = pages.partition_point(|(start, _)| *start <= span.map_or(0, |span| span.start));
        pages.get(at.saturating_sub(1)).and_then(|(_, page)| *page)
    };
    for block in &mut read {
        match block {
            Block::Paragraph(paragraph) => paragraph.page = page(paragraph.span),
            Block::Table(grid) => grid.cells.iter_mut().for_each(|cell| cell.page = page(cell.span)),
        }
    }
    if !placed {
        read.iter_mut().for_each(Block::forget_spans);
    }
    Ok(read)
}

fn paragraph(block: &Block) -> Option<&Paragraph> {
    match block {
        Block::Paragraph(paragraph) => Some(paragraph),
        Block::Table(_) => None,
    }
}

/// Returns the paragraphs as lines of one text that keeps their positions, and the page of each.
fn joined(paragraphs: &[&Paragraph]) -> (SourceText, Vec<(u32, Option<u32>)>) {
    let mut text = String::new();
    let mut origin: Vec<u32> = Vec::new();
    let mut pages = Vec::new();
    let mut last = 0;
    for paragraph in paragraphs {
        let span = paragraph.span.unwrap_or(Span { start: last, end: u32::MAX });
        pages.push((span.start.max(last), paragraph.page));
        for (c, at) in paragraph.text.chars().zip(span.start..) {
            text.push(c);
            last = at.min(span.end.saturating_sub(1)).max(last);
            origin.push(last);
        }
        text.push('\n');
        last = last.saturating_add(1);
        origin.push(last);
    }
    origin.push(last);
    (SourceText::new(text, origin), pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u32) -> Vec<Block> {
        let line = |at: u32| {
            let text = if at.is_multiple_of(4) { format!("规章{at}") } else { format!("{}", at + 1000) };
            let length = u32::try_from(text.chars().count()).unwrap();
            let start = at * 100;
            Block::Paragraph(Paragraph {
                text,
                span: Some(Span { start, end: start + length }),
                page: Some(at),
            })
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn lines_of_values_become_a_table_with_their_places() {
        let blocks = read(lines(40), false, &Limits::default()).unwrap();
        let Some(Block::Table(grid)) = blocks.first() else { panic!("{blocks:?}") };
        let cell = grid.cells.iter().find(|cell| cell.text == "1007").unwrap();
        assert_eq!((cell.span, cell.page), (Some(Span { start: 700, end: 704 }), Some(7)));
    }

    #[test]
    fn few_numbers_are_no_table() {
        assert_eq!(read(lines(20), false, &Limits::default()).unwrap(), lines(20));
    }
}
