//! What to mark on which page: the boxes of cells, and the glyphs of quotations.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_extract::{Limits, PdfGlyph, pdf_glyphs};
use gongkai_model::{Rejection, Source};

use crate::{search, sheet::RemarkSheet};

/// Maximum number of places of one remark that are marked.
const MOST_PLACES: usize = 200;

/// A place on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PageMark {
    /// Number of the remark, from 0.
    pub(super) remark: usize,
    /// True for a further place of the remark.
    pub(super) is_further: bool,
    /// Number of the page, from 1.
    pub(super) page: u32,
    /// Boxes, in points from the page's top left corner; empty if the remark has no place on the page.
    pub(super) boxes: Vec<PageBox>,
}

/// A box: left, top, right, bottom.
pub(super) type PageBox = [f64; 4];

/// Returns the places of all remarks. A remark without a place gets its page, or the first.
pub(super) fn of(bytes: &[u8], limits: &Limits, sheet: &RemarkSheet) -> Result<Vec<PageMark>, Rejection> {
    let quotations =
        || sheet.remarks.iter().flat_map(|remark| &remark.sources).filter(|source| is_quotation(source));
    // A quotation may go on on the next page. One without a page is looked for on all.
    let wanted: Option<BTreeSet<u32>> = quotations()
        .map(|source| source.page.map(|page| [page, page + 1]))
        .collect::<Option<Vec<_>>>()
        .map(|pages| pages.into_iter().flatten().collect());
    let pages = match &wanted {
        Some(wanted) if wanted.is_empty() => BTreeMap::new(),
        wanted => {
            pdf_glyphs(bytes, limits, |page| wanted.as_ref().is_none_or(|wanted| wanted.contains(&page)))?
        }
    };
    let mut quoted: Vec<&str> = Vec::new();
    let mut marks = Vec::new();
    for (remark, sources) in sheet.remarks.iter().map(|remark| &remark.sources).enumerate() {
        let mut own: Vec<PageMark> = Vec::new();
        for source in sources.iter().take(MOST_PLACES) {
            let mut found = cell(source, remark);
            if is_quotation(source) {
                let nth = quoted.iter().filter(|known| **known == source.text).count();
                quoted.push(&source.text);
                found.extend(quotation(source, &pages, nth, remark));
            }
            own.extend(found.into_iter().filter(|mark| !own.contains(mark)).collect::<Vec<_>>());
        }
        if own.is_empty() {
            let page = sources.iter().find_map(|source| source.page).unwrap_or(1);
            own.push(PageMark { remark, is_further: false, page, boxes: Vec::new() });
        }
        own.iter_mut().skip(1).for_each(|mark| mark.is_further = true);
        marks.extend(own);
    }
    Ok(marks)
}

/// Returns true for words without a box.
fn is_quotation(source: &Source) -> bool {
    source.area.is_none() && source.cell.is_none() && !source.text.trim().is_empty()
}

fn cell(source: &Source, remark: usize) -> Vec<PageMark> {
    let place = source.area.zip(source.page).map(|(area, page)| {
        let sides = [area.left, area.top, area.right, area.bottom].map(f64::from);
        PageMark { remark, is_further: false, page, boxes: vec![sides] }
    });
    place.into_iter().collect()
}

/// Returns the places of a quotation, one for each page.
fn quotation(
    source: &Source,
    pages: &BTreeMap<u32, Vec<PdfGlyph>>,
    nth: usize,
    remark: usize,
) -> Vec<PageMark> {
    let is_near = |page: u32| source.page.is_none_or(|first| page == first || page == first + 1);
    let near = pages.iter().filter(|(page, _)| is_near(**page));
    let glyphs: Vec<(u32, &PdfGlyph)> =
        near.flat_map(|(page, glyphs)| glyphs.iter().map(|glyph| (*page, glyph))).collect();
    let mut chars = Vec::new();
    let mut owners = Vec::new();
    for (at, (_, glyph)) in glyphs.iter().enumerate() {
        chars.extend(glyph.text.chars());
        owners.resize(chars.len(), at);
    }
    let found = search::find(&chars, &source.text, nth).or_else(|| search::find(&chars, &source.text, 0));
    let Some((first, last)) = found.and_then(|(first, last)| Some((*owners.get(first)?, *owners.get(last)?)))
    else {
        return Vec::new();
    };
    let mut marks: Vec<PageMark> = Vec::new();
    for (page, glyph) in glyphs.iter().take(last + 1).skip(first) {
        if marks.last().is_none_or(|mark| mark.page != *page) {
            marks.push(PageMark { remark, is_further: false, page: *page, boxes: Vec::new() });
        }
        if let Some(mark) = marks.last_mut() {
            extend(&mut mark.boxes, [glyph.left, glyph.top, glyph.right, glyph.bottom]);
        }
    }
    marks
}

/// Adds the box of a glyph: to the box of its line, or as the first of a line.
fn extend(boxes: &mut Vec<PageBox>, [left, top, right, bottom]: PageBox) {
    match boxes.last_mut() {
        Some(line) if (line[3] - bottom).abs() < (bottom - top) / 2.0 && left >= line[0] => {
            line[1] = line[1].min(top);
            line[2] = line[2].max(right);
            line[3] = line[3].max(bottom);
        }
        _ => boxes.push([left, top, right, bottom]),
    }
}
