//! Columns and rows of several years beside each other: 上年 and 本年, 2022年 and 2023年. The latest is the report's own.

use crate::{columns::Heading, foreign_titles::year, read_cell::ReadCell};

/// Narrows each heading above columns of several years to the column of the latest.
pub(crate) fn narrow<'p, 'a: 'p>(headings: &mut [Heading], titles: impl Iterator<Item = &'p ReadCell<'a>>) {
    let years: Vec<(i32, u32, u32)> =
        titles.filter_map(|piece| Some((year(&piece.label)?, piece.start(), piece.end()))).collect();
    for heading in headings {
        let mut own: Vec<&(i32, u32, u32)> =
            years.iter().filter(|(_, start, end)| heading.start <= *start && *end <= heading.end).collect();
        own.sort_unstable();
        if let [.., before, last] = own.as_slice()
            && before.0 < last.0
        {
            (heading.start, heading.end) = (last.1, last.2);
        }
    }
}

/// Returns true if one column of two years is under a heading, and the other under none: the heading has lost a part of
/// its width.
pub(crate) fn are_apart<'p, 'a: 'p>(
    headings: &[Heading],
    titles: impl Iterator<Item = &'p ReadCell<'a>>,
) -> bool {
    let years: Vec<&ReadCell<'a>> = titles.filter(|piece| year(&piece.label).is_some()).collect();
    let (under, beside): (Vec<&ReadCell<'a>>, Vec<&ReadCell<'a>>) =
        years.into_iter().partition(|piece| headings.iter().any(|heading| heading.is_over(piece)));
    beside.iter().any(|piece| under.iter().any(|other| other.cell.row == piece.cell.row))
}
