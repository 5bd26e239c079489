//! Puts numbers that a layout moved out of their row back into rows that are one cell short.
//!
//! A cell of two lines, such as `55⏎（含自然失效 29 件）`, may be printed above its table while the other cells of its row
//! close the gap. The order of the displaced cells determines the row. The column is known only if the cell's note
//! names it or if every column leads to the same values.

use crate::{
    form::Band,
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Words of a note that identify a column, by a word of the column's title.
const WORDS: [(&str, &[&str]); 3] =
    [("制发", &["制发", "新制定", "新制发"]), ("废止", &["废止", "失效"]), ("有效", &["现行有效"])];

/// One cell of a completed row.
pub(crate) enum Completed<'r, 'a> {
    /// The value is the same for every possible column of the displaced cell.
    Sure(&'r ReadCell<'a>),
    /// The possible values.
    OneOf(Vec<&'r ReadCell<'a>>),
}

/// Returns the numbers with notes that are outside the rows of the form; `None` if any other value is outside of them.
pub(crate) fn find<'r, 'a>(
    items: &'r [Item<'a>],
    is_row: impl Fn(&Row<'a>) -> bool,
) -> Option<Vec<&'r ReadCell<'a>>> {
    let mut displaced = Vec::new();
    for item in items {
        let Item::Row(row) = item else { continue };
        if !is_row(row) {
            displaced.extend(row.values.iter().filter(|piece| piece.value != CellValue::Blank));
        }
    }
    let torn = |piece: &&ReadCell<'a>| matches!(piece.value, CellValue::Number(..)) && piece.note.is_some();
    displaced.iter().all(torn).then_some(displaced)
}

/// Returns the cells of a row that is one cell short, completed with its displaced cell.
pub(crate) fn complete<'r, 'a>(
    row: &'r Row<'a>,
    displaced: &'r ReadCell<'a>,
    band: &Band,
) -> Vec<Completed<'r, 'a>> {
    let wanted = band.columns.len();
    let places: Vec<usize> = match noted(displaced, band) {
        Some(column) => vec![column],
        None => (0..wanted).collect(),
    };
    let cell = |column: usize, place: usize| match column.cmp(&place) {
        std::cmp::Ordering::Less => row.values.get(column),
        std::cmp::Ordering::Equal => Some(displaced),
        std::cmp::Ordering::Greater => row.values.get(column - 1),
    };
    let of_column = |column: usize| {
        let found: Vec<&ReadCell<'a>> = places.iter().filter_map(|place| cell(column, *place)).collect();
        match found.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other.value == first.value) => {
                Completed::Sure(first)
            }
            _ => Completed::OneOf(found),
        }
    };
    (0..wanted).map(of_column).collect()
}

/// Returns the column that the displaced cell's note names, or `None` if it names none or several.
fn noted(displaced: &ReadCell<'_>, band: &Band) -> Option<usize> {
    let note = &displaced.note?.text;
    let speaks = |title: &str| {
        WORDS.iter().any(|(of, words)| title.contains(of) && words.iter().any(|word| note.contains(word)))
    };
    let mut named =
        band.columns.iter().enumerate().filter(|(_, column)| speaks(&column.label.text)).map(|(at, _)| at);
    named.next().filter(|_| named.next().is_none())
}
