//! Reads Markdown: pipe tables as grids, headings and paragraphs without their marks.
//!
//! PDF tools and vision models split tables (one small table for each row, labels beside them), so everything that is
//! not a pipe table is read like flattened text.

use gongkai_model::{Block, Rejection, Span};

use crate::{
    limits::Limits,
    source_text::SourceText,
    text::{self, lines},
};

pub(crate) fn read(source: &SourceText, limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let plain = text::plain(source);
    let source = plain.as_ref().unwrap_or(source);
    let mut blocks = text::blocks(source, &lines::classify(source), limits)?;
    for block in &mut blocks {
        if let Block::Paragraph(paragraph) = block {
            strip_marks(&mut paragraph.text, &mut paragraph.span);
        }
    }
    blocks.retain(|block| !matches!(block, Block::Paragraph(p) if p.text.is_empty()));
    Ok(blocks)
}

/// Removes `##`, `>` and `**`. The span begins at the text itself.
fn strip_marks(text: &mut String, span: &mut Option<Span>) {
    let bare = text.trim_start_matches(['#', '>', ' ']);
    let marks = text.chars().count() - bare.chars().count();
    if let (Some(span), Ok(marks)) = (span, u32::try_from(marks)) {
        span.start = span.start.saturating_add(marks).min(span.end);
    }
    *text = bare.replace("**", "").trim().to_owned();
}
