//! A page with marks: the page as it is, with a list at its beginning and marks in its text.
//!
//! `scan` finds where text can hold a mark. Nothing of the page is changed or removed; scripts stay in the copy, and the
//! copy forbids them to run.

mod encode;
mod scan;
#[cfg(test)]
mod tests;

use std::ops::Range;

use gongkai_extract::OriginalText;
use gongkai_model::MediaType;

use self::scan::PageScan;
use crate::{
    list,
    marked_copy::MarkedCopy,
    places::{self, TextMark},
    search,
    sheet::RemarkSheet,
    weave::{InsertionKind, Insertions, Landing},
};

/// Returns the copy, in the charset of the page.
pub(crate) fn annotate(original: &OriginalText, sheet: &RemarkSheet) -> MarkedCopy {
    let (text, charset) = (original.text.as_str(), if sheet.in_utf8 { "utf-8" } else { original.charset });
    let page = PageScan::of(text);
    let marks: Vec<(TextMark, Landing)> = places::of_text(text, sheet)
        .into_iter()
        .filter_map(|mark| landing(text, &page, &mark).map(|landing| (mark, landing)))
        .collect();
    let mut insertions = Insertions::default();
    let counts = insertions.marks(&marks, sheet);
    insertions.push(page.prologue, InsertionKind::Block, list::prologue(charset));
    insertions.push(page.content.max(page.prologue), InsertionKind::Block, list::section(sheet, &counts));
    let woven = insertions.weave(text, |piece, woven| woven.push_str(piece));
    MarkedCopy { bytes: encode::encode(&woven, charset, original.has_mark), media_type: MediaType::Html }
}

/// Returns where a mark goes, or `None` if nothing there can hold it.
fn landing(text: &str, page: &PageScan, mark: &TextMark) -> Option<Landing> {
    let mut pieces = page.pieces_in(text, &mark.range);
    if let Some(narrowed) = narrowed(text, &pieces, &mark.words) {
        pieces = page.pieces_in(text, &narrowed);
    }
    match pieces.last() {
        Some(last) => {
            let reference = last.end;
            let can_link = page.can_link(last.start);
            Some(Landing { pieces, reference, can_link })
        }
        None => {
            let reference = page.gap_in(&mark.range)?;
            Some(Landing { pieces, reference, can_link: page.can_link(reference) })
        }
    }
}

/// Returns the part of the pieces that contains these words, or `None` if they are not there as they are quoted.
fn narrowed(text: &str, pieces: &[Range<usize>], words: &str) -> Option<Range<usize>> {
    let chars = pieces.iter().flat_map(|piece| {
        let own = text.get(piece.clone()).unwrap_or_default().char_indices();
        own.map(|(at, c)| (piece.start + at, c))
    });
    let chars: Vec<(usize, char)> = chars.collect();
    let plain: Vec<char> = chars.iter().map(|(_, c)| *c).collect();
    let (first, last) = search::find(&plain, words, 0)?;
    let (first, last) = (chars.get(first)?, chars.get(last)?);
    Some(first.0..last.0 + last.1.len_utf8())
}
