//! DOC: turns the binary files of WPS and Word 97 to 2003 into paragraphs and grids.
//!
//! A compound file (`cfb`) contains a stream whose header (`fib`) gives the positions of the pieces of text. Pages of
//! properties (`props`) determine which paragraphs end cells and rows, and the positions of the cells of a row.
//! Footnotes, headers and comments are texts of their own and are not read; text boxes come last.

mod body;
mod bytes;
mod cfb;
mod fib;
mod props;
mod table;
#[cfg(test)]
mod tests;

use gongkai_model::{Block, Rejection, RejectionCode};

use self::{
    body::DocBuilder,
    cfb::CompoundFile,
    fib::{FibHeader, Piece},
    props::{Character, PropertyRun},
};
use crate::{limits::Limits, reject};

/// Reads a file.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let corrupt = || reject::corrupt("DOC");
    let file = CompoundFile::open(bytes).ok_or_else(corrupt)?;
    let word = file.stream("WordDocument").ok_or_else(corrupt)?;
    let header = FibHeader::read(&word).ok_or_else(corrupt)?;
    if header.is_locked {
        return Err(reject::encrypted("DOC"));
    }
    if header.is_old {
        return Err(too_old());
    }
    let tables = file.stream(header.tables).ok_or_else(corrupt)?;
    let data = file.stream("Data").unwrap_or_default();
    let pieces = header.pieces(&word, &tables).ok_or_else(corrupt)?;
    let pages = header.paragraph_pages(&word, &tables).ok_or_else(corrupt)?;
    let paragraphs = props::paragraphs(&word, &pages, &data);
    let pages = header.character_pages(&word, &tables).ok_or_else(corrupt)?;
    let characters = props::characters(&word, &pages);
    let mut body = DocBuilder::new(&paragraphs, limits);
    for range in header.texts() {
        read_text(&word, &pieces, range, &characters, &mut body)?;
    }
    Ok(body.finish())
}

/// Reads the characters of one text.
fn read_text(
    word: &[u8],
    pieces: &[Piece],
    range: std::ops::Range<usize>,
    characters: &[PropertyRun<Character>],
    body: &mut DocBuilder<'_>,
) -> Result<(), Rejection> {
    let mut begun = 0_usize;
    let mut run: Option<&PropertyRun<Character>> = None;
    let mut high = None;
    for piece in pieces {
        let end = begun.saturating_add(piece.length);
        let inside = range.start.max(begun)..range.end.min(end);
        for position in inside {
            let index = position - begun;
            let width = if piece.is_narrow { 1 } else { 2 };
            let place = index.checked_mul(width).and_then(|at| at.checked_add(piece.offset));
            let unit = place.and_then(|at| unit_at(word, at, piece.is_narrow));
            let (Some(offset), Some(unit)) = (place, unit) else { return Err(reject::corrupt("DOC")) };
            if !run.is_some_and(|run| run.holds(offset)) {
                run = props::at(characters, offset);
            }
            let is = run.map_or(Character::default(), |run| run.value);
            if let Some(c) = decoded(unit, &mut high) {
                body.character(c, offset, is)?;
            }
        }
        begun = end;
    }
    body.end_text()
}

fn unit_at(word: &[u8], at: usize, is_narrow: bool) -> Option<u16> {
    if !is_narrow {
        return bytes::u16_at(word, at);
    }
    let byte = bytes::u8_at(word, at)?;
    if byte.is_ascii() {
        return Some(byte.into());
    }
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(std::slice::from_ref(&byte));
    text.chars().next().and_then(|c| u16::try_from(u32::from(c)).ok())
}

/// Decodes a UTF-16 unit. The first half of a pair waits in `high` for the second.
fn decoded(unit: u16, high: &mut Option<u16>) -> Option<char> {
    match (high.take(), unit) {
        (_, 0xd800..0xdc00) => {
            *high = Some(unit);
            None
        }
        (Some(first), 0xdc00..0xe000) => char::decode_utf16([first, unit]).next()?.ok(),
        (_, unit) => Some(char::from_u32(unit.into()).unwrap_or('\u{fffd}')),
    }
}

fn too_old() -> Rejection {
    Rejection::new(
        RejectionCode::UnsupportedFormat,
        "Word 95 或更早版本的 DOC 文件无法读取；请另存为 DOCX 后提交",
        "a DOC file of Word 95 or older is not read; save it as DOCX",
    )
}
