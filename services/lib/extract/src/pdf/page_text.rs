//! The glyphs of pages in reading order, for whoever marks a phrase on a page.

use std::collections::BTreeMap;

use gongkai_model::Rejection;
use hayro_interpret::InterpreterCache;

use super::{canvas::Budget, lines};
use crate::limits::Limits;

/// The part of the font size that a glyph takes above its baseline.
const ASCENT: f64 = 0.88;

/// A character on a page, with its box in points from the page's top left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct PdfGlyph {
    /// The text, usually one scalar. A ligature has several.
    pub text: String,
    /// Left side.
    pub left: f64,
    /// Upper side.
    pub top: f64,
    /// Right side.
    pub right: f64,
    /// Lower side.
    pub bottom: f64,
}

/// Draws the pages that `is_wanted` names by their number, from 1, and returns their glyphs line by line.
///
/// # Errors
/// As for reading the document.
pub fn pdf_glyphs(
    bytes: &[u8],
    limits: &Limits,
    is_wanted: impl Fn(u32) -> bool,
) -> Result<BTreeMap<u32, Vec<PdfGlyph>>, Rejection> {
    let pdf = super::open(bytes, limits)?;
    let (cache, mut budget) = (InterpreterCache::new(), Budget::new());
    let mut found = BTreeMap::new();
    for (number, page) in (1..).zip(pdf.pages().iter()).filter(|(number, _)| is_wanted(*number)) {
        let drawn = super::draw(&pdf, page, &cache, limits, &mut budget)?;
        let glyphs = lines::in_order(&drawn.glyphs).into_iter().map(|glyph| PdfGlyph {
            text: glyph.text.clone(),
            left: glyph.x0,
            top: glyph.y - glyph.size * ASCENT,
            right: glyph.x1,
            bottom: glyph.y + glyph.size * (1.0 - ASCENT),
        });
        found.insert(number, glyphs.collect());
    }
    Ok(found)
}
