//! HTML: turns pages of every kind, including those of Word, into paragraphs and grids with their positions in the
//! source.
//!
//! A tokenizer feeds a builder; there is no tree. DESIGN.md gives the reasons.

mod builder;
mod element;
mod emitter;
mod line_builder;
pub(crate) mod links;
mod look;
mod meta;
pub(crate) mod pictures;
mod select;
mod style;
mod style_sheet;
mod table;
#[cfg(test)]
mod tests;

use gongkai_model::{Block, Field, Note, Rejection, RejectionCode};
use html5gum::Tokenizer;

use self::{
    builder::{BlockBuilder, Options, PageContents},
    emitter::Events,
};
use crate::{limits::Limits, mirror_cleanup::Cleaner, sniff};

/// Maximum length of the text that a robot-check page shows, in scalars.
const CHALLENGE_TEXT: usize = 100;

/// Marks of scripts that check for robots.
const CHALLENGE_MARKS: [&str; 8] =
    ["$_ts", "_$", "__jsl_clid", "acw_sc__v2", "document.cookie", "__cf_chl", "captcha", "challenge"];

/// The contents of a page.
#[derive(Debug)]
pub(crate) struct Html {
    pub(crate) blocks: Vec<Block>,
    pub(crate) meta_title: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) notes: Vec<Note>,
}

/// Reads a page.
pub(crate) fn read(source: &str, limits: &Limits) -> Result<Html, Rejection> {
    let cleaner = Cleaner::of(source);
    let mut options = Options { shows_hidden: false, keeps_lines: sniff::is_text_with_tables(source) };
    let mut page = build(source, cleaner, options, limits)?;
    // The page shows its tables only by script, so hidden elements are read too.
    if page.hidden_tables > 0 && !page.blocks.iter().any(|block| matches!(block, Block::Table(_))) {
        options.shows_hidden = true;
        page = build(source, cleaner, options, limits)?;
    }
    if options.keeps_lines {
        page.blocks.iter_mut().for_each(strip_heading_marks);
    }
    if is_challenge(source, &page.blocks) {
        return Err(challenge());
    }
    let title = page.meta.article_title().map_or(page.title, str::to_owned);
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = cleaner.clean(&title).map_or(title, |cleaned| cleaned.text);
    let mut fields = page.meta.fields;
    fields.extend(page.meta.links);
    Ok(Html {
        blocks: page.blocks,
        meta_title: Some(title).filter(|title| !title.is_empty()),
        fields,
        notes: cleaner.notes(page.pinyin).collect(),
    })
}

fn build(
    source: &str,
    cleaner: Cleaner,
    options: Options,
    limits: &Limits,
) -> Result<PageContents, Rejection> {
    let mut builder = BlockBuilder::new(cleaner, options, limits);
    let events = Events::new(source, &mut builder);
    let mut stops = Tokenizer::new_with_emitter(source, events);
    if let Some(Ok(rejection)) = stops.next() {
        return Err(rejection);
    }
    builder.finish()
}

/// Removes Markdown's `#` and `**` from a heading.
fn strip_heading_marks(block: &mut Block) {
    if let Block::Paragraph(paragraph) = block {
        let bare = paragraph.text.trim_start_matches('#').trim().trim_matches('*').trim();
        if !bare.is_empty() && bare.len() < paragraph.text.len() {
            paragraph.text = bare.to_owned();
        }
    }
}

/// Returns true for a page that shows almost no text and whose script checks for robots.
fn is_challenge(source: &str, blocks: &[Block]) -> bool {
    let mut shown = 0;
    for block in blocks {
        match block {
            Block::Paragraph(paragraph) => shown += paragraph.text.chars().count(),
            Block::Table(_) => return false,
        }
    }
    shown < CHALLENGE_TEXT && has_robot_check(source)
}

/// Returns true for a page with a script that checks for robots, or might: a report may have one too. Use it to
/// explain why a request was refused.
#[must_use]
pub fn has_robot_check(source: &str) -> bool {
    source.contains("<script") && CHALLENGE_MARKS.into_iter().any(|mark| source.contains(mark))
}

fn challenge() -> Rejection {
    Rejection::new(
        RejectionCode::ChallengePage,
        "这是网站的人机验证页面（如瑞数），不是年报正文；请从网站后台导出原文或附件后提交",
        "this is a robot-check page that stood in for the report; submit the article itself",
    )
}
