//! A report as a binary Word file: a compound file of two streams, one piece of text, pages of paragraph properties.

use super::{
    Table,
    layout::Part,
    placed::{self, Placed},
};

const SECTOR: usize = 512;

/// Minimum length of a stream. Shorter ones would be stored as small streams.
const CUTOFF: usize = 4096;

/// Where the text begins in its stream.
const TEXT: usize = 1024;

/// Properties of a paragraph in a table that ends a row.
const IN_TABLE: [u8; 3] = [0x16, 0x24, 1];
const ENDS_ROW: [u8; 3] = [0x17, 0x24, 1];

/// Distance between two columns in twentieths of a point.
const STEP: usize = 560;

/// A paragraph: its text with the mark at its end, and its properties.
struct Paragraph {
    text: Vec<u16>,
    changes: Vec<u8>,
}

pub(crate) fn write(parts: &[Part<'_>]) -> Vec<u8> {
    let mut paragraphs = Vec::new();
    for part in parts {
        match part {
            Part::Line(line) => {
                let text = format!("{line}\r").encode_utf16().collect();
                paragraphs.push(Paragraph { text, changes: Vec::new() });
            }
            Part::Table(table) => push_table(&mut paragraphs, table),
        }
    }
    let (word, tables) = streams(&paragraphs);
    compound_file(&[("WordDocument", word), ("1Table", tables)])
}

fn push_table(paragraphs: &mut Vec<Paragraph>, table: &Table) {
    for row in placed::rows(table) {
        for placed in &row {
            let text = placed.cell.map_or("", |cell| &cell.text);
            let text = format!("{text}\u{7}").encode_utf16().collect();
            paragraphs.push(Paragraph { text, changes: IN_TABLE.to_vec() });
        }
        let mut changes = [IN_TABLE, ENDS_ROW].concat();
        changes.extend(shape(&row));
        paragraphs.push(Paragraph { text: vec![7], changes });
    }
}

/// Returns the edges and merges of a row's cells.
fn shape(row: &[Placed<'_>]) -> Vec<u8> {
    let mut operand = vec![u8::try_from(row.len()).unwrap()];
    let ends = row.iter().map(|placed| placed.column + placed.columns);
    for edge in std::iter::once(0).chain(ends) {
        operand.extend(u16::try_from(edge * STEP).unwrap().to_le_bytes());
    }
    for placed in row {
        let merge: u16 = match placed.cell {
            None => 1 << 5,
            Some(cell) if cell.rows > 1 => 3 << 5,
            Some(_) => 0,
        };
        operand.extend(merge.to_le_bytes());
        operand.extend([0; 18]);
    }
    let length = u16::try_from(operand.len() + 1).unwrap().to_le_bytes();
    [&[0x08, 0xd6][..], &length, &operand].concat()
}

/// Returns the stream of the text with its header, and that of the tables.
fn streams(paragraphs: &[Paragraph]) -> (Vec<u8>, Vec<u8>) {
    let mut word = vec![0; TEXT];
    let mut offsets = vec![TEXT];
    for paragraph in paragraphs {
        word.extend(paragraph.text.iter().flat_map(|unit| unit.to_le_bytes()));
        offsets.push(word.len());
    }
    let characters = number((word.len() - TEXT) / 2);
    let pages = pages(paragraphs, &offsets);
    word.resize(word.len().next_multiple_of(SECTOR), 0);
    let first_page = word.len() / SECTOR;

    let mut pieces = vec![2];
    pieces.extend(number(16));
    pieces.extend([number(0), characters].concat());
    pieces.extend([0, 0]);
    pieces.extend(number(TEXT));
    pieces.extend([0, 0]);
    let mut bounds: Vec<u8> = pages.iter().flat_map(|(from, _, _)| number(*from)).collect();
    bounds.extend(number(*offsets.last().unwrap()));
    bounds.extend((0..pages.len()).flat_map(|at| number(first_page + at)));
    let empty = number(0).to_vec();

    let mut tables = Vec::new();
    for (pair, table) in [(12, empty), (13, bounds), (33, pieces)] {
        let at = 154 + pair * 8;
        word[at..at + 4].copy_from_slice(&number(tables.len()));
        word[at + 4..at + 8].copy_from_slice(&number(table.len()));
        tables.extend(table);
    }
    word[0..4].copy_from_slice(&[0xec, 0xa5, 0xc1, 0]);
    word[10..12].copy_from_slice(&0x0200_u16.to_le_bytes());
    word[32] = 14;
    word[62] = 22;
    word[76..80].copy_from_slice(&characters);
    word[152] = 93;
    word.extend(pages.into_iter().flat_map(|(_, _, page)| page));
    (word, tables)
}

/// Returns the pages of properties: the offsets of their first and after their last paragraph, and their bytes.
fn pages(paragraphs: &[Paragraph], offsets: &[usize]) -> Vec<(usize, usize, Vec<u8>)> {
    let mut pages = Vec::new();
    let mut first = 0;
    while first < paragraphs.len() {
        let mut page = vec![0; SECTOR];
        let mut low = SECTOR - 1;
        let mut entries: Vec<u8> = Vec::new();
        for paragraph in &paragraphs[first..] {
            // The list contains the number of the style, then the changes, in words.
            let mut list = [&[0, 0][..], &paragraph.changes].concat();
            list.resize(list.len().next_multiple_of(2), 0);
            let begin = low.saturating_sub(list.len() + 2) & !1;
            if begin <= (entries.len() + 2) * 17 + 8 {
                break;
            }
            page[begin + 1] = u8::try_from(list.len() / 2).unwrap();
            page[begin + 2..begin + 2 + list.len()].copy_from_slice(&list);
            entries.push(u8::try_from(begin / 2).unwrap());
            low = begin;
        }
        assert!(!entries.is_empty(), "a paragraph's properties fit on a page");
        let last = first + entries.len();
        for (at, offset) in offsets[first..=last].iter().enumerate() {
            page[at * 4..at * 4 + 4].copy_from_slice(&number(*offset));
        }
        for (at, entry) in entries.iter().enumerate() {
            page[(entries.len() + 1) * 4 + at * 13] = *entry;
        }
        page[SECTOR - 1] = u8::try_from(entries.len()).unwrap();
        pages.push((offsets[first], offsets[last], page));
        first = last;
    }
    pages
}

fn compound_file(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    let padded: Vec<(&str, Vec<u8>)> = streams
        .iter()
        .map(|(name, stream)| {
            let mut stream = stream.clone();
            stream.resize(stream.len().max(CUTOFF).next_multiple_of(SECTOR), 0);
            (*name, stream)
        })
        .collect();
    let content: usize = padded.iter().map(|(_, stream)| stream.len() / SECTOR).sum();
    let tables = (content + 1).div_ceil(SECTOR / 4 - 1);
    let mut next: Vec<u32> = vec![0xffff_fffd; tables];
    next.push(END);
    let mut directory = entry("Root Entry", 5, END, 0);
    let mut sectors: Vec<u8> = Vec::new();
    for (name, stream) in &padded {
        let first = next.len();
        let count = stream.len() / SECTOR;
        next.extend((1..count).map(|at| u32::try_from(first + at).unwrap()));
        next.push(END);
        directory.extend(entry(name, 2, u32::try_from(first).unwrap(), stream.len()));
        sectors.extend(stream);
    }
    next.resize(tables * SECTOR / 4, 0xffff_ffff);
    directory.resize(SECTOR, 0);

    let mut file = vec![0xff; SECTOR];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    file[8..76].fill(0);
    file[24..32].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0]);
    file[32] = 6;
    file[44..48].copy_from_slice(&number(tables));
    file[48..52].copy_from_slice(&number(tables));
    file[56..60].copy_from_slice(&number(CUTOFF));
    file[60..64].copy_from_slice(&END.to_le_bytes());
    file[68..72].copy_from_slice(&END.to_le_bytes());
    for at in 0..tables {
        file[76 + at * 4..80 + at * 4].copy_from_slice(&number(at));
    }
    file.extend(next.iter().flat_map(|sector| sector.to_le_bytes()));
    file.extend(directory);
    file.extend(sectors);
    file
}

fn entry(name: &str, kind: u8, first: u32, length: usize) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bytes = u8::try_from(entry.len() + 2).unwrap();
    entry.resize(128, 0);
    entry[64] = bytes;
    entry[66] = kind;
    entry[67] = 1;
    entry[68..80].fill(0xff);
    entry[116..120].copy_from_slice(&first.to_le_bytes());
    entry[120..124].copy_from_slice(&number(length));
    entry
}

fn number(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap().to_le_bytes()
}
