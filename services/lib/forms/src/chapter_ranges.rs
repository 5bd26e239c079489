//! Splits a document into the parts that contain the tables of chapters 二, 三 and 四.
//!
//! A part begins with the chapter's heading, or with a column header or row label that only one chapter's table has.

use crate::{
    index::RequestIndex,
    rows::{Item, Row},
    stated_units,
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// The content of chapters 二, 三 and 四, in document order.
#[derive(Debug, Default)]
pub(crate) struct ChapterRanges<'a> {
    /// All of chapter 二.
    pub proactive: Vec<Item<'a>>,
    /// Each table of chapter 三.
    pub requests: Vec<Vec<Item<'a>>>,
    /// Each table of chapter 四.
    pub disputes: Vec<Vec<Item<'a>>>,
    /// Number of numbers in tables and lines outside of these chapters.
    pub numbers_outside: usize,
}

/// The chapter whose content is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenChapter {
    Other,
    Proactive,
    Requests,
    Disputes,
}

/// Assigns every item to the chapter it belongs to. Items outside chapters 二 to 四 are dropped.
pub(crate) fn cut<'a>(items: Vec<Item<'a>>, index: &RequestIndex) -> ChapterRanges<'a> {
    let mut out = ChapterRanges::default();
    let mut current = OpenChapter::Other;
    // True behind the heading of chapter 五 or 六, whose tables are not those of the form.
    let mut behind = false;
    // A line of units right before the table, where the chapter has no heading.
    let mut above: Option<Item<'a>> = None;
    for item in items {
        if let Item::Chapter(number) = &item {
            behind = *number > 4;
        }
        let closed =
            behind && !(out.proactive.is_empty() || out.requests.is_empty() || out.disputes.is_empty());
        let next = match &item {
            Item::Chapter(2) => OpenChapter::Proactive,
            Item::Chapter(3) => OpenChapter::Requests,
            Item::Chapter(4) => OpenChapter::Disputes,
            Item::Chapter(_) => OpenChapter::Other,
            Item::Line(_) | Item::Row(_) if closed => current,
            Item::Line(text) => chapter_of_line(text).unwrap_or(current),
            Item::Row(row) => chapter_of_row(row, index).unwrap_or(current),
        };
        let heading = matches!(item, Item::Chapter(_));
        match next {
            OpenChapter::Requests
                if next != current || heading || begins_again(&item, out.requests.last(), index) =>
            {
                out.requests.push(Vec::new());
            }
            OpenChapter::Disputes if next != current || heading => out.disputes.push(Vec::new()),
            _ => {}
        }
        current = next;
        let range = match current {
            OpenChapter::Other => None,
            OpenChapter::Proactive => Some(&mut out.proactive),
            OpenChapter::Requests => out.requests.last_mut(),
            OpenChapter::Disputes => out.disputes.last_mut(),
        };
        match range {
            Some(range) => range.extend(above.take().into_iter().chain([item])),
            None => {
                out.numbers_outside += numbers(&item);
                let is_units = matches!(&item, Item::Line(text) if stated_units::are_in(text));
                above = is_units.then_some(item);
            }
        }
    }
    out
}

/// Returns the number of numbers in an item. A line is one if it has nothing else.
fn numbers(item: &Item<'_>) -> usize {
    match item {
        Item::Row(row) => row.values.iter().filter(|p| matches!(p.value, CellValue::Number(..))).count(),
        Item::Line(text) => usize::from(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())),
        Item::Chapter(_) => 0,
    }
}

fn chapter_of_row(row: &Row<'_>, index: &RequestIndex) -> Option<OpenChapter> {
    // A row's own label is its last; the labels before it belong to the column header.
    row.labels.iter().rev().find_map(|piece| {
        let label = piece.label.as_str();
        let band = label.starts_with("第二十条第")
            || matches!(label, "信息内容" | "规章" | "行政许可" | "行政处罚" | "行政强制" | "行政事业性收费");
        if band {
            return Some(OpenChapter::Proactive);
        }
        chapter_of_label(label).or_else(|| (index.exact(label) == Some(0)).then_some(OpenChapter::Requests))
    })
}

fn chapter_of_label(label: &str) -> Option<OpenChapter> {
    match label {
        "申请人情况" | "自然人" | "法人或其他组织" => Some(OpenChapter::Requests),
        "行政复议" | "行政诉讼" | "行政复议行政诉讼" | "结果维持" | "未经复议直接起诉" | "复议后起诉" => {
            Some(OpenChapter::Disputes)
        }
        _ => None,
    }
}

fn chapter_of_line(label: &str) -> Option<OpenChapter> {
    chapter_of_label(label).or_else(|| label.starts_with("第二十条第").then_some(OpenChapter::Proactive))
}

/// Returns true for the first row of chapter 三 if the range already has that row with values: a second report's
/// table.
fn begins_again(item: &Item<'_>, range: Option<&Vec<Item<'_>>>, index: &RequestIndex) -> bool {
    let first_row = |item: &Item<'_>| match item {
        Item::Row(row) => {
            row.values.iter().any(|piece| piece.value != CellValue::Blank)
                && row.labels.last().is_some_and(|own| index.exact(&own.label) == Some(0))
        }
        _ => false,
    };
    // A narrower row of that name belongs to a table beside the form's, such as one of the requests by channel.
    let is_narrow =
        |item: &Item<'_>| matches!(item, Item::Row(row) if row.spans_known && row.values.len() < COLUMNS);
    let whole_row = |item: &Item<'_>| first_row(item) && !is_narrow(item);
    first_row(item) && range.is_some_and(|range| range.iter().any(whole_row))
}
