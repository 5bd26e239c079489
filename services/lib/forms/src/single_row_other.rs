//! The variant of the 2021 form in which （六）其他处理 has one row, without children.

use gongkai_model::{Block, Document};

use crate::{
    chapter_ranges::ChapterRanges,
    index::RequestIndex,
    rows::{self, Item, Row},
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Returns true if the document follows this variant. `standard` and `single` are the rows of both.
pub(crate) fn is_in(
    document: &Document,
    ranges: &ChapterRanges<'_>,
    standard: &RequestIndex,
    single: &RequestIndex,
) -> bool {
    !ranges.requests.iter().any(|range| has_more_rows(range, single))
        && (has_one_row(ranges, standard, single) || lacks_children(document))
}

/// Returns true if rows of numbers without a label follow that of （六）其他处理 in its table: its children, whose labels are
/// lost.
fn has_more_rows(range: &[Item<'_>], single: &RequestIndex) -> bool {
    let rows = range.iter().filter_map(|item| match item {
        Item::Row(row) if row.spans_known => Some(row),
        _ => None,
    });
    let is_full = |row: &Row<'_>| row.filled().nth(COLUMNS - 1).is_some();
    let table = |row: &Row<'_>| row.values.first().map(|piece| piece.table);
    let is_other = |row: &Row<'_>| row.labels.iter().any(|piece| piece.label == "其他处理") && is_full(row);
    let mut from_other = rows.skip_while(|row| !is_other(row));
    let Some(other) = from_other.next() else { return false };
    let is_named = |row: &Row<'_>| row.labels.last().is_some_and(|own| single.exact(&own.label).is_some());
    let mut behind = from_other.take_while(|row| table(row) == table(other) && !is_named(row));
    behind.any(|row| is_full(row) && row.labels.iter().all(|piece| piece.label.is_empty()))
}

/// Returns true if no child of （六） occurs, and either （六） has values in a row of its own, or the number of rows
/// or row labels is that of the form without the children.
fn has_one_row(ranges: &ChapterRanges<'_>, standard: &RequestIndex, single: &RequestIndex) -> bool {
    let with_values = |item: &&Item<'_>| match item {
        Item::Row(row) => row.values.len() >= COLUMNS && !standard.is_header(row),
        _ => false,
    };
    let as_many = |range: &Vec<Item<'_>>| range.iter().filter(with_values).count() == single.rows();
    let mut one_row = ranges.requests.iter().any(as_many);
    for item in ranges.requests.iter().flatten() {
        match item {
            Item::Row(row) => {
                let own = row.labels.last();
                let other = own.is_some_and(|own| {
                    single.exact(&own.label).is_some() && standard.exact(&own.label).is_none()
                });
                let other = other || own.is_some_and(|own| is_other_with_more(&own.label, single));
                let bracketed = own.is_some_and(|own| {
                    own.label == "其他" && own.cell.text.trim_start().starts_with(['（', '('])
                });
                one_row |= (other || bracketed) && !row.values.is_empty();
                // 3.其他 is the last of the children.
                let is_child =
                    own.is_some_and(|own| own.label == "其他" && own.cell.text.trim_start().starts_with('3'));
                if is_child && row.filled().next().is_some() {
                    return false;
                }
                let has_values = row.values.iter().any(|piece| piece.value != CellValue::Blank);
                let child = |label: &str| {
                    // A number may stand right behind the label.
                    let name = label.trim_end_matches(|c: char| c.is_ascii_digit());
                    standard.is_only_here(name, single) && !(has_values && bracketed)
                };
                if row.labels.iter().any(|piece| child(&piece.label)) {
                    return false;
                }
            }
            Item::Line(text) if standard.is_only_here(text, single) => return false,
            Item::Line(text) => one_row |= is_other_with_more(text, single),
            _ => {}
        }
    }
    one_row || names_all_rows(ranges, single)
}

/// Returns true if the document names （六）其他处理 and the children of （五）, and has no word of the names of its own
/// children.
fn lacks_children(document: &Document) -> bool {
    let texts = || {
        document.blocks.iter().flat_map(|block| match block {
            Block::Paragraph(paragraph) => vec![paragraph.text.as_str()],
            Block::Table(grid) => grid.cells.iter().map(|cell| cell.text.as_str()).collect(),
        })
    };
    let has = |word: &str| texts().any(|text| text.contains(word));
    !has("逾期") && has("其他处理") && has("信访举报")
}

/// Returns true for the label （六）其他处理 with the titles of groups before it, or with numbers behind it, in one text.
fn is_other_with_more(label: &str, single: &RequestIndex) -> bool {
    let name = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let name = name.trim_start_matches("本年度办理结果").trim_start_matches('六');
    name.len() < label.len() && name == "其他处理" && single.exact(name).is_some()
}

/// Returns true if the document has the labels of all rows, except for at most one, which may be misprinted.
fn names_all_rows(ranges: &ChapterRanges<'_>, single: &RequestIndex) -> bool {
    let labels = rows::labels(ranges.requests.iter().flatten());
    let named = (0..single.rows()).filter(|row| labels.iter().any(|label| single.names(*row, label)));
    named.count() + 1 >= single.rows()
}
