//! Numbers that a layout tore out of their rows, back into rows that are one cell short.
//!
//! A cell of two lines, such as `55⏎（含自然失效 29 件）`, may be printed above its table while its row closes up. Which row
//! it comes from is known by order; in which column it stood only if its note says so, or if it makes no difference.

use crate::{
    form::Band,
    rows::{Item, Piece, Row},
    value::Value,
};

/// Words of a note that speak of one column, by words of the column's title.
const WORDS: [(&str, &[&str]); 3] =
    [("制发", &["制发", "新制定", "新制发"]), ("废止", &["废止", "失效"]), ("有效", &["现行有效"])];

/// What is known of one cell of a row that was one cell short.
pub(crate) enum Completed<'r, 'a> {
    /// Wherever the stray stood, this is the value.
    Sure(&'r Piece<'a>),
    /// One of these.
    OneOf(Vec<&'r Piece<'a>>),
}

/// The numbers with notes that stand in no row of the form; absent if something else stands there as well.
pub(crate) fn find<'r, 'a>(
    items: &'r [Item<'a>],
    is_row: impl Fn(&Row<'a>) -> bool,
) -> Option<Vec<&'r Piece<'a>>> {
    let mut strays = Vec::new();
    for item in items {
        let Item::Row(row) = item else { continue };
        if !is_row(row) {
            strays.extend(row.values.iter().filter(|piece| piece.value != Value::Blank));
        }
    }
    let torn = |piece: &&Piece<'a>| matches!(piece.value, Value::Number(..)) && piece.note.is_some();
    strays.iter().all(torn).then_some(strays)
}

/// The cells of a row that is one cell short, given the stray that is its own.
pub(crate) fn complete<'r, 'a>(
    row: &'r Row<'a>,
    stray: &'r Piece<'a>,
    band: &Band,
) -> Vec<Completed<'r, 'a>> {
    let wanted = band.columns.len();
    let places: Vec<usize> = match noted(stray, band) {
        Some(column) => vec![column],
        None => (0..wanted).collect(),
    };
    let cell = |column: usize, place: usize| match column.cmp(&place) {
        std::cmp::Ordering::Less => row.values.get(column),
        std::cmp::Ordering::Equal => Some(stray),
        std::cmp::Ordering::Greater => row.values.get(column - 1),
    };
    let of_column = |column: usize| {
        let found: Vec<&Piece<'a>> = places.iter().filter_map(|place| cell(column, *place)).collect();
        match found.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other.value == first.value) => {
                Completed::Sure(first)
            }
            _ => Completed::OneOf(found),
        }
    };
    (0..wanted).map(of_column).collect()
}

/// The one column that the stray's note speaks of.
fn noted(stray: &Piece<'_>, band: &Band) -> Option<usize> {
    let note = &stray.note?.text;
    let speaks = |title: &str| {
        WORDS.iter().any(|(of, words)| title.contains(of) && words.iter().any(|word| note.contains(word)))
    };
    let mut named =
        band.columns.iter().enumerate().filter(|(_, column)| speaks(&column.label.text)).map(|(at, _)| at);
    named.next().filter(|_| named.next().is_none())
}
