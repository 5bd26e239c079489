//! Splits pages along a strip that is blank on every page: two reports side by side, or two pages of one report on each
//! sheet.

use std::collections::BTreeSet;

use gongkai_model::Block;

use super::{
    drawn_page::{DrawnPage, Glyph},
    lines::{self, MARGIN},
};
use crate::text::lines::is_title;

/// The part of the page width that is searched for the strip.
const MIDDLE: (f64, f64) = (0.35, 0.65);

/// Minimum width of the strip, in points.
const STRIP: f64 = 8.0;

/// Minimum number of chapters that occur on both sides.
const SHARED: usize = 2;

/// Returns the pages of the left and of the right report, or `None` unless both sides have at least [`SHARED`]
/// chapters in common.
pub(super) fn split(pages: &[DrawnPage]) -> Option<(Vec<DrawnPage>, Vec<DrawnPage>)> {
    let middle = strip(pages)?;
    let side = |is_left: bool| pages.iter().map(move |page| one_side(page, middle, is_left));
    let (left, right): (Vec<DrawnPage>, Vec<DrawnPage>) = (side(true).collect(), side(false).collect());
    let (here, there) = (chapters(&left), chapters(&right));
    (here.intersection(&there).count() >= SHARED).then_some((left, right))
}

/// Returns the pages of a report that was printed two to a sheet, in reading order, or `None` unless the chapters go on
/// from the left side to the right.
pub(super) fn two_up(pages: &[DrawnPage]) -> Option<Halves> {
    let width = pages.first().filter(|page| page.width > page.height)?.width / 2.0;
    let middle = strip(pages)?;
    let halves = pages.iter().flat_map(|page| [true, false].map(|is_left| one_side(page, middle, is_left)));
    let mut halves: Vec<DrawnPage> = halves.collect();
    let titled: Vec<BTreeSet<char>> =
        halves.iter().map(|half| chapters(std::slice::from_ref(half))).collect();
    let all: usize = titled.iter().map(BTreeSet::len).sum();
    let distinct = titled.iter().flatten().collect::<BTreeSet<_>>().len();
    let on = |side: usize| titled.iter().skip(side).step_by(2).map(BTreeSet::len).sum::<usize>();
    if all != distinct || on(0) == 0 || on(1) == 0 {
        return None;
    }
    for (at, half) in halves.iter_mut().enumerate() {
        half.width = width;
        if at % 2 == 1 {
            move_left(half, width);
        }
    }
    Some(Halves { pages: halves, width })
}

/// The halves of sheets as pages, left before right.
pub(super) struct Halves {
    pub(super) pages: Vec<DrawnPage>,
    /// Width of a half.
    pub(super) width: f64,
}

/// Gives a block of halves, which were numbered as pages, its place on the sheet.
pub(super) fn back_on_sheet(block: &mut Block, width: f64) {
    let sheet = |page: &mut Option<u32>| {
        let half = page.unwrap_or(1);
        *page = page.map(|half| half.div_ceil(2));
        half.is_multiple_of(2)
    };
    match block {
        Block::Paragraph(paragraph) => {
            sheet(&mut paragraph.page);
        }
        Block::Table(grid) => {
            for cell in &mut grid.cells {
                let is_right = sheet(&mut cell.page);
                if let Some(area) = cell.area.as_mut().filter(|_| is_right) {
                    let by = whole(width);
                    (area.left, area.right) = (area.left.saturating_add(by), area.right.saturating_add(by));
                }
            }
        }
    }
}

/// Returns a width in whole points.
fn whole(width: f64) -> u32 {
    // The width is a whole number, and its range is checked.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    let points = if (0.0..1e6).contains(&width) { width.floor() as u32 } else { 0 };
    points
}

fn move_left(page: &mut DrawnPage, by: f64) {
    for glyph in &mut page.glyphs {
        glyph.x0 -= by;
        glyph.x1 -= by;
    }
    for rule in &mut page.rules {
        if rule.is_level {
            rule.from -= by;
            rule.to -= by;
        } else {
            rule.at -= by;
        }
    }
}

/// Returns the middle of the widest strip that no text and no ruling crosses on any page, page headers and footers
/// excepted.
fn strip(pages: &[DrawnPage]) -> Option<f64> {
    let width = pages.first()?.width;
    if pages.iter().any(|page| (page.width - width).abs() > 1.0) {
        return None;
    }
    let inside = |page: &DrawnPage, y: f64| (page.height * MARGIN..page.height * (1.0 - MARGIN)).contains(&y);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for page in pages {
        let glyphs =
            page.glyphs.iter().filter(|glyph| inside(page, glyph.y) && !glyph.text.trim().is_empty());
        taken.extend(glyphs.map(|glyph| (glyph.x0, glyph.x1)));
        let rules = page.rules.iter().filter(|rule| rule.is_level && inside(page, rule.at));
        taken.extend(rules.map(|rule| (rule.from, rule.to)));
    }
    taken.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut end, last) = (MIDDLE.0 * width, MIDDLE.1 * width);
    let mut widest: Option<(f64, f64)> = None;
    for (x0, x1) in taken {
        let x0 = x0.min(last);
        if x0 - end > widest.map_or(STRIP, |(from, to)| to - from) {
            widest = Some((end, x0));
        }
        end = end.max(x1);
    }
    widest.map(|(from, to)| f64::midpoint(from, to))
}

fn one_side(page: &DrawnPage, middle: f64, is_left: bool) -> DrawnPage {
    let is_here = |from: f64, to: f64| (f64::midpoint(from, to) < middle) == is_left;
    let own = |glyph: &&Glyph| is_here(glyph.x0, glyph.x1);
    let rules = page.rules.iter().filter(|rule| {
        let (from, to) = if rule.is_level { (rule.from, rule.to) } else { (rule.at, rule.at) };
        is_here(from, to)
    });
    DrawnPage {
        width: page.width,
        height: page.height,
        glyphs: page.glyphs.iter().filter(own).cloned().collect(),
        rules: rules.copied().collect(),
        hidden_glyphs: 0,
        pictures: 0,
    }
}

/// Returns the numerals of the chapters' titles.
fn chapters(pages: &[DrawnPage]) -> BTreeSet<char> {
    let lines = pages.iter().flat_map(|page| lines::lines(&page.glyphs));
    let titles = lines.filter(|line| is_title(&line.text));
    titles.filter_map(|line| line.text.trim_start_matches(['（', '(']).chars().next()).collect()
}
