//! The header of a Word stream: the positions of the text and of its properties.

use super::{
    bytes::{size_at, slice, u8_at, u16_at, u32_at},
    props::PAGE,
};

/// The first version with Unicode: Word 97, and everything that WPS writes.
const WORD_97: u16 = 0x00c1;

/// Index of a pair (offset, length) in the header's list.
const CHARACTER_PAGES: usize = 12;
const PARAGRAPH_PAGES: usize = 13;
const PIECES: usize = 33;

/// The content of the header.
#[derive(Debug)]
pub(super) struct FibHeader {
    pub(super) is_locked: bool,
    pub(super) is_old: bool,
    /// The stream with the tables: `0Table` or `1Table`.
    pub(super) tables: &'static str,
    /// Lengths of main text, footnotes, headers, macros, comments, endnotes, text boxes, in characters.
    lengths: [usize; 7],
    pairs: usize,
}

/// A sequence of characters that are stored contiguously.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Number of characters.
    pub(super) length: usize,
    /// Offset of the first character in the Word stream.
    pub(super) offset: usize,
    /// True for one byte per character, in Windows-1252; otherwise two.
    pub(super) is_narrow: bool,
}

impl FibHeader {
    pub(super) fn read(word: &[u8]) -> Option<Self> {
        let flags = u16_at(word, 10).filter(|_| u16_at(word, 0) == Some(0xa5ec))?;
        let words = usize::from(u16_at(word, 32)?);
        let longs_at = 34 + words * 2;
        let longs = usize::from(u16_at(word, longs_at)?);
        let mut lengths = [0; 7];
        for (index, length) in lengths.iter_mut().enumerate() {
            *length = size_at(word, longs_at + 2 + (3 + index) * 4)?;
        }
        Some(Self {
            is_locked: flags & 0x0100 != 0,
            is_old: u16_at(word, 2)? < WORD_97,
            tables: if flags & 0x0200 == 0 { "0Table" } else { "1Table" },
            lengths,
            pairs: longs_at + 2 + longs * 4 + 2,
        })
    }

    /// Returns the range of the main text and that of the text boxes, in characters.
    pub(super) fn texts(&self) -> [std::ops::Range<usize>; 2] {
        let main = self.lengths[0];
        let boxes = self.lengths[..6].iter().fold(0, |sum: usize, length| sum.saturating_add(*length));
        [0..main, boxes..boxes.saturating_add(self.lengths[6])]
    }

    /// Returns the pieces of all texts, in the order of their characters.
    pub(super) fn pieces(&self, word: &[u8], tables: &[u8]) -> Option<Vec<Piece>> {
        let mut list = self.table(word, tables, PIECES)?;
        while u8_at(list, 0)? == 1 {
            // These are properties of pieces, which Word's fast save writes.
            list = list.get(3 + usize::from(u16_at(list, 1)?)..)?;
        }
        let length = size_at(list, 1).filter(|_| list[0] == 2)?;
        let plc = slice(list, 5, length)?;
        let count = plc.len().checked_sub(4)? / 12;
        let mut pieces = Vec::with_capacity(count);
        for index in 0..count {
            let (first, last) = (size_at(plc, index * 4)?, size_at(plc, index * 4 + 4)?);
            let place = u32_at(plc, (count + 1) * 4 + index * 8 + 2)?;
            let (offset, is_narrow) = (usize::try_from(place & 0x3fff_ffff).ok()?, place & 0x4000_0000 != 0);
            let offset = if is_narrow { offset / 2 } else { offset };
            pieces.push(Piece { length: last.checked_sub(first)?, offset, is_narrow });
        }
        // Pieces share no characters, so their total length is at most that of the stream.
        let together = pieces.iter().fold(0, |sum: usize, piece| sum.saturating_add(piece.length));
        Some(pieces).filter(|_| together <= word.len())
    }

    /// Returns the numbers of the pages with the characters' properties.
    pub(super) fn character_pages(&self, word: &[u8], tables: &[u8]) -> Option<Vec<usize>> {
        page_numbers(self.table(word, tables, CHARACTER_PAGES)?, word)
    }

    /// Returns the numbers of the pages with the paragraphs' properties.
    pub(super) fn paragraph_pages(&self, word: &[u8], tables: &[u8]) -> Option<Vec<usize>> {
        page_numbers(self.table(word, tables, PARAGRAPH_PAGES)?, word)
    }

    fn table<'t>(&self, word: &[u8], tables: &'t [u8], index: usize) -> Option<&'t [u8]> {
        let at = self.pairs + index * 8;
        slice(tables, size_at(word, at)?, size_at(word, at + 4)?)
    }
}

/// Returns the pages that a table lists, or `None` if there are more than the stream has.
fn page_numbers(plc: &[u8], word: &[u8]) -> Option<Vec<usize>> {
    let count = plc.len().checked_sub(4).map(|length| length / 8)?;
    if count > word.len() / PAGE {
        return None;
    }
    (0..count)
        .map(|index| usize::try_from(u32_at(plc, (count + 1) * 4 + index * 4)? & 0x003f_ffff).ok())
        .collect()
}
