//! Splits pages that contain two reports side by side, along a strip that is blank on every page.

use std::collections::BTreeSet;

use super::{
    canvas::{DrawnPage, Glyph},
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
