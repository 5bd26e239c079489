//! Which stretches of a document hold which chapter's table: by headings, and by what the tables' own heads say.

use crate::{
    index::RequestIndex,
    rows::{Item, Row},
    value::Value,
};

/// The stretches of chapters 二, 三 and 四.
#[derive(Debug, Default)]
pub(crate) struct Stretches<'a> {
    /// Everything of chapter 二, in one.
    pub proactive: Vec<Item<'a>>,
    /// Each table of chapter 三.
    pub requests: Vec<Vec<Item<'a>>>,
    /// Each table of chapter 四.
    pub disputes: Vec<Vec<Item<'a>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Elsewhere,
    Proactive,
    Requests,
    Disputes,
}

/// Cuts a document's stream into stretches.
pub(crate) fn cut<'a>(items: Vec<Item<'a>>, index: &RequestIndex) -> Stretches<'a> {
    let mut out = Stretches::default();
    let mut place = Place::Elsewhere;
    for item in items {
        let next = match &item {
            Item::Chapter(2) => Place::Proactive,
            Item::Chapter(3) => Place::Requests,
            Item::Chapter(4) => Place::Disputes,
            Item::Chapter(_) => Place::Elsewhere,
            Item::Line(text) => place_of_line(text).unwrap_or(place),
            Item::Row(row) => place_of_row(row, index).unwrap_or(place),
        };
        let heading = matches!(item, Item::Chapter(_));
        match next {
            Place::Requests
                if next != place || heading || begins_again(&item, out.requests.last(), index) =>
            {
                out.requests.push(Vec::new());
            }
            Place::Disputes if next != place || heading => out.disputes.push(Vec::new()),
            _ => {}
        }
        place = next;
        let stretch = match place {
            Place::Elsewhere => None,
            Place::Proactive => Some(&mut out.proactive),
            Place::Requests => out.requests.last_mut(),
            Place::Disputes => out.disputes.last_mut(),
        };
        if let Some(stretch) = stretch {
            stretch.push(item);
        }
    }
    out
}

fn place_of_row(row: &Row<'_>, index: &RequestIndex) -> Option<Place> {
    // In a stream a row's labels end with its own; what stands before them is a head.
    row.labels.iter().rev().find_map(|piece| {
        let label = piece.label.as_str();
        let band = label.starts_with("第二十条第")
            || matches!(label, "信息内容" | "规章" | "行政许可" | "行政处罚" | "行政强制" | "行政事业性收费");
        if band {
            return Some(Place::Proactive);
        }
        place_of_label(label).or_else(|| (index.exact(label) == Some(0)).then_some(Place::Requests))
    })
}

fn place_of_label(label: &str) -> Option<Place> {
    match label {
        "申请人情况" | "自然人" | "法人或其他组织" => Some(Place::Requests),
        "行政复议" | "行政诉讼" | "行政复议行政诉讼" | "结果维持" | "未经复议直接起诉" | "复议后起诉" => {
            Some(Place::Disputes)
        }
        _ => None,
    }
}

fn place_of_line(label: &str) -> Option<Place> {
    place_of_label(label).or_else(|| label.starts_with("第二十条第").then_some(Place::Proactive))
}

/// True for the first row of chapter 三 where the stretch already has one with values: another report's table.
fn begins_again(item: &Item<'_>, stretch: Option<&Vec<Item<'_>>>, index: &RequestIndex) -> bool {
    let first_row = |item: &Item<'_>| match item {
        Item::Row(row) => {
            row.values.iter().any(|piece| piece.value != Value::Blank)
                && row.labels.last().is_some_and(|own| index.exact(&own.label) == Some(0))
        }
        _ => false,
    };
    first_row(item) && stretch.is_some_and(|stretch| stretch.iter().any(first_row))
}
