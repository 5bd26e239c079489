//! Layouts that could not be read: a document has numbers that belong to no cell. The cells that were not found are then
//! unreadable, and not missing.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use gongkai_model::{Block, Document};

use crate::{
    cell_assignment::{CellAssignment, Used},
    chapter_ranges::ChapterRanges,
    form::Form,
    glued_rows,
    read_cell::ReadCell,
    rows::{self, Item, Row},
    torn_labels,
    value::CellValue,
    vocabulary::Vocabulary,
};

/// Minimum number of numbers in a chapter's tables that belong to no cell for the layout to count as unknown. Where no
/// cell of the chapter is read, one is enough.
const FEWEST_LOOSE: usize = 3;

/// Minimum number of numbers in tables and lines of the whole document that belong to no cell for its layout to count as
/// unknown.
const FEWEST_OUTSIDE: usize = 40;

/// Minimum number of numbers of a table that may be the form's.
const FEWEST_OF_TABLE: usize = 50;

/// Minimum number of labels with numbers in the same text for the layout of all chapters to count as unknown.
const FEWEST_JOINED: usize = 6;

/// Minimum number of spaces between two pages, and minimum number of lines with text on both.
const GUTTER: &str = "        ";
const FEWEST_ON_BOTH: usize = 3;

/// Makes the cells that were not found unreadable where the document has numbers that could not be assigned. The cells of
/// chapters 二, 三 and 四 are those of `chapters`.
pub(crate) fn doubt<'a>(
    ranges: &ChapterRanges<'a>,
    chapters: [Range<usize>; 3],
    form: &Form,
    vocabulary: &Vocabulary,
    assignment: &mut CellAssignment<'a>,
) {
    let all = 0..form.cells.len();
    let [_, requests, _] = &chapters;
    doubt_second_tables(ranges, requests.clone(), assignment);
    if !assignment.is_open(all.clone()) {
        return;
    }
    let contents =
        [vec![&ranges.proactive], ranges.requests.iter().collect(), ranges.disputes.iter().collect()];
    let chapters: Vec<(Range<usize>, Contents<'_, 'a>)> = chapters
        .into_iter()
        .zip(contents)
        .map(|(cells, items)| {
            let contents = Contents::of(items, vocabulary, assignment.uses(cells.clone()));
            (cells, contents)
        })
        .collect();
    let joined: usize = chapters.iter().map(|(_, contents)| contents.joined).sum();
    for (cells, contents) in &chapters {
        let is_known = joined < FEWEST_JOINED && !contents.are_unread();
        if is_known && !assignment.is_mostly_unsure(cells.clone()) {
            continue;
        }
        if contents.used.numbers == 0 && contents.loose.len() >= FEWEST_LOOSE {
            assignment.open_blanks(cells.clone());
        }
        assignment.doubt_open(cells.clone(), contents.candidates());
    }
    let loose =
        chapters.iter().map(|(_, contents)| contents.all_loose()).sum::<usize>() + ranges.numbers_outside;
    if loose < FEWEST_OUTSIDE {
        return;
    }
    if assignment.uses(all.clone()).numbers * 2 < loose {
        assignment.open_blanks(all.clone());
    }
    assignment.doubt_open(all, &[]);
}

/// Returns true for a text of pages side by side that could not be taken apart.
pub(crate) fn has_pages_side_by_side(document: &Document) -> bool {
    let gaps = |text: &str| {
        text.trim().split(GUTTER).filter(|part| !part.trim().is_empty()).count().saturating_sub(1)
    };
    let of = |block: &Block| match block {
        Block::Paragraph(paragraph) => gaps(&paragraph.text),
        Block::Table(_) => 0,
    };
    document.blocks.iter().map(of).sum::<usize>() >= FEWEST_ON_BOTH
}

/// Makes all cells of chapter 三 unreadable if it may have two tables of the form: most rows are in both, or a table without a
/// single cell of the form has half as many numbers as the others.
fn doubt_second_tables<'a>(
    ranges: &ChapterRanges<'a>,
    cells: Range<usize>,
    assignment: &mut CellAssignment<'a>,
) {
    let mut rows = ranges.requests.iter().flatten().filter_map(|item| match item {
        Item::Row(row) => row.values.first().map(|piece| piece.table),
        Item::Line(_) | Item::Chapter(_) => None,
    });
    let first = rows.next();
    if rows.all(|table| Some(table) == first) {
        return;
    }
    let used = assignment.uses(cells.clone());
    let tables: HashSet<u32> = used.places.iter().map(|(table, _, _)| *table).collect();
    let mut others: HashMap<u32, usize> = HashMap::new();
    for item in ranges.requests.iter().flatten() {
        let Item::Row(row) = item else { continue };
        for piece in numbers(row).filter(|piece| row.spans_known && !tables.contains(&piece.table)) {
            *others.entry(piece.table).or_default() += 1;
        }
    }
    let is_other = others.values().any(|numbers| *numbers >= FEWEST_OF_TABLE && numbers * 2 >= used.numbers);
    if is_other || used.twice * 2 > cells.len() {
        assignment.doubt_read(cells);
    }
}

/// The numbers of a chapter.
struct Contents<'r, 'a> {
    used: Used,
    numbers: Vec<&'r ReadCell<'a>>,
    /// The numbers that belong to no cell.
    loose: Vec<&'r ReadCell<'a>>,
    /// Number of lines outside of tables that contain only a number.
    lines: usize,
    /// Number of labels with numbers in the same text.
    joined: usize,
    /// Number of numbers in cells that have the text of many cells.
    in_texts: usize,
    has_geometry: bool,
    /// True if a row without a label has loose numbers.
    has_loose_row: bool,
}

impl<'r, 'a> Contents<'r, 'a> {
    fn of(items: Vec<&'r Vec<Item<'a>>>, vocabulary: &Vocabulary, used: Used) -> Self {
        let joins = |label: &&str| vocabulary.has_number_behind(label);
        let joined = rows::labels(items.iter().copied().flatten()).into_iter().filter(joins).count();
        let lines = items.iter().map(|items| rows::lines_of_numbers(items)).sum();
        let rows: Vec<&'r Row<'a>> = items
            .into_iter()
            .flatten()
            .filter_map(|item| match item {
                Item::Row(row) => Some(row),
                Item::Line(_) | Item::Chapter(_) => None,
            })
            .collect();
        let is_loose = |piece: &&'r ReadCell<'a>| !used.places.contains(&piece.place());
        let numbers: Vec<&'r ReadCell<'a>> = rows.iter().flat_map(|row| numbers(row)).collect();
        let loose = numbers.iter().copied().filter(is_loose).collect();
        let mut unlabelled = rows.iter().filter(|row| row.spans_known && torn_labels::is_unlabelled(row));
        let has_loose_row = unlabelled.any(|row| self::numbers(row).any(|piece| is_loose(&piece)));
        Self {
            numbers,
            loose,
            lines,
            joined,
            in_texts: rows.iter().map(|row| rows::numbers_in_text(row)).sum(),
            has_geometry: rows.iter().any(|row| row.spans_known),
            has_loose_row,
            used,
        }
    }

    /// Returns true if the chapter has numbers that its cells do not explain.
    fn are_unread(&self) -> bool {
        let fewest = if self.used.cells == 0 { 1 } else { FEWEST_LOOSE };
        let spare = if self.has_geometry { FEWEST_LOOSE } else { 1 };
        self.joined > 0
            || self.lines >= fewest
            || self.loose.len() >= fewest
            || self.numbers.len() >= self.used.cells + spare
            || self.numbers.iter().any(|piece| glued_rows::are_in(piece))
            || self.has_loose_row
    }

    fn all_loose(&self) -> usize {
        self.lines + self.loose.len() + self.in_texts
    }

    fn candidates(&self) -> &[&'r ReadCell<'a>] {
        if self.loose.is_empty() { &self.numbers } else { &self.loose }
    }
}

fn numbers<'r, 'a>(row: &'r Row<'a>) -> impl Iterator<Item = &'r ReadCell<'a>> {
    row.values.iter().filter(|piece| is_number(piece))
}

/// Returns true for a number, also for one that cannot be read, such as the digits of several cells run together.
fn is_number(piece: &ReadCell<'_>) -> bool {
    let is_broken = || piece.cell.text.trim_start().starts_with(|c: char| c.is_ascii_digit());
    match piece.value {
        CellValue::Number(..) => true,
        CellValue::Text => is_broken(),
        CellValue::Blank | CellValue::NotApplicable => false,
    }
}
